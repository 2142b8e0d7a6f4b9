"""All faults of a configuration are found at once, none that is none, and whatever it holds without a traceback."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ocnn.config.checks import load
from ocnn.config.schema import Config
from ocnn.errors import ConfigError
from tests.config.configurations import changed, faults
from tests.conftest import ROOT

EVERYTHING_WRONG = """
sedes: 3
seeds: true
threads: 1.5
verdicts: {alfa: 1, margin: no}
references: {train: none.csv, lab: 5}
run: [xyz, small, two words]
methods:
  kde: {bandwith: 1, cv: 1}
  ocsvm: 5
  mine: {estimator: 'no.such:Thing'}
  two words: {estimator: kde}
  iforest: {n_estimators: many, max_samples: 1, published: ifores}
  dcae: {network: {kind: lenet, width: [3]}, epochs: ten}
  ocnn: {nu: null}
  rcae: {epochs: [5], iterations: 10, learning_rates: [0.1], pretrain_epochs: [1]}
attacks:
  zeros: {dataset: digits, attacked_class: 0, image: 5, segment: 3, classifier: {epoch: 4, seed: -1, widths: 3}}
  ones: 5
  twos: {dataset: digits, attacked_class: 2, images: 100}
  threes: {attacked_class: true}
experiments:
  small:
    {dataset: mnits, contamination: 1.5, normal_classes: 3, methods: kde, seeds: [0, 1.5], network: lenet-digit}
  misspelt:
    dataset: digits
    contaminatoin: 0.1
    settings: {kd: {}, kde: {cv: 0}, ocsvm: {nu: 3}}
    training: {batchsize: 3, weight_decay: true}
    autoencoder: {epochs: [1, 2, -3]}
  empty:
  unattacked: {attack: ones, steps: [], contamination: 0, methods: [kde, mine, ocsvm, kde]}
  contaminated: {attack: twos, steps: 10, held_out: false, contamination: 0.45, methods: [ocnn]}
  undecided: {attack: threes, steps: 10, contamination: 0.1, held_out: maybe, normal_classes: [4]}
  unknown: {attack: nines, contamination: 0}
  two words: {dataset: digits, contamination: 0, normal_classes: [yes]}
  tabular: {dataset: synthetic, contamination: 0.5, holdout: 0.001, methods: [ocnn]}
  typed: {dataset: 5, contamination: .nan, published: mnist}
published: {auc: table3.csv, claim: x}
"""
ALL_OF_IT = """
seeds: must be a number of seeds
threads: must be a whole number
methods.ocsvm: must be a mapping
attacks.zeros.segment: input should be greater
attacks.zeros.classifier.widths: must be a list
attacks.zeros.classifier.seed: input should be greater
attacks.zeros.classifier.epoch: unknown key; did you mean 'epochs'?
attacks.zeros.image: unknown key; did you mean 'images'?
attacks.ones: must be a mapping
attacks.threes.dataset: field required
attacks.threes.attacked_class: must be the name of a class
experiments.small.normal_classes: must be a list
experiments.small.contamination: input should be less than or equal to 0.5
experiments.small.seeds: must be a number of seeds
experiments.small.methods: must be a list
experiments.misspelt.training.weight_decay: must be a number
experiments.misspelt.training.batchsize: unknown key; did you mean 'batch_size'?
experiments.misspelt.autoencoder.epochs.2: input should be greater
experiments.misspelt.contaminatoin: unknown key; did you mean 'contamination'?
experiments.empty: must be a mapping
experiments.unattacked.steps: must be a whole number
experiments.unattacked.methods: 'kde' is listed twice
experiments.undecided.held_out: input should be a valid boolean
experiments.two words.normal_classes: must be a list
experiments.typed.dataset: must be a text
experiments.typed.contamination: input should be a finite number
published.auc: must be a list
published.claim: unknown key; did you mean 'claims'?
references.lab: must be a text
verdicts.margin: must be a number
verdicts.alfa: unknown key; did you mean 'alpha'?
sedes: unknown key; did you mean 'seeds'?
methods.two words: a name is made of
experiments.two words: a name is made of
run: no experiment 'xyz'; known are
methods.kde.bandwith: unknown setting; did you mean 'bandwidths'?
methods.kde.cv: The 'cv' parameter
methods.mine.estimator: no.such:Thing cannot be imported
methods.iforest.n_estimators: The 'n_estimators' parameter
methods.iforest.max_samples: The 'max_samples' parameter
methods.dcae.network.width: unknown key; did you mean 'widths'?
methods.dcae.epochs: The 'epochs' parameter
attacks.twos.images: 100 are to be attacked, but class '2' of digits has 71 test images
experiments.small.dataset: no data set 'mnits'; did you mean 'mnist'?
experiments.small.network: unknown network 'lenet-digit'; did you mean 'lenet-digits'?
experiments.misspelt.settings: no method 'kd'; did you mean 'kde'?
experiments.misspelt.settings.kde.cv: The 'cv' parameter
methods.rcae: pretrain_epochs must be a whole number or several
methods.rcae: epochs must be at least one
experiments.contaminated.contamination: A contamination of 0.45 asks for 145 anomalies
experiments.unknown.attack: no attack 'nines'; did you mean 'ones'?
experiments.unknown.steps: an attack needs a number of steps
experiments.unknown.settings.ocnn: nu=None takes anomaly_share for ν
experiments.two words.settings.ocnn: nu=None takes anomaly_share for ν
experiments.tabular.contamination: A contamination of 0.5 asks for 190 anomalies
experiments.tabular.holdout: A holdout of 0.001
references.train: there is no file none.csv
references.train: is a column of the tables already
"""


def test_all_faults_are_listed_at_once_and_none_that_only_follows_from_another() -> None:
    """For one: no method of `misspelt` complains of its contamination, nor `run` that `two words` is no experiment."""
    found = faults(yaml.safe_load(EVERYTHING_WRONG))
    expected = ALL_OF_IT.strip().splitlines()
    assert len(found) == len(expected)
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)


def test_one_experiments_faults_hide_none_of_anothers_settings() -> None:
    content = changed("experiments.other", {"dataset": "mnits", "contamination": 2})
    found = faults(changed("experiments.digits.settings.kde", {"cv": 1, "bandwith": 1}, content))
    assert [fault.split(":")[0] for fault in found] == [
        "experiments.other.contamination",
        "experiments.digits.settings.kde.cv",
        "experiments.digits.settings.kde.bandwith",
        "experiments.other.dataset",
    ]


def test_an_anchor_shared_by_blocks_keeps_what_is_right_of_it() -> None:
    """One object in several places, as YAML's anchors make it: each place has its own fault, and no other."""
    shared = {"batch_size": 0, "weight_decay": 1e-5}
    content = changed("experiments.digits.training", shared)
    content["experiments"]["other"] = {"dataset": "digits", "contamination": 0.1, "training": shared}
    found = faults(content)
    assert [fault.split(":")[0] for fault in found] == [
        "experiments.digits.training.batch_size",
        "experiments.other.training.batch_size",
    ]


