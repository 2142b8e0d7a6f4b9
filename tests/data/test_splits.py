"""Splits: what is drawn, from where, and that the file says so."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ocnn.data import load_dataset
from ocnn.data.splits import Split, anomaly_count, draw_split, read_split, size_faults, write_split
from ocnn.errors import DataError, ResultError

CLASSES = ("a", "b", "c")
RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.integers(0, 3, 600), RNG.integers(0, 3, 300)


def draw(normal: str = "b", contamination: float = 0.1, holdout: float = 0.1, seed: int = 0) -> pd.DataFrame:
    return draw_split(TRAIN, TEST, CLASSES, normal, contamination=contamination, holdout=holdout, seed=seed)


def part(split: pd.DataFrame, evaluation: str) -> pd.DataFrame:
    return split[split["evaluation"] == evaluation]


def test_training_has_all_normals_and_the_asked_for_anomalies() -> None:
    train = part(draw(), "train")
    normals = np.flatnonzero(TRAIN == 1)
    assert set(train.loc[~train["is_anomaly"], "sample"]) == set(normals)
    anomalies = train.loc[train["is_anomaly"], "sample"]
    assert len(anomalies) == round(len(normals) / 9)
    assert (TRAIN[anomalies] != 1).all()
    assert train["sample"].is_unique
    assert list(train["label"]) == [CLASSES[label] for label in TRAIN[train["sample"]]]


def test_the_test_part_is_whole_and_only_it_is_held_out() -> None:
    split = draw()
    test = part(split, "test")
    assert list(test["sample"]) == list(range(len(TEST)))
    np.testing.assert_array_equal(test["is_anomaly"], TEST != 1)
    assert not part(split, "train")["holdout"].any()
    held = test[test["holdout"]]
    assert len(held) == 30
    assert held["is_anomaly"].mean() == pytest.approx(test["is_anomaly"].mean(), abs=0.02)


def test_seeds() -> None:
    pd.testing.assert_frame_equal(draw(seed=1), draw(seed=1))
    first, second = draw(seed=1), draw(seed=2)
    assert set(part(first, "train")["sample"]) != set(part(second, "train")["sample"])
    assert list(part(first, "test")["holdout"]) != list(part(second, "test")["holdout"])


def test_the_contamination_leaves_the_holdout_as_it_is() -> None:
    clean, dirty = draw(contamination=0), draw(contamination=0.2)
    assert not part(clean, "train")["is_anomaly"].any()
    assert list(part(clean, "test")["holdout"]) == list(part(dirty, "test")["holdout"])


@pytest.mark.parametrize(
    ("normals", "contamination", "expected"),
    [
        (5923, 1 / 101, 59),
        (5850, 1 / 101, 58),
        (5000, 1 / 11, 500),
        (1050, 2 / 23, 100),
        (100, 0.0, 0),
        (9, 0.5, 9),
        (6, 0.2, 2),
    ],
)
def test_anomaly_count(normals: int, contamination: float, expected: int) -> None:
    assert anomaly_count(normals, contamination) == expected


@given(
    labels=st.lists(st.integers(0, 2), min_size=10, max_size=60),
    contamination=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_a_split_is_right_or_refused(labels: list[int], contamination: float, seed: int) -> None:
    train = np.array(labels)
    normals = int((train == 0).sum())
    possible = normals >= 2 and anomaly_count(normals, contamination) <= len(train) - normals
    arguments = {"contamination": contamination, "holdout": 0.1, "seed": seed}
    if not possible:
        with pytest.raises(DataError):
            draw_split(train, TEST, CLASSES, "a", **arguments)  # type: ignore[arg-type]
        return
    drawn = part(draw_split(train, TEST, CLASSES, "a", **arguments), "train")  # type: ignore[arg-type]
    assert (~drawn["is_anomaly"]).sum() == normals
    assert drawn["is_anomaly"].sum() == anomaly_count(normals, contamination)
    np.testing.assert_array_equal(drawn["is_anomaly"], train[drawn["sample"]] != 0)


def test_too_few_samples() -> None:
    with pytest.raises(DataError, match="1 training samples"):
        draw_split(np.array([0, 1, 1]), TEST, CLASSES, "a", contamination=0, holdout=0, seed=0)
    with pytest.raises(DataError, match="asks for 3 anomalies"):
        draw_split(np.array([0, 0, 0, 1]), TEST, CLASSES, "a", contamination=0.5, holdout=0, seed=0)
    with pytest.raises(DataError, match=r"holdout of 0\.1"):
        draw_split(TRAIN, np.array([0, 1]), CLASSES, "a", contamination=0, holdout=0.1, seed=0)


@pytest.mark.parametrize(("shift", "scale"), [(-1.25, 7.5), (None, None), ((0.0, 0.1), (1.0, 1e-30))])
def test_a_split_comes_back_from_its_file(tmp_path: Path, shift: Any, scale: Any) -> None:
    write_split(tmp_path / "split.parquet", Split(draw(), shift, scale), {"seed": 0})
    found = read_split(tmp_path / "split.parquet")
    assert (found.shift, found.scale) == (shift, scale)
    pd.testing.assert_frame_equal(found.samples, draw(), check_dtype=False, check_categorical=False)


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "missing"])
def test_what_is_no_split_file(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "split.parquet"
    write_split(path, Split(draw()), {})
    whole = path.read_bytes()
    if damage == "foreign":
        pd.DataFrame({"x": [1]}).to_parquet(path)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "truncated" else b"")
    with pytest.raises(ResultError, match=r"split\.parquet"):
        read_split(path)


#: Training samples of each class.
DRAWN = {
    "mnist": (Fraction(1, 101), [59, 67, 60, 61, 58, 54, 59, 63, 59, 59]),
    "cifar10": (Fraction(1, 11), [500] * 10),
    "digits": (Fraction(1, 11), [11, 11, 11, 11, 11, 11, 11, 11, 10, 11]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_anomalies_that_join_each_real_class(name: str) -> None:
    """One to a hundred normals in MNIST, one to ten in CIFAR-10 and the digits, a half rounded to even."""
    contamination, counts = DRAWN[name]
    normals = [train for train, _ in load_dataset(name).sizes.values()]
    assert [anomaly_count(number, float(contamination)) for number in normals] == counts
    share = {"mnist": 0.01}.get(name, 0.1)
    assert [round(share * number) for number in normals] == counts


@given(st.integers(1, 10**6), st.integers(0, 10**4))
def test_a_share_gives_back_the_number_that_it_was_made_of(normals: int, anomalies: int) -> None:
    assume(anomalies <= normals and normals + anomalies < 10**6)
    assert anomaly_count(normals, anomalies / (normals + anomalies)) == anomalies


def test_no_holdout_asks_for_nothing() -> None:
    """Of one test sample of each kind none could be held out, but none is to be."""
    sizes = {"a": (10, 1), "b": (10, 1)}
    assert size_faults(sizes, "a", contamination=0.0, holdout=0.0) == {}
    assert list(size_faults(sizes, "a", contamination=0.0, holdout=0.5)) == ["holdout"]
