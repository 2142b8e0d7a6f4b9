"""What our jobs are started with where Snakemake starts those of others, too, or hides PYTHONPATH."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

#: For `env` before the command of a job: what Python must find when it starts, from the variables that `export_own`
#: sets; a job does the rest itself (`state_environment`). Snakemake keeps the command as that of the job, and another
#: is another job: so it names no folder.
OWN_ENVIRONMENT = (
    'PATH="$OCNN_PATH$PATH" PYTHONPATH="$OCNN_PYTHONPATH" PYTHONUTF8=1 LC_ALL=C.UTF-8 PYTHONWARNINGS= PYTHONOPTIMIZE='
)


def export_own(folders: Sequence[Path], mirror: Path | None, *, alone: bool = False) -> None:
    """Set variables of our own, which mean nothing to anybody else's jobs, and PYTHONPATH where there are none.

    Args:
        folders: to be searched for modules in this order, before what PYTHONPATH names and what is installed.
        mirror: of archives.
        alone: whether all jobs are ours.
    """
    python, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    before = "" if path.split(os.pathsep)[0] == python else f"{python}{os.pathsep}"
    named = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    modules = dict.fromkeys([*map(str, folders), *named])
    os.environ |= {"OCNN_PATH": before, "OCNN_PYTHONPATH": os.pathsep.join(modules)}
    if alone:
        os.environ["PYTHONPATH"] = os.environ["OCNN_PYTHONPATH"]
    if mirror is not None:
        os.environ["OCNN_MIRROR"] = str(mirror)
