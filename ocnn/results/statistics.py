"""The tests behind the verdicts and the comparison of methods; nothing here knows what an experiment is."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

#: What can be established of a cell, in the order of the p-values of `judge_means`.
VERDICTS = ("reproduced", "better", "worse")
INCONCLUSIVE = "inconclusive"


def t_interval(
    mean: ArrayLike, std: ArrayLike, count: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute Student's interval of a mean from the sample standard deviation; NaN for fewer than two values.

    Args:
        mean, std, count: (n,) of each sample.
        confidence: in (0, 1).

    Returns:
        The lower and the upper bound, (n,) each.
    """
    mean, std, count = (np.asarray(values, np.float64) for values in (mean, std, count))
    freedom = np.where(count > 1, count - 1, np.nan)
    # Around 0, and scaled here: of a scale of 0 SciPy makes NaN.
    half = stats.t.interval(confidence, freedom)[1] * std / np.sqrt(freedom + 1)
    return mean - half, mean + half


def chance_limit(anomalies: ArrayLike, normals: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Compute the AUC below which scores without information come with a chance of about alpha at most.

    Their AUC is that of Mann and Whitney (1947): mean ½, variance (m + n + 1) / (12 m n), less if scores tie. The mean
    over several fits to the same samples varies no more than one of them.

    Args:
        anomalies, normals: (n,) numbers of samples.
        alpha: in (0, ½).

    Returns:
        (n,) in [0, ½], by the normal distribution.
    """
    m, n = np.asarray(anomalies, np.float64), np.asarray(normals, np.float64)
    return np.maximum(0.0, 0.5 + stats.norm.ppf(alpha) * np.sqrt((m + n + 1) / (12 * m * n)))


def judge_means(
    mean: ArrayLike, std: ArrayLike, count: ArrayLike, reference: ArrayLike, *, margin: float, alpha: float
) -> pd.DataFrame:
    """Judge whether means lie within a margin of their references, above it or below: three one-sample tests each.

    `reproduced` is equivalence by two one-sided t-tests (Schuirmann 1987): |μ − reference| ≥ margin is rejected;
    `better` rejects μ ≤ reference + margin, `worse` rejects μ ≥ reference − margin. Whatever μ is, a verdict is wrong
    only if a true hypothesis was rejected; Holm's correction over all 3n hypotheses keeps the chance of any wrong
    verdict among the n at or below `alpha`, however they depend on each other, for normally distributed values.

    Args:
        mean, std, count: (n,) sample mean, sample standard deviation and size; with fewer than two values nothing is
            established. A standard deviation of 0 is taken for certainty.
        reference: (n,) the values to compare with, taken as exact.
        margin: half the width of the zone of equivalence, in the unit of the values.
        alpha: the chance of any wrong verdict.

    Returns:
        One row per mean: p_reproduced, p_better, p_worse (unadjusted), and verdict.
    """
    # Of a reference that does not vary, Welch's test is the one-sample test, whatever its size.
    p = welch_p_values(mean, std, count, reference, np.zeros(np.shape(reference)), count, margin=margin)
    tested = np.where(np.isnan(p), 1.0, p)
    rejected = multipletests(tested.ravel(), alpha=alpha, method="holm")[0].reshape(p.shape) if p.size else p > 1
    verdict = np.where(rejected.any(axis=1), np.asarray(VERDICTS)[rejected.argmax(axis=1)], INCONCLUSIVE)
    return pd.DataFrame(p, columns=[f"p_{name}" for name in VERDICTS]).assign(verdict=verdict)


def welch_p_values(
    mean: ArrayLike,
    std: ArrayLike,
    count: ArrayLike,
    reference_mean: ArrayLike,
    reference_std: ArrayLike,
    reference_count: ArrayLike,
    *,
    margin: float,
) -> NDArray[np.float64]:
    """Test whether means lie within a margin of the means of other samples, above it or below.

    The three hypotheses of `judge_means`, of the difference of two true means, by Welch's t-test (1947) for independent
    samples of unequal variance, its degrees of freedom after Satterthwaite (1946). A reference of standard deviation 0
    is one that is taken as exact: the p-values are then those of `judge_means`.

    Args:
        mean, std, count: (n,) sample mean, sample standard deviation (divisor n − 1) and size.
        reference_mean, reference_std, reference_count: (n,) the same of the other samples.
        margin: half the width of the zone of equivalence, in the unit of the values.

    Returns:
        (n, 3) p-values, not adjusted, in the order of `VERDICTS`; NaN where a sample has fewer than two values, or
        where neither varies and the difference lies on the bound of the zone.
    """
    mean, std, count = (np.asarray(values, np.float64) for values in (mean, std, count))
    other = [np.asarray(values, np.float64) for values in (reference_mean, reference_std, reference_count)]
    std, other[1] = np.where(count > 1, std, np.nan), np.where(other[2] > 1, other[1], np.nan)

    def p_of(shift: float, alternative: str) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            result = stats.ttest_ind_from_stats(
                mean - shift, std, count, *other, equal_var=False, alternative=alternative
            )
        return np.asarray(result.pvalue, np.float64)

    within = np.maximum(p_of(margin, "less"), p_of(-margin, "greater"))
    return np.column_stack([within, p_of(margin, "greater"), p_of(-margin, "less")])


def average_ranks(table: pd.DataFrame) -> pd.Series:
    """Average the rank of each column over the rows, 1 = the highest value; ties share their mean rank."""
    return table.rank(axis=1, ascending=False).mean().sort_values(kind="stable")


def friedman(table: pd.DataFrame) -> tuple[float, float]:
    """Friedman's χ² and its p-value: do the columns differ, the rows being blocks? NaN for fewer than 3 columns."""
    if table.shape[1] < 3 or len(table) < 2:
        return float("nan"), float("nan")
    result = stats.friedmanchisquare(*(table[column] for column in table))
    return float(result.statistic), float(result.pvalue)


def pairwise_differences(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Differences of all pairs of columns over the rows, their intervals, and Wilcoxon's signed-rank test.

    Returns:
        One row per pair: first, second, difference (mean of first − second), low, high (Student's interval, each
        pair by itself), p_wilcoxon (two-sided), p_holm (over all pairs).
    """
    rows = []
    for first, second in combinations(table.columns, 2):
        difference = (table[first] - table[second]).to_numpy(np.float64)
        low, high = t_interval([difference.mean()], [_std(difference)], [len(difference)], confidence)
        p = float(stats.wilcoxon(difference).pvalue) if difference.any() else 1.0
        rows.append((first, second, difference.mean(), float(low[0]), float(high[0]), p))
    pairs = pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "p_wilcoxon"])
    return pairs.assign(p_holm=multipletests(pairs["p_wilcoxon"], method="holm")[1] if len(pairs) else [])


def smallest_holm_wilcoxon(blocks: int, columns: int) -> float:
    """The smallest p-value that the first step of Holm's correction can give to an exact two-sided Wilcoxon test.

    With n blocks the test has 2ⁿ equally likely signs, two of which are the extreme ones; all pairs of columns are the
    family. Above the level, no pair can be told apart, whatever the data.
    """
    return float(min(1.0, 2.0 / 2**blocks * comb(columns, 2)))


def _std(values: NDArray[np.float64]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
