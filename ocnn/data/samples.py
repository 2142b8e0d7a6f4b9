"""Samples of a split, scaled as it says."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocnn.data.preprocessing import rescale
from ocnn.data.splits import Split
from ocnn.storage.arrays import open_array


def load_samples(split: Split, arrays: Iterable[Path], evaluation: str) -> NDArray[np.float32]:
    """Load the samples of a split's part (`train` or `test`), scaled with its constants: (n, …) float32.

    Args:
        arrays: files of the data set's arrays.
    """
    path = next(path for path in arrays if path.name == f"{evaluation}.npy")
    return rescale(open_array(path)[split.part(evaluation)["sample"].to_numpy()], split.shift, split.scale)
