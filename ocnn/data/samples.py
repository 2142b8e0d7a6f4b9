"""Samples of a split, scaled as it says."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.data.preprocessing import rescale
from ocnn.data.splits import Split
from ocnn.storage.arrays import open_array, rows_at_once, space_for


def load_samples(split: Split, arrays: Iterable[Path], rows: pd.DataFrame) -> NDArray[Any]:
    """Load samples of a split in the order of these rows of it, scaled with its constants: (n, …), of the arrays' type.

    Many bytes of them are no copy in memory, see `space_for`.

    Args:
        arrays: files of the data set's arrays.
    """
    files = {path.name: path for path in arrays}
    parts, numbers = rows["part"].to_numpy(), rows["sample"].to_numpy()
    # An empty part, too, has the shape of a sample.
    stored = {part: open_array(files[f"{part}.npy"]) for part in sorted(set(parts)) or ["test"]}
    first = next(iter(stored.values()))
    samples = space_for((len(rows), *first.shape[1:]), first.dtype)
    step = rows_at_once(first.dtype, first.shape)
    for part, array in stored.items():
        there = np.flatnonzero(parts == part)
        for start in range(0, len(there), step):
            block = there[start : start + step]
            samples[block] = rescale(array[numbers[block]], split.shift, split.scale)
    return samples
