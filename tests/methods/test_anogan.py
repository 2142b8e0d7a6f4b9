"""AnoGAN: each network follows its own loss, the latent search, and the diagnosis."""

from typing import Any

import numpy as np
import pytest

from ocnn.methods import AnoGAN
from ocnn.methods.anogan import judge
from tests.conftest import QUICK

SMALL = {**QUICK, "latent": 4, "widths": (8, 8), "steps": 5}


def gradients(model: Any, x: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y_pred=model(x, training=True))
    variables = model.trainable_variables
    return float(loss), {v.path: g.numpy() for v, g in zip(variables, tape.gradient(loss, variables), strict=True)}


def test_each_network_follows_its_own_loss() -> None:
    """The sum's gradient is, for the discriminator, that of its loss alone, and the same for the generator."""
    import keras
    import tensorflow as tf

    from ocnn.methods.gan import AdversarialModel
    from ocnn.networks import losses, models

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")
    generator = models.build_generator((8, 8), 4, (6,))
    discriminator = models.build_discriminator((8, 8), (6,))
    model = AdversarialModel(generator, discriminator, seed=1)
    found = gradients(model, x)[1]
    z = keras.random.normal((16, 4), seed=keras.random.SeedGenerator(1))
    with tf.GradientTape(persistent=True) as tape:
        generated = generator(z, training=True)
        real, fake = discriminator(x, training=True)[1], discriminator(generated, training=True)[1]
        of_discriminator, of_generator = losses.discriminator(real, fake), losses.generator(fake)
    for network, loss in ((discriminator, of_discriminator), (generator, of_generator)):
        for variable, gradient in zip(
            network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True
        ):
            np.testing.assert_allclose(found[variable.path], gradient.numpy(), rtol=1e-3, atol=1e-6)
            assert np.abs(gradient.numpy()).max() > 0


def test_the_accuracy_of_the_discriminator_by_hand() -> None:
    """Right: a sample above 0, a generated one below; 0 itself is undecided, and wrong."""
    from ocnn.methods.gan import AdversarialModel
    from ocnn.networks import models

    networks = models.build_generator((4,), 2, (3,)), models.build_discriminator((4,), (3,))
    model = AdversarialModel(*networks, seed=1)
    real, detached, judged = (np.array(values, "float32") for values in ([1, 0, -1, 2], [-1, 0, 1, 3], [0, 0, 0, 0]))
    loss = float(model.compute_loss(y_pred=(real, detached, judged)))
    assert float(model.accuracy.result()) == pytest.approx(3 / 8)
    softplus = np.log1p(np.exp(np.array([-1.0, 0, 1, -2]))).mean() + np.log1p(np.exp([-1.0, 0, 1, 3])).mean()
    assert loss == pytest.approx(softplus + np.log(2), rel=1e-5)
    # A model that is called does not train: its moving statistics stay.
    before = [np.asarray(w) for network in networks for w in network.non_trainable_weights]
    model(np.ones((5, 3), "float32"))
    after = [np.asarray(w) for network in networks for w in network.non_trainable_weights]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.usefixtures("eagerly")
def test_the_diversity_is_a_ratio_of_variances() -> None:
    """Of what is generated, feature by feature, to that of the samples; the features' own means do not count."""
    rng = np.random.default_rng(0)
    X = (100 * np.arange(6) + rng.uniform(size=(64, 6))).astype("float32")
    model = AnoGAN(**{**SMALL, "epochs": (20,), "learning_rates": (1e-1,), "steps": 1, "batch_size": 64}).fit(X)
    generated = np.asarray(model.generator_(rng.normal(size=(5000, 4)).astype("float32")))
    assert np.ptp(generated.mean(axis=0)) > 0.5
    expected = generated.var(axis=0).mean() / X.var(axis=0).mean()
    assert model.diversity_ == pytest.approx(expected, rel=0.2)


