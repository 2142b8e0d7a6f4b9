"""Other people's detectors as methods: what their scores mean, their thresholds, and what they do wrong."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDOneClassSVM
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import parametrize_with_checks

from ocnn.errors import DetectorError
from ocnn.methods import KDE, KNN
from ocnn.methods.wrapped import WrappedDetector, direction_fault, known_direction
from tests.conftest import ROOT


class Plain:
    """A detector of nobody's: its scores are the distance to the mean."""

    def __init__(self, power: float = 1.0) -> None:
        self.power = power

    def fit(self, X: Any) -> None:
        self.mean_ = X.mean(axis=0)
        self.shape_ = X.shape

    def decision_function(self, X: Any) -> Any:
        return (np.square(X - self.mean_).reshape(len(X), -1).sum(axis=1)) ** (self.power / 2)


class Drawing(Plain):
    """One that draws on the global random state, when it is fitted and when it scores."""

    def fit(self, X: Any) -> None:
        super().fit(X)
        self.mean_ = self.mean_ + np.random.normal(size=self.mean_.shape)  # noqa: NPY002

    def decision_function(self, X: Any) -> Any:
        return super().decision_function(X) + np.random.uniform(size=len(X))  # noqa: NPY002


class Careless(Plain):
    """One that centres the very array that it is given, and leaves nothing of one that it scores."""

    def fit(self, X: Any) -> None:
        X -= 7
        super().fit(X)

    def decision_function(self, X: Any) -> Any:
        X -= 7
        scores = super().decision_function(X)
        X[:] = 0
        return scores


@pytest.fixture
def rows(blobs: Any) -> tuple[Any, Any, Any]:
    """Training and test samples in the type that detectors are given, and which of the latter are anomalies."""
    train, test, is_anomaly = blobs
    return np.array(train, float, order="C"), np.array(test, float, order="C"), is_anomaly


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The class of the stand-in's detector; whatever PyOD there is comes back after the test."""
    there = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pyod"}
    for name in there:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "stand_ins"))
    from pyod.models.spread import Spread

    yield Spread
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyod"]:
        del sys.modules[name]
    sys.modules.update(there)


@parametrize_with_checks([WrappedDetector(IsolationForest(n_estimators=10, random_state=0))])
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize(
    "detector",
    [
        LocalOutlierFactor(novelty=True),
        OneClassSVM(nu=0.2),
        EllipticEnvelope(random_state=0),
        IsolationForest(n_estimators=20, random_state=0),
        SGDOneClassSVM(random_state=0),
    ],
    ids=lambda detector: type(detector).__name__,
)
def test_scikit_learn_s_detectors_are_what_they_are_alone(detector: Any, rows: Any) -> None:
    """The same scores, decisions and predictions, to the bit."""
    train, test, is_anomaly = rows
    wrapped = WrappedDetector(detector).fit(train)
    detector.fit(train)
    assert wrapped.score_samples(test).tobytes() == detector.score_samples(test).astype(float).tobytes()
    np.testing.assert_allclose(wrapped.decision_function(test), detector.decision_function(test), rtol=1e-12)
    np.testing.assert_array_equal(wrapped.predict(test), detector.predict(test))
    # That one separates from the origin; here it lies among the samples.
    if not isinstance(detector, SGDOneClassSVM):
        assert roc_auc_score(~is_anomaly, wrapped.decision_function(test)) > 0.95


def test_a_training_sample_is_no_neighbour_of_its_own(rows: Any) -> None:
    """The factors that LocalOutlierFactor itself gives them, from which it has its threshold."""
    train, _, _ = rows
    wrapped = WrappedDetector(LocalOutlierFactor(n_neighbors=5, contamination=0.2, novelty=True)).fit(train)
    alone = LocalOutlierFactor(n_neighbors=5, contamination=0.2).fit(train)
    np.testing.assert_array_equal(wrapped.training_scores_, alone.negative_outlier_factor_)
    assert (wrapped.training_scores_ < wrapped.offset_).mean() == pytest.approx(0.2, abs=0.01)


def test_an_attribute_of_pyod_s_name_means_nothing_elsewhere(rows: Any) -> None:
    class Counting(Plain):
        def fit(self, X: Any) -> None:
            super().fit(X)
            self.decision_scores_ = np.arange(len(X))

    wrapped = WrappedDetector(Counting(), higher_scores="anomalous").fit(rows[0])
    np.testing.assert_array_equal(wrapped.training_scores_, wrapped.score_samples(rows[0]))


