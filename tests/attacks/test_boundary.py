"""The boundary attack on classifiers small enough to know the answer, and what its verification refuses."""

import pickle
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocnn.attacks import boundary as attacks
from ocnn.attacks.boundary import Attack
from ocnn.attacks.classifier import train_classifier
from ocnn.data import load_dataset
from ocnn.errors import DataError, ResultError

LABEL = 3


@pytest.fixture(scope="module")
def digits() -> tuple[Any, np.ndarray]:
    """A classifier trained on the digits, and the test images of the class that is attacked."""
    from ocnn.networks import models
    from ocnn.networks.training import seeded

    arrays = load_dataset("digits").load({})
    with seeded(0):
        model = models.build_classifier((8, 16), 10, (8, 8, 1))
        train_classifier(model, arrays.train, arrays.train_labels, epochs=12, learning_rate=3e-3, batch_size=32)
    logits = model.predict(arrays.test, verbose=0)
    assert (logits.argmax(axis=1) == arrays.test_labels).mean() > 0.9
    return model, arrays.test[arrays.test_labels == LABEL]


@pytest.fixture(scope="module")
def begun(digits: tuple[Any, np.ndarray]) -> Attack:
    model, originals = digits
    return attacks.start(model, originals, LABEL, count=10, seed=0)


def linear_model(weights: np.ndarray, bias: float) -> Any:
    """Two classes, told apart by the sign of ⟨weights, x⟩ + bias; class 0 where it is negative."""
    import keras

    inputs = keras.Input(weights.shape)
    score = keras.layers.Dense(1, name="score")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.ops.concatenate([keras.ops.zeros_like(score), score], axis=1))
    model.get_layer("score").set_weights([weights.reshape(-1, 1), np.array([bias])])
    return model


def labels(model: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(images, verbose=0)).argmax(axis=1)


def same(a: Attack, b: Attack) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a) if name != "seconds")


@pytest.mark.long
def test_every_label_flips_and_more_steps_come_closer(digits: tuple[Any, np.ndarray], begun: Attack) -> None:
    model, originals = digits
    assert (labels(model, originals[begun.sources]) == LABEL).all()
    medians, attack = [np.median(attacks.distances(begun, originals))], begun
    for steps in (100, 200, 500):
        attack = attacks.advance(model, originals, LABEL, attack, steps=steps, seed=0)
        assert (labels(model, attack.images) != LABEL).all()
        assert attack.images.dtype == np.float32
        attacks.verify(attack, originals, model.predict(attack.images, verbose=0), LABEL)
        medians.append(np.median(attacks.distances(attack, originals)))
    assert medians == sorted(medians, reverse=True)
    assert medians[-1] < 0.9 * medians[0]
    assert attack.steps == 800


