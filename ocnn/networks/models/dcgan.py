"""DCGAN's generator and discriminator (Radford et al. 2016), and their dense likeness for tabular data."""

import math

import keras
from keras import layers, ops

from ocnn.networks.convolutions import StridedConv2D, TransposedConv2D
from ocnn.networks.keras_settings import stated_settings
from ocnn.networks.shapes import BATCH_NORM_MOMENTUM


def _initial() -> keras.initializers.Initializer:
    """DCGAN's initialisation of every kernel, N(0, 0.02²)."""
    return keras.initializers.RandomNormal(stddev=0.02)


@stated_settings()
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


@stated_settings()
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
