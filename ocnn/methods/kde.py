"""Kernel density estimation with a Gaussian kernel (Parzen 1962), the bandwidth chosen by cross-validation.

What scikit-learn's `GridSearchCV(KernelDensity())` computes, with the squared distances computed once for all
bandwidths and folds, and for the scores of the training samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import ThresholdedDetector, flatten, positive_faults
from ocnn.methods.gaussian import gaussian_kernels, origin_of, squared_distances

#: 2^0.5, 2^1, …, 2^5 (the paper, after Ruff et al. 2018).
BANDWIDTHS = tuple(float(2 ** (exponent / 2)) for exponent in range(1, 11))
#: Samples whose distances to all others are computed at once, by one matrix product.
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

    The other is that of `ThresholdedDetector`.

    Attributes:
        bandwidth_: the bandwidth taken.
        samples_, origin_: the training samples (n, d), less this origin (d,) of all distances.
        left_out_scores_: of each training sample its log density by the others, at the bandwidth taken.
        log_likelihoods_: mean over the folds of the held-out samples' total log-likelihood, for each bandwidth.
    """

    bandwidths: Sequence[float] | NDArray[np.float64] = BANDWIDTHS
    cv: int = 5

    reported: ClassVar[tuple[str, ...]] = ("bandwidth_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "bandwidths": ["array-like"],
        "cv": [Interval(Integral, 2, None, closed="left")],
    }

    def _parameter_faults(self) -> list[str]:
        return super()._parameter_faults() + positive_faults("bandwidths", self.bandwidths)

    def _fit(self, X: NDArray[Any]) -> None:
        bandwidths = np.asarray(self.bandwidths, np.float64)
        self.origin_ = origin_of(flatten(X))
        self.samples_ = rows = flatten(X) - self.origin_
        distances = squared_distances(rows, None, float(0.5 / np.square(bandwidths).min()))
        folds = list(KFold(min(self.cv, len(rows))).split(rows))
        likelihoods = np.zeros((len(folds), len(bandwidths)))
        if len(bandwidths) > 1:
            for fold, (_, test) in enumerate(folds):
                first, last = test[0], test[-1] + 1  # without shuffling a fold is a run of samples
                block = np.delete(distances[first:last], slice(first, last), axis=1)
                likelihoods[fold] = _log_densities(block, bandwidths, rows.shape[1]).sum(axis=1)
        self.log_likelihoods_ = likelihoods.mean(axis=0)
        self.bandwidth_ = float(bandwidths[np.argmax(self.log_likelihoods_)])
        self.training_scores_ = self._from_distances(distances)
        # Without the sample's own kernel: an infinite distance takes it out of the sum, and the mean is over one fewer.
        np.fill_diagonal(distances, np.inf)
        self.left_out_scores_ = self._from_distances(distances) + np.log(len(rows) / (len(rows) - 1))

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        # In slices, as the distances of many samples to many would not fit into memory.
        rows = flatten(X) - self.origin_
        factor = 0.5 / self.bandwidth_**2
        slices = (rows[first : first + PRODUCT_ROWS] for first in range(0, len(rows), PRODUCT_ROWS))
        return np.concatenate([self._from_distances(squared_distances(part, self.samples_, factor)) for part in slices])

    def _from_distances(self, squared_distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_densities(squared_distances, np.array([self.bandwidth_]), self.samples_.shape[1])[0]


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
