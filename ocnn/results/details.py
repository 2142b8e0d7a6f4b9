"""What one fit looks like: how its decision scores lie, its ROC and precision-recall curves, and its worst mistakes.

All of it is measured on the part that a fit is read for, and is small enough for a page to hold thousands of fits.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ocnn.results.frames import TEXT
from ocnn.results.metrics import curve

#: Bins of a histogram, and the share of the scores beyond either end of it, which its outer bins hold.
BINS, BEYOND = 30, 0.005
#: False positive rates, and recalls, at which a curve is kept: closest where few normal samples are flagged.
GRID = np.concatenate([np.linspace(0.0, 0.1, 20, endpoint=False), np.linspace(0.1, 1.0, 37)])
#: So many false alarms, and so many misses, are kept of a fit.
WORST = 6
FALSE_ALARM, MISS = "false alarm", "miss"
MISTAKES = pa.schema(
    [
        *(("experiment", TEXT), ("normal", TEXT), ("method", TEXT), ("seed", pa.int64())),
        ("kind", TEXT),  # false alarm: a normal sample; miss: an anomaly
        ("place", pa.int64()),  # 1: the worst of its kind
        ("part", TEXT),  # of the data set
        ("sample", pa.int64()),  # index into that part
        ("decision", pa.float64()),  # ≥ 0: taken for normal
    ]
)


def shapes(is_anomaly: NDArray[np.bool_], anomaly_score: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Describe the decision scores of a fit, −anomaly score, by series of numbers.

    Args:
        is_anomaly, anomaly_score: (n,).

    Returns:
        `range` (2,), the lowest and the highest edge of equally wide bins; `normal` and `anomalous` (`BINS`,), the
        samples of either kind in each. Where both kinds are there and every score is finite: `tpr` over `GRID`, the
        highest true positive rate at a false positive rate that is not above it; `precision` over `GRID`, that of the
        highest threshold with such a recall or more. Empty without a finite score.
    """
    decisions = -anomaly_score
    finite = np.isfinite(decisions)
    if not finite.any():
        return {}
    low, high = np.quantile(decisions[finite], (BEYOND, 1 - BEYOND))
    # The threshold is in the picture unless the picture would be of little else.
    with_threshold = min(low, 0.0), max(high, 0.0)
    if with_threshold[1] - with_threshold[0] <= 3 * (high - low):
        low, high = with_threshold
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
    series = {"range": np.array([low, high])}
    for name, kind in (("normal", ~is_anomaly), ("anomalous", is_anomaly)):
        clipped = np.clip(decisions[finite & kind], low, high)
        series[name] = np.histogram(clipped, BINS, (low, high))[0].astype(np.float64)
    if finite.all() and is_anomaly.any() and not is_anomaly.all():
        points = curve(is_anomaly, anomaly_score)
        series["tpr"] = points.tpr[np.searchsorted(points.fpr, GRID + 1e-9, side="right") - 1]
        series["precision"] = points.precision[np.maximum(np.searchsorted(points.tpr, GRID - 1e-9), 1) - 1]
    return series


def worst_mistakes(rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the normal samples with the highest anomaly scores, and the anomalies with the lowest, `WORST` of each.

    Args:
        rows: of a score file that are evaluated.

    Returns:
        The columns of `MISTAKES` after the seed. A sample is only a mistake by its place in the ranking; whether the
        method's own threshold makes one of it, `decision` tells. Ties are in the order of the samples.
    """
    decisions, is_anomaly = -rows["anomaly_score"].to_numpy(), rows["is_anomaly"].to_numpy()
    worst = {}
    for kind, chosen, worth in ((FALSE_ALARM, ~is_anomaly, decisions), (MISS, is_anomaly, -decisions)):
        places = np.flatnonzero(chosen)
        worst[kind] = places[np.argsort(worth[places], kind="stable")[:WORST]]
    lengths = [len(places) for places in worst.values()]
    places = np.concatenate(list(worst.values()))
    return pd.DataFrame(
        {
            "kind": np.repeat(list(worst), lengths),
            "place": np.concatenate([np.arange(1, length + 1) for length in lengths]),
            "part": rows["part"].iloc[places].astype(str).to_numpy(),
            "sample": rows["sample"].to_numpy(np.int64)[places],
            "decision": decisions[places],
        }
    )
