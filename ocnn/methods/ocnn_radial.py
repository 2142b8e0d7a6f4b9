"""OC-NN with radial hidden units: Eq. 3's objective in a form that has one minimum, and that minimum."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import OneClassSVM
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.diagnosis import ROUNDINGS, Diagnosis, first_of_each
from ocnn.methods.gaussian import gaussian_kernel, kernel_sums, neighbour_gamma, origin_of

#: More than the relative rounding errors of a score.
ROUNDING = 1e-9
#: Tolerances of libsvm, as shares of the mean feature's squared norm, that are tried until the fit has converged.
FINENESS = (1e-4, 1e-6, 1e-8)


@dataclass(kw_only=True, eq=False, repr=False)
class OneClassNNRadial(AnomalyDetector):
    """OC-NN on flattened samples: one layer of radial units and one output, solved exactly.

        min over w, r :  ½‖w‖² + (1/ν)(1/N) Σ_n max(0, r − ŷ_n) − r ,   ŷ_n = ⟨w, g(x_n)⟩ ,   g_j(x) = exp(−γ‖x − c_j‖²)

    It is Eq. 3 of Chalapathy, Menon and Chawla (2019) with the hidden layer fixed: its landmarks c_j are drawn from the
    training samples. What is left to minimise is strictly convex in w. So the minimum exists and is unique, more
    landmarks or steps cannot make it run off, and every fit says how near to it it came (docs/theory.md). It is the
    linear ν-one-class SVM on the features g (Schölkopf et al. 2001), which libsvm solves.

    `score_samples` is ŷ, between 0 and the number of landmarks, `decision_function` ŷ − r.

    Args:
        hidden: landmarks; all distinct training samples where there are fewer.
        gamma: γ, a number; or `neighbours`, 1 / the median squared distance to the nearest neighbour
            (`gaussian.neighbour_gamma`), which sees no label.
        nu: ν in (0, 1]; less than this share of the training samples lies below r.
        tol: the fit has converged when the objective is at most this share of its depth above the minimum.
        random_state: seed below 2³¹, generator or None; it draws the landmarks.

    Attributes:
        landmarks_, origin_: c (hidden, d), less this origin (d,) of all distances.
        gamma_: the γ taken.
        w_: (hidden,), none negative.
        r_: the bias r, the ν-quantile of ŷ over the training set.
        objective_: its value, below 0.
        gap_: bound on how much lower the minimum is, as a share of its depth (the relative duality gap).
        error_: the solver's, of a score; in a fit that has converged, what differs by less is not told apart.
    """

    hidden: int = 512
    gamma: Any = "neighbours"
    nu: float = 0.1
    tol: float = 1e-3
    random_state: Any = None

    shared_settings: ClassVar[Mapping[str, str]] = {"random_state": "seed"}
    reported: ClassVar[tuple[str, ...]] = ("gamma_", "r_", "objective_", "gap_")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "gamma": [StrOptions({"neighbours"}), Interval(Real, 0, None, closed="neither")],
        "nu": [Interval(Real, 0, 1, closed="right")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def _fit(self, X: NDArray[Any]) -> Diagnosis:
        rows = flatten(X)
        self.origin_ = origin_of(rows)
        rows = rows - self.origin_
        self.gamma_ = neighbour_gamma(rows) if self.gamma == "neighbours" else float(self.gamma)
        self.landmarks_ = rows[check_random_state(self.random_state).permutation(first_of_each(rows))[: self.hidden]]
        diagnosis = self._solve(gaussian_kernel(rows, self.landmarks_, self.gamma_))
        # Some training samples have r for their score: rounding is to put none of them outside.
        self.offset_ = self.r_ * (1 - ROUNDING)
        return diagnosis

    def _solve(self, features: NDArray[np.float64]) -> Diagnosis:
        """Set w and what follows from it; features (n, hidden) of the training samples."""
        for fineness in FINENESS:
            self.w_ = linear_one_class_svm(features, self.nu, fineness)
            self.error_ = fineness * float(np.square(features.mean(axis=0)).sum())
            self.training_scores_ = features @ self.w_
            self.objective_, self.r_ = radial_objective(self.w_, self.training_scores_, self.nu)
            squared_norm = float(self.w_ @ self.w_)
            # The dual's value at the multipliers that make this w is −½‖w‖².
            self.gap_ = (self.objective_ + 0.5 * squared_norm) / (0.5 * squared_norm) if squared_norm else np.inf
            if self.gap_ <= self.tol:
                return Diagnosis("converged", f"within {self.gap_:.2g} of the minimum, as a share of its depth")
        return Diagnosis("limit", f"libsvm's finest tolerance reached at {self.gap_:.2g} of the depth of the minimum")

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return kernel_sums(flatten(X) - self.origin_, self.landmarks_, self.gamma_, self.w_)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        rounding = super()._rounding(X, scores)
        return np.maximum(rounding, self.error_ / ROUNDINGS) if self.gap_ <= self.tol else rounding


def radial_objective(w: NDArray[np.float64], y: NDArray[np.float64], nu: float) -> tuple[float, float]:
    """Compute ½‖w‖² + (1/ν) mean_n max(0, r − y_n) − r at the r that minimises it, and that r.

    Args:
        w: (hidden,).
        y: (n,) outputs.
        nu: ν in (0, 1].
    """
    r = float(np.quantile(y, nu, method="inverted_cdf"))
    return float(0.5 * w @ w + np.maximum(0, r - y).mean() / nu - r), r


def linear_one_class_svm(features: NDArray[np.float64], nu: float, fineness: float) -> NDArray[np.float64]:
    """Find the w of the linear ν-one-class SVM on these features (n, hidden), in the scale of `radial_objective`.

    w = Σ α_n g(x_n) with 0 ≤ α_n ≤ 1/(νn) and Σ α_n = 1; libsvm's multipliers are νn times these.

    Args:
        features: (n, hidden).
        nu: ν in (0, 1].
        fineness: largest error of an output, as a share of ‖mean feature‖², which bounds ‖w‖² from above.
    """
    mean, total = features.mean(axis=0), nu * len(features)
    if nu >= 1:  # all α_n are equal; libsvm has no such case
        return np.asarray(mean)
    tolerance = max(fineness * total * float(mean @ mean), np.finfo(np.float64).tiny)
    svm = OneClassSVM(kernel="linear", nu=nu, tol=tolerance).fit(features)
    w: NDArray[np.float64] = svm.coef_[0] / total
    return w
