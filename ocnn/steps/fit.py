"""The step from a split to scores."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ocnn.data.samples import load_samples
from ocnn.data.splits import read_split
from ocnn.methods.base import AnomalyDetector
from ocnn.results.scores import write_scores
from ocnn.steps.runtime import processor

#: Packages whose versions a score file states.
PACKAGES = ("ocnn", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "tensorflow-cpu", "jax")


def fit_method(
    estimator: type[AnomalyDetector],
    split: Path,
    arrays: Sequence[Path],
    scores: Path,
    *,
    settings: Mapping[str, Any],
    identity: Mapping[str, Any],
    recipe: Mapping[str, Any],
    autoencoder: Path | None = None,
    encoder: type[Any] | None = None,
    encoder_settings: Mapping[str, Any] | None = None,
) -> None:
    """Fit a method on a split and write the anomaly score of every sample.

    Args:
        estimator: class of the method.
        split, arrays: the split, and files of the data set's arrays.
        scores: the output.
        settings: the estimator's parameters.
        identity: experiment, normal, method and seed, as the score file names them.
        recipe: what decides the scores.
        autoencoder: the pretrained autoencoder, for a method that starts from it or works on its codes.
        encoder: for a method on codes, the class of the transformer that makes them of samples by that autoencoder.
        encoder_settings: its other parameters.
    """
    drawn = read_split(split)
    rows = pd.concat([drawn.part("train"), drawn.part("test")], ignore_index=True)
    X_train, X_test = (load_samples(drawn, arrays, evaluation) for evaluation in ("train", "test"))
    shared = {} if autoencoder is None else {"autoencoder": str(autoencoder)}
    if encoder is not None:
        codes = encoder(**(encoder_settings or {}), **shared).fit(X_train)
        X_train, X_test = (codes.transform(X) if len(X) else X for X in (X_train, X_test))
        shared = {}
    model = estimator(**settings, **shared)
    has_network = model.trains_network or encoder is not None
    tuned_on = rows["holdout"].to_numpy() & model.uses_holdout()
    if tuned_on.any():
        # The holdout is of the test part, or of the training set where there is no test part.
        X_evaluated, chosen = (X_test, tuned_on[len(X_train) :]) if len(X_test) else (X_train, tuned_on)
        labels = np.where(rows.loc[tuned_on, "is_anomaly"], -1, 1)
        model.fit(X_train, X_holdout=X_evaluated[chosen], y_holdout=labels)  # type: ignore[call-arg]
    else:
        model.fit(X_train)
    print(f"{model.diagnosis_.status}: {model.diagnosis_.reason}", flush=True)
    table = rows[["evaluation", "sample", "is_anomaly"]].assign(**identity, tuned_on=tuned_on)
    decisions = [model.training_scores_ - model.offset_, *([model.decision_function(X_test)] if len(X_test) else [])]
    table["anomaly_score"] = -np.concatenate(decisions)
    metadata = {
        **identity,
        "estimator": f"{estimator.__module__}:{estimator.__qualname__}",
        "settings": dict(settings),
        "diagnosis": {"status": model.diagnosis_.status, "reason": model.diagnosis_.reason},
        "chosen": {name: getattr(model, name) for name in model.reported},
        "history": getattr(model, "history_", {}),
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow") if has_network else None,
        "versions": _versions(),
        "recipe": dict(recipe),
    }
    write_scores(scores, table, _finite(metadata))


def _versions() -> dict[str, str]:
    versions = {
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "processor": processor(),
    }
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _finite(value: Any) -> Any:
    """The value with non-finite numbers as strings: JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
