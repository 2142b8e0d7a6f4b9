"""What the methods that look at all pairs share: memory, an origin for squared distances, kernels at several widths.

Their memory is bounded by scikit-learn's own setting: no array of pairs is larger than its `working_memory`, 1,024 MiB
unless `sklearn.set_config` or `sklearn.config_context` says otherwise.
"""

import math
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn import get_config
from sklearn.exceptions import EfficiencyWarning
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import KDTree, NearestNeighbors
from sklearn.utils import gen_batches

from ocnn.methods.diagnosis import first_of_each

#: Rounding errors that are allowed: of a kernel's exponent; of a squared distance, as a share of the smallest ones.
EXPONENT_ERROR, NEIGHBOUR_ERROR = 1e-6, 1e-3
#: A kernel of exp(−50) and one of 0 make no difference.
OUT_OF_REACH = 50.0
#: Rows whose kernel with all centres is in memory at once, at most.
SLICE = 4096
#: So many rows tell whether rounding errors matter to neighbours, and so many how far the nearest neighbour is.
COMPARED, MEASURED = 256, 10_000
#: No tree is tried for more features. One that looks at more than this share of the pairs, to find so many neighbours,
#: takes longer than products of matrices: where both take the same time it is 0.05 to 0.2, less for more rows.
TREE_FEATURES, TREE_SHARE, NEIGHBOURS = 15, 0.1, 6
#: More rows than this, all compared with all, take an hour and more.
MANY = 200_000


def fit_into_memory(rows: int, columns: int) -> bool:
    """Say whether an array (rows, columns) of float64 is no larger than scikit-learn's `working_memory`."""
    return rows * columns * 8 <= get_config()["working_memory"] * 2**20


def row_slices(count: int, columns: int, most: int = SLICE) -> Iterator[slice]:
    """Cut `count` rows into slices of at most `most`, whose arrays with so many columns keep to `working_memory`."""
    fitting = get_config()["working_memory"] * 2**20 / (8 * max(1, columns))
    return gen_batches(count, int(min(most, max(1, fitting))))


def warn_of_all_pairs(rows: NDArray[np.float64], label: str, instead: str) -> None:
    """Warn that a method compares all of many rows (n, d) with all, and what to take instead."""
    if len(rows) >= MANY:
        text = f"{label} compares all of {len(rows):,} samples with all, which may take hours: {instead}."
        warnings.warn(text, EfficiencyWarning, stacklevel=4)


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


def kernels_by_product_are_exact(
    X: NDArray[np.float64], factor: float, Y: NDArray[np.float64] | None = None, allowed: float = EXPONENT_ERROR
) -> bool:
    """Say whether exp(−factor d²) is, but for an `allowed` share, where d² between rows comes from products of them."""
    return factor * _product_error(X, X if Y is None else Y) <= allowed


