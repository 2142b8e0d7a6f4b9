"""The linear one-class SVM, as the point of a reduced convex hull that is nearest to the origin.

    min over w, r :  ½‖w‖² + (1/ν)(1/n) Σ_i max(0, r − ⟨w, x_i⟩) − r

For the best r it is ½‖w‖² − q_ν(⟨w, x⟩), where q_ν is the mean of the lowest ν share (docs/theory.md, section 1). Its
dual asks for the shortest w = Σ α_i x_i with Σ α_i = 1 and 0 ≤ α_i ≤ 1/(νn), that is in the reduced convex hull of the
samples (Bennett and Bredensteiner 2000; Schölkopf et al. 2001). Two methods find it, neither of which looks at pairs of
samples:

- by corners, as Wolfe (1976) does for a hull of given points: the farthest point of the reduced hull against a
  direction is the mean of the lowest ν share. The nearest point of the hull of some such means gives the next
  direction. A pass takes n products. The more samples, the fewer passes: 65 for 1,000 normally distributed
  ones with radial features, 13 for 100,000.
  Where a narrow kernel hardly connects the samples it would take thousands.
- by interior points (Mehrotra 1992; Ferris and Munson 2002), which takes 10 to 50 steps for most of these others, and
  up to 200 where the result is many orders of magnitude nearer than the samples. Each costs as much as some ten passes
  or more: n d² multiplications, and the factors of a matrix (d, d).
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls

from ocnn.methods.gaussian import fit_into_memory, row_slices

Vector = NDArray[np.float64]
#: Passes by corners, and steps by interior points, at most.
PASSES, STEPS = 100, 200
#: So many passes for each time this many features: the more there are, the more passes a step costs. 150 passes with
#: 2,000 features took a sixth of the time of 15 steps.
WIDE = 800
#: How often the nearest point of some corners is sought again in a shorter unit, at most.
UNITS = 10
#: Of the way to the nearest bound, what a step by interior points goes at most.
NEAR_THE_BOUND = 0.995
#: The relative error that the length of a combination may have.
RELATIVE_ERROR = 64 * float(np.finfo(np.float64).eps)
#: By so much, as a share of it, rounding errors may put a score to the other side of the threshold: at most, at least.
ROUNDING, LAST_DIGITS = 1e-9, 128 * float(np.finfo(np.float64).eps)


class Samples(Protocol):
    """Samples (n, d) that need not all be in memory."""

    count: int
    """n."""
    resolution: float
    """A mean of samples that is no longer than this cannot be told from 0."""
    kept: int
    """Numbers that are kept in memory of them."""

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
    """Samples that are in memory, (n, d), in a unit in which float64 holds the squares of their values."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self.rows, self.count, self.kept = rows, len(rows), rows.size
        # The median, as samples far out have no weight in what is near.
        self.resolution = RELATIVE_ERROR * float(np.median(np.linalg.norm(rows, axis=1)))

    def combination(self, weights: Vector) -> Vector:
        """See `Samples`."""
        return weights @ self.rows

    def products(self, w: Vector) -> Vector:
        """See `Samples`."""
        return self.rows @ w

    def scatter(self, weights: Vector) -> NDArray[np.float64]:
        """See `Samples`."""
        parts = row_slices(self.count, self.rows.shape[1])
        return np.asarray(sum(scatter(self.rows[part], weights[part]) for part in parts))


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
        at_the_origin: whether w cannot be told from 0.
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

    def is_near(self, tol: float) -> bool:
        """Say whether the excess is at most this share of the depth and of the outputs' standard deviation."""
        return self.excess <= tol * min(self.depth, float(self.products.std()))


def nearest_point(samples: Samples, nu: float, tol: float) -> NearestPoint:
    """Find the point of the reduced convex hull of `samples` that is nearest to the origin.

    Args:
        samples: n of them.
        nu: ν in (0, 1].
        tol: sought is an excess of at most this share of the depth and of the outputs' standard deviation. The first
            alone does where corners reach it, but not the second, within their passes.
    """
    nu = float(nu)
    found = _by_corners(samples, nu, tol)
    dimension = len(found.w)
    if found.excess <= tol * found.depth or found.at_the_origin or nu == 1:
        return found
    if dimension**2 > samples.kept and not fit_into_memory(dimension, dimension):
        text = f"a matrix of {dimension:,} features for interior points is larger than scikit-learn's working_memory"
        return replace(found, how=f"{found.how} ({text})")
    with np.errstate(all="ignore"):  # what is no longer finite ends it
        other = _by_interior_points(samples, nu, tol, found.how)
    return other if other.excess < found.excess else replace(found, how=other.how)


