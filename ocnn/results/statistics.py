"""The tests behind the verdicts and the comparison of methods; nothing here knows what an experiment is."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

#: What can be established of a cell, in the order of the p-values of `judge_differences`.
VERDICTS = ("reproduced", "better", "worse")
INCONCLUSIVE = "inconclusive"
#: Degrees of freedom that are as good as infinitely many.
MANY = 1e9


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


def error_bound(variances: ArrayLike, freedoms: ArrayLike, level: ArrayLike) -> NDArray[np.float64]:
    """Compute what an error of independent parts exceeds with this chance.

    Estimated parts are combined as by Welch (1947), with the degrees of freedom of Satterthwaite (1946). Beside a part
    that is known that would be wrong too often, many times as often at a small level: where few seeds happen to agree,
    their part looks small, the degrees of freedom many, and the tail thin. So the bounds of the two are added in
    quadrature (Howe 1974): √(v t² + w z²), with the quantiles t and z of either.

    Args:
        variances: (n, k) of k parts each; NaN makes the bound unknown.
        freedoms: (n, k) their degrees of freedom; infinite for a variance that is known.
        level: one-sided, in (0, ½); (n,) or one for all.

    Returns:
        (n,), NaN where nothing varies.
    """
    total, estimated, freedom = _parts(variances, freedoms)
    known = (total - estimated) * stats.norm.isf(level) ** 2
    return np.where(total > 0, np.sqrt(estimated * stats.t.isf(level, freedom) ** 2 + known), np.nan)


def combined_error(
    variances: ArrayLike, freedoms: ArrayLike, level: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the standard error, and the degrees of freedom with which Student's distribution has its `error_bound`.

    Args:
        variances, freedoms, level: see `error_bound`.

    Returns:
        The standard error, and its degrees of freedom at this level; (n,) each, NaN where nothing varies.
    """
    total, estimated, freedom = _parts(variances, freedoms)
    mixed = np.flatnonzero((estimated > 0) & (total > estimated))
    if len(mixed):
        levels = np.broadcast_to(level, total.shape)[mixed]
        bound = error_bound(np.asarray(variances)[mixed], np.asarray(freedoms)[mixed], levels)
        freedom[mixed] = _freedom_with(bound / np.sqrt(total[mixed]), levels, freedom[mixed])
    return np.where(total > 0, np.sqrt(total), np.nan), np.where(total > 0, freedom, np.nan)


