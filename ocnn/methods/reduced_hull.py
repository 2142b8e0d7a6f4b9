"""The linear one-class SVM, as the point of a reduced convex hull that is nearest to the origin.

    min over w, r :  ½‖w‖² + (1/ν)(1/n) Σ_i max(0, r − ⟨w, x_i⟩) − r

For the best r it is ½‖w‖² − q_ν(⟨w, x⟩), where q_ν is the mean of the lowest ν share (docs/theory.md, section 1). Its
dual asks for the shortest w = Σ α_i x_i with Σ α_i = 1 and 0 ≤ α_i ≤ 1/(νn), that is in the reduced convex hull of the
samples (Bennett and Bredensteiner 2000; Schölkopf et al. 2001). Two methods find it, neither of which looks at pairs of
samples:

- by corners (Wolfe 1976): the farthest point of the hull against a direction is the mean of the lowest ν share. The
  nearest point of the hull of some such means gives the next direction. A pass takes n products. Most problems end
  after 5 to 50; those whose samples are far apart, as seen by the kernel, would take thousands.
- by interior points (Mehrotra 1992; Ferris and Munson 2002), which takes 10 to 50 steps for any problem, each as much
  as some ten passes or more: n d² multiplications, and the factors of a matrix (d, d).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls

from ocnn.methods.gaussian import fit_into_memory

Vector = NDArray[np.float64]
#: Passes by corners, and steps by interior points, at most.
PASSES, STEPS = 100, 200
#: Of the way to the nearest bound, what a step by interior points goes at most.
NEAR_THE_BOUND = 0.995
#: Rounding errors that the length of a sum may have.
ROUNDINGS = 64


class Samples(Protocol):
    """Samples (n, d) that need not all be in memory."""

    count: int
    """n."""
    resolution: float
    """Of the length of Σ_i weights_i x_i, Σ weights_i = 1: what is shorter is 0 but for rounding."""

    def combination(self, weights: Vector) -> Vector:
        """Σ_i weights_i x_i, weights (n,): (d,)."""
        ...

    def products(self, w: Vector) -> Vector:
        """⟨w, x_i⟩ of each, (n,)."""
        ...

    def scatter(self, weights: Vector) -> NDArray[np.float64]:
        """Σ_i weights_i x_i x_iᵀ, weights (n,) ≥ 0: (d, d)."""
        ...


class Rows:
    """Samples that are in memory, (n, d)."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self.rows, self.count = rows, len(rows)
        self.resolution = ROUNDINGS * float(np.finfo(np.float64).eps * np.linalg.norm(rows, axis=1).max())

    def combination(self, weights: Vector) -> Vector:
        """See `Samples`."""
        return weights @ self.rows

    def products(self, w: Vector) -> Vector:
        """See `Samples`."""
        return self.rows @ w

    def scatter(self, weights: Vector) -> NDArray[np.float64]:
        """See `Samples`."""
        return scatter(self.rows, weights)


def scatter(rows: NDArray[np.float64], weights: Vector) -> NDArray[np.float64]:
    """Compute Σ_i weights_i x_i x_iᵀ of rows x (n, d) and weights (n,) ≥ 0: (d, d)."""
    weighted = np.sqrt(weights)[:, None] * rows
    return np.asarray(weighted.T @ weighted)


@dataclass(frozen=True, eq=False)
class NearestPoint:
    """A point of the reduced hull, and how far from the nearest one it may be.

    Args:
        w: (d,).
        products: ⟨w, x_i⟩, (n,).
        excess: ‖w‖² − q_ν(products). By so much, at most, the objective is above its minimum; and by so much, averaged
            over the α_i, outputs lie on the wrong side of r. Of the w* that is sought, ½‖w − w*‖² is no larger.
        how: what it took.
        at_the_origin: whether w is 0, but for rounding.
    """

    w: Vector
    products: Vector
    excess: float
    how: str
    at_the_origin: bool

    @property
    def depth(self) -> float:
        """½‖w‖², the depth of the dual's objective."""
        return 0.5 * float(self.w @ self.w)


