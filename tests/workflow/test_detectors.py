"""Detectors of other packages and of the user's own, from their class in the configuration to the tables."""

import importlib.metadata
import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from ocnn.results.scores import read_scores
from tests.conftest import ROOT
from tests.workflow.conftest import MEASURED, Checkout, rules

pytestmark = pytest.mark.long

PAGE = (ROOT / "docs" / "own_detectors.md").read_text(encoding="utf-8")
#: The files that the page shows, by the name in their first line.
EXAMPLES = dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))

OWN = """
import numpy as np


class Distance:
    def __init__(self, power=1.0):
        self.power = power

    def fit(self, X):
        self.mean_ = X.mean(axis=0)

    def decision_function(self, X):
        return np.linalg.norm(X - self.mean_, axis=1) ** self.power
"""
METHODS: dict[str, Any] = {
    "lof": {"estimator": "sklearn.neighbors:LocalOutlierFactor", "resources": {"gpus": 1, "minutes": 7}},
    "spread": {"estimator": "pyod.models.spread:Spread", "used": 0.5},
    "mine": {"estimator": "my_detectors:Distance", "higher_scores": "anomalous", "power": 2},
    "backwards": {"estimator": "my_detectors:Distance", "higher_scores": "normal"},
}
CONFIG: dict[str, Any] = {
    "methods": METHODS,
    "experiments": {
        "cancer": {"dataset": "breast_cancer", "contamination": 0},
        "digits": {
            "dataset": "digits",
            "contamination": 0,
            "normal_classes": [3],
            "network": {"kind": "dense", "widths": [8], "code": 4},
            "autoencoder": {"epochs": [1], "learning_rates": [0.001]},
            "methods": ["lof", "lof_codes"],
        },
    },
}
CONFIG["experiments"]["cancer"]["methods"] = list(METHODS)
CONFIG["methods"] = {**METHODS, "lof_codes": {"estimator": "sklearn.neighbors:LocalOutlierFactor", "input": "codes"}}


@pytest.fixture(scope="module")
def detectors(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with a module of the user's and a package in the place of PyOD, in which the tables have been made."""
    checkout = Checkout(tmp_path_factory.mktemp("detectors"))
    shutil.copytree(ROOT / "tests" / "stand_ins" / "pyod", checkout.folder / "pyod")
    about = checkout.folder / "pyod-0.0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pyod\nVersion: 0.0.1\n")
    (about / "top_level.txt").write_text("pyod\n")
    (checkout.folder / "my_detectors.py").write_text(OWN)
    checkout.configure(CONFIG)
    checkout.succeed("results/tables/table3.md", PYTHONPATH=str(checkout.folder))
    return checkout


def test_every_detector_s_scores_and_what_they_state(detectors: Checkout) -> None:
    metrics = pd.read_parquet(detectors.folder / "results" / "metrics.parquet").set_index(["experiment", "method"])
    test = metrics[metrics["evaluation"] == "test"]["auc"]
    assert test["cancer"].drop("backwards").min() > 0.85
    assert test["cancer", "mine"] + test["cancer", "backwards"] == pytest.approx(1)
    assert test["digits", "lof"] > 0.9
    scores = detectors.folder / "results" / "scores"
    _, spread = read_scores(scores / "cancer" / "benign" / "spread" / "seed-0.parquet")
    assert spread["estimator"] == "pyod.models.spread:Spread"
    assert spread["settings"] == {"used": 0.5, "random_state": 0}
    assert spread["versions"]["pyod (detector)"] == "0.0.1"
    assert spread["backend"] is None
    _, lof = read_scores(scores / "digits" / "3" / "lof_codes" / "seed-0.parquet")
    assert lof["backend"] == "tensorflow"
    assert lof["settings"] == {"novelty": True}
    # The version of one method's package is no difference between the fits of a table.
    assert "Not all fits" not in (detectors.folder / "results/tables/table3.md").read_text(encoding="utf-8")


