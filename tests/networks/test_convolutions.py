"""The fast layers against Keras's plain ones: the same values, gradients and statistics from the same weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ocnn.networks.shapes import NETWORKS, Network

MOMENTUM, EPSILON = 0.9, 1e-4


def plain_encoder(network: Network, shape: tuple[int, ...]) -> Any:
    """A LeNet encoder as it is written down: convolution, normalisation, LeakyReLU, max-pooling."""
    from keras import Input, Model, layers

    x = inputs = Input(shape)
    for filters in network.widths:
        x = layers.Conv2D(filters, network.kernel, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(center=False, scale=False, epsilon=EPSILON, momentum=MOMENTUM)(x)
        x = layers.MaxPooling2D()(layers.LeakyReLU(negative_slope=0.1)(x))
    return Model(inputs, layers.Dense(network.code, use_bias=False)(layers.Flatten()(x)))


def plain_decoder(network: Network, shape: tuple[int, ...]) -> Any:
    """A LeNet decoder as it is written down."""
    from keras import Input, Model, layers

    x = inputs = Input((network.code,))
    factor = 2 ** len(network.widths)
    small = (shape[0] // factor, shape[1] // factor, network.widths[-1])
    x = layers.Reshape(small)(layers.Dense(int(np.prod(small)), use_bias=False)(x))
    for filters in (*reversed(network.widths[:-1]), shape[2]):
        x = layers.BatchNormalization(center=False, scale=False, epsilon=EPSILON, momentum=MOMENTUM)(x)
        x = layers.UpSampling2D()(layers.LeakyReLU(negative_slope=0.1)(x))
        x = layers.Conv2D(filters, network.kernel, padding="same", use_bias=False)(x)
        if x.shape[1] == shape[0]:
            return Model(inputs, layers.Activation("sigmoid")(x))
    raise AssertionError


def plain_autoencoder(network: Network, shape: tuple[int, ...]) -> Any:
    from keras import Input, Model

    inputs = Input(shape)
    return Model(inputs, plain_decoder(network, shape)(plain_encoder(network, shape)(inputs)))


@pytest.fixture
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Networks that are built in this test compute with float64."""
    from ocnn.networks import keras_settings

    monkeypatch.setattr(keras_settings, "FLOAT", "float64")
    with keras_settings.stated_settings():
        yield


