"""The table of what differs from another run, and its reading in a few sentences."""

from typing import Any

import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table, cell_key, number
from ocnn.results.changes import CHANGED, GONE, NEW, SAME
from ocnn.results.metrics import METRICS, PUBLISHED_METRIC
from ocnn.results.summary import KEYS
from ocnn.results.verdicts import DESCRIPTIVE


def changes_document(changes: pd.DataFrame) -> Document:
    """Show the cells that differ from another run's, and say how many there are of each sort.

    Args:
        changes: of `compare_runs`.
    """
    legend = (
        "Means over seeds of this run and of the one that the configuration names by `compare`, whose verdicts are by"
        " the rule of this one. Cells of which every metric is the same, and the verdict too, are only counted; all"
        " stand in `changes.csv`."
    )
    differing = changes[(changes["change"] != SAME) | (changes["same_verdict"].eq(False).fillna(False))]
    judged = any(
        (changes[name].notna() & (changes[name] != DESCRIPTIVE)).any() for name in ("verdict_before", "verdict_now")
    )
    titles = [f"{METRICS[name].title}: {what}" for name in METRICS for what in ("before", "now", "difference")]
    columns = [*KEYS, "evaluation", "change", *titles, *(["verdict before", "verdict now"] if judged else [])]
    rows = [_row(row, judged) for row in differing.to_dict("records")]
    return Document(
        "What differs from the other run", legend, [Table("Cells that differ", columns, rows, reading(changes), stub=3)]
    )


def reading(changes: pd.DataFrame) -> str:
    """Say how many cells are the same, changed, new or gone, and how many verdicts hold."""
    counts = changes["change"].value_counts()
    both = int(counts.get(SAME, 0) + counts.get(CHANGED, 0))
    text = f"**Of {both} cells of both runs {_are(counts.get(SAME, 0))} the same**"
    if counts.get(CHANGED, 0):
        differences = changes.loc[changes["change"] == CHANGED, f"{PUBLISHED_METRIC}_difference"].abs()
        if differences.notna().any():
            row = changes[changes.index == differences.idxmax()].iloc[0]
            where = f"`{row['method']}` on `{row['experiment']}`, {row['evaluation']}"
            text += f"; the AUC differs most, by {number(row['auc_difference'], 1)} points, for {where}"
    text += f"; {_are(counts.get(NEW, 0))} new and {counts.get(GONE, 0)} gone."
    verdicts = changes.loc[changes["verdict_now"] != DESCRIPTIVE, "same_verdict"].dropna()
    holding = int(verdicts.sum())
    return text + (f" {holding} of {len(verdicts)} verdicts hold{'s' * (holding == 1)}." if len(verdicts) else "")


def _are(count: int) -> str:
    return f"{count} is" if count == 1 else f"{count} are"


def _row(row: dict[Any, Any], judged: bool) -> list[Cell]:
    key = cell_key(*(str(row[name]) for name in KEYS)) if row["change"] != GONE else ""
    cells = [*(Cell(str(row[name]), target=key if name == "method" else "") for name in KEYS)]
    cells += [Cell(str(row["evaluation"])), Cell(str(row["change"]))]
    for name in METRICS:
        cells += [_number(row[f"{name}_{what}"]) for what in ("before", "now", "difference")]
    if judged:
        cells += [_verdict(row[name]) for name in ("verdict_before", "verdict_now")]
    return cells


def _number(value: float) -> Cell:
    if pd.isna(value):
        return Cell(MISSING, kind="missing")
    return Cell(number(value, 2).replace("−0.00", "0.00"), float(value))


def _verdict(verdict: Any) -> Cell:
    if pd.isna(verdict):
        return Cell(MISSING, kind="missing")
    return Cell(str(verdict), kind=str(verdict).replace(" ", "-"))
