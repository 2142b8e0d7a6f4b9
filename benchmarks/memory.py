"""The memory that many rows take: of a deep method on a memory map, of a job's samples, of a split's constants.

python -m benchmarks.memory [--parts fit job constants split] [--rows 300000 1000000] [--features 100] [--epochs 1]
    [--type float32] [--large MIB]

Rows are normally distributed and independent, in files.

- `fit`: a fit of `dcae` (widths 128 and 32) to a memory map, and the scores of its rows. From 256 MiB of float32 on its
  batches are taken from the map, and else the rows are copied; --large says another limit.
- `job`: a job of the workflow loads and scales what its method is fitted to.
- `constants`: the constants of `standard` scaling are found from rows that are loaded.
- `split`: the whole step that makes a split. It draws it, loads the normal rows, finds the constants and writes.

Each has a process of its own, which does the same with few rows first. What counts is anonymous memory, looked at every
other millisecond, less what the process had before. Pages of mapped files are not in it: the system takes them back
when something else needs the room. Files are in TMPDIR.
"""

import argparse
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmarks._growth_case import RATE, SEED, WIDTHS
from benchmarks._measure import Cost, Worker, machine, positive, timed
from benchmarks._record import Record
from ocnn.data.dataset import ARRAY_FILES
from ocnn.data.preprocessing import scaling_constants
from ocnn.data.samples import load_samples
from ocnn.data.splits import Split, read_split
from ocnn.methods import DCAE
from ocnn.steps.split import make_split
from ocnn.storage.arrays import LARGE, write_npy_files

#: Seconds between two looks at a process.
INTERVAL = 0.002
#: Rows with which a process does its work before it is measured, and those of the test part.
FEW, TEST_ROWS = 1000, 1000
#: Rows that are drawn at once.
BLOCK = 10_000
#: The memory map, and the split, beside the arrays of the workflow.
MAP, SPLIT = "rows.npy", "split.parquet"
CLASSES = ("normal", "anomalous")
SCALING = "standard"
Work = Callable[[], Any]


def prepare(folder: Path, count: int, features: int, kind: str) -> None:
    """Make a memory map of rows, and a data set of them with its split: no anomalies but half of the test part."""
    rng = np.random.default_rng(SEED)
    rows = np.lib.format.open_memmap(folder / MAP, "w+", kind, (count, features))
    for start in range(0, count, BLOCK):
        block = rows[start : start + BLOCK]
        block[:] = rng.standard_normal(block.shape)
    rows.flush()
    arrays = {
        "train.npy": rows,
        "train_labels.npy": np.zeros(count, np.int64),
        "test.npy": rng.standard_normal((TEST_ROWS, features)).astype(kind),
        "test_labels.npy": np.arange(TEST_ROWS) % len(CLASSES),
    }
    write_npy_files(arrays_of(folder), arrays, {})
    split(folder, {})()


def arrays_of(folder: Path) -> list[Path]:
    """The files of a data set's arrays."""
    return [folder / name for name in ARRAY_FILES]


def fit(folder: Path, settings: Mapping[str, Any]) -> Work:
    """Fits `dcae` to the memory map, for `epochs`; from `large` bytes on the rows are not copied."""
    from ocnn.networks import training

    training.LARGE = settings["large"]
    warnings.simplefilter("ignore", ConvergenceWarning)
    network = {"kind": "dense", "widths": [WIDTHS[0]], "code": WIDTHS[1]}
    model = DCAE(network=network, epochs=settings["epochs"], learning_rates=RATE, random_state=SEED)
    return lambda: model.fit(np.load(folder / MAP, mmap_mode="r"))


def job(folder: Path, settings: Mapping[str, Any]) -> Work:
    """Loads the samples of a split that has been read."""
    drawn = read_split(folder / SPLIT)
    chosen = drawn.fitted
    return lambda: load_samples(drawn, arrays_of(folder), chosen)


def constants(folder: Path, settings: Mapping[str, Any]) -> Work:
    """Finds the constants from samples as they come from their file."""
    drawn = read_split(folder / SPLIT)
    normals = load_samples(Split(drawn.samples), arrays_of(folder), drawn.fitted)
    return lambda: scaling_constants(SCALING, normals)


def split(folder: Path, settings: Mapping[str, Any]) -> Work:
    """Makes the split."""
    drawn: dict[str, Any] = {
        "normal": CLASSES[0],
        "contamination": 0.0,
        "holdout": 0.0,
        "seed": SEED,
        "training_set": {},
    }
    of_data: dict[str, Any] = {"dataset": "rows", "classes": CLASSES, "scaling": SCALING, "encoded": 0, "recipe": {}}
    return lambda: make_split(arrays_of(folder), folder / SPLIT, **of_data, **drawn)


PARTS: dict[str, Callable[[Path, Mapping[str, Any]], Work]] = {
    "fit": fit,
    "job": job,
    "constants": constants,
    "split": split,
}
#: What the process of a part is to do next, whose preparation is not measured.
_next: list[Work] = []


def get_ready(part: str, folder: Path, settings: Mapping[str, Any]) -> int:
    """Prepare a part in this process, and say which process it is."""
    _next[:] = [PARTS[part](folder, settings)]
    return os.getpid()


def run() -> Cost:
    """The cost of what was prepared, but for its memory."""
    return timed(_next.pop())


def anonymous(process: int) -> float:
    """The memory of a process behind which there is no file, in MiB; 0 of one that has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def measure(part: str, few: Path, many: Path, settings: Mapping[str, Any]) -> Cost:
    """The cost of a part with the rows in the folder `many`, in a process that has done the same with `few`."""
    worker = Worker("benchmarks.memory", threads=1)
    try:
        worker.call("get_ready", part, few, settings)
        worker.call("run")
        process = worker.call("get_ready", part, many, settings)
        before = most = anonymous(process)
        future = worker.submit("run")
        while not wait([future], INTERVAL).done:
            most = max(most, anonymous(process))
        cost = future.result()
    finally:
        worker.close()
    return Cost(cost.wall, cost.cpu, most - before)


def main() -> None:
    """Measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="all, unless some are named")
    parser.add_argument("--rows", nargs="+", type=positive, default=[300_000, 1_000_000], help="%(default)s")
    parser.add_argument("--features", type=positive, default=100, help="%(default)s")
    parser.add_argument("--epochs", type=positive, default=1, help="of the fit, %(default)s")
    parser.add_argument("--type", choices=["float32", "float64"], default="float32", help="of the rows, %(default)s")
    parser.add_argument("--large", type=positive, default=LARGE // 2**20, help="MiB, %(default)s")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    record = Record(__file__, vars(arguments))
    settings = {"epochs": arguments.epochs, "large": arguments.large * 2**20}
    with tempfile.TemporaryDirectory() as name:
        few = Path(name, "few")
        few.mkdir()
        prepare(few, FEW, arguments.features, arguments.type)
        for count in arguments.rows:
            size = {"rows": count, "features": arguments.features}
            size["MiB of rows"] = count * arguments.features * np.dtype(arguments.type).itemsize / 2**20
            table = []
            with tempfile.TemporaryDirectory(dir=name) as folder:
                prepare(Path(folder), count, arguments.features, arguments.type)
                for part in arguments.parts:
                    cost = measure(part, few, Path(folder), settings)
                    table.append({"part": part, **size, "MiB at most": cost.peak, "CPU s": cost.cpu})
            record.keep(table, by=["part", "rows", "features"], followed=["MiB at most", "CPU s"])


if __name__ == "__main__":
    main()
