"""The autoencoders in the released code of OC-NN, which are not those of its paper.

Source: the authors' repository, github.com/raghavchalapathy/oc-nn at f571305. `relu`: `build_autoencoder` in
src/data/mnist.py, cifar10.py and GTSRB.py, for DCAE and RCAE; a module is a "same" convolution with biases, ReLU, batch
normalisation and pooling, and two dense layers follow. `convolutional`: `compile_autoencoder` in
src/models/OneClass_SVDD.py, for Deep SVDD and OC-NN; a module is a "same" convolution without biases, batch
normalisation, LeakyReLU and pooling, and the last one's output is the code. Batch normalisation has Keras's own
settings and learns scale and shift.
"""

import math
from typing import Any

import keras
from keras import layers

from ocnn.networks.shapes import Network

LEAKY_RELU_SLOPE = 0.1
BATCH_NORM: dict[str, Any] = {"momentum": 0.99, "epsilon": 1e-3}


def _rectified(x: Any, layer: Any) -> Any:
    """A layer with biases, ReLU, batch normalisation."""
    return layers.BatchNormalization(**BATCH_NORM)(layers.Activation("relu")(layer(x)))


def _leaky(x: Any, filters: int, kernel: int) -> Any:
    """A convolution without biases, batch normalisation, LeakyReLU."""
    x = layers.BatchNormalization(**BATCH_NORM)(layers.Conv2D(filters, kernel, padding="same", use_bias=False)(x))
    return layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE)(x)


def relu_encoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from images (batch, *shape) to codes: modules, a dense layer as long as their output, the code's."""
    x = inputs = keras.Input(shape)
    for filters in network.widths:
        x = layers.MaxPooling2D()(_rectified(x, layers.Conv2D(filters, network.kernel, padding="same")))
    x = layers.Flatten()(x)
    x = _rectified(x, layers.Dense(x.shape[-1]))
    return keras.Model(inputs, _rectified(x, layers.Dense(network.code)), name="encoder")


def relu_decoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from codes to images, the mirrored encoder, through a sigmoid."""
    height, width, channels = shape
    factor = 2 ** len(network.widths)
    small = (height // factor, width // factor, network.widths[-1])
    x = inputs = keras.Input((network.code,))
    x = layers.Reshape(small)(_rectified(x, layers.Dense(math.prod(small))))
    for filters in reversed(network.widths):
        x = layers.UpSampling2D()(_rectified(x, layers.Conv2D(filters, network.kernel, padding="same")))
    x = layers.Conv2D(channels, network.kernel, padding="same")(x)
    return keras.Model(inputs, layers.Activation("sigmoid")(x), name="decoder")


def convolutional_encoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from images (batch, *shape) to the flattened output of the modules; odd sides are halved upwards."""
    x = inputs = keras.Input(shape)
    for filters in network.widths:
        x = layers.MaxPooling2D(padding="same")(_leaky(x, filters, network.kernel))
    return keras.Model(inputs, layers.Flatten()(x), name="encoder")


def convolutional_decoder(network: Network, shape: tuple[int, ...]) -> keras.Model:
    """A model from codes to images, the mirrored encoder; what upsampling has too much of an odd side is cut off."""
    sides = [tuple(math.ceil(side / 2**halvings) for side in shape[:2]) for halvings in range(len(network.widths) + 1)]
    x = inputs = keras.Input((network.code,))
    x = layers.Reshape((*sides[-1], network.widths[-1]))(x)
    for filters, (height, width) in zip(reversed(network.widths), reversed(sides[:-1]), strict=True):
        x = layers.UpSampling2D()(_leaky(x, filters, network.kernel))
        surplus = (x.shape[1] - height, x.shape[2] - width)
        if any(surplus):
            x = layers.Cropping2D(((0, surplus[0]), (0, surplus[1])))(x)
    x = layers.Conv2D(shape[-1], network.kernel, padding="same", use_bias=False)(x)
    return keras.Model(inputs, layers.Activation("sigmoid")(x), name="decoder")
