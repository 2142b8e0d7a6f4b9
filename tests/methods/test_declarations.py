"""What a method declares of itself, which every other part of the package goes by."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed

from ocnn.methods import METHODS, DeepSVDD, OneClassNN, OneClassNNReleased, load_estimator
from ocnn.methods.base import AnomalyDetector, flatten
from ocnn.methods.deep import phases
from tests.conftest import ROOT
from tests.methods.test_estimators import DEEP, make

SHARED = {
    "seed",
    "verbose",
    "contamination",
    "batch_size",
    "weight_decay",
    "network",
    "pretrain_epochs",
    "pretrain_learning_rates",
}


class Told(AnomalyDetector):
    """A user's method that makes scores of whatever type `told` makes of numbers."""

    def __init__(self, told: Any = None, offset: Any = 0.0) -> None:
        self.told = told
        self.offset = offset

    def _fit(self, X: Any) -> None:
        self.offset_ = self.offset

    def _score_samples(self, X: Any) -> Any:
        return self.told(flatten(X).sum(axis=1))


@pytest.mark.parametrize(
    "told",
    [
        np.asarray,
        list,
        tuple,
        pd.Series,
        lambda scores: scores[:, None],
        lambda scores: scores.astype(np.float32),
        lambda scores: np.round(scores).astype(np.int64),
        lambda scores: [np.float32(score) for score in scores],
        lambda scores: [int(score) for score in scores],
        lambda scores: scores > 0,
    ],
)
def test_scores_may_be_any_sequence_of_real_numbers(told: Any) -> None:
    X = np.random.default_rng(0).normal(scale=9, size=(30, 4))
    model = Told(told, offset=np.array([1])).fit(X)
    wanted = np.asarray(told(X.sum(axis=1)), np.float64).reshape(30)
    np.testing.assert_array_equal(model.score_samples(X), wanted)
    np.testing.assert_array_equal(model.training_scores_, wanted)
    np.testing.assert_array_equal(model.predict(X), np.where(wanted >= 1, 1, -1))
    assert model.diagnosis_.status == "converged"
    assert isinstance(model.offset_, float)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (lambda scores: scores[:-1], "for 30 samples it gave float64 of shape (29,)."),
        (lambda scores: np.stack([scores, scores], axis=1), "float64 of shape (30, 2)."),
        (lambda scores: scores.sum(), "float64 of shape ()."),
        (lambda scores: scores + 1j, "complex128 of shape (30,)."),
        (lambda scores: [None, *scores[1:]], "object of shape (30,)."),
        (lambda scores: None, "object of shape ()."),
    ],
)
def test_other_scores_are_refused_in_a_sentence(told: Any, words: str) -> None:
    X = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.raises(ValueError, match="Told must score each sample by one real number: for 30 samples it gave "):
        Told(told).fit(X)
    with pytest.raises(ValueError, match=re.escape(words)):
        Told(told).fit(X)


@pytest.mark.parametrize("offset", [None, "a", [1.0, 2.0], np.zeros(30), 1j])
def test_a_threshold_is_one_real_number(offset: Any) -> None:
    with pytest.raises(ValueError, match=r"Told\.offset_ must be one real number, got "):
        Told(np.asarray, offset).fit(np.random.default_rng(0).normal(size=(30, 4)))


def test_what_is_reported_is_a_tuple_of_names() -> None:
    with pytest.raises(TypeError, match=r"Forgetful\.reported must be a tuple of names, got the text 'k_'"):

        class Forgetful(AnomalyDetector):
            reported = "k_"  # type: ignore[assignment]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_declares_parameters_and_results_that_it_has(name: str) -> None:
    estimator = load_estimator(name)
    parameters = set(estimator().get_params())
    assert set(estimator.shared_settings) <= parameters
    assert set(estimator.shared_settings.values()) <= SHARED
    assert all(attribute.endswith("_") for attribute in estimator.reported)
    assert estimator.trains_network == (name in DEEP)
    assert estimator.uses_autoencoder == ("autoencoder" in parameters)
    assert ("random_state" in parameters) == (estimator.shared_settings.get("random_state") == "seed")
    assert not estimator().uses_holdout()


