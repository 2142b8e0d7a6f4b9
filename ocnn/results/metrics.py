"""One row a fit and evaluation: the AUC, the diagnosis and the cost, from the score and benchmark files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ocnn.results.scores import read_scores

#: In this order, which is the order of the tables, too.
EVALUATIONS = ("test", "train")
DEGENERATE = ("diverged", "collapsed")


def auc(is_anomaly: np.ndarray, anomaly_score: np.ndarray) -> float:
    """Area under the ROC curve, in [0, 1]; NaN where only one kind of sample is there or a score is not finite."""
    if is_anomaly.all() or not is_anomaly.any() or not np.isfinite(anomaly_score).all():
        return float("nan")
    return float(roc_auc_score(is_anomaly, anomaly_score))


def measure(path: Path) -> list[dict[str, Any]]:
    """The rows of one score file, one an evaluation."""
    scores, metadata = read_scores(path)
    rows = []
    for evaluation in EVALUATIONS:
        part = scores[(scores["evaluation"] == evaluation) & ~scores["tuned_on"]]
        values = part["anomaly_score"].to_numpy()
        rows.append(
            {
                **{key: metadata[key] for key in ("experiment", "normal", "method", "seed")},
                "evaluation": evaluation,
                "auc": auc(part["is_anomaly"].to_numpy(), values),
                "samples": len(part),
                "anomalies": int(part["is_anomaly"].sum()),
                "distinct_scores": int(pd.Series(values).nunique()),
                "spread": float(np.std(values)) if len(values) and np.isfinite(values).all() else float("nan"),
                "status": metadata["diagnosis"]["status"],
                "reason": metadata["diagnosis"]["reason"],
            }
        )
    return rows


def collect(scores: Iterable[Path], benchmarks: Iterable[Path]) -> pd.DataFrame:
    """All rows, with the seconds and the peak memory (MiB) of each fit's job from its benchmark file.

    Args:
        scores, benchmarks: the files of the fits, in the same order.
    """
    rows = []
    for score, benchmark in zip(scores, benchmarks, strict=True):
        cost = _cost(benchmark)
        rows += [{**row, **cost} for row in measure(score)]
    return pd.DataFrame(rows)


def _cost(benchmark: Path) -> dict[str, float]:
    """Snakemake's benchmark file: tab-separated, `-` for what it could not measure."""
    if not benchmark.is_file():
        return {"seconds": float("nan"), "peak_memory": float("nan")}
    row = pd.read_csv(benchmark, sep="\t", na_values="-").iloc[-1]
    return {"seconds": float(row["s"]), "peak_memory": float(row["max_rss"])}
