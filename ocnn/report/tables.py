"""What stands in the tables that a person reads: cells and words, from the summaries and judgements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table, frame_table, number
from ocnn.results.metrics import DEGENERATE, EVALUATIONS
from ocnn.results.statistics import average_ranks, friedman, pairwise_differences, smallest_holm_wilcoxon
from ocnn.results.summary import class_table
from ocnn.results.verdicts import count_verdicts, rule

LEGEND = (
    "AUC in percent, mean ± standard deviation over seeds. `test`: the test part, as the paper says; `train`: the"
    " contaminated training set itself, as the authors' code measured; `published`: the paper's cell. Bold: the best of"
    " a line, degenerate cells apart. † k/n: k of the n fits diverged or collapsed, so that this cell is no result of"
    " the method (the reasons are listed under degenerate fits). – : not available."
)


def table3(summary: pd.DataFrame, metrics: pd.DataFrame, remarks: Mapping[str, str]) -> Document:
    """Table 3: one part an experiment, for each class a line an evaluation, the published one, and the differences.

    Args:
        summary: of `summarise`.
        metrics: rows of `metrics.collect`.
        remarks: for each experiment what a reader must know about it.
    """
    tables = []
    for experiment, group in summary.groupby("experiment", sort=False):
        methods = list(dict.fromkeys(group["method"]))
        rows = []
        for normal, cells in group.groupby("normal", sort=False):
            by_method = {row["method"]: row for _, row in cells.iterrows()}
            for line in _lines(group):
                found = [_cell(by_method[m], line) if m in by_method else Cell(MISSING) for m in methods]
                rows.append([Cell(str(normal)), Cell(_line_name(line)), *_best_marked(found, line)])
        note = " ".join(text for text in (f"{_seeds(group)}.", remarks.get(str(experiment), "")) if text)
        tables.append(Table(str(experiment), ["normal", "AUC", *methods], rows, note))
    degenerate = degenerate_fits(metrics[metrics["experiment"].isin(summary["experiment"])])
    return Document("AUC per normal class and method, in % (Table 3)", LEGEND, [*tables, degenerate])


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


def table4(summary: pd.DataFrame, metrics: pd.DataFrame, remarks: Mapping[str, str]) -> Document:
    """Table 4: one part an experiment, one line a method; arguments as for `table3`, the summary of `add_attacks`."""
    tables = []
    for experiment, group in summary.groupby("experiment", sort=False):
        first = group.iloc[0]
        scored = (
            "fitted on the training images, scored on the test images and the adversarial ones"
            if first["held_out"]
            else "all images fitted and scored at once, as in the paper"
        )
        note = (
            f"{_seeds(group)}. Normal: {first['normal']}. Anomalies: {first['images']} images of the attack"
            f" `{first['attack']}`, {first['steps']} steps, median L2 {first['median_l2']:.2f}; {scored}."
            f" {remarks.get(str(experiment), '')}"
        ).strip()
        lines = _lines(group)
        columns = [_best_marked([_cell(row, line) for _, row in group.iterrows()], line) for line in lines]
        rows = [[Cell(method), *(column[place] for column in columns)] for place, method in enumerate(group["method"])]
        tables.append(Table(str(experiment), ["method", *map(_line_name, lines)], rows, note))
    degenerate = degenerate_fits(metrics[metrics["experiment"].isin(summary["experiment"])])
    return Document("AUC on adversarial images per method, in % (Table 4)", LEGEND, [*tables, degenerate])


def degenerate_fits(metrics: pd.DataFrame) -> Table:
    """Every fit that diverged or collapsed, and why."""
    fits = metrics[metrics["status"].isin(DEGENERATE)].drop_duplicates(["experiment", "normal", "method", "seed"])
    table = frame_table("Degenerate fits", fits[["experiment", "normal", "method", "seed", "status", "reason"]])
    return replace(table, listing=True)


def _lines(group: pd.DataFrame) -> list[str]:
    """The lines of an experiment: the evaluations that it has, what is compared with, and the differences."""
    evaluations = [e for e in EVALUATIONS if group[f"{e}_mean"].notna().any()]
    lines = list(evaluations)
    if group["published_mean"].notna().any():
        lines += ["published", *(f"{evaluation}_difference" for evaluation in evaluations)]
    known = {"published", *EVALUATIONS}
    references = [str(column).removesuffix("_mean") for column in group if str(column).endswith("_mean")]
    return lines + [name for name in references if name not in known and group[f"{name}_mean"].notna().any()]


def _line_name(line: str) -> str:
    return f"{line.removesuffix('_difference')} − published" if line.endswith("_difference") else line


def _seeds(group: pd.DataFrame) -> str:
    """How many seeds the cells of an experiment have."""
    seeds = sorted(set(group["fits"]))
    count = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"{count} seed{'s' if seeds[-1] > 1 else ''}"


def _cell(row: pd.Series, line: str) -> Cell:
    ours = line.removesuffix("_difference") in EVALUATIONS
    marked = f" †{row['degenerate']}/{row['fits']}" if ours and row["degenerate"] else ""
    kind = "degenerate" if marked else ""
    if line.endswith("_difference"):
        value = row[line]
        if pd.isna(value):
            return Cell(MISSING + marked, kind=kind or "missing")
        # Without a sign where nothing is left of it.
        text = f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"
        return Cell(text.replace("-", "−") + marked, float(value), kind=kind)
    value, std = row[f"{line}_mean"], row.get(f"{line}_std", np.nan)
    if pd.isna(value):
        return Cell(MISSING + marked, kind=kind or "missing")
    text = number(value, 1 if ours else 2) + ("" if pd.isna(std) else f" ± {std:.1f}")
    if ours and row[f"{line}_seeds"] < row["fits"]:
        text += f" ({row[f'{line}_seeds']} of {row['fits']} seeds)"
    return Cell(text + marked, float(value), kind=kind)


def _best_marked(cells: Sequence[Cell], line: str) -> list[Cell]:
    """The cells, the highest AUC of those that are results marked; differences have no best one."""
    values = [cell.value for cell in cells if cell.value is not None and cell.kind != "degenerate"]
    if line.endswith("_difference") or not values:
        return list(cells)
    # Equal as far as they are shown.
    best = round(max(values), 1 if line in EVALUATIONS else 2)
    return [
        Cell(cell.text, cell.value, best=round(cell.value, 1 if line in EVALUATIONS else 2) == best)
        if cell.value is not None and not cell.kind
        else cell
        for cell in cells
    ]


def verdict_document(judged: pd.DataFrame, margin: float, alpha: float) -> Document:
    """The verdicts, counted per column of the published tables and then cell by cell."""
    columns = ["experiment", "normal", "method", "evaluation", "published", "mean", "low", "high", "difference"]
    cells = judged[[*columns, "seeds", "reach", "verdict", "reason"]].replace({"reason": {"": MISSING}})
    note = "`reach`: the smallest margin within which the interval would lie."
    counts = count_verdicts(judged)
    return Document(
        "Do the published AUCs hold?",
        rule(margin, alpha),
        [frame_table("How many cells of each column", counts), frame_table("Cell by cell", cells, note)],
    )


def claim_document(claims: pd.DataFrame, alpha: float) -> Document:
    """The claims, each with the paper's words."""
    legend = (
        "Each claim of the paper's text, in each experiment on its data set and under each evaluation. A ranking is"
        f" supported if every difference of AUCs that it needs is above 0 at a level of {100 * alpha:g} %, contradicted"
        " if one is below 0 (Holm-corrected), else undecided; `effect` is the smallest of the differences in points,"
        f" low and high its interval at {100 * (1 - 2 * alpha):g} %. `published effect` is the smallest difference in"
        " the published table: below 0, the paper's own numbers contradict its text. Of the synthetic data the effect"
        " is the share of anomalies found in percent. Claims are not corrected for one another."
    )
    order = ["claim", "experiment", "evaluation", "method", "verdict", "effect", "low", "high", "replicates"]
    shown = claims[[*order, "detail", "published_effect"]].copy()
    shown["replicates"] = shown["replicates"].astype("Int64")
    for column in ("experiment", "evaluation", "method"):
        shown[column] = shown[column].astype(object).fillna(MISSING)
    words = claims[["claim", "says", "where"]].drop_duplicates()
    return Document(
        "Do the paper's claims hold?",
        legend,
        [frame_table("Claims", shown), frame_table("In the paper's words", words)],
    )


