"""Networks: the shapes of the spec's table, no biases, and the fast layers against Keras's own."""

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
