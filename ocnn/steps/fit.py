"""The step from a split to scores."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np

from ocnn.data.samples import load_samples
from ocnn.data.splits import read_split
from ocnn.methods.base import AnomalyDetector
from ocnn.results.scores import OF_DETECTOR, write_scores
from ocnn.steps.runtime import processor

#: Packages whose versions a score file states; the first is this one.
PACKAGES = ("ocnn-benchmark", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch")

#: Characters that a score file has for the attributes that a method reports, and for its history.
LARGEST_CHOSEN, LARGEST_HISTORY = 2**16, 2**22


def fit_method(
    estimator: type[Any],
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
    wrapper: type[AnomalyDetector] | None = None,
    wrapper_settings: Mapping[str, Any] | None = None,
) -> None:
    """Fit a method on a split and write the anomaly score of every sample.

    Args:
        estimator: class of the method, an `AnomalyDetector`; or another package's detector.
        split, arrays: the split, and files of the data set's arrays.
        scores: the output.
        settings: the estimator's parameters.
        identity: experiment, normal, method and seed, as the score file names them.
        recipe: what decides the scores.
        autoencoder: the pretrained autoencoder, for a method that starts from it or works on its codes.
        encoder: for a method on codes, the class of the transformer that makes them of samples by that autoencoder.
        encoder_settings: its other parameters.
        wrapper: for another package's detector, the class that makes a method of it.
        wrapper_settings: its other parameters.
    """
    drawn = read_split(split)
    rows, fitted = drawn.samples, drawn.samples["fitted"].to_numpy()
    X_fitted, X_others = (load_samples(drawn, arrays, rows[chosen]) for chosen in (fitted, ~fitted))
    shared = {} if autoencoder is None else {"autoencoder": str(autoencoder)}
    codes = None
    if encoder is not None:
        codes = encoder(**(encoder_settings or {}), **shared).fit(X_fitted)
        X_fitted, X_others = (codes.transform(X) if len(X) else X for X in (X_fitted, X_others))
        shared = {}
    model = estimator(**settings, **shared)
    if wrapper is not None:
        model = wrapper(model, **(wrapper_settings or {}))
    has_network = getattr(estimator, "trains_network", False) or encoder is not None
    tuned_on = rows["holdout"].to_numpy() & model.uses_holdout()
    if tuned_on.any():
        # The holdout is of the test part, or of the training set where there is no test part.
        parts = [(X[tuned_on[chosen]], chosen) for X, chosen in ((X_fitted, fitted), (X_others, ~fitted))]
        held = [(X, rows.loc[chosen & tuned_on, "is_anomaly"]) for X, chosen in parts if len(X)]
        labels = np.where(np.concatenate([is_anomaly for _, is_anomaly in held]), -1, 1)
        model.fit(X_fitted, X_holdout=np.concatenate([X for X, _ in held]), y_holdout=labels)
    else:
        model.fit(X_fitted)
    diagnosis = model.diagnosis_ if codes is None else model.diagnosis_.on_codes(codes.diagnosis_)
    print(f"{diagnosis.status}: {diagnosis.reason}", flush=True)
    table = rows[["evaluation", "part", "sample", "is_anomaly", "fitted"]].assign(**identity, tuned_on=tuned_on)
    decisions = np.empty(len(rows))
    decisions[fitted] = model.training_scores_ - model.offset_
    if len(X_others):
        decisions[~fitted] = model.decision_function(X_others)
    table["anomaly_score"] = -decisions
    metadata = {
        **identity,
        "estimator": f"{estimator.__module__}:{estimator.__qualname__}",
        "settings": dict(settings),
        "diagnosis": {"status": diagnosis.status, "reason": diagnosis.reason},
        "chosen": _holdable(
            {name: name for name in model.reported}, lambda name: _plain(getattr(model, name)), LARGEST_CHOSEN
        ),
        "history": _holdable(getattr(model, "history_", {}), _series, LARGEST_HISTORY),
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow") if has_network else None,
        "versions": _versions(estimator),
        "recipe": dict(recipe),
    }
    write_scores(scores, table, _plain(metadata))


def _versions(estimator: type[Any]) -> dict[str, str]:
    """The versions of `PACKAGES` and of the estimator's package, as far as they are installed."""
    versions = {
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "processor": processor(),
    }
    top = estimator.__module__.partition(".")[0]
    own = [] if top == "ocnn" else packages_distributions().get(top, [])
    of_detector = {f"{package}{OF_DETECTOR}": package for package in own if package not in PACKAGES}
    for name, package in {**dict(zip(PACKAGES, PACKAGES, strict=True)), **of_detector}.items():
        try:
            versions[name] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _holdable(values: Any, convert: Callable[[Any], Any], room: int) -> dict[str, Any]:
    """What a method says of its fit, as JSON has it, in so many characters; a line names what is left out, and why."""
    kept = {}
    for name, value in values.items() if isinstance(values, Mapping) else [("history_", values)]:
        try:
            plain = convert(value)
            size = len(json.dumps(plain))
            if size > room:
                raise ValueError(f"it would take {size} characters, and there is room for {room}")
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            print(f"The score file does not state {name}: {error}.", flush=True)
        else:
            kept[str(name)] = plain
            room -= size
    return kept


def _series(values: Any) -> list[float | str]:
    """A series of numbers (steps,) as JSON has it."""
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"it is no list of numbers, but of shape {numbers.shape}")
    return [_plain(number) for number in numbers.tolist()]


def _plain(value: Any) -> Any:
    """The value as JSON has it: NumPy's numbers and arrays as Python's, non-finite numbers as texts.

    Raises:
        TypeError: JSON can hold nothing like it.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__array__"):
        return _plain(np.asarray(value).tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"it is of the type {type(value).__name__}, which JSON cannot hold")
