"""Verdicts on published cells: which are judged, in which family, and what becomes of the rest."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ocnn.results.summary import summarise
from ocnn.results.verdicts import ALL_VERDICTS, count_verdicts, judge
from tests.results.conftest import fits, published

CLOSE, FAR = [90.0, 90.1, 90.2, 90.1], [70.0, 70.1, 70.2, 70.1]
PUBLISHED = published({("kde", "3"): 90, ("kde", "5"): 90, ("dcae", "3"): 90, ("dcae", "5"): 60, ("ocnn", "3"): 90})


def judged(metrics: pd.DataFrame) -> pd.DataFrame:
    summary = summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}, alpha=0.05)
    return judge(summary, margin=2.0, alpha=0.05)


def test_each_published_cell_has_a_verdict_and_a_reason() -> None:
    metrics = fits(
        {
            ("kde", "3"): CLOSE,
            ("kde", "5"): FAR,
            ("dcae", "3"): [90.0, 90.1, float("nan"), 90.2],
            ("dcae", "5"): FAR,
            ("ocnn", "3"): CLOSE,
            ("own", "3"): CLOSE,
        },
        degenerate=[("ocnn", "3", 2)],
    )
    rows = {(row["method"], row["normal"]): row for row in judged(metrics).to_dict("records")}
    assert {key: row["verdict"] for key, row in rows.items()} == {
        ("kde", "3"): "reproduced",
        ("kde", "5"): "worse",
        ("dcae", "3"): "not comparable",
        ("dcae", "5"): "better",
        ("ocnn", "3"): "not comparable",
    }
    assert rows["dcae", "3"]["reason"] == "1 of 4 fits without AUC"
    assert rows["ocnn", "3"]["reason"] == "1 of 4 fits diverged or collapsed"
    cell = rows["kde", "3"]
    # The mean is 90.1, the standard deviation 0.0816, t(0.95, 3) = 2.3534.
    half = 2.3534 * 0.0816 / 2
    assert (cell["low"], cell["high"]) == pytest.approx((90.1 - half, 90.1 + half), abs=1e-3)
    assert cell["reach"] == pytest.approx(0.1 + half, abs=1e-3)
    assert sum(np.isnan(row["p_better"]) for row in rows.values()) == 2


def test_one_seed_is_inconclusive() -> None:
    (row,) = judged(fits({("kde", "3"): [90.0]})).to_dict("records")
    assert (row["verdict"], row["reason"]) == ("inconclusive", "one seed has no interval")


def test_a_family_is_an_experiment_under_one_evaluation() -> None:
    """A borderline cell is established alone, and is not in the company of others (by hand in test_statistics)."""
    borderline, wide = [89.9, 90.1], [80.0, 99.0]
    alone = judged(fits({("kde", "3"): borderline}))
    together = judged(fits({("kde", "3"): borderline, ("kde", "5"): wide}))
    apart = judged(pd.concat([fits({("kde", "3"): borderline}), fits({("kde", "5"): wide}, evaluation="train")]))
    assert alone["verdict"].tolist() == ["reproduced"]
    assert together["verdict"].tolist() == ["inconclusive"] * 2
    # Now each is alone in its family.
    verdicts = apart.set_index(["evaluation", "normal"])["verdict"].to_dict()
    assert verdicts == {("test", "3"): "reproduced", ("train", "5"): "inconclusive"}


def test_it_is_holms_correction_that_keeps_the_level() -> None:
    """Two cells worse with p = 0.015 each, of six hypotheses.

    Holm compares the smallest with 0.05 / 6; Benjamini and Hochberg would compare the second with 2 · 0.05 / 6.
    """
    t = stats.t.ppf(0.015, 2)
    # Of three seeds with a standard deviation of 1: the statistic against 88, the lower edge of the zone, is t.
    cell = [88 + t / np.sqrt(3) + step for step in (-1.0, 0.0, 1.0)]
    rows = judged(fits({("kde", "3"): cell, ("kde", "5"): cell}))
    assert rows["p_worse"].tolist() == pytest.approx([0.015, 0.015])
    assert rows["verdict"].tolist() == ["inconclusive"] * 2
    # With p = 0.008, below 0.05 / 6, both are established.
    cell = [88 + stats.t.ppf(0.008, 2) / np.sqrt(3) + step for step in (-1.0, 0.0, 1.0)]
    assert judged(fits({("kde", "3"): cell, ("kde", "5"): cell}))["verdict"].tolist() == ["worse"] * 2


def test_counts_per_column() -> None:
    counts = count_verdicts(judged(fits({("kde", "3"): CLOSE, ("kde", "5"): FAR, ("dcae", "5"): FAR})))
    kde, dcae = counts.to_dict("records")
    assert (kde["cells"], kde["reproduced"], kde["worse"], kde["seeds"]) == (2, 1, 1, 4)
    assert dcae["better"] == 1
    assert sum(kde[verdict] for verdict in ALL_VERDICTS) == kde["cells"]


def test_rows_are_in_the_order_of_the_summary() -> None:
    """That of the configuration, not the alphabet's; each has an index of its own."""
    experiments = ["z", "a", "m"]
    metrics = pd.concat([fits({("kde", "3"): CLOSE, ("dcae", "3"): FAR}, experiment=name) for name in experiments])
    summary = summarise(metrics, PUBLISHED, dict.fromkeys(experiments, "toyset"), {}, alpha=0.05)
    rows = judge(summary.set_axis(summary.index + 7), margin=2.0, alpha=0.05)
    assert list(rows["experiment"]) == ["z", "z", "a", "a", "m", "m"]
    assert list(rows["method"]) == ["kde", "dcae"] * 3
    assert list(rows.index) == list(range(6))
    counts = count_verdicts(rows)
    assert list(counts["experiment"]) == ["z", "z", "a", "a", "m", "m"]


def test_nothing_published_is_no_verdict() -> None:
    summary = summarise(fits({("kde", "3"): CLOSE}), PUBLISHED, {"toy": None}, {}, alpha=0.05)
    rows = judge(summary, margin=2.0, alpha=0.05)
    assert rows.empty
    assert {"verdict", "reason", "p_better", "reach"} <= set(rows.columns)
    assert count_verdicts(rows).empty
