"""The steps from pixels to verified adversarial images."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.data.dataset import Dataset
from ocnn.errors import ResultError
from ocnn.networks.weights import import_keras, load_weights, save_weights
from ocnn.storage.arrays import open_array
from ocnn.storage.files import atomic_write

if TYPE_CHECKING:
    import keras


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
        widths: see `build_classifier`.
        epochs, learning_rate, batch_size: see `attack.train_classifier`.
        minimum_accuracy: on the test part, in [0, 1].

    Raises:
        ResultError: the accuracy is lower.
    """
    import_keras()
    from ocnn.attacks.boundary import train_classifier
    from ocnn.networks.models.classifier import build_classifier
    from ocnn.networks.training import apply, seeded

    arrays = {name: open_array(path) for name, path in pixels.items()}
    with seeded(seed):
        model = build_classifier(tuple(widths), len(source.classes), arrays["train.npy"].shape[1:])
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
    save_weights(model, weights)
    with atomic_write(record) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def _attacked(
    source: Dataset, pixels: Mapping[str, Path], weights: Path, widths: Sequence[int], attacked_class: str
) -> tuple["keras.Model", NDArray[np.float32], int]:
    """The classifier, the test images of the attacked class, and its label."""
    import_keras()
    from ocnn.networks.models.classifier import build_classifier

    label = source.classes.index(attacked_class)
    originals = open_array(pixels["test.npy"])[np.flatnonzero(open_array(pixels["test_labels.npy"]) == label)]
    model = build_classifier(tuple(widths), len(source.classes), originals.shape[1:])
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
    from ocnn.attacks import boundary as attack

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
    from ocnn.attacks import boundary as attack
    from ocnn.networks.training import apply

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
