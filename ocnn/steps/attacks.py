"""The steps from pixels to verified adversarial images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.attacks import boundary
from ocnn.attacks.records import RECORD
from ocnn.data.dataset import Dataset
from ocnn.networks.weights import import_keras, load_weights
from ocnn.storage.arrays import open_arrays
from ocnn.storage.parquet import write_table


def _attacked(
    source: Dataset, pixels: Sequence[Path], weights: Path, widths: Sequence[int], attacked_class: str
) -> tuple[Any, NDArray[np.float32], int, NDArray[np.int64]]:
    """The classifier, the test images of the attacked class, its label, and their indices in the test part."""
    import_keras()
    from ocnn.networks.models.classifier import build_classifier

    arrays = open_arrays(pixels)
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
        source, pixels: as for `ocnn.steps.classifier.fit_classifier`.
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
