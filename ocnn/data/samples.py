"""Samples of a split, scaled as it says."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.data.preprocessing import rescale
from ocnn.data.splits import Split
from ocnn.storage.arrays import open_array


def load_samples(split: Split, arrays: Iterable[Path], rows: pd.DataFrame) -> NDArray[Any]:
    """Load samples of a split in the order of these rows of it, scaled with its constants: (n, …), of the arrays' type.

    Args:
        arrays: files of the data set's arrays.
    """
    files = {path.name: path for path in arrays}
    parts = rows["part"].to_numpy()
    if len(set(parts)) < 2:
        # An empty part, too, has the shape of a sample.
        samples = open_array(files[f"{parts[0] if len(parts) else 'test'}.npy"])[rows["sample"].to_numpy()]
    else:
        stored = {part: open_array(files[f"{part}.npy"]) for part in ("train", "test")}
        samples = np.empty((len(rows), *stored["train"].shape[1:]), stored["train"].dtype)
        for part, array in stored.items():
            there = parts == part
            samples[there] = array[rows.loc[there, "sample"].to_numpy()]
    return rescale(samples, split.shift, split.scale)
