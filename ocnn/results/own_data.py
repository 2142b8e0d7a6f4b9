"""What data of one's own are asked for beyond metrics: the order of samples, and each class of anomalies by itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ocnn.errors import ResultError
from ocnn.results.measurements import evaluated_part
from ocnn.results.metrics import DEGENERATE, METRICS
from ocnn.results.scores import Fit, read_scores
from ocnn.storage.parquet import ADVICE

#: Of samples without labels, the most anomalous first.
RANKED = ["experiment", "method", "place", "sample", "anomaly_score", "std", "flagged", "seeds", "degenerate"]
#: Stands for all classes of anomalies together.
ALL = "all classes"
BY_CLASS = ["experiment", "normal", "method", "evaluation", "anomaly_class", "metric", "mean", "std", "seeds"]
COUNTS = ["anomalies", "normals", "degenerate", "fits"]


def rank_samples(fits: Iterable[Fit], scores: str, names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Order the samples of an experiment without labels, for each method by the mean over seeds of their scores.

    Args:
        fits: of one experiment and class.
        scores: pattern of their score files.
        names: of the samples of each part, in the order of the arrays.

    Returns:
        `RANKED`, one row per method and sample: `place`, from 1; `anomaly_score`, the mean over `seeds` fits, with its
        standard deviation; `flagged`, the number of fits that gave it a score beyond the threshold, above 0;
        `degenerate`, how many of the fits diverged or collapsed. Ties are in the order of the arrays, and a score that
        is not finite comes last.
    """
    by_method: dict[tuple[str, str], list[pd.DataFrame]] = {}
    degenerate: Counter[tuple[str, str]] = Counter()
    for fit in fits:
        table, metadata = read_scores(fit.path(scores), fit)
        by_method.setdefault((fit.experiment, fit.method), []).append(evaluated_part(table)[1])
        degenerate[fit.experiment, fit.method] += metadata["diagnosis"]["status"] in DEGENERATE
    parts = []
    for (experiment, method), tables in by_method.items():
        rows = pd.concat(tables).astype({"part": str}).sort_values(["part", "sample"], ascending=[False, True])
        given = rows["anomaly_score"]
        rows = rows.assign(anomaly_score=given.where(np.isfinite(given)), flagged=given > 0)
        samples = rows.groupby(["part", "sample"], sort=False)
        means = samples["anomaly_score"].agg(anomaly_score="mean", std="std", count="count").reset_index()
        means["anomaly_score"] = means["anomaly_score"].where(means["count"] == len(tables))
        means["flagged"] = samples["flagged"].sum().to_numpy()
        means = means.sort_values("anomaly_score", ascending=False, kind="stable", na_position="last")
        means["sample"] = [names[part][sample] for part, sample in zip(means["part"], means["sample"], strict=True)]
        means = means.assign(experiment=experiment, method=method, seeds=len(tables))
        means["degenerate"] = degenerate[experiment, method]
        parts.append(means.assign(place=np.arange(1, len(means) + 1))[RANKED])
    return pd.concat(parts, ignore_index=True)


def measure_classes(fits: Iterable[Fit], scores: str, labels: Callable[[Fit], pd.DataFrame]) -> pd.DataFrame:
    """Measure each class of anomalies alone: all normal samples that are evaluated beside the anomalies of one class.

    Args:
        fits: of an experiment.
        scores: pattern of their score files.
        labels: gives the rows of a fit's split, with `part`, `sample` and `label`.

    Returns:
        `BY_CLASS` and `COUNTS`, one row per normal class, method, class of anomalies and metric; the first of the
        classes is `ALL` of them. `mean` and `std`, the sample standard deviation, are over the `seeds` that have a
        value, in the unit of the metric; `anomalies` and `normals` are the fewest samples in any of them; `degenerate`
        is how many of the `fits` diverged or collapsed; they are in the mean where their scores are finite.

    Raises:
        ResultError: a score file is missing, damaged, of another fit, or of other samples than its split.
    """
    rows: list[dict[str, Any]] = []
    for fit in fits:
        scored, metadata = read_scores(fit.path(scores), fit)
        table = scored.astype({"part": str})
        named = labels(fit)[["part", "sample", "label"]].astype({"part": str, "label": str})
        known = table.merge(named, on=["part", "sample"], how="left", validate="1:1")
        if known["label"].isna().any():
            raise ResultError(f"{fit.path(scores)} has samples that its split has not. {ADVICE}")
        evaluation, part = evaluated_part(known)
        anomalous = part["is_anomaly"].to_numpy()
        for anomaly_class in [ALL, *sorted(set(part.loc[anomalous, "label"]))]:
            chosen = part[~anomalous | (anomaly_class == ALL) | (part["label"] == anomaly_class).to_numpy()]
            identity = {**vars(fit), "evaluation": evaluation, "anomaly_class": anomaly_class}
            kinds, values = chosen["is_anomaly"].to_numpy(), chosen["anomaly_score"].to_numpy()
            rows += [
                {
                    **identity,
                    "metric": name,
                    "value": metric.scale * metric.function(kinds, values),
                    "anomalies": int(kinds.sum()),
                    "normals": int((~kinds).sum()),
                    "degenerate": metadata["diagnosis"]["status"] in DEGENERATE,
                }
                for name, metric in METRICS.items()
            ]
    keys = ["experiment", "normal", "method", "evaluation", "anomaly_class", "metric"]
    measured = pd.DataFrame(rows).groupby(keys, sort=False)
    return measured.agg(
        mean=("value", "mean"),
        std=("value", "std"),
        seeds=("value", "count"),
        anomalies=("anomalies", "min"),
        normals=("normals", "min"),
        degenerate=("degenerate", "sum"),
        fits=("value", "size"),
    ).reset_index()[[*BY_CLASS, *COUNTS]]
