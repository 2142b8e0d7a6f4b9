"""Tables 3 and 4: what stands in their cells."""

import numpy as np
import pandas as pd
import pytest

from ocnn.report.rendering import to_markdown
from ocnn.report.tables import table3
from ocnn.results.summary import class_table, summarise
from tests.results.conftest import fits, published

PUBLISHED = published({("kde", "3"): 97.1})


def lines_of(text: str, title: str) -> dict[str, list[str]]:
    """The lines of a Markdown table by their second column."""
    rows = [line.split("|")[1:-1] for line in text.split(f"## {title}")[1].split("##")[0].splitlines() if "|" in line]
    return {row[1].strip(): [cell.strip() for cell in row] for row in rows}


def test_a_cell_by_hand() -> None:
    metrics = pd.concat([fits({("kde", "3"): [75, 100]}), fits({("kde", "3"): [np.nan] * 2}, evaluation="train")])
    (row,) = summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}).to_dict("records")
    assert row["test_mean"] == pytest.approx(87.5)
    assert row["test_std"] == pytest.approx(np.std([75, 100], ddof=1))
    assert (row["test_seeds"], row["train_seeds"], row["degenerate"], row["fits"]) == (2, 0, 0, 2)
    assert (row["published_mean"], row["published_std"]) == (97.1, 0.0)
    assert row["test_difference"] == pytest.approx(-9.6)
    assert np.isnan(row["train_mean"])
    # t(0.95, 1) = 6.3138, standard error = 12.5.
    assert (row["test_low"], row["test_high"]) == pytest.approx((87.5 - 78.92, 87.5 + 78.92), abs=0.01)
    text = to_markdown(table3(summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}), metrics, {"toy": "A remark."}))
    assert "2 seeds. A remark." in text
    lines = lines_of(text, "toy")
    assert lines["test"] == ["3", "test", "**87.5 ± 17.7**"]
    assert lines["published"] == ["3", "published", "**97.10 ± 0.0**"]
    assert lines["test − published"] == ["3", "test − published", "−9.6"]
    assert "train" not in lines
    assert "None." in text
    (other,) = summarise(metrics, PUBLISHED, {"toy": "toyset"}, {"kde": "ocsvm"}).to_dict("records")
    assert np.isnan(other["published_mean"])
    assert "97.10" not in to_markdown(table3(summarise(metrics, PUBLISHED, {"toy": None}, {}), metrics, {}))


def test_degenerate_and_missing_fits_are_visible_and_never_the_best() -> None:
    metrics = fits(
        {("kde", "3"): [75, 100, np.nan], ("dcae", "3"): [60, 61, 62], ("rcae", "3"): [np.nan] * 3},
        degenerate=[("kde", "3", 0), ("kde", "3", 2)],
    )
    text = to_markdown(table3(summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}), metrics, {}))
    assert lines_of(text, "toy")["test"] == ["3", "test", "87.5 ± 17.7 (2 of 3 seeds) †2/3", "**61.0 ± 1.0**", "–"]
    assert text.count("because") == 2
    assert lines_of(text, "toy")["test − published"][2] == "−9.6 †2/3"


def test_another_labs_results_are_one_more_line() -> None:
    metrics = fits({("kde", "3"): [75, 100], ("dcae", "3"): [60, 61]})
    lab = published({("kde", "3"): 88.25, ("dcae", "4"): 1.0})
    summary = summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}, references={"lab": lab})
    assert list(summary["lab_mean"].fillna(0)) == [88.25, 0]
    assert lines_of(to_markdown(table3(summary, metrics, {})), "toy")["lab"] == ["3", "lab", "**88.25**", "–"]


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
    table, left_out = class_table(summarise(metrics, PUBLISHED, {"toy": None}, {}), "test")
    assert table.to_dict() == {"a": {"0": pytest.approx(1.5), "1": pytest.approx(4)}}
    assert left_out == {"b": "degenerate fits in 1 of 2 classes", "c": "no AUC in 1 of 2 classes"}