def test_pyod_s_interface(stand_in: Any, rows: Any) -> None:
    """High scores are anomalous, the threshold and the training scores are the detector's own."""
    train, test, is_anomaly = rows
    detector = stand_in(contamination=0.25)
    assert known_direction(stand_in) == "anomalous"
    wrapped = WrappedDetector(detector).fit(train)
    detector.fit(train)
    np.testing.assert_array_equal(wrapped.score_samples(test), -detector.decision_function(test))
    np.testing.assert_array_equal(wrapped.training_scores_, -detector.decision_scores_)
    assert wrapped.offset_ == -detector.threshold_
    np.testing.assert_array_equal(wrapped.predict(test) == -1, detector.decision_function(test) > detector.threshold_)
    assert roc_auc_score(is_anomaly, -wrapped.decision_function(test)) > 0.95


def test_pyod_itself(rows: Any) -> None:
    """What its documentation says of `decision_function`, `threshold_` and `labels_` holds."""
    knn, iforest = (import_module(f"pyod.models.{name}") for name in ("knn", "iforest"))
    train, test, is_anomaly = rows
    for detector in (knn.KNN(contamination=0.2), iforest.IForest(random_state=0)):
        wrapped = WrappedDetector(detector, random_state=0).fit(train)
        detector.fit(train)
        np.testing.assert_array_equal(wrapped.score_samples(test), -detector.decision_function(test))
        np.testing.assert_array_equal(wrapped.predict(test) == -1, detector.predict(test) == 1)
        np.testing.assert_array_equal(wrapped.training_scores_ < wrapped.offset_, detector.labels_ == 1)
        assert roc_auc_score(~is_anomaly, wrapped.decision_function(test)) > 0.95


def test_a_direction_is_known_or_stated() -> None:
    assert known_direction(KDE) == known_direction(LocalOutlierFactor) == "normal"
    assert known_direction(Plain) is None
    assert direction_fault(Plain, "normal") is direction_fault(KDE, None) is direction_fault(KDE, "normal") is None
    X = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(ValueError, match="Plain does not say what its high scores mean: state higher_scores"):
        WrappedDetector(Plain()).fit(X)
    with pytest.raises(ValueError, match="scikit-learn's detectors, whose high scores are normal"):
        WrappedDetector(KDE(), higher_scores="anomalous").fit(X)
    WrappedDetector(make_pipeline(StandardScaler(), KDE()), higher_scores="normal").fit(X)


def test_a_stated_direction_decides_and_a_wrong_one_turns_the_ranking(rows: Any) -> None:
    train, test, is_anomaly = rows
    aucs = [
        roc_auc_score(is_anomaly, -WrappedDetector(Plain(), higher_scores=stated).fit(train).decision_function(test))
        for stated in ("anomalous", "normal")
    ]
    assert aucs[0] > 0.95
    assert sum(aucs) == pytest.approx(1)


def test_the_threshold_of_a_detector_without_one(rows: Any) -> None:
    """The quantile of the training scores at its own `contamination`, or at 0.1."""
    train, _, _ = rows

    class Asked(Plain):
        contamination = 0.3

    for detector, share in ((Plain(), 0.1), (Asked(), 0.3)):
        wrapped = WrappedDetector(detector, higher_scores="anomalous").fit(train)
        assert (wrapped.decision_function(train) < 0).mean() == pytest.approx(share, abs=1 / len(train))


def test_images_are_flat_unless_whole_ones_are_asked_for() -> None:
    images = np.random.default_rng(0).uniform(size=(20, 4, 3, 1)).astype("float32")
    for given, shape in (("flat", (20, 12)), ("whole", (20, 4, 3, 1))):
        wrapped = WrappedDetector(Plain(), higher_scores="anomalous", images=given).fit(images)
        assert wrapped.detector_.shape_ == shape
        assert wrapped.score_samples(images[:5]).shape == (5,)
    forest = WrappedDetector(IsolationForest(n_estimators=5, random_state=0)).fit(images)
    assert forest.detector_.n_features_in_ == 12


def test_the_seed_reaches_what_draws_on_the_global_state(rows: Any) -> None:
    """And that state is the same after it as before."""
    train, test, _ = rows

    def scores(seed: int | None) -> bytes:
        wrapped = WrappedDetector(Drawing(), higher_scores="anomalous", random_state=seed).fit(train)
        return wrapped.score_samples(test).tobytes()

    def state() -> str:
        return repr(np.random.get_state(legacy=False)["state"])  # noqa: NPY002

    before = state()
    assert scores(1) == scores(1) != scores(2)
    assert state() == before
    assert scores(None) != scores(None)


