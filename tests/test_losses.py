"""Objectives: known answers, gradients against finite differences, and Theorem 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from ocnn import losses

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


def test_mean_squared_error_by_hand() -> None:
    x = np.zeros((2, 2, 1, 1), "float32")
    reconstruction = np.array([[1.0, 2.0], [0.0, 3.0]], "float32").reshape(2, 2, 1, 1)
    assert number(losses.mean_squared_error(x, reconstruction)) == pytest.approx(14 / 4)


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
    return losses.mean_squared_error(DATA, ops.matmul(ops.matmul(DATA, W), ops.transpose(W))) + losses.weight_decay(
        [W], 0.3
    )


def one_class(weights: Any, ops: Any) -> Any:
    V, w, r = ops.reshape(weights[:6], (3, 2)), ops.reshape(weights[6:8], (2, 1)), weights[8]
    y = ops.squeeze(ops.matmul(ops.sigmoid(ops.matmul(DATA, V)), w), axis=-1)
    return losses.one_class_nn(y, w, V, r, 0.4)


@pytest.mark.parametrize(
    ("objective", "size"), [(svdd, 6), (soft_svdd, 7), (released, 6), (autoencoder, 6), (one_class, 9)]
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
