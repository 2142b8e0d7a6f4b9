"""What planning takes: it grows with the fits, not with their square."""

import re
import subprocess

from tests.workflow.conftest import CONFIG, Checkout

#: In front of the workflow: counts the files of the lists that Snakemake hashes.
COUNTING = """
import atexit
from snakemake.iocontainers import Namedlist

hashed = []
Namedlist.__hash__ = lambda files: hashed.append(len(files)) or hash(tuple(files))
atexit.register(lambda: print("files hashed:", sum(hashed)))

"""


def test_no_list_of_all_fits_is_hashed_for_each_of_them(checkout: Checkout) -> None:
    seeds = 40
    checkout.configure({**CONFIG, "seeds": seeds})
    checkout.replace("Snakefile", "include:", f"{COUNTING}include:")
    run = subprocess.run(**checkout.command("-n", "--quiet", "rules"), capture_output=True)
    assert run.returncode == 0, run.stderr
    fits = seeds * len(CONFIG["methods"])
    hashed = re.search(r"^files hashed: (\d+)$", run.stdout, re.MULTILINE)
    assert hashed is not None
    assert int(hashed.group(1)) < fits * fits / 4
