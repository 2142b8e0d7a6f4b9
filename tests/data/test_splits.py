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
from ocnn.data.splits import Split, TrainingSet, anomaly_count, draw_split, read_split, size_faults, write_split
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
    wanted = anomaly_count(normals, contamination)
    possible = normals >= 2 and wanted <= len(train) - normals and (wanted > 0 or contamination == 0)
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
    with pytest.raises(DataError, match=r"0\.01 draws no anomaly beside the 4 samples of class 'a'; 0 draws none"):
        draw_split(np.array([0, 0, 0, 0, 1]), TEST, CLASSES, "a", contamination=0.01, holdout=0, seed=0)
    with pytest.raises(DataError, match="1 training samples"):
        draw_split(np.array([0, 1, 1]), TEST, CLASSES, "a", contamination=0, holdout=0, seed=0)
    with pytest.raises(DataError, match="asks for 3 anomalies"):
        draw_split(np.array([0, 0, 0, 1]), TEST, CLASSES, "a", contamination=0.5, holdout=0, seed=0)
    with pytest.raises(DataError, match=r"holdout of 0\.1"):
        draw_split(TRAIN, np.array([0, 1]), CLASSES, "a", contamination=0, holdout=0.1, seed=0)


#: Of class a: training samples 0, 2, 3, 5 and 6, test samples 1, 2 and 4.
FEW_TRAIN, FEW_TEST = np.array([0, 1, 0, 0, 2, 0, 0, 1, 2]), np.array([1, 0, 0, 2, 0])


def released(seed: int = 0, **changes: Any) -> pd.DataFrame:
    """The set of a few samples as the authors' code makes it, a third of its end held out."""
    rules: dict[str, Any] = {"test_normals": "fitted", "order": "normals_first", "validation_split": 1 / 3}
    rule = TrainingSet(**{**rules, **changes})
    return draw_split(FEW_TRAIN, FEW_TEST, CLASSES, "a", contamination=1 / 5, holdout=0, seed=seed, training_set=rule)


def test_the_released_set_by_hand() -> None:
    """Normals of both parts and then a quarter as many anomalies: of ten samples the last four are not fitted."""
    split = released()
    drawn, rest = part(split, "train"), part(split, "test")
    assert list(drawn["part"]) == ["train"] * 5 + ["test"] * 3 + ["train"] * 2
    assert set(drawn["sample"][:5]) == {0, 2, 3, 5, 6}
    assert set(drawn["sample"][5:8]) == {1, 2, 4}
    assert set(drawn["sample"][8:]) < {1, 4, 7, 8}
    assert list(drawn["is_anomaly"]) == [False] * 8 + [True] * 2
    assert list(drawn["fitted"]) == [True] * 6 + [False] * 4
    assert (list(rest["part"]), list(rest["sample"])) == (["test", "test"], [0, 3])
    assert rest["is_anomaly"].all()
    assert not rest["fitted"].any()
    assert list(drawn["sample"]) != list(part(released(seed=1), "train")["sample"])


def test_a_shuffled_set_has_the_same_samples_and_fits_anomalies() -> None:
    ordered, shuffled = part(released(), "train"), part(released(order="shuffled"), "train")
    key = ["part", "sample", "is_anomaly"]
    assert set(ordered[key].itertuples(index=False)) == set(shuffled[key].itertuples(index=False))
    assert list(shuffled["fitted"]) == [True] * 6 + [False] * 4
    fitted = [released(seed, order="shuffled").query("fitted")["is_anomaly"].any() for seed in range(9)]
    assert sum(fitted) > 5


def test_normals_of_the_test_part_can_be_scored_alone() -> None:
    """Of the seven samples of the training part a third is left, so that four are fitted."""
    drawn = part(released(test_normals="scored"), "train")
    assert list(drawn["fitted"]) == [True] * 4 + [False] * 6
    assert part(released(test_normals="scored", order="shuffled"), "train").query("fitted")["part"].eq("train").all()


def test_normals_that_are_left_out_take_no_part() -> None:
    """A quarter of five, rounded down; the anomalies are those that four normals ask for."""
    split = released(left_out=0.25, test_normals="none", validation_split=0)
    assert list(part(split, "train")["is_anomaly"]) == [False] * 4 + [True]
    assert list(part(split, "test")["sample"]) == [0, 1, 2, 3, 4]
    drawn = [part(released(seed, left_out=0.25), "train") for seed in range(9)]
    assert len({frozenset(rows.query("part == 'train' and not is_anomaly")["sample"]) for rows in drawn}) > 1


@pytest.mark.parametrize("digit", range(10))
def test_sizes_of_the_released_sets(digit: int) -> None:
    """As the authors' notebooks print them for MNIST: samples that are fitted and that are not, and anomalies."""
    sizes = load_dataset("mnist").sizes
    rule = TrainingSet(1 / 6, "fitted", "normals_first", 0.1, round_down=True)
    train, test = (np.repeat(np.arange(10), [sizes[str(name)][place] for name in range(10)]) for place in (0, 1))
    classes = tuple("0123456789")
    split = draw_split(train, test, classes, str(digit), contamination=1 / 101, holdout=0, seed=42, training_set=rule)
    drawn = part(split, "train")
    assert (int(drawn["fitted"].sum()), int((~drawn["fitted"]).sum()), int(drawn["is_anomaly"].sum())) == {
        0: (5377, 598, 59),
        1: (6138, 683, 67),
        2: (5450, 606, 59),
        3: (5562, 619, 61),
        4: (5318, 591, 58),
        5: (4917, 547, 54),
        6: (5353, 595, 58),
        7: (5679, 632, 62),
        8: (5317, 591, 58),
        9: (5423, 603, 59),
    }[digit]
    assert not drawn.query("fitted")["is_anomaly"].any()
    assert drawn.query("not fitted and not is_anomaly")["part"].eq("test").all()


def test_a_holdout_of_a_test_part_that_is_fitted_is_refused() -> None:
    rule = TrainingSet(test_normals="scored")
    with pytest.raises(DataError, match="must be 0 where the test part's normals join"):
        draw_split(TRAIN, TEST, CLASSES, "a", contamination=0, holdout=0.1, seed=0, training_set=rule)
    with pytest.raises(DataError, match="fewer than 2 are fitted"):
        released(left_out=0.7)


@pytest.mark.parametrize("test", [np.zeros(0, dtype=int), np.ones(20, dtype=int)], ids=["no test part", "of others"])
@pytest.mark.parametrize("joining", ["scored", "fitted"])
def test_normals_of_the_test_part_that_should_join_must_be_there(test: np.ndarray, joining: Any) -> None:
    rule = TrainingSet(test_normals=joining)
    with pytest.raises(DataError, match="The test part has no sample of class 'a' that could join"):
        draw_split(TRAIN, test, CLASSES, "a", contamination=0, holdout=0, seed=0, training_set=rule)


def test_the_default_training_set_is_that_of_the_configuration() -> None:
    from ocnn.config.sections import TrainingSet as Configured

    assert TrainingSet(**Configured().model_dump()) == TrainingSet()


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
