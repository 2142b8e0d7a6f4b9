"""Kernel density estimation with a Gaussian kernel (Parzen 1962), the bandwidth chosen by cross-validation.

What scikit-learn's `GridSearchCV(KernelDensity())` estimates, exactly, with the squared distances computed once for all
bandwidths and folds, and for the scores of the training samples, where they fit into memory; or by its trees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold
from sklearn.neighbors import KernelDensity
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import ThresholdedDetector, flatten, positive_faults
from ocnn.methods.gaussian import (
    fit_into_memory,
    gaussian_kernels,
    origin_of,
    row_slices,
    squared_distances,
    warn_of_all_pairs,
)

#: 2^0.5, 2^1, …, 2^5 (the paper, after Ruff et al. 2018).
BANDWIDTHS = tuple(float(2 ** (exponent / 2)) for exponent in range(1, 11))
#: The least bandwidth, and the inverse of the largest: squares of others leave what float64 holds.
LEAST = 1e-150
#: Samples whose distances to all others are computed at once, at most, by one matrix product.
PRODUCT_ROWS = 1024
#: Distances that are worked on at once: half a megabyte, which stays in a core's cache.
CACHED = 2**16


@dataclass(kw_only=True, eq=False, repr=False)
class KDE(ThresholdedDetector):
    """Gaussian kernel density of flattened samples; `score_samples` is the log density (natural logarithm).

    The threshold is for new samples: the quantile at `contamination` of each training sample's density by the others.
    `predict` calls fewer than that of the training samples themselves anomalous, as each is near to itself.

    Args:
        bandwidths: standard deviations of the kernel to choose from, by the cross-validated log-likelihood.
        cv: folds, consecutive runs of samples as in scikit-learn's `KFold`; fewer where there are fewer samples.
        algorithm: `exact`, all pairs by products of matrices; `tree`, scikit-learn's `KernelDensity` with this `rtol`:
            for many samples of few features. Far from all training samples its densities are off by much more than
            `rtol`, more so the more features there are: on scikit-learn's breast cancer data, standardised, at a
            bandwidth of 0.5, one log density of −198 is −322 by the tree, and the ranks correlate at 0.990.
        rtol: of `tree` alone.

    The other is that of `ThresholdedDetector`.

    Attributes:
        bandwidth_: the bandwidth taken.
        samples_, origin_: the training samples (n, d), less this origin (d,) of all distances.
        left_out_scores_: of each training sample its log density by the others, at the bandwidth taken; of `tree` by
            those of the other folds, as a sum that is not exact would not be that of the others after subtraction.
        log_likelihoods_: mean over the folds of the held-out samples' total log-likelihood, for each bandwidth.
        tree_: scikit-learn's `KernelDensity`; None of `exact`.
    """

    bandwidths: Sequence[float] | NDArray[np.float64] = BANDWIDTHS
    cv: int = 5
    algorithm: str = "exact"
    rtol: float = 1e-3

    reported: ClassVar[tuple[str, ...]] = ("bandwidth_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "bandwidths": ["array-like"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "algorithm": [StrOptions({"exact", "tree"})],
        "rtol": [Interval(Real, 0, 1, closed="left")],
    }

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the tree, which is made of the samples again."""
        return {name: value for name, value in super().__getstate__().items() if name != "tree_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "samples_"):
            self.tree_ = self._tree(self.bandwidth_, self.samples_) if self.algorithm == "tree" else None

    def _parameter_faults(self) -> list[str]:
        faults = positive_faults("bandwidths", self.bandwidths)
        if not faults and not all(LEAST <= float(bandwidth) <= 1 / LEAST for bandwidth in self.bandwidths):
            faults = [f"bandwidths must be from {LEAST:g} to {1 / LEAST:g}, got {self.bandwidths!r}."]
        return super()._parameter_faults() + faults

    def _fit(self, X: NDArray[Any]) -> None:
        bandwidths = np.asarray(self.bandwidths, np.float64)
        self.origin_ = origin_of(flatten(X))
        self.samples_ = flatten(X) - self.origin_
        folds = [test for _, test in KFold(min(self.cv, len(self.samples_))).split(self.samples_)]
        if self.algorithm == "tree":
            self._fit_trees(bandwidths, folds)
        else:
            warn_of_all_pairs(self.samples_, "KDE", "algorithm='tree' is an approximation for few features")
            self._fit_pairs(bandwidths, folds)

    def _fit_pairs(self, bandwidths: NDArray[np.float64], folds: list[NDArray[np.int64]]) -> None:
        rows = self.samples_
        distances = _Distances(rows, bandwidths)
        likelihoods = np.zeros((len(folds), len(bandwidths)))
        if len(bandwidths) > 1:
            for fold, test in enumerate(folds):
                own = slice(test[0], test[-1] + 1)  # without shuffling a fold is a run of samples
                for part in distances.parts(own):
                    others = np.delete(distances[part], own, axis=1)
                    likelihoods[fold] += _log_densities(others, bandwidths, rows.shape[1]).sum(axis=1)
        self._choose(bandwidths, likelihoods)
        self.tree_ = None
        scores, left_out = [], []
        for part in distances.parts(slice(0, len(rows))):
            block = distances[part]
            scores.append(self._from_distances(block))
            # Without the sample's own kernel: an infinite distance takes it out of the sum.
            block[np.arange(len(block)), np.arange(part.start, part.stop)] = np.inf
            left_out.append(self._from_distances(block))
        self.training_scores_ = np.concatenate(scores)
        # The mean is over one fewer.
        self.left_out_scores_ = np.concatenate(left_out) + np.log(len(rows) / (len(rows) - 1))

    def _fit_trees(self, bandwidths: NDArray[np.float64], folds: list[NDArray[np.int64]]) -> None:
        rows = self.samples_
        left_out = np.empty((len(bandwidths), len(rows)))
        for test in folds:
            others = np.delete(rows, test, axis=0)
            for place, bandwidth in enumerate(bandwidths):
                left_out[place, test] = self._tree(bandwidth, others).score_samples(rows[test])
        chosen = self._choose(bandwidths, np.array([left_out[:, test].sum(axis=1) for test in folds]))
        self.left_out_scores_ = left_out[chosen]
        self.tree_ = self._tree(self.bandwidth_, rows)

    def _tree(self, bandwidth: float, rows: NDArray[np.float64]) -> KernelDensity:
        return KernelDensity(bandwidth=float(bandwidth), rtol=self.rtol).fit(rows)

    def _choose(self, bandwidths: NDArray[np.float64], likelihoods: NDArray[np.float64]) -> int:
        """Take the bandwidth with the largest mean of these likelihoods (folds, bandwidths); return its place."""
        self.log_likelihoods_ = likelihoods.mean(axis=0)
        chosen = int(np.argmax(self.log_likelihoods_))
        self.bandwidth_ = float(bandwidths[chosen])
        return chosen

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        rows = flatten(X) - self.origin_
        if self.tree_ is not None:
            return self.tree_.score_samples(rows)
        factor = 0.5 / self.bandwidth_**2
        parts = row_slices(len(rows), len(self.samples_), PRODUCT_ROWS)
        distances = (squared_distances(rows[part], self.samples_, factor) for part in parts)
        return np.concatenate([self._from_distances(block) for block in distances])

    def _from_distances(self, squared_distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_densities(squared_distances, np.array([self.bandwidth_]), self.samples_.shape[1])[0]


class _Distances:
    """The squared distances between all rows (n, d), for kernels of these bandwidths, a slice of rows at a time.

    They are kept where several bandwidths ask for them and they fit into memory; computed for each slice else.
    """

    def __init__(self, rows: NDArray[np.float64], bandwidths: NDArray[np.float64]) -> None:
        self.rows, self.factor = rows, float(0.5 / np.square(bandwidths).min())
        keep = len(bandwidths) > 1 and fit_into_memory(len(rows), len(rows))
        self.kept = squared_distances(rows, None, self.factor) if keep else None

    def __getitem__(self, part: slice) -> NDArray[np.float64]:
        if self.kept is not None:
            return self.kept[part]
        block = squared_distances(self.rows[part], self.rows, self.factor)
        block[np.arange(len(block)), np.arange(part.start, part.stop)] = 0
        return block

    def parts(self, rows: slice) -> Iterator[slice]:
        """Cut a slice of the rows into those that are worked on at once."""
        if self.kept is not None:
            yield rows
            return
        for part in row_slices(rows.stop - rows.start, len(self.rows), PRODUCT_ROWS):
            yield slice(rows.start + part.start, rows.start + part.stop)


def _log_densities(
    squared_distances: NDArray[np.float64], bandwidths: NDArray[np.float64], dimension: int
) -> NDArray[np.float64]:
    """Compute log (1/N) Σ_n N(x; x_n, h² I) for each bandwidth h: squared distances (m, N) → (len(bandwidths), m).

    The nearest sample's term is taken out of the sum, which then lies between 1 and N.
    """
    count = squared_distances.shape[1]
    factors = 0.5 / np.square(bandwidths)
    ascending = np.argsort(factors)
    result = np.empty((len(bandwidths), len(squared_distances)))
    step = max(1, CACHED // count)
    for first in range(0, len(squared_distances), step):
        part = squared_distances[first : first + step]
        nearest = part.min(axis=1)
        kernels = gaussian_kernels(part - nearest[:, None], factors[ascending])
        for place, kernel in zip(ascending, kernels, strict=True):
            result[place, first : first + step] = np.log(kernel.sum(axis=1)) - factors[place] * nearest
    return result - (np.log(count) + 0.5 * dimension * np.log(2 * np.pi * np.square(bandwidths)))[:, None]
