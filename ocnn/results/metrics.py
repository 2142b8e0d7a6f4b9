"""How well anomaly scores rank anomalies above normal samples: pure functions, each registered by the line above it.

A function with that line is a new metric; it is measured, summarised and shown without another change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn import metrics as sklearn_metrics

#: In this order, which is the order of the tables, too; `measurements.evaluations` says which samples each has.
EVALUATIONS = ("test", "train", "held_out")
#: How a fit ends whose scores are no result of its method.
DEGENERATE = ("diverged", "collapsed")
#: The metric of what was published.
PUBLISHED_METRIC = "auc"

Ranking = Callable[[ArrayLike, ArrayLike], float]


@dataclass(frozen=True)
class Metric:
    """A metric as the tables know it.

    function: is_anomaly (n,), anomaly_score (n,) → float; NaN where it is undefined.
    title: for a reader.
    higher_is_better: or lower.
    scale, unit: what a value is multiplied by in the summary, and the unit that it has then.
    """

    function: Ranking
    title: str
    higher_is_better: bool
    scale: float
    unit: str


METRICS: dict[str, Metric] = {}


def metric(
    title: str, *, higher_is_better: bool = True, scale: float = 100.0, unit: str = "%"
) -> Callable[[Ranking], Ranking]:
    """Register a function as a metric, NaN where only one kind of sample is there or a score is not finite.

    Args:
        title, higher_is_better, scale, unit: see `Metric`; a share becomes a percentage.
    """

    def register(function: Ranking) -> Ranking:
        @wraps(function)
        def defined(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
            labels, scores = np.asarray(is_anomaly, bool), np.asarray(anomaly_score, np.float64)
            if labels.all() or not labels.any() or not np.isfinite(scores).all():
                return float("nan")
            return float(function(labels, scores))

        METRICS[function.__name__] = Metric(defined, title, higher_is_better, scale, unit)
        return defined

    return register


def roc(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the ROC curve at every distinct score, from the highest on, and leave no point out.

    Args:
        is_anomaly, anomaly_score: (n,), some of either kind, finite.

    Returns:
        False and true positive rates, from 0 to 1. Neither may be written to: the last curve is kept, as several
        numbers of a fit are read off it.
    """
    return _roc(np.asarray(is_anomaly, bool).tobytes(), np.asarray(anomaly_score, np.float64).tobytes())


@lru_cache(maxsize=1)
def _roc(labels: bytes, scores: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    curve = sklearn_metrics.roc_curve(np.frombuffer(labels, bool), np.frombuffer(scores), drop_intermediate=False)
    fpr, tpr = (np.asarray(rates, np.float64) for rates in curve[:2])
    fpr.flags.writeable = tpr.flags.writeable = False
    return fpr, tpr


@metric("AUC")
def auc(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute the area under the ROC curve: P(an anomaly scores above a normal sample) + ½ P(they score alike)."""
    return float(sklearn_metrics.auc(*roc(is_anomaly, anomaly_score)))


def auc_error(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute the standard error of the AUC that comes from the choice of samples (DeLong et al. 1988, Biometrics 44).

        s² = var_a(P_a)/m + var_b(P_b)/n ,

    with P_a the share of the n normal samples that the anomaly a scores above, P_b the share of the m anomalies that
    score above the normal sample b, a tie counting half; by ranks, as Sun and Xu (2014, IEEE Signal Processing Letters
    21) do. It is what drawing the samples of either kind anew would vary, the fitted method being the same. Where all
    anomalies score above all normal samples it is 0, though the AUC of further samples need not be 1.

    Args:
        is_anomaly, anomaly_score: (m + n,).

    Returns:
        In the unit of `auc`; NaN where that is, and where there are fewer than two samples of either kind.
    """
    labels, scores = np.asarray(is_anomaly, bool), np.asarray(anomaly_score, np.float64)
    m, n = labels.sum(), (~labels).sum()
    if min(m, n) < 2 or not np.isfinite(scores).all():
        return float("nan")
    ranks = rankdata(scores)
    above = (ranks[labels] - rankdata(scores[labels])) / n
    below = 1 - (ranks[~labels] - rankdata(scores[~labels])) / m
    return float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))


@metric("average precision")
def average_precision(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute Σ_k (R_k − R_{k−1}) P_k, with precision P_k and recall R_k at the k-th highest distinct score."""
    return float(sklearn_metrics.average_precision_score(is_anomaly, anomaly_score))


@metric("FPR at 95 % TPR", higher_is_better=False)
def fpr_at_95_tpr(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute the share of normal samples flagged at the highest threshold that finds 95 % of the anomalies."""
    fpr, tpr = roc(is_anomaly, anomaly_score)
    return float(fpr[np.argmax(tpr >= 0.95)])
