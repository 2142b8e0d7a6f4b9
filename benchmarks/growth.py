"""How time and memory grow with the rows: shallow and deep methods beside scikit-learn's and PyOD's own estimators.

python -m benchmarks.growth [--methods knn kde] [--sides ours PyOD] [--rows 1000 10000 100000] [--features 10 100]
    [--limit 300] [--threads 1]

Rows are normally distributed and independent. Each case, a fit and the scores of its rows, has a process of its own,
and its memory is the largest resident set less what the process had before. A side gets no more rows when by its growth
so far it would take longer than the limit, in CPU seconds, or when it needed more memory than there is. The exponents
are those of time and memory between the two largest numbers of rows that a side came to: 1 where either grows as the
rows do, 2 where as their pairs. PyOD's `PCA` and `IForest` score otherwise than ours do; all else is the same quantity.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks._growth_case import CASES, NEED_PYTORCH
from benchmarks._measure import Cost, machine, positive, run_timed
from benchmarks._record import Record

SIDES = ("ours", "scikit-learn", "PyOD")


def measure(method: str, side: str, rows: int, features: int, threads: int) -> Cost | None:
    """The cost of a case; None where its process was ended for its memory, or could not have it."""
    command = [sys.executable, "-m", "benchmarks._growth_case", method, side, *map(str, (rows, features, threads))]
    try:
        _, output = run_timed(command, PYTHONWARNINGS="ignore")
    except RuntimeError as error:
        if "MemoryError" in str(error) or str(error).rstrip().endswith("failed:"):
            return None
        raise
    return Cost(**json.loads(output.splitlines()[-1]))


def exponent(rows: list[int], values: list[float]) -> float:
    """The exponent of growth between the last two of these; no number where there are no two, or nothing to compare."""
    if len(values) < 2 or min(values[-2:]) <= 0 or rows[-1] == rows[-2]:
        return math.nan
    return math.log(values[-1] / values[-2]) / math.log(rows[-1] / rows[-2])


def expected(rows: list[int], seconds: list[float], count: int) -> float:
    """The seconds to be expected for so many rows: they grow as they did, and at least as the rows do."""
    grown = exponent(rows, seconds)
    return seconds[-1] * (count / rows[-1]) ** (1.0 if math.isnan(grown) else max(1.0, grown))


def ladder(method: str, side: str, rows: list[int], features: int, limit: float, threads: int) -> list[dict[str, Any]]:
    """The costs of a side for more and more rows, with the exponents in the last line."""
    lines: list[dict[str, Any]] = []
    done: list[int] = []
    costs: list[Cost] = []
    for count in rows:
        if done and expected(done, [cost.cpu for cost in costs], count) > limit:
            break
        cost = measure(method, side, count, features, threads)
        line: dict[str, Any] = {"features": features, "method": method, "side": side, "rows": count}
        if cost is None:
            return [*lines, {**line, "CPU s": "out of memory"}]
        done, costs = [*done, count], [*costs, cost]
        lines.append({**line, "CPU s": cost.cpu, "wall s": cost.wall, "MiB": cost.peak})
    lines[-1] |= {
        "time ~ rows^": exponent(done, [cost.cpu for cost in costs]),
        "memory ~ rows^": exponent(done, [cost.peak for cost in costs]),
    }
    return lines


def against_ours(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add to each line of a method its CPU seconds over ours for as many rows, where both were measured."""
    ours = {line["rows"]: line["CPU s"] for line in lines if line["side"] == "ours"}

    def ratio(line: Mapping[str, Any]) -> float:
        own, theirs = ours.get(line["rows"]), line["CPU s"]
        return theirs / own if isinstance(own, float) and isinstance(theirs, float) and own else math.nan

    return [{**line, "/ ours, CPU s": ratio(line)} for line in lines]


def main() -> None:
    """Measures every side in turn and prints a table per method and number of features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=CASES, default=list(CASES), help="all, unless some are named")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), help="all, unless some are named")
    parser.add_argument("--rows", nargs="+", type=positive, default=[10**3, 10**4, 10**5, 10**6], help="%(default)s")
    parser.add_argument("--features", nargs="+", type=positive, default=[10, 100], help="%(default)s")
    parser.add_argument("--limit", type=float, default=300, help="CPU seconds that a case may take, %(default)s")
    parser.add_argument("--threads", type=positive, default=1, help="%(default)s")
    arguments = parser.parse_args()
    record = Record(__file__, vars(arguments))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{machine()}, {memory:.0f} GiB, {arguments.threads} thread(s)", flush=True)
    for features in arguments.features:
        for method in arguments.methods:
            table: list[dict[str, Any]] = []
            for side in (side for side in arguments.sides if side in CASES[method]):
                if side == "PyOD" and method in NEED_PYTORCH and find_spec("torch") is None:
                    print(f"{method}: PyOD's needs what benchmarks/requirements.txt says, and is left out.", flush=True)
                    continue
                rows = sorted(set(arguments.rows))
                table += ladder(method, side, rows, features, arguments.limit, arguments.threads)
            if not any(side in CASES[method] for side in arguments.sides):
                print(f"{method}: there is none of {', '.join(arguments.sides)}.", flush=True)
            if table:
                record.keep(against_ours(table), by=["features", "method", "side", "rows"], followed=["/ ours, CPU s"])
                print(flush=True)


if __name__ == "__main__":
    main()