def nearest_point(samples: Samples, nu: float, tol: float) -> NearestPoint:
    """Find the point of the reduced convex hull of `samples` that is nearest to the origin.

    Args:
        samples: n of them.
        nu: ν in (0, 1].
        tol: it ends where the excess is at most this share of the depth. By corners it goes on, while there are passes
            left, until it is at most this share of the outputs' standard deviation, too.
    """
    found = _by_corners(samples, nu, tol)
    dimension = len(found.w)
    if found.excess <= tol * found.depth or found.at_the_origin or not fit_into_memory(dimension, dimension):
        return found
    other = _by_interior_points(samples, nu, tol)
    return other if other.excess < found.excess else found


def _by_corners(samples: Samples, nu: float, tol: float) -> NearestPoint:
    """From the mean of all samples on."""
    w = samples.combination(np.full(samples.count, 1 / samples.count))
    corners = w[None]
    for passes in range(1, PASSES + 1):
        found, corner = _found(samples, w, nu, f"{passes} passes")
        if found.excess <= tol * min(found.depth, float(found.products.std())) or found.at_the_origin:
            break
        corners = np.vstack([corners, samples.combination(corner)])
        shares = nearest_of_hull(corners, float(np.linalg.norm(w)))
        nearer = shares @ corners
        # Rounding errors may keep it from coming nearer.
        if not nearer @ nearer < w @ w:
            break
        w, corners = nearer, corners[shares > 0]
    return found


def _by_interior_points(samples: Samples, nu: float, tol: float) -> NearestPoint:
    """From all α_i equal on."""
    total = nu * samples.count
    best, _ = _found(samples, samples.combination(np.full(samples.count, 1 / samples.count)), nu, "0 steps")
    point = _Interior(samples, total, total * best.products)
    for steps in range(1, STEPS + 1):
        try:
            point.step()
        except (ValueError, np.linalg.LinAlgError):  # a matrix that is not finite, or no longer positive, for rounding
            break
        found, _ = _found(samples, point.sum / total, nu, f"{PASSES} passes and {steps} steps")
        if not np.isfinite(found.excess):
            break
        best = min(best, found, key=lambda found: found.excess)
        if best.excess <= tol * best.depth or best.at_the_origin:
            break
    return best


class _Interior:
    """A point between the bounds, for a = νn α: least ½‖Σ a_i x_i‖² with 0 ≤ a_i ≤ 1 and Σ a_i = νn.

    With multipliers r of the sum and s, t ≥ 0 of the bounds, an optimum has ⟨x_i, Σ a_j x_j⟩ − r − s_i + t_i = 0,
    s_i a_i = 0 and t_i (1 − a_i) = 0.

    Args:
        samples: x.
        total: νn.
        outputs: ⟨x_i, Σ a_j x_j⟩ for all a_i = ν, (n,).
    """

    def __init__(self, samples: Samples, total: float, outputs: Vector) -> None:
        self.samples, self.total, self.outputs = samples, total, outputs
        self.a = np.full(samples.count, total / samples.count)
        self.r = float(np.quantile(outputs, total / samples.count))
        margin = 0.1 * max(float(outputs.std()), 1e-3 * float(np.abs(outputs).max()), np.finfo(np.float64).tiny)
        self.s, self.t = np.maximum(outputs - self.r, margin), np.maximum(self.r - outputs, margin)

    def step(self) -> None:
        """Take Newton's step to where s a and t (1 − a) are all equal to a target, and set `sum`, Σ a_i x_i.

        How far the step to 0 would come says how far the target is lowered (Mehrotra's predictor and corrector).
        """
        a, s, t, both = self.a, self.s, self.t, 2 * self.samples.count
        system = _System(self.samples, 1 / (s / a + t / (1 - a)))
        step = self._newton(system, -s * a, -t * (1 - a))
        length = self._longest(step)
        moved_a, moved_s, moved_t = a + length * step.a, s + length * step.s, t + length * step.t
        target = float(s @ a + t @ (1 - a)) / both
        target *= (float(moved_s @ moved_a + moved_t @ (1 - moved_a)) / both / target) ** 3
        step = self._newton(system, target - s * a - step.s * step.a, target - t * (1 - a) + step.t * step.a)
        length = NEAR_THE_BOUND * self._longest(step)
        self.a, self.r = a + length * step.a, self.r + length * step.r
        self.s, self.t = s + length * step.s, t + length * step.t
        self.sum = self.samples.combination(self.a)
        self.outputs = self.samples.products(self.sum)

    def _newton(self, system: "_System", lower: Vector, upper: Vector) -> "_Step":
        """The step that changes s a by `lower` and t (1 − a) by `upper`, to first order, and solves the rest."""
        x = system.solve(self.r + self.s - self.t - self.outputs + lower / self.a - upper / (1 - self.a))
        r = float((self.total - self.a.sum() - x.sum()) / system.of_ones.sum())
        a = x + r * system.of_ones
        return _Step(a, r, (lower - self.s * a) / self.a, (upper + self.t * a) / (1 - self.a))

    def _longest(self, step: "_Step") -> float:
        """What share of the step leads to the nearest bound, at most all of it."""
        bounded = ((self.a, step.a), (1 - self.a, -step.a), (self.s, step.s), (self.t, step.t))
        return min(float((x[dx < 0] / -dx[dx < 0]).min(initial=1.0)) for x, dx in bounded)


