"""The tests behind the verdicts: by hand, against SciPy, statsmodels and scikit-posthocs, and their error rates."""

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs as posthocs
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ocnn.results.statistics import (
    VERDICTS,
    average_ranks,
    chance_limit,
    friedman,
    judge_means,
    pairwise_differences,
    smallest_holm_wilcoxon,
    t_interval,
    welch_p_values,
)


@pytest.fixture(autouse=True)
def _no_collecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """statsmodels collects garbage in each call: 70 ms, thousands of times."""
    monkeypatch.setattr("gc.collect", lambda: 0)


RNG = np.random.default_rng(0)
ZONE = {"margin": 2.0, "alpha": 0.05}


def judged(samples: np.ndarray, reference: float = 90.0) -> pd.DataFrame:
    """Verdicts on the rows of an array, one sample each."""
    count = np.full(len(samples), samples.shape[1])
    return judge_means(
        samples.mean(axis=1), samples.std(axis=1, ddof=1), count, np.full(len(samples), reference), **ZONE
    )


def test_the_interval_is_scipys() -> None:
    values = RNG.normal(90, 1, 10)
    low, high = t_interval([values.mean()], [values.std(ddof=1)], [10], 0.9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))
    assert np.isnan(t_interval([1.0], [np.nan], [1], 0.9)).all()


@pytest.mark.parametrize("mean", [86.0, 88.5, 90.0, 91.9, 95.0])
def test_the_p_values_are_those_of_scipy_and_statsmodels(mean: float) -> None:
    values = RNG.normal(mean, 1, 10)
    row = judged(values[None]).iloc[0]
    assert row["p_reproduced"] == pytest.approx(DescrStatsW(values).ttost_mean(88, 92)[0])
    assert row["p_better"] == pytest.approx(stats.ttest_1samp(values, 92, alternative="greater").pvalue)
    assert row["p_worse"] == pytest.approx(stats.ttest_1samp(values, 88, alternative="less").pvalue)


def test_verdicts_by_hand() -> None:
    # Two values 89.9 and 90.1: standard error 0.1, so t = 20 at either bound, p = 1/2 − arctan(20)/π = 0.0159.
    # Alone, Holm multiplies the smallest p-value by 3: 0.0477.
    assert judged(np.array([[89.9, 90.1]])).iloc[0]["verdict"] == "reproduced"
    assert judged(np.array([[89.9, 90.1]]))["p_reproduced"].iloc[0] == pytest.approx(0.5 - np.arctan(20) / np.pi)
    # With a second cell it multiplies by 6.
    assert list(judged(np.array([[89.9, 90.1], [80, 99]]))["verdict"]) == ["inconclusive"] * 2
    samples = np.array([[90, 90.1, 90.2], [95, 95.1, 95.2], [80, 80.1, 80.2], [85, 90, 95]])
    assert list(judged(samples)["verdict"]) == ["reproduced", "better", "worse", "inconclusive"]


def test_the_correction_is_holms_and_no_sharper_one() -> None:
    """A p-value between 0.05 / 3 and 1 − ∛0.95, at which Šidák's step would reject: t on either side is 2 / d."""
    p = 0.0168
    assert 0.05 / 3 < p < 1 - 0.95 ** (1 / 3)
    d = 2 / np.tan(np.pi * (0.5 - p))
    row = judged(np.array([[90 - d, 90 + d]])).iloc[0]
    assert (row["p_reproduced"], row["verdict"]) == (pytest.approx(p), "inconclusive")


def test_the_limit_of_chance_by_hand() -> None:
    """Of 10 and 10 samples a standard error of √(21 / 1200); of 1 and 1 it is ½, and no AUC is below chance."""
    found = chance_limit([10, 3, 1], [10, 6, 1], 0.05)
    z = stats.norm.isf(0.05)
    np.testing.assert_allclose(found, [0.5 - z * np.sqrt(21 / 1200), 0.5 - z * np.sqrt(10 / 216), 0])


def test_one_seed_establishes_nothing_and_no_spread_is_certain() -> None:
    assert judge_means([90], [np.nan], [1], [90], **ZONE)["verdict"].item() == "inconclusive"
    certain = judge_means([90, 95, 80, 92], [0, 0, 0, 0], [2, 2, 2, 2], [90, 90, 90, 90], **ZONE)
    assert list(certain["verdict"]) == ["reproduced", "better", "worse", "inconclusive"]
    assert judge_means([], [], [], [], **ZONE).empty