def gradients(model: Any, X: NDArray[Any]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Output, and gradients of its weighted squares in training mode by one step of plain gradient descent.

    Squares, as their gradient needs the output: for a loss whose gradient does not, a graph of plain layers in float64
    was seen to compute a layer's input only after the step had changed the weights (TensorFlow 2.21, one thread).
    """
    import keras

    from ocnn.networks.training import ObjectiveModel

    before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    weights = np.random.default_rng(1).normal(size=model(X).shape)
    trained = ObjectiveModel(model, lambda x, y: keras.ops.sum(weights * keras.ops.square(y)))
    trained.compile(optimizer=keras.optimizers.SGD(1.0))
    trained.fit(X, batch_size=len(X), shuffle=False, verbose=0)
    return np.asarray(model(X)), [
        old - keras.ops.convert_to_numpy(new) for old, new in zip(before, model.trainable_variables, strict=True)
    ]


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (NETWORKS["lenet-mnist"], (28, 28, 1)),
        (NETWORKS["lenet-cifar10"], (32, 32, 3)),
        (NETWORKS["lenet-digits"], (8, 8, 1)),
        *(
            pytest.param(Network("lenet", (3, 5), 4, kernel=kernel), (12, 8, 2), marks=pytest.mark.long)
            for kernel in (1, 2, 7)
        ),
    ],
    ids=["mnist", "cifar10", "digits", *(f"kernel {kernel}" for kernel in (1, 2, 7))],
)
@pytest.mark.usefixtures("float64")
def test_a_network_is_that_of_plain_layers(network: Network, shape: tuple[int, ...]) -> None:
    """Values in training and inference, moving statistics and every gradient.

    In float64, where no activation comes so near its kink that the other way of summing takes the other side.
    """
    import keras

    from ocnn.networks import models

    keras.utils.set_random_seed(0)
    plain = plain_autoencoder(network, shape)
    fast = models.build_autoencoder(network, shape)
    assert [v.shape for v in fast.weights] == [v.shape for v in plain.weights]
    fast.set_weights(plain.get_weights())
    X = np.random.default_rng(0).random((8, *shape))
    mine, theirs = (np.asarray(model(X, training=True)) for model in (fast, plain))
    np.testing.assert_allclose(mine, theirs, rtol=1e-9)
    for mine, theirs in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
    (after, changes), (plain_after, plain_changes) = gradients(fast, X), gradients(plain, X)
    for mine, theirs in zip(changes, plain_changes, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-9 * np.abs(theirs).max())
    np.testing.assert_allclose(after, plain_after, atol=1e-9)
    keras.backend.clear_session()


def test_phase_taps_of_a_kernel_of_three() -> None:
    from ocnn.networks.convolutions import phase_taps

    taps = phase_taps(3)
    assert taps.shape == (3, 2, 2, 3)
    # Each weight of each output phase meets exactly one input pixel: the left one of an even pixel is the odd one of
    # the pair before, of an odd pixel the even one of its own pair.
    np.testing.assert_array_equal(taps.sum(axis=(0, 1)), np.ones((2, 3)))
    assert taps[0, 1, 0, 0] == 1
    assert taps[1, 0, 1, 0] == 1
    assert taps[1, 0, 0, 1] == 1
    assert taps[2, 0, 1, 2] == 1


def test_normalised_and_pooled_samples_are_those_of_keras() -> None:
    import keras

    from ocnn.networks.convolutions import PooledBatchNormalization

    x = np.random.default_rng(0).normal(2, 3, (6, 8, 12, 5)).astype("float32")
    fast = PooledBatchNormalization(epsilon=EPSILON, momentum=MOMENTUM)
    plain = keras.layers.BatchNormalization(center=False, scale=False, epsilon=EPSILON, momentum=MOMENTUM)
    for training in (True, False):
        expected = keras.layers.MaxPooling2D()(plain(x, training=training))
        np.testing.assert_allclose(np.asarray(fast(x, training=training)), np.asarray(expected), atol=1e-5)
    for mine, theirs in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    # Frozen, it stays as it is in training mode.
    fast.trainable = False
    before = fast.get_weights()
    fast(x, training=True)
    np.testing.assert_array_equal(before, fast.get_weights())


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize(("fast", "plain"), [("StridedConv2D", "Conv2D"), ("TransposedConv2D", "Conv2DTranspose")])
@pytest.mark.usefixtures("float64")
def test_a_convolution_of_stride_two_is_that_of_keras(fast: str, plain: str, kernel: int) -> None:
    """Values and gradients, through a second layer too, and also when it was saved and loaded."""
    import keras

    from ocnn.networks import convolutions

    inputs = keras.Input((12, 8, 2))
    mine = keras.Sequential([inputs, *(getattr(convolutions, fast)(filters, kernel) for filters in (3, 4))])
    options = {"kernel_size": kernel, "strides": 2, "padding": "same"}
    theirs = keras.Sequential([inputs, *(getattr(keras.layers, plain)(filters, **options) for filters in (3, 4))])
    assert mine.output_shape == theirs.output_shape
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=weight.shape) for weight in theirs.weights]
    assert [weight.shape for weight in mine.weights] == [weight.shape for weight in weights]
    X = rng.normal(size=(4, 12, 8, 2))
    found = []
    for model in (mine, keras.Sequential.from_config(mine.get_config()), theirs):
        model.set_weights(weights)
        found.append((np.asarray(model(X)), gradients(model, X)[1]))
    for output, changes in found[:2]:
        np.testing.assert_allclose(output, found[2][0], rtol=1e-9, atol=1e-12)
        for change, expected in zip(changes, found[2][1], strict=True):
            np.testing.assert_allclose(change, expected, atol=1e-9 * np.abs(expected).max())
    keras.backend.clear_session()


@pytest.mark.parametrize("kernel", [2, 3, 5])
@pytest.mark.usefixtures("float64")
def test_options_of_a_convolution_hold_for_the_fast_layers(kernel: int) -> None:
    """Bias and activation, also after the configuration went through a file."""
    import keras

    from ocnn.networks import convolutions

    options = {"bias_initializer": "random_normal", "activation": "sigmoid"}
    plain = keras.layers.Conv2D(3, kernel, padding="same", **options)
    x = np.random.default_rng(0).normal(size=(4, 8, 6, 2))
    for layer, expected in (
        (convolutions.UpsampledConv2D, plain(keras.layers.UpSampling2D()(x))),
        (convolutions.PhaseConv2D, keras.ops.reshape(convolutions.to_phases(plain(x)), (4, 4, 3, 4, 3))),
    ):
        fast = layer.from_config(layer(3, kernel, **options).get_config())
        fast.build(x.shape)
        fast.set_weights(plain.get_weights())
        np.testing.assert_allclose(np.asarray(fast(x)), np.asarray(expected), rtol=1e-9)
        assert fast.compute_output_shape(x.shape) == expected.shape
