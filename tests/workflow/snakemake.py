"""Snakemake in processes forked from one that has imported its libraries, which saves most of the seconds of a start.

Nothing of this repository is imported there: each process takes `ocnn` and the workflow from its own folder, as
`python -m snakemake` does.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

#: What the workflow imports of others.
LIBRARIES = ("numpy", "pandas", "pyarrow.parquet", "pydantic", "scipy.stats", "sklearn.base", "sklearn.preprocessing")
SNAKEMAKE = ("snakemake.cli", "snakemake.api", "snakemake.workflow", "snakemake_executor_plugin_slurm")

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([*LIBRARIES, *SNAKEMAKE])


def _main(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], output: str, errors: str) -> None:
    """Do what `python -m snakemake` does in this folder and environment."""
    for number, file in ((1, output), (2, errors)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, str(folder))
    sys.argv = ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Snakemake to its end; its exit status and what it printed."""
    with tempfile.NamedTemporaryFile("r") as output, tempfile.NamedTemporaryFile("r") as errors:
        process = FORKS.Process(target=_main, args=(arguments, folder, environment, output.name, errors.name))
        process.start()
        process.join()
        return subprocess.CompletedProcess(arguments, process.exitcode or 0, output.read(), errors.read())
