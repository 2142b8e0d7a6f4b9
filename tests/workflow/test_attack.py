"""The real workflow from a classifier to Table 4, on the digits and on the real stop signs."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ocnn.attacks.boundary import read_attack
from ocnn.results.scores import read_scores
from ocnn.storage.arrays import read_arrays, read_statement, write_arrays
from tests.conftest import ROOT
from tests.workflow.conftest import Checkout

pytestmark = pytest.mark.long

CLASSIFIER: dict[str, Any] = {"widths": [8, 16], "epochs": 8, "learning_rate": 0.003, "batch_size": 32}
ZEROS: dict[str, Any] = {"dataset": "digits", "attacked_class": 0, "images": 12, "classifier": CLASSIFIER}
BLOCK: dict[str, Any] = {"attack": "zeros", "contamination": 0, "network": "lenet-digits"}
CONFIG: dict[str, Any] = {
    "methods": {"kde": {}, "ocsvm": {"gamma": [0.01, 0.1]}},
    "attacks": {"zeros": ZEROS},
    "experiments": {
        "held_out": {**BLOCK, "steps": [0, 40]},
        "at_once": {**BLOCK, "steps": 40, "held_out": False, "contamination": 6 / 95},
    },
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose run is done."""
    checkout = Checkout(tmp_path_factory.mktemp("attacked"))
    checkout.configure(CONFIG)
    checkout.succeed()
    return checkout


@pytest.fixture
def attacked_copy(attacked: Checkout, tmp_path: Path) -> Checkout:
    """A copy of it, to be changed."""
    return attacked.copy_to(tmp_path / "copy")


def test_from_the_classifier_to_table_4(attacked: Checkout) -> None:
    results = attacked.folder / "results"
    record = pd.read_parquet(results / "attacks" / "zeros" / "steps-40.parquet")
    assert len(record) == 12
    assert (record["label"] == "0").all()
    assert (record["before"] == "0").all()
    assert (record["after"] != "0").all()
    assert record["source"].is_unique
    attack = read_attack(results / "attacks" / "zeros" / "steps-40.npz")
    pixels, labels = (np.load(results / "pixels" / "digits" / file) for file in ("test.npy", "test_labels.npy"))
    assert (labels[record["source"]] == 0).all()
    distances = np.linalg.norm((attack.images - pixels[record["source"]]).reshape(12, -1), axis=1)
    np.testing.assert_allclose(record["l2"], distances, rtol=1e-5)
    first = pd.read_parquet(results / "attacks" / "zeros" / "steps-0.parquet")
    assert list(first["source"]) == list(record["source"])
    assert record["l2"].median() < first["l2"].median()
    accuracy = json.loads((results / "attacks" / "zeros" / "classifier.json").read_text())
    assert accuracy["accuracy"] >= 0.9
    assert set(accuracy["classes"]) == set("0123456789")

    zeros = {
        part: int((np.load(results / "pixels" / "digits" / f"{part}_labels.npy") == 0).sum())
        for part in ("train", "test")
    }
    scores = {
        name: read_scores(results / "scores" / name / "0" / "ocsvm" / "seed-0.parquet")[0]
        for name in ("held_out_40", "at_once")
    }
    counts = scores["held_out_40"].groupby(["evaluation", "is_anomaly"], observed=True).size().to_dict()
    assert counts == {("train", False): zeros["train"], ("test", False): zeros["test"], ("test", True): 12}
    counts = scores["at_once"].groupby(["evaluation", "is_anomaly"], observed=True).size().to_dict()
    assert counts == {("train", False): zeros["train"] + zeros["test"], ("train", True): 12}
    # What was tuned on is not measured, wherever it is.
    for name, evaluation in (("held_out_40", "test"), ("at_once", "train")):
        rows = scores[name]
        assert set(rows.loc[rows["tuned_on"], "evaluation"]) == {evaluation}
        metrics = pd.read_parquet(results / "metrics.parquet").set_index(["experiment", "method", "evaluation"])
        expected = int((~rows["tuned_on"] & (rows["evaluation"] == evaluation)).sum())
        assert metrics["samples"].to_dict()[name, "ocsvm", evaluation] == expected
    table = (results / "tables" / "table4.md").read_text()
    assert "12 images of the attack `zeros`, 40 steps" in table
    assert not (results / "tables" / "table3.md").exists()
    for name in ("attack_strength", "attacks/zeros-0", "attacks/zeros-40"):
        for suffix in ("svg", "png"):
            assert (results / "figures" / f"{name}.{suffix}").stat().st_size > 5000


