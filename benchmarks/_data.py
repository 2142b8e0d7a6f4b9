"""The data of the benchmarks: MNIST where OCNN_MIRROR names a folder with it, else images of the same size.

Drawn images serve to measure time, and a script then says that they are drawn (`kind`). What measures detection asks
for the archives first (`require`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocnn.data import load_dataset
from ocnn.data.archives import check_available
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.mnist import MNIST
from ocnn.data.preprocessing import (
    PIXELS,
    global_contrast_normalization_l1,
    rescale,
    scaling_constants,
    to_unit_interval,
)
from ocnn.data.splits import draw_split

#: The environment variable by which jobs of the workflow are told to keep every so manieth sample alone.
EVERY = "BENCHMARKS_EVERY"


def mirrored() -> bool:
    """Whether MNIST is at hand."""
    folder = os.environ.get("OCNN_MIRROR", "")
    return folder != "" and all(Path(folder, "mnist", archive.name).is_file() for archive in MNIST.archives)


def kind() -> str:
    """What `read` gives, for the line that a script prints and for its record."""
    return "MNIST" if mirrored() else "drawn images"


def require(data: str) -> None:
    """End a script that measures detection, unless the archives of its data set are at hand.

    Args:
        data: a name in `ocnn.data.DATASETS`.

    Raises:
        SystemExit: OCNN_MIRROR is not set, or its folder does not have the archives.
    """
    dataset, folder = load_dataset(data), os.environ.get("OCNN_MIRROR")
    if not dataset.archives:
        return
    if not folder:
        names = ", ".join(f"{dataset.name}/{archive.name}" for archive in dataset.archives)
        raise SystemExit(
            f"OCNN_MIRROR is not set: it must name a folder with {names}, as drawn images tell nothing of detection."
        )
    if faults := check_available(dataset.name, dataset.archives, Path(folder)):
        raise SystemExit(" ".join(faults))


def read(archives: Mapping[str, Path]) -> Arrays:
    """MNIST, or drawn images."""
    every = int(os.environ.get(EVERY, "1"))
    if mirrored():
        folder = Path(os.environ["OCNN_MIRROR"], "mnist")
        whole = MNIST.read({archive.name: folder / archive.name for archive in MNIST.archives})
        parts = (whole.train, whole.train_labels, whole.test, whole.test_labels)
        return Arrays(*(part[::every] for part in parts))
    return draw(60_000 // every, 10_000 // every)


def draw(train: int, test: int) -> Arrays:
    """Images of ten classes, 28 × 28 pixels, each class with patterns of its own in changing strength, and noise."""
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(10, 10, 784)).astype(np.float32)

    def images(labels: NDArray[np.int64]) -> NDArray[np.float32]:
        strengths = rng.uniform(0, 0.1, size=(len(labels), 1, 10)).astype(np.float32)
        pixels = 0.5 + (strengths @ patterns[labels])[:, 0]
        pixels += rng.normal(scale=0.05, size=pixels.shape).astype(np.float32)
        return np.clip(pixels, 0, 1).reshape(-1, 28, 28, 1)

    labels = rng.integers(10, size=train), rng.integers(10, size=test)
    return Arrays(images(labels[0]), labels[0], images(labels[1]), labels[1])


#: For the workflow, `dataset: benchmarks._data:DIGITS`.
DIGITS = Dataset(name="benchmark_digits", classes=tuple("0123456789"), read=read)


@dataclass(frozen=True)
class Samples:
    """A split in memory, preprocessed as in the workflow; labels are 1 (normal) and −1 (anomalous).

    train, test: (n, 784) float64. holdout: rows of the test part whose labels may be seen.
    """

    train: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test: NDArray[np.float64]
    test_labels: NDArray[np.int64]
    holdout: NDArray[np.int64]


def split_images(
    arrays: Arrays, classes: tuple[str, ...], normal: str, *, contamination: float, seed: int, normalised: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Draw a split without a holdout: training images, test images, and which of these are anomalies.

    As the workflow has them; without contrast normalisation where `normalised` is false.
    """
    labels = arrays.train_labels, arrays.test_labels
    rows = draw_split(*labels, classes, normal, contamination=contamination, holdout=0.0, seed=seed)
    parts = [rows[rows["evaluation"] == name] for name in ("train", "test")]
    train, test = (
        images[part["sample"].to_numpy()] for images, part in zip((arrays.train, arrays.test), parts, strict=True)
    )
    if normalised:
        train, test = (global_contrast_normalization_l1(to_unit_interval(images)) for images in (train, test))
    shift, scale = scaling_constants(PIXELS, train[~parts[0]["is_anomaly"].to_numpy()])
    return rescale(train, shift, scale), rescale(test, shift, scale), parts[1]["is_anomaly"].to_numpy()


def load_samples(train: int, test: int, normal: str = "7") -> Samples:
    """At most so many samples of a split with 1 % of anomalies, drawn at random."""
    arrays = DIGITS.load({})
    rows = draw_split(
        arrays.train_labels, arrays.test_labels, DIGITS.classes, normal, contamination=1 / 101, holdout=0.1, seed=0
    )
    rng = np.random.default_rng(0)
    parts = {}
    for name, count, images in (("train", train, arrays.train), ("test", test, arrays.test)):
        part = rows[rows["evaluation"] == name]
        part = part.iloc[rng.permutation(len(part))[:count]]
        parts[name] = part, global_contrast_normalization_l1(to_unit_interval(images[part["sample"].to_numpy()]))
    normals = parts["train"][1][~parts["train"][0]["is_anomaly"].to_numpy()]
    shift, scale = scaling_constants(PIXELS, normals)
    scaled = {name: rescale(x, shift, scale).reshape(len(x), -1).astype(np.float64) for name, (_, x) in parts.items()}
    labels = {name: np.where(part["is_anomaly"], -1, 1) for name, (part, _) in parts.items()}
    holdout = np.flatnonzero(parts["test"][0]["holdout"])
    return Samples(scaled["train"], labels["train"], scaled["test"], labels["test"], holdout)