class Odd(OutlierMixin, BaseEstimator):
    """Gives whatever it is told."""

    given: ClassVar[Any] = None

    def fit(self, X: Any, y: Any = None) -> "Odd":
        return self

    def score_samples(self, X: Any) -> Any:
        return type(self).given(X)


def raising(X: Any) -> Any:
    raise KeyError("no\nsuch column")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            lambda X: X,
            r"Odd must score each sample by one real number: for 12 samples it gave float64 of shape \(12, 2",
        ),
        (lambda X: X[:-1, 0], "for 12 samples it gave float64 of shape"),
        (lambda X: [None] * len(X), "it gave object of shape"),
        (lambda X: X[:, 0] + 1j, "it gave complex128"),
        (lambda X: np.where(X[:, 0] > 5, np.nan, X[:, 0]), "Odd scored 7 of 12 samples by NaN, which has no order"),
        (raising, r"Odd\.score_samples failed on 12 samples of shape \(2,\): KeyError: 'no.*\(test_wrapped.py, line"),
    ],
)
def test_what_is_no_score_is_one_line(given: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Odd, "given", staticmethod(given))
    X = np.arange(24.0).reshape(12, 2)[:, ::-1] / 2
    with pytest.raises(DetectorError, match=message) as error:
        WrappedDetector(Odd()).fit(X)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("images", ["flat", "whole"])
def test_a_detector_that_changes_what_it_is_given_changes_its_copy(images: str, rows: Any) -> None:
    train, test, _ = rows
    kept = train.copy(), test.copy()
    careless = WrappedDetector(Careless(), higher_scores="anomalous", images=images).fit(train)
    plain = WrappedDetector(Plain(), higher_scores="anomalous").fit(train)
    np.testing.assert_allclose(careless.score_samples(test), plain.score_samples(test))
    assert careless.offset_ == pytest.approx(plain.offset_)
    np.testing.assert_array_equal(train, kept[0])
    np.testing.assert_array_equal(test, kept[1])


def test_a_detector_does_not_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Odd, "given", staticmethod(lambda X: sys.exit(0)))
    with pytest.raises(DetectorError, match=r"Odd\.score_samples failed on 12 samples of shape \(2,\): SystemExit: 0"):
        WrappedDetector(Odd()).fit(np.arange(24.0).reshape(12, 2))


def test_a_fit_that_fails_is_one_line() -> None:
    with pytest.raises(DetectorError, match=r"OneClassSVM\.fit failed on 4 samples of shape \(1,\): InvalidParameter"):
        WrappedDetector(OneClassSVM(nu=2)).fit(np.arange(4.0)[:, None])


def test_scores_that_tell_nothing_apart_are_marked_and_so_are_infinite_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    for given, status in ((lambda X: np.zeros(len(X)), "collapsed"), (lambda X: X[:, 0] / 0, "diverged")):
        monkeypatch.setattr(Odd, "given", staticmethod(given))
        with np.errstate(divide="ignore"), pytest.warns(ConvergenceWarning, match=f"Odd {status}"):
            assert WrappedDetector(Odd()).fit(X).diagnosis_.status == status


def test_of_a_pipeline_the_last_step_says_what_high_scores_mean() -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    far = np.full((1, 3), 9.0)
    ecod = import_module("pyod.models.ecod").ECOD()
    for last in (KNN(), IsolationForest(random_state=0), ecod):
        model = WrappedDetector(make_pipeline(StandardScaler(), last)).fit(X)
        assert model.score_samples(far)[0] < model.score_samples(X).min()
        assert model.predict(far) == [-1]
        wrong = "normal" if last is ecod else "anomalous"
        with pytest.raises(ValueError, match="higher_scores cannot be"):
            WrappedDetector(make_pipeline(StandardScaler(), last), higher_scores=wrong).fit(X)
    with pytest.raises(ValueError, match="Pipeline does not say what its high scores mean"):
        WrappedDetector(make_pipeline(StandardScaler(), GaussianMixture())).fit(X)


def test_what_cannot_score_new_samples_is_refused() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(ValueError, match=r"cannot score new samples: .*; with novelty=True it has it"):
        WrappedDetector(LocalOutlierFactor()).fit(X)
    with pytest.raises(ValueError, match="StandardScaler cannot score new samples: it has no score_samples or"):
        WrappedDetector(StandardScaler(), higher_scores="normal").fit(X)
