"""What the checksums of arrays cost whoever reads them: CIFAR-10's arrays, of noise, read with and without.

python -m benchmarks.checksums [--every 1] [--repeats 5]

A job reads the rows of its split, which lie scattered: 5,500 training and 10,000 test images for a normal class.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._measure import Cost, alternate, machine, median, positive, spread, timed
from benchmarks._record import Record
from ocnn.steps.runtime import use_threads
from ocnn.storage.arrays import CHECKSUMS, open_array, write_npy_files

SHAPE = (32, 32, 3)
#: Images of the parts, and of them in a split.
IMAGES, IN_SPLIT = {"train.npy": 50_000, "test.npy": 10_000}, {"train.npy": 5_500, "test.npy": 10_000}


def with_checksums(folder: Path, rows: dict[str, NDArray[np.int64]]) -> None:
    """Read rows as a job does."""
    for name, chosen in rows.items():
        open_array(folder / name)[chosen]


def without(folder: Path, rows: dict[str, NDArray[np.int64]]) -> None:
    """Read the same rows by NumPy alone."""
    for name, chosen in rows.items():
        np.load(folder / name, mmap_mode="r")[chosen]


def main() -> None:
    """Measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=positive, default=1, help="keep one in so many images")
    parser.add_argument("--repeats", type=positive, default=5)
    arguments = parser.parse_args()
    use_threads(1)
    rng = np.random.default_rng(0)
    arrays = {n: rng.random((count // arguments.every, *SHAPE), np.float32) for n, count in IMAGES.items()}
    print(machine(), flush=True)
    record = Record(__file__, vars(arguments))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_npy_files([folder / file for file in (*arrays, CHECKSUMS)], arrays, {})
        whole = {file: np.arange(len(values)) for file, values in arrays.items()}
        split = {
            file: np.sort(rng.permutation(rows)[: IN_SPLIT[file] // arguments.every]) for file, rows in whole.items()
        }
        works: dict[str, dict[str, Callable[[], Any]]] = {
            what: {"with": partial(with_checksums, folder, rows), "without": partial(without, folder, rows)}
            for what, rows in (("a split", split), ("all images", whole))
        }
        table = []
        for what, sides in works.items():
            costs = alternate({side: partial(timed, work) for side, work in sides.items()}, arguments.repeats)
            ratio = median(costs["with"]).cpu / median(costs["without"]).cpu
            shown = {f"{side}, CPU s": _shown(several) for side, several in costs.items()}
            table.append({"read": what, **shown, "with / without": ratio})
        record.keep(table, by=["read"], followed=["with / without"])


def _shown(costs: list[Cost]) -> str:
    return f"{median(costs).cpu:.3g} ({spread(costs)})"


if __name__ == "__main__":
    main()
