"""The networks: Deep SVDD's LeNets (Ruff et al. 2018) for images, their dense likeness for tabular data.

A module of an image encoder is a 5 × 5 "same" convolution, batch normalisation without scale and shift, 2 × 2
max-pooling and LeakyReLU; a dense layer gives the code. The decoder mirrors it, upsampling for pooling. There is no
bias anywhere: with one, an encoder could map every sample to the centre of Deep SVDD's hypersphere. LeakyReLU is
increasing, so that after the pooling it gives the values that it would give before, for a quarter of the work; the
convolutions, too, are computed in forms of the same value (`ocnn.networks.convolutions`).
"""

import math
from typing import Any

import keras
from keras import layers

from ocnn.networks.convolutions import PhaseConv2D, PooledBatchNormalization, UpsampledConv2D
from ocnn.networks.keras_settings import stated_settings
from ocnn.networks.models import released
from ocnn.networks.shapes import BATCH_NORM_MOMENTUM, Network

BATCH_NORM_EPSILON = 1e-4
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


@stated_settings()
def build_encoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from samples (batch, *shape) to codes (batch, network.code)."""
    if network.kind == "relu":
        return released.relu_encoder(network, shape)
    if network.kind == "convolutional":
        return released.convolutional_encoder(network, shape)
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


@stated_settings()
def build_decoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from codes (batch, network.code) to samples (batch, *shape).

    Images end in a sigmoid, as they were scaled to [0, 1]; tabular data in a linear layer.
    """
    if network.kind == "relu":
        return released.relu_decoder(network, shape)
    if network.kind == "convolutional":
        return released.convolutional_decoder(network, shape)
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


@stated_settings()
def build_autoencoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """Encoder and decoder in one model, `get_layer("encoder")` and `get_layer("decoder")` its parts."""
    inputs = keras.Input(shape)
    codes = build_encoder(network, shape)(inputs)
    return keras.Model(inputs, build_decoder(network, shape)(codes), name="autoencoder")
