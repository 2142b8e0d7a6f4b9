"""For each published cell whether it holds, where it was measured as published."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from ocnn.results.metrics import PUBLISHED_METRIC
from ocnn.results.statistics import (
    INCONCLUSIVE,
    VERDICTS,
    combined_error,
    error_bound,
    judge_differences,
    verdict_power,
)
from ocnn.results.summary import KEYS

NOT_COMPARABLE = "not comparable"
#: Of a cell that is shown beside the published one and not judged.
DESCRIPTIVE = "descriptive"
ALL_VERDICTS = (*VERDICTS, INCONCLUSIVE, NOT_COMPARABLE, DESCRIPTIVE)
#: Of rows: those that stand for a published column, one each, and all others that are compared with one.
FAMILIES = ("published", "added")


def judge(
    summary: pd.DataFrame,
    methods: Mapping[str, str],
    evaluations: Mapping[str, str | None],
    *,
    margin: float,
    odds_ratio: float,
    alpha: float,
) -> pd.DataFrame:
    """Judge each published cell where the protocol is the published one, see `statistics.judge_differences`.

    A family of n cells, each of which is judged at alpha/n, is an experiment's rows under one evaluation: of each
    published column the row of its name, or else the first that is compared with it (`published`); all others are a
    family of their own (`added`), so that a row more makes no verdict on a published cell harder. Every cell of the run
    counts in n, whatever became of it. A cell is not comparable where a fit diverged or collapsed or an AUC is missing;
    an evaluation that an experiment does not have makes no rows. Under another protocol or evaluation a cell is
    `descriptive` and in no family: it has its difference and interval, and nothing is concluded.

    The published mean is what a cell is judged by. Where the ten runs are known that it averages, they vary, too, and
    the test is Welch's; elsewhere the mean counts as exact (`published_runs` 0). The samples that are measured are a
    sample, too: their part of the error does not shrink with the number of seeds, and no method is without it; a bound
    of the zone is tested with the error that the AUC would have there (`sample_error_at`). The
    paper's own part of this kind is not known; where it measured the same samples, both err the same way in part.

    Args:
        summary: of `summarise`, with the same `alpha`.
        methods: for each row of the tables the published method that it is compared with, if not that of its name.
        evaluations: for each experiment the one under which it is judged; None: none, as it has another protocol.
        margin: in percent AUC; the verdict is by it.
        odds_ratio: of the verdict beside it, above 1: that AUC/(1 − AUC) changes by less than this factor.
        alpha: chance of any wrong verdict in a family.

    Returns:
        One row per cell and evaluation: experiment, normal, method, evaluation, family, published, published_runs,
        mean, seeds, difference; `error`, its standard error, of the parts `seed_error` (our seeds), `published_error`
        (the paper's) and `sample_error` (the samples measured, see `metrics.auc_error`); its interval at 1 − 2 alpha
        (low, high), reach (the margin beyond which that interval would lie within it), level (at which it is judged;
        NaN if it is not), freedom (the degrees of freedom of the error at it), the p-values, verdict, reason; then
        `odds_ratio`, (p/(1 − p)) / (q/(1 − q)) of our mean p and the published q, its interval by the delta method
        (odds_low, odds_high), and `odds_verdict`; an AUC of 0 or 100 % has no odds. `seeds_verdict` is without the
        sample error: what the seeds alone say, on these samples.
    """
    cells = summary[(summary["metric"] == PUBLISHED_METRIC) & summary["published_mean"].notna()]
    cells = cells.reset_index(drop=True)
    columns = [*KEYS, "evaluation", "published_mean", "published_runs", "mean", "seeds", "difference"]
    rows = cells[columns].rename(columns={"published_mean": "published"})
    rows.insert(4, "family", _families(cells, methods))
    exact = cells["published_runs"] == 0
    rows["seed_error"] = cells["std"] / np.sqrt(cells["seeds"])
    rows["sample_error"] = cells["sample_error"]
    rows["published_error"] = (cells["published_runs_std"] / np.sqrt(cells["published_runs"])).mask(exact, 0.0)
    errors = rows[["seed_error", "sample_error", "published_error"]].to_numpy(float)
    # DeLong's error is a normal approximation; an exact number has no error.
    freedoms = np.column_stack(
        [
            cells["seeds"] - 1,
            np.full(len(cells), np.inf),
            np.where(exact, np.inf, cells["published_runs"] - 1),
        ]
    )
    judged_under = cells["experiment"].map(dict(evaluations)).astype(object)
    descriptive = judged_under != cells["evaluation"]
    size = rows.groupby(["experiment", "evaluation", "family"])["mean"].transform("size").to_numpy()
    level = alpha / size

    rows["error"], freedom = combined_error(errors**2, freedoms, level)
    half = error_bound(errors**2, freedoms, alpha)
    rows["low"], rows["high"] = rows["difference"] - half, rows["difference"] + half
    rows["reach"] = rows["difference"].abs() + half
    rows["freedom"], rows["level"] = freedom, np.where(descriptive, np.nan, level)
    at_bounds = []
    for bound in (rows["published"] - margin, rows["published"] + margin):
        there = errors.copy()
        there[:, 1] = sample_error_at(bound, rows["mean"], rows["sample_error"])
        at_bounds.append(combined_error(there**2, freedoms, level))
    by_bound = (np.column_stack(values) for values in zip(*at_bounds, strict=True))
    points = judge_differences(rows["difference"], *by_bound, margin=margin, level=level)

    # As if the paper had measured these very samples, and erred alike by their choice.
    by_seeds = combined_error(errors[:, [0, 2]] ** 2, freedoms[:, [0, 2]], level)
    seeds = judge_differences(rows["difference"], *by_seeds, margin=margin, level=level)

    odds = _judge_odds(rows, errors, freedoms, odds_ratio=odds_ratio, level=level, alpha=alpha)
    rows = rows.join(odds.drop(columns="verdict"))

    p_values = [f"p_{name}" for name in VERDICTS]
    comparable = (cells["degenerate"] == 0) & (cells["seeds"] == cells["fits"])
    rows[p_values] = points[p_values].where(comparable & ~descriptive)
    for column, found in (("verdict", points), ("seeds_verdict", seeds), ("odds_verdict", odds)):
        rows[column] = found["verdict"].where(comparable, NOT_COMPARABLE).mask(descriptive, DESCRIPTIVE)
    return rows.assign(
        reason=[
            reason if not other else "another protocol" if pd.isna(under) else f"judged on {under}"
            for reason, other, under in zip(_reasons(cells, rows["error"]), descriptive, judged_under, strict=True)
        ]
    )


def _judge_odds(
    rows: pd.DataFrame,
    errors: NDArray[np.float64],
    freedoms: NDArray[np.float64],
    *,
    odds_ratio: float,
    level: NDArray[np.float64],
    alpha: float,
) -> pd.DataFrame:
    """Judge the ratio of the odds, as a difference of logits; errors by the delta method, NaN where there are no odds.

    Args:
        rows: with `mean` and `published`, (n,) in percent.
        errors, freedoms: (n, 3) of our seeds, the samples and the paper's seeds; in percent.
    """
    ours, theirs = rows["mean"].to_numpy() / 100, rows["published"].to_numpy() / 100
    with np.errstate(divide="ignore", invalid="ignore"):
        # The derivative of the logit is 1 / (p (1 − p)).
        steep = 1 / (100 * np.column_stack([ours * (1 - ours), ours * (1 - ours), theirs * (1 - theirs)]))
        variances = np.where(errors > 0, errors * steep, errors) ** 2
        log_ratio = logit(ours) - logit(theirs)
    log_ratio = np.where(np.isfinite(log_ratio), log_ratio, np.nan)
    half = error_bound(variances, freedoms, alpha)
    ratios = {"odds_ratio": log_ratio, "odds_low": log_ratio - half, "odds_high": log_ratio + half}
    at_level = combined_error(variances, freedoms, level)
    judged = judge_differences(log_ratio, *at_level, margin=float(np.log(odds_ratio)), level=level)
    return pd.DataFrame({name: np.exp(values) for name, values in ratios.items()}).assign(verdict=judged["verdict"])


def sample_error_at(true: ArrayLike, mean: ArrayLike, error: ArrayLike) -> NDArray[np.float64]:
    """Give the standard error by the choice of samples that a mean AUC would have if this were the true one.

    As in the score test of a proportion (Wilson 1927), by √(A (1 − A)): where an AUC is near 100, a set of samples that
    happens to be easy has a small error, too, and by that alone would be wrong far too often.

    Args:
        true, mean, error: (n,) in percent.

    Returns:
        (n,) in percent; the error as it is where `true` or `mean` is beyond 0 to 100 or at an end.
    """
    true, mean, error = (np.asarray(values, np.float64) for values in (true, mean, error))
    inside = (true > 0) & (true < 100) & (mean > 0) & (mean < 100)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(inside, error * np.sqrt(true * (100 - true) / (mean * (100 - mean))), error)


def _families(cells: pd.DataFrame, methods: Mapping[str, str]) -> list[str]:
    """The family of each cell: `published` for the row that stands for its column in its experiment."""
    column = pd.Series([methods.get(method, method) for method in cells["method"]], cells.index, object)
    # Those of the column's name first, else in the order of the tables.
    order = (column != cells["method"]).sort_values(kind="stable").index
    ordered = cells.loc[order].assign(column=column[order])
    standing = ordered.groupby(["experiment", "column"], sort=False)["method"].transform("first")
    stands = (standing == ordered["method"])[cells.index]
    return [FAMILIES[0] if of_column else FAMILIES[1] for of_column in stands]


def _reasons(cells: pd.DataFrame, errors: pd.Series) -> list[str]:
    """Why a cell cannot be judged, or the empty text."""
    return [
        f"{degenerate} of {fits} fits diverged or collapsed"
        if degenerate
        else f"{fits - seeds} of {fits} fits without AUC"
        if seeds < fits
        else "one seed has no interval"
        if seeds < 2
        else "no standard error"
        if pd.isna(error)
        else ""
        for degenerate, fits, seeds, error in zip(
            cells["degenerate"], cells["fits"], cells["seeds"], errors, strict=True
        )
    ]


def count_verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """Count how many cells of each method have which verdict: one row per experiment, method and evaluation.

    Returns:
        Columns experiment, method, evaluation, family, cells, one per verdict (`ALL_VERDICTS`), and seeds (the fewest).
    """
    keys = ["experiment", "method", "evaluation", "family"]
    rows = []
    for key, group in judged.groupby(keys, sort=False):
        counts = group["verdict"].value_counts()
        numbers = {verdict: int(counts.get(verdict, 0)) for verdict in ALL_VERDICTS}
        rows.append((*key, len(group), *numbers.values(), int(group["seeds"].min())))
    return pd.DataFrame(rows, columns=[*keys, "cells", *ALL_VERDICTS, "seeds"])


def power_sentences(judged: pd.DataFrame, margin: float) -> list[str]:
    """Say for each family what its verdicts can tell with the seeds and the samples that it has."""
    sentences = []
    cells = judged[(judged["verdict"] != DESCRIPTIVE) & (judged["verdict"] != NOT_COMPARABLE)]
    for (experiment, evaluation, family), rows in cells.groupby(["experiment", "evaluation", "family"], sort=False):
        head = f"{experiment}, `{evaluation}`, {family}: "
        known = rows[rows["error"].notna()]
        if known.empty:
            sentences.append(f"{head}with {rows['seeds'].max()} seed nothing can be told.")
            continue
        chances = [
            verdict_power(true, known["error"], known["freedom"], margin=margin, level=known["level"]).mean()
            for true in (0.0, 2 * margin)
        ]
        seeds = sorted(set(known["seeds"]))
        sentences.append(
            f"{head}{len(known)} cells of {seeds[0] if len(seeds) == 1 else f'{seeds[0]} to {seeds[-1]}'} seeds, each"
            f" judged at {100 * known['level'].iloc[0]:.2g} %; median errors of {known['seed_error'].median():.2f}"
            f" points over seeds and {known['sample_error'].median():.2f} by the choice of samples. If no cell"
            f" differed at all, about {100 * chances[0]:.0f} % of them would be called reproduced; if each lay"
            f" {2 * margin:g} points off, about {100 * chances[1]:.0f} % better or worse."
        )
    return sentences


def rule(margin: float, odds_ratio: float, alpha: float) -> str:
    """Put the rule in words."""
    return (
        "Reproduced: the true mean AUC, over seeds and over samples like those measured, lies within"
        f" ± {margin:g} points of the published one (two one-sided t-tests); better, worse: it lies above or"
        " below that zone; inconclusive: none of these is established; not comparable: a fit diverged or"
        " collapsed, or an AUC is missing; descriptive: another protocol than the published one, or another"
        " evaluation than its, so that nothing is concluded. The three regions partition the line, so each of n"
        f" cells has one hypothesis that is true, and is judged at the level {100 * alpha:g} %/n: the chance of any"
        f" wrong verdict in a family is at or below {100 * alpha:g} %. A family is, of an experiment under one"
        " evaluation, the rows that stand for the published columns (`published`); rows that the paper lacks are"
        f" another (`added`). Intervals of the difference are at {100 * (1 - 2 * alpha):g} %, each cell by itself."
        " A published mean is compared by Welch's test where the authors' notebooks print the ten seeds that it"
        " averages (`published runs` 10); with fewer seeds of ours that test is wrong more often than it says: with"
        " two, whose error is twice the paper's, ten times as often in 90 cells. It is taken as exact, though it is"
        " not, where its seeds are unknown (0): where no list of ten is printed, or where the list's mean is another"
        " number. Published standard deviations are not used. What other test samples would have given enters by"
        " DeLong's standard error,"
        " which no number of seeds makes smaller, so that a method that does not vary over seeds is not certain"
        " either. A margin in points is wide at 99 and narrow at 60, so a second verdict stands beside the first,"
        f" by the odds AUC/(1 − AUC): within a factor of {odds_ratio:g} of the published ones. A third one, by the"
        " seeds alone, is about these very test samples. The first decides, as its margin was fixed before any verdict"
        " was seen."
    )
