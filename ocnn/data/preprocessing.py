"""Preprocessing of images (Ruff et al. 2018, as the paper uses it): GCN with the L1 norm, then min-max scaling."""

import numpy as np
from numpy.typing import NDArray


def to_unit_interval(pixels: np.ndarray) -> NDArray[np.float32]:
    """Pixels as float32 in [0, 1]: bytes are divided by 255, floats are taken to be there already."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / np.float32(255)
    return pixels.astype(np.float32)


def global_contrast_normalization_l1(images: np.ndarray) -> NDArray[np.float32]:
    """Global contrast normalisation with the L1 norm, each image by itself.

        x ← (x − mean(x)) / mean(|x − mean(x)|),   means over all pixels and channels

    Args:
        images: (n, height, width, channels).

    Returns:
        float32 of the same shape; an image of constant colour becomes zero.
    """
    axes = tuple(range(1, images.ndim))
    x = images.astype(np.float64)
    # Of a constant image the mean is off by a rounding error, which the division would blow up to contrast.
    constant = x.max(axis=axes, keepdims=True) == x.min(axis=axes, keepdims=True)
    x -= x.mean(axis=axes, keepdims=True)
    scale = np.abs(x).mean(axis=axes, keepdims=True)
    return np.where(constant, 0.0, x / np.where(constant, 1.0, scale)).astype(np.float32)


def min_max_scale(images: np.ndarray, minimum: float, maximum: float) -> NDArray[np.float32]:
    """(x − minimum) / (maximum − minimum) with the constants of a split; values outside [0, 1] stay outside.

    Raises:
        ValueError: maximum ≤ minimum.
    """
    if not maximum > minimum:
        raise ValueError(f"min-max scaling needs maximum > minimum, got {minimum} and {maximum}.")
    return ((images - np.float32(minimum)) / np.float32(maximum - minimum)).astype(np.float32, copy=False)
