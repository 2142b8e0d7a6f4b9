"""Each fault of a configuration is named with its key and the nearest valid name."""

from typing import Any

import pytest

from ocnn.config.checks import load
from ocnn.errors import ConfigError
from tests.config.configurations import MINIMAL, changed, faults
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attack": "zero"}, "experiments.toy.attack: no attack 'zero'; did you mean 'zeros'?"),
        ({"dataset": "digits"}, "experiments.toy: one of dataset and attack is needed, and not both"),
        ({"attack": None}, "experiments.toy: one of dataset and attack is needed, and not both"),
        ({"attack": None, "dataset": "digits"}, "experiments.toy.steps: is for an experiment with an attack"),
        ({"steps": None}, "experiments.toy.steps: an attack needs a number of steps"),
        ({"steps": -1}, "experiments.toy.steps"),
        ({"steps": [5, 5]}, "experiments.toy.steps: 5 is listed twice (got [5, 5])"),
        ({"steps": []}, "experiments.toy.steps"),
        ({"steps": [1, 10]}, "experiments.toy.steps: makes the experiment toy_10, which there is already"),
        ({"contamination": 0.1}, "experiments.toy.contamination: must be 0, as all adversarial images are held out"),
        ({"held_out": False}, "experiments.toy.contamination: of 0 leaves no adversarial image to score"),
        ({"contamination": [0, 0.1]}, "experiments.toy.contamination: a list is for a test part of its own"),
        ({"normal_classes": [1]}, "experiments.toy.normal_classes: zeros has no normal class '1'; known are 0"),
        ({"step": 10}, "experiments.toy.step: unknown key; did you mean 'steps'?"),
    ],
    ids=str,
)
def test_faults_of_an_experiment_with_an_attack(changes: dict[str, Any], message: str) -> None:
    block = {"attack": "zeros", "steps": 10, "contamination": 0}
    content = {
        "methods": {"kde": {}},
        "attacks": {"zeros": {"dataset": "digits", "attacked_class": 0, "images": 30}},
        "experiments": {"toy": {**block, **changes}, "toy_10": block},
    }
    found = faults(content)
    assert len(found) == 1
    assert message in found[0]


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
    content = {**MINIMAL, "attacks": {"zeros": {"dataset": "digits", "attacked_class": 0, "images": 30, **changes}}}
    found = faults(content)
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        # Keys and names.
        ("sedes", 3, "sedes: unknown key; did you mean 'seeds'?"),
        ("experiments.digits.contaminatoin", 0.1, "contaminatoin: unknown key; did you mean 'contamination'?"),
        ("experiments.digits.autoencoder.epoch", [1], "autoencoder.epoch: unknown key; did you mean 'epochs'?"),
        ("experiments.digits.training.batchsize", 1, "training.batchsize: unknown key; did you mean 'batch_size'?"),
        ("experiments.digits.network.width", [8], "digits.network.width: unknown key; did you mean 'widths'?"),
        ("experiments.digits.settings.kde.cvv", 3, "digits.settings.kde.cvv: unknown setting; did you mean 'cv'?"),
        ("experiments.digits.settings.kde.estimator", "ocnn", "settings.kde.estimator: unknown setting"),
        ("methods.kde", {"bandwith": 1}, "methods.kde.bandwith: unknown setting; did you mean 'bandwidths'?"),
        ("methods.dcae.network.widht", [8], "methods.dcae.network.widht: unknown key; did you mean 'widths'?"),
        ("verdicts.alfa", 0.1, "verdicts.alfa: unknown key; did you mean 'alpha'?"),
        ("published.claim", "x", "published.claim: unknown key; did you mean 'claims'?"),
        ("5", 3, "5: unknown key"),
        ("methods.kdee", {}, "methods.kdee: no estimator 'kdee'; did you mean 'kde'?"),
        ("methods.kde", {"published": "kd"}, "methods.kde.published: no published method 'kd'; did you mean 'kde'?"),
        ("methods.mine.estimator", "no.such:Thing", "methods.mine.estimator: no.such:Thing cannot be imported"),
        ("methods.mine.estimator", ":", "methods.mine.estimator: : cannot be imported"),
        ("methods.mine.estimator", "sklearn.svm:NuSVM", "methods.mine.estimator: sklearn.svm:NuSVM cannot be imported"),
        ("methods.two words", {"estimator": "kde"}, "methods.two words: a name is made of letters, digits"),
        ("experiments.two words", MINIMAL["experiments"]["digits"], "experiments.two words: a name is made of letters"),
        ("experiments.digits.dataset", "digit", "digits.dataset: no data set 'digit'; did you mean 'digits'?"),
        ("experiments.digits.dataset", "no:such", "digits.dataset: no:such cannot be imported"),
        ("experiments.digits.dataset", "ocnn.data.mnist:SIZES", "ocnn.data.mnist:SIZES is no ocnn.data.Dataset"),
        (
            "experiments.digits.normal_classes",
            [3, 11],
            "normal_classes: digits has no normal class '11'; did you mean '1'",
        ),
        ("experiments.digits.normal_classes", [3, "3"], "normal_classes: '3' is listed twice (got [3, '3'])"),
        ("experiments.digits.methods", ["ocn"], "digits.methods: no method 'ocn'; did you mean 'ocnn'?"),
        ("experiments.digits.methods", ["kde", "kde"], "digits.methods: 'kde' is listed twice"),
        ("experiments.digits.settings.kd", {}, "digits.settings: no method 'kd'; did you mean 'kde'?"),
        ("experiments.digits.network", "lenet-digit", "digits.network: unknown network 'lenet-digit'; did you mean"),
        (
            "experiments.digits.published",
            "mnits",
            "digits.published: no published dataset 'mnits'; did you mean 'mnist'",
        ),
        ("experiments.digits.shuffled", "digit", "digits.shuffled: no experiment 'digit'; did you mean 'digits'?"),
        ("experiments.digits.training_set", {"test_normals": "fitted"}, "digits.holdout: It must be 0 where the test"),
        ("run", ["digit"], "run: no experiment 'digit'; did you mean 'digits'?"),
        # Types.
        ("seeds", "many", "seeds: must be a number of seeds, or a list of whole numbers (got 'many')"),
        ("seeds", True, "seeds: must be a number of seeds, or a list of whole numbers (got True)"),
        ("seeds", 2.0, "seeds: must be a number of seeds, or a list of whole numbers (got 2.0)"),
        ("seeds", [0, 1.5], "seeds: must be a number of seeds, or a list of whole numbers (got [0, 1.5])"),
        ("seeds", None, "seeds: must be a number of seeds, or a list of whole numbers (got None)"),
        ("threads", True, "threads: must be a whole number (got True)"),
        ("mirror", 3, "mirror: must be a text (got 3)"),
        ("run", [], "run: must be a list of at least one name, or all (got [])"),
        ("run", "digits", "run: must be a list of at least one name, or all (got 'digits')"),
        ("methods", None, "methods: must be a mapping of keys to values (got None)"),
        ("methods", ["kde"], "methods: must be a mapping of keys to values (got ['kde'])"),
        ("methods.kde", [1], "methods.kde: must be a mapping of keys to values (got [1])"),
        ("methods.kde", {"bandwidths": "wide"}, "methods.kde.bandwidths: The 'bandwidths' parameter of KDE must be"),
        (
            "methods.dcae",
            {"epochs": "ten"},
            "methods.dcae.epochs: The 'epochs' parameter of DCAE must be an array-like",
        ),
        (
            "methods.dcae",
            {"network": {"kind": "lenet", "widths": 8}},
            "dcae.network: widths of a network must be a list",
        ),
        ("methods.dcae", {"network": [8]}, "methods.dcae.network: unknown network [8]"),
        ("methods.dcae", {"batch_size": "many"}, "methods.dcae.batch_size: The 'batch_size' parameter of DCAE must be"),
        ("experiments.digits", None, "experiments.digits: must be a mapping of keys to values (got None)"),
        ("experiments.digits.contamination", "much", "digits.contamination: input should be a valid number"),
        ("experiments.digits.contamination", True, "digits.contamination: must be a number (got True)"),
        ("experiments.digits.contamination", float("nan"), "digits.contamination: input should be a finite number"),
        (
            "experiments.digits.normal_classes",
            3,
            "normal_classes: must be a list of at least one class, or all (got 3)",
        ),
        (
            "experiments.digits.normal_classes",
            [],
            "normal_classes: must be a list of at least one class, or all (got [])",
        ),
        ("experiments.digits.normal_classes", [True], "normal_classes: must be a list of at least one class, or all"),
        (
            "experiments.digits.methods",
            "kde",
            "digits.methods: must be a list of at least one name, or all (got 'kde')",
        ),
        ("experiments.digits.network", ["dense"], "network: must be the name of a network, or a mapping of its fields"),
        ("experiments.digits.network", {"widths": [8]}, "digits.network: not a network: {'widths': [8]}"),
        ("experiments.digits.training", "fast", "digits.training: must be a mapping of keys to values (got 'fast')"),
        ("experiments.digits.training.weight_decay", None, "training.weight_decay: input should be a valid number"),
        ("experiments.digits.autoencoder.epochs", 5, "digits.autoencoder.epochs: must be a list (got 5)"),
        ("experiments.digits.autoencoder.epochs", [5, 2.5], "autoencoder.epochs.1: must be a whole number (got 2.5)"),
        ("experiments.digits.settings.kde", 3, "digits.settings.kde: must be a mapping of keys to values (got 3)"),
        (
            "experiments.digits.settings",
            {"kde": {"cv": "5-fold"}},
            "settings.kde.cv: The 'cv' parameter of KDE must be",
        ),
        ("published.auc", "config/published/table3.csv", "published.auc: must be a list (got"),
        ("references", ["lab.csv"], "references: must be a mapping of keys to values (got ['lab.csv'])"),
        # Values.
        ("seeds", 0, "seeds: at least one seed is needed (got 0)"),
        ("seeds", 20261125, "seeds: 20261125 seeds are more than 10,000; this one seed alone would be [20261125]"),
        ("seeds", 10**18, "seeds: must be a number of at most 18 digits"),
        ("threads", 10**18, "threads: must be a number of at most 18 digits"),
        ("seeds", [1, 1], "seeds: seeds must be different whole numbers"),
        ("seeds", [], "seeds: seeds must be different whole numbers"),
        ("seeds", [0, 2**31], "seeds: seeds must be different whole numbers ≥ 0 and < 2³¹"),
        ("experiments.digits.seeds", [-1], "experiments.digits.seeds: seeds must be different whole numbers"),
        ("experiments", {}, "experiments: at least one is needed"),
        ("methods", {}, "methods: at least one is needed"),
        ("methods.kde", {"cv": 1}, "methods.kde.cv: The 'cv' parameter of KDE must be an int in the range [2, inf)"),
        ("methods.ocnn", {"nu": 2}, "methods.ocnn.nu: The 'nu' parameter of OneClassNN must be"),
        (
            "methods.ocnn",
            {"nu": 0.1, "random_state": 3},
            "methods.ocnn.random_state: is what the seeds are for; see seeds",
        ),
        ("methods.kde", {"bandwidths": [1, "2h"]}, "methods.kde: bandwidths must be a sequence of positive numbers"),
        ("methods.ocsvm", {"gamma": [0.1, -1]}, "methods.ocsvm: gamma must be a sequence of positive numbers"),
        (
            "methods.dcae",
            {"epochs": [5, 5, 5]},
            "methods.dcae: epochs must be a whole number or several, one per phase",
        ),
        ("experiments.digits.settings.ocnn.epochs", [5], "settings.ocnn: epochs must be a whole number"),
        ("experiments.digits.contamination", 0.51, "digits.contamination: input should be less than or equal to 0.5"),
        ("experiments.digits.contamination", -0.1, "digits.contamination: input should be greater than or equal to 0"),
        (
            "experiments.digits.contamination",
            0,
            "digits.settings.ocnn: nu=None takes anomaly_share for ν, which must not be 0: give nu a number",
        ),
        (
            "experiments.digits.contamination",
            ["1/11", 0, "1/21"],
            "digits.settings.ocnn: nu=None takes anomaly_share for ν, which must not be 0: give nu a number",
        ),
        (
            "experiments.digits",
            {
                "dataset": "digits",
                "contamination": [0.05, 0.1],
                "holdout": 0,
                "training_set": {"test_normals": "fitted"},
            },
            "digits.contamination: a list is for a test part of its own, on which all of its experiments are scored",
        ),
        ("experiments.digits.contamination", [0.1, 0.51], "digits.contamination.1: input should be less than or equal"),
        ("experiments.digits.contamination", [0.1, "1/10"], "digits.contamination: 0.1 is listed twice"),
        ("experiments.digits.contamination", [], "digits.contamination: must have at least one item"),
        (
            "experiments.digits.contamination",
            [0.1, 0.1 + 1e-9],
            "digits.contamination: 0.1 and 0.100000001 both make the experiment digits_1_10",
        ),
        ("experiments.digits.holdout", 1, "digits.holdout: input should be less than 1 (got 1)"),
        (
            "experiments.digits.autoencoder.epochs",
            [1, 2, 3],
            "autoencoder: as many learning_rates as epochs are needed",
        ),
        ("verdicts.margin", 0, "verdicts.margin: input should be greater than 0"),
        # Files.
        ("published.auc", ["none.csv"], "published.auc: there is no file none.csv"),
        ("published.auc", ["config/published/table3.csv"] * 2, "table3.csv: the cell mnist, 0, ocsvm is there twice"),
        ("published.claims", "README.md", "published.claims: README.md is not a list of claims"),
        ("published.data", "config/published", "published.data: there is no file config/published"),
        ("published.runs", "config/published/table3.csv", "published.runs: config/published/table3.csv has columns"),
        ("references.lab", "README.md", "references.lab: README.md"),
        ("references.train", "config/published/table3.csv", "references.train: is a column of the tables already"),
    ],
    ids=str,
)
def test_each_fault_is_named(path: str, value: Any, message: str) -> None:
    found = faults(changed(path, value))
    assert len(found) == 1
    assert message in found[0]


def test_an_experiments_grid_needs_a_holdout() -> None:
    content = changed("methods.ocsvm", {"gamma": [0.1, 1.0]})
    load(content)
    found = faults(changed("experiments.digits.holdout", 0, content))
    assert found == ["experiments.digits.holdout: of 0 leaves ocsvm no labels to choose its settings by"]


@pytest.mark.parametrize("content", [None, [], "seeds: 3", 3])
def test_what_is_no_mapping(content: Any) -> None:
    with pytest.raises(ConfigError, match="must be a mapping of keys to values"):
        load(content)
