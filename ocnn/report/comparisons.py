"""Methods compared over classes, and over data sets: ranks, Friedman's test, the differences of all pairs."""

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from ocnn.report.rendering import Cell, Document, Table, number
from ocnn.report.tables import MEAN_RULE, auc_cell, aucs_of, below_chance_rule
from ocnn.results.statistics import average_ranks, friedman, pairwise_differences, smallest_holm_wilcoxon
from ocnn.results.summary import ALL_DATASETS, blocks_of, class_table, mean_below_chance, over_datasets


def comparison_document(summary: pd.DataFrame, alpha: float, datasets: Collection[str] = ()) -> Document:
    """Compare methods over the classes of each experiment: ranks, Friedman's test, and the differences of all pairs.

    alpha: of the summary.
    datasets: experiments over which, as over data sets, they are compared, too.
    """
    tables = []
    for experiment, evaluation, table, left_out in comparisons(summary, datasets):
        statistic, p = friedman(table)
        blocks = blocks_of([experiment])
        own = summary[(summary["experiment"] == experiment) & (summary["evaluation"] == evaluation)]
        rows = []
        for method, place in average_ranks(table).iterrows():
            aucs = aucs_of(own[own["method"] == method])
            rows.append(
                [
                    Cell(str(method)),
                    Cell(number(place["rank"], 2), place["rank"]),
                    Cell(f"{number(place['low'], 2)} to {number(place['high'], 2)}"),
                    auc_cell(
                        table[method].mean(), np.nan, decimals=2, below=len(aucs) > 0 and mean_below_chance(aucs, alpha)
                    ),
                ]
            )
        one = "data set, with the mean over its classes," if experiment == ALL_DATASETS else "class"
        sentences = [
            f"{len(table)} {blocks}, {table.shape[1]} methods, seeds averaged first (the {one} is the replicate).",
            f"Friedman χ² = {statistic:.2f}, p = {p:.2g}." if np.isfinite(p) else "Too few for Friedman's test.",
            power_sentence(len(table), table.shape[1], blocks),
            *(f"Without a rank: {method}, {reason}." for method, reason in left_out.items()),
        ]
        columns = ["method", "average rank", "its interval, 95 %", "mean auc"]
        tables.append(Table(f"{experiment}, {evaluation}", columns, rows, " ".join(sentences)))
    legend = (
        "Average rank of each method over the normal classes, 1 = the best AUC, with Student's interval over the"
        " classes, each method by itself. A method with a degenerate or missing cell has none. All pairwise differences"
        " with their intervals stand in `differences.csv`."
    )
    title = "Methods compared over classes"
    if datasets:
        title += " and data sets"
        legend += " Over all data sets each counts once, by the first experiment on it; attacked ones do not count."
    return Document(title, legend + below_chance_rule(alpha) + MEAN_RULE, tables)


def comparisons(
    summary: pd.DataFrame, datasets: Collection[str] = ()
) -> Iterable[tuple[str, str, pd.DataFrame, dict[str, str]]]:
    """Go over data sets and over experiments of several classes, and their evaluations.

    Yields:
        The experiment, or `ALL_DATASETS`; the evaluation; the AUCs as a `class_table`, and what is left out.
    """
    aucs = aucs_of(summary)
    for rows in (over_datasets(aucs, datasets), aucs):
        for (experiment, evaluation), group in rows.groupby(["experiment", "evaluation"], sort=False):
            if group["normal"].nunique() > 1:
                table, left_out = class_table(group)
                if table.shape[1] > 1:
                    yield str(experiment), str(evaluation), table, left_out


def all_differences(summary: pd.DataFrame, datasets: Collection[str] = ()) -> pd.DataFrame:
    """Compute the pairwise differences of every comparison, see `statistics.pairwise_differences`.

    datasets: as for `comparison_document`; there `classes` counts the data sets.
    """
    parts = [
        pairwise_differences(table).assign(experiment=experiment, evaluation=evaluation, classes=len(table))
        for experiment, evaluation, table, _ in comparisons(summary, datasets)
    ]
    columns = ["experiment", "evaluation", "classes", "first", "second", "difference", "low", "high"]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return frame.reindex(columns=[*columns, "p_wilcoxon", "p_holm"])


def power_sentence(count: int, methods: int, blocks: str = "classes", alpha: float = 0.05) -> str:
    """Say what pairwise Wilcoxon tests over so few classes or data sets can tell at all."""
    smallest = smallest_holm_wilcoxon(count, methods)
    pairs = methods * (methods - 1) // 2
    if smallest > alpha:
        return (
            f"With {count} {blocks} no Holm-corrected pairwise Wilcoxon test over {methods} methods ({pairs} pairs)"
            f" can reject at {100 * alpha:g} %: its smallest p-value is {smallest:.2g}. So the intervals of the"
            " differences are what to read."
        )
    return (
        f"The smallest p-value that a Holm-corrected pairwise Wilcoxon test over {pairs} pairs can have with {count}"
        f" {blocks} is {smallest:.2g}."
    )
