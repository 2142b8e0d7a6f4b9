"""What the methods with Gaussian kernels share: an origin for squared distances, and kernels at several widths."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def origin_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose the origin that squared distances between rows like these (n, d) are to be computed about, (d,).

    As ‖x‖² + ‖y‖² − 2⟨x, y⟩ they lose the digits that ‖x‖² has before them, so the origin must be near the rows. Each
    mean is rounded towards zero to whole multiples of a power of two, the widest feature's range: so the subtraction is
    exact, and data that lie about the origin already, as images with pixels in [0, 1] do, stay as they are.
    """
    spread = float(np.ptp(rows, axis=0).max())
    if spread == 0:
        return rows[0]
    step = 2.0 ** math.ceil(math.log2(spread))
    return step * np.trunc(rows.mean(axis=0) / step)


def gaussian_kernels(
    squared_distances: NDArray[np.float64], factors: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """Yield exp(−a d²) for each a of `factors`, which ascend.

    All are in one buffer, so that each is to be used before the next.

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
