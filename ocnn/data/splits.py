"""Splits: which samples a fit may see and which it is measured on, as an auditable table of indices."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import train_test_split

from ocnn.errors import DataError, ResultError
from ocnn.storage import parquet

SCHEMA = pa.schema(
    [
        ("evaluation", pa.dictionary(pa.int8(), pa.string())),  # train: of the training set; test: the test part's rest
        ("part", pa.dictionary(pa.int8(), pa.string())),  # of the data set, train or test
        ("sample", pa.int32()),  # index into that part
        ("label", pa.dictionary(pa.int16(), pa.string())),
        ("is_anomaly", pa.bool_()),
        ("fitted", pa.bool_()),  # methods are fitted to it; all of the training set but what is held out of it
        ("holdout", pa.bool_()),  # a method that tunes on labels may see this one's, and is not measured on it
    ]
)


@dataclass(frozen=True)
class TrainingSet:
    """Which samples make the training set, in which order, and which of them are fitted.

    left_out: share of the training part's normals, drawn at random and rounded down, that take no part at all.
    test_normals: whether the test part's normals join the set: `none`; `scored`, but are not fitted; `fitted`.
    order: `index`, each part's samples by their index; `normals_first`, normals of the training part, those of the test
        part, anomalies, each in an order of its own, drawn at random; `shuffled`, all in one such order.
    validation_split: share of what would be fitted that is not: its last samples, as by Keras's argument of this name.
    round_down: of the number of anomalies, which is else rounded to the nearest.
    """

    left_out: float = 0.0
    test_normals: Literal["none", "scored", "fitted"] = "none"
    order: Literal["index", "normals_first", "shuffled"] = "index"
    validation_split: float = 0.0
    round_down: bool = False

    def kept(self, normals: int) -> int:
        """How many of so many normals of the training part are left."""
        return normals - int(self.left_out * normals)

    def fitted(self, samples: int) -> int:
        """How many of so many samples are fitted, computed as Keras does."""
        return int(samples * (1.0 - self.validation_split))


#: All of the training part's normals, by index, and all fitted.
WHOLE = TrainingSet()


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
        """The rows of `train`, in the order in which they are fitted, or of `test`, by index."""
        return self.samples[self.samples["evaluation"] == evaluation]

    @property
    def fitted(self) -> pd.DataFrame:
        """The rows that methods are fitted to, in this order."""
        return self.samples[self.samples["fitted"]]


def anomaly_count(normals: int, contamination: float, *, round_down: bool = False) -> int:
    """How many anomalies join the normals so that they are this share of all, rounded to the nearest whole number.

        c / (1 − c) · normals,   0 ≤ c < 1

    In fractions, so that a share such as 1/101 gives 1 to 100 normals exactly, and a half is rounded to even.
    """
    share = Fraction(contamination).limit_denominator(10**6)
    exact = share / (1 - share) * normals
    return math.floor(exact) if round_down else round(exact)


def class_sizes(
    classes: Sequence[str], train_labels: np.ndarray, test_labels: np.ndarray
) -> dict[str, tuple[int, int]]:
    """The numbers of training and of test samples of each class, from their labels (n,), indices into `classes`."""
    train, test = (np.bincount(labels, minlength=len(classes)) for labels in (train_labels, test_labels))
    return {name: (int(train[label]), int(test[label])) for label, name in enumerate(classes)}


def size_faults(
    sizes: Mapping[str, tuple[int, int]],
    normal: str,
    *,
    contamination: float,
    holdout: float,
    training_set: TrainingSet = WHOLE,
) -> dict[str, str]:
    """Why no split can be drawn from classes of these sizes.

    Args:
        sizes: numbers of training and of test samples of every class.
        normal, contamination, holdout, training_set: see `draw_split`.

    Returns:
        A sentence for each of these arguments that asks for more samples than there are, or for less than one.
    """
    all_normals, test_normals = sizes[normal]
    others, test_others = (sum(size[part] for size in sizes.values()) - sizes[normal][part] for part in (0, 1))
    kept, joining = training_set.kept(all_normals), test_normals if training_set.test_normals != "none" else 0
    normals = kept + joining
    wanted = anomaly_count(normals, contamination, round_down=training_set.round_down)
    faults = {}
    if all_normals < 2:
        faults["normal"] = f"Class {normal!r} has {all_normals} training samples; at least 2 are needed."
    elif training_set.test_normals != "none" and not test_normals:
        faults["training_set"] = f"The test part has no sample of class {normal!r} that could join the training set."
    elif training_set.fitted(kept) < 2:
        faults["training_set"] = f"Of the {all_normals} training samples of class {normal!r} fewer than 2 are fitted."
    if wanted > others:
        faults["contamination"] = (
            f"A contamination of {contamination:.6g} asks for {wanted} anomalies beside the {normals} samples of"
            f" class {normal!r}, but the other classes have {others}."
        )
    elif contamination > 0 and not wanted and not faults:
        faults["contamination"] = (
            f"A contamination of {contamination:.6g} draws no anomaly beside the {normals} samples of class {normal!r};"
            " 0 draws none."
        )
    has_test = test_normals + test_others > 0
    if holdout > 0 and training_set.test_normals != "none":
        faults["holdout"] = "It must be 0 where the test part's normals join the training set."
    elif holdout > 0 and (has_test or not faults):
        evaluated = (test_normals, test_others) if has_test else (normals, wanted)
        try:
            _draw_holdout(np.repeat([False, True], evaluated), holdout, seed=0)
        except ValueError:
            faults["holdout"] = (
                f"A holdout of {holdout} of the evaluation samples, {evaluated[0]} normal and {evaluated[1]} anomalous,"
                " cannot be drawn: it takes at least one of either kind, and leaves one; 0 draws none"
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
    training_set: TrainingSet = WHOLE,
) -> pd.DataFrame:
    """Draws the training set (normals and some anomalies) and the holdout of the evaluation samples.

    Args:
        train_labels, test_labels: (n,) indices into `classes`.
        normal: one of `classes`.
        contamination: share of anomalies among all samples of the training set; they are drawn at random, without
            replacement, from the training part's other classes.
        holdout: share of the evaluation samples (the test part, or the training set where there is none) whose labels
            a method may tune on; drawn stratified.
        seed: decides the drawn anomalies, the holdout and what of `training_set` is random.
        training_set: which normals join, in which order, and which samples are fitted; all of the training part, by
            default.

    Returns:
        Rows of `SCHEMA`: the training set, in the order in which it is fitted, then the other samples of the test part.

    Raises:
        DataError: the classes are too small, see `size_faults`.
    """
    sizes = class_sizes(classes, train_labels, test_labels)
    faults = size_faults(sizes, normal, contamination=contamination, holdout=holdout, training_set=training_set)
    if faults:
        raise DataError(" ".join(faults.values()))
    # Independent streams: another contamination must not change which samples are held out.
    anomaly_rng, holdout_rng, order_rng = np.random.default_rng(seed).spawn(3)
    label = classes.index(normal)
    normals = np.flatnonzero(train_labels == label)
    if training_set.left_out > 0:
        normals = np.sort(order_rng.permutation(normals)[: training_set.kept(len(normals))])
    joining = np.flatnonzero(test_labels == label) if training_set.test_normals != "none" else np.zeros(0, np.int64)
    others = np.flatnonzero(train_labels != label)
    wanted = anomaly_count(len(normals) + len(joining), contamination, round_down=training_set.round_down)
    drawn = anomaly_rng.choice(others, wanted, replace=False)
    if training_set.order == "normals_first":
        normals, joining = order_rng.permutation(normals), order_rng.permutation(joining)
        members = [("train", normals), ("test", joining), ("train", drawn)]
    else:
        members = [("train", np.sort(np.concatenate([normals, drawn]))), ("test", joining)]
    chosen = pd.concat([pd.DataFrame({"part": part, "sample": samples}) for part, samples in members])
    if training_set.order == "shuffled":
        chosen = chosen.iloc[order_rng.permutation(len(chosen))]
    can_be_fitted = (chosen["part"] == "train").to_numpy() | (training_set.test_normals == "fitted")
    place = np.cumsum(can_be_fitted)
    chosen = chosen.assign(evaluation="train", fitted=can_be_fitted & (place <= training_set.fitted(int(place[-1]))))
    rest = np.setdiff1d(np.arange(len(test_labels)), joining)
    unseen = pd.DataFrame({"part": "test", "sample": rest, "evaluation": "test", "fitted": False})
    rows = pd.concat([chosen, unseen] if len(rest) else [chosen], ignore_index=True)
    parts = {"train": train_labels, "test": test_labels}
    labels = np.empty(len(rows), np.int64)
    for part in ("train", "test"):
        there = (rows["part"] == part).to_numpy()
        labels[there] = parts[part][rows.loc[there, "sample"]]
    rows = rows.assign(
        sample=rows["sample"].astype(np.int32), label=np.asarray(classes)[labels], is_anomaly=labels != label
    ).assign(holdout=False)[SCHEMA.names]
    if holdout > 0:
        evaluated = np.flatnonzero(rows["evaluation"] == ("test" if len(test_labels) else "train"))
        is_anomaly = rows["is_anomaly"].to_numpy()[evaluated]
        held = evaluated[_draw_holdout(is_anomaly, holdout, seed=int(holdout_rng.integers(2**31)))]
        rows.loc[held, "holdout"] = True
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