def brought_together(rows: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """Bring rows (n, d) nearer to each other where no kernel exp(−γ d²) reaches.

    Where two neighbouring values of a feature differ by more than √(`OUT_OF_REACH` / γ), they differ by just that in
    what is returned. So distances are the same between rows that are not separated by such a gap, and kernels between
    those that are stay below exp(−`OUT_OF_REACH`). Squared distances by products of rows then have the digits that one
    sample far out, or groups far apart, would take from them.

    Returns:
        (n, d), about its own `origin_of`.
    """
    reach = math.sqrt(OUT_OF_REACH / gamma)
    together = np.empty_like(rows)
    for feature, column in enumerate(rows.T):
        order = np.argsort(column)
        values = column[order]
        begins = np.concatenate([[True], np.diff(values) > reach])
        firsts = np.flatnonzero(begins)
        extents = values[np.append(firsts[1:], len(values)) - 1] - values[firsts]
        places = np.concatenate([[0.0], np.cumsum(extents + reach)[:-1]])
        group = np.cumsum(begins) - 1
        # Differences within a group first: its place may have no room for their digits otherwise.
        together[order, feature] = values - values[firsts][group] + places[group]
    return together - origin_of(together)


def squared_distances(X: NDArray[np.float64], Y: NDArray[np.float64] | None, factor: float) -> NDArray[np.float64]:
    """Compute the squared distances between the rows of X (m, d) and of Y (n, d), or of X, for exp(−factor d²): (m, n).

    By a product of matrices, unless its rounding error could move the exponent by more than `EXPONENT_ERROR`, as it
    does where rows are far apart; then by differences, which takes several times as long.
    """
    if kernels_by_product_are_exact(X, factor, Y):
        return euclidean_distances(X, Y, squared=True)
    return cdist(X, X if Y is None else Y, "sqeuclidean")


def gaussian_kernel(X: NDArray[np.float64], Y: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """Compute exp(−γ‖x − y‖²) between the rows of X (m, d) and of Y (n, d): (m, n)."""
    kernel = squared_distances(X, Y, gamma)
    kernel *= -gamma
    return np.exp(kernel, out=kernel)


def kernel_sums(
    rows: NDArray[np.float64], centres: NDArray[np.float64], gamma: float, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute Σ_j w_j exp(−γ‖x − c_j‖²) for each row x of (n, d), with centres c (m, d) and weights w (m,): (n,).

    In slices, as the kernel of many rows with many centres would not fit into memory.
    """
    parts = row_slices(len(rows), len(centres))
    return np.concatenate([gaussian_kernel(rows[part], centres, gamma) @ weights for part in parts])


def neighbour_index(rows: NDArray[np.float64]) -> NearestNeighbors:
    """Make scikit-learn's index of the neighbours of rows (n, d).

    Products of matrices find them, or a tree: where it looks at few enough pairs to be the faster one, as some rows
    tell, and where the rounding error of the products is no small share of the squared distance to the nearest
    neighbour. (scikit-learn takes trees up to 15 features, though these look at most pairs in ten of them already.)
    """
    some = rows[:: max(1, len(rows) // COMPARED)]
    if not _tree_is_faster(rows, some):
        index = NearestNeighbors(algorithm="brute").fit(rows)
        found = index.kneighbors(some, min(2, len(rows)), return_distance=False)
        nearest = np.max([np.square(some - rows[neighbour]).sum(axis=1) for neighbour in found.T], axis=0)
        if _product_error(some, rows) <= NEIGHBOUR_ERROR * np.median(nearest):
            return index
    return NearestNeighbors(algorithm="kd_tree").fit(rows)


def _tree_is_faster(rows: NDArray[np.float64], some: NDArray[np.float64]) -> bool:
    """Say whether a tree of rows (n, d) finds the neighbours of some (m, d) faster than products of matrices do."""
    if rows.shape[1] > TREE_FEATURES:
        return False
    tree = KDTree(rows)
    tree.query(some, k=min(NEIGHBOURS, len(rows)))
    return tree.get_n_calls() <= TREE_SHARE * len(some) * len(rows)


def _product_error(X: NDArray[np.float64], Y: NDArray[np.float64]) -> float:
    """A bound on the rounding error of ‖x‖² + ‖y‖² − 2⟨x, y⟩ for rows of X and of Y."""
    largest = sum(float(np.einsum("nd,nd->n", rows, rows).max(initial=0)) for rows in (X, Y))
    return X.shape[1] * float(np.finfo(np.float64).eps) * largest


def neighbour_gamma(rows: NDArray[np.float64]) -> float:
    """Compute the γ of a kernel exp(−γ d²) that falls to 1/e at the distance to the nearest neighbour of most.

    That is 1 over the median, over the distinct rows of (n, d), of the squared distance to the nearest other one: no
    label is seen. Of more than `MEASURED` rows that many, evenly spread over their order, are asked for their neighbour
    among all. 1.0 where all rows are the same, or where no distance can be told from 0.
    """
    distinct = rows[first_of_each(rows)]
    if len(distinct) < 2:
        return 1.0
    asked = evenly_spread(len(distinct))
    found = neighbour_index(distinct).kneighbors(distinct[asked], n_neighbors=2, return_distance=False)
    # Each row finds itself, first or, where another is as near but for rounding, second.
    other = np.where(found[:, 0] == asked, found[:, 1], found[:, 0])
    return gamma_of_distances(np.square(distinct[asked] - distinct[other]).sum(axis=1))


def evenly_spread(count: int) -> NDArray[np.int64]:
    """Choose `MEASURED` of so many rows, evenly spread over their order, or all: their numbers, ascending."""
    return np.unique(np.linspace(0, count - 1, min(MEASURED, count)).astype(np.int64))


def gamma_of_distances(squared: NDArray[np.float64]) -> float:
    """Compute 1 / the median of squared distances (n,); 1.0 of none, or where the median cannot be told from 0."""
    median = float(np.median(squared)) if len(squared) else 0.0
    return 1.0 / median if median > np.finfo(np.float64).tiny else 1.0


def single_gamma(gamma: float | str, rows: NDArray[np.float64]) -> float:
    """Return γ for rows (n, d): a number, as it is; `scale`, 1 / (d · variance); `neighbours`, `neighbour_gamma`."""
    if gamma == "scale":
        variance = rows.shape[1] * float(rows.var())
        # Of features that are all but constant the inverse is beyond float64.
        return 1.0 / variance if variance > 1 / np.finfo(np.float64).max else 1.0
    if gamma == "neighbours":
        return neighbour_gamma(rows - origin_of(rows))
    return float(gamma)


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
