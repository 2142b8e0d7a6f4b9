"""Preprocessing of images (Ruff et al. 2018, as the paper uses it): GCN with the L1 norm, then min-max scaling.

And of tables: scaling of each feature by scikit-learn. A split keeps the constants of either.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from ocnn.storage.arrays import LARGE

#: How the features of a table can be scaled.
SCALINGS = ("none", "standard", "robust", "min-max")
#: How images are: all pixels by the same constants.
PIXELS = "pixels"
#: Images that are normalised at once, as the arithmetic is done in float64.
BLOCK = 5000
#: So many samples tell whether a conversion of all leaves a feature its values.
COMPARED = 1000


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


def contrast_normalized(images: NDArray[Any]) -> NDArray[np.float32]:
    """Images as their archive holds them, with pixels in [0, 1] and then contrast-normalised, in blocks.

    Args:
        images: (n, height, width, channels), bytes, or floats in [0, 1].

    Returns:
        float32 of the same shape, see `global_contrast_normalization_l1`.
    """
    result = np.empty(images.shape, np.float32)
    for start in range(0, len(images), BLOCK):
        block = to_unit_interval(images[start : start + BLOCK])
        result[start : start + BLOCK] = global_contrast_normalization_l1(block)
    return result


def rescale(samples: np.ndarray, shift: ArrayLike | None, scale: ArrayLike | None) -> NDArray[Any]:
    """Compute (x − shift) / scale with the constants of a split: one number, (d,) of one per feature, or None for x.

    In the type of the samples: of a table in float64 a column's offset must go before digits do.
    Values of other samples may leave the range of those that the constants were learned from, and stay outside.
    """
    if shift is None or scale is None:
        return samples
    shifts, scales = np.asarray(shift, samples.dtype), np.asarray(scale, samples.dtype)
    shifted = samples - shifts
    return np.divide(shifted, scales, out=shifted)


def merged_features(given: NDArray[Any], kept: NDArray[Any]) -> NDArray[np.int64]:
    """Find the features, counted from 1, of which another type keeps at most half of the distinct values.

    Args:
        given, kept: (n, d), the same samples before and after the conversion. Of many, `COMPARED` are looked at.
    """
    step = max(1, len(given) // COMPARED)
    pairs = zip(given[::step].T, kept[::step].T, strict=True)
    return 1 + np.flatnonzero([2 * len(np.unique(after)) <= len(np.unique(before)) for before, after in pairs])


def scaling_constants(
    kind: str, normals: np.ndarray, encoded: int = 0
) -> tuple[float | tuple[float, ...], float | tuple[float, ...]] | tuple[None, None]:
    """Learn the constants `shift` and `scale` of `rescale` from the normal training samples.

    Args:
        kind: `pixels`, minimum and range over all samples and axes. Else of each feature by itself: `standard`, mean
            and standard deviation; `robust`, median and interquartile range; `min-max`, minimum and range. `none`.
        normals: (n, …).
        encoded: so many of the last features are one-hot and stay as they are.

    Returns:
        One number each, or one per feature; None where nothing is scaled. A constant feature is shifted alone, and so
        is for `robust` one whose quartiles are equal; as in scikit-learn. All pixels equal give a scale of 0.
    """
    if kind == "none":
        return None, None
    if kind == PIXELS:
        low, high = float(normals.min()), float(normals.max())
        return low, high - low
    shift, scale = np.zeros(normals.shape[1]), np.ones(normals.shape[1])
    scaled = normals.shape[1] - encoded
    # Features are independent of each other: of many rows a few at a time, as scikit-learn copies what it is given.
    at_once = max(1, LARGE // (np.dtype(np.float64).itemsize * max(1, len(normals))))
    for start in range(0, scaled, at_once):
        block = slice(start, min(start + at_once, scaled))
        columns = np.asarray(normals[:, block], np.float64)
        if kind == "standard":
            standard = StandardScaler().fit(columns)
            shift[block], scale[block] = standard.mean_, standard.scale_
        elif kind == "robust":
            robust = RobustScaler().fit(columns)
            shift[block], scale[block] = robust.center_, robust.scale_
        else:
            ranges = MinMaxScaler().fit(columns)
            shift[block], scale[block] = ranges.data_min_, 1 / ranges.scale_
    return tuple(shift.tolist()), tuple(scale.tolist())
