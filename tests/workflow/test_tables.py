"""A table of the user's own, from a CSV file to the measurements, and what an edited row makes again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ocnn.data.samples import load_samples
from ocnn.data.splits import read_split
from tests.workflow.conftest import MEASURED, Checkout
from tests.workflow.test_refusals import refused

pytestmark = pytest.mark.long

CONFIG: dict[str, Any] = {
    "methods": {"kde": {}, "knn": {}},
    "datasets": {
        "my parts": {"file": "../data/parts.csv", "normal": ["ok"], "leave_out": ["id"]},
        "others": {"file": "../data/others.csv", "normal": "all", "label": "kind", "scaling": "none"},
    },
    "experiments": {
        "parts": {"dataset": "my parts", "contamination": 0},
        "others": {"dataset": "others", "normal_classes": [1], "contamination": 0, "methods": ["kde"]},
    },
}


def write_tables(folder: Path) -> None:
    """Two tables beside the folder of the configuration; broken parts are wider, and of another colour."""
    rng = np.random.default_rng(0)
    broken = np.arange(60) % 4 == 0
    parts = pd.DataFrame({"id": range(60), "width": 100 + rng.normal(size=60) + 6 * broken})
    parts = parts.assign(colour=np.where(broken, "red", "blue"), label=np.where(broken, "broken", "ok"))
    folder.mkdir()
    parts.to_csv(folder / "parts.csv", index=False)
    others = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"]).assign(kind=np.arange(60) % 2)
    others.to_csv(folder / "others.csv", index=False)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("tables"))
    checkout.configure(CONFIG)
    write_tables(checkout.folder / "data")
    checkout.succeed(MEASURED)
    return checkout


def test_from_rows_to_measurements(tables: Checkout) -> None:
    results = tables.folder / "results"
    split = read_split(results / "splits" / "parts" / "ok" / "seed-0.parquet")
    arrays = sorted((results / "images" / "my%20parts").iterdir())
    train, test = (load_samples(split, arrays, split.part(part)) for part in ("train", "test"))
    # All ok parts of the training part, standardised by themselves; their colour is one-hot and stays.
    assert train.shape == (27, 3)
    np.testing.assert_allclose([train[:, 0].mean(), train[:, 0].std()], [0, 1], atol=1e-5)
    np.testing.assert_array_equal(train[:, 1:], [[1, 0]] * 27)
    assert set(map(tuple, test[:, 1:])) == {(0, 1), (1, 0)}
    raw = pd.read_csv(tables.folder / "data" / "parts.csv")["width"].to_numpy()
    kept = np.load(results / "images" / "my%20parts" / "test.npy")[:, 0]
    assert set(kept) <= set(raw)
    shift, scale = np.ravel(np.array([split.shift, split.scale], float))[[0, train.shape[1]]]
    np.testing.assert_allclose(test[:, 0], (kept - shift) / scale, rtol=1e-4, atol=1e-5)
    records = pd.read_parquet(results / "metrics.parquet").to_dict("records")
    metrics = {(row["experiment"], row["method"], row["evaluation"]): row for row in records}
    for method in ("kde", "knn"):
        row = metrics["parts", method, "test"]
        assert (row["normal"], row["samples"], row["anomalies"], row["auc"]) == ("ok", 24, 6, 1.0)
    assert read_split(results / "splits" / "others" / "1" / "seed-0.parquet").shift is None


@pytest.fixture
def copy(tables: Checkout, tmp_path: Path) -> Checkout:
    return tables.copy_to(tmp_path / "copy")


ALL = {"images": 1, "split": 1, "fit": 2}


def test_an_edited_row_makes_again_what_depends_on_it(copy: Checkout) -> None:
    assert copy.planned(MEASURED) == {}
    path = copy.folder / "data" / "parts.csv"
    lines = path.read_text().splitlines()
    before = copy.scores()
    # A time is no content.
    path.touch()
    assert copy.planned(MEASURED) == {}
    path.write_text("\n".join([*lines[:-1], lines[-1].replace("blue", "red")]) + "\n")
    assert copy.planned(MEASURED) == ALL
    copy.succeed(MEASURED)
    assert {path for path, content in copy.scores().items() if content != before[path]} == {
        f"parts/ok/{method}/seed-0.parquet" for method in ("kde", "knn")
    }
    assert copy.planned(MEASURED) == {}


def test_a_setting_makes_again_what_depends_on_it(copy: Checkout) -> None:
    def planned(**settings: Any) -> dict[str, int]:
        config = json.loads(json.dumps(CONFIG))
        config["datasets"]["my parts"].update(settings)
        copy.configure(config)
        return copy.planned(MEASURED)

    assert planned(scaling="robust") == {"split": 1, "fit": 2}
    assert planned(split_seed=1) == ALL


def test_a_fault_of_a_table_is_said_before_any_job(checkout: Checkout) -> None:
    checkout.configure(CONFIG)
    write_tables(checkout.folder / "data")
    checkout.replace("data/parts.csv", "blue,ok", ",ok")
    checkout.replace("data/others.csv", "kind", "sort")
    output = refused(checkout)
    message = (
        "45 values are missing, in 45 of 60 rows, first in row 2, and in 1 of 2 columns, 'colour'; ask for an imputer"
    )
    assert f"datasets.my parts: data/parts.csv: {message} by `impute`, or leave columns out" in output
    assert (
        "datasets.others: data/others.csv has no column 'kind' for `label`; its columns are 'a', 'b', 'sort'" in output
    )
    assert not (checkout.folder / "results").exists()
