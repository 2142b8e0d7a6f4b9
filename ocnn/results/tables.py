"""Tables 3 and 4: AUC of each method and normal class, ours on both evaluations beside the published one."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ocnn.errors import ResultError
from ocnn.results.metrics import DEGENERATE, EVALUATIONS

MISSING = "–"
PUBLISHED_COLUMNS = ["dataset", "class", "method", "auc_mean", "auc_std"]


def read_published(paths: Iterable[Path]) -> pd.DataFrame:
    """Published AUCs in percent; columns `PUBLISHED_COLUMNS`.

    Raises:
        ResultError: other columns.
    """
    tables = []
    for path in paths:
        table = pd.read_csv(path, dtype={"class": str})
        if list(table.columns) != PUBLISHED_COLUMNS:
            raise ResultError(f"{path} has columns {list(table.columns)}; expected {PUBLISHED_COLUMNS}.")
        tables.append(table)
    return pd.concat(tables) if tables else pd.DataFrame(columns=PUBLISHED_COLUMNS)


def summarise(
    metrics: pd.DataFrame,
    published: pd.DataFrame,
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
) -> pd.DataFrame:
    """One row per experiment, normal class and method.

    Args:
        metrics: rows of `metrics.collect`.
        published: rows of `read_published`.
        datasets: for each experiment the `dataset` whose published rows it is to be compared with, or None; others
            are left out.
        methods: for each method the published one to compare with, if not that of its name.

    Returns:
        Columns experiment, normal, method, published_mean, published_std; for each evaluation its mean, std (sample
        standard deviation over seeds, NaN for one seed) and seeds; degenerate (fits diverged or collapsed) and fits.
        AUCs in percent. A degenerate fit with finite scores is in the mean; the count tells.
    """
    keys = ["experiment", "normal", "method"]
    rows = []
    for key, group in metrics[metrics["experiment"].isin(list(datasets))].groupby(keys, sort=False):
        experiment, normal, method = map(str, key)
        match = published[
            (published["dataset"] == datasets.get(experiment))
            & (published["class"] == normal)
            & (published["method"] == methods.get(method, method))
        ]
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        row["published_mean"] = match["auc_mean"].iloc[0] if len(match) else np.nan
        row["published_std"] = match["auc_std"].iloc[0] if len(match) else np.nan
        for evaluation in EVALUATIONS:
            values = 100 * group.loc[group["evaluation"] == evaluation, "auc"].dropna()
            row[f"{evaluation}_mean"] = values.mean() if len(values) else np.nan
            row[f"{evaluation}_std"] = values.std(ddof=1) if len(values) > 1 else np.nan
            row[f"{evaluation}_seeds"] = len(values)
        fits = group.drop_duplicates("seed")
        row["degenerate"] = int(fits["status"].isin(DEGENERATE).sum())
        row["fits"] = len(fits)
        rows.append(row)
    return pd.DataFrame(rows)


LEGEND = (
    "Mean ± standard deviation over seeds. `test`: the test part, as the paper says; `train`: the contaminated"
    " training set itself, as the authors' code measured; `published`: the paper's cell. † k/n: k of the n fits"
    " diverged or collapsed, so that this cell is no result of the method (reasons below). – : not available.\n"
)


def to_markdown(summary: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Table 3 as a person reads it: one part an experiment, three lines a class (test, train, published)."""
    parts = ["# AUC per normal class and method, in %\n", LEGEND]
    for experiment, group in summary.groupby("experiment", sort=False):
        parts.append(f"## {experiment} ({_seeds(group)})\n")
        methods = list(dict.fromkeys(group["method"]))
        shown = EVALUATIONS if group["published_mean"].isna().all() else (*EVALUATIONS, "published")
        lines = []
        for normal, rows in group.groupby("normal", sort=False):
            cells = {row["method"]: row for _, row in rows.iterrows()}
            for line in shown:
                texts = [_cell(cells[method], line) if method in cells else MISSING for method in methods]
                lines.append([normal if line == EVALUATIONS[0] else "", line, *texts])
        table = pd.DataFrame(lines, columns=["normal", "AUC", *methods])
        parts.append(table.to_markdown(index=False, disable_numparse=True) + "\n")
    parts.append(_degenerate_fits(metrics[metrics["experiment"].isin(summary["experiment"])]))
    return "\n".join(parts)


