"""The configuration: what it means, and that every fault is named with its key and the nearest valid name."""

import copy
from typing import Any

import pytest
import yaml

from ocnn.config import Config
from ocnn.config_checks import load
from ocnn.data import load_dataset
from ocnn.errors import ConfigError
from tests.conftest import ROOT

MINIMAL: dict[str, Any] = {
    "methods": {"kde": None, "ocnn": {"nu": "contamination"}},
    "experiments": {"digits": {"dataset": "digits", "contamination": 0.1}},
    "published": {"auc": ["config/published/table3.csv"], "claims": "config/published/claims.yaml"},
}


def read(name: str) -> Config:
    return load(yaml.safe_load((ROOT / "config" / name).read_text()))


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_papers_protocol() -> None:
    config = read("paper.yaml")
    assert config.normal_classes("mnist") == list("0123456789")
    assert config.seeds_of("mnist") == list(range(10))
    block = config.experiments["mnist"]
    assert block.contamination == 0.01
    svdd = config.settings("mnist", "deep_svdd", 3)
    assert svdd["epochs"] == [150, 100]
    assert svdd["learning_rates"] == [1e-4, 1e-5]
    assert svdd["random_state"] == 3
    assert svdd["batch_size"] == 200
    assert config.settings("mnist", "dcae", 0)["epochs"] == [250, 100]
    assert config.settings("mnist", "ocsvm", 0) == {"nu": 0.1, "gamma": [2.0**e for e in range(-10, 0)]}
    assert config.settings("mnist", "ocnn", 0)["nu"] == pytest.approx(0.01 / 1.01)


def test_the_default_needs_no_archive() -> None:
    config = read("config.yaml")
    assert set(config.experiments) == {"digits", "digits_adversarial", "synthetic"}
    assert not any(config.dataset(name).archives for name in config.experiments)
    assert not any(load_dataset(attack.dataset).archives for attack in config.attacks.values())
    assert config.uses_autoencoder("digits", "ocnn")
    assert not config.uses_autoencoder("synthetic", "ocnn")
    assert not config.uses_autoencoder("digits", "kde")


def test_the_papers_stop_signs() -> None:
    config = read("paper.yaml")
    assert {"gtsrb", "gtsrb_heldout", "gtsrb_steps_100", "gtsrb_steps_25000"} <= set(config.experiments)
    assert config.normal_classes("gtsrb") == ["stop"]
    assert not config.dataset("gtsrb").has_test
    assert config.dataset("gtsrb_heldout").has_test
    assert config.dataset("gtsrb_steps_100").name == "stop_signs-100-heldout"
    assert round(config.experiments["gtsrb"].contamination * 1050) == 100
    assert config.settings("gtsrb", "ocnn", 0)["nu"] == pytest.approx(100 / 1150)
    assert config.settings("gtsrb", "ocnn", 0)["hidden"] == 16
    assert config.settings("gtsrb_heldout", "ocnn", 0)["nu"] == 0.1
    assert config.settings("gtsrb_heldout", "ocnn_released", 0)["hidden"] == 16
    assert config.settings("gtsrb", "dcae", 0)["batch_size"] == 64
    assert config.settings("gtsrb", "rcae_lambda_0", 0)["lam"] == 0
    assert config.settings("gtsrb", "rcae", 0)["lam"] > 0
    assert "rcae_lambda_0" not in config.methods_of("mnist")
    assert [config.previous_steps("stop_signs", n) for n in (0, 100, 1000, 1001, 25000)] == [None, 0, 0, 1000, 24000]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attack": "zero"}, "experiments.toy.attack: no attack 'zero'; did you mean 'zeros'?"),
        ({"dataset": "digits"}, "experiments.toy: one of dataset and attack is needed, and not both"),
        ({"attack": None}, "experiments.toy: one of dataset and attack is needed, and not both"),
        ({"attack": None, "dataset": "digits"}, "experiments.toy.steps: is for an experiment with an attack"),
        ({"steps": None}, "experiments.toy.steps: an attack needs a number of steps"),
        ({"steps": -1}, "experiments.toy.steps"),
        ({"steps": [5, 5]}, "experiments.toy.steps: a number is listed twice (got [5, 5])"),
        ({"steps": []}, "experiments.toy.steps"),
        ({"steps": [1, 10]}, "experiments.toy.steps: makes the experiment toy_10, which there is already"),
        ({"contamination": 0.1}, "experiments.toy.contamination: must be 0, as all adversarial images are held out"),
        ({"held_out": False}, "experiments.toy.contamination: of 0 leaves no adversarial image to score"),
        ({"normal_classes": [1]}, "experiments.toy.normal_classes: zeros has no normal class '1'; known are 0"),
        ({"step": 10}, "experiments.toy.step: unknown key; did you mean 'steps'?"),
    ],
    ids=str,
)
def test_faults_of_an_experiment_with_an_attack(changes: dict[str, Any], message: str) -> None:
    block = {"attack": "zeros", "steps": 10, "contamination": 0}
    content = {
        "methods": {"kde": {}},
        "attacks": {"zeros": {"dataset": "digits", "attacked_class": 0}},
        "experiments": {"toy": {**block, **changes}, "toy_10": block},
    }
    with pytest.raises(ConfigError) as error:
        load(content)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "gtsrp"}, "attacks.zeros.dataset: no data set 'gtsrp'; did you mean 'gtsrb'?"),
        ({"dataset": "synthetic"}, "attacks.zeros.dataset: synthetic holds no images"),
        (
            {"dataset": "gtsrb", "attacked_class": "stopp"},
            "attacked_class: gtsrb has no class 'stopp'; did you mean 'stop'",
        ),
        ({"segment": 10}, "attacks.zeros.segment: input should be greater than or equal to 1000 (got 10)"),
        ({"classifier": {"epoch": 3}}, "attacks.zeros.classifier.epoch: unknown key; did you mean 'epochs'?"),
        ({"classifier": {"minimum_accuracy": 90}}, "attacks.zeros.classifier.minimum_accuracy"),
        ({"image": 3}, "attacks.zeros.image: unknown key; did you mean 'images'?"),
    ],
    ids=str,
)
def test_faults_of_an_attack(changes: dict[str, Any], message: str) -> None:
    content = {**MINIMAL, "attacks": {"zeros": {"dataset": "digits", "attacked_class": 0, **changes}}}
    with pytest.raises(ConfigError) as error:
        load(content)
    assert message in str(error.value)


