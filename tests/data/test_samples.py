"""Samples of a split: those of its rows, in their order, scaled; whatever the block in which they are read."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ocnn.data.samples import load_samples
from ocnn.data.splits import Split
from ocnn.storage import arrays as stored_arrays
from ocnn.storage.arrays import CHECKSUMS, write_npy_files


@pytest.mark.parametrize("parts", [("train",), ("test",), ("train", "test"), ()], ids="-".join)
@pytest.mark.parametrize(("shift", "scale"), [(None, None), (2.0, 4.0), ((1.0, 2.0, 3.0), (3.0, 0.5, 7.0))])
@pytest.mark.parametrize("large", [0, 2**28], ids=["in a file", "in memory"])
def test_samples_are_those_of_the_rows_in_their_order(
    parts: tuple[str, ...], shift: Any, scale: Any, large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    arrays = {part: random.normal(size=(50, 3)).astype(np.float32) for part in ("train", "test")}
    paths = [tmp_path / name for name in ("train.npy", "test.npy", CHECKSUMS)]
    write_npy_files(paths, {f"{part}.npy": array for part, array in arrays.items()}, {})
    rows = pd.DataFrame({"part": np.repeat(list(parts), 20), "sample": random.integers(50, size=20 * len(parts))})
    rows = rows.sample(frac=1, random_state=0)
    # Blocks of four rows, the last of a part shorter or not.
    monkeypatch.setattr(stored_arrays, "BLOCK", 4 * 3 * 4)
    monkeypatch.setattr(stored_arrays, "LARGE", large)
    found = load_samples(Split(rows, shift, scale), paths, rows)
    expected = np.array([arrays[part][sample] for part, sample in rows.to_numpy()], np.float32).reshape(-1, 3)
    if shift is not None:
        expected = (expected - np.float32(shift)) / np.float32(scale)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