@pytest.mark.parametrize("name", METHODS)
def test_editors_know_every_method(name: str) -> None:
    """By an import that is for type checkers alone."""
    source = (ROOT / "ocnn" / "methods" / "__init__.py").read_text(encoding="utf-8")
    module, _, found = METHODS[name].partition(":")
    assert f"    from {module} import {found} as {found}\n" in source


def test_what_the_methods_declare() -> None:
    declared = {name: load_estimator(name).reported for name in METHODS}
    expected = {
        "ocsvm": ("gamma_",),
        "linear_ocsvm": ("margin_",),
        "nystroem_ocsvm": ("gamma_", "objective_", "n_iter_"),
        "kde": ("bandwidth_",),
        "pca": ("n_components_",),
        "rcae": ("noise_share_",),
        "anogan": ("diversity_",),
        "soft_deep_svdd": ("radius_",),
        "ocnn": ("r_",),
        "ocnn_radial": ("gamma_", "r_", "objective_", "gap_"),
    }
    assert {name: declared[name] for name in expected} == expected
    deep = {"batch_size": "batch_size", "random_state": "seed", "verbose": "verbose"}
    network = {**deep, "network": "network", "weight_decay": "weight_decay"}
    pretrained = {name: name for name in ("pretrain_epochs", "pretrain_learning_rates")} | network
    contaminated = {**pretrained, "anomaly_share": "contamination"}
    settings = {
        "ocsvm": {},
        "linear_ocsvm": {},
        "nystroem_ocsvm": {"random_state": "seed"},
        "kde": {},
        "knn": {},
        "pca": {},
        "iforest": {"random_state": "seed"},
        "dcae": {**network, "epochs": "pretrain_epochs", "learning_rates": "pretrain_learning_rates"},
        "rcae": pretrained,
        "anogan": deep,
        "soft_deep_svdd": pretrained,
        "deep_svdd": pretrained,
        "neutral_ad": {**deep, "weight_decay": "weight_decay"},
        "ocnn": contaminated,
        "ocnn_radial": {"random_state": "seed"},
        "ocnn_released": contaminated,
    }
    assert {name: dict(load_estimator(name).shared_settings) for name in settings} == settings
    assert load_estimator("ocsvm")(gamma=[0.1, 0.2]).uses_holdout()


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", [name for name in METHODS if load_estimator(name).reported])
def test_what_a_method_reports_is_learned_by_a_fit(name: str, blobs: Any) -> None:
    model = make(name)
    assert not any(hasattr(model, attribute) for attribute in model.reported)
    model.fit(blobs[0])
    assert all(np.isfinite(getattr(model, attribute)) for attribute in model.reported)


@dataclass(kw_only=True, eq=False, repr=False)
class Squared(DeepSVDD):
    """A method of a user's own, which adds to what its base declares."""

    power: float = 2.0

    reported: ClassVar[tuple[str, ...]] = ("center_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"power": [float]}


def test_a_user_s_subclass_inherits_and_adds() -> None:
    assert Squared.shared_settings == DeepSVDD.shared_settings
    assert Squared._parameter_constraints == {**DeepSVDD._parameter_constraints, "power": [float]}
    assert "power" not in DeepSVDD._parameter_constraints
    assert clone(Squared(power=3.0)).get_params() == {**DeepSVDD().get_params(), "power": 3.0}
    assert repr(Squared(power=3.0)) == "Squared(power=3.0)"
    with pytest.raises(ValueError, match="batch_size"):
        Squared(batch_size=1).fit(np.eye(4))


class MeanDistance(AnomalyDetector):
    """A method of the smallest kind, with a constructor as scikit-learn's own have it."""

    def __init__(self, contamination: float = 0.1, random_state: Any = None) -> None:
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: Any) -> None:
        self.mean_ = flatten(X).mean(axis=0)

    def _score_samples(self, X: Any) -> Any:
        return -np.linalg.norm(flatten(X) - self.mean_, axis=1)


