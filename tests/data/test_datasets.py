"""The data sets themselves, and what a data set may not be."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from ocnn.data import DATASETS, Arrays, Dataset, load_dataset
from ocnn.data.archives import Archive
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
    # Means of 0: 97,280 and 5,120 numbers have standard errors of 0.006 and 0.14.
    assert abs(arrays.train.mean()) < 0.03
    assert abs(arrays.test[190:].mean()) < 0.6
    np.testing.assert_array_equal(np.bincount(arrays.test_labels), [190, 10])
    assert load_dataset("synthetic").normal_classes == ("normal",)


@pytest.mark.parametrize("name", [name for name in DATASETS if not load_dataset(name).archives])
def test_classes_are_as_large_as_stated(name: str) -> None:
    dataset = load_dataset(name)
    assert dataset.sizes, "state them, so that classes that are too small are refused before any job"
    arrays = dataset.load({})
    assert dataset.sizes == class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)
    # They are drawn once for all.
    again = dataset.load({})
    for part in vars(arrays):
        np.testing.assert_array_equal(getattr(again, part), getattr(arrays, part))


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


IMAGES, LABELS = np.linspace(0, 1, 16).reshape(4, 2, 2, 1), np.array([0, 1, 1, 0])
TABLE = np.arange(12, dtype=np.float64).reshape(4, 3)


def load(images: bool = True, classes: Any = ("a", "b"), has_test: bool = True, **changes: Any) -> Arrays:
    """What a data set makes of these arrays."""
    samples = IMAGES if images else TABLE
    arrays = {"train": samples, "train_labels": LABELS, "test": samples, "test_labels": LABELS, **changes}
    return Dataset("toy", classes, lambda archives: Arrays(**arrays), images=images, has_test=has_test).load({})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": np.zeros((4, 3))}, r"training samples of shape \(4, 3\); expected \(n, height, width, channels\)"),
        ({"train": np.zeros((4, 2, 2))}, r"give them an axis of channels, samples\[..., None\]"),
        ({"train": 3}, "training samples of shape"),
        ({"train": [[1], [2, 3]]}, "training samples are no array"),
        ({"test": np.full((4, 2, 2, 1), np.nan)}, "test samples hold NaN or infinite values"),
        ({"train": np.full((4, 2, 2, 1), np.inf)}, "training samples hold NaN or infinite values"),
        ({"train": np.full((4, 2, 2, 1), "x")}, "training samples are of type <U1; convert them to numbers"),
        ({"train": np.full((4, 2, 2, 1), 1j)}, "training samples are of type complex128"),
        ({"train": np.full((4, 2, 2, 1), 256)}, "training samples run from 256 to 256; scale pixels"),
        ({"train": np.full((4, 2, 2, 1), -1)}, "training samples run from -1 to -1; scale pixels"),
        ({"train": 255 * IMAGES}, r"training samples run from 0 to 255; scale pixels to floats in \[0, 1\]"),
        ({"train": IMAGES - 0.5}, "training samples run from -0.5 to 0.5; scale pixels"),
        ({"train": np.ma.masked_less(IMAGES, 0.5)}, "training samples are masked in places"),
        ({"train": np.zeros((4, 0, 2, 1))}, "expected at least one, with at least one value"),
        (
            {"test": np.zeros((4, 3, 2, 1))},
            r"training samples have the shape \(2, 2, 1\), but test samples \(3, 2, 1\)",
        ),
        ({"train_labels": np.zeros(3, int)}, r"training labels of shape \(3,\) for 4 samples"),
        ({"train_labels": np.zeros((4, 2), int)}, "expected one label per sample"),
        ({"test_labels": np.array([0, 1, 2, 0])}, "test labels run from 0 to 2, but there are 2 classes"),
        ({"train_labels": np.array([0, -1, 1, 0])}, "training labels run from -1 to 1"),
        ({"train_labels": np.array([0, 0.5, 1, 0])}, "training labels must be names in classes, or whole numbers"),
        ({"train_labels": np.array([0, np.nan, 1, 0])}, "training labels must be names in classes"),
        ({"train_labels": np.array([0, np.inf, 1, 0])}, "training labels run from 0.0 to inf"),
        ({"train_labels": np.array(["a", "b", "c", "a"])}, "training labels name 'c', which is not in classes"),
        ({"train_labels": ["a", 1, None, "a"]}, "training labels hold 'a'; convert them to numbers"),
        ({"train_labels": np.array(["2020"] * 4, "M8[Y]")}, "training labels must be names in classes"),
        ({"test": np.zeros((0, 2, 2, 1)), "test_labels": np.zeros(0, int)}, "expected at least one"),
        ({"has_test": False}, "expected none, as has_test is False"),
        ({"images": False, "train": np.full((4, 3), 1e39)}, "training samples hold numbers too large for float32"),
        ({"images": False, "train": pd.DataFrame({"x": ["1"] * 4})}, "training samples hold '1'; convert them"),
        ({"images": False, "train": pd.DataFrame({"x": [1, None, 3, 4]})}, "hold NaN or infinite values"),
        ({"images": False, "train": pd.DataFrame({"x": pd.array([1, None, 3, 4])})}, "training samples hold NaN"),
        (
            {"images": False, "train": scipy.sparse.csr_array(TABLE)},
            r"are a sparse matrix; write them out by toarray\(\)",
        ),
        (
            {"images": False, "train": pd.DataFrame(TABLE, columns=[*"xyz"]), "test": pd.DataFrame(TABLE)},
            "the columns of the training and of the test samples differ",
        ),
        (
            {"images": False, "train": pd.DataFrame(TABLE), "train_labels": pd.Series(LABELS, index=[3, 2, 1, 0])},
            "training labels have another index than the samples",
        ),
    ],
    ids=str,
)
def test_unusable_arrays_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=f"^Data set 'toy': .*{message}") as error:
        load(**changes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.asfortranarray(IMAGES), IMAGES),
        (IMAGES.astype(np.float16), IMAGES.astype(np.float16)),
        (IMAGES.astype(object), IMAGES),
        (IMAGES.tolist(), IMAGES),
        (IMAGES[::-1], IMAGES[::-1]),
        (IMAGES > 0.5, IMAGES > 0.5),
        (IMAGES * 1.000001, IMAGES * 1.000001),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "dtype", "")),
)
def test_images_of_floats(given: Any, expected: np.ndarray) -> None:
    found = load(train=given).train
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_array_equal(found, expected.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16, np.int16])
def test_images_of_whole_numbers_are_pixels(dtype: Any) -> None:
    pixels = np.arange(240, 256).reshape(4, 2, 2, 1)
    found = load(train=np.asfortranarray(pixels.astype(dtype))).train
    assert (found.dtype, found.flags.c_contiguous) == (np.uint8, True)
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    "given",
    [
        TABLE.astype(int),
        TABLE.astype(np.uint8),
        np.asfortranarray(TABLE),
        TABLE.astype(object),
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).astype({0: int, 1: object}),
        pd.DataFrame(TABLE).astype("Int64"),
        TABLE.astype(np.longdouble),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "dtype", "")),
)
def test_tabular_data_of_any_numbers(given: Any) -> None:
    found = load(images=False, train=given).train
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_array_equal(found, TABLE)


@pytest.mark.parametrize("which", ["train", "test"])
def test_tabular_data_keep_what_float32_would_lose(which: str) -> None:
    """Both parts then have one type, whichever needs it."""
    far = 1e8 + TABLE
    changes: dict[str, Any] = {which: far}
    arrays = load(images=False, **changes)
    assert arrays.train.dtype == arrays.test.dtype == np.float64
    np.testing.assert_array_equal(getattr(arrays, which), far)


def test_numbers_that_no_float_tells_apart_are_refused() -> None:
    with pytest.raises(DataError, match="column 2 of the training samples apart; subtract an offset"):
        load(images=False, train=np.array([[n, 10**18 + n, n] for n in range(4)]))


@pytest.mark.parametrize(
    "given",
    [
        LABELS.astype(np.uint8),
        LABELS.astype(float),
        LABELS.astype(bool),
        LABELS.astype(object),
        LABELS.tolist(),
        LABELS[:, None],
        pd.Series(LABELS),
        pd.Series(LABELS, index=[7, 8, 9, 10]),
        pd.DataFrame({"label": LABELS}),
        np.array(["a", "b", "b", "a"]),
        np.array([b"a", b"b", b"b", b"a"]),
        ["a", "b", "b", "a"],
        pd.Series(["a", "b", "b", "a"], dtype="category"),
        pd.Series(["a", "b", "b", "a"], dtype="string"),
    ],
    ids=str,
)
def test_labels_of_any_kind(given: Any) -> None:
    found = load(train_labels=given).train_labels
    assert (found.dtype, found.flags.c_contiguous) == (np.int64, True)
    np.testing.assert_array_equal(found, LABELS)


def test_no_test_part() -> None:
    arrays = load(has_test=False, test=IMAGES[:0], test_labels=[])
    assert (arrays.test.shape, arrays.test_labels.shape) == ((0, 2, 2, 1), (0,))


def test_no_more_features_are_encoded_than_there_are() -> None:
    dataset = Dataset("toy", ("a", "b"), lambda _: Arrays(TABLE, LABELS, TABLE, LABELS), images=False, encoded=4)
    with pytest.raises(DataError, match="encoded says 4 features, but training samples have 3"):
        dataset.load({})


def test_settings_are_what_json_makes_of_them() -> None:
    """Else a run after the one that wrote them would find others than were written."""
    given: dict[Any, Any] = {"x": (1, 2), 3: np.float64(0.5)}
    assert Dataset("toy", ("a", "b"), lambda _: Arrays(*"abcd"), settings=given).settings == {"x": [1, 2], "3": 0.5}


def test_a_reader_that_returns_something_else() -> None:
    with pytest.raises(DataError, match=r"its reader returned a tuple; it must return ocnn\.data\.Arrays"):
        Dataset("toy", ("a", "b"), lambda archives: (IMAGES, LABELS)).load({})  # type: ignore[arg-type, return-value]


NAMES = [
    "my-data",
    "T-shirt/top",
    "x{y}z",
    "None",
    "..",
    ".",
    " ",
    "a b",
    "%41",
    "Straße",
    "日本",
    "-n",
    "~",
    "x" * 200,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_free_text(name: str) -> None:
    dataset = Dataset(name, (name, "other"), lambda archives: Arrays(IMAGES, [name, "other"] * 2, IMAGES, LABELS))
    assert dataset.classes == (name, "other")
    np.testing.assert_array_equal(dataset.load({}).train_labels, [0, 1, 0, 1])


@pytest.mark.parametrize("name", ["", "x" * 300, "é" * 40, "a\nb", "a\0", "\ud800", 3, None])
def test_what_is_no_name(name: Any) -> None:
    with pytest.raises(DataError, match=r"A data set cannot be called .*: a name must"):
        Dataset(name, ("a", "b"), lambda archives: Arrays(IMAGES, LABELS, IMAGES, LABELS))
    if name != 3:
        with pytest.raises(DataError, match=r"Data set 'toy': classes cannot hold .*: a name must"):
            Dataset("toy", (name, "b"), lambda archives: Arrays(IMAGES, LABELS, IMAGES, LABELS))


@pytest.mark.parametrize(
    "classes", [["0", "1"], (0, 1), range(2), np.arange(2), pd.Index([0, 1]), np.array(["0", "1"])]
)
def test_classes_as_any_sequence(classes: Any) -> None:
    assert Dataset("toy", classes, lambda archives: Arrays(IMAGES, LABELS, IMAGES, LABELS)).classes == ("0", "1")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": "ab"}, r"classes must be a tuple, also of one item: \('ab',\)"),
        ({"classes": 3}, "classes must be a tuple"),
        ({"classes": {"a"}}, "classes must be a tuple"),
        ({"classes": ("a", "b", "a")}, "classes holds 'a' twice"),
        ({"classes": ("a",)}, "classes holds 1 names; from 2"),
        ({"classes": ()}, "so that none can be normal"),
        ({"classes": (3, 8)}, "classes that are numbers must be 0, 1, … in order"),
        ({"classes": (0, "1")}, "classes that are numbers must be 0, 1, … in order"),
        ({"classes": (False, True)}, "classes cannot hold False: a name must be a text"),
        ({"anomaly_classes": "a"}, "anomaly_classes must be a tuple"),
        ({"anomaly_classes": ("c",)}, "anomaly_classes names 'c', which is not in classes"),
        ({"anomaly_classes": ("a", "b")}, "anomaly_classes names every class"),
        ({"sizes": {"c": (1, 2)}}, "sizes names 'c', which is not in classes"),
        ({"sizes": {"a": (1, -2)}}, "sizes of 'a' must be the numbers"),
        ({"archives": ("a.gz",)}, r"archives must hold ocnn\.data\.archives\.Archive alone"),
        *(
            ({"archives": (Archive(name, (), ""),)}, f"an archive cannot be called .*: {reason}")
            for name, reason in (
                ("a/b.gz", "it must be a file's name"),
                ("../x", "it must be a file's name"),
                (".x", "it must be a file's name"),
                ("a{b}.gz", "it must be a file's name"),
                ("", "a name must not be empty"),
                ("a.sha256", "so the file of a checksum is called"),
            )
        ),
        ({"archives": (Archive("a.gz", (), ""),) * 2}, "archives holds two that are called 'a.gz'"),
        *(
            ({"images": False, "encoded": number}, "encoded must be a number of features, got ")
            for number in (-1, "2", 2.5, True)
        ),
        ({"encoded": 1}, "encoded is of tabular data"),
        ({"settings": {"x": 1j}}, r"settings must be what JSON can hold \(Object of type complex"),
        ({"settings": {"x": float("nan")}}, "settings must be what JSON can hold"),
        ({"settings": [1]}, "settings must be a mapping"),
        ({"sizes": [(1, 2), (3, 4)]}, "sizes must be a mapping of classes"),
        ({"sizes": {"a": 3}}, "sizes of 'a' must be the numbers"),
        ({"files": "data.csv"}, "files must be a tuple"),
        ({"files": (3,)}, "files must hold paths alone"),
        ({"read": None}, "read must be a function"),
    ],
    ids=str,
)
def test_what_no_data_set_can_be(fields: dict[str, Any], message: str) -> None:
    whole = {"name": "toy", "classes": ("a", "b"), "read": lambda archives: None, **fields}
    with pytest.raises(DataError, match=f"^Data set 'toy': .*{message}"):
        Dataset(**whole)


def test_importing_the_data_sets_imports_no_keras() -> None:
    code = "import sys; from ocnn.data import *; [load_dataset(n) for n in DATASETS]; print('keras' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
    assert set(DATASETS) >= {"digits", "mnist", "synthetic"}
