"""The steps from archives to arrays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocnn.data.adversarial import ATTACK_FILE, adversarial_dataset
from ocnn.data.archives import verify_kept
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.preprocessing import contrast_normalized, to_unit_interval
from ocnn.storage.arrays import write_npy_files


def prepare_images(
    source: Dataset, arrays: Sequence[Path], *, recipe: Mapping[str, Any], archives: Sequence[Path] = ()
) -> None:
    """Read a data set and write its arrays, images contrast-normalised, for every split of it.

    Args:
        source: the data set.
        arrays: the outputs, `ARRAY_FILES` of a folder.
        recipe: what decides them.
        archives: files of its archives.
    """
    _write_normalised(source, _load(source, archives), arrays, recipe)


def prepare_pixels(
    source: Dataset, arrays: Sequence[Path], *, recipe: Mapping[str, Any], archives: Sequence[Path] = ()
) -> None:
    """Read a data set and write its images as float32 in [0, 1], nothing else done to them, for an attack.

    The arguments are those of `prepare_images`.
    """
    loaded = _load(source, archives)
    _write(source, loaded, to_unit_interval(loaded.train), to_unit_interval(loaded.test), arrays, recipe)


def prepare_adversarial_images(
    source: Dataset,
    pixels: Sequence[Path],
    attack: Path,
    arrays: Sequence[Path],
    *,
    attacked: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> None:
    """Write the arrays of an attacked class and its adversarial images, contrast-normalised.

    Args:
        source: the attacked data set.
        pixels: files of its arrays, of `prepare_pixels`.
        attack: the adversarial images.
        arrays, recipe: as for `prepare_images`.
        attacked: the other arguments of `adversarial_dataset`.
    """
    dataset = adversarial_dataset(source, **attacked)
    files = {path.name: path for path in pixels} | {ATTACK_FILE: attack}
    _write_normalised(dataset, dataset.load(files), arrays, recipe)


def _load(source: Dataset, archives: Sequence[Path]) -> Arrays:
    """The arrays of a data set, from archives that are still those that were obtained."""
    files = {path.name: path for path in archives}
    for archive in source.archives:
        verify_kept(files[archive.name], archive)
    return source.load(files)


def _write_normalised(source: Dataset, loaded: Arrays, arrays: Sequence[Path], recipe: Mapping[str, Any]) -> None:
    train, test = (
        contrast_normalized(samples) if source.images else samples for samples in (loaded.train, loaded.test)
    )
    _write(source, loaded, train, test, arrays, recipe)


def _write(
    source: Dataset,
    loaded: Arrays,
    train: NDArray[Any],
    test: NDArray[Any],
    arrays: Sequence[Path],
    recipe: Mapping[str, Any],
) -> None:
    prepared: dict[str, NDArray[Any]] = {
        "train.npy": train,
        "train_labels.npy": loaded.train_labels.astype(np.int64),
        "test.npy": test,
        "test_labels.npy": loaded.test_labels.astype(np.int64),
    }
    print(f"{source.name}: training part {train.shape}, test part {test.shape}", flush=True)
    write_npy_files(arrays, prepared, recipe)
