"""Whether a fit is to be trusted: converged, stopped at its limit, diverged or collapsed, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

#: Fewer distinct scores than this share of the samples is no ranking. Float32 has about 10⁷ values, so that a spread
#: below the second number, relative to the scores' size, leaves fewer than a thousand of them.
MINIMAL_DISTINCT_SHARE = 0.1
MINIMAL_RELATIVE_SPREAD = 1e-4
#: A fixed schedule has converged if its loss fell by less than this share over the last tenth of the epochs.
CONVERGED_SHARE = 0.01


@dataclass(frozen=True)
class Diagnosis:
    """How a fit ended.

    status: `converged`; `limit`, the schedule or the limit of iterations came first; `diverged`, the objective ran
        off or a number is not finite; `collapsed`, the scores no longer tell samples apart.
    reason: the same in a sentence.
    """

    status: Literal["converged", "limit", "diverged", "collapsed"]
    reason: str

    @property
    def degenerate(self) -> bool:
        """Whether the scores should not be read as a result of the method."""
        return self.status in ("diverged", "collapsed")


def diagnose_scores(scores: ArrayLike) -> Diagnosis | None:
    """What is wrong with these raw scores (n,), or None.

    Not finite: diverged. Hardly any distinct ones, or a spread (5 % to 95 % quantile) that is negligible beside their
    size: collapsed.
    """
    scores = np.asarray(scores, np.float64)
    if not np.isfinite(scores).all():
        return Diagnosis("diverged", f"{np.count_nonzero(~np.isfinite(scores))} of {len(scores)} scores not finite")
    distinct = len(np.unique(scores))
    if len(scores) > 1 and distinct < max(2, MINIMAL_DISTINCT_SHARE * len(scores)):
        return Diagnosis("collapsed", f"only {distinct} distinct scores among {len(scores)} training samples")
    low, high = np.quantile(scores, (0.05, 0.95))
    size = float(np.abs(scores).max())
    if len(scores) > 1 and high - low < MINIMAL_RELATIVE_SPREAD * size:
        return Diagnosis("collapsed", f"scores spread over {high - low:.2g} only, at a size of {size:.2g}")
    return None


def diagnose_schedule(losses: Sequence[float]) -> Diagnosis:
    """Whether a training of fixed length had come to rest, from its loss in each epoch."""
    if not np.isfinite(losses).all():
        return Diagnosis("diverged", f"loss not finite from epoch {int(np.argmin(np.isfinite(losses))) + 1} on")
    window = max(1, len(losses) // 10)
    if len(losses) <= window:
        return Diagnosis("limit", f"{len(losses)} epochs are too few to tell whether the loss had settled")
    before, after = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    fall = (before - after) / max(abs(before), np.finfo(float).tiny)
    text = f"loss fell by {100 * fall:.2g} % between the last two tenths of {len(losses)} epochs"
    return Diagnosis("converged" if abs(fall) < CONVERGED_SHARE else "limit", text)
