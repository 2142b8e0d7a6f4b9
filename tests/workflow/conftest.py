"""A copy of the workflow in an empty folder, with a configuration that runs in half a minute."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow import snakemake

PARTS = ("Snakefile", "profiles", "workflow", "ocnn", "envs")
#: The rules that only read results and have one job each in every run; how many that is.
SHOWN = dict.fromkeys(
    ("metrics", "consistency", "summary", "tables", "comparison_figures", "sample_figures", "report"), 1
)
#: Those that have one for some experiments or attacks alone.
SHOWN_OF_SOME = ("most_anomalous", "anomaly_classes", "attack_images")
#: The target, and the rules that read score files; none of them fits anything.
TABLES = ("default", *SHOWN, *SHOWN_OF_SOME)
#: The target of a run that is not about tables and figures.
MEASURED = "results/metrics.parquet"
TRAINING = {"epochs": [2], "learning_rates": [0.001]}
CONFIG: dict[str, Any] = {
    "methods": {"kde": {}, "ocsvm": {"gamma": [0.01, 0.1]}, "dcae": {}, "deep_svdd": TRAINING, "ocnn": TRAINING},
    "experiments": {
        "digits": {
            "dataset": "digits",
            "normal_classes": [3],
            "contamination": 1 / 11,
            "network": "lenet-digits",
            "autoencoder": TRAINING,
        }
    },
}


def rules(output: str) -> Counter[str]:
    """How many jobs of each rule the output of a run or a dry run shows."""
    jobs = Counter(re.findall(r"^(?:local)?rule (\w+):$", output, re.MULTILINE))
    assert jobs or "Nothing to be done" in output
    return jobs


class Checkout:
    """A folder with the workflow's files and a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, folder / part)
        # The tests read which jobs there are from what Snakemake prints by itself.
        for profiles in ("profiles", "workflow/profiles"):
            self.replace(f"{profiles}/default/config.yaml", "logger: rich\n", "")
        self.configure(CONFIG)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Writes the configuration."""
        path = self.folder / "config" / "config.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(dict(config), sort_keys=False))

    def replace(self, file: str, old: str, new: str) -> None:
        """Edits a source file."""
        path = self.folder / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def environment(self, **environment: str) -> dict[str, str]:
        """The environment of a run: OCNN_MIRROR is unset unless given."""
        inherited = {key: value for key, value in os.environ.items() if key not in ("OCNN_MIRROR", "PYTHONPATH")}
        return {**inherited, **environment}

    def command(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """How Snakemake is started here, for `subprocess`."""
        return {
            "args": [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            "cwd": self.folder,
            "env": self.environment(**environment),
            "text": True,
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs Snakemake."""
        return snakemake.run(["--cores", "2", *arguments], self.folder, self.environment(**environment))

    def succeed(self, *arguments: str, **environment: str) -> str:
        """Runs Snakemake to a good end; its output."""
        run = self.run(*arguments, **environment)
        logs = "".join(p.read_text() for p in self.folder.glob("results/logs/**/*.log")) if run.returncode else ""
        assert run.returncode == 0, run.stdout + run.stderr + logs
        return run.stdout + run.stderr

    def planned(self, *arguments: str) -> Counter[str]:
        """How many jobs of each rule a run would have, the target and the tables apart."""
        jobs = rules(self.succeed("-n", *arguments))
        return Counter({rule: count for rule, count in jobs.items() if rule not in TABLES})

    def copy_to(self, folder: Path) -> "Checkout":
        """A copy of this checkout, its times and Snakemake's records kept."""
        shutil.copytree(self.folder, folder, copy_function=shutil.copy2)
        return Checkout.there(folder)

    @classmethod
    def there(cls, folder: Path) -> "Checkout":
        """The checkout in a folder that is one already."""
        checkout = object.__new__(cls)
        checkout.folder = folder
        return checkout

    def scores(self) -> dict[str, bytes]:
        """The content of every score file, by its path."""
        base = self.folder / "results" / "scores"
        return {str(path.relative_to(base)): path.read_bytes() for path in sorted(base.rglob("*.parquet"))}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose run is done, once for all workers, and only to be read.

    Whatever runs Snakemake uses a copy, a dry run, too: it writes there while another worker may be copying.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            checkout = Checkout(tmp_path_factory.mktemp("making"))
            checkout.succeed()
            checkout.folder.rename(folder)
    return Checkout.there(folder)


@pytest.fixture
def copy(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout."""
    return finished.copy_to(tmp_path / "copy")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout in which nothing has run."""
    return Checkout(tmp_path)


@dataclass(frozen=True)
class Edit:
    """An edit of a source file. Each is looked at in the quick tests, too: tests/workflow/test_edits.py."""

    file: str
    old: str
    new: str

    made: ClassVar[list["Edit"]] = []

    def __post_init__(self) -> None:
        self.made.append(self)

    def __call__(self, checkout: Checkout) -> None:
        checkout.replace(self.file, self.old, self.new)
