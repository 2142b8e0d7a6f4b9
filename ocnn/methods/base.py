"""What all methods share: scikit-learn's outlier detector with its checks of the input."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from ocnn.data.preprocessing import merged_features
from ocnn.methods.diagnosis import Diagnosis, diagnose_scores, first_of_each

#: Seeds are below this, so that every file format and backend holds them.
SEED_LIMIT = 2**31


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """Base of the methods: `fit`, `score_samples`, `decision_function` and `predict` with scikit-learn's meaning.

    A method defines `_fit(X)`, returning a diagnosis or None, and `_score_samples(X)`; it sets `offset_`, or has a
    parameter `contamination` (`ThresholdedDetector`). If it knows the scores of the training samples, it sets
    `training_scores_`; if those of fits without the sample, `left_out_scores_`. Scores are (n,) or (n, 1), in any
    sequence that NumPy makes numbers of. Its parameters are the keyword-only fields of a dataclass, or those of its
    `__init__`, which only stores them. What a class says in `_parameter_constraints` and `shared_settings` adds to what
    its bases say.

    X is (n, d) or (n, height, width, channels), of real numbers that float32 can hold.

    Attributes:
        offset_: `decision_function` is `score_samples` minus this.
        training_scores_: `score_samples` of the training samples, (n,).
        left_out_scores_: of each training sample the score by a fit without it, (n,), as of a new one; only of methods
            that know it.
        diagnosis_: how the fit ended, a `Diagnosis`.
        input_shape_: shape of a sample.
        n_features_in_: d, or the height of an image.
    """

    #: The learned attributes, each a number or a few of them, that a result of the method states.
    reported: ClassVar[tuple[str, ...]] = ()
    #: The parameters that an experiment decides for all of its methods → the experiment's names of them: `seed`,
    #: `verbose`, `contamination`, `batch_size`, `weight_decay`, `network`, `pretrain_epochs` and
    #: `pretrain_learning_rates`.
    shared_settings: ClassVar[Mapping[str, str]] = {}
    #: Whether fitting trains a network, which takes longer and may use a GPU.
    trains_network: ClassVar[bool] = False
    #: Whether `fit` can start from a pretrained autoencoder, given by the parameter `autoencoder`.
    uses_autoencoder: ClassVar[bool] = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    #: Type that the samples are converted to.
    _dtype: ClassVar[Any] = np.float64

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("_parameter_constraints", "shared_settings"):
            parts = (vars(base).get(name, {}) for base in reversed(cls.__mro__))
            setattr(cls, name, {key: value for part in parts for key, value in part.items()})
        if isinstance(cls.reported, str):
            raise TypeError(f"{cls.__name__}.reported must be a tuple of names, got the text {cls.reported!r}.")

    @property
    def _label(self) -> str:
        """What messages call the method."""
        return type(self).__name__

    def uses_holdout(self) -> bool:
        """Say whether `fit`, with these parameters, takes labelled samples to tune on: `X_holdout`, `y_holdout`."""
        return False

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Fit the method to samples most of which are normal; y is ignored.

        Warns:
            ConvergenceWarning: the fit diverged, collapsed or stopped at its limit; `diagnosis_` says how.
            DataConversionWarning: the method computes in float32, which loses values of a feature.

        Raises:
            ValueError: samples or parameters that cannot be used; nothing has been computed yet then.
        """
        self._validate_params()
        samples = self._check_samples(X, reset=True)
        # A refit starts from nothing: no attribute of an earlier fit decides anything.
        for name in ("offset_", "training_scores_", "left_out_scores_"):
            if hasattr(self, name):
                delattr(self, name)
        return self._finish(samples, self._fit(samples))

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the normality of each sample, higher = more normal, in the method's own unit: (n, …) → (n,)."""
        check_is_fitted(self)
        samples = self._check_samples(X, reset=False)
        return self._one_per_sample(self._score_samples(samples), samples)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute `score_samples` less the threshold: ≥ 0 normal, < 0 anomalous; (n, …) → (n,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Predict 1 for normal, −1 for anomalous samples: (n, …) → (n,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _validate_params(self) -> None:
        super()._validate_params()
        if faults := self._parameter_faults():
            raise ValueError("\n".join(faults))

    def _parameter_faults(self) -> list[str]:
        """List all that is wrong with parameters whose `_parameter_constraints` hold; a method adds its own."""
        seed = getattr(self, "random_state", None)
        if isinstance(seed, Integral) and int(seed) >= SEED_LIMIT:
            return [f"random_state must be below 2**31, got {seed}."]
        return []

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        raise NotImplementedError

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the absolute rounding error of each of these scores of X, (n,): of their last digit by default."""
        return np.abs(scores) * np.finfo(scores.dtype).eps

    def _finish(self, X: NDArray[Any], diagnosis: Diagnosis | None) -> Self:
        """Set the threshold and the diagnosis from the scores of the training samples."""
        if not hasattr(self, "training_scores_"):
            self.training_scores_ = self._score_samples(X)
        scores = self.training_scores_ = self._one_per_sample(self.training_scores_, X)
        if not hasattr(self, "offset_"):
            if not hasattr(self, "contamination"):
                raise TypeError(
                    f"{self._label} has no threshold: let `_fit` set `offset_`, or derive it from ThresholdedDetector."
                )
            self.offset_ = float(np.quantile(getattr(self, "left_out_scores_", scores), self.contamination))
        offset = np.asarray(self.offset_)
        if offset.dtype.kind not in "biuf" or offset.size != 1:
            raise ValueError(f"{self._label}.offset_ must be one real number, got {self.offset_!r}.")
        self.offset_ = float(offset.item())
        if diagnosis is not None and not isinstance(diagnosis, Diagnosis):
            # No reason to lose the fit.
            text = f"`_fit` of {self._label} must return a Diagnosis or None: its result is ignored."
            warnings.warn(text, UserWarning, stacklevel=3)
            diagnosis = None
        if diagnosis is None or not diagnosis.degenerate:
            found = diagnose_scores(scores, self._rounding(X, scores), first_of_each(X))
            diagnosis = found or diagnosis or Diagnosis("converged", "the fit has no iterations of its own")
        self.diagnosis_ = diagnosis
        if diagnosis.status != "converged":
            ended = "stopped at its limit" if diagnosis.status == "limit" else diagnosis.status
            text = f"{self._label} {ended}: {diagnosis.reason}."
            warnings.warn(text, ConvergenceWarning, stacklevel=3)
        return self

    def _one_per_sample(self, scores: Any, X: NDArray[Any]) -> NDArray[Any]:
        """The scores of X, whatever sequence of numbers a method made of them, as floats: (n,) or (n, 1) → (n,)."""
        values = np.asarray(scores)
        if values.dtype.kind in "biu":
            values = values.astype(np.float64)
        if values.dtype.kind != "f" or values.shape not in ((len(X),), (len(X), 1)):
            raise ValueError(
                f"{self._label} must score each sample by one real number: for {len(X)} samples it gave"
                f" {values.dtype} of shape {values.shape}."
            )
        return values.reshape(len(X))

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
        if reset and samples.ndim == 2 and samples.dtype == np.float32:
            self._warn_of_merged_features(np.asarray(X), samples)
        if samples.size == 0:
            raise ValueError(f"Found array with 0 feature(s) (shape={samples.shape}) while a minimum of 1 is required.")
        # Where a method computes in float64 too: squares of larger numbers overflow.
        if max(samples.max(), -samples.min()) > np.finfo(np.float32).max:
            raise ValueError("Input X contains a value too large for dtype('float32').")
        if reset:
            self.input_shape_ = samples.shape[1:]
        elif samples.shape[1:] != self.input_shape_:
            raise ValueError(
                f"{self._label} was fitted to samples of shape {self.input_shape_}, got {samples.shape[1:]}."
            )
        return samples

    def _warn_of_merged_features(self, given: NDArray[Any], samples: NDArray[np.float32]) -> None:
        """Warn where samples (n, d), converted, differ in fewer values than the given ones."""
        if given.dtype == samples.dtype or not len(merged := merged_features(given, samples)):
            return
        warnings.warn(
            f"{type(self).__name__} computes in float32, which keeps at most half of the distinct values of"
            f" {len(merged)} features, first of feature {merged[0]}: subtract an offset from them, or scale them.",
            DataConversionWarning,
            stacklevel=4,
        )


@dataclass(kw_only=True, eq=False, repr=False)
class ThresholdedDetector(AnomalyDetector):
    """Base of the methods whose threshold is the quantile of the training samples' scores at `contamination`.

    It is that of `left_out_scores_` where the method has them. Otherwise more of the new samples than this share lie
    beyond it, the more the closer the fit is to its samples: `ConformalDetector` has a threshold that holds.

    Args:
        contamination: share of anomalies among all training samples, which `predict` calls anomalous.
    """

    contamination: float = 0.1

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }


@dataclass(kw_only=True, eq=False, repr=False)
class NuDetector(AnomalyDetector):
    """Base of the methods whose ν is the share of anomalies in the training set, as the paper of OC-NN chooses it.

    Args:
        nu: ν in (0, 1]; None: `anomaly_share`.
        anomaly_share: share of anomalies among all training samples, in [0, 0.5]; has a part only in ν.
    """

    nu: float | None = 0.1
    anomaly_share: float = 0.1

    shared_settings: ClassVar[Mapping[str, str]] = {"anomaly_share": "contamination"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "nu": [Interval(Real, 0, 1, closed="right"), None],
        "anomaly_share": [Interval(Real, 0, 0.5, closed="both")],
    }

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if self.nu is None and self.anomaly_share == 0:
            faults.append("nu=None takes anomaly_share for ν, which must not be 0: give nu a number in (0, 1].")
        return faults

    @property
    def _nu(self) -> float:
        """The ν that holds."""
        return self.anomaly_share if self.nu is None else self.nu


def positive_faults(name: str, numbers: Any) -> list[str]:
    """List a fault unless these are one or several positive finite numbers."""
    largest = float(np.finfo(np.float64).max)
    kinds = int | float | np.integer | np.floating
    if len(numbers) > 0 and all(isinstance(n, kinds) and n is not True and 0 < n <= largest for n in numbers):
        return []
    return [f"{name} must be a sequence of positive numbers, at least one, got {numbers!r}."]


def flatten(X: NDArray[Any]) -> NDArray[Any]:
    """Turn images into rows of pixels: (n, …) → (n, d)."""
    return X.reshape(len(X), -1)
