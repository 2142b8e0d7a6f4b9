"""The boundary attack (Brendel et al. 2018) on images of one class, by foolbox, in segments that follow each other.

A segment starts from the images and step sizes that the one before it left, and draws from a seed of its own: so an
attack of many steps passes through the attacks of fewer, an interruption loses one segment at most, and the result
does not depend on whether there was one. foolbox runs on NumPy, so that any Keras backend can answer it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ocnn.errors import DataError, ResultError
from ocnn.storage.arrays import read_arrays, write_arrays

if TYPE_CHECKING:
    import keras

#: By how much another class's logit must exceed the true one's: images at the very boundary would change sides with
#: the rounding errors of another machine.
MARGIN = 1e-3
#: Step sizes of the first segment, as shares of the distance: foolbox's.
FIRST_STEP = 1e-2
#: Random directions that are tried for an image before it is given up.
DIRECTIONS = 200


@dataclass(frozen=True)
class Attack:
    """What an attack has come to.

    images: (n, height, width, channels) float32 in [0, 1], each misclassified.
    sources: (n,) index of each one's original in the attacked part of the data set.
    failed: indices of originals that were tried before and found no misclassified image.
    spherical_steps, source_steps: (n,) the step sizes that foolbox has adapted so far.
    steps: how many were made.
    seconds: that they took, in all segments.
    """

    images: NDArray[np.float32]
    sources: NDArray[np.int64]
    failed: NDArray[np.int64]
    spherical_steps: NDArray[np.float64]
    source_steps: NDArray[np.float64]
    steps: int
    seconds: float


def train_classifier(
    model: "keras.Model", X: NDArray[np.float32], y: NDArray[Any], *, epochs: int, learning_rate: float, batch_size: int
) -> None:
    """Train a classifier of logits with cross-entropy and Adam; to be called inside `seeded`.

    Args:
        X: images (n, height, width, channels) in [0, 1].
        y: labels (n,).
        batch_size: samples per step; see `batch_size_for`.
    """
    import keras

    from ocnn.networks.keras_settings import stated_settings
    from ocnn.networks.training import batch_size_for

    def show(epoch: int, logs: dict[str, float]) -> None:
        loss, accuracy = logs["loss"], logs["accuracy"]
        print(f"classifier: epoch {epoch + 1} of {epochs}, loss {loss:.4g}, accuracy {accuracy:.3f}", flush=True)

    with stated_settings():
        model.compile(
            optimizer=keras.optimizers.Adam(learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        callback, size = keras.callbacks.LambdaCallback(on_epoch_end=show), batch_size_for(len(X), batch_size)
        model.fit(X, y, batch_size=size, epochs=epochs, shuffle=True, verbose=0, callbacks=[callback])


def is_adversarial(logits: NDArray[Any], label: int) -> NDArray[np.bool_]:
    """Say which samples are misclassified by the margin: logits (n, classes), true for all of them `label` → (n,)."""
    others = np.delete(logits, label, axis=1).max(axis=1)
    return others - logits[:, label] >= MARGIN


def choose_sources(logits: NDArray[Any], label: int, seed: int) -> NDArray[np.int64]:
    """Draw the indices of the correctly classified images in random order; logits (n, classes)."""
    right = np.flatnonzero(logits.argmax(axis=1) == label)
    return np.random.default_rng(seed).permutation(right)


def start(model: "keras.Model", originals: NDArray[np.float32], label: int, *, count: int, seed: int) -> Attack:
    """Blend each of `count` images with noise until it is misclassified; where that fails, another is taken.

    Args:
        originals: (n, height, width, channels) in [0, 1], all of the class `label`.
        count: how many adversarial images are wanted.

    Raises:
        DataError: fewer images are correctly classified, or can be attacked.
    """
    from foolbox.attacks import LinearSearchBlendedUniformNoiseAttack

    from ocnn.networks.training import apply

    began = time.monotonic()
    candidates = choose_sources(apply(model, originals), label, seed)
    attack = LinearSearchBlendedUniformNoiseAttack(steps=50, directions=DIRECTIONS)
    found, sources, failed = [], np.empty(0, np.int64), np.empty(0, np.int64)
    tried = 0
    with _seeded(seed, 0):
        while len(sources) < count and tried < len(candidates):
            batch = candidates[tried : tried + count - len(sources)]
            tried += len(batch)
            blended = attack.run(_foolbox_model(model), originals[batch], _criterion(label)).astype(np.float32)
            good = is_adversarial(_logits(model, blended), label)
            found.append(blended[good])
            sources = np.concatenate([sources, batch[good]])
            failed = np.concatenate([failed, batch[~good]])
            if not good.all():
                print(f"no misclassified image found for {batch[~good].tolist()}, others take their place", flush=True)
    if len(sources) < count:
        raise DataError(
            f"{count} images are to be attacked, but of {len(originals)} images of the class {len(candidates)} are"
            f" correctly classified and {len(sources)} of these could be attacked."
        )
    steps = np.full(count, FIRST_STEP)
    return Attack(np.concatenate(found), sources, failed, steps, steps, 0, time.monotonic() - began)


def advance(
    model: "keras.Model", originals: NDArray[np.float32], label: int, attack: Attack, *, steps: int, seed: int
) -> Attack:
    """Attack for `steps` more steps, all of its images at once.

    Args:
        originals: as for `start`.

    Raises:
        ResultError: see `push_over_margin`.
    """
    from foolbox.attacks import BoundaryAttack

    began = time.monotonic()
    sources = originals[attack.sources]

    def show(step: int, distances: NDArray[Any]) -> None:
        if step % max(1, steps // 10) == 0:
            print(f"step {attack.steps + step}: median L2 {np.median(distances):.4g}", flush=True)

    with _seeded(seed, attack.steps), _observed(show) as last:
        boundary = BoundaryAttack(steps=steps, spherical_step=attack.spherical_steps, source_step=attack.source_steps)
        first = push_over_margin(model, sources, attack.images, label)
        images = boundary.run(_foolbox_model(model), sources, _criterion(label), starting_points=first)
    return replace(
        attack,
        # foolbox's float64; the classifier answered for these float32 values.
        images=images.astype(np.float32),
        spherical_steps=last.get("spherical_step", attack.spherical_steps),
        source_steps=last.get("source_step", attack.source_steps),
        steps=attack.steps + steps,
        seconds=attack.seconds + time.monotonic() - began,
    )


def push_over_margin(
    model: "keras.Model", sources: NDArray[np.float32], images: NDArray[np.float32], label: int
) -> NDArray[np.float32]:
    """Move the images that are not misclassified by the margin away from their sources until they are.

    An attack ends close to the margin, and another machine's rounding errors put some images on its near side: without
    this the attack could not go on there. Images over the margin stay as they are.

    Args:
        sources, images: (n, height, width, channels) in [0, 1].

    Raises:
        ResultError: an image is not misclassified even at twice its distance, so by another classifier.
    """
    moved = images.copy()
    inside = ~is_adversarial(_logits(model, moved), label)
    for share in 2.0 ** np.arange(-16, 1):
        if not inside.any():
            break
        moved[inside] = np.clip(images[inside] + share * (images[inside] - sources[inside]), 0, 1)
        inside = ~is_adversarial(_logits(model, moved), label)
    if not inside.any():
        return moved
    raise ResultError(
        f"The attack cannot go on: {np.count_nonzero(inside)} of {len(images)} images are not misclassified by this"
        " classifier, so they were made for another one. Delete the attack to have it made again."
    )


def verify(attack: Attack, originals: NDArray[np.float32], logits: NDArray[Any], label: int) -> None:
    """Check what an attack has made.

    Args:
        originals: as for `start`.
        logits: (n, classes) of the attack's images, by the saved classifier.

    Raises:
        ResultError: an image is correctly classified, not within [0, 1], not finite, or no other than its source; or
            two have the same source.
    """
    pixels = attack.images.reshape(len(attack.images), -1)
    inside = np.isfinite(pixels).all(axis=1) & (pixels >= 0).all(axis=1) & (pixels <= 1).all(axis=1)
    same = (attack.images == originals[attack.sources]).all(axis=(1, 2, 3))
    repeated = np.array([(attack.sources == source).sum() > 1 for source in attack.sources])
    faults = [
        (logits.argmax(axis=1) == label, "correctly classified"),
        (~inside, "not within [0, 1]"),
        (same, "the same as its source"),
        (repeated, "not the only one of its source"),
    ]
    wrong = [
        f"image {index}, made from {attack.sources[index]}, is {fault}"
        for found, fault in faults
        for index in np.flatnonzero(found)
    ]
    if wrong:
        raise ResultError("The attack did not do what it should: " + "; ".join(wrong) + ".")


def distances(attack: Attack, originals: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure the L2 distance of each image to its source, (n,), pixels in [0, 1]."""
    difference = attack.images.astype(np.float64) - originals[attack.sources]
    return np.linalg.norm(difference.reshape(len(difference), -1), axis=1)