def test_texts_from_the_command_line_become_numbers() -> None:
    content = copy.deepcopy(MINIMAL)
    content["seeds"] = "2"
    content["methods"]["ocnn"] = {
        "nu": "0.2",
        "unit_norm": "true",
        "center_codes": "False",
        "epochs": ["5"],
        "learning_rates": ["1e-4"],
    }
    content["experiments"]["digits"] |= {"contamination": "0.05", "normal_classes": [3, "8"]}
    config = load(content)
    assert config.seeds_of("digits") == [0, 1]
    assert config.normal_classes("digits") == ["3", "8"]
    settings = config.settings("digits", "ocnn", 0)
    assert (settings["nu"], settings["epochs"], settings["learning_rates"]) == (0.2, [5], [1e-4])


def test_only_the_experiments_to_run_are_left() -> None:
    experiments = {**MINIMAL["experiments"], "other": {"dataset": "synthetic", "contamination": 0.05}}
    content = {**MINIMAL, "experiments": experiments}
    assert list(load(content).experiments) == ["digits", "other"]
    assert list(load({**content, "run": ["other"]}).experiments) == ["other"]


def test_a_row_may_name_its_published_column() -> None:
    methods = {**MINIMAL["methods"], "variant": {"estimator": "kde", "published": "kde"}}
    config = load({**MINIMAL, "methods": methods})
    assert config.published_methods()["variant"] == "kde"
    assert config.published_methods()["ocnn"] == "ocnn"
    assert "published" not in config.settings("digits", "variant", 0)


def test_the_environment_names_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load({**MINIMAL, "mirror": "/configured"})
    monkeypatch.delenv("OCNN_MIRROR", raising=False)
    assert str(config.mirror_folder()) == "/configured"
    monkeypatch.setenv("OCNN_MIRROR", "/from/environment")
    assert str(config.mirror_folder()) == "/from/environment"


