"""The summary, and what stands in the cells of Tables 3 and 4."""

import numpy as np
import pandas as pd
import pytest

from ocnn.report.comparisons import all_differences, comparison_document, power_sentence
from ocnn.report.rendering import Document, to_markdown
from ocnn.report.tables import (
    below_chance,
    degenerate_fits,
    metric_document,
    table3,
    table4,
)
from ocnn.results.metrics import METRICS
from ocnn.results.summary import REFERENCES, class_table, evaluated, look_up_references, over_datasets, summarise
from tests.results.conftest import fits, published

PUBLISHED = published({("kde", "3"): 97.1})
COMPARED = {"toy": "toyset"}
NO_REFERENCES = pd.DataFrame(columns=REFERENCES.names)


def summary_of(
    metrics: pd.DataFrame, datasets: dict[str, str | None] | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    return summarise(metrics, PUBLISHED, COMPARED if datasets is None else datasets, {}, alpha=alpha)


def shown(metrics: pd.DataFrame, remark: str = "", references: pd.DataFrame = NO_REFERENCES) -> Document:
    return table3(summary_of(metrics), references, metrics, {"toy": remark}, alpha=0.05)


def lines_of(text: str, title: str) -> dict[str, list[str]]:
    """The lines of a Markdown table by their second column."""
    rows = [line.split("|")[1:-1] for line in text.split(f"## {title}")[1].split("##")[0].splitlines() if "|" in line]
    return {row[1].strip(): [cell.strip() for cell in row] for row in rows}


def test_a_cell_by_hand() -> None:
    train = fits({("kde", "3"): [np.nan] * 2}, evaluation="train").assign(anomalies=0)
    metrics = pd.concat([fits({("kde", "3"): [75, 100]}), train])
    rows = {row["metric"]: row for row in summary_of(metrics).to_dict("records")}
    # Without anomalies in the training set there is nothing to measure, and no row.
    assert list(rows) == list(METRICS)
    row = rows["auc"]
    assert (row["evaluation"], row["mean"], row["std"]) == ("test", 87.5, pytest.approx(np.std([75, 100], ddof=1)))
    assert (row["seeds"], row["degenerate"], row["fits"]) == (2, 0, 2)
    assert (row["anomalies"], row["normals"], row["below_chance"]) == (2, 10, False)
    assert (row["published_mean"], row["published_std"]) == (97.1, 0.0)
    assert row["difference"] == pytest.approx(-9.6)
    # t(0.95, 1) = 6.3138, standard error = 12.5.
    assert (row["low"], row["high"]) == pytest.approx((87.5 - 78.92, 87.5 + 78.92), abs=0.01)
    # Nothing is published of the others.
    assert rows["fpr_at_95_tpr"]["mean"] == pytest.approx(12.5)
    assert np.isnan(rows["fpr_at_95_tpr"]["published_mean"])
    assert np.isnan(rows["average_precision"]["difference"])
    text = to_markdown(shown(metrics, "A remark."))
    assert "2 seeds. A remark." in text
    lines = lines_of(text, "toy")
    assert lines["test"] == ["3", "test", "**87.5 ± 17.7**"]
    assert lines["published"] == ["3", "published", "**97.10 ± 0.0**"]
    assert lines["test − published"] == ["3", "test − published", "−9.6"]
    assert "train" not in lines
    other = summarise(metrics, PUBLISHED, COMPARED, {"kde": "ocsvm"}, alpha=0.05)
    assert other["published_mean"].isna().all()
    assert summary_of(metrics, {"toy": None})["published_mean"].isna().all()
    assert summary_of(metrics, {"another": None}).empty


def test_the_error_by_the_choice_of_samples_does_not_shrink_with_the_seeds() -> None:
    metrics = fits({("kde", "3"): [75, 100, 80, 90]}).assign(auc_error=[0.01, 0.02, 0.01, 0.04])
    rows = summary_of(metrics).set_index("metric")
    assert rows["sample_error"].to_dict() == pytest.approx(
        {name: 2.0 if name == "auc" else np.nan for name in METRICS}, nan_ok=True
    )


@pytest.mark.parametrize(("anomalies", "normals", "rows"), [(1, 1, len(METRICS)), (0, 1, 0), (1, 0, 0)])
def test_an_evaluation_needs_samples_of_either_kind(anomalies: int, normals: int, rows: int) -> None:
    metrics = fits({("kde", "3"): [75, 100]}).assign(anomalies=anomalies, samples=anomalies + normals)
    assert len(summary_of(metrics)) == rows


@pytest.mark.parametrize(("alpha", "quantile"), [(0.05, 6.3138), (0.025, 12.7062)])
def test_the_level_of_the_intervals_is_1_minus_2_alpha(alpha: float, quantile: float) -> None:
    """Of two seeds, whose standard error is 1: quantiles of Student's distribution of one degree of freedom."""
    row = summary_of(fits({("kde", "3"): [89, 91]}), alpha=alpha).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((90 - quantile, 90 + quantile), abs=1e-3)


def test_degenerate_and_missing_fits_are_visible_and_never_the_best() -> None:
    metrics = fits(
        {("kde", "3"): [75, 100, np.nan], ("dcae", "3"): [60, 61, 62], ("rcae", "3"): [np.nan] * 3},
        degenerate=[("kde", "3", 0), ("kde", "3", 2)],
    )
    lines = lines_of(to_markdown(shown(metrics)), "toy")
    assert lines["test"] == ["3", "test", "87.5 ± 17.7 (2 of 3 seeds) †2/3", "**61.0 ± 1.0**", "–"]
    assert to_markdown(shown(metrics)).count("because") == 2
    assert lines["test − published"][2] == "−9.6 †2/3"


def test_an_experiment_all_of_whose_fits_diverged_is_not_silent() -> None:
    metrics = fits({("kde", "3"): [np.nan] * 2}, degenerate=[("kde", "3", 0), ("kde", "3", 1)])
    assert lines_of(to_markdown(shown(metrics)), "toy")["test"] == ["3", "test", "– †2/2"]


def test_below_chance_is_marked_and_never_the_best() -> None:
    """Of 2 anomalies and 10 normal samples 5 % is at 50 − 1.6449 · 100 · √(13/240) = 11.7."""
    metrics = fits({("kde", "3"): [11.6], ("dcae", "3"): [11.8], ("rcae", "3"): [5.0]})
    summary = summary_of(metrics)
    assert summary[summary["below_chance"]][["method", "metric"]].to_numpy().tolist() == [
        ["kde", "auc"],
        ["rcae", "auc"],
    ]
    document = shown(metrics)
    assert lines_of(to_markdown(document), "toy")["test"] == ["3", "test", "11.6 ‡", "**11.8**", "5.0 ‡"]
    assert [cell.kind for cell in document.tables[0].rows[0][2:]] == ["below-chance", "", "below-chance"]
    assert "‡: below chance" in document.legend
    assert "5 %" in document.legend
    assert [row[2].text for row in below_chance(summary).rows] == ["kde", "rcae"]
    # The other way round than a low AUC, a low false-positive rate is good, and no metric but the AUC has the mark.
    assert summary.loc[summary["metric"] != "auc", "below_chance"].sum() == 0


def test_a_mean_over_classes_below_chance_is_marked_and_never_the_best() -> None:
    """By the mean of the limits, which is 11.7 of each class here; one class below it is not enough."""
    low = {("kde", "3"): [5.0], ("kde", "5"): [18.0]}
    metrics = fits({**low, ("dcae", "3"): [5.0], ("dcae", "5"): [18.6], ("iforest", "3"): [2.0], ("iforest", "5"): [3]})
    summary = summary_of(metrics)
    (table,) = metric_document(summary, 0.05).tables
    assert [row[1].text for row in table.rows] == ["11.5 ± 9.2 ‡", "11.8 ± 9.6", "2.5 ± 0.7 ‡"]
    assert [(row[1].kind, row[1].best) for row in table.rows[:2]] == [("below-chance", False), ("", True)]
    assert not any("‡" in cell.text for row in table.rows for cell in row[2:])
    (table,) = comparison_document(summary, 0.05).tables
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["dcae", "1.25", "1.00 to 3.00", "11.80"],
        ["kde", "1.75", "1.00 to 3.00", "11.50 ‡"],
        ["iforest", "3.00", "3.00 to 3.00", "2.50 ‡"],
    ]
    # Of several evaluations, each its own; the only method of an experiment is no exception.
    both = pd.concat([fits({("kde", "3"): [5.0]}), fits({("kde", "3"): [90.0]}, evaluation="train")])
    tables = {table.title: table.rows[0][1] for table in metric_document(summary_of(both), 0.05).tables}
    assert {title: (cell.text, cell.best) for title, cell in tables.items()} == {
        "toy, test": ("5.0 ‡", False),
        "toy, train": ("90.0", True),
    }
    for document in (metric_document(summary, 0.05), comparison_document(summary, 0.05)):
        assert "‡: below chance" in document.legend


