"""Networks: the shapes of the spec's table, no biases, and the fast layers against Keras's own."""

import math
from typing import Any

import numpy as np
import pytest

from ocnn.errors import DataError
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
    assert NETWORKS["released-svdd-cifar10"].widths == (128, 64, 32, 32)
    assert NETWORKS["released-cifar10"].widths == NETWORKS["released-gtsrb"].widths == (64, 32, 16)
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


def test_the_networks_of_the_spec() -> None:
    """Deep SVDD's LeNets (Ruff et al. 2018) for MNIST and CIFAR-10, and ours for the other data sets."""
    found = {name: (n.kind, n.widths, n.code, n.kernel) for name, n in NETWORKS.items() if "released" not in name}
    assert found == {
        "lenet-mnist": ("lenet", (8, 4), 32, 5),
        "lenet-cifar10": ("lenet", (32, 64, 128), 128, 5),
        "lenet-gtsrb": ("lenet", (16, 32, 64), 32, 5),
        "lenet-digits": ("lenet", (16, 8), 16, 3),
        "dense": ("dense", (128,), 32, 5),
        "none": ("none", (), 32, 5),
    }


@pytest.mark.parametrize(
    ("shape", "modules"),
    [
        ((8, 8, 1), 3),
        ((16, 24, 3), 3),
        ((64, 32, 1), 3),
        ((4, 8, 1), 2),
        ((8, 4, 1), 2),
        ((2, 6, 1), 1),
        ((6, 3, 1), 0),
    ],
)
def test_an_image_is_halved_as_often_as_it_can_be(shape: tuple[int, ...], modules: int) -> None:
    assert len(resolve("auto", shape).widths) == (modules or 1)
    assert (resolve("auto", shape) == NETWORKS["dense"]) == (modules == 0)


