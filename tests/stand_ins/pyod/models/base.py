"""The interface of PyOD's detectors: higher scores are more anomalous."""

from typing import Any

import numpy as np


class BaseDetector:
    """What PyOD's base class does with the scores of the training samples; nothing else of it is here."""

    def __init__(self, contamination: float = 0.1) -> None:
        if not 0 < contamination <= 0.5:
            raise ValueError(f"contamination must be in (0, 0.5], got: {contamination:f}")
        self.contamination = contamination

    def _process_decision_scores(self) -> None:
        scores: Any = self.decision_scores_  # type: ignore[attr-defined]
        self.threshold_ = np.percentile(scores, 100 * (1 - self.contamination))
        self.labels_ = (scores > self.threshold_).astype(int)
