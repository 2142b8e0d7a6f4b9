"""The protocol as released, in miniature: what is fitted, what is scored, and how the fits are taken apart."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ocnn.data.dataset import ARRAY_FILES
from ocnn.data.samples import load_samples
from ocnn.data.splits import read_split
from ocnn.methods import DCAE
from ocnn.results.scores import read_scores
from tests.workflow.conftest import TRAINING, Checkout

pytestmark = pytest.mark.long

NETWORK = {"kind": "relu", "widths": [4], "code": 3, "kernel": 3}
SET = {"left_out": "1/6", "test_normals": "fitted", "order": "normals_first", "validation_split": 0.1}
RELEASED: dict[str, Any] = {
    "dataset": "digits",
    "normal_classes": [3],
    "seeds": [42, 56],
    "pixels": "scaled",
    "contamination": "1/21",
    "holdout": 0,
    "training_set": {**SET, "round_down": True},
    "shuffled": "shuffled",
    "network": NETWORK,
    "training": {"batch_size": 32, "weight_decay": 0},
    "autoencoder": TRAINING,
}
CONFIG: dict[str, Any] = {
    "methods": {"dcae": {}},
    "experiments": {
        "released": RELEASED,
        "shuffled": {**RELEASED, "training_set": {**SET, "order": "shuffled", "round_down": True}, "shuffled": None},
    },
}
DECOMPOSITION = ("results/tables/decomposition.csv", "results/figures/decomposition/released.png")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("released"))
    checkout.configure(CONFIG)
    checkout.succeed(*DECOMPOSITION)
    return checkout


def scores_of(finished: Checkout, experiment: str, normal: str = "3", seed: int = 42) -> pd.DataFrame:
    return read_scores(finished.folder / f"results/scores/{experiment}/{normal}/dcae/seed-{seed}.parquet")[0]


def test_the_fit_sees_the_fitted_samples_alone_and_scores_all(finished: Checkout) -> None:
    """Threes: 110 of the training part, of which 18 are left out, 73 of the test part, and 8 anomalies."""
    results = finished.folder / "results"
    split = read_split(results / "splits/released/3/seed-42.parquet")
    assert (split.shift, split.scale) == (None, None)
    arrays = [results / "pixels/digits" / file for file in ARRAY_FILES]
    assert not (results / "images").exists()
    X = load_samples(split, arrays, split.fitted)
    assert len(X) == int(0.9 * (92 + 73 + 8))
    assert (X.min(), X.max()) == (0, 1)
    autoencoder = results / "autoencoders/released/3/seed-42.npz"
    model = DCAE(network=NETWORK, autoencoder=autoencoder).fit(X)
    scores = scores_of(finished, "released")
    assert scores["fitted"].tolist() == split.samples["fitted"].tolist()
    others = load_samples(split, arrays, split.samples[~split.samples["fitted"]])
    np.testing.assert_allclose(scores.loc[scores["fitted"], "anomaly_score"], -model.decision_function(X), atol=1e-4)
    found = scores.loc[~scores["fitted"], "anomaly_score"]
    np.testing.assert_allclose(found, -model.decision_function(others), atol=1e-4)
    settings: dict[str, Any] = {"batch_size": 32, "weight_decay": 0, "random_state": 42, **TRAINING}
    own = DCAE(network=NETWORK, **settings).fit(X)
    np.testing.assert_allclose(own.score_samples(X), model.score_samples(X), rtol=1e-3)
    assert not scores.loc[scores["fitted"], "is_anomaly"].any()
    assert scores_of(finished, "shuffled").query("fitted")["is_anomaly"].any()


def test_the_decomposition_is_that_of_the_score_files(finished: Checkout) -> None:
    table = pd.read_csv(finished.folder / DECOMPOSITION[0], dtype={"normal": str}).set_index(["normal", "quantity"])[
        "mean"
    ]
    assert set(table.index.get_level_values("normal")) == {"3"}

    def auc(experiment: str, query: str) -> float:
        rows = [scores_of(finished, experiment, seed=seed).query(query) for seed in (42, 56)]
        return float(np.mean([100 * roc_auc_score(part["is_anomaly"], part["anomaly_score"]) for part in rows]))

    expected = {
        "as_released": auc("released", "evaluation == 'train'"),
        "held_out": auc("released", "evaluation == 'train' and not fitted"),
        "test": auc("released", "part == 'test' and not fitted"),
        "shuffled": auc("shuffled", "evaluation == 'train'"),
        "shuffled_test": auc("shuffled", "part == 'test' and not fitted"),
    }
    for quantity, value in expected.items():
        assert table["3"][quantity] == pytest.approx(value)
    assert table["3"]["fitted_normals"] == pytest.approx(expected["as_released"] - expected["held_out"])
    assert (finished.folder / DECOMPOSITION[1]).is_file()
    assert "decomposition" in (finished.folder / "results/tables/documents.json").read_text(encoding="utf-8")
