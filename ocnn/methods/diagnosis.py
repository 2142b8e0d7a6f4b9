"""Whether a fit is to be trusted: converged, stopped at its limit, diverged or collapsed, and why."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ocnn.storage.arrays import row_checksums

#: A ranking that cannot order this share of the pairs of distinct samples is none: nine in ten samples at one score.
MAXIMAL_TIES = 0.8
#: Scores differ if they do by more than this many times the rounding error of one of them, since the errors of the
#: sums and products behind a score add up.
ROUNDINGS = 128
#: A fixed schedule has converged if its loss changed by less than this share over the last tenth of the epochs.
CONVERGED_SHARE = 0.01


@dataclass(frozen=True)
class Diagnosis:
    """How a fit ended.

    Attributes:
        status: `converged`; `limit`, the schedule or the limit of iterations came first; `diverged`, the objective ran
            off or a number is not finite; `collapsed`, the scores do not tell samples apart.
        reason: the same in a sentence.
    """

    status: Literal["converged", "limit", "diverged", "collapsed"]
    reason: str

    @property
    def degenerate(self) -> bool:
        """Whether the scores should not be read as a result of the method."""
        return self.status in ("diverged", "collapsed")

    def on_codes(self, encoder: "Diagnosis") -> "Diagnosis":
        """Say how a fit on codes ended, by this diagnosis of the fit itself and that of the encoder's training.

        It has converged if both have. Whether the scores tell samples apart, they say themselves.
        """
        if encoder.status == "converged":
            return self
        status = "limit" if self.status == "converged" else self.status
        return Diagnosis(status, f"{self.reason}; its encoder: {encoder.status}, {encoder.reason}")


def first_of_each(X: NDArray[Any]) -> NDArray[np.int64]:
    """Find the indices, ascending, at which each distinct sample of X (n, …) first occurs; −0 equals 0."""
    checksums = np.empty(len(X), np.uint64)
    for block in _blocks(len(X), X):
        checksums[block] = row_checksums(X[block] + 0)
    order = np.argsort(checksums, kind="stable")
    starts = np.flatnonzero(np.diff(checksums[order], prepend=~checksums[order[:1]]))
    first = np.repeat(order[starts], np.diff(starts, append=len(order)))
    # Rows of one checksum are equal, but for a chance of 2⁻⁶⁴ a pair; so it is looked whether they are.
    repeats = first != order
    first, repeated = first[repeats], order[repeats]
    unlike = np.zeros(len(X), bool)
    for block in _blocks(len(repeated), X):
        equal = X[first[block]] == X[repeated[block]]
        unlike[repeated[block]] = ~equal.reshape(len(equal), -1).all(axis=1)
    distinct = np.ones(len(X), bool)
    distinct[repeated] = False
    seen: dict[bytes, int] = {}
    for index in np.flatnonzero(unlike).tolist():
        distinct[index] = seen.setdefault((X[index] + 0).tobytes(), index) == index
    return np.flatnonzero(distinct)


def _blocks(count: int, X: NDArray[Any]) -> Iterator[slice]:
    """Slices of so many indices, of 16 MiB each if every one is a sample of X."""
    size = max(1, 2**24 // max(1, X.itemsize * math.prod(X.shape[1:])))
    return (slice(start, start + size) for start in range(0, count, size))


def tied_share(scores: ArrayLike, rounding: ArrayLike | None = None) -> float:
    """Compute the share of pairs of these scores (n,) that differ by no more than rounding explains, in [0, 1].

    Args:
        scores: finite, one per distinct sample.
        rounding: the absolute rounding error of each score, (n,) or one number; by default the last digit of the
            scores' type.

    Returns:
        The mean over the samples of the share of the others that lie within `ROUNDINGS` times the sample's rounding
        error of it; 1 for a single sample.
    """
    values = np.asarray(scores)
    if len(values) < 2:
        return 1.0
    if rounding is None:
        rounding = np.abs(values) * np.finfo(values.dtype if values.dtype.kind == "f" else np.float64).eps
    values = values.astype(np.float64)
    reach = ROUNDINGS * np.broadcast_to(np.asarray(rounding, np.float64), values.shape)
    # One after the other in order: in any other they are searched for all over the memory.
    order = np.argsort(values)
    ordered, reach = values[order], reach[order]
    within = np.searchsorted(ordered, ordered + reach, "right") - np.searchsorted(ordered, ordered - reach, "left")
    return float((within - 1).mean() / (len(values) - 1))


def diagnose_scores(
    scores: ArrayLike, rounding: ArrayLike | None = None, distinct: NDArray[np.int64] | None = None
) -> Diagnosis | None:
    """Say what is wrong with these raw scores (n,), or None.

    Not finite: diverged. A ranking that carries no information, since most pairs of distinct samples tie: collapsed.
    Two scores tie if they differ by no more than the rounding errors of their computation, which the method knows.
    So neither a constant added to the scores (such as a log density's), nor a positive factor, nor a sample that
    occurs repeatedly, nor an outlier changes the verdict, as long as float64 still holds the differences: a constant
    10¹³ times the differences leaves too few of their digits.

    Args:
        scores: one per sample.
        rounding: see `tied_share`.
        distinct: indices of the distinct samples (`first_of_each`); by default all are.
    """
    values = np.asarray(scores)
    if not np.isfinite(values).all():
        return Diagnosis("diverged", f"{np.count_nonzero(~np.isfinite(values))} of {len(values)} scores not finite")
    if distinct is not None:
        values = values[distinct]
        rounding = np.broadcast_to(rounding, len(np.asarray(scores)))[distinct] if rounding is not None else None
    if len(values) == 1:
        return Diagnosis("collapsed", "all training samples are the same")
    ties = tied_share(values, rounding)
    if ties > MAXIMAL_TIES:
        text = f"{100 * ties:.3g} % of the pairs among {len(values)} distinct training samples have the same score"
        return Diagnosis("collapsed", f"{text} but for rounding errors")
    return None


def diagnose_schedule(losses: Sequence[float], unit: str = "epoch") -> Diagnosis:
    """Say whether a training or search of fixed length had come to rest, from its loss in each epoch or other unit."""
    if not np.isfinite(losses).all():
        return Diagnosis("diverged", f"loss not finite from {unit} {int(np.argmin(np.isfinite(losses))) + 1} on")
    window = max(1, len(losses) // 10)
    if len(losses) <= window:
        return Diagnosis("limit", f"{len(losses)} {unit}s are too few to tell whether the loss had settled")
    before, after = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    fall = (before - after) / max(abs(before), np.finfo(float).tiny)
    verb = "rose" if fall < 0 else "fell"
    text = f"loss {verb} by {100 * abs(fall):.2g} % between the last two tenths of {len(losses)} {unit}s"
    return Diagnosis("converged" if abs(fall) < CONVERGED_SHARE else "limit", text)
