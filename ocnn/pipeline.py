"""The steps of the workflow, each a function from files to files; rules name them, results are made by nothing else."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.backend import import_keras, load_weights
from ocnn.data.adversarial import read_adversarial
from ocnn.data.dataset import Arrays, Dataset, open_array
from ocnn.data.preprocessing import global_contrast_normalization_l1, min_max_scale, to_unit_interval
from ocnn.data.splits import Split, draw_split, read_split, write_split
from ocnn.errors import DataError, ResultError
from ocnn.files import atomic_write
from ocnn.importing import load_object
from ocnn.results.consistency import consistency
from ocnn.results.metrics import collect
from ocnn.results.scores import write_scores
from ocnn.results.tables import add_attacks, attacks_to_markdown, read_published, summarise, to_markdown

if TYPE_CHECKING:
    import keras

#: Packages whose versions a score file states.
PACKAGES = ("ocnn", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "tensorflow-cpu", "jax")


def prepare_pixels(source: Dataset, archives: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Reads a data set and writes its images as float32 in [0, 1], nothing else done to them, for an attack.

    Args:
        source: the data set.
        archives: path of each archive by its name.
        outputs: path of each of `ARRAY_FILES` by its name.
    """
    arrays = source.load(archives)
    _write_arrays(source.name, arrays, to_unit_interval(arrays.train), to_unit_interval(arrays.test), outputs)


