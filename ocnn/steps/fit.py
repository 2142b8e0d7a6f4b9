"""The steps from a split to scores."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pandas as pd

from ocnn.data.splits import read_split
from ocnn.results.scores import write_scores
from ocnn.steps.data import load_samples

#: Packages whose versions a score file states.
PACKAGES = ("ocnn", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "tensorflow-cpu", "jax")


def pretrain(split_path: Path, images: Mapping[str, Path], output: Path, settings: Mapping[str, Any]) -> None:
    """Trains and writes the autoencoder that the deep methods of a split share."""
    from ocnn.methods.dcae import DCAE

    samples = load_samples(read_split(split_path), images, "train")
    dcae = DCAE(**settings).fit(samples)
    print(f"{dcae.diagnosis_.status}: {dcae.diagnosis_.reason}", flush=True)
    dcae.save_autoencoder(output)


def fit_method(
    estimator: str,
    split_path: Path,
    images: Mapping[str, Path],
    output: Path,
    *,
    settings: Mapping[str, Any],
    identity: Mapping[str, Any],
    autoencoder: Path | None = None,
) -> None:
    """Fits a method on a split and writes the anomaly score of every sample.

    Args:
        estimator: `package.module:Class`.
        split_path: the split.
        images: path of each of `ARRAY_FILES` by its name.
        output: the score file.
        settings: the estimator's parameters.
        identity: experiment, normal, method and seed, as the score file names them.
        autoencoder: the pretrained autoencoder, for a method that starts from it.
    """
    split = read_split(split_path)
    rows = pd.concat([split.part("train"), split.part("test")], ignore_index=True)
    X_train, X_test = (load_samples(split, images, evaluation) for evaluation in ("train", "test"))
    parameters = dict(settings)
    if autoencoder is not None:
        parameters["autoencoder"] = str(autoencoder)
    model = resolve_name(estimator)(**parameters)
    tuned_on = rows["holdout"].to_numpy() & uses_holdout(model)
    if tuned_on.any():
        # The holdout is of the test part, or of the training set where there is no test part.
        X_evaluated, chosen = (X_test, tuned_on[len(X_train) :]) if len(X_test) else (X_train, tuned_on)
        labels = np.where(rows.loc[tuned_on, "is_anomaly"], -1, 1)
        model.fit(X_train, X_holdout=X_evaluated[chosen], y_holdout=labels)
    else:
        model.fit(X_train)
    print(f"{model.diagnosis_.status}: {model.diagnosis_.reason}", flush=True)
    scores = rows[["evaluation", "sample", "is_anomaly"]].copy()
    for name, value in identity.items():
        scores[name] = value
    scores["tuned_on"] = tuned_on
    decisions = [model.training_scores_ - model.offset_, *([model.decision_function(X_test)] if len(X_test) else [])]
    scores["anomaly_score"] = -np.concatenate(decisions)
    metadata = {
        **identity,
        "estimator": estimator,
        "settings": dict(settings),
        "diagnosis": {"status": model.diagnosis_.status, "reason": model.diagnosis_.reason},
        "chosen": {
            name: getattr(model, name)
            for name in ("gamma_", "bandwidth_", "r_", "radius_", "noise_share_", "diversity_")
            if hasattr(model, name)
        },
        "history": getattr(model, "history_", {}),
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow") if hasattr(model, "history_") else None,
        "versions": _versions(),
    }
    write_scores(output, scores, _finite(metadata))


def uses_holdout(estimator: Any) -> bool:
    """Whether this estimator's `fit` takes labelled samples to tune on."""
    return bool(getattr(estimator, "uses_holdout", bool)())


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
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
