"""The released protocol taken apart: differences within seeds, means over classes, by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ocnn.report.decomposition import decomposition_document, reading
from ocnn.report.figures.decomposition import steps
from ocnn.results.decomposition import ALL, COLUMNS, decompose
from ocnn.results.statistics import t_interval
from ocnn.results.summary import summarise
from tests.results.conftest import fits

PUBLISHED = pd.DataFrame(
    {"dataset": "paper", "class": ["a", "b"], "method": "dcae", "auc_mean": [99.0, 97.0], "auc_std": 0.0}
)
#: AUCs of each class for two seeds.
AUCS: dict[tuple[str, str], dict[str, list[float]]] = {
    ("released", "train"): {"a": [98, 96], "b": [94, 92]},
    ("released", "held_out"): {"a": [90, 92], "b": [80, 82]},
    ("released", "test"): {"a": [88, 89], "b": [80, 81]},
    ("shuffled", "train"): {"a": [70, 74], "b": [60, 60]},
    ("shuffled", "test"): {"a": [84, 82], "b": [78, 78]},
}


def taken_apart(other: str | None = "shuffled", sample_error: float = 0.0, **changes: list[float]) -> pd.DataFrame:
    aucs = {key: {**values, **changes} if key == ("released", "test") else values for key, values in AUCS.items()}
    metrics = pd.concat(
        [
            fits(
                {("dcae", name): values for name, values in of.items()},
                experiment=experiment,
                evaluation=evaluation,
                sample_error=sample_error,
            )
            for (experiment, evaluation), of in aucs.items()
        ]
    )
    summary = summarise(
        metrics, PUBLISHED.assign(runs=0, runs_std=np.nan), {"released": "paper", "shuffled": "paper"}, {}, alpha=0.05
    )
    return decompose(metrics, summary, {"released": other}, alpha=0.05)


def quantity(table: pd.DataFrame, normal: str, name: str) -> pd.Series:
    rows = table[(table["normal"] == normal) & (table["quantity"] == name)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("normal", "name", "values"),
    [
        ("a", "as_released", [98, 96]),
        ("a", "fitted_normals", [8, 4]),
        ("a", "choice_of_samples", [2, 3]),
        ("a", "unfitted_anomalies", [28, 22]),
        (ALL, "as_released", [96, 94]),
        (ALL, "shuffled", [65, 67]),
        (ALL, "fitted_normals", [11, 7]),
        (ALL, "unfitted_anomalies", [31, 27]),
        ("a", "shuffled_test", [84, 82]),
        ("a", "unfitted_anomalies_test", [4, 7]),
        (ALL, "unfitted_anomalies_test", [3, 5]),
    ],
)
def test_what_each_step_is_worth_by_hand(normal: str, name: str, values: list[float]) -> None:
    """Means over classes and differences are taken within a seed, so that the interval is that of the differences."""
    row = quantity(taken_apart(), normal, name)
    assert row["mean"] == pytest.approx(np.mean(values))
    low, high = t_interval(np.mean(values), np.std(values, ddof=1), 2, 0.9)
    # An AUC ends at 100.
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(min(high, 100)))
    assert row["seeds"] == 2
    assert row["published"] == {"a": 99, ALL: 98}[normal]


def test_the_choice_of_samples_is_in_the_intervals() -> None:
    """Errors of 3 points: of a difference √2 times as much, of the mean of two classes 1/√2; seeds do not lessen them.

    The errors over two seeds are 1 (98 and 96) and 2 (8 and 4), with one degree of freedom.
    """
    table = taken_apart(sample_error=3.0)
    for name, normal, sample, seeds in [
        ("as_released", "a", 3, 1),
        ("fitted_normals", "a", 3 * 2**0.5, 2),
        ("as_released", ALL, 3 / 2**0.5, 1),
        ("fitted_normals", ALL, 3, 2),
    ]:
        row = quantity(table, normal, name)
        assert row["sample_error"] == pytest.approx(sample)
        half = np.hypot(sample * stats.norm.ppf(0.95), seeds * stats.t.ppf(0.95, 1))
        assert row["mean"] - row["low"] == pytest.approx(half)
        assert row["high"] == pytest.approx(min(row["mean"] + half, 100))


def test_where_a_class_has_no_error_by_samples_the_mean_has_none() -> None:
    """As of held-out normals of which there is a single one."""
    row = quantity(taken_apart(sample_error=np.nan), ALL, "held_out")
    assert row["mean"] > 0
    assert np.isnan([row["low"], row["high"], row["sample_error"]]).all()


def test_one_seed_has_the_interval_of_its_samples() -> None:
    row = quantity(taken_apart(b=[80, np.nan], sample_error=3.0), ALL, "test")
    assert (row["mean"], row["seeds"]) == (84, 1)
    assert row["high"] - row["mean"] == pytest.approx(3 / 2**0.5 * stats.norm.ppf(0.95))


def test_the_steps_add_up() -> None:
    table = taken_apart().set_index(["normal", "quantity"])["mean"]
    for normal in ("a", "b", ALL):
        steps = table[normal]["fitted_normals"] + table[normal]["choice_of_samples"]
        assert steps == pytest.approx(table[normal]["as_released"] - table[normal]["test"])


def test_a_seed_that_lacks_a_class_is_in_no_mean_over_classes() -> None:
    row = quantity(taken_apart(b=[80, np.nan]), ALL, "test")
    assert (row["mean"], row["seeds"]) == (84, 1)
    assert np.isnan(row["low"])


def test_without_a_shuffled_experiment_the_other_steps_stand() -> None:
    table = taken_apart(None)
    assert np.isnan(quantity(table, ALL, "shuffled")["mean"])
    assert quantity(table, ALL, "fitted_normals")["mean"] == pytest.approx(9)
    assert (
        decompose(
            pd.DataFrame(columns=["experiment", "evaluation", "normal", "method", "seed", "auc", "auc_error"]),
            pd.DataFrame(columns=["experiment", "normal", "method", "metric", "published_mean"]),
            {"released": None},
            alpha=0.05,
        ).columns.tolist()
        == COLUMNS
    )


def test_the_sentence_and_the_table() -> None:
    table = taken_apart()
    assert reading(table) == (
        "**dcae**: 95.0 as released, 98.0 published. With the set shuffled first, so that anomalies are fitted, 66.0:"
        " that the end of the set, where they stand, is never fitted is worth 29.0 points. On held-out normals 86.0:"
        " scoring fitted ones is worth 9.0 points. On the test part 84.5, and 80.5 with the set shuffled: on new"
        " anomalies that is worth 4.0 points."
    )
    shown, worth = decomposition_document(table, 0.05).tables
    for part in (shown, worth):
        assert [row[1].text for row in part.rows] == ["a", "b", ALL]
        assert {len(row) for row in part.rows} == {len(part.columns)}
    means = [[cell.text.split(" ")[0] for cell in part.rows[-1][2:]] for part in (shown, worth)]
    assert means == [["98.0", "95.0", "86.0", "84.5", "66.0", "80.5"], ["9.0", "1.5", "29.0", "4.0"]]
    assert shown.columns[2:4] == ["published", "as released"]
    assert "shuffled" not in reading(taken_apart(None))


def test_the_legend_names_what_is_drawn() -> None:
    table = taken_apart()
    many, one = steps(table), steps(table[table["normal"] == "a"])
    labels = [[text.get_text() for text in figure.legends[0].get_texts()] for figure in (many, one)]
    assert labels[0] == ["mean of the classes, interval", "a class", "published"]
    assert labels[1] == ["AUC, interval", "published"]
    bare = steps(table.assign(published=np.nan))
    assert "published" not in [text.get_text() for text in bare.legends[0].get_texts()]
