"""What stands in the table of the decomposition, and its reading in few words."""

from typing import Any

import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table, number
from ocnn.results.decomposition import ALL, MEASURED, SHUFFLED, STEPS, TITLES


def decomposition_document(steps: pd.DataFrame, alpha: float) -> Document:
    """Show what each step of the protocol as released is worth: one table per experiment, one line per cell.

    Args:
        steps: of `decompose`.
        alpha: of its intervals.
    """
    legend = (
        f"AUC in percent over seeds, with Student's interval at {100 * (1 - 2 * alpha):g} %, of the error over seeds"
        " and by the choice of samples; of one seed of the latter alone."
        " Each fit is measured on its whole set, of which most normals were fitted, and no anomaly where these stand"
        " last (as released); on the normals of the set that were not fitted, beside the same anomalies (held-out"
        " normals); and on the test part without fitted samples. `shuffled`: another fit, whose set was shuffled"
        " before its end was held out, so that most of the anomalies are fitted, measured on the whole set. Fitted"
        " normals: as released less held-out normals. Choice of samples: held-out normals less test part. Anomalies"
        " never fitted: as released less shuffled. Differences are taken within a seed; `all` is the mean over the"
        " classes."
    )
    tables = []
    for experiment, group in steps.groupby("experiment", sort=False):
        cells = {key: rows.set_index("quantity") for key, rows in group.groupby(["method", "normal"], sort=False)}
        keys = sorted(cells, key=lambda key: (list(group["method"]).index(key[0]), key[1] == ALL))
        rows = [
            [
                Cell(str(method)),
                Cell(str(normal)),
                _published(cells[method, normal]),
                *map(_cell, _quantities(cells[method, normal])),
            ]
            for method, normal in keys
        ]
        sentences = " ".join(reading(group[group["method"] == method]) for method in dict.fromkeys(group["method"]))
        tables.append(Table(str(experiment), ["method", "normal", "published", *TITLES.values()], rows, sentences))
    return Document("Where the published AUCs come from: the protocol as released, taken apart", legend, tables)


def reading(rows: pd.DataFrame) -> str:
    """Say in few words how many points of a method's AUC come from which step; rows of `decompose` of one method."""
    over = ALL if (rows["normal"] == ALL).any() else rows["normal"].iloc[0]
    cell = rows[rows["normal"] == over].set_index("quantity")
    found = {quantity: number(value, 1) for quantity, value in cell["mean"].items()}
    if pd.isna(cell.loc[[*MEASURED, "fitted_normals", "choice_of_samples"], "mean"]).any():
        return ""
    published = cell["published"].iloc[0]
    parts = [
        f"**{rows['method'].iloc[0]}**: {found['as_released']} as released"
        + ("" if pd.isna(published) else f", {number(published, 1)} published"),
        f"On held-out normals {found['held_out']}: scoring fitted ones is worth {found['fitted_normals']} points",
        f"On the test part {found['test']}",
    ]
    if cell["mean"].notna()[SHUFFLED]:
        worth = (
            f"that the end of the set, where they stand, is never fitted is worth {found['unfitted_anomalies']} points"
        )
        parts.insert(1, f"With the set shuffled first, so that anomalies are fitted, {found[SHUFFLED]}: {worth}")
    return ". ".join(parts) + "."


def _quantities(cell: pd.DataFrame) -> list[Any]:
    return [cell.loc[quantity] for quantity in (*MEASURED, SHUFFLED, *STEPS)]


def _published(cell: pd.DataFrame) -> Cell:
    value = cell["published"].iloc[0]
    return Cell(MISSING, kind="missing") if pd.isna(value) else Cell(number(value, 1), float(value))


def _cell(row: Any) -> Cell:
    """A mean, and its interval where several seeds give one."""
    if pd.isna(row["mean"]):
        return Cell(MISSING, kind="missing")
    interval = "" if pd.isna(row["low"]) else f" [{number(row['low'], 1)}, {number(row['high'], 1)}]"
    return Cell(number(row["mean"], 1) + interval, float(row["mean"]))
