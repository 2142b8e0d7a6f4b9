"""Adversarial images of one class as a data set: the class is normal, its attacked images are the anomalies."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ocnn.data.dataset import Arrays, Dataset
from ocnn.storage.arrays import open_arrays, read_arrays

ADVERSARIAL = "adversarial"
#: By this name `read` finds the images that the attack made.
ATTACK_FILE = "attack.npz"


def adversarial_dataset(attacked: Dataset, attacked_class: str, *, name: str, held_out: bool, images: int) -> Dataset:
    """The data set of an attacked class and its adversarial images, which were made from its test images.

    Its `read` takes for archives the attacked data set's pixels, `ARRAY_FILES`, and the attack, `ATTACK_FILE`.

    Args:
        attacked: the data set of which it is a class.
        held_out: True: the training part is that of the class, the test part its test images and the adversarial
            ones. False: one part of all three, to be fitted and scored at once, as in the paper.
        images: how many are adversarial.
    """
    sizes = {}
    if attacked_class in attacked.sizes:
        train, test = attacked.sizes[attacked_class]
        counts = [(train, test), (0, images)] if held_out else [(train + test, 0), (images, 0)]
        sizes = dict(zip((attacked_class, ADVERSARIAL), counts, strict=True))
    return Dataset(
        name=name,
        classes=(attacked_class, ADVERSARIAL),
        read=partial(_read, label=attacked.classes.index(attacked_class), held_out=held_out),
        anomaly_classes=(ADVERSARIAL,),
        has_test=held_out,
        sizes=sizes,
    )


def _read(files: Mapping[str, Path], label: int, held_out: bool) -> Arrays:
    arrays = open_arrays(files.values())
    train, test = (
        arrays[f"{part}.npy"][np.flatnonzero(np.asarray(arrays[f"{part}_labels.npy"]) == label)]
        for part in ("train", "test")
    )
    adversarial = read_arrays(files[ATTACK_FILE], ["images"])["images"]
    if held_out:
        return Arrays(
            train,
            np.zeros(len(train), np.int64),
            np.concatenate([test, adversarial]),
            np.repeat([0, 1], [len(test), len(adversarial)]),
        )
    everything = np.concatenate([train, test, adversarial])
    labels = np.repeat([0, 1], [len(train) + len(test), len(adversarial)])
    return Arrays(everything, labels, everything[:0], labels[:0])
