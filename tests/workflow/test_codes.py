"""A method on the codes of the shared autoencoder: what its fit is, and what remakes it."""

import copy as copying
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from ocnn.data.dataset import ARRAY_FILES
from ocnn.data.samples import load_samples
from ocnn.data.splits import read_split
from ocnn.methods import DCAE, KDE
from ocnn.results.scores import read_scores
from tests.workflow.conftest import CONFIG, MEASURED, TRAINING, Checkout, Edit, rules

pytestmark = pytest.mark.long

ROWS: dict[str, Any] = {
    **CONFIG,
    "methods": {"kde": {"bandwidths": [0.3]}, "kde_codes": {"estimator": "kde", "input": "codes", "bandwidths": [1.0]}},
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which both were fitted."""
    checkout = Checkout(tmp_path_factory.mktemp("codes"))
    checkout.configure(ROWS)
    checkout.succeed(MEASURED)
    return checkout


def test_the_fit_is_that_of_a_pipeline(fitted: Checkout) -> None:
    """What the workflow writes is what the library gives: the encoder of the shared autoencoder, then the method."""
    results = fitted.folder / "results"
    split = read_split(results / "splits/digits/3/seed-0.parquet")
    arrays = [results / "images/digits" / file for file in ARRAY_FILES]
    X_train, X_test = (load_samples(split, arrays, split.part(part)) for part in ("train", "test"))
    encoder = DCAE(network="lenet-digits", autoencoder=results / "autoencoders/digits/3/seed-0.npz")
    model = make_pipeline(encoder, KDE(bandwidths=[1.0])).fit(X_train)
    scores, metadata = read_scores(results / "scores/digits/3/kde_codes/seed-0.parquet")
    for part, X in (("train", X_train), ("test", X_test)):
        found = scores.loc[scores["evaluation"] == part, "anomaly_score"]
        np.testing.assert_allclose(found, -model.decision_function(X), rtol=1e-5, atol=1e-5)
    assert metadata["backend"] == "tensorflow"
    assert metadata["settings"] == {"bandwidths": [1.0]}
    on_data, metadata = read_scores(results / "scores/digits/3/kde/seed-0.parquet")
    assert metadata["backend"] is None
    assert np.corrcoef(on_data["anomaly_score"], scores["anomaly_score"])[0, 1] < 0.99


def change(path: str, value: Any) -> Callable[[Checkout], None]:
    """Writes the configuration with another value at a path of keys."""

    def configure(checkout: Checkout) -> None:
        config = copying.deepcopy(ROWS)
        *parents, last = path.split("/")
        place = config
        for parent in parents:
            place = place[parent]
        place[last] = value
        checkout.configure(config)

    return configure


#: What happens → the rules whose jobs run again, and the methods of the fits among them.
CHANGES: dict[str, tuple[Callable[[Checkout], None], dict[str, int], set[str]]] = {
    "nothing": (lambda checkout: checkout.configure(ROWS), {}, set()),
    "the autoencoder's setting": (
        change("experiments/digits/autoencoder", {**TRAINING, "epochs": [1]}),
        {"autoencoder": 1, "fit": 1},
        {"kde_codes"},
    ),
    "the autoencoder's network": (
        change("experiments/digits/network", {"kind": "lenet", "widths": [4], "code": 8, "kernel": 3}),
        {"autoencoder": 1, "fit": 1},
        {"kde_codes"},
    ),
    "the autoencoder's code": (
        Edit("ocnn/methods/dcae.py", "weight_decay(kernels, ", "weight_decay(kernels, 2 * "),
        {"autoencoder": 1, "fit": 1},
        {"kde_codes"},
    ),
    "a setting of the method on data": (change("methods/kde/bandwidths", [0.4]), {"fit": 1}, {"kde"}),
    "a setting of the method on codes": (change("methods/kde_codes/bandwidths", [0.4]), {"fit": 1}, {"kde_codes"}),
    "the method's code": (
        Edit("ocnn/methods/kde.py", "0.5 / np.square", "0.4 / np.square"),
        {"fit": 2},
        {"kde", "kde_codes"},
    ),
    "the input": (change("methods/kde_codes/input", "data"), {"fit": 1}, {"kde_codes"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_remakes_what_it_concerns(fitted: Checkout, tmp_path: Path, what: str) -> None:
    edit, jobs, methods = CHANGES[what]
    copy = fitted.copy_to(tmp_path / "copy")
    edit(copy)
    output = copy.succeed("-n", MEASURED)
    assert {rule: count for rule, count in rules(output).items() if rule != "metrics"} == jobs
    assert set(re.findall(r"wildcards: .*method=(\w+)", output)) == methods


def test_another_backend_refits_the_method_on_codes_alone(fitted: Checkout) -> None:
    output = fitted.succeed("-n", MEASURED, KERAS_BACKEND="jax")
    assert set(re.findall(r"wildcards: .*method=(\w+)", output)) == {"kde_codes"}
