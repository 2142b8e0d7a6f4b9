"""The data sets themselves, and what a data set may not be."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocnn.data import DATASETS, Arrays, Dataset, load_dataset
from ocnn.data.splits import class_sizes
from ocnn.errors import DataError


def test_digits() -> None:
    arrays = load_dataset("digits").load({})
    assert len(arrays.train) + len(arrays.test) == 1797
    assert arrays.train.shape[1:] == (8, 8, 1)
    assert arrays.train.min() == 0
    assert arrays.train.max() == 1
    train, test = (np.bincount(labels) / len(labels) for labels in (arrays.train_labels, arrays.test_labels))
    np.testing.assert_allclose(train, test, atol=0.002)
    both = np.concatenate([arrays.train, arrays.test]).reshape(1797, -1)
    assert len(np.unique(both, axis=0)) == 1797


def test_synthetic() -> None:
    arrays = load_dataset("synthetic").load({})
    assert arrays.train.shape == (190, 512)
    np.testing.assert_array_equal(arrays.test[:190], arrays.train)
    assert arrays.train.std() == pytest.approx(2, rel=0.02)
    assert arrays.test[190:].std() == pytest.approx(10, rel=0.05)
    np.testing.assert_array_equal(np.bincount(arrays.test_labels), [190, 10])
    assert load_dataset("synthetic").normal_classes == ("normal",)


@pytest.mark.parametrize("name", ["digits", "synthetic"])
def test_classes_are_as_large_as_stated(name: str) -> None:
    dataset = load_dataset(name)
    arrays = dataset.load({})
    assert dataset.sizes == class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)


def test_real_mnist(mirror: Path) -> None:
    dataset = load_dataset("mnist")
    arrays = dataset.load({archive.name: mirror / "mnist" / archive.name for archive in dataset.archives})
    assert arrays.train.shape == (60_000, 28, 28, 1)
    assert arrays.test.shape == (10_000, 28, 28, 1)
    assert dataset.sizes == class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)
    # A one is drawn with less ink than a zero, and upright: more of it lies in the middle columns.
    mean = [arrays.train[arrays.train_labels == digit].mean(axis=0)[..., 0] for digit in (0, 1)]
    assert mean[1].sum() < 0.6 * mean[0].sum()
    assert mean[1][:, 10:18].sum() > 0.7 * mean[1].sum()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": np.zeros((4, 3))}, "shape"),
        ({"test": np.full((4, 2, 2, 1), np.nan)}, "NaN"),
        ({"train": np.full((4, 2, 2, 1), np.inf)}, "NaN or infinite"),
        ({"train_labels": np.zeros(3, int)}, "shape"),
        ({"test_labels": np.array([0, 1, 2, 0])}, "2 classes"),
        ({"train_labels": np.array([0, -1, 1, 0])}, "2 classes"),
        ({"test": np.zeros((0, 2, 2, 1)), "test_labels": np.zeros(0, int)}, "shape"),
    ],
)
def test_unusable_arrays_are_refused(changes: dict[str, Any], message: str) -> None:
    images, labels = np.zeros((4, 2, 2, 1)), np.array([0, 1, 1, 0])
    arrays = {"train": images, "train_labels": labels, "test": images, "test_labels": labels, **changes}
    with pytest.raises(DataError, match=message):
        Dataset("toy", ("a", "b"), lambda archives: Arrays(**arrays)).load({})


def test_importing_the_data_sets_imports_no_keras() -> None:
    code = "import sys; from ocnn.data import *; [load_dataset(n) for n in DATASETS]; print('keras' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
    assert set(DATASETS) >= {"digits", "mnist", "synthetic"}
