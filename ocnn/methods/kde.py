"""Kernel density estimation with a Gaussian kernel (Parzen 1962), the bandwidth chosen by cross-validation.

What scikit-learn's `GridSearchCV(KernelDensity())` computes, with the squared distances computed once for all
bandwidths and folds.
"""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import KFold
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import AnomalyDetector, check_positive, flatten

#: 2^0.5, 2^1, …, 2^5 (the paper, after Ruff et al. 2018).
BANDWIDTHS = tuple(float(2 ** (exponent / 2)) for exponent in range(1, 11))


class KDE(AnomalyDetector):
    """Gaussian kernel density of flattened samples; `score_samples` is the log density (natural logarithm).

    Args:
        bandwidths: standard deviations of the kernel to choose from, by the cross-validated log-likelihood.
        cv: folds, consecutive runs of samples as in scikit-learn's `KFold`; fewer where there are fewer samples.
        contamination: share of training samples that `predict` calls anomalous.

    Attributes:
        bandwidth_: the bandwidth taken.
        log_likelihoods_: mean over the folds of the held-out samples' total log-likelihood, for each bandwidth.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "bandwidths": ["array-like"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, bandwidths: ArrayLike = BANDWIDTHS, cv: int = 5, contamination: float = 0.1) -> None:
        self.bandwidths = bandwidths
        self.cv = cv
        self.contamination = contamination

    def _validate_params(self) -> None:
        super()._validate_params()
        check_positive("bandwidths", self.bandwidths)

    def _fit(self, X: NDArray[Any]) -> None:
        bandwidths = np.asarray(self.bandwidths, np.float64)
        self.samples_ = rows = flatten(X)
        folds = list(KFold(min(self.cv, len(rows))).split(rows))
        likelihoods = np.zeros((len(folds), len(bandwidths)))
        if len(bandwidths) > 1:
            distances = euclidean_distances(rows, squared=True)
            for fold, (train, test) in enumerate(folds):
                block = distances[np.ix_(test, train)]
                for column, bandwidth in enumerate(bandwidths):
                    likelihoods[fold, column] = _log_density(block, bandwidth, rows.shape[1]).sum()
        self.log_likelihoods_ = likelihoods.mean(axis=0)
        self.bandwidth_ = float(bandwidths[np.argmax(self.log_likelihoods_)])

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        # In slices, as the distances of many samples to many would not fit into memory.
        rows, step = flatten(X), 1024
        parts = [
            _log_density(
                euclidean_distances(rows[start : start + step], self.samples_, squared=True),
                self.bandwidth_,
                rows.shape[1],
            )
            for start in range(0, len(rows), step)
        ]
        return np.concatenate(parts)


def _log_density(squared_distances: NDArray[Any], bandwidth: float, dimension: int) -> NDArray[np.float64]:
    """log (1/N) Σ_n N(x; x_n, h² I) from the squared distances (m, N) → (m,)."""
    kernel = logsumexp(squared_distances / (-2.0 * bandwidth**2), axis=1)
    return kernel - np.log(squared_distances.shape[1]) - 0.5 * dimension * np.log(2 * np.pi * bandwidth**2)
