"""One-class SVM without a kernel (Schölkopf et al. 2001, Eq. 3), by scikit-learn's solver.

It is what OC-NN's Eq. 3 can reach at best with a linear activation on fixed codes: a half-space.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import OneClassSVM
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.diagnosis import ROUNDINGS, Diagnosis

#: By how much the solver may violate the conditions of an optimum, for samples of a mean square norm of 1.
TOLERANCE = 1e-4


@dataclass(kw_only=True, eq=False, repr=False)
class LinearOCSVM(AnomalyDetector):
    """Separates flattened samples from the origin by a hyperplane ⟨w, x⟩ = ρ; `score_samples` is ⟨w, x⟩.

        min over w, ρ :  ½‖w‖² + (1/νn) Σ_i max(0, ρ − ⟨w, x_i⟩) − ρ

    w and ρ are νn times those, as in scikit-learn. Where the origin lies among the samples, so that no half-space
    holds all but a share ν of them, the minimum is at w = 0: the fit has collapsed.

    Args:
        nu: bound on the share of training samples outside, ν in (0, 1).

    Attributes:
        coef_: w, (d,).
        offset_: ρ.
        margin_: ρ / ‖w‖, the distance of the hyperplane from the origin; 0 where w is.
        tolerance_: of the solver, in the unit of the scores; what differs by less is not told apart.
    """

    nu: float = 0.1

    reported: ClassVar[tuple[str, ...]] = ("margin_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"nu": [Interval(Real, 0, 1, closed="neither")]}

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        rows = flatten(X)
        # The multipliers do not depend on the samples' unit, but the solver's tolerance would. Its kernel is cached in
        # a bounded memory.
        size = float(np.sqrt(np.mean(np.square(rows).sum(axis=1)))) or 1.0
        # Were it larger than the multipliers' sum νn, libsvm would stop at once.
        tolerance = TOLERANCE * min(1.0, self.nu * len(rows))
        svm = OneClassSVM(kernel="linear", nu=self.nu, tol=tolerance).fit(rows / size)
        w = svm.coef_[0]
        self.coef_ = w * size
        self.offset_ = float(svm.offset_[0]) * size**2
        self.tolerance_ = tolerance * size**2
        norm = float(np.linalg.norm(self.coef_))
        self.margin_ = self.offset_ / norm if norm else 0.0
        # The objective is strongly convex in w, and the solver ends within tolerance · νn of its minimum: a smaller
        # w cannot be told from 0.
        if w @ w <= 2 * tolerance * self.nu * len(rows):
            return Diagnosis("collapsed", "w is 0 but for the solver's tolerance: the origin lies among the samples")
        return None

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return flatten(X) @ self.coef_

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        # A product may be small as its terms cancel.
        of_products = np.finfo(np.float64).eps * np.linalg.norm(flatten(X), axis=1) * np.linalg.norm(self.coef_)
        return np.maximum(of_products, self.tolerance_ / ROUNDINGS)
