"""Other people's outlier detectors as methods: scikit-learn's, PyOD's, and whatever else has `fit` and gives scores."""

import copy
import inspect
import random
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import HasMethods, StrOptions

from ocnn.errors import DetectorError
from ocnn.methods.base import AnomalyDetector, flatten

#: What gives the scores; of both the first, as the second may be the first less a threshold.
SCORING = ("score_samples", "decision_function")
#: What high scores can mean.
DIRECTIONS = ("normal", "anomalous")
#: Share of the training samples beyond the threshold, where the detector has neither a threshold nor such a share.
USUAL_CONTAMINATION = 0.1


class WrappedDetector(AnomalyDetector):
    """A detector of another package, or of your own, with the interface and the checks of `AnomalyDetector`.

    What its high scores mean is known of PyOD's detectors (anomalous) and of scikit-learn's (normal), and of a pipeline
    that ends in one. PyOD's
    `decision_function` is taken, of others `score_samples` where they have it. The threshold is the detector's own
    (scikit-learn's `offset_`, PyOD's `threshold_`); of others the quantile of the training samples' scores at the
    detector's `contamination`, or at 0.1.

    The scores of the training samples are those that the detector gives them itself, if it does, as PyOD's do and
    scikit-learn's `LocalOutlierFactor`: there a sample is no neighbour of its own.

    Args:
        detector: an unfitted detector; a copy of it is fitted.
        higher_scores: `normal` or `anomalous`, what high scores mean; None: it is known.
        images: `flat` gives images to the detector as rows of pixels; `whole`, as they are.
        random_state: a seed below 2³¹ for the global random states of Python, NumPy and, where they have been
            imported, PyTorch and Keras, which some detectors draw on; None leaves these alone.

    Attributes:
        detector_: the fitted detector.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"])],
        "higher_scores": [StrOptions(set(DIRECTIONS)), None],
        "images": [StrOptions({"flat", "whole"})],
        "random_state": [Integral, None],
    }

    def __init__(
        self,
        detector: Any,
        *,
        higher_scores: str | None = None,
        images: str = "flat",
        random_state: int | None = None,
    ) -> None:
        self.detector = detector
        self.higher_scores = higher_scores
        self.images = images
        self.random_state = random_state

    @property
    def _label(self) -> str:
        return type(self.detector).__name__

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if direction := direction_fault(_type_of_last(self.detector), self.higher_scores):
            faults.append(f"{self._label} {direction}")
        if scoring := scoring_fault(self.detector):
            faults.append(scoring)
        return faults

    def _fit(self, X: NDArray[Any]) -> None:
        # No clone: it refuses a detector whose constructor alters a parameter, as those of some do.
        self.detector_ = copy.deepcopy(self.detector)
        self._call("fit", X)
        own = self._own_training_scores()
        self.training_scores_ = self._score_samples(X) if own is None else self._one_per_sample(own, X)
        threshold = self._own_threshold()
        self.offset_ = np.quantile(self.training_scores_, self._contamination) if threshold is None else threshold

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        scores = self._one_per_sample(self._call(self._scoring, X), X)
        return self._sign * scores

    @property
    def _sign(self) -> int:
        return 1 if (known_direction(_type_of_last(self.detector)) or self.higher_scores) == "normal" else -1

    @property
    def _scoring(self) -> str:
        """The name of the function that gives the scores."""
        if is_of_pyod(type(self.detector)):
            return "decision_function"
        return next(name for name in SCORING if hasattr(self.detector, name))

    @property
    def _contamination(self) -> float:
        share = getattr(self.detector_, "contamination", None)
        return float(share) if isinstance(share, Real) and 0 <= float(share) <= 0.5 else USUAL_CONTAMINATION

    def _own_training_scores(self) -> NDArray[Any] | None:
        """The scores (n,), higher = more normal, that the detector itself gave the training samples, or None."""
        detector = self.detector_
        if is_of_pyod(type(detector)) and getattr(detector, "decision_scores_", None) is not None:
            return -np.asarray(detector.decision_scores_, np.float64)
        if known_direction(type(detector)) == "normal" and hasattr(detector, "negative_outlier_factor_"):
            return np.asarray(detector.negative_outlier_factor_, np.float64)
        return None

    def _own_threshold(self) -> float | None:
        """The detector's own threshold, in the unit and direction of `score_samples`, or None."""
        if is_of_pyod(type(self.detector_)):
            value = getattr(self.detector_, "threshold_", None)
        elif known_direction(type(self.detector_)) == "normal":
            value = getattr(self.detector_, "offset_", None) if self._scoring == "score_samples" else 0.0
        else:
            return None
        if value is None or np.size(value) != 1:
            return None
        return self._sign * float(np.asarray(value).item())

    def _call(self, name: str, X: NDArray[Any]) -> Any:
        """Call a function of the fitted detector with a copy of the samples, which it may change, under the seed.

        Raises:
            DetectorError: it failed, or wanted to end the process; the message says where.
        """
        given = np.array(flatten(X) if self.images == "flat" else X)
        try:
            with _seeded(self.random_state):
                return getattr(self.detector_, name)(given)
        except (Exception, SystemExit) as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            text = " ".join(str(error).split()) or "no message"
            raise DetectorError(
                f"{self._label}.{name} failed on {len(given)} samples of shape {given.shape[1:]}:"
                f" {type(error).__name__}: {text} ({Path(place.filename).name}, line {place.lineno})"
            ) from error

    def _one_per_sample(self, scores: Any, X: NDArray[Any]) -> NDArray[Any]:
        try:
            values = super()._one_per_sample(scores, X)
        except ValueError as error:
            raise DetectorError(str(error)) from None
        if missing := np.count_nonzero(np.isnan(values)):
            raise DetectorError(f"{self._label} scored {missing} of {len(values)} samples by NaN, which has no order.")
        return values


