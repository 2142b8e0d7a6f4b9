"""The configuration: what it means."""

import copy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from ocnn.config.checks import load
from ocnn.config.schema import Config
from ocnn.config.sections import TrainingSet
from ocnn.data import load_dataset
from ocnn.data.splits import WHOLE, anomaly_count
from ocnn.methods import load_estimator
from ocnn.storage.arrays import write_arrays
from tests.config.configurations import MINIMAL, shipped
from tests.conftest import ROOT


def read(name: str) -> Config:
    return load(shipped(name))


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_papers_protocol() -> None:
    config = read("paper")
    assert config.normal_classes("mnist") == list("0123456789")
    assert config.seeds_of("mnist") == list(range(10))
    block = config.experiments["mnist"]
    assert block.contamination == 1 / 101
    svdd = config.settings("mnist", "deep_svdd", 3)
    assert svdd["epochs"] == [150, 100]
    assert svdd["learning_rates"] == [1e-4, 1e-5]
    assert svdd["random_state"] == 3
    assert svdd["batch_size"] == 200
    assert config.settings("mnist", "dcae", 0)["epochs"] == [250, 100]
    assert config.settings("mnist", "ocsvm", 0) == {"nu": 0.1, "gamma": [2.0**e for e in range(-10, 0)]}
    ocnn = config.settings("mnist", "ocnn", 0)
    assert (ocnn["nu"], ocnn["anomaly_share"]) == (None, 1 / 101)


def test_of_a_batch_size_that_is_not_stated_each_method_has_its_own() -> None:
    assert "batch_size" in read("paper").settings("mnist", "dcae", 0)
    content = shipped("paper")
    content["experiments"]["mnist"]["training"] = {}
    silent = load(content)
    settings = silent.settings("mnist", "deep_svdd", 0)
    assert "batch_size" not in settings
    assert settings["weight_decay"] == 1e-5
    assert "batch_size" not in silent.autoencoder_settings("mnist", 0)
    assert load_estimator("deep_svdd")(**settings).batch_size == "auto"


def test_the_default_needs_no_archive() -> None:
    config = read("config")
    assert set(config.experiments) == {"digits", "digits_adversarial", "synthetic"}
    assert not any(config.dataset(name).archives for name in config.experiments)
    assert not any(load_dataset(attack.dataset).archives for attack in config.attacks.values())
    assert config.uses_autoencoder("digits", "ocnn")
    assert not config.uses_autoencoder("synthetic", "ocnn")
    assert not config.uses_autoencoder("digits", "kde")
    assert config.trains_network("anogan")
    assert config.trains_network("dcae")
    assert not config.trains_network("iforest")


def test_a_method_with_an_autoencoder_of_its_own_does_not_start_from_the_shared_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine.npz"
    write_arrays(mine, {"weight_0": np.zeros(1, np.float32)})
    given = copy.deepcopy(shipped("config"))
    given["methods"]["ocnn"]["autoencoder"] = str(mine)
    config = load(given)
    assert not config.uses_autoencoder("digits", "ocnn")
    assert config.settings("digits", "ocnn", 0)["autoencoder"] == str(mine)
    assert config.uses_autoencoder("digits", "deep_svdd")


def test_the_papers_stop_signs() -> None:
    config = read("paper")
    assert {"gtsrb", "gtsrb_heldout", "gtsrb_steps_100", "gtsrb_steps_25000"} <= set(config.experiments)
    assert config.normal_classes("gtsrb") == ["stop"]
    assert not config.dataset("gtsrb").has_test
    assert config.dataset("gtsrb_heldout").has_test
    assert config.dataset("gtsrb_steps_100").name == "stop_signs-100-heldout"
    assert anomaly_count(1050, config.experiments["gtsrb"].share) == 100
    ocnn = config.settings("gtsrb", "ocnn", 0)
    assert (ocnn["nu"], ocnn["anomaly_share"]) == (None, 100 / 1150)
    assert config.settings("gtsrb", "ocnn", 0)["hidden"] == 16
    assert config.settings("gtsrb_heldout", "ocnn", 0)["nu"] == 0.1
    assert config.settings("gtsrb_heldout", "ocnn_released", 0)["hidden"] == 16
    assert config.settings("gtsrb", "dcae", 0)["batch_size"] == 64
    assert config.settings("gtsrb", "rcae_lambda_0", 0)["lam"] == 0
    assert config.settings("gtsrb", "rcae", 0)["lam"] > 0
    assert "rcae_lambda_0" not in config.methods_of("mnist")
    assert [config.previous_steps("stop_signs", n) for n in (0, 100, 1000, 1001, 25000)] == [None, 0, 0, 1000, 24000]


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


def test_a_row_on_codes_needs_the_shared_autoencoder_and_trains_no_network() -> None:
    methods = {**MINIMAL["methods"], "kde_codes": {"estimator": "kde", "input": "codes", "cv": 3}}
    config = load({**MINIMAL, "methods": methods})
    assert [config.on_codes(method) for method in ("kde", "kde_codes")] == [False, True]
    assert config.uses_autoencoder("digits", "kde_codes")
    assert not config.uses_autoencoder("digits", "kde")
    assert not config.trains_network("kde_codes")
    assert config.settings("digits", "kde_codes", 0) == {"cv": 3}


def test_only_the_experiments_to_run_are_left() -> None:
    experiments = {**MINIMAL["experiments"], "other": {"dataset": "digits", "contamination": 0.05}}
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


def test_a_training_set_has_the_fields_and_defaults_of_the_one_that_is_drawn() -> None:
    assert TrainingSet().model_dump() == asdict(WHOLE)
