"""One-class SVM without a kernel (Schölkopf et al. 2001, Eq. 3).

It is what OC-NN's Eq. 3 can reach at best with a linear activation on fixed codes: a half-space.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.diagnosis import ROUNDINGS, Diagnosis
from ocnn.methods.reduced_hull import Rows, nearest_point

#: The fit has converged when the objective is at most this share of its depth above the minimum.
TOLERANCE = 1e-6
#: More than the relative rounding errors of a score.
ROUNDING = 1e-9


@dataclass(kw_only=True, eq=False, repr=False)
class LinearOCSVM(AnomalyDetector):
    """Separates flattened samples from the origin by a hyperplane ⟨w, x⟩ = ρ; `score_samples` is ⟨w, x⟩.

        min over w, ρ :  ½‖w‖² + (1/νn) Σ_i max(0, ρ − ⟨w, x_i⟩) − ρ

    w and ρ are νn times those, as in scikit-learn. `reduced_hull.nearest_point` solves it, in time and memory that grow
    with the samples, not with their pairs. Where the origin lies among the samples, so that no half-space holds all but
    a share ν of them, the minimum is at w = 0: the fit has collapsed.

    Args:
        nu: bound on the share of training samples outside, ν in (0, 1].

    Attributes:
        coef_: w, (d,).
        offset_: ρ.
        margin_: ρ / ‖w‖, the distance of the hyperplane from the origin; 0 where w is.
        tolerance_: of the solver, in the unit of the scores (`NearestPoint.excess`); what differs by less is not told
            apart.
    """

    nu: float = 0.1

    reported: ClassVar[tuple[str, ...]] = ("margin_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"nu": [Interval(Real, 0, 1, closed="right")]}

    def _fit(self, X: NDArray[Any]) -> Diagnosis:
        rows = flatten(X)
        # Fewer samples than features have products that as many coordinates give.
        axes, triangle = np.linalg.qr(rows.T) if len(rows) < rows.shape[1] else (None, rows.T)
        found = nearest_point(Rows(triangle.T), self.nu, TOLERANCE)
        total = self.nu * len(rows)
        self.coef_ = total * (found.w if axes is None else axes @ found.w)
        self.tolerance_ = total * found.excess
        # Some training samples have that score: rounding is to put none of them outside.
        r = float(np.quantile(found.products, self.nu, method="inverted_cdf"))
        self.offset_ = total * r * (1 - ROUNDING * np.sign(r))
        norm = float(np.linalg.norm(self.coef_))
        self.margin_ = self.offset_ / norm if norm else 0.0
        # The objective is strongly convex: a w as near to 0 as to the minimum's cannot be told from 0.
        if found.depth <= found.excess:
            return Diagnosis("collapsed", "w is 0 but for the solver's tolerance: the origin lies among the samples")
        how = f"{found.how}: within {found.excess / found.depth:.2g} of the minimum, as a share of its depth"
        return Diagnosis("converged" if found.excess <= TOLERANCE * found.depth else "limit", how)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return flatten(X) @ self.coef_

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        # A product may be small as its terms cancel.
        of_products = np.finfo(np.float64).eps * np.linalg.norm(flatten(X), axis=1) * np.linalg.norm(self.coef_)
        return np.maximum(of_products, self.tolerance_ / ROUNDINGS)
