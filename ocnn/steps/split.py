"""The step from labels to a split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ocnn.data.splits import Split, draw_split, write_split
from ocnn.errors import DataError
from ocnn.storage.arrays import open_arrays


def make_split(
    arrays: Sequence[Path],
    split: Path,
    *,
    dataset: str,
    classes: Sequence[str],
    images: bool,
    normal: str,
    contamination: float,
    holdout: float,
    seed: int,
    recipe: Mapping[str, Any],
) -> None:
    """Draw and write the split of one normal class and seed, with its min-max constants.

    Args:
        arrays: files of the data set's arrays.
        split: the output.
        dataset: name of the data set, for the message and the metadata.
        classes: its classes, in the order of the labels.
        images: whether its samples are images, to be scaled.
        normal, contamination, holdout, seed: see `draw_split`.
        recipe: what decides the split.
    """
    files = open_arrays(arrays)
    train_labels, test_labels = np.asarray(files["train_labels.npy"]), np.asarray(files["test_labels.npy"])
    drawn = {"contamination": contamination, "holdout": holdout, "seed": seed}
    samples = draw_split(train_labels, test_labels, tuple(classes), normal, **drawn)  # type: ignore[arg-type]
    minimum = maximum = None
    if images:
        normals = files["train.npy"][train_labels == list(classes).index(normal)]
        minimum, maximum = float(normals.min()), float(normals.max())
        if not maximum > minimum:
            raise DataError(f"{dataset}: all training images of class {normal!r} are of one constant colour.")
    write_split(
        split, Split(samples, minimum, maximum), {"dataset": dataset, "normal": normal, **drawn, "recipe": recipe}
    )