def test_the_distance_to_a_plane() -> None:
    """The nearest image across a plane is known; the attack must not come closer, and gets near it."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, 4, 1))
    originals = rng.uniform(0.3, 0.7, (6, 4, 4, 1)).astype(np.float32)
    scores = (originals * weights).sum(axis=(1, 2, 3))
    bias = -float(scores.max()) - 0.2
    model = linear_model(weights, bias)
    exact = -(scores + bias) / np.linalg.norm(weights)
    attack = attacks.start(model, originals, 0, count=6, seed=0)
    attack = attacks.advance(model, originals, 0, attack, steps=3000, seed=0)
    found = attacks.distances(attack, originals)
    assert (found >= exact[attack.sources]).all()
    assert np.median(found / exact[attack.sources]) < 1.1
    # The step sizes were adapted on the way, each image's by itself, and are kept for the next segment.
    assert (attack.source_steps != attacks.FIRST_STEP).all()
    assert len(set(attack.spherical_steps)) > 1


def test_seeds(digits: tuple[Any, np.ndarray], begun: Attack) -> None:
    model, originals = digits
    assert same(begun, attacks.start(model, originals, LABEL, count=10, seed=0))
    assert not same(begun, attacks.start(model, originals, LABEL, count=10, seed=1))
    first, second = (attacks.advance(model, originals, LABEL, begun, steps=30, seed=0) for _ in range(2))
    assert same(first, second)
    assert not same(first, attacks.advance(model, originals, LABEL, begun, steps=30, seed=1))
    # The attack leaves the caller's random numbers alone.
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    attacks.advance(model, originals, LABEL, begun, steps=1, seed=0)
    assert np.random.random() == expected  # noqa: NPY002


def test_an_interrupted_attack_goes_on_from_its_file_as_if_nothing_had_been(
    digits: tuple[Any, np.ndarray], begun: Attack, tmp_path: Path
) -> None:
    model, originals = digits
    halfway = attacks.advance(model, originals, LABEL, begun, steps=20, seed=0)
    attacks.write_attack(tmp_path / "steps-20.npz", halfway)
    read = attacks.read_attack(tmp_path / "steps-20.npz")
    assert same(read, halfway)
    assert read.seconds == halfway.seconds > begun.seconds
    assert same(
        attacks.advance(model, originals, LABEL, halfway, steps=20, seed=0),
        attacks.advance(model, originals, LABEL, read, steps=20, seed=0),
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "steps-20.npz"]


@pytest.mark.parametrize("damage", ["truncated", "foreign", "missing", "empty"])
def test_what_is_no_attack(begun: Attack, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "steps-0.npz"
    attacks.write_attack(path, begun)
    if damage == "foreign":
        np.savez(path, images=begun.images)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:200] if damage == "truncated" else b"")
    with pytest.raises(ResultError, match="does not hold whole arrays"):
        attacks.read_attack(path)


def test_verification_refuses_what_is_no_attack(digits: tuple[Any, np.ndarray], begun: Attack) -> None:
    model, originals = digits

    def fault(**changes: Any) -> str:
        attack = replace(begun, **changes)
        logits = model.predict(np.nan_to_num(attack.images), verbose=0)
        with pytest.raises(ResultError) as error:
            attacks.verify(attack, originals, logits, LABEL)
        return str(error.value)

    attacks.verify(begun, originals, model.predict(begun.images, verbose=0), LABEL)
    planted = begun.images.copy()
    planted[4] = originals[begun.sources[4]]
    text = fault(images=planted)
    assert f"image 4, made from {begun.sources[4]}, is correctly classified" in text
    assert "image 4" in text.split(";")[1]
    assert "the same as its source" in text
    assert text.count("image") == 2
    for value in (1.5, -0.1, np.nan):
        outside = begun.images.copy()
        outside[2, 0, 0] = value
        assert "image 2, made from" in fault(images=outside)
        assert "not within [0, 1]" in fault(images=outside)
    sources = begun.sources.copy()
    sources[1] = sources[0]
    assert "not the only one of its source" in fault(sources=sources)


def test_only_correctly_classified_images_are_attacked() -> None:
    logits = np.array([[2.0, 1, 0], [0, 1, 0], [3, 0, 0], [1, 0, 2], [5, 4, 4]])
    assert sorted(attacks.choose_sources(logits, 0, seed=0)) == [0, 2, 4]
    orders = {tuple(attacks.choose_sources(logits, 0, seed=seed)) for seed in range(10)}
    assert len(orders) > 1
    np.testing.assert_array_equal(attacks.is_adversarial(np.array([[1, 1.0005], [1, 1.01], [2, 1]]), 0), [0, 1, 0])


def test_images_that_cannot_be_attacked_give_way_to_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a single random direction, noise is on the other side of the plane for some images only."""
    monkeypatch.setattr(attacks, "DIRECTIONS", 1)
    rng = np.random.default_rng(0)
    originals = rng.uniform(0, 0.4, (40, 2, 2, 1)).astype(np.float32)
    model = linear_model(np.ones((2, 2, 1)), -2.0)
    with pytest.warns(UserWarning, match="failed to draw"):
        attack = attacks.start(model, originals, 0, count=10, seed=0)
    assert len(attack.failed) > 0
    assert len(attack.images) == 10
    assert not set(attack.failed) & set(attack.sources)
    attacks.verify(attack, originals, model.predict(attack.images, verbose=0), 0)
    output = capsys.readouterr().out
    assert all(str(source) in output for source in attack.failed)
    assert "others take their place" in output
    impossible = linear_model(np.ones((2, 2, 1)), -5.0)
    with pytest.raises(DataError, match="40 are correctly classified and 0"), pytest.warns(UserWarning, match="failed"):
        attacks.start(impossible, originals, 0, count=10, seed=0)
    with pytest.raises(DataError, match="50 images are to be attacked, but of 40"):
        attacks.start(model, originals, 0, count=50, seed=0)


