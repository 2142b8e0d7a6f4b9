"""Splits: which samples a fit may see and which it is measured on, as an auditable table of indices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import train_test_split

from ocnn.errors import DataError, ResultError
from ocnn.storage import parquet

SCHEMA = pa.schema(
    [
        ("evaluation", pa.dictionary(pa.int8(), pa.string())),  # train: fitted on; test: never fitted on
        ("sample", pa.int32()),  # index into that part of the data set
        ("label", pa.dictionary(pa.int16(), pa.string())),
        ("is_anomaly", pa.bool_()),
        ("holdout", pa.bool_()),  # a method that tunes on labels may see this one's, and is not measured on it
    ]
)


@dataclass(frozen=True)
class Split:
    """The samples of one (normal class, seed): the table of `SCHEMA` and its metadata.

    shift, scale: what the normal training samples say for scaling, (x − shift) / scale: one number each, or one per
        feature; None where nothing is scaled.
    """

    samples: pd.DataFrame
    shift: float | tuple[float, ...] | None = None
    scale: float | tuple[float, ...] | None = None

    def part(self, evaluation: str) -> pd.DataFrame:
        """The rows of `train` or `test`, in order of their index."""
        return self.samples[self.samples["evaluation"] == evaluation]


def anomaly_count(normals: int, contamination: float) -> int:
    """How many anomalies join the normals so that they are this share of all, rounded to the nearest whole number.

        c / (1 − c) · normals,   0 ≤ c < 1

    In fractions, so that a share such as 1/101 gives 1 to 100 normals exactly, and a half is rounded to even.
    """
    share = Fraction(contamination).limit_denominator(10**6)
    return round(share / (1 - share) * normals)


def class_sizes(
    classes: Sequence[str], train_labels: np.ndarray, test_labels: np.ndarray
) -> dict[str, tuple[int, int]]:
    """The numbers of training and of test samples of each class, from their labels (n,), indices into `classes`."""
    train, test = (np.bincount(labels, minlength=len(classes)) for labels in (train_labels, test_labels))
    return {name: (int(train[label]), int(test[label])) for label, name in enumerate(classes)}


def size_faults(
    sizes: Mapping[str, tuple[int, int]], normal: str, *, contamination: float, holdout: float
) -> dict[str, str]:
    """Why no split can be drawn from classes of these sizes.

    Args:
        sizes: numbers of training and of test samples of every class.
        normal, contamination, holdout: see `draw_split`.

    Returns:
        A sentence for each of these arguments that asks for more samples than there are.
    """
    normals, test_normals = sizes[normal]
    others, test_others = (sum(size[part] for size in sizes.values()) - sizes[normal][part] for part in (0, 1))
    wanted = anomaly_count(normals, contamination)
    faults = {}
    if normals < 2:
        faults["normal"] = f"Class {normal!r} has {normals} training samples; at least 2 are needed."
    if wanted > others:
        faults["contamination"] = (
            f"A contamination of {contamination:.6g} asks for {wanted} anomalies beside the {normals} samples of"
            f" class {normal!r}, but the other classes have {others}."
        )
    has_test = test_normals + test_others > 0
    if holdout > 0 and (has_test or not faults):
        evaluated = (test_normals, test_others) if has_test else (normals, wanted)
        try:
            _draw_holdout(np.repeat([False, True], evaluated), holdout, seed=0)
        except ValueError as error:
            faults["holdout"] = (
                f"A holdout of {holdout} of the evaluation samples, {evaluated[0]} normal and {evaluated[1]} anomalous,"
                f" cannot be drawn: {error}"
            )
    return faults


def _draw_holdout(is_anomaly: np.ndarray, holdout: float, seed: int) -> np.ndarray:
    """Indices of a share of the samples, of either kind the same share."""
    return train_test_split(np.arange(len(is_anomaly)), test_size=holdout, stratify=is_anomaly, random_state=seed)[1]


def draw_split(
    train_labels: np.ndarray,
    test_labels: np.ndarray,
    classes: tuple[str, ...],
    normal: str,
    *,
    contamination: float,
    holdout: float,
    seed: int,
) -> pd.DataFrame:
    """Draws the training set (all normals and some anomalies) and the holdout of the evaluation samples.

    Args:
        train_labels, test_labels: (n,) indices into `classes`.
        normal: one of `classes`.
        contamination: share of anomalies among all samples of the training set; they are drawn at random, without
            replacement, from the training part's other classes.
        holdout: share of the evaluation samples (the test part, or the training set where there is none) whose labels
            a method may tune on; drawn stratified.
        seed: decides the drawn anomalies and the holdout.

    Returns:
        Rows of `SCHEMA`: the training set, then the whole test part.

    Raises:
        DataError: the classes are too small, see `size_faults`.
    """
    sizes = class_sizes(classes, train_labels, test_labels)
    faults = size_faults(sizes, normal, contamination=contamination, holdout=holdout)
    if faults:
        raise DataError(" ".join(faults.values()))
    label = classes.index(normal)
    normals = np.flatnonzero(train_labels == label)
    others = np.flatnonzero(train_labels != label)
    wanted = anomaly_count(len(normals), contamination)
    # Two independent streams: another contamination must not change which samples are held out.
    anomaly_rng, holdout_rng = np.random.default_rng(seed).spawn(2)
    drawn = anomaly_rng.choice(others, wanted, replace=False)
    train = np.sort(np.concatenate([normals, drawn]))
    names = np.asarray(classes)
    parts = [("train", train, train_labels[train]), ("test", np.arange(len(test_labels)), test_labels)]
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "evaluation": evaluation,
                    "sample": samples.astype(np.int32),
                    "label": names[labels],
                    "is_anomaly": labels != label,
                    "holdout": False,
                }
            )
            for evaluation, samples, labels in parts
            if len(samples)
        ],
        ignore_index=True,
    )
    if holdout > 0:
        evaluated = np.flatnonzero(rows["evaluation"] == ("test" if len(test_labels) else "train"))
        is_anomaly = rows["is_anomaly"].to_numpy()[evaluated]
        chosen = evaluated[_draw_holdout(is_anomaly, holdout, seed=int(holdout_rng.integers(2**31)))]
        rows.loc[chosen, "holdout"] = True
    return rows


def write_split(path: Path, split: Split, metadata: Mapping[str, Any]) -> None:
    """Write a split, its constants and what else is to be known of it."""
    constants = {"shift": split.shift, "scale": split.scale}
    parquet.write_table(path, split.samples, SCHEMA, {**metadata, **constants})


def read_split(path: Path) -> Split:
    """Read a split.

    Raises:
        ResultError: missing, damaged, or not a split file of this schema.
    """
    samples, metadata = parquet.read_table(path, SCHEMA, ("shift", "scale"))
    shift, scale = (_constants(path, metadata[name]) for name in ("shift", "scale"))
    return Split(samples, shift, scale)


def _constants(path: Path, stated: Any) -> float | tuple[float, ...] | None:
    """One of a split's constants as its file states it."""
    numbers = stated if isinstance(stated, list) else [stated]
    if stated is not None and not all(isinstance(number, float) for number in numbers):
        raise ResultError(f"{path} states the constant {stated!r}. Delete it to have it remade.")
    return tuple(stated) if isinstance(stated, list) else stated
