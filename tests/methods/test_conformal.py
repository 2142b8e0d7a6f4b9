"""Conformal calibration: p-values by hand, and the false alarms of every method on new normal samples."""

import re
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.stats import betabinom
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils.estimator_checks import parametrize_with_checks

from ocnn.methods import KDE, METHODS
from ocnn.methods.base import ThresholdedDetector
from ocnn.methods.conformal import ConformalDetector
from ocnn.methods.diagnosis import Diagnosis
from tests.conftest import ROOT
from tests.methods.test_estimators import DEEP, checked

SPLITS = 20
#: Samples fitted and left out, and new normal ones.
FITTED, NEW = 158, 200
ALPHA = 0.1


class Value(ThresholdedDetector):
    """Its scores are the first feature, whatever it was fitted to; `mean_` says what that was."""

    def _fit(self, X: Any) -> None:
        self.mean_ = float(X[:, 0].mean())

    def _score_samples(self, X: Any) -> Any:
        return X[:, 0]


class Centred(Value):
    """Scores less the mean of what it was fitted to."""

    def _score_samples(self, X: Any) -> Any:
        return X[:, 0] - self.mean_


class Ending(Value):
    """Its fits end one after the other as `ENDS` says."""

    ENDS: ClassVar[list[Any]] = []

    def _fit(self, X: Any) -> Any:
        return Diagnosis(self.ENDS.pop(0), f"{len(self.ENDS)} left")


@parametrize_with_checks(
    [ConformalDetector(KDE(), false_alarms=0.25), ConformalDetector(KDE(), false_alarms=0.25, cv=3)]
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("ends", "status", "left"),
    [
        (["converged", "converged", "converged"], "converged", 2),
        (["converged", "limit", "limit"], "limit", 1),
        (["limit", "converged", "diverged"], "diverged", 0),
        (["collapsed", "limit", "diverged"], "collapsed", 2),
    ],
)
def test_the_gravest_diagnosis_of_the_fits_is_told(ends: list[str], status: str, left: int) -> None:
    Ending.ENDS = list(ends)
    model = ConformalDetector(Ending(), false_alarms=0.25, cv=3, random_state=0).fit(np.arange(12.0)[:, None])
    assert (model.diagnosis_.status, model.diagnosis_.reason) == (status, f"{left} left")


def test_p_values_by_hand() -> None:
    """Of 8 samples 4 calibrate: p of a sample below all is 1/5, of one that ties with the lowest 2/5."""
    X = np.arange(8.0)[:, None]
    model = ConformalDetector(Value(), false_alarms=0.25, random_state=0).fit(X)
    (calibration,) = model.calibration_scores_
    assert len(calibration) == model.n_calibration_ == 4
    (detector,) = model.detectors_
    np.testing.assert_allclose(detector.mean_ * 4 + calibration.sum(), X.sum())
    points = np.array([-1, calibration[0], calibration[0] + 0.5, calibration[2], 99])[:, None]
    np.testing.assert_allclose(model.p_values(points), np.array([1, 2, 2, 4, 5]) / 5)
    # k = ⌊0.25 · 5⌋ = 1: the threshold is the lowest calibration score, which itself is normal.
    np.testing.assert_allclose(model.decision_function(points), points[:, 0] - calibration[0])
    np.testing.assert_array_equal(model.predict(points), [-1, 1, 1, 1, 1])


def test_cross_conformal_p_values_by_their_formula() -> None:
    """Each sample is compared with each left-out one by the fit that left that out (Vovk 2015, Barber et al. 2021)."""
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(23, 1)), rng.normal(size=(40, 1)) * 2
    for cv, folds in ((5, 5), (99, 23)):
        model = ConformalDetector(Centred(), false_alarms=0.3, cv=cv, random_state=1).fit(X)
        assert len(model.detectors_) == folds
        assert model.n_calibration_ == 23
        left_out = [np.sort(scores + fit.mean_) for fit, scores in zip(model.detectors_, model.calibration_scores_)]  # noqa: B905
        np.testing.assert_allclose(np.sort(np.concatenate(left_out)), np.sort(X[:, 0]))
        for fit, values in zip(model.detectors_, left_out, strict=True):
            np.testing.assert_allclose(fit.mean_, (X.sum() - values.sum()) / (23 - len(values)))
        expected = [
            1 + sum((values - fit.mean_ <= x - fit.mean_).sum() for fit, values in zip(model.detectors_, left_out))  # noqa: B905
            for x in new[:, 0]
        ]
        np.testing.assert_allclose(model.p_values(new), np.array(expected) / 24)
        np.testing.assert_array_equal(model.predict(new) == -1, model.p_values(new) <= 0.3)


