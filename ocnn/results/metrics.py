"""One row a fit and evaluation: the AUC, the diagnosis and the cost, from the score and benchmark files."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ocnn.results.scores import IDENTITY, read_scores

#: In this order, which is the order of the tables, too.
EVALUATIONS = ("test", "train")
DEGENERATE = ("diverged", "collapsed")


def auc(is_anomaly: np.ndarray, anomaly_score: np.ndarray) -> float:
    """Area under the ROC curve, in [0, 1]; NaN where only one kind of sample is there or a score is not finite."""
    if is_anomaly.all() or not is_anomaly.any() or not np.isfinite(anomaly_score).all():
        return float("nan")
    return float(roc_auc_score(is_anomaly, anomaly_score))


def measure(scores: pd.DataFrame, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of one fit, one an evaluation, from the content of its score file."""
    rows = []
    for evaluation in EVALUATIONS:
        part = scores[(scores["evaluation"] == evaluation) & ~scores["tuned_on"]]
        values, anomalous = part["anomaly_score"].to_numpy(), part["is_anomaly"].to_numpy()
        # Beyond the method's own threshold.
        flagged = values > 0
        rows.append(
            {
                **{key: metadata[key] for key in IDENTITY},
                "evaluation": evaluation,
                "auc": auc(anomalous, values),
                "samples": len(part),
                "anomalies": int(anomalous.sum()),
                "flagged_anomalies": int((flagged & anomalous).sum()),
                "flagged_normals": int((flagged & ~anomalous).sum()),
                "distinct_scores": int(pd.Series(values).nunique()),
                "spread": float(np.std(values)) if len(values) and np.isfinite(values).all() else float("nan"),
                "status": metadata["diagnosis"]["status"],
                "reason": metadata["diagnosis"]["reason"],
            }
        )
    return rows


@dataclass(frozen=True)
class Collected:
    """What all score files say.

    metrics: a row a fit and evaluation.
    histories: a row a fit, series (`loss`, `r`, …) and epoch or outer iteration, counted from 1.
    provenance: `settings`, for each experiment and method the estimator and its settings for the first seed of the
        first class; `environments`, each set of versions and backend with the number of fits made with it.
    """

    metrics: pd.DataFrame
    histories: pd.DataFrame
    provenance: dict[str, Any]


def collect(fits: Iterable[Mapping[str, Any]], scores: str, benchmarks: str) -> Collected:
    """Reads every score file once; the seconds and the peak memory (MiB) are those of each fit's job.

    Args:
        fits: the experiment, normal class, method and seed of each.
        scores, benchmarks: patterns of their files.

    Raises:
        ResultError: a score file is missing, damaged or of another fit.
    """
    rows: list[dict[str, Any]] = []
    histories: list[pd.DataFrame] = []
    settings: dict[str, dict[str, Any]] = {}
    environments: Counter[str] = Counter()
    for fit in fits:
        table, metadata = read_scores(Path(scores.format(**fit)), fit)
        cost = job_cost(Path(benchmarks.format(**fit)))
        rows += [{**row, **cost} for row in measure(table, metadata)]
        histories += _histories(metadata)
        methods = settings.setdefault(metadata["experiment"], {})
        methods.setdefault(metadata["method"], {key: metadata[key] for key in ("estimator", "settings")})
        environment = {"backend": metadata["backend"] or "none", **metadata["versions"]}
        environments[json.dumps(environment, sort_keys=True)] += 1
    provenance = {
        "settings": settings,
        "environments": [{**json.loads(text), "fits": fits} for text, fits in environments.items()],
    }
    empty = pd.DataFrame(columns=[*IDENTITY, "series", "step", "value"])
    return Collected(pd.DataFrame(rows), pd.concat(histories, ignore_index=True) if histories else empty, provenance)


def _histories(metadata: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Numbers that were not finite are texts in JSON, and such again here."""
    return [
        pd.DataFrame(
            {
                **{key: metadata[key] for key in IDENTITY},
                "series": series,
                "step": np.arange(1, len(values) + 1),
                "value": np.asarray([float(value) for value in values], np.float64),
            }
        )
        for series, values in metadata["history"].items()
    ]


def job_cost(benchmark: Path) -> dict[str, float]:
    """Seconds and peak memory (MiB) of a job by Snakemake's benchmark file; NaN where that is missing or damaged.

    The file is tab-separated, with `-` for what could not be measured.
    """
    try:
        row = pd.read_csv(benchmark, sep="\t", na_values="-").iloc[-1]
        return {"seconds": float(row["s"]), "peak_memory": float(row["max_rss"])}
    except (OSError, ValueError, LookupError, TypeError):
        return {"seconds": float("nan"), "peak_memory": float("nan")}