def _by_corners(samples: Samples, nu: float, tol: float) -> NearestPoint:
    """From the mean of all samples on."""
    w = samples.combination(np.full(samples.count, 1 / samples.count))
    corners = w[None]
    for passes in range(1, PASSES * max(1, len(w) // WIDE) + 1):
        found, corner = _point(samples, w, samples.products(w), nu, f"{passes} passes")
        if found.is_near(tol) or found.at_the_origin or nu == 1:  # for which the mean is the whole hull
            break
        corners = np.vstack([corners, samples.combination(corner)])
        shares = nearest_of_hull(corners, float(np.linalg.norm(w)))
        nearer = shares @ corners
        # For rounding errors, of the samples or of the shares, it may come no nearer.
        if not nearer @ nearer < w @ w:
            break
        w, corners = nearer, corners[shares > 0]
    return found


def _by_interior_points(samples: Samples, nu: float, tol: float, before: str) -> NearestPoint:
    """From all α_i equal on."""
    total = nu * samples.count
    mean = samples.combination(np.full(samples.count, 1 / samples.count))
    best, _ = _point(samples, mean, samples.products(mean), nu, before)
    state = _Interior(samples, total, total * best.products)
    for steps in range(1, STEPS + 1):
        how = f"{before} and {steps} steps"
        try:
            state.step()
            found, _ = _point(samples, state.combined / total, state.outputs / total, nu, how)
        except (ValueError, np.linalg.LinAlgError):  # a matrix not finite, or no longer positive, for rounding
            break
        if not np.isfinite(found.excess):
            break
        if found.excess < best.excess:
            best = found
        if best.is_near(tol) or best.at_the_origin:
            break
    return replace(best, how=how)


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
        share = total / samples.count
        self.a, self.rest = np.full(samples.count, share), np.full(samples.count, 1 - share)
        self.r = float(np.quantile(outputs, share))
        margin = 0.1 * max(float(outputs.std()), 1e-3 * float(np.abs(outputs).max()), np.finfo(np.float64).tiny)
        self.s, self.t = np.maximum(outputs - self.r, margin), np.maximum(self.r - outputs, margin)

    def step(self) -> None:
        """Take Newton's step to where s a and t (1 − a) are all equal to a target, and set `combined`, Σ a_i x_i.

        How far the step to 0 would come says how far the target is lowered (Mehrotra's predictor and corrector).
        """
        a, rest, s, t = self.a, self.rest, self.s, self.t
        system = _System(self.samples, 1 / (s / a + t / rest))
        step = self._newton(system, -s * a, -t * rest)
        length = self._longest(step)
        reached = (s + length * step.s) @ (a + length * step.a) + (t + length * step.t) @ (rest - length * step.a)
        now = s @ a + t @ rest
        target = float((reached / now) ** 3 * now) / (2 * self.samples.count)
        step = self._newton(system, target - s * a - step.s * step.a, target - t * rest + step.t * step.a)
        length = NEAR_THE_BOUND * self._longest(step)
        # 1 − a has its own digits, as it becomes far less than a's last one.
        self.a, self.rest, self.r = a + length * step.a, rest - length * step.a, self.r + length * step.r
        self.s, self.t = s + length * step.s, t + length * step.t
        self.combined = self.samples.combination(self.a)
        self.outputs = self.samples.products(self.combined)

    def _newton(self, system: "_System", lower: Vector, upper: Vector) -> "_Step":
        """The step that changes s a by `lower` and t (1 − a) by `upper`, to first order, and solves the rest."""
        x = system.solve(self.r + self.s - self.t - self.outputs + lower / self.a - upper / self.rest)
        r = float((self.total - self.a.sum() - x.sum()) / system.of_ones.sum())
        a = x + r * system.of_ones
        return _Step(a, r, (lower - self.s * a) / self.a, (upper + self.t * a) / self.rest)

    def _longest(self, step: "_Step") -> float:
        """What share of the step leads to the nearest bound, at most all of it."""
        bounded = ((self.a, step.a), (self.rest, -step.a), (self.s, step.s), (self.t, step.t))
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


def _point(samples: Samples, w: Vector, products: Vector, nu: float, how: str) -> tuple[NearestPoint, Vector]:
    """A point of the reduced hull, and the weights of the corner that is farthest against it."""
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

    That is the λ ≥ 0 of least ‖Σ λ_j corner_j‖² + (Σ λ_j − 1)², in any unit, over their sum: for λ = s μ, Σ μ = 1,
    and p the length of Σ μ_j corner_j, the best s leaves p²/(1 + p²), which is least where p is.

    Args:
        corners: (m, d).
        unit: of the length of the result, or more; it is chosen again while the result is far shorter.

    Returns:
        (m,).
    """
    shares, length = np.eye(len(corners))[0], np.inf
    for _ in range(UNITS):
        equations = np.vstack([corners.T / unit, np.ones(len(corners))])
        try:
            found, _ = nnls(equations, np.eye(1, len(equations), len(equations) - 1)[0], maxiter=50 * len(corners))
        except RuntimeError:  # more than so many iterations
            break
        if not found.sum() > 0:  # the unit was shorter than rounding errors are
            break
        reached = float(np.linalg.norm(found / found.sum() @ corners))
        if not reached < length:
            break
        shares, length = found / found.sum(), reached
        if not 0 < length < 0.1 * unit:
            break
        unit = length
    return shares


def threshold(outputs: Vector, r: float) -> float:
    """Choose the threshold below r that no rounding error puts a sample with the output r below.

    It is lower by `ROUNDING`, as a share, or half the way to the next lower of these outputs (n,), if that is nearer,
    but by some last digits in any case.
    """
    lowest, highest = (r - share * abs(r) for share in (ROUNDING, LAST_DIGITS))
    below = outputs[outputs < r]
    return min(highest, max(lowest, (r + float(below.max())) / 2)) if len(below) else lowest
