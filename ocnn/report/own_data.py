"""The tables of data of one's own: the most anomalous samples, and how well each class of anomalies is found."""

import numpy as np
import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table, number
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
            means = rows["mean"].reindex(methods)
            # As shown: what looks alike is equally good.
            best = np.round(means, 1) == np.round(means.max(), 1)
            cells = [
                Cell(MISSING, kind="missing")
                if pd.isna(means[method])
                else Cell(
                    number(means[method], 1)
                    + ("" if pd.isna(rows["std"][method]) else f" ± {rows['std'][method]:.1f}"),
                    float(means[method]),
                    best=bool(best[method]),
                )
                for method in methods
            ]
            count = int(rows["anomalies"].iloc[0])
            lines.append([Cell(name), Cell(str(count), float(count)), *cells])
        note = f"{int(group['normals'].iloc[0]):,} normal samples beside each."
        tables.append(Table(f"Normal: {normal}", ["anomalies", "samples", *methods], lines, note))
    legend = (
        f"AUC in percent of all normal samples of the part that is measured (`{aucs['evaluation'].iloc[0]}`) beside the"
        f" anomalies of one class; `{ALL}`: of every class. Mean ± standard deviation over seeds; bold: the best of a"
        " line. Few anomalies of a class make a rough AUC. The other metrics stand in the CSV file beside this one."
    )
    return Document(f"Classes of anomalies: {experiment}", legend, tables)