@pytest.mark.usefixtures("eagerly")
def test_both_networks_train_and_are_then_fixed() -> None:
    from ocnn.networks import models

    X = np.random.default_rng(0).uniform(size=(64, 8, 8, 1)).astype("float32")
    model = AnoGAN(**{**SMALL, "epochs": (3,), "learning_rates": (1e-2,)}).fit(X)
    for network in (model.generator_, model.discriminator_):
        assert network.trainable_variables == []
    before = [np.asarray(w) for w in (*model.generator_.weights, *model.discriminator_.weights)]
    model.score_samples(X)
    for weight, old in zip((*model.generator_.weights, *model.discriminator_.weights), before, strict=True):
        np.testing.assert_array_equal(np.asarray(weight), old)
    assert len(model.history_["accuracy"]) == 3
    assert len(model.history_["search_loss"]) == SMALL["steps"]
    fresh = models.build_generator((8, 8), 4, (8, 8, 1))
    assert [w.shape for w in fresh.weights] == [w.shape for w in model.generator_.weights]
    assert float(np.asarray(model.generator_(np.zeros((1, 4), "float32"))).max()) <= 1


def linear_search(rng: np.random.Generator, count: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """A search through a linear generator (3 → 5) and discriminator (5 → 2), and their kernels."""
    import keras

    from ocnn.methods.gan import LatentSearch

    W, F = (rng.normal(size=shape).astype("float32") for shape in ((3, 5), (5, 2)))

    def linear(kernel: np.ndarray, *, features: bool) -> Any:
        inputs = keras.Input((kernel.shape[0],))
        layer = keras.layers.Dense(kernel.shape[1], use_bias=False)
        outputs = layer(inputs)
        model = keras.Model(inputs, [outputs, keras.ops.sum(outputs, axis=1)] if features else outputs)
        layer.set_weights([kernel])
        model.trainable = False
        return model

    networks = linear(W, features=False), linear(F, features=True)
    return LatentSearch(*networks, (5,), count=count, weight=0.1, learning_rate=0.05), W, F


def plain_losses(X: np.ndarray, start: np.ndarray, W: np.ndarray, F: np.ndarray, steps: int) -> np.ndarray:
    """The loss of each sample before each step of a plain NumPy Adam, and after the last, (steps + 1, n)."""
    z = np.repeat(start[None].astype(float), len(X), axis=0)
    m, v = np.zeros_like(z), np.zeros_like(z)
    losses = []
    for t in range(1, steps + 2):
        difference = z @ W - X
        losses.append(0.9 * np.abs(difference).sum(axis=1) + 0.1 * np.abs(difference @ F).sum(axis=1))
        gradient = 0.9 * np.sign(difference) @ W.T + 0.1 * np.sign(difference @ F) @ F.T @ W.T
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        z = z - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
    return np.array(losses)


@pytest.mark.parametrize("patience", [30, 7])
def test_the_search_is_adam_on_each_sample_by_itself(patience: int) -> None:
    """Batches of 2, the last one short; that a batch is put aside and taken up again changes nothing."""
    rng = np.random.default_rng(0)
    search, W, F = linear_search(rng, count=2)
    X, start = rng.normal(size=(5, 5)).astype("float32"), rng.normal(size=3).astype("float32")
    found, curve = search(X, start, steps=30, patience=patience)
    again, _ = search(X, start, steps=30, patience=30)
    np.testing.assert_array_equal(again, found)
    losses = plain_losses(X, start, W, F, steps=30)
    np.testing.assert_allclose(found, losses[-1], rtol=5e-2)
    assert len(curve) == 30
    assert curve[0] == pytest.approx(losses[0].mean(), rel=1e-5)
    assert curve[-1] < curve[0]


def test_a_sample_that_has_settled_keeps_its_loss_and_the_others_go_on() -> None:
    """The known answer: each sample's losses in steps of 10, read up to the first that fell by less than a fifth.

    Groups of two batches, so that samples of one move up and the second group starts afresh.
    """
    rng = np.random.default_rng(1)
    search, W, F = linear_search(rng, count=2)
    search.TOGETHER = 2
    X = np.concatenate([rng.normal(size=(7, 5)), 20 * rng.normal(size=(2, 5))]).astype("float32")
    start = rng.normal(size=3).astype("float32")
    losses = plain_losses(X, start, W, F, steps=60)[::10]
    ends = []
    for sample in losses.T:
        falls = sample[1:] < 0.8 * sample[:-1]
        ends.append(6 if falls.all() else int(np.argmin(falls)) + 1)
    assert len(set(ends)) > 2
    told: list[str] = []
    found, curve = search(X, start, steps=60, tol=0.2, patience=10, show=told.append)
    np.testing.assert_allclose(found, losses[ends, np.arange(9)], rtol=1e-3)
    # The mean over all samples, settled or not, before every tenth step.
    known = [losses[np.minimum(ends, check), np.arange(9)].mean() for check in range(6)]
    np.testing.assert_allclose(curve[::10], known, rtol=1e-3)
    left = sum(end > 1 for end in ends[:4])
    assert told[0] == f"latent search: step 10 of 60, {left} of 4 samples not settled"
    # Where nothing counts as settled, all take all steps.
    np.testing.assert_allclose(search(X, start, steps=60, patience=10)[0], losses[-1], rtol=5e-2)


def test_a_search_that_is_lost_ends() -> None:
    rng = np.random.default_rng(0)
    search, _, _ = linear_search(rng, count=2)
    X = rng.normal(size=(2, 5)).astype("float32")
    X[1] = np.nan
    told: list[str] = []
    found, curve = search(X, np.zeros(3, "float32"), steps=40, tol=1e-9, patience=10, show=told.append)
    assert np.isnan(found).tolist() == [False, True]
    assert np.isnan(curve).all()
    assert "1 of 2 samples not settled" in told[0]


@pytest.mark.long
def test_scores_are_best_for_what_the_generator_makes() -> None:
    """Its own samples are found again; noise of the same variance is not."""
    rng = np.random.default_rng(0)
    X = (0.5 + 0.2 * rng.normal(size=(200, 2)) @ rng.normal(size=(2, 10))).astype("float32")
    model = AnoGAN(**{**SMALL, "epochs": (100,), "steps": 150, "search_learning_rate": 0.1}).fit(X)
    own = np.asarray(model.generator_(rng.normal(size=(40, 4)).astype("float32")))
    shuffled = rng.permuted(own, axis=1)
    assert np.median(model.score_samples(own)) > 0.5 * np.median(model.score_samples(shuffled))


@pytest.mark.parametrize(
    ("changed", "diversity", "status", "reason"),
    [
        ({}, 0.8, "converged", "latent search"),
        ({}, 0.01, "collapsed", "mode collapse"),
        ({"accuracy": [0.7] * 18 + [1.0] * 2}, 0.8, "limit", "no equilibrium"),
        ({"loss": [2.0, float("nan")]}, 0.8, "diverged", "not finite"),
        ({"search_loss": [100.0 - i for i in range(20)]}, 0.8, "limit", "last two tenths of 20 steps"),
    ],
)
def test_diagnosis(changed: dict[str, list[float]], diversity: float, status: str, reason: str) -> None:
    history = {"loss": [2.0] * 20, "accuracy": [0.7] * 20, "search_loss": [5.0] * 20, **changed}
    found = judge(history, diversity)
    assert found.status == status
    assert reason in found.reason


@pytest.mark.usefixtures("eagerly")
def test_a_generator_of_one_sample_is_diagnosed() -> None:
    """Planted: with a learning rate of nothing the generator has its first weights, and those make one sample."""
    X = np.random.default_rng(0).uniform(size=(64, 8, 8, 1)).astype("float32")
    model = AnoGAN(**{**SMALL, "learning_rates": (1e-12,)}).fit(X)
    assert model.diversity_ < 0.05
    assert model.diagnosis_.status == "collapsed"
    assert "mode collapse" in model.diagnosis_.reason


def test_images_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        AnoGAN(**SMALL).fit(np.zeros((5, 6, 8, 1), "float32"))


def test_the_generator_never_follows_a_discriminator_of_the_next_step() -> None:
    """The same training from the same weights, again and again: TensorFlow let a hundredth of its steps do so."""
    import keras

    from ocnn.methods.gan import AdversarialModel
    from ocnn.networks import models
    from ocnn.networks.training import train

    X = np.random.default_rng(0).normal(0.5, 0.1, (120, 6)).astype("float32")
    keras.utils.set_random_seed(0)
    networks = models.build_generator((8, 8), 8, (6,)), models.build_discriminator((8, 8), (6,))
    model = AdversarialModel(*networks, seed=3)
    settings: dict[str, Any] = {"learning_rates": (1e-3,), "batch_size": 10}
    train(model, X, epochs=(1,), **settings)
    variables = [*model.variables, *model.optimizer.variables]
    start = [np.array(variable) for variable in variables]
    ends = set()
    for _ in range(10):
        keras.utils.set_random_seed(0)
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        train(model, X, epochs=(20,), **settings)
        ends.add(b"".join(np.asarray(variable).tobytes() for variable in variables))
    assert len(ends) == 1


@pytest.mark.usefixtures("eagerly")
def test_adam_has_dcgan_s_betas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the optimiser that trained the networks; the search has Adam's own."""
    from ocnn.networks import training

    seen: list[tuple[float, float]] = []
    train = training.train

    def spy(model: Any, X: np.ndarray, **settings: Any) -> Any:
        history = train(model, X, **settings)
        seen.append((float(model.optimizer.beta_1), float(model.optimizer.beta_2)))
        return history

    monkeypatch.setattr(training, "train", spy)
    AnoGAN(**SMALL).fit(np.random.default_rng(0).uniform(size=(40, 6)))
    assert seen == [(0.5, 0.999)]


@pytest.mark.usefixtures("eagerly")
def test_the_search_starts_at_the_point_that_was_drawn() -> None:
    """With a learning rate of nothing: the score is the loss there, for training samples and for others."""
    X = np.random.default_rng(0).uniform(size=(50, 6)).astype("float32")
    model = AnoGAN(**{**SMALL, "latent": 64, "steps": 2, "search_learning_rate": 1e-12}).fit(X[:40])
    generated = np.asarray(model.generator_(model.start_[None]))
    (f, _), (f_generated, _) = (model.discriminator_(samples) for samples in (X, generated))
    expected = 0.9 * np.abs(X - generated).sum(axis=1) + 0.1 * np.abs(np.asarray(f) - f_generated).sum(axis=1)
    np.testing.assert_allclose(-model.score_samples(X), expected, rtol=1e-4)
    np.testing.assert_allclose(-model.training_scores_, expected[:40], rtol=1e-4)
    # It is drawn from N(0, 1): its 64 coordinates have about this mean square.
    assert (model.start_**2).mean() == pytest.approx(1, abs=0.5)
    assert len(set(model.start_)) == 64


@pytest.mark.usefixtures("eagerly")
def test_the_diversity_counts_distinct_samples() -> None:
    """A sample that occurs a thousand times has no less variety beside it."""
    X = np.random.default_rng(0).uniform(size=(40, 6)).astype("float32")
    repeated = np.concatenate([X, np.repeat(X[:1], 1000, axis=0)])
    settings = {**SMALL, "learning_rates": (1e-12,), "batch_size": 1040}
    once, often = (AnoGAN(**settings).fit(samples) for samples in (X, repeated))
    assert often.diversity_ == pytest.approx(once.diversity_, rel=0.3)
