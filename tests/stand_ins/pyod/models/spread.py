"""A detector in the form of PyOD's."""

from typing import Any

import numpy as np

from .base import BaseDetector

POWER = 1.0


class Spread(BaseDetector):
    """Scores by the distance to the mean of the training samples that are left in: of them a share `used`, at random.

    A training sample's own score leaves it out of the mean, so that it is greater than what `decision_function` gives.
    """

    def __init__(self, contamination: float = 0.1, used: float = 1.0, random_state: Any = None) -> None:
        super().__init__(contamination)
        self.used = used
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "Spread":
        """Fits to rows."""
        if X.ndim != 2:
            raise ValueError(f"Found array with dim {X.ndim}, while dim 2 is required.")
        count = len(X)
        generator = np.random.default_rng(self.random_state)
        self.mean_ = X[generator.permutation(count)[: max(2, int(self.used * count))]].mean(axis=0)
        self.decision_scores_ = self.decision_function(X) * count / (count - 1)
        self._process_decision_scores()
        return self

    def decision_function(self, X: Any) -> Any:
        """Scores rows."""
        return np.linalg.norm(X - self.mean_, axis=1) ** POWER