@pytest.mark.parametrize(
    ("path", "value", "messages"),
    [
        ("sedes", 3, ["sedes: unknown key; did you mean 'seeds'?"]),
        ("seeds", 0, ["seeds: at least one seed"]),
        ("seeds", [1, 1], ["seeds: seeds must be different"]),
        ("seeds", "many", ["seeds"]),
        ("experiments", {}, ["experiments: "]),
        ("methods.kdee", {}, ["methods.kdee: no estimator 'kdee'; did you mean 'kde'?"]),
        ("methods.mine", {"estimator": "no.such:Thing"}, ["methods.mine.estimator: no.such:Thing cannot be imported"]),
        ("methods.mine", {"estimator": "sklearn.svm:OneClassSVM"}, ["not a subclass of"]),
        ("methods.kde", {"bandwith": 1}, ["methods.kde.bandwith: unknown setting; did you mean 'bandwidths'?"]),
        ("methods.kde", {"cv": 1}, ["experiments.digits, method kde", "'cv'"]),
        ("methods.ocnn", {"nu": 2}, ["method ocnn", "'nu'"]),
        ("experiments.digits.dataset", "digit", ["experiments.digits.dataset: no data set 'digit'; did you mean"]),
        ("experiments.digits.contamination", 1.0, ["experiments.digits.contamination"]),
        ("experiments.digits.contamination", -0.1, ["experiments.digits.contamination"]),
        ("experiments.digits.contamination", 0, ["give nu a number"]),
        ("experiments.digits.contaminatoin", 0.1, ["did you mean 'contamination'?"]),
        ("experiments.digits.normal_classes", [3, 11], ["no normal class '11'"]),
        ("experiments.digits.normal_classes", [3, "3"], ["listed twice"]),
        ("experiments.digits.normal_classes", [], ["experiments.digits.normal_classes"]),
        ("experiments.digits.methods", ["ocn"], ["no method 'ocn'; did you mean 'ocnn'?"]),
        ("experiments.digits.settings", {"kd": {}}, ["experiments.digits.settings: no method 'kd'"]),
        ("experiments.digits.settings", {"kde": {"foo": 1}}, ["experiments.digits.settings.kde.foo: unknown setting"]),
        ("experiments.digits.network", "lenet-digit", ["experiments.digits.network: unknown network"]),
        ("experiments.digits.autoencoder", {"epochs": [1, 2, 3]}, ["as many learning_rates as epochs"]),
        ("experiments.digits.autoencoder", {"epoch": [1]}, ["autoencoder.epoch: unknown key; did you mean 'epochs'?"]),
        ("experiments.digits.training", {"batchsize": 1}, ["did you mean 'batch_size'?"]),
        ("experiments.two words", {"dataset": "digits", "contamination": 0}, ["experiments.two words"]),
        ("run", ["digit"], ["run: no experiment 'digit'; did you mean 'digits'?"]),
        ("run", [], ["run"]),
        ("methods.kde", {"published": "kd"}, ["methods.kde.published: no published method 'kd'; did you mean 'kde'?"]),
        ("experiments.digits.published", "mnits", ["digits.published: no published dataset 'mnits'; did you mean"]),
        (
            "published",
            {"auc": ["config/published/none.csv"]},
            ["published.auc: there is no file config/published/none.csv"],
        ),
        ("published", {"claim": "x"}, ["published.claim: unknown key; did you mean 'claims'?"]),
        ("published", {"claims": "README.md"}, ["published: README.md is not a list of claims"]),
        ("references", {"lab": "none.csv"}, ["references.lab: there is no file none.csv"]),
        ("references", {"lab": "README.md"}, ["references.lab: README.md"]),
        (
            "references",
            {"train": "config/published/table3.csv"},
            ["references.train: is a column of the tables already"],
        ),
        ("verdicts", {"margin": 0}, ["verdicts.margin: input should be greater than 0"]),
        ("verdicts", {"alfa": 0.1}, ["verdicts.alfa: unknown key; did you mean 'alpha'?"]),
    ],
)
def test_each_fault_is_named(path: str, value: Any, messages: list[str]) -> None:
    content = copy.deepcopy(MINIMAL)
    *parents, last = path.split(".")
    place = content
    for parent in parents:
        place = place[parent]
    place[last] = value
    with pytest.raises(ConfigError) as error:
        load(content)
    for message in messages:
        assert message in str(error.value)


def test_all_faults_are_listed_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        load({"methods": {"kdee": {}}, "seeds": [], "experiments": {"a": {"dataset": "mnits", "contamination": 0.1}}})
    assert len(str(error.value).splitlines()) == 4
