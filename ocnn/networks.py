"""The networks: Deep SVDD's LeNets (Ruff et al. 2018) for images, their dense likeness for tabular data.

A module of an image encoder is a 5 × 5 "same" convolution, batch normalisation without scale and shift, 2 × 2
max-pooling and LeakyReLU; a dense layer gives the code. The decoder mirrors it, upsampling for pooling. There is no
bias anywhere: with one, an encoder could map every sample to the centre of Deep SVDD's hypersphere. LeakyReLU is
increasing, so that after the pooling it gives the values that it would give before, for a quarter of the work; the
convolutions, too, are computed in forms of the same value (`ocnn.convolutions`).
"""

import math
from typing import Any

import keras
from keras import layers, ops

from ocnn.architectures import Network
from ocnn.convolutions import (
    PhaseConv2D,
    PooledBatchNormalization,
    StridedConv2D,
    TransposedConv2D,
    UpsampledConv2D,
    max_pooled,
)
from ocnn.errors import DataError

BATCH_NORM_EPSILON = 1e-4
#: PyTorch's momentum 0.1, with which Deep SVDD was trained, in Keras's convention (whose own default is 0.99).
BATCH_NORM_MOMENTUM = 0.9
LEAKY_RELU_SLOPE = 0.1
#: Up to so many input channels a convolution by phases is the faster one, if its kernel is larger than 3 × 3.
PHASE_CHANNELS = 8


def _normalised(x: Any) -> Any:
    return layers.BatchNormalization(
        center=False, scale=False, epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM
    )(x)


def _activated(x: Any) -> Any:
    return layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE)(x)


def _convolved_and_pooled(x: Any, filters: int, kernel: int) -> Any:
    """Convolution, batch normalisation and pooling: (batch, 2h, 2w, c) → (batch, h, w, filters)."""
    convolution = PhaseConv2D if x.shape[-1] <= PHASE_CHANNELS and kernel > 3 else layers.Conv2D
    x = convolution(filters, kernel, padding="same", use_bias=False)(x)
    return PooledBatchNormalization(epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM)(x)


def build_encoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from samples (batch, *shape) to codes (batch, network.code)."""
    x = inputs = keras.Input(shape)
    if network.kind == "none":
        return keras.Model(inputs, layers.Identity()(x), name="encoder")
    if network.kind == "lenet":
        for filters in network.widths:
            x = _activated(_convolved_and_pooled(x, filters, network.kernel))
    x = layers.Flatten()(x)
    if network.kind == "dense":
        for units in network.widths:
            x = _activated(_normalised(layers.Dense(units, use_bias=False)(x)))
    return keras.Model(inputs, layers.Dense(network.code, use_bias=False)(x), name="encoder")


def build_decoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from codes (batch, network.code) to samples (batch, *shape).

    Images end in a sigmoid, as they were scaled to [0, 1]; tabular data in a linear layer.
    """
    x = inputs = keras.Input((network.code,))
    if network.kind == "lenet":
        height, width, channels = shape
        factor = 2 ** len(network.widths)
        small = (height // factor, width // factor, network.widths[-1])
        x = layers.Dense(small[0] * small[1] * small[2], use_bias=False)(x)
        x = _activated(_normalised(layers.Reshape(small)(x)))
        for filters in reversed(network.widths[:-1]):
            x = _activated(_normalised(UpsampledConv2D(filters, network.kernel, use_bias=False)(x)))
        x = UpsampledConv2D(channels, network.kernel, use_bias=False)(x)
        return keras.Model(inputs, layers.Activation("sigmoid")(x), name="decoder")
    for units in reversed(network.widths):
        x = _activated(_normalised(layers.Dense(units, use_bias=False)(x)))
    x = layers.Dense(math.prod(shape), use_bias=False)(x)
    return keras.Model(inputs, layers.Reshape(shape)(x), name="decoder")


def build_autoencoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """Encoder and decoder in one model, `get_layer("encoder")` and `get_layer("decoder")` its parts."""
    inputs = keras.Input(shape)
    codes = build_encoder(network, shape)(inputs)
    return keras.Model(inputs, build_decoder(network, shape)(codes), name="autoencoder")


def _initial() -> keras.initializers.Initializer:
    """DCGAN's initialisation of every kernel, N(0, 0.02²)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def build_generator(widths: tuple[int, ...], latent: int, shape: tuple[int, ...]) -> keras.Model:
    """DCGAN's generator (Radford et al. 2016): latent points (batch, latent) to samples (batch, *shape).

    A dense layer, then one 5 × 5 transposed convolution of stride 2 for each of `widths`, which are the filters of the
    discriminator and taken in reverse; batch normalisation and ReLU between them; a sigmoid at the end, as images are
    scaled to [0, 1]. For tabular data, of shape (d,), dense layers of as many units, linear at the end.
    """
    x = inputs = keras.Input((latent,))
    if len(shape) == 1:
        for units in reversed(widths):
            x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal")(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
        return keras.Model(inputs, layers.Dense(shape[0])(x), name="generator")
    factor = 2 ** len(widths)
    small = (shape[0] // factor, shape[1] // factor, widths[-1])
    x = layers.Reshape(small)(layers.Dense(math.prod(small), use_bias=False, kernel_initializer=_initial())(x))
    for filters in reversed(widths[:-1]):
        x = layers.ReLU()(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
        x = layers.Conv2DTranspose(
            filters, 5, strides=2, padding="same", use_bias=False, kernel_initializer=_initial()
        )(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
    x = TransposedConv2D(shape[2], 5, kernel_initializer=_initial())(x)
    return keras.Model(inputs, layers.Activation("sigmoid")(x), name="generator")


def build_discriminator(widths: tuple[int, ...], shape: tuple[int, ...]) -> keras.Model:
    """DCGAN's discriminator: samples (batch, *shape) to features (batch, k) and logits (batch,), real > 0.

    A 5 × 5 convolution of stride 2 for each of `widths`, batch normalisation for all but the first, LeakyReLU 0.2; the
    features are the last layer's. For tabular data, of shape (d,), dense layers of as many units.
    """
    x = inputs = keras.Input(shape)
    for number, width in enumerate(widths):
        if len(shape) == 1:
            x = layers.Dense(width, use_bias=number == 0)(x)
        elif number == 0:
            x = StridedConv2D(width, 5, kernel_initializer=_initial())(x)
        else:
            x = layers.Conv2D(width, 5, strides=2, padding="same", use_bias=False, kernel_initializer=_initial())(x)
        if number > 0:
            x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    features = layers.Flatten()(x)
    logits = ops.squeeze(layers.Dense(1, kernel_initializer=_initial())(features), axis=-1)
    return keras.Model(inputs, [features, logits], name="discriminator")


def build_classifier(widths: tuple[int, ...], classes: int, shape: tuple[int, ...]) -> keras.Model:
    """A model from images (batch, *shape) to logits (batch, classes).

    For each of `widths` a 3 × 3 convolution, batch normalisation, ReLU and 2 × 2 max-pooling; then a dense layer of
    128 units, half of them dropped in training.

    Raises:
        DataError: the image cannot be halved as often.
    """
    if any(side % 2 ** len(widths) for side in shape[:2]):
        raise DataError(
            f"A classifier of {len(widths)} widths halves the image as often; {shape[:2]} pixels cannot be."
        )
    x = inputs = keras.Input(shape)
    for filters in widths:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(max_pooled(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(classes)(layers.Dropout(0.5)(x)), name="classifier")