def comparison_document(summary: pd.DataFrame) -> Document:
    """Methods over the classes of each experiment: ranks, Friedman's test, and the differences of all pairs."""
    tables = []
    for experiment, evaluation, table, left_out in comparisons(summary):
        statistic, p = friedman(table)
        ranks = average_ranks(table)
        rows = pd.DataFrame({"method": ranks.index, "average_rank": ranks, "mean_auc": table.mean()[ranks.index]})
        sentences = [
            f"{len(table)} classes, {table.shape[1]} methods, seeds averaged first (the class is the replicate).",
            f"Friedman χ² = {statistic:.2f}, p = {p:.2g}." if np.isfinite(p) else "Too few for Friedman's test.",
            power_sentence(len(table), table.shape[1]),
            *(f"Without a rank: {method}, {reason}." for method, reason in left_out.items()),
        ]
        tables.append(frame_table(f"{experiment}, {evaluation}", rows, " ".join(sentences)))
    legend = (
        "Average rank of each method over the normal classes, 1 = the best AUC. A method with a degenerate or missing"
        " cell has none. All pairwise differences with their intervals stand in `differences.csv`."
    )
    return Document("Methods compared over classes", legend, tables)


def comparisons(summary: pd.DataFrame) -> Iterable[tuple[str, str, pd.DataFrame, dict[str, str]]]:
    """Each experiment of at least two classes under each evaluation: its table of `class_table`, what is left out."""
    for experiment, group in summary.groupby("experiment", sort=False):
        for evaluation in EVALUATIONS:
            if group["normal"].nunique() > 1 and group[f"{evaluation}_mean"].notna().any():
                table, left_out = class_table(group, evaluation)
                if table.shape[1] > 1:
                    yield str(experiment), evaluation, table, left_out


def all_differences(summary: pd.DataFrame) -> pd.DataFrame:
    """The pairwise differences of every comparison, see `statistics.pairwise_differences`."""
    parts = [
        pairwise_differences(table).assign(experiment=experiment, evaluation=evaluation, classes=len(table))
        for experiment, evaluation, table, _ in comparisons(summary)
    ]
    columns = ["experiment", "evaluation", "classes", "first", "second", "difference", "low", "high"]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return frame.reindex(columns=[*columns, "p_wilcoxon", "p_holm"])


def power_sentence(classes: int, methods: int, alpha: float = 0.05) -> str:
    """What pairwise Wilcoxon tests over so few classes can tell at all."""
    smallest = smallest_holm_wilcoxon(classes, methods)
    pairs = methods * (methods - 1) // 2
    if smallest > alpha:
        return (
            f"With {classes} classes no Holm-corrected pairwise Wilcoxon test over {methods} methods ({pairs} pairs)"
            f" can reject at {100 * alpha:g} %: its smallest p-value is {smallest:.2g}. So the intervals of the"
            " differences are what to read."
        )
    return (
        f"The smallest p-value that a Holm-corrected pairwise Wilcoxon test over {pairs} pairs can have with {classes}"
        f" classes is {smallest:.2g}."
    )