def test_a_method_of_two_functions(blobs: Any) -> None:
    model = MeanDistance(contamination=0.25).fit(blobs[0])
    assert (model.predict(blobs[0]) == -1).mean() == 0.25
    np.testing.assert_array_equal(model.training_scores_ - model.offset_, model.decision_function(blobs[0]))
    assert (model.reported, model.shared_settings, model.trains_network) == ((), {}, False)
    with pytest.raises(TypeError):
        DeepSVDD("auto")


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("method", [OneClassNN, OneClassNNReleased])
def test_nu_is_the_share_of_anomalies_unless_it_is_given(method: Any) -> None:
    X = np.random.default_rng(0).normal(1, 0.1, (40, 5))
    settings: dict[str, Any] = {"network": "none", "epochs": (2,), "learning_rates": (1e-2,), "random_state": 0}
    given = method(nu=0.25, anomaly_share=0.25, **settings).fit(X)
    chosen = method(nu=None, anomaly_share=0.25, **settings).fit(X)
    other = method(nu=0.5, anomaly_share=0.25, **settings).fit(X)
    np.testing.assert_array_equal(chosen.training_scores_, given.training_scores_)
    assert chosen.history_["loss"] == given.history_["loss"] != other.history_["loss"]
    with pytest.raises(ValueError, match="nu=None takes anomaly_share for ν, which must not be 0: give nu a number"):
        method(nu=None, anomaly_share=0, **settings).fit(X)
    method(nu=0.1, anomaly_share=0, **settings).fit(X)


@pytest.mark.usefixtures("eagerly")
def test_single_numbers_are_phases() -> None:
    assert phases(50, (1e-3, 1e-4)) == ([50], [1e-3])
    assert phases(50, 1e-2) == ([50], [1e-2])
    assert phases((3, 4), 1e-2) == ((3, 4), [1e-2, 1e-2])
    assert phases((3, 4), (1e-2, 1e-3)) == ((3, 4), (1e-2, 1e-3))
    X = np.random.default_rng(0).normal(size=(30, 4))
    for name in ("dcae", "rcae", "ocnn"):
        one = make(name, epochs=3, learning_rates=1e-2, pretrain_epochs=2) if name != "dcae" else make(name, epochs=3)
        assert len(one.fit(X).history_["loss"]) == 3


def test_a_fit_that_stopped_at_its_limit_warns() -> None:
    X = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.warns(ConvergenceWarning, match="DCAE stopped at its limit: loss fell"):
        make("dcae", epochs=20, learning_rates=1e-2).fit(X)


@pytest.mark.parametrize("name", [name for name in METHODS if "random_state" in make(name).get_params()])
@pytest.mark.parametrize("seed", [2**31, 2**32 - 1, np.int64(2**31)])
def test_seeds_that_no_score_file_holds_are_refused(name: str, seed: int) -> None:
    with pytest.raises(ValueError, match=r"random_state must be below 2\*\*31"):
        make(name, random_state=seed).fit(np.eye(4))


@pytest.mark.long
def test_fits_in_threads_are_those_one_after_the_other() -> None:
    """The random state of Python, NumPy and Keras is the threads' own together."""
    X = np.random.default_rng(0).normal(size=(40, 6))

    def scores(seed: int) -> bytes:
        model = make("dcae", random_state=seed, epochs=(3,)).fit(X)
        return model.training_scores_.tobytes()

    serial = [scores(seed) for seed in range(4)]
    assert Parallel(n_jobs=4, backend="threading")(delayed(scores)(seed) for seed in range(4)) == serial
    assert len(set(serial)) == 4
