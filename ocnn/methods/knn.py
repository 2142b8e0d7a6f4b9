"""Distance to the nearest neighbours (Ramaswamy et al. 2000; Angiulli, Pizzuti 2002), found by scikit-learn."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import ThresholdedDetector, flatten
from ocnn.methods.gaussian import neighbour_index, origin_of, warn_of_all_pairs


@dataclass(kw_only=True, eq=False, repr=False)
class KNN(ThresholdedDetector):
    """Distances of flattened samples to their k nearest training samples; `score_samples` is minus what they amount to.

    No sample is a neighbour of itself: of the training samples that equal a sample, one is left out. So a training
    sample has the same score whenever it is scored, and the threshold is that of samples like new ones.

    Args:
        n_neighbors: k; fewer where there are fewer other training samples.
        aggregate: `kth`, the distance to the k-th neighbour (Ramaswamy et al. 2000); `mean`, the mean of the k
            distances (Angiulli, Pizzuti 2002, whose sum it is but for the factor k).

    The other is that of `ThresholdedDetector`.

    Attributes:
        samples_, origin_: the training samples (n, d), less this origin (d,) of all distances.
        neighbors_: scikit-learn's index of them, by products of matrices or a tree (`gaussian.neighbour_index`).
    """

    n_neighbors: int = 5
    aggregate: str = "kth"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "aggregate": [StrOptions({"kth", "mean"})],
    }

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the index, which is made of the samples again."""
        return {name: value for name, value in super().__getstate__().items() if name != "neighbors_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "samples_"):
            self.neighbors_ = neighbour_index(self.samples_)

    def _fit(self, X: NDArray[Any]) -> None:
        self.origin_ = origin_of(flatten(X))
        self.samples_ = flatten(X) - self.origin_
        self.neighbors_ = neighbour_index(self.samples_)
        if self.neighbors_.algorithm == "brute":
            warn_of_all_pairs(self.samples_, "KNN", "IForest looks at none of the pairs")

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        rows = flatten(X) - self.origin_
        k = min(self.n_neighbors, len(self.samples_) - 1)
        # scikit-learn works through them in blocks of a size of its own.
        nearest = self.neighbors_.kneighbors(rows, k + 1, return_distance=False)
        # Distances by differences: those of products lose what near neighbours differ by. One neighbour at a time,
        # in no more memory than the samples take.
        distances = np.empty(nearest.shape)
        for place, neighbour in enumerate(nearest.T):
            distances[:, place] = np.linalg.norm(rows - self.samples_[neighbour], axis=1)
        distances.sort(axis=1)
        itself = distances[:, :1] == 0
        others = np.where(itself, distances[:, 1:], distances[:, :-1])
        return -(others[:, -1] if self.aggregate == "kth" else others.mean(axis=1))
