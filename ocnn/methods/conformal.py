"""Conformal calibration (Laxhammar, Falkman 2010): the share of false alarms that was asked for."""

import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MetaEstimatorMixin
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from ocnn.methods.base import SEED_LIMIT, AnomalyDetector
from ocnn.methods.diagnosis import Diagnosis
from ocnn.methods.wrapped import WrappedDetector

#: New samples that are compared with all calibration samples at once.
COMPARED = 1024
#: What a share times a number may lack of a whole number by rounding.
ROUNDING = 1e-9


class ConformalDetector(MetaEstimatorMixin, AnomalyDetector):
    """Any detector, with p-values and a threshold that raises a false alarm on a stated share of new normal samples.

    Some samples are left out of the fit. A new sample's p-value is its rank among them by the detector's score s:

        p(x) = (1 + #{i : s(x_i) ≤ s(x)}) / (n + 1)

    It is an anomaly where p ≤ `false_alarms`. If new normal samples and those left out are exchangeable, this is so of
    a normal one with at most that probability, whatever the detector is. For scores without ties and one fit, the
    share of false alarms, given the training set, is Beta(k, n + 1 − k) with k = ⌊α (n + 1)⌋ (Bates et al. 2023): with
    α = 0.1 and n = 100 it still varies by three points. Anomalies among the samples left out make for fewer alarms.

    Without `cv` a share of the samples is left out once (split conformal). With `cv`, each of so many folds is left out
    of one of so many fits, and a new sample is compared with each by the fit that left it out: all samples calibrate,
    and nearly all are fitted. That is cross-conformal prediction (Vovk 2015) or, with as many folds as samples, the
    jackknife+ (Barber et al. 2021); Hennhöfer and Preisach (2024) take both to detectors. What is proven is
    2 · `false_alarms` and a little; on data the share is near what was asked for (docs/thresholds.md).

    `decision_function` is what s(x) exceeds the calibration samples' scores by, of these differences the k-th largest:
    ≥ 0 where p > `false_alarms`. So is `score_samples`, the threshold is 0.

    Args:
        detector: an unfitted detector; copies of it are fitted. One of another package is put into a `WrappedDetector`.
        false_alarms: α, the share of new normal samples that `predict` may call anomalous; at least 1 / (n + 1) with n
            calibration samples.
        cv: number of folds, at most one per sample; None: one split.
        calibration: without `cv`, the share of the samples that is left out.
        random_state: seed below 2³¹, generator or None; it decides which samples these are.

    Attributes:
        detectors_: the fitted detectors, one per fold.
        calibration_scores_: of each of them the scores of the samples that it was not fitted to, ascending.
        n_calibration_: n.
    """

    reported: ClassVar[tuple[str, ...]] = ("n_calibration_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"])],
        "false_alarms": [Interval(Real, 0, 1, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "calibration": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: Any,
        *,
        false_alarms: float = 0.1,
        cv: int | None = None,
        calibration: float = 0.5,
        random_state: Any = None,
    ) -> None:
        self.detector = detector
        self.false_alarms = false_alarms
        self.cv = cv
        self.calibration = calibration
        self.random_state = random_state

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        seed = int(check_random_state(self.random_state).randint(SEED_LIMIT))
        if self.cv is None:
            splitter: Any = ShuffleSplit(1, test_size=self.calibration, random_state=seed)
        else:
            splitter = KFold(min(self.cv, len(X)), shuffle=True, random_state=seed)
        splits = list(splitter.split(X))
        self.n_calibration_ = sum(len(left_out) for _, left_out in splits)
        if self._allowed < 1:
            needed = int(np.ceil(1 / self.false_alarms - ROUNDING)) - 1
            raise ValueError(
                f"false_alarms={self.false_alarms:g} needs {needed} calibration samples or more, got"
                f" {self.n_calibration_} of n_samples = {len(X)}."
            )
        self.detectors_ = [self._copy().fit(X[fitted]) for fitted, _ in splits]
        self.calibration_scores_ = [
            np.sort(detector.score_samples(X[left_out]))
            for detector, (_, left_out) in zip(self.detectors_, splits, strict=True)
        ]
        self.offset_ = 0.0
        diagnoses = [detector.diagnosis_ for detector in self.detectors_]
        # The gravest, and of such the first.
        return max(diagnoses, key=lambda diagnosis: (diagnosis.degenerate, diagnosis.status == "limit"))

    def _copy(self) -> AnomalyDetector:
        """An unfitted copy of the detector, with this package's interface."""
        detector = copy.deepcopy(self.detector)
        return detector if isinstance(detector, AnomalyDetector) else WrappedDetector(detector)

    @property
    def _allowed(self) -> int:
        """k: a sample with fewer than k calibration scores at or below its own is an anomaly."""
        return int(np.floor(self.false_alarms * (self.n_calibration_ + 1) + ROUNDING))

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        k = self._allowed
        # Of each fold only the k lowest scores can be among the k largest differences.
        lowest = [scores[:k] for scores in self.calibration_scores_]
        scores = [detector.score_samples(X) for detector in self.detectors_]
        result = np.empty(len(X))
        for part in gen_batches(len(X), COMPARED):
            pairs = zip(scores, lowest, strict=True)
            differences = np.concatenate([own[part, None] - others for own, others in pairs], axis=1)
            result[part] = np.partition(differences, -k, axis=1)[:, -k]
        return result

    def p_values(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the p-value of each sample under the hypothesis that it is normal: (n, …) → (n,), in (0, 1].

        For several samples at once `scipy.stats.false_discovery_control` bounds the share of false ones among all
        discoveries (Benjamini, Hochberg 1995); of a split's p-values Bates et al. (2023) prove that it holds.
        """
        check_is_fitted(self)
        samples = self._check_samples(X, reset=False)
        below = np.zeros(len(samples), np.int64)
        for detector, calibration in zip(self.detectors_, self.calibration_scores_, strict=True):
            below += np.searchsorted(calibration, detector.score_samples(samples), side="right")
        return (1 + below) / (1 + self.n_calibration_)
