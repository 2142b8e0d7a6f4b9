"""For each published cell whether it holds, under each evaluation."""

import numpy as np
import pandas as pd

from ocnn.results.metrics import EVALUATIONS
from ocnn.results.statistics import INCONCLUSIVE, VERDICTS, judge_means

NOT_COMPARABLE = "not comparable"
ALL_VERDICTS = (*VERDICTS, INCONCLUSIVE, NOT_COMPARABLE)


def judge(summary: pd.DataFrame, *, margin: float, alpha: float) -> pd.DataFrame:
    """The verdict on each published cell, see `statistics.judge_means`.

    One family of Holm's correction is an experiment under one evaluation. A cell is not comparable, and not in the
    family, where a fit diverged or collapsed or an AUC is missing; an evaluation that an experiment does not have makes
    no rows.

    Args:
        summary: of `summarise`, its intervals at 1 − 2 `alpha`.
        margin: in percent AUC.
        alpha: chance of any wrong verdict in a family.

    Returns:
        A row a cell and evaluation: experiment, normal, method, evaluation, published, mean, low, high, seeds,
        difference, reach (the margin beyond which the interval would lie within it), the p-values, verdict and reason.
    """
    parts = []
    for _, group in summary[summary["published_mean"].notna()].groupby("experiment", sort=False):
        for evaluation in EVALUATIONS:
            if group[f"{evaluation}_mean"].notna().any():
                parts.append(_judge_family(group, evaluation, margin, alpha))
    return pd.concat(parts, ignore_index=True) if parts else _judge_family(summary.iloc[:0], "test", margin, alpha)


def _judge_family(group: pd.DataFrame, evaluation: str, margin: float, alpha: float) -> pd.DataFrame:
    fields = ("mean", "std", "low", "high", "seeds", "difference")
    rows = group[["experiment", "normal", "method"]].reset_index(drop=True).assign(evaluation=evaluation)
    rows["published"] = group["published_mean"].to_numpy()
    rows[list(fields)] = group[[f"{evaluation}_{field}" for field in fields]].to_numpy()
    rows["seeds"] = rows["seeds"].astype(int)
    rows["reach"] = np.maximum((rows["high"] - rows["published"]).abs(), (rows["low"] - rows["published"]).abs())
    degenerate, fits = group["degenerate"].to_numpy(), group["fits"].to_numpy()
    reasons = [
        f"{bad} of {all_} fits diverged or collapsed"
        if bad
        else f"{all_ - seeds} of {all_} fits without AUC"
        if seeds < all_
        else "one seed has no interval"
        if seeds < 2
        else ""
        for bad, all_, seeds in zip(degenerate, fits, rows["seeds"], strict=True)
    ]
    comparable = (degenerate == 0) & (rows["seeds"] == fits).to_numpy()
    family = rows[comparable]
    judged = judge_means(
        family["mean"], family["std"], family["seeds"], family["published"], margin=margin, alpha=alpha
    )
    judged.index = family.index
    return rows.drop(columns="std").join(judged).fillna({"verdict": NOT_COMPARABLE}).assign(reason=reasons)


def count_verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """How many cells of each method have which verdict: a row an experiment, method and evaluation.

    Returns:
        Columns experiment, method, evaluation, cells, one a verdict (`ALL_VERDICTS`), and seeds (the fewest).
    """
    rows = []
    for key, group in judged.groupby(["experiment", "method", "evaluation"], sort=False):
        counts = group["verdict"].value_counts()
        numbers = {verdict: int(counts.get(verdict, 0)) for verdict in ALL_VERDICTS}
        rows.append((*key, len(group), *numbers.values(), int(group["seeds"].min())))
    return pd.DataFrame(rows, columns=["experiment", "method", "evaluation", "cells", *ALL_VERDICTS, "seeds"])


def rule(margin: float, alpha: float) -> str:
    """The rule in words."""
    return (
        f"Reproduced: the true mean over seeds lies within ± {margin:g} points of AUC of the published one (two"
        f" one-sided t-tests); better, worse: it lies above or below that zone; inconclusive: none of these is"
        f" established; not comparable: a fit diverged or collapsed, or an AUC is missing. Holm's correction over all"
        f" hypotheses of an experiment under one evaluation keeps the chance of any wrong verdict there at or below"
        f" {100 * alpha:g} %. Intervals are Student's at {100 * (1 - 2 * alpha):g} %, each cell by itself. Published"
        f" means are taken as exact; published standard deviations are not used."
    )