def test_another_labs_results_are_one_more_line() -> None:
    metrics = fits({("kde", "3"): [75, 100], ("dcae", "3"): [60, 61]})
    lab = published({("kde", "3"): 88.25, ("dcae", "4"): 1.0})
    references = look_up_references(summary_of(metrics), {"lab": lab}, COMPARED, {})
    assert references.drop(columns="std").to_dict("records") == [
        {"experiment": "toy", "normal": "3", "method": "kde", "reference": "lab", "mean": 88.25}
    ]
    lines = lines_of(to_markdown(shown(metrics, references=references)), "toy")
    assert lines["lab"] == ["3", "lab", "**88.25 ± 0.0**", "–"]
    assert look_up_references(summary_of(metrics), {}, COMPARED, {}).empty


def test_methods_with_a_degenerate_or_missing_cell_are_not_ranked() -> None:
    metrics = fits(
        {
            ("a", "0"): [1, 2],
            ("a", "1"): [3, 5],
            ("b", "0"): [1, 1],
            ("b", "1"): [1, 1],
            ("c", "0"): [9, np.nan],
            ("c", "1"): [np.nan] * 2,
        },
        degenerate=[("b", "1", 0)],
    )
    table, left_out = class_table(evaluated(summary_of(metrics, {"toy": None})))
    assert table.to_dict() == {"a": {"0": pytest.approx(1.5), "1": pytest.approx(4)}}
    assert left_out == {"b": "degenerate fits in 1 of 2 classes", "c": "no value in 1 of 2 classes"}