@pytest.mark.parametrize("cv", [None, 7])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.29, 0.5])
def test_predictions_are_what_p_values_say(cv: int | None, alpha: float) -> None:
    """Also of scores with ties, and at a share that is no float of its own."""
    rng = np.random.default_rng(0)
    X, new = rng.integers(0, 9, (98, 2)).astype(float), rng.integers(-3, 12, (300, 2)).astype(float)
    for detector in (KDE(), Centred(), IsolationForest(n_estimators=5, random_state=0)):
        model = ConformalDetector(detector, false_alarms=alpha, cv=cv, random_state=0).fit(X)
        p = model.p_values(new)
        assert ((p > 0) & (p <= 1)).all()
        np.testing.assert_array_equal(model.predict(new) == -1, p <= alpha + 1e-12)


def test_the_example_of_the_page() -> None:
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "thresholds.md").read_text(encoding="utf-8"), re.DOTALL
    )
    rng = np.random.default_rng(0)
    names: dict[str, Any] = {"train": rng.normal(size=(300, 3)), "new": rng.normal(size=(300, 3))}
    exec(compile(code, "thresholds.md", "exec"), names)  # noqa: S102  (the example of our own)
    assert 0.05 < (names["model"].predict(names["new"]) == -1).mean() < 0.16


def test_too_few_samples_to_calibrate() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match=r"false_alarms=0\.01 needs 99 calibration samples or more, got 20 of"):
        ConformalDetector(KDE(), false_alarms=0.01).fit(X)
    ConformalDetector(KDE(), false_alarms=1 / 21).fit(X)
    ConformalDetector(KDE(), false_alarms=1 / 41, cv=5).fit(X)


def test_a_detector_of_another_package_and_its_copy() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    lof = LocalOutlierFactor(novelty=True)
    model = ConformalDetector(lof, random_state=0).fit(X)
    assert model.predict(np.array([[0.0, 0.0], [9.0, 9.0]])).tolist() == [1, -1]
    assert not hasattr(lof, "offset_")


def total_bounds(counts: int, k: int, n: int, chance: float) -> tuple[int, int]:
    """The most and the fewest false alarms of so many splits together, exactly, but for a chance on each side.

    In a split with n calibration samples the number among NEW samples is beta-binomial with k and n + 1 − k.
    """
    one = betabinom.pmf(np.arange(NEW + 1), NEW, k, n + 1 - k)
    total = np.ones(1)
    for _ in range(counts):
        total = np.convolve(total, one)
    below = np.cumsum(total)
    return int(np.searchsorted(below, chance)), int(np.searchsorted(below, 1 - chance))


def false_alarms(method: str, seed: int, **settings: Any) -> int:
    """How many of NEW normal samples a calibrated method calls anomalous, fitted to others of the same kind."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0.6, 0.05, (FITTED + NEW, 4)).astype("float32")
    model = ConformalDetector(checked(method), false_alarms=ALPHA, random_state=seed, **settings).fit(X[:FITTED])
    return int((model.predict(X[FITTED:]) == -1).sum())


@pytest.mark.usefixtures("eagerly")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "method", [pytest.param(method, marks=[pytest.mark.long] if method in DEEP else []) for method in METHODS]
)
def test_false_alarms_of_every_method_are_as_many_as_asked_for(method: str) -> None:
    """Twenty splits: their sum within the exact bounds, and each by itself; whatever the method learned."""
    n = FITTED // 2
    k = 8  # 0.1 · 80
    found = np.array([false_alarms(method, seed) for seed in range(SPLITS)])
    low, high = total_bounds(SPLITS, k, n, 1e-4)
    assert low <= found.sum() <= high
    low, high = total_bounds(1, k, n, 1e-5)
    assert ((low <= found) & (found <= high)).all()
    assert found.std() > 0


@pytest.mark.long
@pytest.mark.parametrize("method", [method for method in METHODS if method not in DEEP])
def test_false_alarms_by_cross_calibration(method: str) -> None:
    """At most 2α by theory; the share over twenty splits is near α.

    It is lower for `pca`: among features alike the direction that it leaves out is another one in each fold. A p-value
    is then a mean over rankings that differ, and seldom extreme.
    """
    found = sum(false_alarms(method, seed, cv=5) for seed in range(SPLITS)) / (SPLITS * NEW)
    assert 0.04 < found < 0.12
