"""How many fits the workflow makes in an hour, what it adds to each, and what it takes to see that all is done.

python -m benchmarks.throughput [--parts fits plan nothing] [--numbers 10 100 1000] [--profile]

fits: tiny ones (`kde` and `iforest` on the digits, ten a split) at each of --cores, --numbers of them, by jobs that are
forked from the run's server and by jobs that start alone; the overhead is the cores' time in which no job ran.
plan: `snakemake -n` for --config with each of --seeds; nothing of it exists.
nothing: a run of --config with everything there, simulated as in `benchmarks.report`; with --profile, where the time of
its process goes.
"""

import argparse
import os
import pstats
import re
import sys
import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from benchmarks._measure import Cost, machine, positive, run_timed, show
from benchmarks._record import Record
from benchmarks.report import check_out, simulate
from ocnn.config.checks import load
from ocnn.config.schema import Config
from ocnn.results.measurements import job_cost

SNAKEMAKE = [sys.executable, "-m", "snakemake"]
#: Ten tiny fits of a split.
METHODS = {
    **{f"kde_{n}": {"estimator": "kde", "bandwidths": [float(n)]} for n in range(1, 6)},
    **{f"iforest_{n}": {"estimator": "iforest", "n_estimators": n} for n in range(1, 6)},
}
#: Shown of a profile.
TOP = 10


def tiny(fits: int) -> dict[str, Any]:
    """A configuration of so many tiny fits."""
    block = {"dataset": "digits", "normal_classes": [0], "contamination": 1 / 11}
    methods = dict(list(METHODS.items())[:fits])
    return {"seeds": max(1, fits // len(METHODS)), "methods": methods, "experiments": {"digits": block}}


def measure_fits(fits: int, cores: int, forked: bool) -> dict[str, Any]:
    """Makes so many fits from nothing, with their splits, without tables and report."""
    environment = {} if forked else {"OCNN_FORK": "0"}
    content = tiny(fits)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        check_out(load(content), folder)
        (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        command = [*SNAKEMAKE, "--cores", str(cores), "--configfile", "config.yaml", "--quiet", "--until"]
        run_timed([*command, "images"], folder)
        cost, _ = run_timed([*command, "fit"], folder, **environment)
        rows = [
            job_cost(path)["seconds"]
            for rule in ("split", "fit")
            for path in (folder / "results" / "benchmarks" / rule).rglob("*.tsv")
        ]
        done = len(list((folder / "results" / "scores").rglob("*.parquet")))
    return {
        "fits": done,
        "cores": cores,
        "forked": forked,
        "seconds": cost.wall,
        "fits an hour": 3600 * done / cost.wall,
        "s of jobs": sum(rows),
        "overhead s a fit": (cores * cost.wall - sum(rows)) / done,
        "CPU s a fit": cost.cpu / done,
    }


def measure_plan(path: str, seeds: int) -> dict[str, Any]:
    """Builds the graph of all jobs and runs none."""
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    config = load({**content, "seeds": seeds})
    with tempfile.TemporaryDirectory() as name:
        check_out(config, Path(name))
        command = [*SNAKEMAKE, "-n", "--quiet", "rules", "--configfile", path, "--config", f"seeds={seeds}"]
        cost, output = run_timed(command, Path(name))
    jobs = re.search(r"^total\s+(\d+)", output, re.MULTILINE)
    return {"what": f"-n, {seeds} seeds", **described(config, cost), "jobs": int(jobs.group(1)) if jobs else 0}


def described(config: Config, cost: Cost) -> dict[str, Any]:
    """The cost of a process that sees all fits of a configuration."""
    return {"fits": len(config.plan().fits()), "seconds": cost.wall, "CPU s": cost.cpu, "MiB": cost.peak}


def measure_nothing(path: str, profile: bool) -> dict[str, Any]:
    """Measure a run of a configuration of which every fit is there.

    Raises:
        SystemExit: it ran something.
    """
    config = load(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        check_out(config, folder)
        simulate(config, folder)
        # As far as the fits: what is made from them is not simulated.
        options = ["--cores", "1", "--configfile", path, "--until", "fit"]
        cost, output = run_timed([*SNAKEMAKE, *options], folder)
        if not re.search(r"Nothing to be done|^total\s+0$", output, re.MULTILINE):
            raise SystemExit(f"It did not see that all is done:\n{output[-5000:]}")
        if profile:
            file = folder / "profile"
            run_timed([sys.executable, "-m", "cProfile", "-o", str(file), "-m", "snakemake", *options], folder)
            show_profile(file)
    return {"what": "nothing to do", **described(config, cost)}


def show_profile(file: Path) -> None:
    """Prints the functions that take most, with what they call and without, and whose code takes it by itself."""
    # pstats keeps them so: (file, line, name) → calls without recursion, calls, own seconds, seconds with callees.
    entries: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    total = sum(own for _, _, own, _, _ in entries.values())
    packages: dict[str, float] = defaultdict(float)
    rows: list[dict[str, Any]] = []
    for (path, line, function), (_, calls, own, whole, _) in entries.items():
        package = re.search(r"(?:site-packages|lib/python3\.\d+)/(?!site-packages)([^/.]+)", path)
        if package:
            of = package.group(1)
        else:
            of = "built-in" if path == "~" or path.startswith("<") else "ocnn" if "/ocnn/" in path else "workflow"
        packages[of] += own
        place = function if path == "~" else f"{of}: {'/'.join(Path(path).parts[-2:])}:{line} {function}"
        rows.append({"function": place, "calls": calls, "own s": own, "s with callees": whole})
    print(f"Profiled, which slows it: {total:.1f} s of own time in all; by package:")
    show([{"package": name, "own s": own} for name, own in sorted(packages.items(), key=lambda item: -item[1])[:TOP]])
    print("Most by themselves:")
    show(sorted(rows, key=lambda row: -row["own s"])[:TOP])
    print("Most with what they call:")
    inside = [row for row in rows if 0.02 * total < row["s with callees"] < 0.95 * total]
    show(sorted(inside, key=lambda row: -row["s with callees"])[: 3 * TOP])


def main() -> None:
    """Measures what is asked for, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ["fits", "plan", "nothing"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--cores", type=positive, nargs="+", default=[1, 2])
    parser.add_argument("--numbers", type=positive, nargs="+", default=[10, 100, 1000], help="of tiny fits")
    parser.add_argument("--config", default="config/paper.yaml")
    parser.add_argument("--seeds", type=positive, nargs="+", default=[10, 64])
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    os.environ.pop("OCNN_MIRROR", None)
    print(machine(), flush=True)
    record = Record(__file__, vars(arguments))
    if "fits" in arguments.parts:
        for number, cores, forked in product(arguments.numbers, arguments.cores, (True, False)):
            record.keep(
                [measure_fits(number, cores, forked)],
                by=["fits", "cores", "forked"],
                followed=["fits an hour", "overhead s a fit"],
            )
    if "plan" in arguments.parts:
        for seeds in arguments.seeds:
            record.keep([measure_plan(arguments.config, seeds)], by=["what"], followed=["CPU s", "MiB"])
    if "nothing" in arguments.parts:
        record.keep([measure_nothing(arguments.config, arguments.profile)], by=["what"], followed=["CPU s", "MiB"])


if __name__ == "__main__":
    main()