def prepare_images(source: Dataset, archives: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Reads a data set and writes its arrays, images contrast-normalised, for memory-mapped use by every split.

    Args:
        source: the data set.
        archives: path of each archive by its name.
        outputs: path of each of `ARRAY_FILES` by its name.
    """
    arrays = source.load(archives)
    train, test = (
        _contrast_normalised(samples) if source.images else samples.astype(np.float32)
        for samples in (arrays.train, arrays.test)
    )
    _write_arrays(source.name, arrays, train, test, outputs)


def _contrast_normalised(images: NDArray[Any]) -> NDArray[np.float32]:
    """In blocks, as the arithmetic is done in float64."""
    result = np.empty(images.shape, np.float32)
    for start in range(0, len(images), 5000):
        block = to_unit_interval(images[start : start + 5000])
        result[start : start + 5000] = global_contrast_normalization_l1(block)
    return result


def _write_arrays(
    name: str, arrays: Arrays, train: NDArray[np.float32], test: NDArray[np.float32], outputs: Mapping[str, Path]
) -> None:
    prepared: dict[str, NDArray[Any]] = {
        "train.npy": train,
        "train_labels.npy": arrays.train_labels.astype(np.int64),
        "test.npy": test,
        "test_labels.npy": arrays.test_labels.astype(np.int64),
    }
    print(f"{name}: training part {train.shape}, test part {test.shape}", flush=True)
    for file, path in outputs.items():
        with atomic_write(path) as temporary:
            np.save(temporary, prepared[file], allow_pickle=False)


def fit_classifier(
    source: Dataset,
    pixels: Mapping[str, Path],
    weights: Path,
    record: Path,
    *,
    widths: Sequence[int],
    epochs: int,
    learning_rate: float,
    batch_size: int,
    minimum_accuracy: float,
    seed: int,
) -> None:
    """Trains a classifier of all classes of a data set, to be attacked, and records its accuracy on the test part.

    Args:
        source: the data set.
        pixels: path of each of `ARRAY_FILES`, of `prepare_pixels`, by its name.
        weights, record: the outputs; the record is JSON.
        widths: see `networks.build_classifier`.
        epochs, learning_rate, batch_size: see `attack.train_classifier`.
        minimum_accuracy: on the test part, in [0, 1].

    Raises:
        ResultError: the accuracy is lower.
    """
    import_keras()
    from ocnn import networks
    from ocnn.attack import train_classifier
    from ocnn.training import apply, seeded

    arrays = {name: open_array(path) for name, path in pixels.items()}
    with seeded(seed):
        model = networks.build_classifier(tuple(widths), len(source.classes), arrays["train.npy"].shape[1:])
        train_classifier(
            model,
            np.asarray(arrays["train.npy"]),
            arrays["train_labels.npy"],
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
        )
    right = apply(model, np.asarray(arrays["test.npy"])).argmax(axis=1) == arrays["test_labels.npy"]
    accuracy = float(right.mean())
    print(f"accuracy on the test part: {accuracy:.4f}", flush=True)
    if accuracy < minimum_accuracy:
        raise ResultError(
            f"The classifier of {source.name} is right for {accuracy:.1%} of the test part, but minimum_accuracy is"
            f" {minimum_accuracy:.1%}: train it longer before attacking it."
        )
    labels = arrays["test_labels.npy"]
    content = {
        "accuracy": accuracy,
        "samples": len(right),
        "classes": {name: float(right[labels == n].mean()) for n, name in enumerate(source.classes) if n in labels},
    }
    with atomic_write(weights) as temporary:
        model.save_weights(temporary)
    with atomic_write(record) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def _attacked(
    source: Dataset, pixels: Mapping[str, Path], weights: Path, widths: Sequence[int], attacked_class: str
) -> tuple["keras.Model", NDArray[np.float32], int]:
    """The classifier, the test images of the attacked class, and its label."""
    import_keras()
    from ocnn import networks

    label = source.classes.index(attacked_class)
    originals = open_array(pixels["test.npy"])[np.flatnonzero(open_array(pixels["test_labels.npy"]) == label)]
    model = networks.build_classifier(tuple(widths), len(source.classes), originals.shape[1:])
    load_weights(model, weights)
    return model, originals, label


def attack_images(
    source: Dataset,
    pixels: Mapping[str, Path],
    weights: Path,
    output: Path,
    *,
    widths: Sequence[int],
    attacked_class: str,
    images: int,
    seed: int,
    steps: int,
    previous: Path | None = None,
) -> None:
    """Attacks test images of a class up to a number of steps and writes what came of it.

    Args:
        source, pixels: as for `fit_classifier`.
        weights, widths: of the classifier.
        images: how many.
        steps: 0 to find the first misclassified images; more than `previous` has made.
        previous: the attack to go on with.
    """
    from ocnn import attack

    model, originals, label = _attacked(source, pixels, weights, widths, attacked_class)
    if previous is None:
        found = attack.start(model, originals, label, count=images, seed=seed)
    else:
        before = attack.read_attack(previous)
        found = attack.advance(model, originals, label, before, steps=steps - before.steps, seed=seed)
    attack.write_attack(output, found)


def verify_attack(
    source: Dataset,
    pixels: Mapping[str, Path],
    weights: Path,
    path: Path,
    output: Path,
    *,
    widths: Sequence[int],
    attacked_class: str,
) -> None:
    """Checks an attack by the saved classifier and writes a row an image as Parquet.

    Columns: source (index in the data set's test part), label (of the source), before and after (the classifier's
    labels of the source and of the image), l2 (pixels in [0, 1]), steps, seconds (of the attack on all images) and
    replaced (how many sources had to give way to others, as no misclassified image was found for them).

    Raises:
        ResultError: see `attack.verify`.
    """
    from ocnn import attack
    from ocnn.training import apply

    model, originals, label = _attacked(source, pixels, weights, widths, attacked_class)
    found = attack.read_attack(path)
    logits = apply(model, found.images)
    attack.verify(found, originals, logits, label)
    names = np.asarray(source.classes)
    indices = np.flatnonzero(open_array(pixels["test_labels.npy"]) == label)
    record = pd.DataFrame(
        {
            "source": indices[found.sources],
            "label": attacked_class,
            "before": names[apply(model, originals[found.sources]).argmax(axis=1)],
            "after": names[logits.argmax(axis=1)],
            "l2": attack.distances(found, originals),
            "steps": found.steps,
            "seconds": found.seconds,
            "replaced": len(found.failed),
        }
    )
    print(f"{len(record)} images, each misclassified, median L2 {record['l2'].median():.4g}", flush=True)
    with atomic_write(output) as temporary:
        record.to_parquet(temporary, index=False)


def make_split(
    source: Dataset,
    images: Mapping[str, Path],
    output: Path,
    *,
    normal_class: str,
    contamination: float,
    holdout: float,
    seed: int,
) -> None:
    """Draws and writes the split of one (normal class, seed), with its min-max constants."""
    train_labels = open_array(images["train_labels.npy"])
    samples = draw_split(
        train_labels,
        open_array(images["test_labels.npy"]),
        source.classes,
        normal_class,
        contamination=contamination,
        holdout=holdout,
        seed=seed,
    )
    minimum = maximum = None
    if source.images:
        normals = open_array(images["train.npy"])[train_labels == source.classes.index(normal_class)]
        minimum, maximum = float(normals.min()), float(normals.max())
        if not maximum > minimum:
            raise DataError(f"{source.name}: all training images of class {normal_class!r} are of one constant colour.")
    arguments = {"normal_class": normal_class, "contamination": contamination, "holdout": holdout, "seed": seed}
    write_split(output, Split(samples, minimum, maximum), {"dataset": source.name, **arguments})


def load_samples(split: Split, images: Mapping[str, Path], evaluation: str) -> NDArray[np.float32]:
    """The samples of a split's part, scaled with its constants; float32."""
    selected = open_array(images[f"{evaluation}.npy"])[split.part(evaluation)["sample"].to_numpy()]
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
    model = load_object(estimator)(**parameters)
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


def make_table4(
    metrics_path: Path,
    published: Iterable[Path],
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
    attacks: Mapping[str, Mapping[str, Any]],
    records: str,
    csv: Path,
    markdown: Path,
) -> None:
    """Writes Table 4, the experiments on attacked classes, as CSV and Markdown.

    Args:
        metrics_path, published, datasets, methods, csv, markdown: as for `make_table3`.
        attacks: for each experiment `attack`, `steps` and `held_out`.
        records: pattern of the attacks' records, with {attack} and {steps}.
    """
    metrics = pd.read_parquet(metrics_path)
    read = {name: pd.read_parquet(records.format(**attack)) for name, attack in attacks.items()}
    summary = add_attacks(summarise(metrics, read_published(published), datasets, methods), attacks, read)
    with atomic_write(csv) as temporary:
        summary.to_csv(temporary, index=False)
    with atomic_write(markdown) as temporary:
        temporary.write_text(attacks_to_markdown(summary, metrics), encoding="utf-8")


def draw_attack_strength(table4: Path, outputs: Iterable[Path]) -> None:
    """Draws the distance of adversarial images and each method's AUC against the number of steps.

    Args:
        table4: the CSV of `make_table4`.
        outputs: the figure, in the format that each suffix says.
    """
    from ocnn.results import figures

    figures.save(figures.attack_strength(pd.read_csv(table4)), outputs)


def draw_adversarial_images(pixels: Mapping[str, Path], attack: Path, record: Path, outputs: Iterable[Path]) -> None:
    """Draws some sources of an attack, its images, and their amplified differences.

    Args:
        pixels: path of each of `ARRAY_FILES`, of `prepare_pixels`, by its name.
        attack, record: of `attack_images` and `verify_attack`.
        outputs: as for `draw_attack_strength`.
    """
    from ocnn.results import figures

    rows = pd.read_parquet(record)
    originals = open_array(pixels["test.npy"])[rows["source"].to_numpy()]
    figures.save(figures.adversarial_images(originals, read_adversarial(attack), rows), outputs)
