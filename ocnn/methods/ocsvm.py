"""One-class SVM / SVDD with a Gaussian kernel (Schölkopf et al. 2001), by scikit-learn's solver.

For a grid of γ the squared distances are computed once and serve every kernel, where they fit into memory.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.metrics import roc_auc_score
from sklearn.svm import OneClassSVM
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.errors import DataError
from ocnn.methods.base import AnomalyDetector, flatten, positive_faults
from ocnn.methods.diagnosis import MAXIMAL_TIES, ROUNDINGS, Diagnosis
from ocnn.methods.gaussian import (
    brought_together,
    fit_into_memory,
    gaussian_kernels,
    kernel_sums,
    kernels_by_product_are_exact,
    origin_of,
    single_gamma,
    squared_distances,
    warn_of_all_pairs,
)

#: MiB of kernels that libsvm may keep; it takes no infinite number.
LARGEST_CACHE = 2**20
#: By how much the solver may violate the conditions of an optimum, in the unit of the scores: scikit-learn's default.
TOLERANCE = 1e-3
#: The share of each kernel that may be wrong in what the solver computes: a tenth of its own tolerance.
KERNEL_ERROR = 1e-4


@dataclass(kw_only=True, eq=False, repr=False)
class OCSVM(AnomalyDetector):
    """One-class SVM on flattened samples, kernel exp(−γ‖x − x'‖²).

    Args:
        nu: bound on the share of training samples outside, ν in (0, 1).
        gamma: a number; `scale`, 1 / (d · variance of X); `neighbours`, 1 / the median squared distance to the nearest
            neighbour (`gaussian.neighbour_gamma`); or several numbers, of which the one with the best AUC on a labelled
            holdout is taken (`fit(X, X_holdout=…, y_holdout=…)`).

    Attributes:
        gamma_: the γ taken.
        support_vectors_, origin_: the support vectors (m, d), less this origin (d,) of all distances.
        holdout_auc_: AUC on the holdout of each γ; None without a grid.
    """

    nu: float = 0.1
    gamma: Any = "scale"

    reported: ClassVar[tuple[str, ...]] = ("gamma_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "nu": [Interval(Real, 0, 1, closed="neither")],
        "gamma": [StrOptions({"scale", "neighbours"}), Interval(Real, 0, None, closed="neither"), "array-like"],
    }

    def _parameter_faults(self) -> list[str]:
        of_grid = positive_faults("gamma", self.gamma) if self.uses_holdout() else []
        return super()._parameter_faults() + of_grid

    def uses_holdout(self) -> bool:
        """Say whether fitting takes labelled samples: with a grid of γ it does."""
        return not isinstance(self.gamma, str | Real)

    def fit(
        self, X: ArrayLike, y: Any = None, *, X_holdout: ArrayLike | None = None, y_holdout: ArrayLike | None = None
    ) -> Self:
        """Fit to X; with a grid of γ, take the best on the holdout (y_holdout: 1 normal, −1 anomalous).

        Raises:
            ValueError: unusable samples or parameters; a grid without a holdout of both kinds, or with other labels.
        """
        self._holdout = None
        self._validate_params()
        if self.uses_holdout():
            labels = np.asarray(y_holdout)
            if X_holdout is None or labels.shape != np.shape(X_holdout)[:1] or {*labels.flat} != {1, -1}:
                raise ValueError(
                    "A grid of gamma is chosen from by the AUC on X_holdout, y_holdout: give these, with one label per"
                    " sample, 1 for normal and -1 for anomalous ones and some of both, or give a single gamma."
                )
            self._holdout = (X_holdout, labels)
        try:
            return super().fit(X, y)
        finally:
            del self._holdout

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        rows = flatten(X)
        warn_of_all_pairs(rows, "OCSVM", "NystroemOCSVM approximates it")
        if self._holdout is None:
            gammas = np.array([single_gamma(self.gamma, rows)], np.float64)
        else:
            gammas = np.asarray(self.gamma, np.float64)
            X_holdout, labels = self._holdout
            holdout = flatten(self._check_samples(X_holdout, reset=False))
        self.origin_ = origin_of(rows)
        rows = rows - self.origin_
        # Were it larger than the multipliers' sum νn, libsvm would stop at once.
        svms = _machines(rows, gammas, self.nu, TOLERANCE * min(1.0, self.nu * len(rows)))
        best, self.holdout_auc_ = 0, None
        if self._holdout is not None:
            scores = (
                kernel_sums(holdout - self.origin_, rows[svm.support_], gamma, svm.dual_coef_[0])
                for gamma, svm in zip(gammas, svms, strict=True)
            )
            self.holdout_auc_ = [float(roc_auc_score(labels, of_gamma)) for of_gamma in scores]
            best = int(np.argmax(self.holdout_auc_))
        svm = svms[best]
        self.gamma_ = float(gammas[best])
        self.support_vectors_ = rows[svm.support_]
        self.dual_coef_ = svm.dual_coef_[0]
        # libsvm stops within a tolerance, below which many samples can lie where each is a support vector.
        self.training_scores_ = self._score_samples(X)
        bound = np.quantile(self.training_scores_, self.nu, method="lower")
        self.offset_ = min(float(svm.offset_[0]), float(bound))
        # A sample's own kernel is 1; one that occurs repeatedly is not alone.
        by_others = self.training_scores_.copy()
        by_others[svm.support_] -= self.dual_coef_
        alone = float((by_others <= ROUNDINGS * np.finfo(np.float64).eps * self.dual_coef_.max()).mean())
        if alone**2 > MAXIMAL_TIES:
            text = (
                f"at γ = {self.gamma_:.3g} {100 * alone:.3g} % of the training samples are beyond the reach of others"
            )
            return Diagnosis("collapsed", text)
        return None

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return kernel_sums(flatten(X) - self.origin_, self.support_vectors_, self.gamma_, self.dual_coef_)


def _machines(rows: NDArray[np.float64], gammas: NDArray[np.float64], nu: float, tol: float) -> list[OneClassSVM]:
    """Fit scikit-learn's machine to rows (n, d) for each γ, to this tolerance.

    Those of a grid share one matrix of distances, where that and a kernel fit into memory. Otherwise libsvm computes
    the kernels that it needs, of which it keeps what fits. It takes distances from products of rows, so that these are
    brought together first where they lie far apart.

    Raises:
        DataError: even so libsvm's kernels would not be exact, and the rows are too many for a matrix.
    """
    count, narrowest = len(rows), float(gammas.max())
    if not kernels_by_product_are_exact(rows, narrowest):
        rows = brought_together(rows, float(gammas.min()))
    exact = kernels_by_product_are_exact(rows, narrowest, allowed=KERNEL_ERROR)
    if exact and (len(gammas) == 1 or not fit_into_memory(2 * count, count)):
        memory = min(max(1, get_config()["working_memory"]), LARGEST_CACHE)
        machines = (OneClassSVM(kernel="rbf", gamma=gamma, nu=nu, tol=tol, cache_size=memory) for gamma in gammas)
        return [machine.fit(rows) for machine in machines]
    if not fit_into_memory(2 * count, count):
        needed = 16 * count**2 // 2**20 + 1
        raise DataError(
            f"{count:,} samples lie so far apart, for kernels this narrow, that their distances must all be kept, in"
            f" {needed:,} MiB, and scikit-learn's working_memory is less: raise it by `sklearn.set_config`, take fewer"
            " samples or a smaller gamma, or NystroemOCSVM in place of OCSVM."
        )
    ascending = np.argsort(gammas)
    distances = squared_distances(rows, None, float(gammas.max()))
    kernels = gaussian_kernels(distances, gammas[ascending])
    machines = (OneClassSVM(kernel="precomputed", nu=nu, tol=tol).fit(kernel) for kernel in kernels)
    of_place = dict(zip(ascending, machines, strict=True))
    return [of_place[place] for place in range(len(gammas))]
