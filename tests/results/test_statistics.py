"""The tests behind the verdicts: by hand, against SciPy, statsmodels and scikit-posthocs, and their error rates."""

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs as posthocs
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ocnn.results.statistics import (
    VERDICTS,
    average_ranks,
    chance_limit,
    combined_error,
    friedman,
    judge_differences,
    pairwise_differences,
    smallest_holm_wilcoxon,
    t_interval,
    verdict_power,
)


@pytest.fixture(autouse=True)
def _no_collecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """statsmodels collects garbage in each call: 70 ms, thousands of times."""
    monkeypatch.setattr("gc.collect", lambda: 0)


RNG = np.random.default_rng(0)
MARGIN, ALPHA = 2.0, 0.05


def judged(samples: np.ndarray, reference: float = 90.0, level: float = ALPHA) -> pd.DataFrame:
    """Verdicts on the rows of an array, one sample each, against an exact reference."""
    count = samples.shape[1]
    variances, freedoms = samples.var(axis=1, ddof=1)[:, None] / count, np.full((len(samples), 1), count - 1)
    error, freedom = combined_error(variances, freedoms, level)
    return judge_differences(samples.mean(axis=1) - reference, error, freedom, margin=MARGIN, level=level)


def allowed(repetitions: int, rate: float = ALPHA) -> float:
    """A rate, and three standard errors of its simulation."""
    return rate + 3 * np.sqrt(rate * (1 - rate) / repetitions)


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
    above = [stats.ttest_1samp(values, bound, alternative="greater").pvalue for bound in (92, 88)]
    below = [stats.ttest_1samp(values, bound, alternative="less").pvalue for bound in (88, 92)]
    assert row["p_better"] == pytest.approx(min(1, sum(above)))
    assert row["p_worse"] == pytest.approx(min(1, sum(below)))


def test_verdicts_by_hand() -> None:
    # Two values 89.9 and 90.1: standard error 0.1, so t = 20 at either bound, p = 1/2 − arctan(20)/π = 0.0159.
    values = np.array([[89.9, 90.1]])
    assert judged(values)["p_reproduced"].item() == pytest.approx(0.5 - np.arctan(20) / np.pi)
    assert judged(values, level=0.016)["verdict"].item() == "reproduced"
    assert judged(values, level=0.0158)["verdict"].item() == "inconclusive"
    # 95.9 and 96.1: t = 40 at the upper bound, and 80 at the lower one, beyond which the other tail begins.
    values = np.array([[95.9, 96.1]])
    p = 1 - (np.arctan(40) + np.arctan(80)) / np.pi
    assert judged(values)["p_better"].item() == pytest.approx(p)
    assert judged(values, level=1.001 * p)["verdict"].item() == "better"
    assert judged(values, level=0.999 * p)["verdict"].item() == "inconclusive"
    samples = np.array([[90, 90.1, 90.2], [95, 95.1, 95.2], [80, 80.1, 80.2], [85, 90, 95]])
    assert list(judged(samples)["verdict"]) == ["reproduced", "better", "worse", "inconclusive"]


def test_the_limit_of_chance_by_hand() -> None:
    """Of 10 and 10 samples a standard error of √(21 / 1200); of 1 and 1 it is ½, and no AUC is below chance."""
    found = chance_limit([10, 3, 1], [10, 6, 1], 0.05)
    z = stats.norm.isf(0.05)
    np.testing.assert_allclose(found, [0.5 - z * np.sqrt(21 / 1200), 0.5 - z * np.sqrt(10 / 216), 0])


def test_what_has_no_error_establishes_nothing() -> None:
    error, freedom = combined_error([[np.nan], [0.0]], [[0], [9]], ALPHA)
    assert np.isnan([error, freedom]).all()
    rows = judge_differences([0.0, 9.0], error, freedom, margin=MARGIN, level=ALPHA)
    assert list(rows["verdict"]) == ["inconclusive"] * 2
    assert rows[[f"p_{name}" for name in VERDICTS]].isna().all(axis=None)
    assert judge_differences([], [], [], margin=MARGIN, level=ALPHA).empty


@given(
    values=st.lists(st.floats(50, 100), min_size=2, max_size=10),
    reference=st.floats(50, 100),
    margin=st.floats(0.1, 10),
)
def test_a_verdict_agrees_with_the_mean(values: list[float], reference: float, margin: float) -> None:
    sample = np.array(values)
    error, freedom = combined_error([[sample.var(ddof=1) / len(sample)]], [[len(sample) - 1]], ALPHA)
    difference = sample.mean() - reference
    row = judge_differences([difference], error, freedom, margin=margin, level=ALPHA).iloc[0]
    if row["verdict"] == "reproduced":
        assert abs(difference) < margin
    elif row["verdict"] == "better":
        assert difference > margin
    elif row["verdict"] == "worse":
        assert difference < -margin
    assert sum(row[f"p_{name}"] <= ALPHA for name in VERDICTS) <= 1