def test_classes_and_methods_keep_their_order() -> None:
    metrics = fits({(method, normal): [75] for method in ("kde", "dcae") for normal in ("8", "3")})
    table, _ = class_table(evaluated(summary_of(metrics, {"toy": None})))
    assert (list(table.index), list(table.columns)) == (["8", "3"], ["kde", "dcae"])


def test_the_evaluation_that_methods_are_compared_by() -> None:
    """The test part where there is one, else the training set."""
    test, train = fits({("kde", "3"): [75]}), fits({("kde", "3"): [60]}, evaluation="train")
    assert evaluated(summary_of(pd.concat([test, train])))["mean"].tolist() == [75]
    assert evaluated(summary_of(pd.concat([test.assign(anomalies=0, auc=np.nan), train])))["mean"].tolist() == [60]


def test_metrics_side_by_side() -> None:
    """Means over classes of the means over seeds; the lower rate of false alarms is the better."""
    metrics = fits({("kde", "3"): [70, 80], ("kde", "5"): [90, 90], ("dcae", "3"): [60, 60], ("dcae", "5"): [60, 60]})
    (table,) = metric_document(summary_of(metrics), 0.05).tables
    assert table.columns[:4] == ["method", "AUC, %", "average precision, %", "FPR at 95 % TPR, %"]
    assert [[cell.text for cell in row[:4]] for row in table.rows] == [
        ["kde", "82.5 ± 10.6", "41.2 ± 5.3", "17.5 ± 10.6"],
        ["dcae", "60.0 ± 0.0", "30.0 ± 0.0", "40.0 ± 0.0"],
    ]
    assert [[cell.best for cell in row[1:4]] for row in table.rows] == [[True] * 3, [False] * 3]


