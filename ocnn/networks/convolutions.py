"""Layers of LeNets and of DCGANs in forms that cost a CPU less; the values are those of the plain layers.

A 5 × 5 convolution of few channels leaves most of a processor's vector units idle, and one of an upsampled image
multiplies the same pixels several times. Both equal a 3 × 3 convolution of an image of half the size whose channels are
the four *phases* (even and odd rows and columns) of the large one; its kernel is made of the same weights. So each
layer keeps the weights, and with them the initialisation and the weight decay, of the plain convolution. The same holds
for a convolution of stride 2, whose gradient multiplies zeros as the plain transposed convolution does.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

#: From so many channels on, blocks of pixels are pooled faster by a pooling layer's operation than by a maximum.
POOLING_CHANNELS = 16


def phase_taps(kernel: int) -> NDArray[np.float32]:
    """Which weight of a "same" convolution joins which pixels, along one axis cut into pairs of pixels.

    Returns:
        (pairs, 2, 2, kernel) of zeros and ones: whether the output pixel of phase p in a pair takes the input pixel of
        phase q, in the pair that lies b pairs further on, times weight d: `[b + pairs // 2, q, p, d]`.
    """
    shifts = np.arange(kernel) - (kernel - 1) // 2
    pairs, phases = np.divmod(np.arange(2)[:, None] + shifts, 2)
    reach = int(np.abs(pairs).max())
    taps = np.zeros((2 * reach + 1, 2, 2, kernel), np.float32)
    for p in range(2):
        taps[pairs[p] + reach, phases[p], p, np.arange(kernel)] = 1
    return taps


def strided_taps(kernel: int) -> NDArray[np.float32]:
    """The same for a "same" convolution of stride 2 and an odd kernel, whose outputs are the odd ones: `[b, q, d]`."""
    return phase_taps(kernel)[:, :, 1]


def to_phases(x: Any) -> Any:
    """Blocks of 2 × 2 pixels as channels: (batch, 2h, 2w, c) → (batch, h, w, 4c)."""
    _, height, width, channels = x.shape
    blocks = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
    return ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, height // 2, width // 2, 4 * channels))


def from_phases(x: Any) -> Any:
    """The inverse of `to_phases`: (batch, h, w, 4c) → (batch, 2h, 2w, c)."""
    _, height, width, channels = x.shape
    blocks = ops.reshape(x, (-1, height, width, 2, 2, channels // 4))
    return ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, channels // 4))


class _SameConv2D(layers.Conv2D):
    """A "same" `Conv2D` with a square kernel, whose stride the class decides."""

    _STRIDE = 1

    def __init__(self, filters: int, kernel_size: int, **options: Any) -> None:
        super().__init__(filters, kernel_size, **{**options, "strides": self._STRIDE, "padding": "same"})


@keras.saving.register_keras_serializable("ocnn")
class PhaseConv2D(_SameConv2D):
    """A "same" convolution, (batch, 2h, 2w, c) → (batch, h, w, 4, filters): each block of 2 × 2 pixels along one axis.

    Costs 36/25 of the multiplications of a 5 × 5 convolution, and less time where c is small.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolved images in blocks, without bias."""
        blocks, taps = to_phases(inputs), phase_taps(self.kernel_size[0])
        _, height, width, channels = blocks.shape
        kernel = ops.einsum("bqpd,BQPe,decf->bBqQcpPf", taps, taps, kernel)
        kernel = ops.reshape(kernel, (len(taps), len(taps), channels, 4 * self.filters))
        return ops.reshape(ops.conv(blocks, kernel, 1, "same", "channels_last"), (-1, height, width, 4, self.filters))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Shape of the blocks."""
        batch, height, width, _ = input_shape
        return (batch, height // 2, width // 2, 4, self.filters)


@keras.saving.register_keras_serializable("ocnn")
class UpsampledConv2D(_SameConv2D):
    """Nearest-neighbour upsampling by 2 and a "same" convolution, (batch, h, w, c) → (batch, 2h, 2w, filters).

    Costs 9/25 of the multiplications of a 5 × 5 convolution of the upsampled image, which is never made.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The upsampled and convolved images, without bias."""
        # All input pixels of a pair are equal here, so that their weights add up.
        taps = phase_taps(self.kernel_size[0]).sum(axis=1)
        kernel = ops.einsum("bpd,BPe,decf->bBcpPf", taps, taps, kernel)
        kernel = ops.reshape(kernel, (len(taps), len(taps), inputs.shape[-1], 4 * self.filters))
        return from_phases(ops.conv(inputs, kernel, 1, "same", "channels_last"))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Shape of the convolved images."""
        batch, height, width, _ = input_shape
        return (batch, 2 * height, 2 * width, self.filters)


@keras.saving.register_keras_serializable("ocnn")
class StridedConv2D(_SameConv2D):
    """A "same" convolution of stride 2 and an odd kernel, (batch, 2h, 2w, c) → (batch, h, w, filters).

    Costs 36/25 of the multiplications of a 5 × 5 one. For images, of few channels, the gradient by the image takes a
    third of the time; for many channels there is nothing to gain.
    """

    _STRIDE = 2

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolved images, without bias."""
        taps = strided_taps(self.kernel_size[0])
        kernel = ops.einsum("bqd,BQe,decf->bBqQcf", taps, taps, kernel)
        kernel = ops.reshape(kernel, (len(taps), len(taps), 4 * inputs.shape[-1], self.filters))
        return ops.conv(to_phases(inputs), kernel, 1, "same", "channels_last")


@keras.saving.register_keras_serializable("ocnn")
class TransposedConv2D(layers.Conv2DTranspose):
    """The transpose of `StridedConv2D`, (batch, h, w, c) → (batch, 2h, 2w, filters); fast where `filters` is small."""

    def __init__(self, filters: int, kernel_size: int, **options: Any) -> None:
        super().__init__(filters, kernel_size, **{**options, "strides": 2, "padding": "same"})

    def call(self, inputs: Any) -> Any:
        """The images."""
        taps = strided_taps(self.kernel_size[0])[::-1]
        kernel = ops.einsum("bqd,BQe,defc->bBcqQf", taps, taps, self.kernel)
        kernel = ops.reshape(kernel, (len(taps), len(taps), inputs.shape[-1], 4 * self.filters))
        outputs = from_phases(ops.conv(inputs, kernel, 1, "same", "channels_last"))
        return self.activation(outputs + self.bias if self.use_bias else outputs)


@keras.saving.register_keras_serializable("ocnn")
class PooledBatchNormalization(layers.BatchNormalization):
    """Batch normalisation without scale and shift and 2 × 2 max-pooling, of images or of the blocks of `PhaseConv2D`.

    The statistics are those of all pixels; but as normalising is increasing, it is done after the pooling, to a quarter
    of them.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "center": False, "scale": False})

    def call(self, x: Any, training: bool = False) -> Any:
        """(batch, 2h, 2w, c) or (batch, h, w, 4, c) → (batch, h, w, c)."""
        if training and self.trainable:
            mean, variance = ops.moments(x, axes=list(range(len(x.shape) - 1)))
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                # In bfloat16 the statistics are still float32.
                moving.assign(self.momentum * moving + (1 - self.momentum) * ops.cast(value, moving.dtype))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        return ops.batch_normalization(max_pooled(x), mean, variance, axis=-1, epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Shape of the pooled images."""
        batch, height, width, *_, channels = input_shape
        factor = 2 if len(input_shape) == 4 else 1
        return (batch, height // factor, width // factor, channels)


def max_pooled(x: Any) -> Any:
    """2 × 2 max-pooling, (batch, 2h, 2w, c) or in blocks (batch, h, w, 4, c) → (batch, h, w, c)."""
    if len(x.shape) == 4:
        return ops.max_pool(x, 2, 2, data_format="channels_last")
    _, height, width, _, channels = x.shape
    if channels < POOLING_CHANNELS:
        return ops.max(x, axis=3)
    blocks = ops.reshape(x, (-1, height * width, 4, channels))
    pooled = ops.max_pool(blocks, (1, 4), (1, 4), data_format="channels_last")
    return ops.reshape(pooled, (-1, height, width, channels))
