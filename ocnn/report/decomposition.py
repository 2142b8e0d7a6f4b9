"""What stands in the table of the decomposition, and its reading in few words."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table, number
from ocnn.results.decomposition import ALL, MEASURED, SHUFFLED, SHUFFLED_TEST, STEPS, TITLES

#: The ways to measure, in the order of the table.
WAYS = (*MEASURED, SHUFFLED, SHUFFLED_TEST)


def decomposition_document(steps: pd.DataFrame, alpha: float) -> Document:
    """Show what each step of the protocol as released is worth: two tables per experiment, one line per cell.

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
        " before its end was held out, so that most of the anomalies are fitted, measured on the whole set and on the"
        " test part. Fitted normals: as released less held-out normals. Choice of samples: held-out normals less test"
        " part. Anomalies never fitted: as released less shuffled, of anomalies most of which the shuffled fit knows;"
        " on the test part of new ones. Differences are taken within a seed; `all` is the mean over the classes."
    )
    tables = []
    for experiment, group in steps.groupby("experiment", sort=False):
        cells = {key: rows.set_index("quantity") for key, rows in group.groupby(["method", "normal"], sort=False)}
        order = list(dict.fromkeys(group["method"]))
        cells = dict(sorted(cells.items(), key=lambda cell: (order.index(cell[0][0]), cell[0][1] == ALL)))
        sentences = " ".join(reading(group[group["method"] == method]) for method in order)
        measured = ["method", "normal", "published", *(TITLES[name] for name in WAYS)]
        worth = ["method", "normal", *(TITLES[name] for name in STEPS)]
        rows = [[*_names(key), _published(cell), *_quantities(cell, WAYS)] for key, cell in cells.items()]
        steps_of = [[*_names(key), *_quantities(cell, STEPS)] for key, cell in cells.items()]
        tables += [
            Table(f"{experiment}, AUC", measured, rows, sentences, stub=2),
            Table(f"{experiment}, what a step is worth in points", worth, steps_of, stub=2),
        ]
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
    if cell["mean"].notna()[SHUFFLED_TEST]:
        parts[-1] += f", and {found[SHUFFLED_TEST]} with the set shuffled: on new anomalies that is worth"
        parts[-1] += f" {found['unfitted_anomalies_test']} points"
    return ". ".join(parts) + "."


def _names(key: Iterable[Any]) -> list[Cell]:
    return [Cell(str(name)) for name in key]


def _quantities(cell: pd.DataFrame, names: Iterable[str]) -> list[Cell]:
    return [_cell(cell.loc[name]) for name in names]


def _published(cell: pd.DataFrame) -> Cell:
    value = cell["published"].iloc[0]
    return Cell(MISSING, kind="missing") if pd.isna(value) else Cell(number(value, 1), float(value))


def _cell(row: Any) -> Cell:
    """A mean, and its interval where several seeds give one."""
    if pd.isna(row["mean"]):
        return Cell(MISSING, kind="missing")
    interval = "" if pd.isna(row["low"]) else f" [{number(row['low'], 1)}, {number(row['high'], 1)}]"
    return Cell(number(row["mean"], 1) + interval, float(row["mean"]))
