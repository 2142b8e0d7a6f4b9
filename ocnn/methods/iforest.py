"""Isolation Forest (Liu et al. 2008), scikit-learn's, with the paper's 100 trees on sub-samples of 256."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import AnomalyDetector, flatten


@dataclass(kw_only=True, eq=False, repr=False)
class IForest(AnomalyDetector):
    """Isolation Forest on flattened samples; `score_samples` is minus the anomaly score of its paper.

    Args:
        n_estimators: trees.
        max_samples: samples that each tree is grown on; all of them where there are fewer.
        contamination: share of anomalies among all training samples, which `predict` calls anomalous; `auto`: the
            paper's threshold 0.5.
        random_state: seed below 2³¹, generator or None.
    """

    n_estimators: int = 100
    max_samples: int = 256
    contamination: float | str = "auto"
    random_state: Any = None

    shared_settings: ClassVar[Mapping[str, str]] = {"random_state": "seed"}
    _dtype: ClassVar[Any] = np.float32  # what scikit-learn's trees compute in
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Refuse trees that lead out of themselves: scikit-learn follows them without a look at their bounds."""
        super().__setstate__(state)
        for tree in (estimator.tree_ for estimator in getattr(getattr(self, "forest_", None), "estimators_", ())):
            inner = tree.children_left >= 0
            children = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
            parents = np.tile(np.flatnonzero(inner), 2)
            features = tree.feature[inner]
            if not (
                ((children > parents) & (children < tree.node_count)).all()
                and ((features >= 0) & (features < self.forest_.n_features_in_)).all()
            ):
                raise ValueError("a tree of a saved isolation forest leads out of itself")

    def _fit(self, X: NDArray[Any]) -> None:
        self.forest_ = IsolationForest(
            n_estimators=self.n_estimators,
            max_samples=min(self.max_samples, len(X)),
            random_state=self.random_state,
        ).fit(flatten(X))
        if self.contamination == "auto":
            self.offset_ = self.forest_.offset_

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self.forest_.score_samples(flatten(X))
