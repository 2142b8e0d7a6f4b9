"""The step from labels to a split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ocnn.data.preprocessing import PIXELS, scaling_constants
from ocnn.data.samples import load_samples
from ocnn.data.splits import Split, TrainingSet, draw_split, write_split
from ocnn.errors import DataError
from ocnn.storage.arrays import open_arrays


def make_split(
    arrays: Sequence[Path],
    split: Path,
    *,
    dataset: str,
    classes: Sequence[str],
    scaling: str,
    encoded: int,
    normal: str,
    contamination: float,
    holdout: float,
    seed: int,
    training_set: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> None:
    """Draw and write the split of one normal class and seed, with its constants for scaling.

    Args:
        arrays: files of the data set's arrays.
        split: the output.
        dataset: name of the data set, for the message and the metadata.
        classes: its classes, in the order of the labels.
        scaling, encoded: see `scaling_constants`.
        normal, contamination, holdout, seed: see `draw_split`.
        training_set: fields of a `TrainingSet`.
        recipe: what decides the split.
    """
    files = open_arrays(arrays)
    train_labels, test_labels = np.asarray(files["train_labels.npy"]), np.asarray(files["test_labels.npy"])
    drawn = {"contamination": contamination, "holdout": holdout, "seed": seed}
    chosen = TrainingSet(**training_set)
    samples = draw_split(train_labels, test_labels, tuple(classes), normal, **drawn, training_set=chosen)  # type: ignore[arg-type]
    shift, scale = None, None
    if scaling != "none":
        normals = samples[samples["fitted"] & ~samples["is_anomaly"]]
        shift, scale = scaling_constants(scaling, load_samples(Split(samples), arrays, normals), encoded)
    if scaling == PIXELS and not scale:
        raise DataError(f"{dataset}: all training images of class {normal!r} are of one constant colour.")
    stated = {"dataset": dataset, "normal": normal, "scaling": scaling, **drawn, "recipe": recipe}
    write_split(split, Split(samples, shift, scale), {**stated, "training_set": dict(training_set)})
