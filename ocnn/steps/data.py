"""The steps from archives to splits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocnn.data.archives import verify_kept
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.preprocessing import global_contrast_normalization_l1, min_max_scale, to_unit_interval
from ocnn.data.splits import Split, draw_split, write_split
from ocnn.errors import DataError
from ocnn.storage.arrays import open_array
from ocnn.storage.files import atomic_write


def prepare_pixels(source: Dataset, archives: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Reads a data set and writes its images as float32 in [0, 1], nothing else done to them, for an attack.

    Args:
        source: the data set.
        archives: path of each archive by its name.
        outputs: path of each of `ARRAY_FILES` by its name.
    """
    arrays = _load(source, archives)
    _write_arrays(source.name, arrays, to_unit_interval(arrays.train), to_unit_interval(arrays.test), outputs)


def prepare_images(source: Dataset, archives: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Reads a data set and writes its arrays, images contrast-normalised, for memory-mapped use by every split.

    Args:
        source: the data set.
        archives: path of each archive by its name.
        outputs: path of each of `ARRAY_FILES` by its name.
    """
    arrays = _load(source, archives)
    train, test = (
        _contrast_normalised(samples) if source.images else samples.astype(np.float32)
        for samples in (arrays.train, arrays.test)
    )
    _write_arrays(source.name, arrays, train, test, outputs)


def _load(source: Dataset, archives: Mapping[str, Path]) -> Arrays:
    """Reads a data set from archives that are still those that were fetched."""
    for archive in source.archives:
        verify_kept(archives[archive.name])
    return source.load(archives)


def _contrast_normalised(images: NDArray[Any]) -> NDArray[np.float32]:
    """In blocks, as the arithmetic is done in float64."""
    result = np.empty(images.shape, np.float32)
    for start in range(0, len(images), 5000):
        block = to_unit_interval(images[start : start + 5000])
        result[start : start + 5000] = global_contrast_normalization_l1(block)
    return result


def _write_arrays(
    name: str, arrays: Arrays, train: NDArray[np.float32], test: NDArray[np.float32], outputs: Mapping[str, Path]
) -> None:
    prepared: dict[str, NDArray[Any]] = {
        "train.npy": train,
        "train_labels.npy": arrays.train_labels.astype(np.int64),
        "test.npy": test,
        "test_labels.npy": arrays.test_labels.astype(np.int64),
    }
    print(f"{name}: training part {train.shape}, test part {test.shape}", flush=True)
    for file, path in outputs.items():
        with atomic_write(path) as temporary:
            np.save(temporary, prepared[file], allow_pickle=False)


def make_split(
    source: Dataset,
    images: Mapping[str, Path],
    output: Path,
    *,
    normal_class: str,
    contamination: float,
    holdout: float,
    seed: int,
) -> None:
    """Draws and writes the split of one (normal class, seed), with its min-max constants."""
    train_labels = open_array(images["train_labels.npy"])
    samples = draw_split(
        train_labels,
        open_array(images["test_labels.npy"]),
        source.classes,
        normal_class,
        contamination=contamination,
        holdout=holdout,
        seed=seed,
    )
    minimum = maximum = None
    if source.images:
        normals = open_array(images["train.npy"])[train_labels == source.classes.index(normal_class)]
        minimum, maximum = float(normals.min()), float(normals.max())
        if not maximum > minimum:
            raise DataError(f"{source.name}: all training images of class {normal_class!r} are of one constant colour.")
    arguments = {"normal_class": normal_class, "contamination": contamination, "holdout": holdout, "seed": seed}
    write_split(output, Split(samples, minimum, maximum), {"dataset": source.name, **arguments})


def load_samples(split: Split, images: Mapping[str, Path], evaluation: str) -> NDArray[np.float32]:
    """The samples of a split's part, scaled with its constants; float32."""
    selected = open_array(images[f"{evaluation}.npy"])[split.part(evaluation)["sample"].to_numpy()]
    if split.minimum is None or split.maximum is None:
        return selected
    return min_max_scale(selected, split.minimum, split.maximum)
