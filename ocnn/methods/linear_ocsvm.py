"""One-class SVM without a kernel (Schölkopf et al. 2001, Eq. 3).

On fixed codes it ranks as the minimum of OC-NN's Eq. 3 would, with a linear activation and the same ν: by a half-space.
"""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.diagnosis import ROUNDINGS, Diagnosis
from ocnn.methods.reduced_hull import Rows, nearest_point, threshold

#: The fit has converged when the objective is at most this share of its depth above the minimum.
TOLERANCE = 1e-6


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
        rows, nu = flatten(X), float(self.nu)
        # Where float64 may not hold the squares, in a unit of their own: a power of two, which is exact.
        largest, unit = max(float(rows.max()), -float(rows.min())), 1.0
        if largest and not 1e-100 < largest < 1e100:
            unit = 2.0 ** math.floor(math.log2(largest))
            rows = rows / unit
        # Fewer samples than features have products that as many coordinates give.
        axes, triangle = np.linalg.qr(rows.T) if len(rows) < rows.shape[1] else (None, rows.T)
        found = nearest_point(Rows(triangle.T), nu, TOLERANCE)
        w = found.w if axes is None else axes @ found.w
        total = nu * len(rows)
        self.coef_ = total * unit * w
        self.tolerance_ = total * unit**2 * found.excess
        r = float(np.quantile(found.products, nu, method="inverted_cdf"))
        self.offset_ = total * unit**2 * threshold(found.products, r)
        length = float(np.linalg.norm(w))
        self.margin_ = unit * r / length if length else 0.0
        # The objective is strongly convex: a w as near to 0 as to the minimum's cannot be told from 0.
        if found.at_the_origin or found.depth <= found.excess:
            text = "w is 0 but for the solver's tolerance: the origin lies among the samples, or as near as can be told"
            return Diagnosis("collapsed", text)
        how = f"{found.how}: within {found.excess / found.depth:.2g} of the minimum, as a share of its depth"
        return Diagnosis("converged" if found.excess <= TOLERANCE * found.depth else "limit", how)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return flatten(X) @ self.coef_

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        # A product may be small as its terms cancel.
        of_products = np.finfo(np.float64).eps * np.linalg.norm(flatten(X), axis=1) * np.linalg.norm(self.coef_)
        return np.maximum(of_products, self.tolerance_ / ROUNDINGS)
