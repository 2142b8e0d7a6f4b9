"""What the methods with Gaussian kernels share: an origin for squared distances, and kernels at several widths."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from ocnn.methods.diagnosis import first_of_each


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


def neighbour_gamma(rows: NDArray[np.float64]) -> float:
    """Compute the γ of a kernel exp(−γ d²) that falls to 1/e at the distance to the nearest neighbour of most.

    That is 1 over the median, over the distinct rows of (n, d), of the squared distance to the nearest other one: no
    label is seen. 1.0 where all rows are the same, or where no distance can be told from 0.
    """
    distinct = rows[first_of_each(rows)]
    if len(distinct) < 2:
        return 1.0
    nearest = NearestNeighbors(n_neighbors=1).fit(distinct).kneighbors(return_distance=False)[:, 0]
    squared = float(np.median(np.square(distinct - distinct[nearest]).sum(axis=1)))
    return 1.0 / squared if squared > np.finfo(np.float64).tiny else 1.0


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