@pytest.mark.parametrize("shape", [(12, 10, 1), (10, 12, 1)])
def test_both_sides_of_an_image_must_be_halved(models: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        resolve("lenet-mnist", shape)
    with pytest.raises(DataError, match="halves the image"):
        models.build_classifier((2, 2), 2, shape)


def test_without_a_network_the_features_are_the_code() -> None:
    assert resolve("none", (17,)).code == 17
    assert resolve({"kind": "dense", "widths": [4], "code": 3}, (17,)) == Network("dense", (4,), 3)


@pytest.mark.parametrize("fields", [{"widths": [True]}, {"widths": [2.0]}, {"code": 0}, {"kernel": 0}, {"widths": 3}])
def test_the_fields_of_a_network_are_positive_whole_numbers(fields: dict[str, Any]) -> None:
    parse({"kind": "dense", "widths": [1], "code": 1, "kernel": 1})
    with pytest.raises(ValueError, match="widths"):
        parse({"kind": "dense", **fields})


def shapes_of(model: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in model.trainable_variables]


def test_the_classifier_s_layers(models: Any) -> None:
    """3 × 3 kernels without bias, batch normalisation of momentum 0.9, a pooling each; 128 units of a ReLU."""
    import keras

    model = models.build_classifier((2, 3), 5, (8, 4, 1))
    assert shapes_of(model) == [
        (3, 3, 1, 2),
        (2,),
        (2,),
        (3, 3, 2, 3),
        (3,),
        (3,),
        (2 * 3, 128),
        (128,),
        (128, 5),
        (5,),
    ]
    hidden, logits = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    hidden.set_weights([np.zeros((6, 128)), np.repeat([-1.0, 1.0], 64)])
    logits.set_weights([np.ones((128, 5)), np.zeros(5)])
    np.testing.assert_allclose(np.asarray(model(np.zeros((1, 8, 4, 1)))), 64)
    # One pixel under a kernel of ones makes nine, if the image is padded; pooled and normalised, they move the mean.
    first, norm = model.layers[1], model.layers[2]
    first.set_weights([np.ones((3, 3, 1, 2))])
    pixel = np.zeros((2, 8, 4, 1), "float32")
    pixel[:, 0, 0] = 32.0
    model(pixel, training=True)
    np.testing.assert_allclose(np.asarray(norm.moving_mean), 0.1 * 32 * 4 / 32, rtol=1e-6)


def test_the_generator_s_layers(models: Any) -> None:
    """Radford et al. (2016): transposed 5 × 5 convolutions of stride 2 that mirror the discriminator's."""
    model = models.build_generator((4, 6), 3, (8, 16, 2))
    assert shapes_of(model) == [(3, 2 * 4 * 6), (6,), (6,), (5, 5, 4, 6), (4,), (4,), (5, 5, 2, 4), (2,)]
    images = np.asarray(model(100 * np.random.default_rng(0).normal(size=(7, 3))))
    assert images.shape == (7, 8, 16, 2)
    assert images.min() >= 0
    assert images.max() <= 1
    assert shapes_of(models.build_generator((4,), 3, (8, 16, 2)))[0] == (3, 4 * 8 * 4)
    tabular = models.build_generator((4, 6), 3, (9,))
    assert shapes_of(tabular) == [(3, 6), (6,), (6,), (6, 4), (4,), (4,), (4, 9), (9,)]


def test_the_discriminator_s_layers(models: Any) -> None:
    """5 × 5 convolutions of stride 2, batch normalisation for all but the first, whose bias it has instead."""
    model = models.build_discriminator((4, 6), (8, 16, 2))
    assert shapes_of(model) == [(5, 5, 2, 4), (4,), (5, 5, 4, 6), (6,), (6,), (2 * 4 * 6, 1), (1,)]
    features, logits = model(np.zeros((7, 8, 16, 2)))
    assert (tuple(features.shape), tuple(logits.shape)) == ((7, 48), (7,))
    tabular = models.build_discriminator((4, 6), (9,))
    assert shapes_of(tabular) == [(9, 4), (4,), (4, 6), (6,), (6,), (6, 1), (1,)]
    # LeakyReLU of slope 0.2, by one unit.
    unit = models.build_discriminator((1,), (1,))
    unit.set_weights([np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.zeros(1)])
    np.testing.assert_allclose(np.asarray(unit(np.array([[-1.0], [3.0]]))[0]), [[-0.2], [3.0]], rtol=1e-6)


def test_dcgan_s_weights_at_first(models: Any) -> None:
    """N(0, 0.02²) for each kernel of the image networks (Radford et al. 2016, §3), each drawn by itself."""
    generator = models.build_generator((32, 64), 50, (8, 8, 3))
    discriminator = models.build_discriminator((32, 64), (8, 8, 3))
    kernels = [w for w in (*generator.trainable_variables, *discriminator.trainable_variables) if len(w.shape) > 1]
    assert len(kernels) == 6
    for kernel in map(np.asarray, kernels):
        assert kernel.std() == pytest.approx(0.02, rel=0.2)
        assert abs(kernel.mean()) < 0.1 * 0.02 * max(1, (1000 / kernel.size) ** 0.5)


def test_running_means_of_dcgan_move_by_a_tenth(models: Any) -> None:
    """Batch normalisation of momentum 0.9: from means of 0 and variances of 1, by one batch."""
    import keras

    for network, x in (
        (models.build_generator((4, 6), 3, (8, 8, 1)), np.ones((5, 3))),
        (models.build_generator((4, 6), 3, (9,)), np.ones((5, 3))),
        (models.build_discriminator((4, 6), (8, 8, 1)), np.ones((5, 8, 8, 1))),
        (models.build_discriminator((4, 6), (9,)), np.ones((5, 9))),
    ):
        norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
        inner = keras.Model(network.inputs[0], norms[0].input)
        batch = np.asarray(inner(x)).reshape(-1, norms[0].moving_mean.shape[0])
        network(x, training=True)
        np.testing.assert_allclose(np.asarray(norms[0].moving_mean), 0.1 * batch.mean(axis=0), rtol=1e-4, atol=1e-7)
        assert all(norm.momentum == 0.9 for norm in norms)
