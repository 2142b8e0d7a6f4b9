"""How well anomaly scores rank anomalies above normal samples: pure functions, each registered by the line above it.

A function with that line is a new metric; it is measured, summarised and shown without another change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps

import numpy as np
from numpy.typing import ArrayLike, NDArray
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


@dataclass(frozen=True)
class Curve:
    """How many samples score at least as high as every distinct score, from above the highest to the lowest.

    flagged, found: (1 + distinct scores,), normal samples and anomalies, whole numbers that start with 0.
    """

    flagged: NDArray[np.float64]
    found: NDArray[np.float64]

    @property
    def fpr(self) -> NDArray[np.float64]:
        """Share the normal samples that are flagged, from 0 to 1."""
        return self.flagged / self.flagged[-1]

    @property
    def tpr(self) -> NDArray[np.float64]:
        """Share the anomalies that are found, from 0 to 1."""
        return self.found / self.found[-1]

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share the anomalies among what is flagged; without the first point, where nothing is."""
        return self.found[1:] / (self.found[1:] + self.flagged[1:])


def curve(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> Curve:
    """Count at every distinct score, and leave no point out.

    Args:
        is_anomaly, anomaly_score: (n,), some of either kind, finite.

    Returns:
        The curve, which may not be written to: the last one is kept, as all numbers of a fit are read off it.
    """
    return _curve(np.asarray(is_anomaly, bool).tobytes(), np.asarray(anomaly_score, np.float64).tobytes())


@lru_cache(maxsize=1)
def _curve(labels: bytes, scores: bytes) -> Curve:
    is_anomaly = np.frombuffer(labels, bool)
    fpr, tpr, _ = sklearn_metrics.roc_curve(is_anomaly, np.frombuffer(scores), drop_intermediate=False)
    anomalies = is_anomaly.sum()
    counts = np.rint(fpr * (len(is_anomaly) - anomalies)), np.rint(tpr * anomalies)
    for count in counts:
        count.flags.writeable = False
    return Curve(*counts)


@metric("AUC")
def auc(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute the area under the ROC curve: P(an anomaly scores above a normal sample) + ½ P(they score alike)."""
    points = curve(is_anomaly, anomaly_score)
    return float(sklearn_metrics.auc(points.fpr, points.tpr))


def auc_error(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute the standard error of the AUC that comes from the choice of samples (DeLong et al. 1988, Biometrics 44).

        s² = var_a(P_a)/m + var_b(P_b)/n ,

    with P_a the share of the n normal samples that the anomaly a scores above, P_b the share of the m anomalies that
    score above the normal sample b, a tie counting half; samples that score alike are counted together. It is what
    drawing other samples of either kind would vary, the fitted method being the same. Where all anomalies score
    above all normal samples it is 0, though the AUC of further samples need not be 1.

    Args:
        is_anomaly, anomaly_score: (m + n,).

    Returns:
        In the unit of `auc`; NaN where that is, and where there are fewer than two samples of either kind.
    """
    labels, scores = np.asarray(is_anomaly, bool), np.asarray(anomaly_score, np.float64)
    if min(labels.sum(), (~labels).sum()) < 2 or not np.isfinite(scores).all():
        return float("nan")
    points = curve(labels, scores)

    def variance_of_mean(shares: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
        squares = (shares - np.average(shares, weights=counts)) ** 2
        return float(np.average(squares, weights=counts) / (counts.sum() - 1))

    # At each distinct score, half of what ties there and all of what scores lower, or higher.
    above = 1 - (points.fpr[:-1] + points.fpr[1:]) / 2
    below = (points.tpr[:-1] + points.tpr[1:]) / 2
    variance = variance_of_mean(above, np.diff(points.found)) + variance_of_mean(below, np.diff(points.flagged))
    return float(np.sqrt(variance))


@metric("average precision")
def average_precision(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute Σ_k (R_k − R_{k−1}) P_k, with precision P_k and recall R_k at the k-th highest distinct score."""
    points = curve(is_anomaly, anomaly_score)
    return float(np.average(points.precision, weights=np.diff(points.found)))


@metric("FPR at 95 % TPR", higher_is_better=False)
def fpr_at_95_tpr(is_anomaly: ArrayLike, anomaly_score: ArrayLike) -> float:
    """Compute the share of normal samples flagged at the highest threshold that finds 95 % of the anomalies."""
    points = curve(is_anomaly, anomaly_score)
    return float(points.fpr[np.argmax(points.tpr >= 0.95)])
