"""The layers of a LeNet module in forms that cost a CPU less; the values are those of the plain layers.

A 5 × 5 convolution of few channels leaves most of a processor's vector units idle, and one of an upsampled image
multiplies the same pixels several times. Both equal a 3 × 3 convolution of an image of half the size whose channels are
the four *phases* (even and odd rows and columns) of the large one; its kernel is made of the same weights. So each
layer keeps the weights, and with them the initialisation and the weight decay, of the plain convolution.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray


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


class _SameConvolution(layers.Layer):
    """What both convolutions share: the weights of a `Conv2D` without bias."""

    def __init__(self, filters: int, kernel_size: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.kernel_size = kernel_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = self.kernel_size
        self.kernel = self.add_weight(
            shape=(size, size, input_shape[-1], self.filters), initializer="glorot_uniform", name="kernel"
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size}


@keras.saving.register_keras_serializable("ocnn")
class PhaseConv2D(_SameConvolution):
    """A "same" convolution, (batch, 2h, 2w, c) → (batch, h, w, 4, filters): each block of 2 × 2 pixels along one axis.

    Costs 36/25 of the multiplications of a 5 × 5 convolution, and less time where c is small.
    """

    def call(self, x: Any) -> Any:
        """The convolved images, in blocks."""
        _, height, width, channels = x.shape
        blocks = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
        blocks = ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, height // 2, width // 2, 4 * channels))
        taps = phase_taps(self.kernel_size)
        kernel = ops.einsum("bqpd,BQPe,decf->bBqQcpPf", taps, taps, self.kernel)
        kernel = ops.reshape(kernel, (len(taps), len(taps), 4 * channels, 4 * self.filters))
        return ops.reshape(ops.conv(blocks, kernel, 1, "same"), (-1, height // 2, width // 2, 4, self.filters))


@keras.saving.register_keras_serializable("ocnn")
class UpsampledConv2D(_SameConvolution):
    """Nearest-neighbour upsampling by 2 and a "same" convolution, (batch, h, w, c) → (batch, 2h, 2w, filters).

    Costs 9/25 of the multiplications of a 5 × 5 convolution of the upsampled image, which is never made.
    """

    def call(self, x: Any) -> Any:
        """The upsampled and convolved images."""
        _, height, width, channels = x.shape
        # All input pixels of a pair are equal here, so that their weights add up.
        taps = phase_taps(self.kernel_size).sum(axis=1)
        kernel = ops.einsum("bpd,BPe,decf->bBcpPf", taps, taps, self.kernel)
        kernel = ops.reshape(kernel, (len(taps), len(taps), channels, 4 * self.filters))
        phases = ops.reshape(ops.conv(x, kernel, 1, "same"), (-1, height, width, 2, 2, self.filters))
        return ops.reshape(ops.transpose(phases, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, self.filters))


@keras.saving.register_keras_serializable("ocnn")
class PooledBatchNormalization(layers.BatchNormalization):
    """Batch normalisation without scale and shift and 2 × 2 max-pooling, of images or of the blocks of `PhaseConv2D`.

    The statistics are those of all pixels; but as normalising is increasing, it is done after the pooling, to a quarter
    of them. The pooling is a reshape and a maximum, on a CPU several times faster than the pooling layer.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "center": False, "scale": False})

    def call(self, x: Any, training: bool = False) -> Any:
        """(batch, 2h, 2w, c) or (batch, h, w, 4, c) → (batch, h, w, c)."""
        if training and self.trainable:
            mean, variance = ops.moments(x, axes=list(range(len(x.shape) - 1)))
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(self.momentum * moving + (1 - self.momentum) * value)
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
    if len(x.shape) == 5:
        return ops.max(x, axis=3)
    _, height, width, channels = x.shape
    return ops.max(ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels)), axis=(2, 4))
