"""OC-NN with radial hidden units: Eq. 3's objective in a form that has one minimum, and that minimum."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.diagnosis import ROUNDINGS, Diagnosis, first_of_each
from ocnn.methods.gaussian import (
    evenly_spread,
    fit_into_memory,
    gamma_of_distances,
    gaussian_kernel,
    kernel_sums,
    neighbour_gamma,
    neighbour_index,
    origin_of,
    row_slices,
)
from ocnn.methods.reduced_hull import Samples, nearest_point, scatter, threshold

#: exp(−69): outputs that are less than this tell apart nothing that a landmark has seen.
SMALLEST = 1e-30


@dataclass(kw_only=True, eq=False, repr=False)
class OneClassNNRadial(AnomalyDetector):
    """OC-NN on flattened samples: one layer of radial units and one output, solved exactly.

        min over w, r :  ½‖w‖² + (1/ν)(1/N) Σ_n max(0, r − ŷ_n) − r ,   ŷ_n = ⟨w, g(x_n)⟩ ,   g_j(x) = exp(−γ‖x − c_j‖²)

    It is Eq. 3 of Chalapathy, Menon and Chawla (2019) with the hidden layer fixed: its landmarks c_j are drawn from the
    training samples. What is left to minimise is strictly convex in w. So the minimum exists and is unique, more
    landmarks or steps cannot make it run off, and every fit says how near to it it came (docs/theory.md). It is the
    linear ν-one-class SVM on the features g (Schölkopf et al. 2001), solved by `reduced_hull.nearest_point`: time and
    memory grow with the samples, not with their pairs.

    `score_samples` is ŷ, between 0 and the number of landmarks, `decision_function` ŷ − r.

    Args:
        hidden: landmarks; all distinct training samples where there are fewer.
        gamma: γ, a number; or `neighbours`, 1 / the median squared distance to the nearest neighbour
            (`gaussian.neighbour_gamma`), which sees no label; or `landmarks`, the same with the nearest landmark. That
            is for many more samples than landmarks in few dimensions, where some samples have none within their reach
            otherwise. Where each sample is a landmark both are the same.
        nu: ν in (0, 1]; less than this share of the training samples lies below r.
        tol: the fit has converged when the objective is at most this share of its depth above the minimum. Sought is
            what is at most this share of the outputs' standard deviation, too (`reduced_hull.nearest_point`).
        random_state: seed below 2³¹, generator or None; it draws the landmarks.

    Attributes:
        landmarks_, origin_: c (hidden, d), less this origin (d,) of all distances.
        gamma_: the γ taken.
        w_: (hidden,), none negative.
        r_: the bias r, the ν-quantile of ŷ over the training set.
        objective_: its value, below 0.
        gap_: bound on how much lower the minimum is, as a share of its depth (the relative duality gap).
        error_: the solver's, of a score (`NearestPoint.excess`); in a fit that has converged, what differs by less is
            not told apart.
    """

    hidden: int = 512
    gamma: Any = "neighbours"
    nu: float = 0.1
    tol: float = 1e-4
    random_state: Any = None

    shared_settings: ClassVar[Mapping[str, str]] = {"random_state": "seed"}
    reported: ClassVar[tuple[str, ...]] = ("gamma_", "r_", "objective_", "gap_")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "gamma": [StrOptions({"neighbours", "landmarks"}), Interval(Real, 0, None, closed="neither")],
        "nu": [Interval(Real, 0, 1, closed="right")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def _fit(self, X: NDArray[Any]) -> Diagnosis:
        rows = flatten(X)
        self.origin_ = origin_of(rows)
        rows = rows - self.origin_
        distinct = first_of_each(rows)
        self.landmarks_ = rows[check_random_state(self.random_state).permutation(distinct)[: self.hidden]]
        if self.gamma == "landmarks":
            self.gamma_ = landmark_gamma(rows[distinct], self.landmarks_)
        else:
            self.gamma_ = neighbour_gamma(rows) if self.gamma == "neighbours" else float(self.gamma)
        diagnosis = self._solve(RadialFeatures(rows, self.landmarks_, self.gamma_))
        self.offset_ = threshold(self.training_scores_, self.r_)
        return diagnosis

    def _solve(self, features: Samples) -> Diagnosis:
        """Set w and what follows from it; features (n, hidden) of the training samples."""
        found = nearest_point(features, self.nu, self.tol)
        self.w_, self.training_scores_, self.error_ = found.w, found.products, found.excess
        self.objective_, self.r_ = radial_objective(self.w_, self.training_scores_, self.nu)
        # The dual's value at the multipliers that make this w is −½‖w‖².
        self.gap_ = found.excess / found.depth if found.depth else np.inf
        if found.at_the_origin:
            text = f"a share of {self.nu:g} of the training samples or more is out of the reach of every landmark"
            return Diagnosis(
                "collapsed", f"{text}: γ = {self.gamma_:.3g} is too large for {len(self.landmarks_)} of them"
            )
        how = f"{found.how}: within {self.gap_:.2g} of the minimum, as a share of its depth"
        return Diagnosis("converged" if self.gap_ <= self.tol else "limit", how)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return kernel_sums(flatten(X) - self.origin_, self.landmarks_, self.gamma_, self.w_)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        rounding = super()._rounding(X, scores)
        return np.maximum(rounding, self.error_ / ROUNDINGS) if self.gap_ <= self.tol else rounding


class RadialFeatures:
    """g(x) of rows x (n, d) at landmarks (hidden, d): the first parts of them are kept, as many as fit into memory.

    The others are computed again each time, so that `working_memory` bounds what is kept (`gaussian.fit_into_memory`).
    """

    def __init__(self, rows: NDArray[np.float64], landmarks: NDArray[np.float64], gamma: float) -> None:
        self.rows, self.landmarks, self.gamma = rows, landmarks, gamma
        # All terms of a combination are positive, so that no digits cancel.
        self.count, self.resolution = len(rows), SMALLEST
        self.parts = [*row_slices(len(rows), len(landmarks))]
        fitting = (part for part in self.parts if fit_into_memory(part.stop, len(landmarks)))
        self.features = [self._make(rows[part]) for part in fitting]
        self.kept = sum(features.size for features in self.features)

    def _make(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_kernel(rows, self.landmarks, self.gamma)

    def _parts(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Each part of the rows, with its features."""
        for number, part in enumerate(self.parts):
            yield part, self.features[number] if number < len(self.features) else self._make(self.rows[part])

    def combination(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Samples`."""
        total = np.zeros(len(self.landmarks))
        for number, part in enumerate(self.parts):
            if number < len(self.features):
                total += weights[part] @ self.features[number]
            elif len(counted := part.start + np.flatnonzero(weights[part])):
                total += weights[counted] @ self._make(self.rows[counted])
        return total

    def products(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Samples`."""
        return np.concatenate([features @ w for _, features in self._parts()])

    def scatter(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Samples`."""
        return np.sum([scatter(features, weights[part]) for part, features in self._parts()], axis=0)


def landmark_gamma(distinct: NDArray[np.float64], landmarks: NDArray[np.float64]) -> float:
    """Compute 1 / the median squared distance of samples to the nearest landmark other than themselves.

    Args:
        distinct: (n, d); of many, some are asked (`gaussian.evenly_spread`).
        landmarks: some of them, (hidden, d).

    Returns:
        γ; 1.0 where there is no other landmark, or where no distance can be told from 0.
    """
    asked = distinct[evenly_spread(len(distinct))]
    nearest = neighbour_index(landmarks).kneighbors(asked, min(2, len(landmarks)), return_distance=False)
    squared = np.column_stack([np.square(asked - landmarks[column]).sum(axis=1) for column in nearest.T])
    others = np.where(squared > 0, squared, np.inf).min(axis=1)
    return gamma_of_distances(others[np.isfinite(others)])


def radial_objective(w: NDArray[np.float64], y: NDArray[np.float64], nu: float) -> tuple[float, float]:
    """Compute ½‖w‖² + (1/ν) mean_n max(0, r − y_n) − r at the r that minimises it, and that r.

    Args:
        w: (hidden,).
        y: (n,) outputs.
        nu: ν in (0, 1].
    """
    r = float(np.quantile(y, nu, method="inverted_cdf"))
    return float(0.5 * w @ w + np.maximum(0, r - y).mean() / nu - r), r