def add_attacks(
    summary: pd.DataFrame, attacks: Mapping[str, Mapping[str, Any]], records: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Table 4: a summary with how its experiments' adversarial images were made.

    Args:
        summary: of `summarise`.
        attacks: for each experiment `attack`, `steps` and `held_out`.
        records: for each experiment the record of its attack, with a row an image.

    Returns:
        The summary with these columns and images, median_l2 (pixels in [0, 1]) and replaced (sources for which no
        misclassified image was found).
    """
    columns = {
        name: {
            **attack,
            "images": len(records[name]),
            "median_l2": records[name]["l2"].median(),
            "replaced": int(records[name]["replaced"].iloc[0]),
        }
        for name, attack in attacks.items()
    }
    return summary.join(pd.DataFrame.from_dict(columns, orient="index"), on="experiment")


def attacks_to_markdown(summary: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Table 4 as a person reads it: one part an experiment, one line a method."""
    parts = ["# AUC on adversarial images per method, in %\n", LEGEND]
    for experiment, group in summary.groupby("experiment", sort=False):
        first = group.iloc[0]
        parts.append(f"## {experiment} ({_seeds(group)})\n")
        scored = (
            "fitted on the training images, scored on the test images and the adversarial ones"
            if first["held_out"]
            else "all images fitted and scored at once, as in the paper"
        )
        parts.append(
            f"Normal: {first['normal']}. Anomalies: {first['images']} images of the attack `{first['attack']}`,"
            f" {first['steps']} steps, median L2 {first['median_l2']:.2f}; {scored}.\n"
        )
        shown = [e for e in EVALUATIONS if group[f"{e}_mean"].notna().any()]
        if group["published_mean"].notna().any():
            shown.append("published")
        lines = [[row["method"], *(_cell(row, line) for line in shown)] for _, row in group.iterrows()]
        table = pd.DataFrame(lines, columns=["method", *shown])
        parts.append(table.to_markdown(index=False, disable_numparse=True) + "\n")
    parts.append(_degenerate_fits(metrics[metrics["experiment"].isin(summary["experiment"])]))
    return "\n".join(parts)


def _seeds(group: pd.DataFrame) -> str:
    """How many seeds the cells of an experiment have."""
    seeds = sorted(set(group["fits"]))
    count = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"{count} seed{'s' if seeds[-1] > 1 else ''}"


def _cell(row: pd.Series, line: str) -> str:
    mean, std = row[f"{line}_mean"], row[f"{line}_std"]
    if pd.isna(mean):
        text = MISSING
    elif line == "published":
        text = f"{mean:.2f}" + ("" if pd.isna(std) else f" ± {std:.1f}")
    else:
        text = f"{mean:.1f}" + ("" if pd.isna(std) else f" ± {std:.1f}")
    if line != "published":
        if 0 < row[f"{line}_seeds"] < row["fits"]:
            text += f" ({row[f'{line}_seeds']} of {row['fits']} seeds)"
        if row["degenerate"]:
            text += f" †{row['degenerate']}/{row['fits']}"
    return text


def _degenerate_fits(metrics: pd.DataFrame) -> str:
    fits = metrics[metrics["status"].isin(DEGENERATE)].drop_duplicates(["experiment", "normal", "method", "seed"])
    if fits.empty:
        return "## Degenerate fits\n\nNone.\n"
    table = fits[["experiment", "normal", "method", "seed", "status", "reason"]]
    return "## Degenerate fits\n\n" + table.to_markdown(index=False, disable_numparse=True) + "\n"
