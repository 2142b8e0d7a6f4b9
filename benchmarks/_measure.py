"""What the scripts share: the cost of a piece of work, contestants in turn, medians, and how they are printed."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ocnn.steps.jobs import Job
from ocnn.steps.runtime import use_threads

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """What a piece of work took.

    wall: seconds on the clock; on a machine that others use too, their work is in it.
    cpu: seconds of the processor, of all threads together.
    peak: largest resident memory in MiB; 0 where it was not measured.
    """

    wall: float
    cpu: float
    peak: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall - other.wall, self.cpu - other.cpu, self.peak)

    def __truediv__(self, number: float) -> "Cost":
        return Cost(self.wall / number, self.cpu / number, self.peak)


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def timed(work: Callable[[], Any]) -> Cost:
    """The cost of a call in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def run_timed(command: Sequence[str], cwd: Path = ROOT, **environment: str) -> tuple[Cost, str]:
    """The cost of a process with those that it waits for, and what it printed.

    Args:
        environment: variables to set beside the inherited ones.

    Raises:
        RuntimeError: it failed; with its output.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), output


def run_job(
    folder: Path, job: Job, inputs: Mapping[str, Any], outputs: Mapping[str, Any], options: Sequence[str] = ()
) -> tuple[Cost, str]:
    """Run a job of the workflow in a folder, as its rules do; `options` are Python's own."""
    files = json.dumps({"inputs": inputs, "outputs": outputs, "others": {}})
    command = [sys.executable, *options, "-m", "ocnn.steps", job.text(), files]
    return run_timed(command, folder, PYTHONPATH=str(ROOT))


class Worker:
    """A process that calls functions of a module: what the module imports stays out of this one, and out of others."""

    def __init__(self, module: str, threads: int) -> None:
        self.module = module
        self.pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=use_threads, initargs=(threads,))

    def submit(self, function: str, *arguments: Any) -> Future[Any]:
        """Has the function called."""
        return self.pool.submit(_call, self.module, function, *arguments)

    def call(self, function: str, *arguments: Any) -> Any:
        """What the function returns."""
        return self.submit(function, *arguments).result()

    def close(self) -> None:
        """Ends the process."""
        self.pool.shutdown()


def _call(module: str, function: str, *arguments: Any) -> Any:
    return getattr(import_module(module), function)(*arguments)


def alternate(contestants: Mapping[str, Callable[[], Cost]], repeats: int) -> dict[str, list[Cost]]:
    """The costs of each contestant, measured in turn, so that what slows the machine for a while meets all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            costs[name].append(contestant())
    return costs


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each quantity."""
    return Cost(*(float(np.median([getattr(cost, name) for cost in costs])) for name in ("wall", "cpu", "peak")))


def spread(costs: Sequence[Cost]) -> str:
    """The least and the most CPU seconds."""
    seconds = [cost.cpu for cost in costs]
    return f"{min(seconds):.3g} - {max(seconds):.3g}"


def machine() -> str:
    """The processor's name and how many of its cores there are."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return f"{len(os.sched_getaffinity(0))} cores of {names[0] if names else 'an unknown processor'}"


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints rows as a Markdown table, numbers with three digits."""
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3g"), flush=True)