def _type_of_last(detector: Any) -> type:
    """The class of what gives the scores: of a pipeline the last step's."""
    while isinstance(detector, Pipeline):
        detector = detector.steps[-1][1]
    return type(detector)


def is_of_pyod(detector: type) -> bool:
    """Whether a class is one of PyOD's detectors; PyOD itself need not be there."""
    base = getattr(sys.modules.get("pyod.models.base"), "BaseDetector", None)
    return base is not None and issubclass(detector, base)


def known_direction(detector: type) -> str | None:
    """Say what high scores of a class of detectors mean by its base class, one of `DIRECTIONS`, or None."""
    if is_of_pyod(detector):
        return "anomalous"
    return "normal" if issubclass(detector, OutlierMixin) else None


def direction_fault(detector: type, stated: str | None) -> str | None:
    """What is wrong with what is stated of the direction of a class's scores, after the class's name, or None."""
    known = known_direction(detector)
    if known is None and stated is None:
        return "does not say what its high scores mean: state higher_scores, normal or anomalous"
    if None not in (known, stated) and known != stated:
        owner = "PyOD's" if is_of_pyod(detector) else "scikit-learn's"
        return f"is one of {owner} detectors, whose high scores are {known}: higher_scores cannot be {stated}"
    return None


def scoring_fault(detector: Any) -> str | None:
    """What keeps a detector, made with its parameters, from scoring new samples, or None."""
    lacking = ["fit"] if not callable(getattr(detector, "fit", None)) else []
    if not any(callable(getattr(detector, name, None)) for name in SCORING):
        lacking.append("score_samples or decision_function")
    if not lacking and _labels_needed(detector.fit):
        return f"{type(detector).__name__} is no outlier detector: its fit needs more than samples, as labels"
    if not lacking:
        return None
    advice = "; with novelty=True it has it" if getattr(detector, "novelty", None) is False else ""
    return f"{type(detector).__name__} cannot score new samples: it has no {' and no '.join(lacking)}{advice}"


def _labels_needed(fit: Any) -> bool:
    """Whether a detector's `fit` takes something beside the samples that it cannot do without."""
    try:
        taken = inspect.signature(fit).parameters.values()
    except (TypeError, ValueError):  # compiled
        return False
    kinds = inspect.Parameter
    needed = [p for p in taken if p.default is kinds.empty and p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    return len(needed) > 1


def parameters_of(estimator: type) -> tuple[Mapping[str, inspect.Parameter], bool]:
    """The parameters of a class's constructor by name, and whether it takes any others, too."""
    try:
        parameters = inspect.signature(estimator).parameters
    except (TypeError, ValueError):  # a compiled class
        return {}, True
    kinds = inspect.Parameter
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    return named, any(parameter.kind == kinds.VAR_KEYWORD for parameter in parameters.values())


def usual_settings(detector: type) -> dict[str, Any]:
    """The parameters of a class that cannot stay at their default: `LocalOutlierFactor` is to score new samples."""
    return {"novelty": True} if "novelty" in parameters_of(detector)[0] else {}


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Seed the global random states inside the block; Python's and NumPy's come back after it."""
    if seed is None:
        yield
        return
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    seeders: list[Callable[[int], Any]] = [random.seed, np.random.seed]
    if "torch" in sys.modules:
        seeders.append(sys.modules["torch"].manual_seed)
    if "keras" in sys.modules:
        seeders.append(sys.modules["keras"].utils.set_random_seed)
    try:
        for seeder in seeders:
            seeder(int(seed))
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
