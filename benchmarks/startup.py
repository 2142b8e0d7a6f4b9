"""What a fit costs before and after its work: the workflow's own command with one epoch on the digits.

python -m benchmarks.startup [--methods kde dcae …] [--repeats 5]

Each method's job takes turns with `python -c "import tensorflow"` in the same environment, of which it is a multiple,
and with the same job forked from a run's server; the server's own start is a line, too. Beside them stand Python alone
and the imports that a job makes; the rest is reading, building and compiling the networks, one epoch, scoring and
writing. Then which packages' imports take longest.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks._measure import ROOT, Cost, alternate, machine, median, positive, run_job, run_timed, show
from benchmarks._record import Record
from ocnn.config.checks import load
from ocnn.data.dataset import ARRAY_FILES
from ocnn.methods import METHODS
from ocnn.steps.forked import SERVER, SOCKET
from ocnn.steps.jobs import Job, Jobs

EXPERIMENT, NORMAL, SEED = "digits", "3", 0
#: As little work as a method can be given.
LEAST = {"epochs": [1], "learning_rates": [1e-3], "iterations": 1, "steps": 1}
#: Packages shown of the imports.
TOP = 12


def prepare(jobs: Jobs, folder: Path, methods: Sequence[str]) -> None:
    """Make arrays, a split and, if a method starts from one, an autoencoder by the workflow's own steps."""
    run_job(folder, jobs.images("digits"), {}, {"arrays": ARRAY_FILES})
    run_job(folder, jobs.split(EXPERIMENT, NORMAL, str(SEED)), {"arrays": ARRAY_FILES}, {"split": "split.parquet"})
    if any(jobs.config.uses_autoencoder(EXPERIMENT, method) for method in methods):
        job = least(jobs.autoencoder(EXPERIMENT, NORMAL, str(SEED)))
        run_job(folder, job, {"split": "split.parquet", "arrays": ARRAY_FILES}, {"weights": "autoencoder.npz"})


def least(job: Job) -> Job:
    """The job with as little to do as it takes."""
    settings = job.settings["settings"]
    changed = {**settings, **{key: value for key, value in LEAST.items() if key in settings}}
    return replace(job, settings={**job.settings, "settings": changed})


class Server:
    """The process from which a run's jobs are forked, for those of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        command = [sys.executable, "-m", "ocnn.steps.fork_server", str(self.folder), "1", "networks"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        began = time.perf_counter()
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE)
        while not (self.folder / SOCKET).exists():
            assert self.process.poll() is None
            time.sleep(0.01)
        self.start = Cost(time.perf_counter() - began, self.spent())

    def spent(self) -> float:
        """The CPU seconds of the server and of the jobs that have ended."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def fit(self, jobs: Jobs, folder: Path, method: str) -> Cost:
        """What a forked job takes, with what asks for it and what the server does."""
        os.environ[SERVER] = str(self.folder / SOCKET)
        before = self.spent()
        try:
            asked, _ = fit(jobs, folder, method)
        finally:
            del os.environ[SERVER]
        return Cost(asked.wall, asked.cpu + self.spent() - before)

    def close(self) -> None:
        """End the server."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def fit(jobs: Jobs, folder: Path, method: str, options: Sequence[str] = ()) -> tuple[Cost, str]:
    """Run the command by which the workflow fits a method."""
    inputs = {"split": "split.parquet", "arrays": ARRAY_FILES}
    if jobs.config.uses_autoencoder(EXPERIMENT, method):
        inputs["autoencoder"] = "autoencoder.npz"
    job = least(jobs.fit(EXPERIMENT, NORMAL, method, str(SEED)))
    return run_job(folder, job, inputs, {"scores": "scores.parquet"}, options)


def imports(output: str) -> list[dict[str, Any]]:
    """The packages whose imports took longest, from what `-X importtime` printed."""
    seconds: dict[str, float] = defaultdict(float)
    for own, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", output, re.MULTILINE):
        seconds[name.split(".")[0]] += int(own) / 1e6
    total = sum(seconds.values())
    largest = sorted(seconds.items(), key=lambda item: -item[1])[:TOP]
    return [{"package": name, "s": own, "share": own / total} for name, own in [("all", total), *largest]]


def main() -> None:
    """Measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--repeats", type=positive, default=5)
    arguments = parser.parse_args()
    jobs = Jobs(load(yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))))
    print(machine(), flush=True)
    record = Record(__file__, vars(arguments))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(jobs, folder, arguments.methods)

        def statement(text: str) -> Cost:
            return run_timed([sys.executable, "-c", text], folder, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3")[0]

        def job(method: str) -> Cost:
            return fit(jobs, folder, method)[0]

        stages = {
            "python": "pass",
            "import tensorflow": "import tensorflow",
            "import keras": "import keras",
            "imports of a shallow job": "import ocnn.steps.__main__, ocnn.steps.fit, ocnn.methods.kde",
            "imports of a deep job": "import ocnn.networks.training, ocnn.networks.models;"
            " import ocnn.steps.__main__, ocnn.steps.fit",
        }
        contestants = {stage: partial(statement, text) for stage, text in stages.items()}
        server = Server(folder)
        for method in arguments.methods:
            contestants |= {
                method: partial(job, method),
                f"{method}, forked": partial(server.fit, jobs, folder, method),
            }
        if arguments.repeats > 1:
            alternate(contestants, 1)  # unmeasured: bytecode is written, and files come into memory
        costs = {key: median(value) for key, value in alternate(contestants, arguments.repeats).items()}
        bare = costs["import tensorflow"]
        costs["the server's start"] = server.start
        server.close()
        record.keep(
            [
                {
                    "what": key,
                    "s": cost.wall,
                    "CPU s": cost.cpu,
                    "/ import tensorflow": cost.wall / bare.wall,
                    "same, CPU s": cost.cpu / bare.cpu,
                }
                for key, cost in costs.items()
            ],
            by=["what"],
            followed=["same, CPU s"],
        )
        for method in arguments.methods[:1] + arguments.methods[-1:]:
            print(f"Imports of a job of {method}, own seconds (tracing slows them):")
            show(imports(fit(jobs, folder, method, ["-X", "importtime"])[1]))


if __name__ == "__main__":
    main()
