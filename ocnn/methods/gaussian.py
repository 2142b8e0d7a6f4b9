"""Gaussian kernels of one set of distances at several widths, as the shallow methods choose theirs from a grid."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def gaussian_kernels(
    squared_distances: NDArray[np.float64], factors: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """exp(−a d²) for each a of `factors`, which ascend; all in one buffer, so that each is to be used before the next.

    Of a factor twice its predecessor, as in a grid of powers of two, the kernel is the square of the predecessor's:
    a multiplication in place of an exponential. The relative error doubles with each of them.
    """
    kernel = np.empty_like(squared_distances)
    previous = math.nan
    for factor in factors:
        if math.isclose(factor, 2 * previous, rel_tol=1e-14):
            np.square(kernel, out=kernel)
        else:
            np.exp(np.multiply(squared_distances, -factor, out=kernel), out=kernel)
        previous = factor
        yield kernel
