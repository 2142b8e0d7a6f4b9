"""Verdicts on published cells: which are judged, in which family, and what becomes of the rest."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import brentq

from ocnn.results.metrics import auc, auc_error
from ocnn.results.statistics import combined_error, judge_differences
from ocnn.results.summary import summarise
from ocnn.results.verdicts import ALL_VERDICTS, count_verdicts, judge, power_sentences, sample_error_at
from tests.results.conftest import fits, published

CLOSE, FAR = [90.0, 90.1, 90.2, 90.1], [70.0, 70.1, 70.2, 70.1]
PUBLISHED = published({("kde", "3"): 90, ("kde", "5"): 90, ("dcae", "3"): 90, ("dcae", "5"): 60, ("ocnn", "3"): 90})


RULE = {"margin": 2.0, "odds_ratio": 1.25, "alpha": 0.05}
METHODS = {"kde_wide": "kde", "kde_narrow": "kde", "first_ocnn": "ocnn"}


def judged(metrics: pd.DataFrame, evaluations: dict[str, str | None] | None = None) -> pd.DataFrame:
    summary = summarise(metrics, PUBLISHED, {"toy": "toyset"}, METHODS, alpha=0.05)
    return judge(summary, METHODS, evaluations or {"toy": "test"}, **RULE)


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
    assert cell["error"] == pytest.approx(0.0816 / 2, abs=1e-4)
    assert (cell["low"], cell["high"]) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-3)
    assert cell["reach"] == pytest.approx(0.1 + half, abs=1e-3)
    assert sum(np.isnan(row["p_better"]) for row in rows.values()) == 2


def test_one_seed_is_inconclusive() -> None:
    (row,) = judged(fits({("kde", "3"): [90.0]})).to_dict("records")
    assert (row["verdict"], row["reason"]) == ("inconclusive", "one seed has no interval")


def cell_worse_by(p: float) -> list[float]:
    """Three seeds with a standard deviation of 1 that are worse than 90 with this p-value of the lower bound."""
    t = stats.t.ppf(p, 2)
    return [88 + t / np.sqrt(3) + step for step in (-1.0, 0.0, 1.0)]


def test_a_family_of_n_cells_is_judged_at_alpha_over_n() -> None:
    """The other tail adds 0.0033 to a p-value of 0.015, and less to a smaller one."""
    cell = cell_worse_by(0.015)
    alone = judged(fits({("kde", "3"): cell}))
    assert alone["p_worse"].item() == pytest.approx(0.015 + stats.t.sf(4 * np.sqrt(3) - stats.t.ppf(0.015, 2), 2))
    assert 0.05 / 3 < alone["p_worse"].item() < 0.05 / 2
    beside = {("kde", "5"): [80.0, 99.0, 85.0], ("dcae", "3"): [80.0, 99.0, 85.0]}
    two = judged(fits({("kde", "3"): cell, ("kde", "5"): [80.0, 99.0, 85.0]}))
    three = judged(fits({("kde", "3"): cell, **beside}))
    assert [rows["verdict"].iloc[0] for rows in (alone, two, three)] == ["worse", "worse", "inconclusive"]
    # Neither a second cell as sure as this one, nor one that failed, makes it easier.
    assert judged(fits({("kde", "3"): cell, ("kde", "5"): cell, ("dcae", "3"): FAR[:3]}))["verdict"].tolist() == [
        "inconclusive",
        "inconclusive",
        "worse",
    ]
    failed = judged(fits({("kde", "3"): cell, **beside}, degenerate=[("dcae", "3", 0)]))
    assert failed["verdict"].tolist() == ["inconclusive", "inconclusive", "not comparable"]


def test_a_family_is_an_experiment() -> None:
    cell, wide = cell_worse_by(0.03), [80.0, 99.0, 85.0]
    together = judged(fits({("kde", "3"): cell, ("kde", "5"): wide}))
    assert together["verdict"].tolist() == ["inconclusive"] * 2
    metrics = pd.concat([fits({("kde", "3"): cell}), fits({("kde", "5"): cell}, experiment="other")])
    summary = summarise(metrics, PUBLISHED, {"toy": "toyset", "other": "toyset"}, {}, alpha=0.05)
    apart = judge(summary, {}, {"toy": "test", "other": "test"}, **RULE)
    assert apart["verdict"].tolist() == ["worse"] * 2


def test_only_the_published_protocol_is_judged() -> None:
    """Other evaluations and protocols have their differences, and no part in a family."""
    cell = cell_worse_by(0.03)
    metrics = pd.concat([fits({("kde", "3"): cell}), fits({("kde", "3"): cell, ("kde", "5"): FAR}, evaluation="train")])
    rows = judged(metrics)
    assert rows[["evaluation", "verdict", "reason"]].to_numpy().tolist() == [
        ["test", "worse", ""],
        ["train", "descriptive", "judged on test"],
        ["train", "descriptive", "judged on test"],
    ]
    assert rows["p_worse"].notna().tolist() == [True, False, False]
    assert rows["low"].notna().all()
    assert judged(metrics, {"toy": "train"})["verdict"].tolist() == ["descriptive", "inconclusive", "worse"]
    nowhere = judged(metrics, {"toy": None})
    assert set(nowhere["verdict"]) == {"descriptive"}
    assert set(nowhere["reason"]) == {"another protocol"}
    assert count_verdicts(nowhere)["descriptive"].tolist() == [1, 2]


def test_added_rows_do_not_enlarge_the_family_of_the_published_columns() -> None:
    cell = cell_worse_by(0.03)
    added = {("kde_wide", "3"): CLOSE[:3], ("kde_narrow", "3"): cell, ("own", "3"): FAR[:3]}
    rows = judged(fits({**added, ("kde", "3"): cell, ("first_ocnn", "3"): CLOSE[:3], ("dcae", "3"): FAR[:3]}))
    found = {row["method"]: (row["family"], row["verdict"]) for row in rows.to_dict("records")}
    alone = judged(fits({("kde", "3"): cell, ("first_ocnn", "3"): CLOSE[:3], ("dcae", "3"): FAR[:3]}))
    assert found == {
        "kde_wide": ("added", "reproduced"),
        # Two added cells: 0.03 and the other tail are more than 0.05 / 2.
        "kde_narrow": ("added", "inconclusive"),
        **{row["method"]: ("published", row["verdict"]) for row in alone.to_dict("records")},
    }
    # Without a row of the column's name, the first that is compared with it stands for it.
    assert found["first_ocnn"][0] == "published"
    without = judged(fits({("kde_wide", "3"): CLOSE[:3], ("kde_narrow", "3"): cell}))
    assert without["family"].tolist() == ["published", "added"]
    assert without["verdict"].tolist() == ["reproduced", "worse"]


def test_where_the_paper_s_seeds_are_known_the_test_is_welchs() -> None:
    """One cell of known seeds, one whose published mean is taken as exact; our values are the same."""
    known = published({("kde", "3"): 90, ("kde", "5"): 90}, runs={("kde", "3"): 1.5})
    ours = [94.0, 94.5, 95.0, 94.5]
    summary = summarise(fits({("kde", "3"): ours, ("kde", "5"): ours}), known, {"toy": "toyset"}, {}, alpha=0.05)
    welch, exact = judge(summary, {}, {"toy": "test"}, **RULE).to_dict("records")
    std = np.std(ours, ddof=1)
    assert (welch["published_runs"], exact["published_runs"]) == (10, 0)
    assert (welch["seed_error"], welch["published_error"]) == pytest.approx((std / 2, 1.5 / np.sqrt(10)))
    assert (exact["error"], exact["published_error"]) == (pytest.approx(std / 2), 0)
    for row, other in ((welch, (1.5, 10)), (exact, (0.0, 10))):
        tails = [
            stats.ttest_ind_from_stats(94.5 - bound, std, 4, 90, *other, equal_var=False, alternative="greater").pvalue
            for bound in (2, -2)
        ]
        assert row["p_better"] == pytest.approx(sum(tails))
    interval = stats.ttest_1samp(np.array(ours) - 90, 0).confidence_interval(0.9)
    assert (exact["low"], exact["high"]) == pytest.approx((interval.low, interval.high))
    assert exact["reach"] == pytest.approx(interval.high)
    # A method that does not vary is not certain, as the other side is not; without that nothing can be said.
    still = [94.5, 94.5]
    summary = summarise(fits({("kde", "3"): still, ("kde", "5"): still}), known, {"toy": "toyset"}, {}, alpha=0.05)
    welch, exact = judge(summary, {}, {"toy": "test"}, **RULE).to_dict("records")
    assert 0 < welch["p_better"] < 0.01
    assert (welch["reason"], exact["reason"], exact["verdict"]) == ("", "no standard error", "inconclusive")


def test_a_method_that_does_not_vary_is_not_certain() -> None:
    """Seeds of one value each, and samples whose choice has an error of half a point; one cell, normal distribution."""
    still = {("kde", "3"): [91.0, 91.0], ("kde", "5"): [90.0, 90.0]}
    (near, same) = judged(fits(still, sample_error=0.5)).to_dict("records")
    assert (near["seed_error"], near["sample_error"], near["error"]) == (0, pytest.approx(0.5), pytest.approx(0.5))
    # The error at a bound is that of an AUC there: of 92 for one of 91, and of 88, the wider one, for one of 90.
    at_upper, at_lower = np.sqrt(92 * 8 / (91 * 9)), np.sqrt(88 * 12 / (90 * 10))
    assert near["p_reproduced"] == pytest.approx(stats.norm.sf(2 / at_upper))
    assert same["p_reproduced"] == pytest.approx(stats.norm.sf(4 / at_lower))
    assert [near["verdict"], same["verdict"]] == ["reproduced", "reproduced"]
    assert near["high"] == pytest.approx(1 + 0.5 * stats.norm.isf(0.05))
    (wide,) = judged(fits({("kde", "3"): [91.0, 91.0]}, sample_error=0.7)).to_dict("records")
    assert wide["verdict"] == "inconclusive"
    # Of the seeds alone, which do not vary and so tell nothing either.
    assert wide["seeds_verdict"] == "inconclusive"
    (apart,) = judged(fits({("kde", "3"): [90.9, 91.0, 91.1]}, sample_error=0.7)).to_dict("records")
    assert (apart["verdict"], apart["seeds_verdict"]) == ("inconclusive", "reproduced")
    # With seeds beside variances add, and bounds in quadrature; the p-value is by the freedom that has that bound.
    (both,) = judged(fits({("kde", "3"): [89.0, 91.0]}, sample_error=0.5)).to_dict("records")
    assert both["error"] == pytest.approx(np.sqrt(1 + 0.25))
    p_values = []
    for samples in (0.25 * bound * (100 - bound) / 900 for bound in (88, 92)):
        bound = np.sqrt(stats.t.isf(0.05, 1) ** 2 + samples * stats.norm.isf(0.05) ** 2)
        error = np.sqrt(1 + samples)
        freedom = brentq(lambda f, bound=bound, error=error: error * stats.t.isf(0.05, f) - bound, 1, 100)
        p_values.append(stats.t.sf(2 / error, freedom))
    assert both["p_reproduced"] == pytest.approx(max(p_values))


@pytest.mark.parametrize("seed_spread", [0.0, 1.0])
def test_a_test_set_that_happens_to_be_easy_makes_no_wrong_verdict(seed_spread: float) -> None:
    """A method that lies just beyond the zone, five seeds to one test set, 300 times; to call it reproduced is wrong.

    By the seeds alone that happens far too often.
    """
    times, margin, rng = 300, 5.0, np.random.default_rng(0)
    labels = np.repeat([False, True], [400, 200])
    scores = rng.normal(size=(times, 600)) + labels
    on_set = np.array([[auc(labels, row), auc_error(labels, row)] for row in scores]) * 100
    aucs = on_set[:, :1] + seed_spread * rng.normal(size=(times, 5))
    # P(an anomaly scores above a normal sample) of normal distributions one apart.
    difference = aucs.mean(axis=1) - 100 * stats.norm.cdf(1 / np.sqrt(2)) + margin + 0.0001
    seeds, samples = np.maximum(aucs.var(axis=1, ddof=1) / 5, 1e-12), on_set[:, 1] ** 2
    rates = []
    for parts, freedoms in (([seeds, samples], [4, np.inf]), ([seeds], [4])):
        error, freedom = combined_error(np.column_stack(parts), [freedoms] * times, 0.05)
        found = judge_differences(difference, error, freedom, margin=margin, level=0.05)["verdict"]
        rates.append((found == "reproduced").mean())
    assert rates[0] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)
    assert rates[1] > 0.2


def test_the_odds_ratio_by_hand() -> None:
    """75 % are odds of 3, 60 % of 1.5; errors are divided by 0.1875 and by 0.24."""
    known = published({("kde", "3"): 60}, runs={("kde", "3"): np.sqrt(10) * 0.3})
    metrics = fits({("kde", "3"): [74.0, 76.0]}, sample_error=0.5)
    summary = summarise(metrics, known, {"toy": "toyset"}, {}, alpha=0.05)
    (row,) = judge(summary, {}, {"toy": "test"}, **RULE).to_dict("records")
    assert row["odds_ratio"] == pytest.approx(2)
    parts = np.array([0.01 / 0.1875, 0.005 / 0.1875, 0.003 / 0.24]) ** 2
    # By Welch of our two seeds and the paper's ten; beside them the samples.
    estimated = parts[0] + parts[2]
    freedom = estimated**2 / (parts[0] ** 2 + parts[2] ** 2 / 9)
    half = np.sqrt(estimated * stats.t.isf(0.05, freedom) ** 2 + parts[1] * stats.norm.isf(0.05) ** 2)
    assert np.log([row["odds_low"], row["odds_high"]]) == pytest.approx([np.log(2) - half, np.log(2) + half])
    assert row["odds_verdict"] == "better"


def test_the_odds_mean_the_same_at_60_and_at_99() -> None:
    """Two points are little at 60 and everything at 99; the odds say so, the points decide."""
    cells = {("kde", "3"): 60.0, ("kde", "5"): 99.0, ("dcae", "3"): 60.0, ("dcae", "5"): 99.9}
    ours = {("kde", "3"): 63.0, ("kde", "5"): 97.9, ("dcae", "3"): 60.1, ("dcae", "5"): 100.0}
    metrics = fits({key: [value - 0.05, value + 0.05] * 5 for key, value in ours.items()}).assign(auc_error=1e-5)
    metrics["auc"] = metrics["auc"].where(metrics["normal"].eq("3") | metrics["method"].eq("kde"), 1.0)
    summary = summarise(metrics, published(cells), {"toy": "toyset"}, {}, alpha=0.05)
    rows = judge(summary, {}, {"toy": "test"}, **RULE).set_index(["method", "normal"])
    assert rows["verdict"].to_dict() == {
        ("kde", "3"): "better",
        ("kde", "5"): "reproduced",
        ("dcae", "3"): "reproduced",
        ("dcae", "5"): "reproduced",
    }
    assert rows["odds_verdict"].to_dict() == {
        ("kde", "3"): "reproduced",
        ("kde", "5"): "worse",
        ("dcae", "3"): "reproduced",
        # 100 % has no odds.
        ("dcae", "5"): "inconclusive",
    }
    # The same whichever kind of samples is called the anomalies.
    turned = published({key: 100 - value for key, value in cells.items()})
    metrics["auc"] = 1 - metrics["auc"]
    turned = judge(summarise(metrics, turned, {"toy": "toyset"}, {}, alpha=0.05), {}, {"toy": "test"}, **RULE)
    kde = turned[turned["method"] == "kde"]
    assert kde["odds_ratio"].to_numpy() == pytest.approx(1 / rows["odds_ratio"].to_numpy()[:2])
    assert kde["odds_verdict"].tolist() == ["reproduced", "better"]


def test_the_error_at_a_bound() -> None:
    found = sample_error_at([50, 99, 100, 101, 50, 97], [90, 99, 99, 99, 100, 0], [0.3] * 6)
    assert found == pytest.approx([0.5, 0.3, 0.3, 0.3, 0.3, 0.3])
    assert sample_error_at([99.5], [90], [0.3]) == pytest.approx(0.3 * np.sqrt(99.5 * 0.5 / 900))


def test_near_100_an_easy_test_set_has_no_error_that_is_too_small() -> None:
    """Test sets of a method whose true AUC is 97 %: how often they establish more than that, at a level of 5 %."""
    times, rng, labels = 2000, np.random.default_rng(0), np.repeat([False, True], [100, 300])
    scores = rng.normal(size=(times, 400)) + labels * stats.norm.ppf(0.97) * np.sqrt(2)
    ranks = stats.rankdata(scores, axis=1)[:, labels]
    aucs = 100 * (ranks.sum(axis=1) - 300 * 301 / 2) / (300 * 100)
    errors = 100 * np.array([auc_error(labels, row) for row in scores])
    plain, scaled = ((aucs - 97) / error for error in (errors, sample_error_at(97, aucs, errors)))
    above, below = stats.norm.isf(0.05), -stats.norm.isf(0.05)
    assert (plain > above).mean() > 0.07
    assert (scaled > above).mean() < 0.07
    # Of both sides together, which is what a false `better` or `worse` is, no more than their levels.
    assert ((scaled > above) | (scaled < below)).mean() <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / times)


def test_the_sentence_on_power_is_that_of_the_seeds_at_hand() -> None:
    metrics = fits(
        {("kde", "3"): CLOSE, ("kde", "5"): FAR, ("kde_wide", "3"): [80.0, 99.0, 90.0, 70.0]}, sample_error=0.1
    )
    published, added = power_sentences(judged(metrics), 2.0)
    # Four seeds with a standard deviation of 0.0816: an error of 0.04 beside the 0.1, and next to it two points.
    assert published == (
        "toy, `test`, published: 2 cells of 4 seeds, each judged at 2.5 %; median errors of 0.04 points over seeds and"
        " 0.10 by the choice of samples. If no cell differed at all, about 100 % of them would be called reproduced; if"
        " each lay 4 points off, about 100 % better or worse."
    )
    assert "added: 1 cells of 4 seeds, each judged at 5 %" in added
    assert "about 0 % of them would be called reproduced" in added
    (single,) = power_sentences(judged(fits({("kde", "3"): [90.0]})), 2.0)
    assert single == "toy, `test`, published: with 1 seed nothing can be told."
    assert power_sentences(judged(metrics, {"toy": None}), 2.0) == []


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
    rows = judge(summary.set_axis(summary.index + 7), {}, dict.fromkeys(experiments, "test"), **RULE)
    assert list(rows["experiment"]) == ["z", "z", "a", "a", "m", "m"]
    assert list(rows["method"]) == ["kde", "dcae"] * 3
    assert list(rows.index) == list(range(6))
    counts = count_verdicts(rows)
    assert list(counts["experiment"]) == ["z", "z", "a", "a", "m", "m"]


def test_nothing_published_is_no_verdict() -> None:
    summary = summarise(fits({("kde", "3"): CLOSE}), PUBLISHED, {"toy": None}, {}, alpha=0.05)
    rows = judge(summary, {}, {"toy": "test"}, **RULE)
    assert rows.empty
    assert {"verdict", "reason", "p_better", "reach"} <= set(rows.columns)
    assert count_verdicts(rows).empty