ATTACKS = {
    "stops": {"dataset": "gtsrb", "attacked_class": "stop", "images": 100},
    "zeros": {"dataset": "digits", "attacked_class": 0, "images": 71},
}
HELD_OUT = {"attack": "zeros", "steps": 10, "contamination": 0}
AT_ONCE = {"attack": "stops", "steps": 10, "held_out": False}


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({"dataset": "mnist", "contamination": 0.4975}, None),
        ({"dataset": "cifar10", "contamination": 0.4975}, None),
        ({"dataset": "gtsrb", "contamination": 0.4975}, None),  # editions differ, so that only the job can tell
        ({"dataset": "synthetic", "contamination": 0}, None),
        (
            {"dataset": "synthetic", "contamination": 0.01},
            "contamination: A contamination of 0.01 asks for 2 anomalies beside the 190 samples of class 'normal', but"
            " the other classes have 0.",
        ),
        (
            {"dataset": "synthetic", "contamination": 0, "holdout": 0.001},
            "holdout: A holdout of 0.001 of the evaluation samples, 190 normal and 10 anomalous, cannot be drawn: it"
            " takes at least one of either kind, and leaves one; 0 draws none",
        ),
        ({"dataset": "digits", "contamination": 0.1, "normal_classes": [0], "holdout": 0.003}, None),
        ({"dataset": "digits", "contamination": 0.1, "normal_classes": [0], "holdout": 0.001}, "holdout: A holdout of"),
        (HELD_OUT, None),
        ({**HELD_OUT, "holdout": 0.985}, None),
        ({**HELD_OUT, "holdout": 0.99}, "holdout: A holdout of 0.99 of the evaluation samples, 71 normal and 71"),
        ({**AT_ONCE, "contamination": 2 / 23}, None),
        ({**AT_ONCE, "contamination": 0.0873}, None),  # 100.43, and so 100
        (
            {**AT_ONCE, "contamination": 0.0874},
            "contamination: A contamination of 0.0874 asks for 101 anomalies beside the 1050 samples of class 'stop',"
            " but the other classes have 100.",
        ),
    ],
    ids=str,
)
def test_classes_too_small(block: dict[str, Any], fault: str | None) -> None:
    content = {"methods": {"kde": {}}, "attacks": ATTACKS, "experiments": {"toy": block}}
    if fault is None:
        load(content)
    else:
        (found,) = faults(content)
        assert found.startswith(f"experiments.toy.{fault}")


def test_more_images_to_attack_than_there_are() -> None:
    content = {
        "methods": {"kde": {}},
        "attacks": {"zeros": {**ATTACKS["zeros"], "images": 72}, "stops": {**ATTACKS["stops"], "images": 271}},
        "experiments": {"toy": HELD_OUT},
    }
    assert faults(content) == [
        "attacks.zeros.images: 72 are to be attacked, but class '0' of digits has 71 test images",
        "attacks.stops.images: 271 are to be attacked, but class 'stop' of gtsrb has 270 test images",
    ]
    # So many that no split of them could be tried.
    content["attacks"] = {"zeros": {**ATTACKS["zeros"], "images": 10**17}}
    assert faults(content) == [f"attacks.zeros.images: input should be less than or equal to 100000 (got {10**17})"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["all", "kde", "a:b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def places(content: Any) -> list[tuple[Any, Any]]:
    """Every (mapping or list, key) in it."""
    keys = content.keys() if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    return [place for key in keys for place in [(content, key), *places(content[key])]]


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_value_at_any_place_makes_a_traceback(data: st.DataObject) -> None:
    content = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    content["published"] = {"auc": [str(ROOT / "config" / "published" / "table3.csv")]}
    for _ in range(data.draw(st.integers(1, 3))):
        place, key = data.draw(st.sampled_from(places(content)))
        place[key] = data.draw(VALUES)
    with suppress(ConfigError):
        assert isinstance(load(content), Config)
