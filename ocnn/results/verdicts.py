"""For each published cell whether it holds, under each evaluation."""

import numpy as np
import pandas as pd

from ocnn.results.metrics import PUBLISHED_METRIC
from ocnn.results.statistics import INCONCLUSIVE, VERDICTS, judge_means
from ocnn.results.summary import KEYS

NOT_COMPARABLE = "not comparable"
ALL_VERDICTS = (*VERDICTS, INCONCLUSIVE, NOT_COMPARABLE)


def judge(summary: pd.DataFrame, *, margin: float, alpha: float) -> pd.DataFrame:
    """Judge each published cell, see `statistics.judge_means`.

    One family of Holm's correction is an experiment under one evaluation. A cell is not comparable, and not in the
    family, where a fit diverged or collapsed or an AUC is missing; an evaluation that an experiment does not have makes
    no rows.

    Args:
        summary: of `summarise`, with the same `alpha`.
        margin: in percent AUC.
        alpha: chance of any wrong verdict in a family.

    Returns:
        One row per cell and evaluation: experiment, normal, method, evaluation, published, mean, low, high, seeds,
        difference, reach (the margin beyond which the interval would lie within it), the p-values, verdict and reason.
    """
    cells = summary[(summary["metric"] == PUBLISHED_METRIC) & summary["published_mean"].notna()]
    families = [family for _, family in cells.groupby(["experiment", "evaluation"], sort=False)]
    return pd.concat([_judge_family(family, margin, alpha) for family in families or [cells]], ignore_index=True)


def _judge_family(cells: pd.DataFrame, margin: float, alpha: float) -> pd.DataFrame:
    columns = [*KEYS, "evaluation", "published_mean", "mean", "low", "high", "seeds", "difference"]
    rows = cells[columns].rename(columns={"published_mean": "published"})
    rows["reach"] = np.maximum((rows["high"] - rows["published"]).abs(), (rows["low"] - rows["published"]).abs())
    family = cells[(cells["degenerate"] == 0) & (cells["seeds"] == cells["fits"])]
    judged = judge_means(
        family["mean"], family["std"], family["seeds"], family["published_mean"], margin=margin, alpha=alpha
    )
    judged.index = family.index
    reasons = [
        f"{degenerate} of {fits} fits diverged or collapsed"
        if degenerate
        else f"{fits - seeds} of {fits} fits without AUC"
        if seeds < fits
        else "one seed has no interval"
        if seeds < 2
        else ""
        for degenerate, fits, seeds in zip(cells["degenerate"], cells["fits"], cells["seeds"], strict=True)
    ]
    return rows.join(judged).fillna({"verdict": NOT_COMPARABLE}).assign(reason=reasons)


def count_verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """Count how many cells of each method have which verdict: one row per experiment, method and evaluation.

    Returns:
        Columns experiment, method, evaluation, cells, one per verdict (`ALL_VERDICTS`), and seeds (the fewest).
    """
    rows = []
    for key, group in judged.groupby(["experiment", "method", "evaluation"], sort=False):
        counts = group["verdict"].value_counts()
        numbers = {verdict: int(counts.get(verdict, 0)) for verdict in ALL_VERDICTS}
        rows.append((*key, len(group), *numbers.values(), int(group["seeds"].min())))
    return pd.DataFrame(rows, columns=["experiment", "method", "evaluation", "cells", *ALL_VERDICTS, "seeds"])


def rule(margin: float, alpha: float) -> str:
    """Put the rule in words."""
    return (
        f"Reproduced: the true mean over seeds lies within ± {margin:g} points of AUC of the published one (two"
        f" one-sided t-tests); better, worse: it lies above or below that zone; inconclusive: none of these is"
        f" established; not comparable: a fit diverged or collapsed, or an AUC is missing. Holm's correction over all"
        f" hypotheses of an experiment under one evaluation keeps the chance of any wrong verdict there at or below"
        f" {100 * alpha:g} %. Intervals are Student's at {100 * (1 - 2 * alpha):g} %, each cell by itself. Published"
        f" means are taken as exact; published standard deviations are not used."
    )
