"""One row an experiment, normal class and method: our AUCs over the seeds beside the published ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ocnn.results.metrics import DEGENERATE, EVALUATIONS
from ocnn.results.statistics import t_interval

KEYS = ["experiment", "normal", "method"]


def summarise(
    metrics: pd.DataFrame,
    published: pd.DataFrame,
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
    *,
    references: Mapping[str, pd.DataFrame] | None = None,
    confidence: float = 0.9,
) -> pd.DataFrame:
    """One row per experiment, normal class and method.

    Args:
        metrics: rows of `metrics.collect`.
        published: rows of `published.read_published`.
        datasets: for each experiment the `dataset` whose published rows it is to be compared with, or None; others
            are left out.
        methods: for each method the published one to compare with, if not that of its name.
        references: other labs' results by their name, as `published`.
        confidence: of the intervals.

    Returns:
        Columns experiment, normal, method, published_mean, published_std; for each evaluation its mean, std (sample
        standard deviation over seeds, NaN for one seed), low and high (Student's interval), seeds, and difference
        (mean less the published one); for each reference NAME_mean; degenerate (fits diverged or collapsed) and fits.
        AUCs in percent. A degenerate fit with finite scores is in the mean; the count tells.
    """
    chosen = metrics[metrics["experiment"].isin(list(datasets))]
    rows = [
        {
            **dict(zip(KEYS, map(str, key), strict=True)),
            **_over_seeds(group),
            "degenerate": int(group.drop_duplicates("seed")["status"].isin(DEGENERATE).sum()),
            "fits": group["seed"].nunique(),
        }
        for key, group in chosen.groupby(KEYS, sort=False)
    ]
    columns = [f"{evaluation}_{name}" for evaluation in EVALUATIONS for name in ("mean", "std", "seeds")]
    summary = pd.DataFrame(rows, columns=[*KEYS, *columns, "degenerate", "fits"])
    cells = pd.DataFrame(
        {
            "dataset": summary["experiment"].map(dict(datasets)),
            "class": summary["normal"],
            "method": [methods.get(method, method) for method in summary["method"]],
        }
    )
    summary[["published_mean", "published_std"]] = _looked_up(published, cells)[["auc_mean", "auc_std"]]
    for evaluation in EVALUATIONS:
        mean, std, seeds = (summary[f"{evaluation}_{name}"] for name in ("mean", "std", "seeds"))
        summary[f"{evaluation}_low"], summary[f"{evaluation}_high"] = t_interval(mean, std, seeds, confidence)
        summary[f"{evaluation}_difference"] = mean - summary["published_mean"]
    for name, reference in (references or {}).items():
        summary[f"{name}_mean"] = _looked_up(reference, cells)["auc_mean"]
    return summary


def _over_seeds(group: pd.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for evaluation in EVALUATIONS:
        values = 100 * group.loc[group["evaluation"] == evaluation, "auc"].dropna()
        row[f"{evaluation}_mean"] = values.mean() if len(values) else np.nan
        row[f"{evaluation}_std"] = values.std(ddof=1) if len(values) > 1 else np.nan
        row[f"{evaluation}_seeds"] = len(values)
    return row


def _looked_up(published: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The published rows of these cells, in their order; NaN where there is none."""
    keys = list(cells.columns)
    return cells.astype(object).merge(published.astype(dict.fromkeys(keys, object)), on=keys, how="left")


def class_table(summary: pd.DataFrame, evaluation: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """AUCs of one experiment, seeds averaged: classes × methods, for methods that are whole.

    Returns:
        The table, and for each method that is left out the reason: a missing or degenerate cell.
    """
    left_out = {}
    for method, rows in summary.groupby("method", sort=False):
        degenerate = rows.loc[rows["degenerate"] > 0, "normal"]
        missing = rows.loc[rows[f"{evaluation}_mean"].isna(), "normal"]
        if len(degenerate):
            left_out[str(method)] = f"degenerate fits in {len(degenerate)} of {len(rows)} classes"
        elif len(missing):
            left_out[str(method)] = f"no AUC in {len(missing)} of {len(rows)} classes"
    whole = summary[~summary["method"].isin(left_out)]
    order = list(dict.fromkeys(whole["method"]))
    table = whole.pivot(index="normal", columns="method", values=f"{evaluation}_mean")
    return table.reindex(index=list(dict.fromkeys(whole["normal"])), columns=order), left_out
