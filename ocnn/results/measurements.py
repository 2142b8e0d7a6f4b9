"""From score and benchmark files to one row per fit and evaluation: metrics, counts, diagnosis and cost."""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ocnn.results.details import MISTAKES, shapes, worst_mistakes
from ocnn.results.frames import TEXT
from ocnn.results.metrics import METRICS, auc_error
from ocnn.results.scores import IDENTITY, OF_DETECTOR, Fit, read_scores
from ocnn.storage.recipes import digest_of

_IDENTITY = [("experiment", TEXT), ("normal", TEXT), ("method", TEXT), ("seed", pa.int64())]
#: Where the recipe of measurements has the digest of all score files that they are made from.
GATHERED = "gathered"
#: The columns of a score file that are read here; the others repeat which fit it is of.
USED = ["part", "evaluation", "sample", "fitted", "tuned_on", "is_anomaly", "anomaly_score"]
HISTORIES = pa.schema([*_IDENTITY, ("series", TEXT), ("step", pa.int64()), ("value", pa.float64())])

#: Numbers of a fit, and what they are called.
Series = tuple[Fit, str, Sequence[float] | NDArray[np.float64]]


def schema() -> pa.Schema:
    """Return the columns of the measurements, with one per metric."""
    counts = ("samples", "anomalies", "flagged_anomalies", "flagged_normals", "distinct_scores")
    return pa.schema(
        [
            *_IDENTITY,
            ("evaluation", TEXT),
            *((name, pa.float64()) for name in METRICS),
            ("auc_error", pa.float64()),  # standard error of the AUC from the choice of samples
            *((name, pa.int64()) for name in counts),
            ("spread", pa.float64()),  # standard deviation of the scores
            ("status", TEXT),
            ("reason", TEXT),
            ("seconds", pa.float64()),
            ("peak_memory", pa.float64()),  # MiB
        ]
    )