@given(
    values=st.lists(st.floats(50, 100), min_size=2, max_size=10),
    reference=st.floats(50, 100),
    margin=st.floats(0.1, 10),
)
def test_a_verdict_agrees_with_the_mean(values: list[float], reference: float, margin: float) -> None:
    sample = np.array(values)
    row = judge_means(
        [sample.mean()], [sample.std(ddof=1)], [len(sample)], [reference], margin=margin, alpha=0.05
    ).iloc[0]
    difference = sample.mean() - reference
    if row["verdict"] == "reproduced":
        assert abs(difference) < margin
    elif row["verdict"] == "better":
        assert difference > margin
    elif row["verdict"] == "worse":
        assert difference < -margin
    assert (row[["p_better", "p_worse"]] >= 0).all()


@pytest.mark.parametrize("std", [0.2, 1.5])
@pytest.mark.parametrize(
    ("difference", "wrong"),
    [
        (2.0001, ("reproduced", "worse")),  # at the edge of the zone, beyond it
        (1.9999, ("better", "worse")),  # at the edge, within it
        (-2.0001, ("reproduced", "better")),
        (0.0, ("better", "worse")),
        (6.0, ("reproduced", "worse")),
    ],
)
def test_the_chance_of_any_wrong_verdict_in_a_table_is_at_most_alpha(
    difference: float, wrong: tuple[str, ...], std: float
) -> None:
    """1,000 tables of 20 cells of 10 seeds each; 3 standard errors of the simulation are allowed for."""
    tables, cells, seeds = 1000, 20, 10
    samples = np.random.default_rng(1).normal(90 + difference, std, (tables, cells, seeds))
    mistakes = sum(judged(table)["verdict"].isin(wrong).any() for table in samples)
    assert mistakes / tables <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / tables)


def test_the_bound_is_not_slack_for_nothing() -> None:
    """A single cell at the edge of the zone is called reproduced with a chance near α/3, Holm's first step."""
    samples = np.random.default_rng(2).normal(92.0001, 1, (1500, 10))
    rate = np.mean([judged(sample[None])["verdict"].item() == "reproduced" for sample in samples])
    assert 0.05 / 3 * 0.5 < rate < 0.05 / 3 * 1.6


def test_the_rule_finds_what_is_there() -> None:
    """At 0.5 points of spread, ten seeds and a whole table of 90 cells."""
    rng = np.random.default_rng(3)
    for difference, expected in ((0.0, "reproduced"), (4.0, "better"), (-4.0, "worse")):
        samples = rng.normal(90 + difference, 0.5, (90, 10))
        assert (judged(samples)["verdict"] == expected).mean() > 0.95
    assert set(VERDICTS) == {"reproduced", "better", "worse"}


TABLE = pd.DataFrame(RNG.normal([90, 91, 93, 89], 2, (8, 4)), columns=list("abcd"))


def test_ranks_and_friedman() -> None:
    hand = pd.DataFrame({"x": [90, 80, 70], "y": [95, 80, 60], "z": [99, 85, 50]})
    # Ranks of x: 3, 2.5, 1; of y: 2, 2.5, 2; of z: 1, 1, 3.
    assert average_ranks(hand).to_dict() == {"z": pytest.approx(5 / 3), "x": 6.5 / 3, "y": 6.5 / 3}
    assert friedman(TABLE) == pytest.approx(tuple(stats.friedmanchisquare(*TABLE.to_numpy().T)))
    assert np.isnan(friedman(TABLE[["a", "b"]])).all()


def test_pairwise_differences() -> None:
    pairs = {(row["first"], row["second"]): row for row in pairwise_differences(TABLE).to_dict("records")}
    assert len(pairs) == 6
    row = pairs["a", "c"]
    difference = TABLE["a"] - TABLE["c"]
    interval = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    assert (row["low"], row["difference"], row["high"]) == pytest.approx(
        (interval.low, difference.mean(), interval.high)
    )
    long = TABLE.melt(var_name="method", value_name="auc")
    expected = posthocs.posthoc_wilcoxon(long, val_col="auc", group_col="method", p_adjust="holm")
    for (first, second), row in pairs.items():
        assert row["p_holm"] == pytest.approx(expected.loc[first, second])
    same = pairwise_differences(TABLE.assign(b=TABLE["a"]))
    assert same.loc[0, "p_wilcoxon"] == 1


@pytest.mark.filterwarnings("error")
def test_one_row_has_differences_but_no_interval() -> None:
    """And no warning either."""
    row = pairwise_differences(TABLE.iloc[:1, :2]).iloc[0]
    first, second = TABLE.iloc[0, :2].to_numpy()
    assert row["difference"] == first - second
    assert np.isnan([row["low"], row["high"]]).all()
    # Of two there is one: mean ± 12.706 standard errors, half the distance of the two.
    row = pairwise_differences(TABLE.iloc[:2, :2]).iloc[0]
    one, two = (TABLE["a"] - TABLE["b"]).iloc[:2]
    assert row["high"] - row["low"] == pytest.approx(12.7062 * abs(one - two), rel=1e-4)