def test_the_parts_of_an_error_by_hand() -> None:
    # 4 and 1 of 2 degrees of freedom each: 5² / (16/2 + 1/2).
    parts = [[4, 1, 0], [4, 1, 3], [0, 0, 4]]
    error, freedom = combined_error(parts, [[2, 2, np.inf]] * 2 + [[9, 9, np.inf]], ALPHA)
    assert error == pytest.approx(np.sqrt([5, 8, 4]))
    assert freedom[[0, 2]] == pytest.approx([25 / 8.5, np.inf])
    # With a known part of 3 beside, the bounds of 5 and of 3 are added in quadrature.
    bound = np.sqrt(5 * stats.t.isf(ALPHA, 25 / 8.5) ** 2 + 3 * stats.norm.isf(ALPHA) ** 2)
    assert error[1] * stats.t.isf(ALPHA, freedom[1]) == pytest.approx(bound)
    # At each level its own.
    levels = [0.2, 0.01, 1e-4]
    errors, freedoms = combined_error([[4, 3]] * 3, [[2, np.inf]] * 3, levels)
    expected = np.sqrt(4 * stats.t.isf(levels, 2) ** 2 + 3 * stats.norm.isf(levels) ** 2)
    assert errors * stats.t.isf(levels, freedoms) == pytest.approx(expected)
    # Without limit of the degrees of freedom it is the normal distribution.
    row = judge_differences([0.0], error[2:], freedom[2:], margin=5.0, level=ALPHA).iloc[0]
    assert row["p_reproduced"] == pytest.approx(stats.norm.sf(2.5))


def region(difference: float) -> str:
    """The verdict that is true."""
    return "reproduced" if abs(difference) <= MARGIN else "better" if difference > 0 else "worse"


@pytest.mark.parametrize("std", [0.2, 1.5, 40.0])
@pytest.mark.parametrize("difference", [2.0001, 1.9999, -2.0001, 0.0, 6.0])
def test_the_chance_of_any_wrong_verdict_in_a_table_is_at_most_alpha(difference: float, std: float) -> None:
    """1,000 tables of 20 cells of 10 seeds each, all at the same place: at an edge of the zone, in it and beyond."""
    tables, cells, seeds = 1000, 20, 10
    samples = np.random.default_rng(1).normal(90 + difference, std, (tables * cells, seeds))
    verdicts = judged(samples, level=ALPHA / cells)["verdict"].to_numpy()
    wrong = ((verdicts != "inconclusive") & (verdicts != region(difference))).reshape(tables, cells).any(axis=1)
    assert wrong.mean() <= allowed(tables)


def test_wrong_verdicts_are_as_rare_where_cells_lie_anywhere_and_hang_together() -> None:
    """True differences all over the edges, spreads from a tenth to twenty points, and a shared error of all cells."""
    tables, cells, seeds = 2000, 20, 10
    rng = np.random.default_rng(7)
    true = rng.choice([-2.0001, -1.9999, 0.0, 1.9999, 2.0001, 5.0], (tables, cells))
    std = 10 ** rng.uniform(-1, 1.3, (tables, cells))
    noise = np.sqrt(0.7) * rng.normal(size=(tables, 1, seeds)) + np.sqrt(0.3) * rng.normal(size=(tables, cells, seeds))
    samples = 90 + true[..., None] + std[..., None] * noise
    verdicts = judged(samples.reshape(-1, seeds), level=ALPHA / cells)["verdict"].to_numpy().reshape(tables, cells)
    truth = np.vectorize(region)(true)
    wrong = ((verdicts != "inconclusive") & (verdicts != truth)).any(axis=1)
    assert wrong.mean() <= allowed(tables)


@pytest.mark.parametrize("freedom", [1, 4, 9])
@pytest.mark.parametrize("zone", [0.05, 0.5, 2.0, 6.0])
def test_a_single_cell_is_wrong_no_more_often_than_its_level(freedom: int, zone: float) -> None:
    """At the edge and in the middle of zones from a twentieth of a standard error up to six, by 100,000 draws."""
    draws, level = 100_000, 0.05
    rng = np.random.default_rng(11)
    error = np.sqrt(rng.chisquare(freedom, draws) / freedom)
    for true in (zone, 0.0):
        found = judge_differences(
            true + rng.normal(size=draws), error, np.full(draws, freedom), margin=zone, level=level
        )
        assert found["verdict"].isin(["better", "worse"]).mean() <= allowed(draws, level)
    # One tail would not be enough: of a narrow zone both happen.
    if zone == 0.05:
        one_tail = 2 * stats.norm.sf(stats.t.isf(level, 10**6) + zone)
        assert one_tail > 1.7 * level


