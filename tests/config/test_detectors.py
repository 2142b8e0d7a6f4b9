"""Detectors of other packages in the configuration: what is known of them, and what is refused before any job."""

from hashlib import sha256
from numbers import Real
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import Interval

from ocnn.config.checks import load
from ocnn.steps.jobs import Jobs
from tests.config.configurations import changed, faults
from tests.conftest import ROOT

HERE = "tests.config.test_detectors"
LOF = "sklearn.neighbors:LocalOutlierFactor"


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


class Detector:
    """A detector of nobody's."""

    trains_network = True
    shared_settings = {"rounds": "pretrain_epochs"}  # noqa: RUF012  (as people write it)

    def __init__(self, needed: int, factor: float = 1.0, rounds: Any = (), random_state: Any = None) -> None:
        if factor <= 0:
            raise ValueError(f"factor must be positive, got {factor}")
        self.needed = needed

    def fit(self, X: Any) -> None:
        """Fits."""

    def decision_function(self, X: Any) -> Any:
        """Scores."""


class Open(OutlierMixin, BaseEstimator):
    """One that takes any setting."""

    _parameter_constraints = {"share": [Interval(Real, 0, 1, closed="both")]}  # noqa: RUF012

    def __init__(self, share: float = 0.5, **others: Any) -> None:
        self.share = share

    def fit(self, X: Any) -> None:
        """Fits."""

    def score_samples(self, X: Any) -> Any:
        """Scores."""


def with_method(estimator: str, **settings: Any) -> dict[str, Any]:
    return changed("methods.mine", {"estimator": estimator, **settings})


def test_what_a_fit_of_one_is() -> None:
    """Its parameters are those of the configuration and, where it has one, the seed; no contamination unless asked."""
    config = load(with_method(LOF, n_neighbors=7))
    job = Jobs(config).fit("digits", "3", "mine", "5")
    assert job.objects == {"estimator": LOF, "wrapper": "ocnn.methods.wrapped:WrappedDetector"}
    assert job.settings["settings"] == {"novelty": True, "n_neighbors": 7}
    assert job.settings["wrapper_settings"] == {"higher_scores": None, "images": "flat", "random_state": 5}
    config = load(with_method("sklearn.ensemble:IsolationForest", contamination=0.2))
    assert config.settings("digits", "mine", 5) == {"contamination": 0.2, "random_state": 5}
    assert not config.trains_network("mine")
    assert set(Jobs(config).fit("digits", "3", "kde", "5").objects) == {"estimator"}


def test_a_class_of_one_s_own_may_declare_what_a_method_may() -> None:
    content = with_method(f"{HERE}:Detector", needed=3, higher_scores="anomalous", images="whole")
    config = load(content)
    assert config.settings("digits", "mine", 5) == {"needed": 3, "rounds": [250, 100], "random_state": 5}
    assert config.trains_network("mine")
    assert not config.uses_autoencoder("digits", "mine")
    job = Jobs(config).fit("digits", "3", "mine", "5")
    assert job.settings["wrapper_settings"] == {"higher_scores": "anomalous", "images": "whole", "random_state": 5}
    assert job.stated["backend"]
    load(with_method(f"{HERE}:Open", whatever=3))


def test_a_file_that_a_setting_names_counts_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = with_method(f"{HERE}:Open", prior={"weights": ["prior.npz", "missing.npz", "auto"]}, version="1.0")
    load(content)
    monkeypatch.chdir(tmp_path)
    config = load({key: value for key, value in content.items() if key not in ("published", "references")})
    assert "files" not in Jobs(config).fit("digits", "3", "mine", "0").stated
    Path("prior.npz").write_bytes(b"one")
    assert Jobs(config).fit("digits", "3", "mine", "0").stated["files"] == {"prior.npz": sha256(b"one").hexdigest()}
    assert "files" not in Jobs(config).fit("digits", "3", "kde", "0").stated


def test_resources() -> None:
    """Stated ones take the place of the usual, and such a fit is a submission of its own; they decide no result."""
    usual = load({**with_method(LOF), "gpus": 2})
    assert usual.resources("mine") == {"gpus": 0, "minutes": 60, "memory": 4000}
    assert usual.resources("ocnn") == {"gpus": 2, "minutes": 360, "memory": 4000}
    assert (usual.is_short("mine"), usual.is_short("ocnn")) == (True, False)
    stated = load(with_method(LOF, resources={"gpus": 1, "minutes": "90"}))
    assert stated.resources("mine") == {"gpus": 1, "minutes": 90, "memory": 4000}
    assert not stated.is_short("mine")
    assert Jobs(stated).fit("digits", "3", "mine", "0") == Jobs(usual).fit("digits", "3", "mine", "0")
    assert load(changed("methods.kde", {"resources": {"memory": 9000}})).resources("kde")["memory"] == 9000


