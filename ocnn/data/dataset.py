"""What a data set is: its classes, its archives and how to read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ocnn.data.archives import Archive
from ocnn.errors import DataError

#: The files in which the workflow keeps the arrays of a data set.
ARRAY_FILES = ("train.npy", "train_labels.npy", "test.npy", "test_labels.npy", "checksums.parquet")


@dataclass(frozen=True)
class Arrays:
    """The samples of a data set as its archive holds them, before any preprocessing.

    train, test: (n, height, width, channels) uint8 pixels or floats in [0, 1], or (n, d) floats for tabular data.
    train_labels, test_labels: (n,) integers, indices into the data set's `classes`.
    """

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """A data set: `read` gets the path of each archive by its name and returns the arrays.

    classes: the names, in the order of the labels.
    archives: empty for data that come with a library or are made by another step.
    images: whether samples are images, to be contrast-normalised and scaled; tabular data stay as they are.
    anomaly_classes: classes that are never normal (empty where each class is in turn the normal one).
    has_test: False where there is no test part, so that samples are scored where they were fitted.
    sizes: numbers of training and of test samples of each class for which they are known before anything is read.
    """

    name: str
    classes: tuple[str, ...]
    read: Callable[[Mapping[str, Path]], Arrays]
    archives: tuple[Archive, ...] = ()
    images: bool = True
    anomaly_classes: tuple[str, ...] = ()
    has_test: bool = True
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def normal_classes(self) -> tuple[str, ...]:
        """The classes that can be the normal one."""
        return tuple(name for name in self.classes if name not in self.anomaly_classes)

    def load(self, archives: Mapping[str, Path]) -> Arrays:
        """Reads and checks the arrays.

        Raises:
            DataError: the samples are not of the expected kind, or a label has no class.
        """
        arrays = self.read(archives)
        rank = 4 if self.images else 2
        for part, x, y in (
            ("training", arrays.train, arrays.train_labels),
            ("test", arrays.test, arrays.test_labels),
        ):
            empty = part == "test" and not self.has_test
            if x.ndim != rank or y.shape != (len(x),) or (len(x) == 0) != empty:
                raise DataError(
                    f"{self.name}: {part} samples of shape {x.shape} with labels of shape {y.shape};"
                    f" expected {rank} axes and one label a sample."
                )
            if x.dtype.kind == "f" and not np.isfinite(x).all():
                raise DataError(f"{self.name}: {part} samples hold NaN or infinite values.")
            if len(y) and (y.min() < 0 or y.max() >= len(self.classes)):
                raise DataError(
                    f"{self.name}: {part} labels run from {y.min()} to {y.max()},"
                    f" but there are {len(self.classes)} classes."
                )
        return arrays
