"""Objectives: known answers, gradients against finite differences, and Theorem 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from ocnn.networks import losses

RNG = np.random.default_rng(0)


def number(tensor: Any) -> float:
    import keras

    return float(keras.ops.convert_to_numpy(tensor))


def test_nu_quantile_of_the_papers_example() -> None:
    assert losses.nu_quantile([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.33) == 3


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=60),
    st.floats(0.01, 1.0),
)
def test_nu_quantile_minimises_the_subproblem(y: list[float], nu: float) -> None:
    """Theorem 1: no sample, at one of which a minimum lies, has a lower value than the quantile."""

    def value(r: float) -> float:
        return np.maximum(0, r - np.array(y)).mean() / nu - r

    assert value(losses.nu_quantile(y, nu)) <= min(value(candidate) for candidate in y) + 1e-9 / nu


def test_one_class_nn_by_hand() -> None:
    # ½(9 + 16) + ½(1 + 4) + (1/0.5) · mean(0, 0.5, 2) − 1
    value = losses.one_class_nn(
        np.array([2.0, 0.5, -1.0], "float32"),
        np.array([3.0, 4.0], "float32"),
        np.array([[1.0, 2.0]], "float32"),
        1.0,
        0.5,
    )
    assert number(value) == pytest.approx(12.5 + 2.5 + 2 * 2.5 / 3 - 1)


def test_one_class_deep_svdd_by_hand() -> None:
    codes = np.array([[1.0, 2.0], [3.0, 2.0]], "float32")
    assert number(losses.one_class_deep_svdd(codes, np.array([1.0, 1.0], "float32"))) == pytest.approx((1 + 5) / 2)


def test_soft_boundary_deep_svdd_by_hand() -> None:
    # distances² 1 and 5, R² = 4: 4 + (1/0.5) · mean(0, 1)
    codes = np.array([[1.0, 2.0], [3.0, 2.0]], "float32")
    value = losses.soft_boundary_deep_svdd(codes, np.array([1.0, 1.0], "float32"), np.float32(2), 0.5)
    assert number(value) == pytest.approx(4 + 1)


def test_released_loss_by_hand() -> None:
    # (1/0.5) · (0.01 + mean(0 + (0.25 − 0.01), (4 − 0.01) + 0))
    codes = np.array([[0.05, 0.5], [2.0, 0.1]], "float32")
    value = losses.one_class_nn_released(codes, np.zeros(2, "float32"), 0.1, 0.5)
    assert number(value) == pytest.approx(2 * (0.01 + (0.24 + 3.99) / 2))


def test_group_soft_threshold_by_hand() -> None:
    residuals = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], "float32").reshape(3, 2, 1, 1)
    found = losses.group_soft_threshold(residuals, 1.0)[..., 0, 0]
    np.testing.assert_allclose(found, np.array([[2.4, 3.2], [0, 0], [0, 0]]), rtol=1e-6)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.floats(0.01, 4))
@example([0.0, 0.0, 0.0], 4.0)
def test_group_soft_threshold_minimises_the_proximal_problem(sample: list[float], threshold: float) -> None:
    """Against a numerical minimiser of ½‖u − n‖² + λ‖n‖, started away from the kink at 0."""
    u = np.array(sample)

    def value(n: np.ndarray) -> float:
        return 0.5 * float(((u - n) ** 2).sum()) + threshold * float(np.linalg.norm(n))

    found = losses.group_soft_threshold(u[None].astype("float32"), threshold)[0].astype(float)
    best = min(minimize(value, start, method="Nelder-Mead").fun for start in (u, 0.3 * u + 0.01))
    assert value(found) <= best + 1e-5


def test_group_soft_threshold_limits() -> None:
    residuals = RNG.normal(size=(5, 4, 4, 1)).astype("float32")
    np.testing.assert_array_equal(losses.group_soft_threshold(residuals, 0.0), residuals)
    np.testing.assert_array_equal(losses.group_soft_threshold(residuals, 1e9), np.zeros_like(residuals))


def test_adversarial_losses_by_hand() -> None:
    """Of logits 0 both networks are undecided: log 2 for each of the discriminator's two terms."""
    zeros = np.zeros(4, "float32")
    assert number(losses.discriminator(zeros, zeros)) == pytest.approx(2 * np.log(2))
    assert number(losses.generator(zeros)) == pytest.approx(np.log(2))
    # σ(log 3) = 3/4: −log 3/4 − log 1/4 if it takes both for real
    sure = np.full(2, np.log(3), "float32")
    assert number(losses.discriminator(sure, sure)) == pytest.approx(-np.log(3 / 4) - np.log(1 / 4))
    assert number(losses.generator(sure)) == pytest.approx(-np.log(3 / 4))