@pytest.mark.parametrize(
    ("estimator", "settings", "fault"),
    [
        (LOF, {"n_neighbor": 7}, ".n_neighbor: unknown setting; did you mean 'n_neighbors'?"),
        (LOF, {"n_neighbors": 0}, ".n_neighbors: The 'n_neighbors' parameter of LocalOutlierFactor must be an int in"),
        (LOF, {"n_neighbors": True}, ".n_neighbors: must be a number (got True)"),
        ("sklearn.svm:OneClassSVM", {"nu": True}, ".nu: must be a number (got True)"),
        ("knn", {"n_neighbors": True}, ".n_neighbors: must be a number (got True)"),
        ("dcae", {"epochs": True}, ".epochs: must be a number (got True)"),
        (LOF, {"contamination": 0.7}, ".contamination: The 'contamination' parameter of LocalOutlierFactor must be"),
        (LOF, {"novelty": False}, ": LocalOutlierFactor cannot score new samples: it has no score_samples or "),
        (LOF, {"higher_scores": "anomalous"}, ": LocalOutlierFactor is one of scikit-learn's detectors, whose high"),
        (LOF, {"higher_scores": "abnormal"}, ".higher_scores: input should be 'normal' or 'anomalous'"),
        (LOF, {"images": "rows"}, ".images: input should be 'flat' or 'whole'"),
        (LOF, {"resources": None}, ".resources: must be a mapping of keys to values"),
        (LOF, {"resources": {"gpu": 1}}, ".resources.gpu: unknown key; did you mean 'gpus'?"),
        (LOF, {"resources": {"minutes": 0}}, ".resources.minutes: input should be greater than or equal to 1"),
        ("sklearn.ensemble:IsolationForest", {"random_state": 3}, ".random_state: is what the seeds are for"),
        ("sklearn.preprocessing:StandardScaler", {}, ": StandardScaler does not say what its high scores mean"),
        (
            "sklearn.preprocessing:StandardScaler",
            {"higher_scores": "normal"},
            ": StandardScaler cannot score new samples: it has no score_samples or decision_function",
        ),
        (
            "sklearn.svm:SVC",
            {"higher_scores": "normal"},
            ": SVC is no outlier detector: its fit needs more than samples, as labels",
        ),
        ("sklearn.metrics:roc_auc_score", {}, ".estimator: sklearn.metrics:roc_auc_score is no class of outlier"),
        ("pathlib:Path", {}, ".estimator: pathlib:Path is no class of outlier detectors, with fit and"),
        (f"{HERE}:Detector", {"needed": 3}, ": Detector does not say what its high scores mean: state higher_scores"),
        (
            f"{HERE}:Detector",
            {"higher_scores": "normal"},
            ": Detector cannot be made with these settings (Detector.__init__() missing 1 required positional",
        ),
        (
            f"{HERE}:Detector",
            {"higher_scores": "normal", "needed": 1, "factor": -1},
            ": Detector cannot be made with these settings (factor must be positive, got -1)",
        ),
        (
            f"{HERE}:Detector",
            {"higher_scores": "normal", "needed": 1, "input": "codes"},
            ".input: codes are for methods without a network",
        ),
        (f"{HERE}:Open", {"share": 3.0}, ".share: The 'share' parameter of Open must be a float in the range"),
        ("kde", {"higher_scores": "normal"}, ".higher_scores: is for detectors of other packages"),
        ("ocnn.methods.conformal:ConformalDetector", {}, ": ConformalDetector cannot be made with these settings (Con"),
        ("kde", {"images": "whole"}, ".images: is for detectors of other packages"),
    ],
)
def test_what_is_refused(estimator: str, settings: dict[str, Any], fault: str) -> None:
    (found,) = faults(with_method(estimator, **settings))
    assert found.startswith(f"methods.mine{fault}")


def test_true_and_false_stay_what_they_are_elsewhere() -> None:
    settings = {"bootstrap": True, "warm_start": False, "verbose": True}
    load(with_method("sklearn.ensemble:IsolationForest", **settings))


def test_what_one_experiment_alone_makes_wrong() -> None:
    content = changed("experiments.digits.settings", {"mine": {"contamination": 0}}, with_method(LOF))
    (found,) = faults(content)
    assert found.startswith("experiments.digits.settings.mine.contamination: The 'contamination' parameter of Local")
    content = changed("experiments.digits.settings", {"mine": {"novelty": False}}, with_method(LOF))
    (found,) = faults(content)
    assert found.startswith("experiments.digits.settings.mine: LocalOutlierFactor cannot score new samples")


def test_on_codes_it_needs_the_autoencoder() -> None:
    config = load(with_method(LOF, input="codes"))
    assert config.uses_autoencoder("digits", "mine")
    assert set(Jobs(config).fit("digits", "3", "mine", "0").objects) == {"estimator", "encoder", "wrapper"}
