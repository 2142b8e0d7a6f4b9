"""Principal components (Jackson, Mudholkar 1979): the error of the reconstruction from them tells anomalies."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn import decomposition
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.errors import DataError
from ocnn.methods.base import ThresholdedDetector, flatten


@dataclass(kw_only=True, eq=False, repr=False)
class PCA(ThresholdedDetector):
    """Reconstructs flattened samples from scikit-learn's components; `score_samples` is minus the squared error.

    Args:
        n_components: how many; or, decided by the training samples without a label, a share in (0, 1) of their variance
            that the components are to explain, of which 0.7 to 0.9 are usual (Jolliffe 2002, §6.1.1); or `mle`
            (Minka 2000), for at least as many samples as features. Such a rule never takes all directions in which the
            training samples vary: without an error left over there is nothing to score by.

    The other is that of `ThresholdedDetector`.

    Attributes:
        n_components_: how many components are taken.
        mean_, components_: the training samples' mean (d,); the components `(n_components_, d)`, orthonormal.
    """

    n_components: float | str = 0.9

    reported: ClassVar[tuple[str, ...]] = ("n_components_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [
            Interval(Integral, 0, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"mle"}),
        ],
    }

    def _fit(self, X: NDArray[Any]) -> None:
        rows = flatten(X)
        count, dimension = rows.shape
        if self.n_components == "mle" and count < dimension:
            raise DataError(f"n_components='mle' needs at least as many samples as features, got {rows.shape}.")
        by_rule = not isinstance(self.n_components, Integral)
        wanted = self.n_components if by_rule else min(self.n_components, count, dimension)
        mean = rows.mean(axis=0)
        # The exact solver whose matrix is the smaller; centred before, as a covariance loses the digits of a mean.
        model = decomposition.PCA(wanted, svd_solver="covariance_eigh" if count > dimension else "full")
        with np.errstate(divide="ignore", invalid="ignore"):  # of samples that are all the same
            model.fit(rows - mean)
        self.n_components_ = int(model.n_components_)
        if by_rule:
            self.n_components_ = min(self.n_components_, max(0, _varying(model, count, dimension) - 1))
        self.mean_, self.components_ = mean + model.mean_, model.components_[: self.n_components_]

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        centred = flatten(X) - self.mean_
        centred -= (centred @ self.components_.T) @ self.components_
        return -np.square(centred, out=centred).sum(axis=1)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        # That of each difference is relative to the sample, not to what is left of it.
        sizes = np.linalg.norm(flatten(X) - self.mean_, axis=1)
        of_difference = np.finfo(np.float64).eps * sizes
        return np.finfo(np.float64).eps * np.abs(scores) + of_difference * (2 * np.sqrt(np.abs(scores)) + of_difference)


def _varying(model: decomposition.PCA, count: int, dimension: int) -> int:
    """In how many directions the samples (count, dimension) of this model vary, but for rounding; its rank.

    Fewer than the features where one is constant, or a sum of others. More than the model has components are no more
    than one more.
    """
    variances, size = model.explained_variance_, max(count, dimension)
    # Of singular values as in NumPy's matrix_rank; an eigenvalue of the covariance is off by that much itself.
    exact = np.finfo(np.float64).eps * size
    least = variances[0] * (exact if count > dimension else exact**2) if len(variances) else 0.0
    others = model.noise_variance_ * (min(count, dimension) - len(variances))
    return int(np.count_nonzero(variances > least)) + bool(others > least)
