"""What a data set is: its classes, its archives and how to read them."""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.data.archives import Archive
from ocnn.data.preprocessing import SCALINGS, merged_features
from ocnn.errors import DataError
from ocnn.storage.files import safe_name

#: The files in which the workflow keeps the arrays of a data set.
ARRAY_FILES = ("train.npy", "train_labels.npy", "test.npy", "test_labels.npy", "checksums.parquet")
#: Labels are written as 16-bit codes.
MOST_CLASSES = 2**15 - 1
#: By how much float images may exceed [0, 1], for the rounding of those who scaled them.
TOLERANCE = 1e-5
WHOLE_NUMBERS = "biu"


@dataclass(frozen=True)
class Arrays:
    """The samples of a data set as its archive holds them, before any preprocessing.

    A reader may return any array-like of numbers, a DataFrame included; `Dataset.load` makes of them C-contiguous
    arrays of the types named here.

    Attributes:
        train, test: (n, height, width, channels), whole numbers from 0 to 255 or floats in [0, 1]; (n, d) numbers for
            tabular data. uint8 or float32; float64 for tabular data that float32 does not hold exactly.
        train_labels, test_labels: (n,), indices into the data set's `classes`, or names in it. int64.
    """

    train: Any
    train_labels: Any
    test: Any
    test_labels: Any