@pytest.mark.parametrize(
    ("ours", "shown_as"), [(97.149, "0.0"), (97.051, "0.0"), (97.16, "+0.1"), (96.8, "−0.3"), (99.1, "+2.0")]
)
def test_a_difference_has_a_sign_unless_nothing_is_left_of_it(ours: float, shown_as: str) -> None:
    """To one decimal, of the published 97.1."""
    lines = lines_of(to_markdown(shown(fits({("kde", "3"): [ours]}))), "toy")
    assert lines["test − published"] == ["3", "test − published", shown_as]


def test_the_table_of_attacks_by_hand() -> None:
    """One column per evaluation, one line per method, and how the images were made."""
    metrics = pd.concat(
        [
            fits({("kde", "3"): [75.0, 100.0], ("own", "3"): [60.0, 60.0]}),
            fits({("kde", "3"): [80.0]}, evaluation="train"),
        ]
    )
    attacks = pd.DataFrame(
        {"attack": ["threes"], "steps": [7], "held_out": [True], "images": [30], "median_l2": [1.239]}, index=["toy"]
    )
    text = to_markdown(table4(summary_of(metrics), NO_REFERENCES, metrics, {"toy": "A remark."}, attacks, alpha=0.05))
    assert "Anomalies: 30 images of the attack `threes`, 7 steps, median L2 1.24; fitted on the training images" in text
    assert "A remark." in text
    (heading,) = [line for line in text.splitlines() if line.startswith("| method")]
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    columns = [name.strip() for name in heading.split("|")]
    kde, own = ([cell.strip() for cell in rows[name].split("|")] for name in ("kde", "own"))
    assert "87.5 ± 17.7" in kde[columns.index("test")]
    assert "80.0" in kde[columns.index("train")]
    assert "60.0 ± 0.0" in own[columns.index("test")]
    at_once = attacks.assign(held_out=False)
    assert "all images fitted and scored at once" in to_markdown(
        table4(summary_of(metrics), NO_REFERENCES, metrics, {}, at_once, alpha=0.05)
    )


@pytest.mark.parametrize(("counts", "words"), [([1, 1], "1 seed."), ([2, 2], "2 seeds."), ([1, 3], "1 to 3 seeds.")])
def test_how_many_seeds_the_cells_have(counts: list[int], words: str) -> None:
    cells = {(method, "3"): [70.0] * count for method, count in zip(("kde", "own"), counts, strict=True)}
    assert f"\n{words}" in to_markdown(shown(fits(cells)))


def test_degenerate_fits_are_listed_once() -> None:
    metrics = fits({("kde", "3"): [75, np.nan, np.nan]}, degenerate=[("kde", "3", 1), ("kde", "3", 2)])
    table = degenerate_fits(pd.concat([metrics, metrics.assign(evaluation="train")]))
    assert [row[3].text for row in table.rows] == ["1", "2"]
    assert table.listing
    assert below_chance(summary_of(metrics)).listing