@dataclass(frozen=True, eq=False)
class _Step:
    """Changes of a (n,), r, s (n,) and t (n,)."""

    a: Vector
    r: float
    s: Vector
    t: Vector


class _System:
    """The matrix diag(1 / inverse) + ⟨x_i, x_j⟩, (n, n), by the identity of Sherman, Morrison and Woodbury."""

    def __init__(self, samples: Samples, inverse: Vector) -> None:
        self.samples, self.inverse = samples, inverse
        matrix = samples.scatter(inverse)
        self.factor = cho_factor(matrix + np.eye(len(matrix)))
        self.of_ones = self.solve(np.ones(samples.count))

    def solve(self, v: Vector) -> Vector:
        """What the matrix makes v (n,) of."""
        inner = cho_solve(self.factor, self.samples.combination(self.inverse * v))
        return self.inverse * (v - self.samples.products(inner))


def _found(samples: Samples, w: Vector, nu: float, how: str) -> tuple[NearestPoint, Vector]:
    """A point of the hull, with the weights of the corner that is farthest against it."""
    products = samples.products(w)
    weights = lowest_share(products, nu)
    at_the_origin = bool(np.linalg.norm(w) <= samples.resolution)
    return NearestPoint(w, products, max(0.0, float(w @ w - weights @ products)), how, at_the_origin), weights


def lowest_share(values: Vector, nu: float) -> Vector:
    """Weigh values (n,) so that their weighted mean is that of the lowest ν share: (n,), adding up to 1.

    These weigh 1/(νn), but for the highest of them, which weighs less where νn is not whole; the others weigh 0.
    """
    total = nu * len(values)
    last = min(int(total), len(values) - 1)
    lowest = np.argpartition(values, last)
    weights = np.zeros(len(values))
    weights[lowest[:last]] = 1 / total
    weights[lowest[last]] = 1 - last / total
    return weights


def nearest_of_hull(corners: NDArray[np.float64], unit: float) -> Vector:
    """Find the shares λ ≥ 0, Σ λ = 1, for which Σ λ_j corner_j is nearest to the origin.

    Args:
        corners: (m, d).
        unit: about the length of the result.

    Returns:
        (m,): the λ ≥ 0 of least ‖Σ λ_j corner_j / unit‖² + (Σ λ_j − 1)², over their sum. For λ = s μ, Σ μ = 1, and the
        best s that is ‖μ‖²/(1 + ‖μ‖²), ‖μ‖ the length of μ's point: least where the length is.
    """
    equations = np.vstack([corners.T / unit, np.ones(len(corners))])
    shares, _ = nnls(equations, np.eye(1, len(equations), len(equations) - 1)[0], maxiter=50 * len(corners))
    return np.asarray(shares / shares.sum())