def test_more_steps_go_on_from_where_the_attack_is(attacked_copy: Checkout) -> None:
    assert attacked_copy.planned() == {}
    family = {**BLOCK, "steps": [0, 40, 1040]}
    attacked_copy.configure({**CONFIG, "experiments": {**CONFIG["experiments"], "held_out": family}})
    more = {"attack": 2, "verify": 1, "adversarial_images": 1, "split": 1, "fit": 2}
    assert attacked_copy.planned() == more
    (attacked_copy.folder / "results" / "tables" / "table4.csv").unlink()
    attacked_copy.configure(CONFIG)
    assert attacked_copy.planned() == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs"),
    [
        (
            "ocnn/attacks/boundary.py",
            "MARGIN = 1e-3",
            "MARGIN = 2e-3",
            {"attack": 2, "verify": 2, "adversarial_images": 3, "split": 3, "fit": 6},
        ),
        (
            "ocnn/attacks/boundary.py",
            "    began = time.monotonic()\n",
            "    # when\n    began = time.monotonic()\n",
            {},
        ),
        ("config/config.yaml", "kde: {}", "kde: {cv: 4}", {"fit": 3}),
        (
            "config/config.yaml",
            "images: 12",
            "images: 13",
            {"attack": 2, "verify": 2, "adversarial_images": 3, "split": 3, "fit": 6},
        ),
    ],
    ids=["margin", "comment", "method", "images"],
)
def test_a_change_runs_what_it_concerns(
    attacked_copy: Checkout, file: str, old: str, new: str, jobs: dict[str, int]
) -> None:
    attacked_copy.replace(file, old, new)
    assert attacked_copy.planned() == jobs


def test_a_poor_classifier_is_not_attacked(checkout: Checkout) -> None:
    poor = {**ZEROS, "classifier": {**CLASSIFIER, "epochs": 1, "minimum_accuracy": 0.999}}
    checkout.configure({**CONFIG, "attacks": {"zeros": poor}})
    run = checkout.run()
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert "Traceback" not in output
    assert "error: The classifier of digits is right for" in output
    assert "minimum_accuracy is 99.9%: train it longer" in output
    assert not list((checkout.folder / "results").rglob("*.npz"))


def test_a_planted_image_that_is_not_adversarial_stops_the_run(attacked_copy: Checkout) -> None:
    """The attack's file is changed behind the workflow's back, and its record deleted so that it is verified again."""
    folder = attacked_copy.folder / "results" / "attacks" / "zeros"
    pixels = np.load(attacked_copy.folder / "results" / "pixels" / "digits" / "test.npy")
    record = pd.read_parquet(folder / "steps-40.parquet")
    fields, (recipe, _) = read_arrays(folder / "steps-40.npz"), read_statement(folder / "steps-40.npz")
    fields["images"][3] = pixels[record["source"][3]]
    write_arrays(folder / "steps-40.npz", fields, recipe)
    (folder / "steps-40.parquet").unlink()
    run = attacked_copy.run()
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert "error: The attack did not do what it should: image 3" in output
    assert "correctly classified" in output


def test_the_real_stop_signs_from_the_mirror(checkout: Checkout, mirror: Path) -> None:
    classifier = {"widths": [8, 16, 32], "epochs": 4, "learning_rate": 0.003, "minimum_accuracy": 0.3}
    block = {"attack": "signs", "steps": 20, "network": "lenet-gtsrb", "published": "gtsrb"}
    checkout.configure(
        {
            "methods": {"iforest": {}},
            "attacks": {"signs": {"dataset": "gtsrb", "attacked_class": "stop", "classifier": classifier}},
            "experiments": {
                "gtsrb": {**block, "held_out": False, "contamination": 2 / 23},
                "gtsrb_heldout": {**block, "contamination": 0},
            },
            "published": {"auc": [str(ROOT / "config" / "published" / "table4.csv")]},
        }
    )
    checkout.succeed("results/metrics.parquet", "results/tables/table4.md", OCNN_MIRROR=str(mirror))
    metrics = pd.read_parquet(checkout.folder / "results" / "metrics.parquet")
    rows = {(row["experiment"], row["evaluation"]): row for row in metrics.to_dict("records")}
    assert (rows["gtsrb", "train"]["samples"], rows["gtsrb", "train"]["anomalies"]) == (1150, 100)
    assert (rows["gtsrb_heldout", "test"]["samples"], rows["gtsrb_heldout", "test"]["anomalies"]) == (370, 100)
    assert (rows["gtsrb_heldout", "train"]["samples"], rows["gtsrb_heldout", "train"]["anomalies"]) == (780, 0)
    assert "53.37 ± 2.9" in (checkout.folder / "results" / "tables" / "table4.md").read_text()
    # An archive that was deleted is not missed: one more seed fits that seed, and reads no archive again.
    shutil.rmtree(checkout.folder / "resources")
    assert checkout.planned("--config", "seeds=2") == {"split": 2, "fit": 2}
    for folder in ("results/pixels", "results/images"):
        shutil.rmtree(checkout.folder / folder)