@dataclass(frozen=True)
class Dataset:
    """A data set: `read` gets the path of each archive by its name and returns the arrays.

    Attributes:
        name: free text of one line; the name of the folder of its arrays is made from it.
        classes: the names, free text of one line each, in the order of the labels.
        archives: empty for data that come with a library or are made by another step.
        images: whether samples are images, to be contrast-normalised and scaled; tabular data stay as they are.
        anomaly_classes: classes that are never normal (empty where each class is in turn the normal one).
        has_test: False where there is no test part, so that samples are scored where they were fitted.
        sizes: numbers of training and of test samples of each class for which they are known before anything is read.
        files: what else `read` reads, files of the user's own; their content counts as that of the archives does.
        scaling: of tabular data, see `ocnn.data.preprocessing.scaling_constants`; images are scaled as it says of
            pixels.
        encoded: how many of the last features are one-hot, which no scaling changes.
        settings: what `read` was told, where it does not follow from its code; what JSON can hold.

    Raises:
        DataError: a field that no data set can have.
    """

    name: str
    classes: tuple[str, ...]
    read: Callable[[Mapping[str, Path]], Arrays]
    archives: tuple[Archive, ...] = ()
    images: bool = True
    anomaly_classes: tuple[str, ...] = ()
    has_test: bool = True
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    files: tuple[str | Path, ...] = ()
    scaling: str = "none"
    encoded: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if fault := _name_fault(self.name):
            raise DataError(f"A data set cannot be called {self.name!r}: {fault}.")
        for key in ("classes", "anomaly_classes", "archives", "files"):
            object.__setattr__(self, key, self._listed(key))
        for key in ("classes", "anomaly_classes"):
            object.__setattr__(self, key, self._named(key))
        object.__setattr__(self, "sizes", self._counted())
        unknown = [name for name in self.anomaly_classes if name not in self.classes]
        if unknown:
            raise self._fault(f"anomaly_classes names {unknown[0]!r}, which is not in classes")
        if not self.normal_classes:
            raise self._fault("anomaly_classes names every class, so that none can be normal")
        if not 2 <= len(self.classes) <= MOST_CLASSES:
            raise self._fault(f"classes holds {len(self.classes)} names; from 2 to {MOST_CLASSES:,} are possible")
        if self.scaling not in SCALINGS:
            raise self._fault(f"scaling must be one of {', '.join(SCALINGS)}")
        if not isinstance(self.encoded, int | np.integer) or isinstance(self.encoded, bool) or self.encoded < 0:
            raise self._fault(f"encoded must be a number of features, got {self.encoded!r}")
        if self.images and self.encoded:
            raise self._fault("encoded is of tabular data; images have no one-hot features")
        object.__setattr__(self, "encoded", int(self.encoded))
        object.__setattr__(self, "settings", self._described())
        if not callable(self.read):
            raise self._fault("read must be a function of the archives' paths")
        if not all(isinstance(archive, Archive) for archive in self.archives):
            raise self._fault("archives must hold ocnn.data.archives.Archive alone")
        names = [archive.name for archive in self.archives]
        for place, name in enumerate(names):
            if fault := _archive_fault(name):
                raise self._fault(f"an archive cannot be called {name!r}: {fault}")
            if name in names[:place]:
                raise self._fault(f"archives holds two that are called {name!r}")
        if not all(isinstance(file, str | Path) and "\0" not in str(file) for file in self.files):
            raise self._fault("files must hold paths alone")

    @property
    def normal_classes(self) -> tuple[str, ...]:
        """The classes that can be the normal one."""
        return tuple(name for name in self.classes if name not in self.anomaly_classes)

    def load(self, archives: Mapping[str, Path]) -> Arrays:
        """Read and check the arrays, and bring them to the types that `Arrays` names.

        Raises:
            DataError: the samples are not of the expected kind, or a label has no class.
        """
        arrays = self.read(archives)
        if not isinstance(arrays, Arrays):
            raise self._fault(f"its reader returned a {type(arrays).__name__}; it must return ocnn.data.Arrays")
        train, test = self._samples("training", arrays.train), self._samples("test", arrays.test)
        if len(test) and train.shape[1:] != test.shape[1:]:
            raise self._fault(f"training samples have the shape {train.shape[1:]}, but test samples {test.shape[1:]}")
        if self.encoded > train.shape[1]:
            raise self._fault(f"encoded says {self.encoded} features, but training samples have {train.shape[1]}")
        if not self.images:
            common = np.result_type(train, test)
            train, test = train.astype(common, copy=False), test.astype(common, copy=False)
        columns = [list(part.columns) for part in (arrays.train, arrays.test) if isinstance(part, pd.DataFrame)]
        if len(columns) == 2 and len(test) and columns[0] != columns[1]:
            raise self._fault("the columns of the training and of the test samples differ; give both the same order")
        return Arrays(
            train,
            self._labels("training", arrays.train, arrays.train_labels),
            test,
            self._labels("test", arrays.test, arrays.test_labels),
        )

    def _fault(self, sentence: str) -> DataError:
        return DataError(f"Data set {self.name!r}: {sentence}.")

    def _listed(self, key: str) -> tuple[Any, ...]:
        """A field of several items, which may be given as any sequence but a text: its letters are no items."""
        value = getattr(self, key)
        if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray | pd.Index | pd.Series):
            raise self._fault(f"{key} must be a tuple, also of one item: ({value!r},)")
        return tuple(value)

    def _named(self, key: str) -> tuple[str, ...]:
        """The names of classes; 0, 1, … may be given as numbers."""
        names = getattr(self, key)
        numbers = [int(name) for name in names if isinstance(name, int | np.integer) and not isinstance(name, bool)]
        if key == "classes" and numbers and numbers != list(range(len(names))):
            raise self._fault(
                "classes that are numbers must be 0, 1, … in order, since a label that is a number is the place of its"
                " class; write other names as texts"
            )
        texts = tuple(str(int(name)) if numbers and isinstance(name, int | np.integer) else name for name in names)
        for name in texts:
            if fault := _name_fault(name):
                raise self._fault(f"{key} cannot hold {name!r}: {fault}")
        twice = [name for place, name in enumerate(texts) if name in texts[:place]]
        if twice:
            raise self._fault(f"{key} holds {twice[0]!r} twice")
        return tuple(str(name) for name in texts)

    def _counted(self) -> dict[str, tuple[int, int]]:
        """The sizes, if they are of classes and numbers."""
        if not isinstance(self.sizes, Mapping):
            raise self._fault("sizes must be a mapping of classes to their numbers of training and test samples")
        sizes = {str(name): counts for name, counts in self.sizes.items()}
        for name, counts in sizes.items():
            if name not in self.classes:
                raise self._fault(f"sizes names {name!r}, which is not in classes")
            pair = isinstance(counts, Sequence | np.ndarray) and len(counts) == 2
            if not pair or not all(isinstance(count, int | np.integer) and count >= 0 for count in counts):
                raise self._fault(f"sizes of {name!r} must be the numbers of its training and test samples")
        return {name: (int(train), int(test)) for name, (train, test) in sizes.items()}

    def _described(self) -> dict[str, Any]:
        """The settings as JSON gives them back, as which they are compared with those of an earlier run."""
        if not isinstance(self.settings, Mapping):
            raise self._fault("settings must be a mapping of names to what JSON can hold")
        try:
            described: dict[str, Any] = json.loads(json.dumps(dict(self.settings), allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise self._fault(f"settings must be what JSON can hold ({error})") from error
        return described

    def _samples(self, part: str, given: Any) -> NDArray[Any]:
        """The samples of a part as C-contiguous uint8 pixels, float32 or float64."""
        what = f"{part} samples"
        x = self._array(what, given)
        rank = 4 if self.images else 2
        if x.ndim != rank:
            remedy = "; give them an axis of channels, samples[..., None]" if self.images and x.ndim == 3 else ""
            axes = "(n, height, width, channels)" if self.images else "(n, d)"
            raise self._fault(f"{what} of shape {x.shape}; expected {axes}{remedy}")
        empty = part == "test" and not self.has_test
        if (len(x) == 0) != empty or 0 in x.shape[1:]:
            expected = "none, as has_test is False" if empty else "at least one, with at least one value"
            raise self._fault(f"{what} of shape {x.shape}; expected {expected}")
        if x.dtype.kind == "O":
            x = self._of_objects(what, x)
        if x.dtype.kind in WHOLE_NUMBERS and self.images and len(x) and x.dtype != bool:
            if x.min() < 0 or x.max() > 255:
                raise self._fault(
                    f"{what} run from {x.min()} to {x.max()}; scale pixels to whole numbers from 0 to 255, or to floats"
                    " in [0, 1]"
                )
            return np.ascontiguousarray(x, np.uint8)
        if x.dtype.kind not in WHOLE_NUMBERS + "f":
            raise self._fault(f"{what} are of type {x.dtype}; convert them to numbers")
        with np.errstate(over="ignore"):
            numbers = np.ascontiguousarray(x, np.float32)
        if not np.isfinite(numbers).all():
            reason = "numbers too large for float32" if np.isfinite(x).all() else "NaN or infinite values"
            raise self._fault(f"{what} hold {reason}; leave such samples out, or replace the values")
        # A column far from zero, such as one of times, would lose the differences between its values.
        if not self.images and (numbers != x).any():
            exact = np.ascontiguousarray(x, np.float64)
            if len(merged := merged_features(x, exact)):
                raise self._fault(
                    f"float64 does not tell the values of column {merged[0]} of the {what} apart; subtract an offset"
                )
            return exact
        if self.images and len(x) and (numbers.min() < -TOLERANCE or numbers.max() > 1 + TOLERANCE):
            raise self._fault(
                f"{what} run from {numbers.min():g} to {numbers.max():g}; scale pixels to floats in [0, 1], or to whole"
                " numbers from 0 to 255"
            )
        return numbers

    def _labels(self, part: str, samples: Any, given: Any) -> NDArray[np.int64]:
        """The labels of a part as indices into `classes`, one per sample."""
        what = f"{part} labels"
        y = self._array(what, given)
        if y.shape == (len(samples), 1):
            y = y[:, 0]
        if y.shape != (len(samples),):
            raise self._fault(f"{what} of shape {y.shape} for {len(samples)} samples; expected one label per sample")
        indices = [value.index for value in (samples, given) if isinstance(value, pd.DataFrame | pd.Series)]
        if len(indices) == 2 and not indices[0].equals(indices[1]):
            raise self._fault(f"{what} have another index than the samples; bring both into the same order")
        if len(y) == 0:
            return np.zeros(0, np.int64)
        if y.dtype.kind in "US" or (y.dtype.kind == "O" and all(isinstance(label, str) for label in y)):
            places = {name: place for place, name in enumerate(self.classes)}
            names = [label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label) for label in y]
            unknown = next((name for name in names if name not in places), None)
            if unknown is not None:
                raise self._fault(f"{what} name {unknown!r}, which is not in classes")
            return np.array([places[name] for name in names], np.int64)
        if y.dtype.kind == "O":
            y = self._of_objects(what, y)
        if y.dtype.kind not in WHOLE_NUMBERS + "f" or (y.dtype.kind == "f" and (y != np.floor(y)).any()):
            raise self._fault(f"{what} must be names in classes, or whole numbers, the places of the classes from 0")
        # NaN is unequal to itself, and so to its floor; infinity is out of range here.
        if y.min() < 0 or y.max() >= len(self.classes):
            raise self._fault(
                f"{what} run from {y.min()} to {y.max()}, but there are {len(self.classes)} classes, counted from 0"
            )
        return np.ascontiguousarray(y, np.int64)

    def _array(self, what: str, given: Any) -> NDArray[Any]:
        if hasattr(given, "toarray"):
            raise self._fault(f"{what} are a sparse matrix; write them out by toarray()")
        if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
            raise self._fault(f"{what} are masked in places; leave such samples out, or fill the values")
        try:
            return np.asarray(given)
        except (ValueError, TypeError) as error:
            raise self._fault(f"{what} are no array ({error})") from error

    def _of_objects(self, what: str, values: NDArray[Any]) -> NDArray[Any]:
        """Objects that are numbers as floats: so pandas gives columns of several types."""
        wrong = next((value for value in values.flat if isinstance(value, str | bytes)), None)
        try:
            if wrong is None:
                return values.astype(np.float64)
        except (ValueError, TypeError):
            wrong = next(value for value in values.flat if not isinstance(value, int | float | np.number))
        raise self._fault(f"{what} hold {wrong!r}; convert them to numbers")


def _name_fault(name: Any) -> str | None:
    """Why a name cannot be one, if it cannot."""
    if not isinstance(name, str):
        return "a name must be a text"
    if not name:
        return "a name must not be empty"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        return "a name must be of one line, without control characters"
    try:
        safe_name(name)
    except ValueError as error:
        return str(error)
    return None


def _archive_fault(name: Any) -> str | None:
    """Why no archive can have this name, if so: it is that of a file, beside which its checksum is kept."""
    if fault := _name_fault(name):
        return fault
    if safe_name(name) != name:
        return "it must be a file's name, of letters, digits, dots, -, _ and ~, without a dot before them"
    return "so the file of a checksum is called" if name.endswith(".sha256") else None