def _parts(
    variances: ArrayLike, freedoms: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The whole variance, what of it is estimated, and the degrees of freedom of that, (n,) each."""
    variances, freedoms = np.asarray(variances, np.float64), np.asarray(freedoms, np.float64)
    is_known = np.isinf(freedoms) | (variances == 0)
    estimated = np.where(is_known, 0.0, variances).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = estimated**2 / np.where(is_known, 0.0, variances**2 / freedoms).sum(axis=1)
    return variances.sum(axis=1), estimated, np.where(estimated == 0, np.inf, freedom)


def _freedom_with(
    quantile: NDArray[np.float64], level: NDArray[np.float64], least: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Find the degrees of freedom, at least these, with which Student's quantile at a level is the given one, (n,)."""
    low, high = np.log(least), np.full(len(least), np.log(MANY))
    for _ in range(50):
        middle = (low + high) / 2
        more = stats.t.isf(level, np.exp(middle)) > quantile
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.exp(high)


def judge_differences(
    difference: ArrayLike, error: ArrayLike, freedom: ArrayLike, *, margin: float, level: ArrayLike
) -> pd.DataFrame:
    """Judge whether true differences lie within a zone about 0, above it or below; each by itself.

    The three regions |δ| ≤ margin, δ > margin and δ < −margin partition the line: exactly one of them is the truth
    (partition testing, Finner and Strassburger 2002). A verdict names a region and rejects the other two, so it is
    wrong only if the true one was rejected, and each of n differences has exactly one such hypothesis. With `level` α/n
    the chance of any wrong verdict among them is therefore at most α, however they depend on each other. Dividing by
    fewer after a verdict, as Holm does, is not allowed: a difference that was judged still has its true hypothesis.

    `reproduced` rejects δ ≥ margin and δ ≤ −margin by two one-sided t-tests (Schuirmann 1987). `better` and `worse`
    reject the zone by the two-sided test of an interval (Hodges and Lehmann 1954), whose p-value is
    P(T ≥ (|d| − margin)/s) + P(T ≥ (|d| + margin)/s). One tail alone is not enough: where s is large beside the margin,
    a δ within the zone would be called either better or worse with a chance of up to twice the level.

    Args:
        difference: (n,) d.
        error, freedom: (n,) its standard error s, and the degrees of freedom of that (infinite: the normal
            distribution); or (n, 2), as they are where δ = −margin and where δ = margin. Nothing is established where
            one is NaN.
        margin: half the width of the zone, in the unit of the differences.
        level: of each difference, (n,) or one for all.

    Returns:
        One row per difference: p_reproduced, p_better, p_worse (not adjusted), and verdict.
    """
    d = np.asarray(difference, np.float64)
    (lower, upper), (lower_freedom, upper_freedom) = _at_both_bounds(error), _at_both_bounds(freedom)
    above_upper, below_upper = (stats.t.sf(sign * (d - margin) / upper, upper_freedom) for sign in (1, -1))
    above_lower, below_lower = (stats.t.sf(sign * (d + margin) / lower, lower_freedom) for sign in (1, -1))
    p = np.column_stack(
        [
            np.maximum(below_upper, above_lower),
            np.minimum(1.0, above_upper + above_lower),
            np.minimum(1.0, below_lower + below_upper),
        ]
    )
    rejected = p <= np.broadcast_to(level, d.shape)[:, None]
    verdict = np.where(rejected.any(axis=1), np.asarray(VERDICTS)[rejected.argmax(axis=1)], INCONCLUSIVE)
    return pd.DataFrame(p, columns=[f"p_{name}" for name in VERDICTS]).assign(verdict=verdict)


def _at_both_bounds(values: ArrayLike) -> NDArray[np.float64]:
    """Numbers (n,), or (n, 2) of the lower and the upper bound, as (2, n)."""
    array = np.asarray(values, np.float64)
    return np.broadcast_to(array[:, None] if array.ndim == 1 else array, (len(array), 2)).T


def verdict_power(
    difference: float, error: ArrayLike, freedom: ArrayLike, *, margin: float, level: ArrayLike
) -> NDArray[np.float64]:
    """Compute the chance that `judge_differences` finds the region in which a true difference lies.

    Of normally distributed differences, and errors distributed as χ of these degrees of freedom, integrated over 400
    quantiles of it; where an error has several parts, that is within a few percent. The second tail of `better` and
    `worse` is left out, which counts where an error is large beside the margin and the chance is small.

    Args:
        difference: the true one, δ.
        error, freedom, level: (n,) the true standard errors, their degrees of freedom, and the levels.
        margin: see `judge_differences`.

    Returns:
        (n,) chances; NaN where an error is.
    """
    s, f = np.asarray(error, np.float64)[:, None], np.asarray(freedom, np.float64)[:, None]
    quantiles = (np.arange(400) + 0.5) / 400
    known = np.isinf(f)
    spread = np.where(known, 1.0, stats.chi2.ppf(quantiles, np.where(known, 1.0, f)) / np.where(known, 1.0, f))
    beyond = stats.t.isf(np.broadcast_to(level, s.shape[:1])[:, None], f) * s * np.sqrt(spread)
    if abs(difference) <= margin:
        half = np.maximum(margin - beyond, 0)
        chance = stats.norm.cdf((half - difference) / s) - stats.norm.cdf((-half - difference) / s)
    else:
        chance = stats.norm.sf((margin + beyond - abs(difference)) / s)
    return np.asarray(chance.mean(axis=1), np.float64)


def average_ranks(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Average the rank of each column over the rows, 1 = the highest value; ties share their mean rank.

    Returns:
        By column, the best first: `rank`; `low` and `high`, Student's interval over the rows, as far as ranks go.
    """
    ranks = table.rank(axis=1, ascending=False)
    mean = ranks.mean()
    low, high = t_interval(mean, ranks.std(), np.full(len(mean), len(ranks)), confidence)
    bounds = {"low": np.clip(low, 1, len(mean)), "high": np.clip(high, 1, len(mean))}
    return pd.DataFrame({"rank": mean, **bounds}, index=mean.index).sort_values("rank", kind="stable")


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
