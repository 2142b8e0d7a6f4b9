"""How fast a network could be trained at best: by its multiplications, and by the bytes that its layers move."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._training_case import RCAE_EPOCHS, Case
from ocnn.networks.shapes import Network, resolve

FLOAT = 4


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer and what follows it up to the next.

    products: multiplications with additions, a sample.
    moved: numbers a sample that a pass must at least move: its output, and what the layers after it (normalisation,
        activation, pooling, upsampling, together one pass over it) make of that.
    """

    products: int
    moved: int


def encoder_layers(network: Network, shape: tuple[int, ...]) -> list[Layer]:
    """The layers of an encoder."""
    height, width, channels = shape
    layers = []
    for filters in network.widths:
        outputs = height * width * filters
        layers.append(Layer(outputs * network.kernel**2 * channels, outputs + outputs // 4))
        height, width, channels = height // 2, width // 2, filters
    return [*layers, Layer(height * width * channels * network.code, network.code)]


def decoder_layers(network: Network, shape: tuple[int, ...]) -> list[Layer]:
    """The layers of a decoder; an upsampled image is read where it is small and counts for nothing."""
    factor = 2 ** len(network.widths)
    height, width, channels = shape[0] // factor, shape[1] // factor, network.widths[-1]
    layers = [Layer(network.code * height * width * channels, 2 * height * width * channels)]
    for filters in [*reversed(network.widths[:-1]), shape[2]]:
        height, width = 2 * height, 2 * width
        outputs = height * width * filters
        layers.append(Layer(outputs * network.kernel**2 * channels, 2 * outputs))
        channels = filters
    return layers


def generator_layers(widths: Sequence[int], latent: int, shape: tuple[int, ...]) -> list[Layer]:
    """The layers of AnoGAN's generator; a transposed convolution multiplies once for each of its inputs."""
    factor = 2 ** len(widths)
    height, width, channels = shape[0] // factor, shape[1] // factor, widths[-1]
    layers = [Layer(latent * height * width * channels, 2 * height * width * channels)]
    for filters in [*reversed(widths[:-1]), shape[2]]:
        products = height * width * channels * 25 * filters
        height, width, channels = 2 * height, 2 * width, filters
        layers.append(Layer(products, 2 * height * width * channels))
    return layers


def discriminator_layers(widths: Sequence[int], shape: tuple[int, ...]) -> list[Layer]:
    """The layers of AnoGAN's discriminator."""
    height, width, channels = shape
    layers = []
    for filters in widths:
        height, width = height // 2, width // 2
        outputs = height * width * filters
        layers.append(Layer(outputs * 25 * channels, 2 * outputs))
        channels = filters
    return [*layers, Layer(height * width * channels, 1)]


@dataclass(frozen=True)
class Work:
    """What one image costs in one epoch (or step of the latent search): floating-point operations and bytes."""

    operations: float
    bytes: float

    def __add__(self, other: "Work") -> "Work":
        return Work(self.operations + other.operations, self.bytes + other.bytes)

    def __mul__(self, factor: float) -> "Work":
        return Work(self.operations * factor, self.bytes * factor)


def applied(layers: Sequence[Layer]) -> Work:
    """A forward pass: every number is written and read once."""
    products = sum(layer.products for layer in layers)
    return Work(2 * products, 2 * FLOAT * sum(layer.moved for layer in layers))


def trained(layers: Sequence[Layer], weights: bool = True, inputs: bool = False) -> Work:
    """A forward and a backward pass: in the latter each number is read again, its gradient written and read.

    weights: whether the gradient by the weights is wanted.
    inputs: whether the gradient by the samples, behind the first layer, is wanted.
    """
    products = sum(layer.products for layer in layers)
    total = products + products * weights + products - layers[0].products * (not inputs)
    return Work(2 * total, 5 * FLOAT * sum(layer.moved for layer in layers))


def work_of(case: Case) -> Work:
    """What a case computes for one image in one epoch, or in one step of the latent search."""
    settings = case.settings
    if case.method in ("anogan", "search"):
        generator = generator_layers(settings["widths"], settings["latent"], case.shape)
        discriminator = discriminator_layers(settings["widths"], case.shape)
        if case.method == "search":
            return trained(generator, weights=False, inputs=True) + trained(discriminator, weights=False, inputs=True)
        judged = trained(discriminator, weights=False, inputs=True)
        return trained(generator) + trained(discriminator) * 2 + judged
    network = resolve(settings["network"], case.shape)
    encoder = encoder_layers(network, case.shape)
    if case.method in ("dcae", "rcae"):
        both = [*encoder, *decoder_layers(network, case.shape)]
        return trained(both) + applied(both) * (1 / RCAE_EPOCHS if case.method == "rcae" else 0)
    if case.method in ("ocnn", "ocnn_released"):
        encoder.append(Layer(network.code * settings["hidden"], settings["hidden"]))
    # These two look at all samples after each epoch.
    return trained(encoder) + applied(encoder) * (case.method in ("soft_deep_svdd", "ocnn"))


# Both rates are the best of many short runs, so that other work on the machine does not lower them.


def product_rate(size: int = 512, seconds: float = 2.0) -> float:
    """Floating-point operations a second of NumPy's float32 matrix product."""
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    b, c = a.T.copy(), np.empty_like(a)
    return 2 * size**3 / _best(lambda: np.matmul(a, b, out=c), seconds)


def copy_rate(mebibytes: int = 256, seconds: float = 2.0) -> float:
    """Bytes a second, read and written ones together, of copying an array that is larger than the caches."""
    # Written to, both: an array of zeros that was not lies on one page of memory.
    a = np.ones(mebibytes * 2**20 // FLOAT, np.float32)
    b = np.ones_like(a)
    return 2 * a.nbytes / _best(lambda: np.copyto(b, a), seconds)


def _best(work: Callable[[], Any], seconds: float) -> float:
    best, began = math.inf, time.perf_counter()
    while time.perf_counter() - began < seconds:
        before = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - before)
    return best
