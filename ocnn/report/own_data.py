"""The tables of data of one's own: the most anomalous samples, and how well each class of anomalies is found."""

import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table
from ocnn.report.tables import auc_cell, best_marked
from ocnn.results.metrics import PUBLISHED_METRIC
from ocnn.results.own_data import ALL

#: So many samples does a table of the most anomalous show.
SHOWN = 20


def ranking_document(experiment: str, ranked: pd.DataFrame) -> Document:
    """Show the first samples of each method.

    Args:
        experiment: its name.
        ranked: of `rank_samples`.
    """
    tables = []
    for method, rows in ranked.groupby("method", sort=False):
        seeds, flagged = int(rows["seeds"].iloc[0]), rows["flagged"] * 2 > rows["seeds"]
        cells = [
            [
                Cell(str(row["place"]), float(row["place"])),
                Cell(row["sample"]),
                _score(row["anomaly_score"], row["std"]),
                Cell("yes" if seeds == 1 else f"{row['flagged']} of {seeds}") if row["flagged"] else Cell("no"),
            ]
            for row in rows[:SHOWN].to_dict("records")
        ]
        by = "" if seeds == 1 else f" by more than half of its {seeds} fits"
        note = f"{flagged.sum():,} of {len(rows):,} samples are flagged{by}."
        if degenerate := int(rows["degenerate"].iloc[0]):
            note += f" **† {degenerate} of {seeds} fits diverged or collapsed: this order is no result of the method.**"
        tables.append(Table(str(method), ["place", "sample", "anomaly score", "flagged"], cells, note))
    legend = (
        "There are no labels, so nothing is measured. The higher a score, the more anomalous the sample; scores of"
        " different methods have different units. A sample is flagged where its score is above 0, the method's own"
        f" threshold. Shown are the first {SHOWN}; every sample stands in the CSV file beside this one."
    )
    return Document(f"Most anomalous samples: {experiment}", legend, tables)


def _score(mean: float, std: float) -> Cell:
    if pd.isna(mean):
        return Cell(MISSING, kind="missing")
    spread = "" if pd.isna(std) else f" ± {std:.3g}"
    return Cell(f"{mean:.4g}".replace("-", "−") + spread, float(mean))


def _auc(row: pd.Series) -> Cell:
    if pd.isna(row["degenerate"]):
        return Cell(MISSING, kind="missing")
    return auc_cell(row["mean"], row["std"], degenerate=int(row["degenerate"]), fits=int(row["fits"]))


def class_document(experiment: str, measured: pd.DataFrame) -> Document:
    """Show the AUC on each class of anomalies, one line per class and one column per method.

    Args:
        experiment: its name.
        measured: of `measure_classes`.
    """
    tables = []
    aucs = measured[measured["metric"] == PUBLISHED_METRIC]
    for normal, group in aucs.groupby("normal", sort=False):
        methods = list(dict.fromkeys(group["method"]))
        lines = []
        for name in sorted(set(group["anomaly_class"]), key=lambda name: (name != ALL, name)):
            rows = group[group["anomaly_class"] == name].set_index("method")
            cells = best_marked([_auc(row) for _, row in rows.reindex(methods).iterrows()])
            count = int(rows["anomalies"].iloc[0])
            lines.append([Cell(name), Cell(str(count), float(count)), *cells])
        note = f"{int(group['normals'].iloc[0]):,} normal samples beside each."
        tables.append(Table(f"Normal: {normal}", ["anomalies", "samples", *methods], lines, note))
    legend = (
        f"AUC in percent of all normal samples of the part that is measured (`{aucs['evaluation'].iloc[0]}`) beside the"
        f" anomalies of one class; `{ALL}`: of every class. Mean ± standard deviation over seeds; bold: the best of a"
        " line, degenerate cells apart. † k/n: k of the n fits diverged or collapsed, so that this cell is no result of"
        " the method. Few anomalies of a class make a rough AUC. The other metrics stand in the CSV file beside this"
        " one."
    )
    return Document(f"Classes of anomalies: {experiment}", legend, tables)
