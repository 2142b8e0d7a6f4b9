"""The step from pixels to the classifier that is attacked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ocnn.attacks.classifier import train_classifier
from ocnn.data.dataset import Dataset
from ocnn.errors import ResultError
from ocnn.networks.weights import import_keras, save_weights
from ocnn.storage.arrays import open_arrays
from ocnn.storage.json_files import write_json


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
        epochs, learning_rate, batch_size: see `train_classifier`.
        minimum_accuracy: on the test part, in [0, 1].
        recipe: what decides the classifier.

    Raises:
        ResultError: the accuracy is lower.
    """
    import_keras()
    from ocnn.networks.models.classifier import build_classifier
    from ocnn.networks.training import apply, seeded

    arrays = open_arrays(pixels)
    with seeded(seed):
        model = build_classifier(tuple(widths), len(source.classes), arrays["train.npy"].shape[1:])
        train_classifier(
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
    write_json(record, content)