def test_methods_are_compared_over_classes_where_there_are_several_of_both() -> None:
    """By hand: a is ahead in both classes of the test part, by 10 and by 20."""
    aucs = {("a", "3"): [90.0], ("b", "3"): [80.0], ("a", "5"): [70.0], ("b", "5"): [50.0]}
    summary = summary_of(fits(aucs))
    (table,) = comparison_document(summary, 0.05).tables
    assert (table.title, [[cell.value for cell in (row[1], row[3])] for row in table.rows]) == (
        "toy, test",
        [[1, 80], [2, 65]],
    )
    assert "2 classes, 2 methods" in table.note
    assert power_sentence(2, 2) in table.note
    (row,) = all_differences(summary).to_dict("records")
    assert (row["classes"], row["first"], row["second"], row["difference"]) == (2, "a", "b", pytest.approx(15))
    for lacking in ("b", "5"):
        fewer = summary_of(fits({key: values for key, values in aucs.items() if lacking not in key}))
        assert comparison_document(fewer, 0.05).tables == []
        assert all_differences(fewer).empty


def test_methods_are_compared_over_data_sets_each_of_which_counts_once() -> None:
    """By hand: of the data set with two classes the mean; ranks of a are 1, 1 and 2, b has no value for one of them."""
    parts = {
        "one": {("a", "3"): [90.0], ("a", "5"): [70.0], ("c", "3"): [60.0], ("c", "5"): [80.0], ("b", "3"): [99.0]},
        "two": {("a", "x"): [60.0, 70.0], ("b", "x"): [50.0, 50.0], ("c", "x"): [50.0, 52.0]},
        "three": {("a", "x"): [60.0], ("b", "x"): [99.0], ("c", "x"): [70.0]},
        "other": {("a", "x"): [10.0], ("b", "x"): [99.0], ("c", "x"): [99.0]},
    }
    parts["one"][("b", "5")] = [np.nan]
    metrics = pd.concat([fits(aucs).assign(experiment=name) for name, aucs in parts.items()])
    summary = summary_of(metrics, dict.fromkeys(parts))
    datasets = ["one", "two", "three"]
    rows = over_datasets(summary[summary["metric"] == "auc"], datasets)
    assert {(row["normal"], row["method"]): row["mean"] for row in rows.to_dict("records")} == {
        **{("one", "a"): 80, ("one", "b"): pytest.approx(np.nan, nan_ok=True), ("one", "c"): 70},
        **{("two", "a"): 65, ("two", "b"): 50, ("two", "c"): 51},
        **{("three", "a"): 60, ("three", "b"): 99, ("three", "c"): 70},
    }
    table, of_one = comparison_document(summary, 0.05, datasets).tables
    assert (table.title, of_one.title) == ("all data sets, test", "one, test")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["a", "1.33", "1.00 to 2.00", "68.33"],
        ["c", "1.67", "1.00 to 2.00", "63.67"],
    ]
    assert "3 data sets, 2 methods" in table.note
    assert "Without a rank: b, no value in 1 of 3 data sets." in table.note
    (row,) = all_differences(summary, datasets).query("experiment == 'all data sets'").to_dict("records")
    assert (row["classes"], row["difference"]) == (3, pytest.approx(14 / 3))


def test_a_method_that_a_data_set_lacks_has_no_rank_over_all() -> None:
    parts = {"one": {("a", "x"): [90.0], ("b", "x"): [80.0]}, "two": {("a", "x"): [90.0]}}
    metrics = pd.concat([fits(aucs).assign(experiment=name) for name, aucs in parts.items()])
    summary = summary_of(metrics, dict.fromkeys(parts))
    table, left_out = class_table(over_datasets(summary[summary["metric"] == "auc"], list(parts)))
    assert (list(table.columns), left_out) == (["a"], {"b": "no value in 1 of 2 data sets"})


def test_what_pairwise_tests_can_tell_at_all() -> None:
    """Of 3 methods there are 3 pairs: 3 · 2 / 2⁵ = 0.19 of five classes, 0.0059 of ten."""
    assert "over 3 methods (3 pairs) can reject at 5 %: its smallest p-value is 0.19" in power_sentence(5, 3)
    assert "over 3 pairs can have with 10 classes is 0.0059" in power_sentence(10, 3)
    assert "over 4 methods (6 pairs) can reject at 1 %" in power_sentence(10, 4, alpha=0.01)