def test_anogan_by_hand() -> None:
    # sample 0: |1| + |−2| = 3 and |0.5| = 0.5; sample 1: 0 and 2
    x = np.array([[1.0, -2.0], [0.0, 0.0]], "float32").reshape(2, 2, 1, 1)
    f = np.array([[0.5], [-2.0]], "float32")
    found = losses.anogan(x, np.zeros_like(x), f, np.zeros_like(f), 0.1)
    np.testing.assert_allclose(np.asarray(found), [0.9 * 3 + 0.1 * 0.5, 0.1 * 2], rtol=1e-6)


def test_squared_error_by_hand() -> None:
    # Differences −1, 2, 0 and −3.
    x = np.array([[0.0, 3.0], [2.0, 1.0]], "float32").reshape(2, 2, 1, 1)
    reconstruction = np.array([[1.0, 1.0], [2.0, 4.0]], "float32").reshape(2, 2, 1, 1)
    assert number(losses.squared_error(x, reconstruction)) == pytest.approx(14 / 2)


def test_weight_decay_by_hand() -> None:
    kernels = [np.array([[1.0, 2.0]], "float32"), np.array([3.0], "float32")]
    assert number(losses.weight_decay(kernels, 0.1)) == pytest.approx(0.05 * 14)
    assert number(losses.weight_decay([], 0.1)) == 0


DATA = RNG.normal(size=(7, 3))
CENTER = RNG.normal(size=2)


def svdd(weights: Any, ops: Any) -> Any:
    W = ops.reshape(weights, (3, 2))
    return losses.one_class_deep_svdd(ops.matmul(DATA, W), CENTER) + losses.weight_decay([W], 0.3)


def soft_svdd(weights: Any, ops: Any) -> Any:
    W, radius = ops.reshape(weights[:6], (3, 2)), weights[6]
    return losses.soft_boundary_deep_svdd(ops.matmul(DATA, W), CENTER, radius, 0.4) + losses.weight_decay([W], 0.3)


def released(weights: Any, ops: Any) -> Any:
    W = ops.reshape(weights, (3, 2))
    return losses.one_class_nn_released(ops.matmul(DATA, W), CENTER, 0.1, 0.4) + losses.weight_decay([W], 0.3)


def autoencoder(weights: Any, ops: Any) -> Any:
    W = ops.reshape(weights, (3, 2))
    return losses.squared_error(DATA, ops.matmul(ops.matmul(DATA, W), ops.transpose(W))) + losses.weight_decay([W], 0.3)


def one_class(weights: Any, ops: Any) -> Any:
    V, w, r = ops.reshape(weights[:6], (3, 2)), ops.reshape(weights[6:8], (2, 1)), weights[8]
    y = ops.squeeze(ops.matmul(ops.sigmoid(ops.matmul(DATA, V)), w), axis=-1)
    return losses.one_class_nn(y, w, V, r, 0.4)


def adversaries(weights: Any, ops: Any) -> Any:
    """A linear discriminator and a linear generator of fixed noise."""
    judge, generated = ops.reshape(weights[:3], (3, 1)), ops.matmul(DATA[:, :2], ops.reshape(weights[3:], (2, 3)))
    real, fake = ops.matmul(DATA, judge), ops.matmul(generated, judge)
    return losses.discriminator(real, fake) + losses.generator(fake)


def latent(weights: Any, ops: Any) -> Any:
    x = ops.matmul(ops.reshape(weights, (2, 2)), DATA[:2])
    return ops.sum(losses.anogan(DATA[2:4], x, DATA[4:6], x * x, 0.1))


@pytest.mark.parametrize(
    ("objective", "size"),
    [
        (svdd, 6),
        (soft_svdd, 7),
        (released, 6),
        (autoencoder, 6),
        (one_class, 9),
        (adversaries, 9),
        (latent, 4),
    ],
)
def test_gradients(objective: Callable[[Any, Any], Any], size: int) -> None:
    """Every weight has the gradient that finite differences give: none is left out, none is squared wrongly."""
    import keras
    import tensorflow as tf

    at = np.random.default_rng(1).normal(size=size)
    weights = tf.Variable(at, dtype="float64")
    with tf.GradientTape() as tape:
        value = objective(weights, keras.ops)
    numeric = approx_fprime(at, lambda v: number(objective(keras.ops.convert_to_tensor(v, "float64"), keras.ops)), 1e-6)
    np.testing.assert_allclose(tape.gradient(value, weights), numeric, rtol=1e-4, atol=1e-5)
    assert (numeric != 0).all()