def test_the_bound_is_not_slack_for_nothing() -> None:
    """A single cell at the edge of the zone is called reproduced with a chance near its level."""
    rate = (judged(np.random.default_rng(2).normal(92.0001, 1, (20_000, 10)))["verdict"] == "reproduced").mean()
    assert 0.9 * ALPHA < rate <= allowed(20_000)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("ratio", [0.25, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("cells", [1, 10, 90])
def test_few_seeds_beside_a_test_set_make_no_wrong_verdict(seeds: int, ratio: float, cells: int) -> None:
    """A difference at an edge of the zone; the error over seeds is so many times that of the samples.

    By the degrees of freedom of Satterthwaite two seeds were wrong up to 24 times as often as a table of 90 allows.
    """
    times, level, rng = 400_000, ALPHA / cells, np.random.default_rng(9)
    variances = np.column_stack([rng.chisquare(seeds - 1, times) / (seeds - 1) * ratio**2, np.ones(times)])
    differences = MARGIN + rng.normal(0, np.sqrt(ratio**2 + 1), times)
    # The bound itself, and not through the degrees of freedom, as these take long to find.
    bound = np.sqrt(variances @ [stats.t.isf(level, seeds - 1) ** 2, stats.norm.isf(level) ** 2])
    rate = (differences - MARGIN >= bound).mean()
    assert rate <= allowed(times, level)
    few = 2000
    error, freedom = combined_error(variances[:few], [[seeds - 1, np.inf]] * few, level)
    np.testing.assert_allclose(error * stats.t.isf(level, freedom), bound[:few], rtol=1e-6)


def test_the_rule_finds_what_is_there() -> None:
    """At 0.5 points of spread, ten seeds and a whole table of 90 cells."""
    rng = np.random.default_rng(3)
    for difference in (0.0, 4.0, -4.0):
        samples = rng.normal(90 + difference, 0.5, (900, 10))
        assert (judged(samples, level=ALPHA / 90)["verdict"] == region(difference)).mean() > 0.95


def holm_over_all(samples: np.ndarray) -> np.ndarray:
    """The verdicts of Holm's correction over the three one-sided hypotheses of each cell of a table."""
    p_lower, p_upper = (stats.ttest_1samp(samples, bound, axis=1, alternative="greater").pvalue for bound in (88, 92))
    p = np.column_stack([np.maximum(p_lower, 1 - p_upper), p_upper, 1 - p_lower])
    rejected = multipletests(p.ravel(), alpha=ALPHA, method="holm")[0].reshape(p.shape)
    return np.where(rejected.any(axis=1), np.asarray(VERDICTS)[rejected.argmax(axis=1)], "inconclusive")


@pytest.mark.parametrize(("difference", "std"), [(0.0, 1.0), (0.0, 1.4), (3.5, 0.8), (-4.0, 1.5)])
def test_a_correction_over_cells_finds_more_than_one_over_hypotheses(difference: float, std: float) -> None:
    """100 tables of 90 cells of 10 seeds, judged by either rule."""
    samples = np.random.default_rng(4).normal(90 + difference, std, (100, 90, 10))
    before = np.mean([holm_over_all(table) == region(difference) for table in samples])
    after = (judged(samples.reshape(-1, 10), level=ALPHA / 90)["verdict"] == region(difference)).mean()
    print(f"difference {difference}, spread {std}: before {before:.3f}, after {after:.3f}")
    assert after > before


@pytest.mark.parametrize(("difference", "std"), [(0.0, 1.4), (1.0, 0.7), (3.5, 0.8), (-4.0, 1.5)])
def test_the_power_that_is_said_is_that_of_the_rule(difference: float, std: float) -> None:
    """Ten seeds, beside an error of samples of 0.3 points, judged as one of 90 cells, 20,000 times."""
    times, level = 20_000, ALPHA / 90
    rng = np.random.default_rng(8)
    samples = rng.normal(difference, std, (times, 10)) + rng.normal(0, 0.3, (times, 1))
    parts = np.column_stack([samples.var(axis=1, ddof=1) / 10, np.full(times, 0.09)])
    error, freedom = combined_error(parts, [[9, np.inf]] * times, level)
    found = judge_differences(samples.mean(axis=1), error, freedom, margin=MARGIN, level=level)["verdict"]
    true = combined_error([[std**2 / 10, 0.09]], [[9, np.inf]], level)
    said = verdict_power(difference, *true, margin=MARGIN, level=level).item()
    assert said == pytest.approx((found == region(difference)).mean(), abs=0.06)


def test_the_power_of_a_known_error_by_hand() -> None:
    """Beyond the margin of 2 by 2 at an error of 1 and a level of 5 %: P(Z > 1.6449 − 2); within, of 3 errors."""
    found = verdict_power(4.0, [1.0, np.nan], [np.inf, np.inf], margin=2.0, level=[0.05, 0.05])
    assert found == pytest.approx([stats.norm.sf(1.6449 - 2), np.nan], abs=1e-4, nan_ok=True)
    within = verdict_power(0.0, [1.0], [np.inf], margin=3.0, level=0.05)
    assert within == pytest.approx(1 - 2 * stats.norm.sf(3 - 1.6449), abs=1e-4)


TABLE = pd.DataFrame(RNG.normal([90, 91, 93, 89], 2, (8, 4)), columns=list("abcd"))


def test_ranks_and_friedman() -> None:
    hand = pd.DataFrame({"x": [90, 80, 70], "y": [95, 80, 60], "z": [99, 85, 50]})
    # Ranks of x: 3, 2.5, 1; of y: 2, 2.5, 2; of z: 1, 1, 3.
    assert average_ranks(hand)["rank"].to_dict() == {"z": pytest.approx(5 / 3), "x": 6.5 / 3, "y": 6.5 / 3}
    # Of z the ranks 1, 1, 3: t(0.975, 2) = 4.3027, standard error = 1.1547 / √3; no rank is above 1 or below 3.
    assert list(average_ranks(hand).loc["z", ["low", "high"]]) == [1, 3]
    alike = pd.DataFrame({"a": [3.0, 3.0, 1.0, 3.0], "b": [2.0, 2.0, 3.0, 2.0], "c": [1.0, 1.0, 2.0, 1.0]})
    # Of a the ranks 1, 1, 3, 1: mean 1.5, standard deviation 1; t(0.75, 3) = 0.7649.
    assert list(average_ranks(alike, 0.5).loc["a"]) == pytest.approx([1.5, 1.5 - 0.38245, 1.5 + 0.38245], abs=1e-4)
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


def welch(samples: np.ndarray, references: np.ndarray) -> pd.DataFrame:
    """Verdicts on the rows of two arrays, a pair of samples each."""
    parts = (samples, references)
    error, freedom = combined_error(
        np.column_stack([part.var(axis=1, ddof=1) / part.shape[1] for part in parts]),
        [[part.shape[1] - 1 for part in parts]] * len(samples),
        ALPHA,
    )
    difference = samples.mean(axis=1) - references.mean(axis=1)
    return judge_differences(difference, error, freedom, margin=MARGIN, level=ALPHA)


@pytest.mark.parametrize("mean", [86.0, 88.5, 90.0, 91.9, 95.0])
def test_welchs_p_values_are_those_of_scipy_and_statsmodels(mean: float) -> None:
    own, other = RNG.normal(mean, 1, 10), RNG.normal(90, 3, 7)
    row = welch(own[None], other[None]).iloc[0]
    expected = CompareMeans.from_data(own, other).ttost_ind(-2, 2, usevar="unequal")[0]
    assert row["p_reproduced"] == pytest.approx(expected)
    above = [
        stats.ttest_ind(own + shift, other, equal_var=False, alternative="greater").pvalue
        for shift in (-MARGIN, MARGIN)
    ]
    assert row["p_better"] == pytest.approx(min(1, sum(above)))
    assert row["p_worse"] == pytest.approx(min(1, 2 - sum(above)))


def test_welchs_p_values_by_hand() -> None:
    # 90 ± 0.1 against 90.1 ± 0.1, of two values each: standard errors √0.02/√2 = 0.1, together √0.02; as the variances
    # are the same, 2 degrees of freedom, with which P(T > t) = (1 − t/√(2 + t²))/2. The difference of −0.1 lies 1.9
    # from the lower bound, which decides, and 2.1 from the upper one.
    lower, upper = 1.9 / np.sqrt(0.02), 2.1 / np.sqrt(0.02)
    row = welch(np.array([[89.9, 90.1]]), np.array([[90.0, 90.2]])).iloc[0]
    p_lower, p_upper = ((1 - t / np.sqrt(2 + t**2)) / 2 for t in (lower, upper))
    assert row["p_reproduced"] == pytest.approx(p_lower)
    assert row["p_better"] == pytest.approx(min(1, 1 - p_upper + p_lower))
    assert row["p_worse"] == pytest.approx(min(1, 1 - p_lower + p_upper))


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_a_reference_that_varies_is_not_exact(spread: float) -> None:
    """At the edge of the zone: Welch's test is wrong with a chance of α at most, that of an exact reference more."""
    tables = 4000
    rng = np.random.default_rng(5)
    references = rng.normal(90, spread, (tables, 10))
    samples = rng.normal(92.0001, 1, (tables, 10))
    assert (welch(samples, references)["verdict"] == "reproduced").mean() <= allowed(tables)
    # The same differences, as if the references' means were what is published.
    exact = judged(samples - references.mean(axis=1, keepdims=True), reference=0.0)
    assert (exact["verdict"] == "reproduced").mean() > allowed(tables)