def perturbed(model: Any, size: float, seed: int) -> Any:
    """The classifier as another machine computes it: each logit of each image moved by a fixed small number."""

    class Other:
        def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
            logits = np.asarray(model.predict_on_batch(images))
            return logits + size * np.asarray(np.random.default_rng(seed).uniform(-1, 1, logits.shape), np.float32)

    return Other()


@pytest.mark.parametrize("size", [1e-5, 1e-3, 1e-2])
def test_an_attack_goes_on_where_its_images_lie_inside_the_margin(
    digits: tuple[Any, np.ndarray], begun: Attack, size: float
) -> None:
    """The rounding errors of another machine put images that lie at the margin on its near side."""
    model, originals = digits
    attack = attacks.advance(model, originals, LABEL, begun, steps=200, seed=0)
    sources = originals[attack.sources]
    # Every image is drawn back to the very margin, where a long attack leaves it.
    near, far = np.zeros(10), np.ones(10)
    for _ in range(40):
        middle = (near + far) / 2
        images = (sources + middle[:, None, None, None] * (attack.images - sources)).astype("float32")
        over = attacks.is_adversarial(np.asarray(model.predict_on_batch(images)), LABEL)
        near, far = np.where(over, near, middle), np.where(over, middle, far)
    images = (sources + far[:, None, None, None] * (attack.images - sources)).astype("float32")
    attack = replace(attack, images=images)
    other = perturbed(model, size, seed=1)
    inside = ~attacks.is_adversarial(other.predict_on_batch(attack.images), LABEL)
    assert inside.any()
    first = attacks.push_over_margin(other, sources, attack.images, LABEL)
    np.testing.assert_array_equal(first[~inside], attack.images[~inside])
    assert attacks.is_adversarial(other.predict_on_batch(first), LABEL).all()
    moved = attacks.distances(replace(attack, images=first), originals) / attacks.distances(attack, originals)
    assert moved[~inside] == pytest.approx(1)
    assert moved[inside] == pytest.approx(1, abs=20 * size + 1e-4)
    found = attacks.advance(other, originals, LABEL, attack, steps=20, seed=0)
    assert attacks.is_adversarial(other.predict_on_batch(found.images), LABEL).all()
    if size < attacks.MARGIN / 2:
        attacks.verify(found, originals, np.asarray(model.predict_on_batch(found.images)), LABEL)


def test_images_over_the_margin_start_the_next_segment_as_they_are(
    digits: tuple[Any, np.ndarray], begun: Attack
) -> None:
    model, originals = digits
    found = attacks.push_over_margin(model, originals[begun.sources], begun.images, LABEL)
    assert found.tobytes() == begun.images.tobytes()


def test_an_attack_on_another_classifier_is_refused(digits: tuple[Any, np.ndarray], begun: Attack) -> None:
    """One that has the class in every image."""
    originals = digits[1]

    class Other:
        def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
            return np.eye(10, dtype="float32")[[LABEL] * len(images)]

    with pytest.raises(ResultError, match="10 of 10 images are not misclassified by this classifier"):
        attacks.advance(Other(), originals, LABEL, begun, steps=5, seed=0)