def test_ten_classes_cannot_tell_nine_methods_apart() -> None:
    assert smallest_holm_wilcoxon(10, 9) == pytest.approx(36 * 2 / 1024)
    # The most extreme table there is: each method above the next in every class.
    table = pd.DataFrame(np.arange(9) * 10 + RNG.normal(0, 0.1, (10, 9)), columns=list("abcdefghi"))
    pairs = pairwise_differences(table)
    assert pairs["p_holm"].min() == pytest.approx(smallest_holm_wilcoxon(10, 9))
    assert pairs["p_holm"].min() > 0.05
    assert (pairs["high"] < 0).all()


def welch(samples: np.ndarray, references: np.ndarray) -> np.ndarray:
    """p-values of the rows of two arrays, a pair of samples each."""
    moments = [
        moment
        for part in (samples, references)
        for moment in (part.mean(axis=1), part.std(axis=1, ddof=1), np.full(len(part), part.shape[1]))
    ]
    return welch_p_values(*moments, margin=2.0)


@pytest.mark.parametrize("mean", [86.0, 88.5, 90.0, 91.9, 95.0])
def test_welchs_p_values_are_those_of_scipy_and_statsmodels(mean: float) -> None:
    own, other = RNG.normal(mean, 1, 10), RNG.normal(90, 3, 7)
    within, above, below = welch(own[None], other[None])[0]
    assert within == pytest.approx(CompareMeans.from_data(own, other).ttost_ind(-2, 2, usevar="unequal")[0])
    assert above == pytest.approx(stats.ttest_ind(own - 2, other, equal_var=False, alternative="greater").pvalue)
    assert below == pytest.approx(stats.ttest_ind(own + 2, other, equal_var=False, alternative="less").pvalue)


def test_welchs_p_values_by_hand() -> None:
    # 90 ± 0.1 against 90.1 ± 0.1, of two values each: standard errors √0.02/√2 = 0.1, together √0.02; as the variances
    # are the same, 2 degrees of freedom, with which P(T > t) = (1 − t/√(2 + t²))/2. The difference of −0.1 lies 1.9
    # from the lower bound, which decides, and 2.1 from the upper one.
    lower, upper = 1.9 / np.sqrt(0.02), 2.1 / np.sqrt(0.02)
    within, above, below = welch(np.array([[89.9, 90.1]]), np.array([[90.0, 90.2]]))[0]
    assert within == pytest.approx((1 - lower / np.sqrt(2 + lower**2)) / 2)
    assert above == pytest.approx((1 + upper / np.sqrt(2 + upper**2)) / 2)
    assert below == pytest.approx((1 + lower / np.sqrt(2 + lower**2)) / 2)


@given(
    values=st.lists(st.floats(50, 100), min_size=2, max_size=10),
    reference=st.floats(50, 100),
    count=st.integers(2, 20),
)
def test_a_reference_without_spread_is_exact(values: list[float], reference: float, count: int) -> None:
    sample = np.array(values)
    assume(sample.std() > 1e-6)
    of_sample = [sample.mean()], [sample.std(ddof=1)], [len(sample)]
    exact = judge_means(*of_sample, [reference], **ZONE)[[f"p_{name}" for name in VERDICTS]].to_numpy()
    assert welch_p_values(*of_sample, [reference], [0], [count], margin=2.0) == pytest.approx(exact, abs=1e-12)


def test_one_value_on_either_side_establishes_nothing() -> None:
    known, single = ([90.0], [0.1], [10]), ([90.0], [0.0], [1])
    assert np.isnan(welch_p_values(*known, *single, margin=2.0)).all()
    assert np.isnan(welch_p_values(*single, *known, margin=2.0)).all()
    certain = welch_p_values([90, 95, 80, 92], [0] * 4, [2] * 4, [90] * 4, [0] * 4, [2] * 4, margin=2.0)
    assert certain[:3].tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert np.isnan(certain[3, :2]).all()


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_a_reference_that_varies_is_not_exact(spread: float) -> None:
    """At the edge of the zone: Welch's test is wrong with a chance of α at most, that of an exact reference more."""
    tables, alpha = 4000, 0.05
    rng = np.random.default_rng(5)
    references = rng.normal(90, spread, (tables, 10))
    samples = rng.normal(92.0001, 1, (tables, 10))
    allowed = alpha + 3 * np.sqrt(alpha * (1 - alpha) / tables)
    wrong = (welch(samples, references)[:, 0] <= alpha).mean()
    assert wrong <= allowed
    means = references.mean(axis=1)
    exact = judge_means(samples.mean(axis=1), samples.std(axis=1, ddof=1), np.full(tables, 10), means, **ZONE)
    assert (exact["p_reproduced"] <= alpha).mean() > allowed
    print(f"spread {spread}: wrong {wrong:.3f}, as if exact {(exact['p_reproduced'] <= alpha).mean():.3f}")
