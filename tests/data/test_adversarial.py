"""The data set of an attacked class: which images are where."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ocnn.data import Dataset, load_dataset
from ocnn.data.adversarial import ATTACK_FILE, adversarial_dataset
from ocnn.data.dataset import ARRAY_FILES
from ocnn.data.splits import class_sizes, draw_split
from ocnn.errors import ResultError
from ocnn.storage.arrays import write_arrays, write_npy_files


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Images of one value each, in 128ths: training 1 to 20, test 101 to 110, adversarial 64."""
    arrays = {
        "train.npy": np.broadcast_to(np.arange(1, 21, dtype=np.float32)[:, None, None, None] / 128, (20, 2, 2, 1)),
        "train_labels.npy": np.repeat([3, 0], [12, 8]),
        "test.npy": np.broadcast_to(np.arange(101, 111, dtype=np.float32)[:, None, None, None] / 128, (10, 2, 2, 1)),
        "test_labels.npy": np.repeat([0, 3], [4, 6]),
    }
    write_npy_files([tmp_path / name for name in ARRAY_FILES], arrays, {})
    write_arrays(tmp_path / ATTACK_FILE, {"images": np.full((3, 2, 2, 1), 0.5, np.float32)})
    return {path.name: path for path in tmp_path.iterdir()}


def threes(held_out: bool) -> Dataset:
    return adversarial_dataset(load_dataset("digits"), "3", name="toy", held_out=held_out, images=3)


def test_held_out(files: dict[str, Path]) -> None:
    dataset = threes(held_out=True)
    assert dataset.classes == ("3", "adversarial")
    assert dataset.normal_classes == ("3",)
    arrays = dataset.load(files)
    np.testing.assert_array_equal(128 * arrays.train[:, 0, 0, 0], np.arange(1, 13))
    np.testing.assert_array_equal(arrays.train_labels, np.zeros(12))
    np.testing.assert_array_equal(128 * arrays.test[:, 0, 0, 0], [*range(105, 111), 64, 64, 64])
    np.testing.assert_array_equal(arrays.test_labels, [0] * 6 + [1] * 3)


def test_all_at_once(files: dict[str, Path]) -> None:
    dataset = threes(held_out=False)
    arrays = dataset.load(files)
    assert not dataset.has_test
    np.testing.assert_array_equal(128 * arrays.train[:, 0, 0, 0], [*range(1, 13), *range(105, 111), 64, 64, 64])
    np.testing.assert_array_equal(arrays.train_labels, [0] * 18 + [1] * 3)
    assert arrays.test.shape == (0, 2, 2, 1)
    # 3 of 21 is the contamination that takes all of them; the holdout comes from where the scores come from.
    split = draw_split(
        arrays.train_labels, arrays.test_labels, dataset.classes, "3", contamination=3 / 21, holdout=0.4, seed=0
    )
    assert set(split["evaluation"]) == {"train"}
    assert list(split["sample"]) == list(range(21))
    assert split["is_anomaly"].sum() == 3
    assert split["holdout"].sum() == 9
    assert split.loc[split["holdout"], "is_anomaly"].any()


@pytest.mark.parametrize("held_out", [True, False])
def test_classes_are_as_large_as_stated(held_out: bool, files: dict[str, Path]) -> None:
    attacked = replace(load_dataset("digits"), sizes={"3": (12, 6)})
    dataset = adversarial_dataset(attacked, "3", name="toy", held_out=held_out, images=3)
    arrays = dataset.load(files)
    assert dataset.sizes == class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)
    unknown = adversarial_dataset(replace(attacked, sizes={}), "3", name="toy", held_out=held_out, images=3)
    assert unknown.sizes == {}


def test_a_damaged_attack(files: dict[str, Path]) -> None:
    files[ATTACK_FILE].write_bytes(files[ATTACK_FILE].read_bytes()[:-30])
    with pytest.raises(ResultError, match="does not hold whole arrays"):
        threes(held_out=True).load(files)