def test_a_wrong_sign_is_marked(detectors: Checkout) -> None:
    """In the table, with a single seed; and nothing else is."""
    (header, *rows) = [
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in (detectors.folder / "results/tables/table3.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and set(line) - set("|-: ")
    ]
    marked = {name for row in rows for name, cell in zip(header, row, strict=False) if "‡" in cell}
    assert marked == {"backwards"}


def test_what_reruns_a_detector(detectors: Checkout, tmp_path: Path) -> None:
    """Its settings, its package and its module; not what it may take of a cluster. A dry run shows that."""
    checkout = detectors.copy_to(tmp_path / "copy")

    def planned() -> tuple[set[str], str]:
        output = checkout.succeed("-n", MEASURED, PYTHONPATH=str(checkout.folder))
        found = re.findall(r"output: results/scores/cancer/benign/(\w+)/seed-0.parquet$", output, re.MULTILINE)
        assert rules(output)["fit"] == len(found)
        return set(found), output

    experiments = {"cancer": CONFIG["experiments"]["cancer"]}
    lof = {"estimator": METHODS["lof"]["estimator"]}
    checkout.configure({**CONFIG, "experiments": experiments, "methods": {**METHODS, "lof": lof}})
    checkout.replace("pyod/models/spread.py", "POWER = 1.0", "POWER = 2.0")
    assert planned()[0] == {"spread"}
    checkout.replace("pyod/models/spread.py", "POWER = 2.0", "POWER = 1.0")
    checkout.replace("my_detectors.py", "** self.power", "** self.power + 1")
    methods = {**METHODS, "lof": {**METHODS["lof"], "n_neighbors": 5}}
    checkout.configure({**CONFIG, "experiments": experiments, "methods": methods})
    fits, output = planned()
    assert fits == {"lof", "mine", "backwards"}
    assert len(re.findall("resources: .*runtime=60,", output)) == 2
    assert len(re.findall("resources: .*runtime=7, gpu=1,", output)) == 1


def test_a_detector_that_fails_is_one_line(checkout: Checkout) -> None:
    """The last that is seen of the job; the detector's name, its error and where it happened."""
    failing = OWN.replace("self.mean_ = X.mean(axis=0)", "self.mean_ = X[:, 1000]")
    (checkout.folder / "my_detectors.py").write_text(failing)
    mine = {"estimator": "my_detectors:Distance", "higher_scores": "anomalous"}
    checkout.configure(
        {"methods": {"mine": mine}, "experiments": {"cancer": {"dataset": "breast_cancer", "contamination": 0}}}
    )
    run = checkout.run(MEASURED)
    assert run.returncode != 0
    log = (checkout.folder / "results/logs/fit/cancer/benign/mine/seed-0.log").read_text(encoding="utf-8")
    (line,) = [line for line in log.splitlines() if line.strip()]
    assert re.fullmatch(
        r"error: Distance\.fit failed on \d+ samples of shape \(30,\): IndexError: .*\(my_detectors\.py, line 10\)",
        line,
    )
    assert line in run.stderr


def test_the_networks_of_the_page(checkout: Checkout) -> None:
    """The files as they stand there, PyTorch's where it is installed, with fewer epochs; PyOD itself beside them."""
    config = yaml.safe_load(EXAMPLES["networks.yaml"])
    names = ["keras_autoencoder", "torch_deep_svdd"]
    assert list(config["methods"]) == names
    if importlib.util.find_spec("torch") is None:
        del config["methods"]["torch_deep_svdd"]
    for block in config["methods"].values():
        block["epochs"] = 40
    config["methods"] |= {"ecod": {"estimator": "pyod.models.ecod:ECOD"}}
    for name in ("my_keras.py", "my_torch.py"):
        (checkout.folder / name).write_text(EXAMPLES[name])
    checkout.configure(config)
    checkout.succeed(MEASURED, PYTHONPATH=".")
    metrics = pd.read_parquet(checkout.folder / "results" / "metrics.parquet").set_index("method")
    assert set(metrics.index) == set(config["methods"])
    assert metrics[metrics["evaluation"] == "test"]["auc"].min() > 0.75
    _, stated = read_scores(checkout.folder / "results/scores/cancer/benign/keras_autoencoder/seed-0.parquet")
    assert stated["backend"] == "tensorflow"
    # The batch size is the class's own, as the configuration states none.
    assert stated["settings"] == {"epochs": 40, "random_state": 0}
    _, stated = read_scores(checkout.folder / "results/scores/cancer/benign/ecod/seed-0.parquet")
    assert stated["versions"]["pyod (detector)"] == importlib.metadata.version("pyod")