def evaluations(scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Choose the rows of a score file that each evaluation measures, by its name in `EVALUATIONS`.

        test: all samples of the test part that were not fitted.
        train: the training set, fitted or not.
        held_out: the same anomalies beside those of its normals that were not fitted; left out where all were.

    Samples that a method was tuned on take part in none.
    """
    rows = scores[~scores["tuned_on"]]
    in_set = rows[rows["evaluation"] == "train"]
    chosen = {"test": rows[(rows["part"] == "test") & ~rows["fitted"]], "train": in_set}
    if (~in_set["fitted"] & ~in_set["is_anomaly"]).any():
        chosen["held_out"] = in_set[~in_set["fitted"] | in_set["is_anomaly"]]
    return chosen


def evaluated_part(scores: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Choose the evaluation that a score file is read for, and its rows: the test part, or else the training set."""
    return _first(evaluations(scores))


def _first(chosen: Mapping[str, pd.DataFrame]) -> tuple[str, pd.DataFrame]:
    return next((name, rows) for name, rows in chosen.items() if len(rows))


def measure(chosen: Mapping[str, pd.DataFrame], metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Measure one fit, one row per evaluation, which is not scaled.

    Args:
        chosen: the rows of each evaluation, see `evaluations`.
        metadata: of the score file.
    """
    rows = []
    for evaluation, part in chosen.items():
        values, anomalous = part["anomaly_score"].to_numpy(), part["is_anomaly"].to_numpy()
        # Beyond the method's own threshold.
        flagged = values > 0
        rows.append(
            {
                **{key: metadata[key] for key in IDENTITY},
                "evaluation": evaluation,
                **{name: metric.function(anomalous, values) for name, metric in METRICS.items()},
                "auc_error": auc_error(anomalous, values),
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

    metrics: one row per fit and evaluation, of `schema`.
    histories: one row per fit, series (`loss`, `r`, …) and epoch or outer iteration, counted from 1, of `HISTORIES`.
    shapes: likewise one row per fit, series of `details.shapes` and place in it.
    mistakes: one row per fit and sample of `details.worst_mistakes`, of `MISTAKES`.
    provenance: `settings`, for each experiment and method the estimator and its settings for the first seed of the
        first class; `environments`, for each experiment each set of versions and backend, and the number of its fits.
    """

    metrics: pd.DataFrame
    histories: pd.DataFrame
    shapes: pd.DataFrame
    mistakes: pd.DataFrame
    provenance: dict[str, Any]


def collect(fits: Iterable[Fit], scores: str, benchmarks: str) -> Collected:
    """Read every score file once; the seconds and the peak memory (MiB) are those of each fit's job.

    Args:
        fits: of which there is at least one.
        scores, benchmarks: patterns of their files.

    Raises:
        ResultError: a score file is missing, damaged or of another fit.
    """
    rows: list[dict[str, Any]] = []
    histories: list[Series] = []
    curves: list[Series] = []
    mistakes: list[pd.DataFrame] = []
    settings: dict[str, dict[str, Any]] = {}
    environments: Counter[tuple[str, str | None, tuple[tuple[str, str], ...]]] = Counter()
    for fit in fits:
        table, metadata = read_scores(fit.path(scores), fit)
        cost = job_cost(fit.path(benchmarks))
        chosen = evaluations(table[USED])
        part = _first(chosen)[1]
        # First of all: what is measured of the same part then has its curve already.
        described = shapes(part["is_anomaly"].to_numpy(), part["anomaly_score"].to_numpy())
        curves += [(fit, *series) for series in described.items()]
        rows += [{**row, **cost} for row in measure(chosen, metadata)]
        # Numbers that were not finite are texts in JSON, and such again here.
        histories += [(fit, name, [float(value) for value in values]) for name, values in metadata["history"].items()]
        mistakes.append(worst_mistakes(part).assign(**vars(fit))[MISTAKES.names])
        methods = settings.setdefault(fit.experiment, {})
        methods.setdefault(fit.method, {key: metadata[key] for key in ("estimator", "settings")})
        environments[fit.experiment, metadata["backend"], tuple(sorted(metadata["versions"].items()))] += 1
    provenance = {
        "settings": settings,
        "environments": [
            {"experiment": experiment, "backend": backend, "versions": dict(versions), "fits": count}
            for (experiment, backend, versions), count in environments.items()
        ],
    }
    return Collected(
        pd.DataFrame(rows), _joined(histories), _joined(curves), pd.concat(mistakes, ignore_index=True), provenance
    )


def _joined(series: list[Series]) -> pd.DataFrame:
    """One row of `HISTORIES` per number."""
    lengths = [len(values) for _, _, values in series]
    identities = pd.DataFrame([{**vars(fit), "series": name} for fit, name, _ in series], columns=HISTORIES.names[:-2])
    return identities.loc[np.repeat(np.arange(len(series)), lengths)].assign(
        step=np.concatenate([np.arange(0), *(np.arange(1, length + 1) for length in lengths)]),
        value=np.concatenate([np.empty(0), *(np.asarray(values, np.float64) for _, _, values in series)]),
    )


def digest_of_all(paths: Iterable[Path], digest: Callable[[Path], str | None] = digest_of) -> str:
    """Return one digest of the digests of files, in this order: a recipe cannot name thousands of them.

    Raises:
        ResultError: one of them is missing or damaged.
    """
    return hashlib.sha256("\n".join(str(digest(path)) for path in paths).encode()).hexdigest()


def changed_versions(environments: Iterable[Mapping[str, Any]], experiments: Iterable[str]) -> str:
    """Say in one sentence which versions, backends or other circumstances differed between the fits of experiments.

    Args:
        environments: of `Collected.provenance`.
        experiments: those of one table.

    Returns:
        The empty text if none did. Fits without a backend do not make backends differ; nor do fits of other methods
        make the versions of a detector's package differ.
    """
    chosen = set(experiments)
    known = [environment for environment in environments if environment["experiment"] in chosen]
    names = dict.fromkeys(name for environment in known for name in environment["versions"])

    def missing(name: str) -> str | None:
        return None if name.endswith(OF_DETECTOR) else "none"

    rows = [{name: environment["versions"].get(name, missing(name)) for name in names} for environment in known]
    frame = pd.DataFrame(rows).assign(backend=[environment["backend"] for environment in known])
    fits = pd.Series([environment["fits"] for environment in known], dtype=int)
    changes = []
    for name, values in frame.items():
        counts = fits.groupby(values.astype(object)).sum()
        if len(counts) > 1:
            changes.append(f"{name} " + ", ".join(f"{value} ({count} fits)" for value, count in counts.items()))
    return f"Not all fits were made with the same versions: {'; '.join(changes)}." if changes else ""


def job_cost(benchmark: Path) -> dict[str, float]:
    """Read seconds and peak memory (MiB) of a job from Snakemake's benchmark file; NaN if that is missing or damaged.

    The file is tab-separated, with `-` for what could not be measured.
    """
    try:
        with benchmark.open(encoding="utf-8") as file:
            *_, row = csv.DictReader(file, delimiter="\t")
        return {"seconds": _number(row["s"]), "peak_memory": _number(row["max_rss"])}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, csv.Error):
        return {"seconds": float("nan"), "peak_memory": float("nan")}


def _number(text: str) -> float:
    return float("nan") if text.strip() == "-" else float(text)
