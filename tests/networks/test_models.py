"""Networks: the shapes of the spec's table, no biases, and the fast layers against Keras's own."""

import math
from typing import Any

import numpy as np
import pytest

from ocnn.networks.shapes import NETWORKS, Network, parse, resolve


@pytest.fixture(scope="module")
def models() -> Any:
    """The module, imported late as it imports Keras."""
    from ocnn.networks import models

    return models


def test_the_mnist_network(models: Any) -> None:
    encoder = models.build_encoder(NETWORKS["lenet-mnist"], (28, 28, 1))
    shapes = [tuple(weight.shape) for weight in encoder.trainable_variables]
    assert shapes == [(5, 5, 1, 8), (5, 5, 8, 4), (7 * 7 * 4, 32)]
    decoder = models.build_decoder(NETWORKS["lenet-mnist"], (28, 28, 1))
    shapes = [tuple(weight.shape) for weight in decoder.trainable_variables]
    assert shapes == [(32, 7 * 7 * 4), (5, 5, 4, 8), (5, 5, 8, 1)]


def test_the_released_networks_by_hand(models: Any) -> None:
    """Kernels and biases, and scale and shift of batch normalisation for each filter or unit of a module."""
    model = models.build_autoencoder(resolve("released-mnist", (28, 28, 1)), (28, 28, 1))
    kernels = [tuple(weight.shape) for weight in model.trainable_variables if len(weight.shape) > 1]
    assert kernels == [
        *[(5, 5, 1, 20), (5, 5, 20, 50), (2450, 2450), (2450, 32)],
        *[(32, 2450), (5, 5, 50, 50), (5, 5, 50, 20), (5, 5, 20, 1)],
    ]
    widths = [20, 50, 2450, 32, 2450, 50, 20]
    kernel_numbers = 500 + 25_000 + 2450**2 + 2450 * 32 * 2 + 62_500 + 25_000 + 500
    numbers = sum(math.prod(weight.shape) for weight in model.trainable_variables)
    assert numbers == kernel_numbers + 3 * sum(widths) + 1
    colour = models.build_encoder(resolve("released-cifar10", (32, 32, 3)), (32, 32, 3))
    kernels = [tuple(weight.shape) for weight in colour.trainable_variables if len(weight.shape) > 1]
    assert kernels == [(3, 3, 3, 64), (3, 3, 64, 32), (3, 3, 32, 16), (256, 256), (256, 128)]


def test_a_convolutional_network_halves_odd_sides_upwards(models: Any) -> None:
    """28 pixels become 14, 7, 4 and 2: a code of 2 · 2 · 8; the decoder gives 28 again."""
    network = resolve("released-svdd-mnist", (28, 28, 1))
    assert network.code == 32
    assert resolve("released-svdd-cifar10", (32, 32, 3)).code == 128
    model = models.build_autoencoder(network, (28, 28, 1))
    kernels = [tuple(weight.shape) for weight in model.trainable_variables if len(weight.shape) > 1]
    encoder = [(3, 3, 1, 16), (3, 3, 16, 8), (3, 3, 8, 8), (3, 3, 8, 8)]
    assert kernels == [*encoder, (3, 3, 8, 8), (3, 3, 8, 8), (3, 3, 8, 8), (3, 3, 8, 16), (3, 3, 16, 1)]
    assert "bias" not in {weight.path.split("/")[-1] for weight in model.trainable_variables}
    assert model.output_shape == (None, 28, 28, 1)
    pooled = [layer for layer in model.get_layer("encoder").layers if "pool" in layer.name]
    assert [layer.output.shape[1] for layer in pooled] == [14, 7, 4, 2]


@pytest.mark.parametrize(("kind", "momentum"), [("relu", 0.99), ("convolutional", 0.99)])
def test_batch_normalisation_of_the_released_networks_is_that_of_keras(models: Any, kind: str, momentum: float) -> None:
    """Activation and normalisation stand in the order of the released code."""
    encoder = models.build_encoder(resolve({"kind": kind, "widths": [3]}, (4, 4, 1)), (4, 4, 1))
    kinds = [type(layer).__name__ for layer in encoder.layers[1:5]]
    norm = next(layer for layer in encoder.layers if type(layer).__name__ == "BatchNormalization")
    assert (norm.momentum, norm.epsilon, norm.center, norm.scale) == (momentum, 1e-3, True, True)
    relu = ["Conv2D", "Activation", "BatchNormalization", "MaxPooling2D"]
    assert kinds == (relu if kind == "relu" else ["Conv2D", "BatchNormalization", "LeakyReLU", "MaxPooling2D"])


@pytest.mark.parametrize(("network", "shape"), [("lenet-digits", (8, 8, 1)), ("dense", (10,)), ("auto", (32, 32, 3))])
def test_no_bias_no_scale_and_normalised_outputs(models: Any, network: str, shape: tuple[int, ...]) -> None:
    model = models.build_autoencoder(resolve(network, shape), shape)
    assert {weight.path.split("/")[-1] for weight in model.trainable_variables} == {"kernel"}
    output = np.asarray(model(np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")))
    assert output.shape == (4, *shape)
    if len(shape) == 3:
        assert output.min() >= 0
        assert output.max() <= 1


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((12,), NETWORKS["dense"]),
        ((32, 32, 3), Network("lenet", (16, 32, 64), 32)),
        ((28, 28, 1), Network("lenet", (16, 32), 32)),
        ((7, 8, 1), NETWORKS["dense"]),
    ],
)
def test_auto(shape: tuple[int, ...], expected: Network) -> None:
    assert resolve("auto", shape) == expected


@pytest.mark.parametrize(
    ("network", "shape", "message"),
    [
        ("lenet", (8, 8, 1), "unknown network"),
        ({"kind": "lenet", "width": [3]}, (8, 8, 1), "not a network"),
        ({"kind": "lenet"}, (8, 8, 1), "at least one"),
        ({"kind": "conv"}, (8, 8, 1), "kind"),
        ({"kind": "dense", "widths": [0]}, (8,), "positive"),
        ("lenet-mnist", (10, 10, 1), "multiples of 4"),
        ("lenet-mnist", (784,), "takes images"),
        ("released-mnist", (30, 28, 1), "a relu network of 2 modules .* multiples of 4"),
        ("released-svdd-mnist", (784,), "a convolutional network takes images"),
        ("none", (8, 8, 1), "tabular"),
    ],
)
def test_unfit_networks_are_refused(network: Any, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(network, shape)
    if message in ("unknown network", "kind"):
        with pytest.raises(ValueError, match=message):
            parse(network)


def test_half_of_the_classifier_s_dense_units_are_dropped_in_training(models: Any) -> None:
    """With weights of one: each logit counts the units that are left, doubled, as Keras's dropout scales them."""
    import keras

    model = models.build_classifier((2,), 2, (4, 4, 1))
    hidden, logits = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    hidden.set_weights([np.zeros((8, 128)), np.ones(128)])
    logits.set_weights([np.ones((128, 2)), np.zeros(2)])
    images = np.zeros((200, 4, 4, 1), "float32")
    np.testing.assert_allclose(np.asarray(model(images, training=False)), 128)
    kept = np.asarray(model(images, training=True))[:, 0] / 2
    assert kept.mean() == pytest.approx(64, abs=2)
    assert kept.std() == pytest.approx(128**0.5 / 2, rel=0.2)
