"""One-class SVM on an approximation of the Gaussian kernel, for more samples than an exact solver can take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.diagnosis import Diagnosis
from ocnn.methods.gaussian import MEASURED, fit_into_memory, gaussian_kernel, origin_of, row_slices, single_gamma

#: Samples whose order is drawn again in each pass, part by part: 32 MiB of features for 256 components.
PART = 2**14


@dataclass(kw_only=True, eq=False, repr=False)
class NystroemOCSVM(AnomalyDetector):
    """One-class SVM of flattened samples by scikit-learn's `Nystroem` features and `SGDOneClassSVM`.

    Of the kernel exp(−γ‖x − x'‖²) the features keep what some training samples tell (Williams, Seeger 2001), and
    stochastic gradients minimise the linear machine's objective on them. Time and memory grow with the samples, not
    with their square, as those of `OCSVM` do, whose scores these only approximate: `components` says how closely.

    Args:
        nu: bound on the share of training samples outside, ν in (0, 1].
        gamma: as that of `OCSVM`, but no grid.
        components: training samples that the kernel is approximated by; all of them where there are fewer.
        tol: the fit has converged when a pass over the samples changes the objective by at most this share of it.
        max_iter: passes over the samples, at most.
        random_state: seed below 2³¹, generator or None; it draws the components and the order of the samples.

    Attributes:
        gamma_: the γ taken.
        basis_, origin_: the training samples that the kernel is approximated by (components, d), less this origin (d,)
            of all distances.
        objective_: ν/2 ‖w‖² + mean_i max(0, ρ − ⟨w, φ(x_i)⟩) − νρ, after the last pass.
        n_iter_: passes made.
    """

    nu: float = 0.1
    gamma: Any = "neighbours"
    components: int = 256
    tol: float = 1e-3
    max_iter: int = 100
    random_state: Any = None

    shared_settings: ClassVar[Mapping[str, str]] = {"random_state": "seed"}
    reported: ClassVar[tuple[str, ...]] = ("gamma_", "objective_", "n_iter_")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "nu": [Interval(Real, 0, 1, closed="right")],
        "gamma": [StrOptions({"scale", "neighbours"}), Interval(Real, 0, None, closed="neither")],
        "components": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def _fit(self, X: NDArray[Any]) -> Diagnosis:
        rows = flatten(X)
        random = check_random_state(self.random_state)
        self.gamma_ = single_gamma(self.gamma, rows)
        self.origin_ = origin_of(rows)
        order = random.permutation(len(rows))
        count = min(self.components, len(rows))
        self.basis_ = rows[order[:count]] - self.origin_
        # Its own kernel loses the digits of near samples where others are far away.
        self.features_ = Nystroem(kernel="precomputed", n_components=count, random_state=random)
        self.features_.fit(gaussian_kernel(self.basis_, self.basis_, self.gamma_))
        self.svm_ = SGDOneClassSVM(nu=self.nu, random_state=random)
        # Of a size that no memory decides, as the steps go through each part in a new order.
        parts = [*gen_batches(len(rows), PART)]
        # Features are kept where they fit into memory, and else computed again in each pass; the first part's always.
        kept = [
            self._features(rows[order[part]])
            for place, part in enumerate(parts)
            if place == 0 or fit_into_memory(part.stop, count)
        ]
        self.n_iter_, self.objective_, change = 0, 0.0, np.inf
        while change > self.tol * abs(self.objective_) and self.n_iter_ < self.max_iter:
            for features in kept:
                self.svm_.partial_fit(features)
            for part in parts[len(kept) :]:
                self.svm_.partial_fit(self._features(rows[order[part]]))
            before, self.objective_ = self.objective_, self._objective(kept[0][:MEASURED])
            self.n_iter_, change = self.n_iter_ + 1, abs(before - self.objective_)
        # For this w the objective is least at the ν-quantile, which the last steps are not exactly at. A training
        # sample has that score, and rounding is not to put it outside: the threshold is between it and the next lower.
        self.training_scores_ = self._score_samples(X)
        ordered, place = np.sort(self.training_scores_), math.ceil(self.nu * len(rows)) - 1
        self.offset_ = float(ordered[[max(0, place - 1), place]].mean())
        text = f"the last of {self.n_iter_} passes changed the objective, {self.objective_:.4g}, by {change:.2g}"
        return Diagnosis("converged" if change <= self.tol * abs(self.objective_) else "limit", text)

    def _objective(self, features: NDArray[np.float64]) -> float:
        w, offset = np.ravel(self.svm_.coef_), float(self.svm_.offset_[0])
        outside = np.maximum(0, offset - features @ w).mean()
        return float(self.nu / 2 * (w @ w) + outside - self.nu * offset)

    def _features(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        kernel = gaussian_kernel(rows - self.origin_, self.basis_, self.gamma_)
        features: NDArray[np.float64] = self.features_.transform(kernel)
        return features

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        rows = flatten(X)
        w = np.ravel(self.svm_.coef_)
        parts = row_slices(len(rows), len(self.basis_))
        return np.concatenate([self._features(rows[part]) @ w for part in parts])
