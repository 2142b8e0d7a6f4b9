"""The steps of the workflow, each a function from files to files; rules name them, results are made by nothing else."""

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.data.preprocessing import global_contrast_normalization_l1, min_max_scale, to_unit_interval
from ocnn.data.splits import Split, draw_split, read_split, write_split
from ocnn.errors import DataError, ResultError
from ocnn.files import atomic_write
from ocnn.importing import load_object
from ocnn.results.consistency import consistency
from ocnn.results.metrics import collect
from ocnn.results.scores import write_scores
from ocnn.results.tables import read_published, summarise, to_markdown

#: The files of a data set's folder under results/images.
IMAGE_FILES = ("train.npy", "train_labels.npy", "test.npy", "test_labels.npy")
#: Packages whose versions a score file states.
PACKAGES = ("ocnn", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "tensorflow-cpu", "jax")


def prepare_images(dataset: str, archives: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Reads a data set and writes its arrays, images contrast-normalised, for memory-mapped use by every split.

    Args:
        dataset: `package.module:OBJECT`.
        archives: path of each archive by its name.
        outputs: path of each of `IMAGE_FILES` by its name.
    """
    source = load_object(dataset)
    arrays = source.load(archives)
    prepared = {
        "train_labels.npy": arrays.train_labels.astype(np.int64),
        "test_labels.npy": arrays.test_labels.astype(np.int64),
    }
    for name, samples in (("train.npy", arrays.train), ("test.npy", arrays.test)):
        if source.images:
            prepared[name] = np.concatenate(
                [
                    global_contrast_normalization_l1(to_unit_interval(samples[start : start + 5000]))
                    for start in range(0, len(samples), 5000)
                ]
            )
        else:
            prepared[name] = samples.astype(np.float32)
        print(f"{source.name}: {name} {prepared[name].shape}", flush=True)
    for name, path in outputs.items():
        with atomic_write(path) as temporary:
            np.save(temporary, prepared[name], allow_pickle=False)


def _open(path: Path) -> NDArray[Any]:
    """Opens an array of `prepare_images`, memory-mapped."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ResultError(f"{path} is not a whole array ({error}). Delete it and run again.") from error


def make_split(
    dataset: str,
    images: Mapping[str, Path],
    output: Path,
    *,
    normal_class: str,
    contamination: float,
    holdout: float,
    seed: int,
) -> None:
    """Draws and writes the split of one (normal class, seed), with its min-max constants."""
    source = load_object(dataset)
    train_labels = _open(images["train_labels.npy"])
    samples = draw_split(
        train_labels,
        _open(images["test_labels.npy"]),
        source.classes,
        normal_class,
        contamination=contamination,
        holdout=holdout,
        seed=seed,
    )
    minimum = maximum = None
    if source.images:
        normals = _open(images["train.npy"])[train_labels == source.classes.index(normal_class)]
        minimum, maximum = float(normals.min()), float(normals.max())
        if not maximum > minimum:
            raise DataError(f"{source.name}: all training images of class {normal_class!r} are of one constant colour.")
    arguments = {"normal_class": normal_class, "contamination": contamination, "holdout": holdout, "seed": seed}
    write_split(output, Split(samples, minimum, maximum), {"dataset": source.name, **arguments})


def load_samples(split: Split, images: Mapping[str, Path], evaluation: str) -> NDArray[np.float32]:
    """The samples of a split's part, scaled with its constants; float32."""
    selected = _open(images[f"{evaluation}.npy"])[split.part(evaluation)["sample"].to_numpy()]
    if split.minimum is None or split.maximum is None:
        return selected
    return min_max_scale(selected, split.minimum, split.maximum)


def pretrain(split_path: Path, images: Mapping[str, Path], output: Path, settings: Mapping[str, Any]) -> None:
    """Trains and writes the autoencoder that the deep methods of a split share."""
    from ocnn.methods.dcae import DCAE

    samples = load_samples(read_split(split_path), images, "train")
    dcae = DCAE(**settings).fit(samples)
    print(f"{dcae.diagnosis_.status}: {dcae.diagnosis_.reason}", flush=True)
    with atomic_write(output) as temporary:
        dcae.save_autoencoder(temporary)


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
        images: path of each of `IMAGE_FILES` by its name.
        output: the score file.
        settings: the estimator's parameters.
        identity: experiment, normal, method and seed, as the score file names them.
        autoencoder: the pretrained autoencoder, for a method that starts from it.
    """
    split = read_split(split_path)
    train, test = (split.part(evaluation) for evaluation in ("train", "test"))
    X_train, X_test = (load_samples(split, images, evaluation) for evaluation in ("train", "test"))
    parameters = dict(settings)
    if autoencoder is not None:
        parameters["autoencoder"] = str(autoencoder)
    model = load_object(estimator)(**parameters)
    held_out = test["holdout"].to_numpy() & uses_holdout(model)
    if held_out.any():
        labels = np.where(test["is_anomaly"], -1, 1)
        model.fit(X_train, X_holdout=X_test[held_out], y_holdout=labels[held_out])
    else:
        model.fit(X_train)
    print(f"{model.diagnosis_.status}: {model.diagnosis_.reason}", flush=True)
    scores = pd.concat([train, test], ignore_index=True)[["evaluation", "sample", "is_anomaly"]]
    for name, value in identity.items():
        scores[name] = value
    scores["tuned_on"] = np.concatenate([np.zeros(len(train), bool), held_out])
    decisions = [model.training_scores_ - model.offset_, model.decision_function(X_test)]
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


def grid_fits(grid: Mapping[str, Mapping[str, list[Any]]]) -> list[dict[str, Any]]:
    """The fits of a grid, in the order of the tables: experiment, normal class, method, seed.

    Args:
        grid: for each experiment the lists `normal`, `method` and `seed`, all of whose combinations are fits.
    """
    return [
        {"experiment": experiment, "normal": normal, "method": method, "seed": seed}
        for experiment, axes in grid.items()
        for normal, method, seed in product(axes["normal"], axes["method"], axes["seed"])
    ]


def collect_metrics(grid: Mapping[str, Mapping[str, list[Any]]], scores: str, benchmarks: str, output: Path) -> None:
    """Measures the score file of every fit of a grid into one table.

    Args:
        grid: see `grid_fits`.
        scores, benchmarks: patterns of the files of a fit, with {experiment}, {normal}, {method} and {seed}.
        output: the Parquet file.
    """
    fits = grid_fits(grid)
    metrics = collect([Path(scores.format(**fit)) for fit in fits], [Path(benchmarks.format(**fit)) for fit in fits])
    with atomic_write(output) as temporary:
        metrics.to_parquet(temporary, index=False)


def make_consistency(grid: Mapping[str, Mapping[str, list[Any]]], scores: str, output: Path) -> None:
    """Writes as CSV how alike the seeds of every method rank the training samples; arguments as `collect_metrics`."""
    with atomic_write(output) as temporary:
        consistency(Path(scores.format(**fit)) for fit in grid_fits(grid)).to_csv(temporary, index=False)


def make_table3(
    metrics_path: Path,
    published: Iterable[Path],
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
    csv: Path,
    markdown: Path,
) -> None:
    """Writes Table 3 as CSV (for programs) and Markdown (for people).

    Args:
        metrics_path: of `collect_metrics`.
        published: files of published AUCs.
        datasets, methods: see `summarise`.
        csv, markdown: the outputs.
    """
    metrics = pd.read_parquet(metrics_path)
    summary = summarise(metrics, read_published(published), datasets, methods)
    with atomic_write(csv) as temporary:
        summary.to_csv(temporary, index=False)
    with atomic_write(markdown) as temporary:
        temporary.write_text(to_markdown(summary, metrics), encoding="utf-8")