def test_a_segment_makes_its_own_steps_with_random_numbers_of_its_own(
    digits: tuple[Any, np.ndarray], begun: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all steps again, and not the directions of the segment before."""
    from foolbox.attacks import boundary_attack

    model, originals = digits
    draw = boundary_attack.draw_proposals
    states: list[bytes] = []

    def spy(*arguments: Any) -> Any:
        states.append(pickle.dumps(np.random.get_state()))  # noqa: NPY002
        return draw(*arguments)

    monkeypatch.setattr(boundary_attack, "draw_proposals", spy)
    first = attacks.advance(model, originals, LABEL, begun, steps=7, seed=0)
    assert (len(states), first.steps) == (7, 7)
    second = attacks.advance(model, originals, LABEL, first, steps=5, seed=0)
    assert (len(states), second.steps) == (12, 12)
    assert states[7] != states[0]
    assert second.seconds > first.seconds


def test_images_are_pushed_to_twice_their_distance_at_most() -> None:
    """On a line from 0.1 by 0.2: a boundary at 0.45 is reached, one at 0.55 is not, and none is reached beyond 1."""
    sources, images = np.full((2, 1, 1, 1), 0.1, "float32"), np.full((2, 1, 1, 1), 0.3, "float32")
    images[1] = 0.7
    moved = attacks.push_over_margin(linear_model(np.ones((1, 1, 1)), -0.45), sources, images, 0)
    assert 0.45 < moved[0].item() <= 0.5
    assert moved[1] == images[1]
    with pytest.raises(ResultError, match="1 of 2 images are not misclassified"):
        attacks.push_over_margin(linear_model(np.ones((1, 1, 1)), -0.55), sources, images, 0)
    # It takes the shortest of the ways that it tries, halved 16 times at most.
    near = attacks.push_over_margin(linear_model(np.ones((1, 1, 1)), -0.299), sources, images, 0)
    assert near[0].item() == pytest.approx(0.3, abs=0.2 * 2**-15)
    sources[1], images[1] = 0.0, 0.9
    ends = attacks.push_over_margin(linear_model(np.ones((1, 1, 1)), -0.95), sources[1:], images[1:], 0)
    assert 0.95 < ends.item() <= 1


def test_the_seed_and_the_steps_before_decide_the_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first images are those of no step; no other decides anything."""
    model, originals = linear_model(np.ones((2, 2, 1)), -2.0), np.full((3, 2, 2, 1), 0.2, "float32")
    seeds: list[tuple[int, int]] = []

    def note(seed: int, steps: int) -> Any:
        seeds.append((seed, steps))
        return nullcontext()

    monkeypatch.setattr(attacks, "_seeded", note)
    attack = attacks.start(model, originals, 0, count=2, seed=5)
    assert (attack.steps, attack.images.shape, len(attack.failed)) == (0, (2, 2, 2, 1), 0)
    assert attack.spherical_steps.tolist() == attack.source_steps.tolist() == [attacks.FIRST_STEP] * 2
    for steps in (3, 2):
        attack = attacks.advance(model, originals, 0, attack, steps=steps, seed=5)
    assert seeds == [(5, 0), (5, 0), (5, 3)]
    assert attack.steps == 5


def test_the_distance_of_images_to_their_sources() -> None:
    """Over all pixels of an image: 0.3 and 0.4 make 0.5."""
    originals = np.zeros((3, 1, 2, 1), "float32")
    images = np.array([[0.3, 0.4], [0.0, 1.0]], "float32").reshape(2, 1, 2, 1)
    nothing = np.empty(0)
    attack = Attack(images, np.array([2, 0]), nothing.astype(int), nothing, nothing, 0, 0.0)
    np.testing.assert_allclose(attacks.distances(attack, originals), [0.5, 1.0], rtol=1e-6)
