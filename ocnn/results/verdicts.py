"""For each published cell whether it holds, under each evaluation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from ocnn.results.metrics import PUBLISHED_METRIC
from ocnn.results.statistics import INCONCLUSIVE, VERDICTS, combined_error, judge_differences
from ocnn.results.summary import KEYS

NOT_COMPARABLE = "not comparable"
ALL_VERDICTS = (*VERDICTS, INCONCLUSIVE, NOT_COMPARABLE)
#: Of rows: those that stand for a published column, one each, and all others that are compared with one.
FAMILIES = ("published", "added")


def judge(summary: pd.DataFrame, methods: Mapping[str, str], *, margin: float, alpha: float) -> pd.DataFrame:
    """Judge each published cell, see `statistics.judge_differences`.

    A family of n cells, each of which is judged at alpha/n, is an experiment's rows under one evaluation: of each
    published column the row of its name, or else the first that is compared with it (`published`); all others are a
    family of their own (`added`), so that a row more makes no verdict on a published cell harder. Every cell of the run
    counts in n, whatever became of it. A cell is not comparable where a fit diverged or collapsed or an AUC is missing;
    an evaluation that an experiment does not have makes no rows.

    The published mean is what a cell is judged by. Where the ten runs are known that it averages, they vary, too, and
    the test is Welch's; elsewhere the mean counts as exact (`published_runs` 0). The samples that are measured are a
    sample, too: their part of the error does not shrink with the number of seeds, and no method is without it. The
    paper's own part of this kind is not known; where it measured the same samples, both err the same way in part.

    Args:
        summary: of `summarise`, with the same `alpha`.
        methods: for each row of the tables the published method that it is compared with, if not that of its name.
        margin: in percent AUC.
        alpha: chance of any wrong verdict in a family.

    Returns:
        One row per cell and evaluation: experiment, normal, method, evaluation, family, published, published_runs,
        mean, seeds, difference; `error`, its standard error, of the parts `seed_error` (our seeds), `published_error`
        (the paper's) and `sample_error` (the samples measured, see `metrics.auc_error`); its interval at 1 − 2 alpha
        (low, high), reach (the margin beyond which that interval would lie within it), the p-values, verdict and
        reason.
    """
    cells = summary[(summary["metric"] == PUBLISHED_METRIC) & summary["published_mean"].notna()]
    columns = [*KEYS, "evaluation", "published_mean", "published_runs", "mean", "seeds", "difference"]
    rows = cells[columns].rename(columns={"published_mean": "published"})
    rows.insert(4, "family", _families(cells, methods))
    rows["seed_error"] = cells["std"] / np.sqrt(cells["seeds"])
    exact = cells["published_runs"] == 0
    rows["published_error"] = (cells["published_runs_std"] / np.sqrt(cells["published_runs"])).mask(exact, 0.0)
    rows["sample_error"] = cells["sample_error"]
    rows["error"], freedom = combined_error(
        rows[["seed_error", "published_error", "sample_error"]] ** 2,
        np.column_stack(
            [
                cells["seeds"] - 1,
                np.where(exact, np.inf, cells["published_runs"] - 1),
                # DeLong's is a normal approximation.
                np.full(len(cells), np.inf),
            ]
        ),
    )
    half = stats.t.isf(alpha, freedom) * rows["error"]
    rows["low"], rows["high"] = rows["difference"] - half, rows["difference"] + half
    rows["reach"] = rows["difference"].abs() + half
    rows["reason"] = _reasons(cells, rows["error"])
    comparable = (cells["degenerate"] == 0) & (cells["seeds"] == cells["fits"])
    parts = []
    for _, family in rows.groupby(["experiment", "evaluation", "family"], sort=False):
        kept = family[comparable[family.index]]
        judged = judge_differences(
            kept["difference"],
            kept["error"],
            pd.Series(freedom, cells.index)[kept.index],
            margin=margin,
            level=alpha / len(family),
        )
        parts.append(judged.set_index(kept.index))
    none = judge_differences([], [], [], margin=margin, level=alpha)
    verdicts = pd.concat(parts) if parts else none
    reason = rows.pop("reason")
    return rows.join(verdicts).fillna({"verdict": NOT_COMPARABLE}).assign(reason=reason).reset_index(drop=True)


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
        else "nothing varies"
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


def rule(margin: float, alpha: float) -> str:
    """Put the rule in words."""
    return (
        f"Reproduced: the true mean AUC, over seeds and over samples like those measured, lies within ± {margin:g}"
        " points of the published one (two one-sided t-tests); better, worse: it lies above or below that zone;"
        " inconclusive: none of these is established; not comparable: a fit diverged or collapsed, or an AUC is"
        " missing. The three regions partition the line, so each of n cells has one hypothesis that is true, and is"
        f" judged at the level {100 * alpha:g} %/n: the chance of any wrong verdict in a family is at or below"
        f" {100 * alpha:g} %. A family is, of an experiment under one evaluation, the rows that stand for the published"
        " columns (`published`); rows that the paper lacks are another (`added`). Intervals of the difference are at"
        f" {100 * (1 - 2 * alpha):g} %, each cell by itself. A published mean is compared by Welch's test where the"
        " authors' notebooks print the ten seeds that it averages (`published runs` 10). It is taken as exact, though"
        " it is not, where its seeds are unknown (0): where no list of ten is printed, or where the list's mean is"
        " another number. Published standard deviations are not used. What other test samples would have given enters"
        " by DeLong's standard error, which no number of seeds makes smaller, so that a method that does not vary over"
        " seeds is not certain either."
    )
