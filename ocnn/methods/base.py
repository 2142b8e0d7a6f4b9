"""What all methods share: scikit-learn's outlier detector with its checks of the input."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ocnn.methods.diagnosis import Diagnosis, diagnose_scores


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """Base of the methods: `fit`, `score_samples`, `decision_function` and `predict` with scikit-learn's meaning.

    A method defines `_fit(X)`, returning a diagnosis or None, and `_score_samples(X)`; it sets `offset_`, or has a
    parameter `contamination`, the share of training samples that `predict` is to call anomalous. If it knows the scores
    of the training samples, it sets `training_scores_`.

    X is (n, d) or (n, height, width, channels), of real numbers that float32 can hold.

    Attributes:
        offset_: `decision_function` is `score_samples` minus this.
        training_scores_: `score_samples` of the training samples, (n,).
        diagnosis_: how the fit ended, a `Diagnosis`.
        input_shape_: shape of a sample.
        n_features_in_: d, or the height of an image.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    #: Parameters that an experiment sets for all its methods: parameter → name in `ocnn.config.schema.SHARED_SETTINGS`.
    shared_settings: ClassVar[Mapping[str, str]] = {}
    #: Type that the samples are converted to.
    _dtype: Any = np.float64
    #: Whether `fit` can start from a pretrained autoencoder, given by the parameter `autoencoder`.
    uses_autoencoder = False
    #: Whether `fit` trains a network.
    trains_network: ClassVar[bool] = False
    #: Attributes of a fit that its score file states.
    reported: ClassVar[tuple[str, ...]] = ()

    def uses_holdout(self) -> bool:
        """Whether `fit` takes labelled samples to tune on, `X_holdout` and `y_holdout`."""
        return False

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Fits the method to samples most of which are normal; y is ignored.

        Raises:
            ValueError: samples or parameters that cannot be used; nothing has been computed yet then.
        """
        self._validate_params()
        samples = self._check_samples(X, reset=True)
        # A refit starts from nothing: no attribute of an earlier fit decides anything.
        for name in ("offset_", "training_scores_"):
            if hasattr(self, name):
                delattr(self, name)
        return self._finish(samples, self._fit(samples))

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Normality of each sample, higher = more normal, in the method's own unit: (n, …) → (n,)."""
        check_is_fitted(self)
        return self._score_samples(self._check_samples(X, reset=False))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """`score_samples` less the threshold: ≥ 0 normal, < 0 anomalous; (n, …) → (n,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """1 for normal, −1 for anomalous samples: (n, …) → (n,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _validate_params(self) -> None:
        super()._validate_params()
        if faults := self._parameter_faults():
            raise ValueError("\n".join(faults))

    def _parameter_faults(self) -> list[str]:
        """All that is wrong with parameters whose `_parameter_constraints` hold, a line each; a method adds its own."""
        return []

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        raise NotImplementedError

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _finish(self, X: NDArray[Any], diagnosis: Diagnosis | None) -> Self:
        """Sets the threshold and the diagnosis from the scores of the training samples."""
        if not hasattr(self, "training_scores_"):
            self.training_scores_ = self._score_samples(X)
        scores = self.training_scores_
        if not hasattr(self, "offset_"):
            self.offset_ = float(np.quantile(scores, self.contamination))
        found = diagnosis if diagnosis is not None and diagnosis.degenerate else diagnose_scores(scores)
        self.diagnosis_ = found or diagnosis or Diagnosis("converged", "the fit has no iterations of its own")
        return self

    def _check_samples(self, X: ArrayLike, *, reset: bool) -> NDArray[Any]:
        # A number that overflows in the conversion becomes infinite, and is refused as such.
        with np.errstate(over="ignore"):
            samples: NDArray[Any] = validate_data(
                self, X, reset=reset, allow_nd=True, dtype=self._dtype, order="C", ensure_min_samples=2 if reset else 1
            )
        if samples.ndim not in (2, 4):
            raise ValueError(
                f"Samples must be (n, d) or (n, height, width, channels), got dim {samples.ndim}: {samples.shape}."
            )
        if samples.size == 0:
            raise ValueError(f"Found array with 0 feature(s) (shape={samples.shape}) while a minimum of 1 is required.")
        # Where a method computes in float64 too: squares of larger numbers overflow.
        if max(samples.max(), -samples.min()) > np.finfo(np.float32).max:
            raise ValueError("Input X contains a value too large for dtype('float32').")
        if reset:
            self.input_shape_ = samples.shape[1:]
        elif samples.shape[1:] != self.input_shape_:
            raise ValueError(
                f"{type(self).__name__} was fitted to samples of shape {self.input_shape_}, got {samples.shape[1:]}."
            )
        return samples


def positive_faults(name: str, numbers: Any) -> list[str]:
    """A line unless these are one or several positive finite numbers."""
    if len(numbers) > 0 and all(isinstance(n, Real) and 0 < float(n) < np.inf for n in numbers):
        return []
    return [f"{name} must be a sequence of positive numbers, at least one, got {numbers!r}."]


def flatten(X: NDArray[Any]) -> NDArray[Any]:
    """(n, …) → (n, d): images as rows of pixels."""
    return X.reshape(len(X), -1)