def write_attack(path: Path, attack: Attack, recipe: Mapping[str, Any] | None = None) -> None:
    """Write an attack as an npz archive, with the recipe of the workflow."""
    write_arrays(path, vars(attack), recipe)


def read_attack(path: Path) -> Attack:
    """Read an attack.

    Raises:
        ResultError: the file is damaged.
    """
    fields: dict[str, Any] = read_arrays(path, Attack.__dataclass_fields__)
    return Attack(**{**fields, "steps": int(fields["steps"]), "seconds": float(fields["seconds"])})


def _logits(model: "keras.Model", images: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(model.predict_on_batch(images.astype(np.float32)))


def _foolbox_model(model: "keras.Model") -> Any:
    from foolbox.models import NumPyModel

    return NumPyModel(lambda images: _logits(model, images), bounds=(0, 1))


def _criterion(label: int) -> Any:
    """Make foolbox's form of `is_adversarial`."""
    import eagerpy
    from foolbox.criteria import Criterion

    class MisclassifiedByMargin(Criterion):
        def __repr__(self) -> str:
            return f"MisclassifiedByMargin({label})"

        def __call__(self, perturbed: Any, outputs: Any) -> Any:
            logits, restore = eagerpy.astensor_(outputs)
            return restore(eagerpy.from_numpy(logits, is_adversarial(logits.numpy(), label)))

    return MisclassifiedByMargin()


@contextmanager
def _seeded(seed: int, steps: int) -> Iterator[None]:
    """Seed the global random state that foolbox draws on, another one for each segment."""
    from ocnn.networks.training import seeded

    with seeded(int(np.random.SeedSequence([seed, steps]).generate_state(1)[0] >> 1)):
        yield


@contextmanager
def _observed(show: Callable[[int, NDArray[Any]], None]) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Watch a boundary attack through what it would write to TensorBoard, which is all that it shows of itself.

    show: gets the number of each step and the distances (n,) before it.

    Yields:
        The latest `spherical_step` and `source_step`, (n,) each.
    """
    from foolbox.attacks import boundary_attack
    from foolbox.tensorboard import TensorBoard

    last: dict[str, NDArray[np.float64]] = {}

    class Observer(TensorBoard):
        def __init__(self, logdir: Any) -> None:
            super().__init__(logdir=False)

        def histogram(self, tag: str, x: Any, step: int, **_: Any) -> None:
            if tag == "norms":
                show(step, x.numpy())
            elif tag in ("spherical_step", "source_step"):
                last[tag] = np.asarray(x.numpy(), np.float64)

    boundary_attack.TensorBoard = Observer
    try:
        yield last
    finally:
        boundary_attack.TensorBoard = TensorBoard
