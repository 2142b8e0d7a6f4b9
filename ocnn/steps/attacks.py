"""The steps from pixels to verified adversarial images."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ocnn.attacks import boundary
from ocnn.data.dataset import Dataset
from ocnn.errors import ResultError
from ocnn.networks.weights import import_keras, load_weights, save_weights
from ocnn.storage.arrays import StoredArray, open_array
from ocnn.storage.files import atomic_write
from ocnn.storage.parquet import write_table

NAME = pa.dictionary(pa.int16(), pa.string())
#: The record of an attack, one row per image.
RECORD = pa.schema(
    [
        ("source", pa.int64()),  # index in the data set's test part
        ("label", NAME),  # of the source
        ("before", NAME),  # the classifier's label of the source
        ("after", NAME),  # the classifier's label of the image
        ("l2", pa.float64()),  # distance to the source, pixels in [0, 1]
        ("steps", pa.int64()),
        ("seconds", pa.float64()),  # of the attack on all images
        ("replaced", pa.int64()),  # sources that gave way to others, as no misclassified image was found for them
    ]
)


def fit_classifier(
    source: Dataset,
    pixels: Sequence[Path],
    weights: Path,
    record: Path,
    *,
    widths: Sequence[int],
    epochs: int,
    learning_rate: float,
    batch_size: int,
    minimum_accuracy: float,
    seed: int,
    recipe: Mapping[str, Any],
) -> None:
    """Train a classifier of all classes of a data set, to be attacked, and record its accuracy on the test part.

    Args:
        source: the data set.
        pixels: files of its arrays, of `prepare_pixels`.
        weights, record: the outputs; the record is JSON.
        widths: see `build_classifier`.
        epochs, learning_rate, batch_size: see `boundary.train_classifier`.
        minimum_accuracy: on the test part, in [0, 1].
        recipe: what decides the classifier.

    Raises:
        ResultError: the accuracy is lower.
    """
    import_keras()
    from ocnn.networks.models.classifier import build_classifier
    from ocnn.networks.training import apply, seeded

    arrays = _opened(pixels)
    with seeded(seed):
        model = build_classifier(tuple(widths), len(source.classes), arrays["train.npy"].shape[1:])
        boundary.train_classifier(
            model,
            np.asarray(arrays["train.npy"]),
            np.asarray(arrays["train_labels.npy"]),
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
        )
    labels = np.asarray(arrays["test_labels.npy"])
    correct = apply(model, np.asarray(arrays["test.npy"])).argmax(axis=1) == labels
    accuracy = float(correct.mean())
    print(f"accuracy on the test part: {accuracy:.4f}", flush=True)
    if accuracy < minimum_accuracy:
        raise ResultError(
            f"The classifier of {source.name} is right for {accuracy:.1%} of the test part, but minimum_accuracy is"
            f" {minimum_accuracy:.1%}: train it longer before attacking it."
        )
    content = {
        "accuracy": accuracy,
        "samples": len(correct),
        "classes": {name: float(correct[labels == n].mean()) for n, name in enumerate(source.classes) if n in labels},
        "recipe": recipe,
    }
    save_weights(model, weights, recipe)
    with atomic_write(record) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _opened(pixels: Sequence[Path]) -> dict[str, StoredArray]:
    return {path.name: open_array(path) for path in pixels if path.suffix == ".npy"}


def _attacked(
    source: Dataset, pixels: Sequence[Path], weights: Path, widths: Sequence[int], attacked_class: str
) -> tuple[Any, NDArray[np.float32], int, NDArray[np.int64]]:
    """The classifier, the test images of the attacked class, its label, and their indices in the test part."""
    import_keras()
    from ocnn.networks.models.classifier import build_classifier

    arrays = _opened(pixels)
    label = source.classes.index(attacked_class)
    indices = np.flatnonzero(np.asarray(arrays["test_labels.npy"]) == label)
    originals = arrays["test.npy"][indices]
    model = build_classifier(tuple(widths), len(source.classes), originals.shape[1:])
    load_weights(model, weights)
    return model, originals, label, indices


def attack_images(
    source: Dataset,
    pixels: Sequence[Path],
    weights: Path,
    attack: Path,
    *,
    widths: Sequence[int],
    attacked_class: str,
    images: int,
    seed: int,
    steps: int,
    recipe: Mapping[str, Any],
    previous: Path | None = None,
) -> None:
    """Attack test images of a class up to a number of steps and write what came of it.

    Args:
        source, pixels: as for `fit_classifier`.
        weights, widths: of the classifier.
        attack: the output.
        images: how many.
        steps: 0 to find the first misclassified images; more than `previous` has made.
        recipe: what decides the images.
        previous: the attack to go on with.
    """
    model, originals, label, _ = _attacked(source, pixels, weights, widths, attacked_class)
    if previous is None:
        found = boundary.start(model, originals, label, count=images, seed=seed)
    else:
        before = boundary.read_attack(previous)
        found = boundary.advance(model, originals, label, before, steps=steps - before.steps, seed=seed)
    boundary.write_attack(attack, found, recipe)


def verify_attack(
    source: Dataset,
    pixels: Sequence[Path],
    weights: Path,
    attack: Path,
    record: Path,
    *,
    widths: Sequence[int],
    attacked_class: str,
    recipe: Mapping[str, Any],
) -> None:
    """Check an attack by the saved classifier and write its `RECORD`.

    Args:
        source, pixels, weights, widths: as for `attack_images`.
        attack: the images.
        record: the output.
        recipe: what decides it.

    Raises:
        ResultError: see `boundary.verify`.
    """
    from ocnn.networks.training import apply

    model, originals, label, indices = _attacked(source, pixels, weights, widths, attacked_class)
    found = boundary.read_attack(attack)
    logits = apply(model, found.images)
    boundary.verify(found, originals, logits, label)
    names = np.asarray(source.classes)
    table = pd.DataFrame(
        {
            "source": indices[found.sources],
            "label": attacked_class,
            "before": names[apply(model, originals[found.sources]).argmax(axis=1)],
            "after": names[logits.argmax(axis=1)],
            "l2": boundary.distances(found, originals),
            "steps": found.steps,
            "seconds": found.seconds,
            "replaced": len(found.failed),
        }
    )
    print(f"{len(table)} images, each misclassified, median L2 {table['l2'].median():.4g}", flush=True)
    write_table(record, table, RECORD, {"recipe": recipe})
