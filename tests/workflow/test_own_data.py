"""Pictures of the user's own and data without labels, to everything that a run makes, and what an edit makes again."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ocnn.__main__ import main
from ocnn.data.splits import read_split
from tests.conftest import ROOT
from tests.workflow.conftest import MEASURED, Checkout, rules
from tests.workflow.test_refusals import refused

pytestmark = pytest.mark.long

UNLABELLED: dict[str, Any] = {
    "methods": {"knn": {}},
    "datasets": {
        "rows": {"file": "../data/rows.csv", "normal": "none"},
        "heap": {"folder": "../data/heap", "normal": "none", "size": 8},
    },
    "experiments": {
        "rows": {"dataset": "rows", "contamination": 0.2},
        "heap": {"dataset": "heap", "contamination": 0.1, "pixels": "scaled"},
    },
}
SCREWS: dict[str, Any] = {
    "methods": {"knn": {}},
    "datasets": {"screws": {"folder": "../data/screws", "normal": ["good"], "size": [8, 12], "channels": 1}},
    "experiments": {
        "screws": {"dataset": "screws", "contamination": 0, "holdout": 0, "pixels": "scaled", "anomaly_classes": True}
    },
}
CLASSES = "results/tables/anomaly_classes/screws.csv"
ALL = {"pixels": 1, "split": 1, "fit": 1}


def draw(path: Path, seed: int, defect: str = "") -> None:
    """A grey picture with some noise; a scratch is bright, a hole dark."""
    values = np.random.default_rng(seed).integers(90, 110, (16, 24), np.uint8)
    if defect:
        values[4:12, 6:18] = {"scratch": 250, "hole": 0}[defect]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def write_data(folder: Path) -> None:
    """The 17th row, and the picture `b/odd.jpg`, differ from the others."""
    folder.mkdir()
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    rows.loc[16] = 9.0
    rows.to_csv(folder / "rows.csv", index=False)
    for number in range(12):
        draw(folder / "heap" / "a" / f"{number}.png", number)
    draw(folder / "heap" / "b" / "odd.jpg", 0, "scratch")
    numbers = iter(range(100))
    for place, defect, count in (
        ("train/good", "", 8),
        ("test/good", "", 5),
        ("test/hole", "hole", 2),
        ("test/scratch", "scratch", 3),
    ):
        for number in range(count):
            draw(folder / "screws" / place / f"{number:03}.png", next(numbers), defect)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("unlabelled"))
    checkout.configure(UNLABELLED)
    write_data(checkout.folder / "data")
    checkout.succeed()
    return checkout


def test_without_labels_there_are_scores_and_no_metrics(unlabelled: Checkout) -> None:
    results = unlabelled.folder / "results"
    for name, first, count, share in (("rows", "rows.csv, row 17", 40, 0.2), ("heap", "b/odd.jpg", 13, 0.1)):
        ranked = pd.read_csv(results / "tables" / "most_anomalous" / f"{name}.csv")
        assert len(ranked) == count
        assert (ranked["place"] == np.arange(1, count + 1)).all()
        assert ranked.loc[0, "sample"] == first
        assert sorted(ranked["sample"].unique()) == sorted(ranked["sample"])
        assert ranked["anomaly_score"].is_monotonic_decreasing
        assert (ranked["flagged"] == (ranked["anomaly_score"] > 0)).all()
        # The threshold is that of the stated contamination.
        assert ranked["flagged"].sum() == pytest.approx(share * count, abs=1)
        assert first in (results / "report.html").read_text()
    assert (results / "figures" / "most_anomalous" / "heap" / "knn.png").is_file()
    made = {path.relative_to(results).parts[0] for path in results.rglob("*")}
    assert "claims.md" not in made
    tables = {path.stem for path in (results / "tables").iterdir()}
    assert tables == {"table1", "table2", "consistency", "documents", "most_anomalous"}
    texts = [path for path in results.rglob("*") if path.suffix in (".md", ".csv", ".tex", ".svg")]
    assert len(texts) > 10
    for path in texts:
        text = path.read_text()
        assert "AUC" not in text, path
        assert "nan" not in text.lower(), path
        assert "published" not in text.lower(), path
    shown = (results / "report.html").read_text().split("<h2")
    words = " ".join(part.split("data:image")[0] for part in shown)
    assert "AUC" not in words
    # The paper's numbers of tables and figures say nothing about data that are not the paper's.
    assert not re.search(r"\((Table|Figure)s? \d", re.sub(r"data:image[^\"]*", "", "".join(shown)))
    assert "below chance" not in words
    assert 'id="verdicts"' not in words
    # Of neighbours nothing is trained: there are no curves, and no networks.
    assert 'id="figures-decision_scores"' in words
    assert not re.search('id="(figures-training|table2)"', words)


def test_the_command_line_scores_likewise(
    unlabelled: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ})
    output = tmp_path / "rows.csv"
    rows = unlabelled.folder / "data" / "rows.csv"
    assert main(["score", str(rows), "--contamination", "0.2", "--top", "0", "--output", str(output)]) == 0
    ranked = pd.read_csv(unlabelled.folder / "results" / "tables" / "most_anomalous" / "rows.csv")
    found = pd.read_csv(output)
    assert list(found["sample"]) == list(ranked["sample"])
    assert found["anomaly_score"].to_numpy() == pytest.approx(ranked["anomaly_score"].to_numpy())
    assert (found["flagged"] == ranked["flagged"]).all()


@pytest.fixture
def heap(unlabelled: Checkout, tmp_path: Path) -> Checkout:
    return unlabelled.copy_to(tmp_path / "copy")


def test_a_picture_of_another_name_is_no_other_picture(heap: Checkout) -> None:
    """Its name alone is made again, where it stands."""
    assert heap.planned() == {}
    path = heap.folder / "data" / "heap" / "b" / "odd.jpg"
    path.rename(path.with_name("odder.jpg"))
    jobs = rules(heap.succeed("-n"))
    assert set(jobs) == {"default", "most_anomalous", "report"}
    assert jobs["most_anomalous"] == 1


@pytest.fixture(scope="module")
def screws(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("screws"))
    checkout.configure(SCREWS)
    write_data(checkout.folder / "data")
    checkout.succeed(MEASURED, CLASSES)
    return checkout


def test_from_pictures_to_measurements(screws: Checkout) -> None:
    results = screws.folder / "results"
    folder = results / "pixels" / "screws"
    train, test = np.load(folder / "train.npy"), np.load(folder / "test.npy")
    assert (train.shape, test.shape) == ((8, 8, 12, 1), (10, 8, 12, 1))
    assert (train.dtype, train.max() < 0.44, test.max() > 0.95) == (np.float32, True, True)
    split = read_split(results / "splits" / "screws" / "good" / "seed-0.parquet").samples
    measured = split[split["evaluation"] == "test"]
    assert list(measured["label"].astype(str)) == ["good"] * 5 + ["hole"] * 2 + ["scratch"] * 3
    classes = pd.read_csv(screws.folder / CLASSES)
    aucs = classes[classes["metric"] == "auc"].set_index("anomaly_class")
    assert aucs["anomalies"].to_dict() == {"all classes": 5, "hole": 2, "scratch": 3}
    assert (aucs["mean"] == 100).all()
    metrics = pd.read_parquet(results / "metrics.parquet")
    assert metrics.loc[metrics["evaluation"] == "test", "auc"].tolist() == [1.0]


@pytest.fixture
def copy(screws: Checkout, tmp_path: Path) -> Checkout:
    return screws.copy_to(tmp_path / "copy")


def test_a_changed_picture_makes_again_what_depends_on_it(copy: Checkout) -> None:
    path = copy.folder / "data" / "screws" / "test" / "hole" / "001.png"
    content, before = path.read_bytes(), copy.scores()
    assert copy.planned(MEASURED) == {}
    # A time is no content, nor is what is no picture.
    path.touch()
    path.with_name(".thumbnail.png").write_text("")
    assert copy.planned(MEASURED) == {}
    draw(path, 50, "scratch")
    assert copy.planned(MEASURED) == ALL
    path.write_bytes(content)
    assert copy.planned(MEASURED) == {}
    added = path.with_name("more.png")
    draw(added, 51, "hole")
    assert copy.planned(MEASURED) == ALL
    added.unlink()
    path.unlink()
    assert copy.planned(MEASURED) == ALL
    copy.succeed(MEASURED)
    assert copy.scores().keys() == before.keys()
    assert copy.scores() != before
    assert copy.planned(MEASURED) == {}


def test_a_fault_of_a_picture_is_said_before_any_job(checkout: Checkout) -> None:
    checkout.configure(SCREWS)
    write_data(checkout.folder / "data")
    path = checkout.folder / "data" / "screws" / "train" / "good" / "003.png"
    path.write_bytes(path.read_bytes()[:100])
    output = refused(checkout)
    assert (
        "datasets.screws: data/screws: 1 of 18 pictures cannot be used: data/screws/train/good/003.png cannot be"
        in output
    )
    assert not (checkout.folder / "results").exists()


EXAMPLES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", (ROOT / "docs" / "own_data.md").read_text("utf-8"), re.S))


def write_examples(folder: Path) -> None:
    """What the examples of docs/own_data.md name, beside them."""
    write_data(folder)
    rows = pd.read_csv(folder / "rows.csv").assign(**{"serial number": range(40)})
    rows["quality"] = [*["bent", "cut"] * 4, *["ok"] * 32]
    rows.loc[:7, "a"] += 20
    rows.to_csv(folder / "parts.csv", index=False)
    (folder / "rows.csv").rename(folder / "readings.csv")
    (folder / "heap").rename(folder / "photos")
    for number in range(20):
        draw(folder / "screws" / "test" / ("hole" if number % 2 else "good") / f"more {number}.png", number)
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("file", "products", "shown"),
    [
        ("table.yaml", ["anomaly_classes/parts.md"], "| bent        | 2         | **100.0** |"),
        ("pictures.yaml", ["anomaly_classes/screws.md"], "| scratch     | 3         | "),
        (
            "unlabelled.yaml",
            ["most_anomalous/readings.md", "most_anomalous/photos.md"],
            "| 1       | readings.csv, row ",
        ),
    ],
)
def test_the_examples_of_the_documentation_run(file: str, products: list[str], shown: str, checkout: Checkout) -> None:
    assert set(EXAMPLES) == {"table.yaml", "pictures.yaml", "unlabelled.yaml"}
    write_examples(checkout.folder / "mine")
    paths = [f"results/tables/{product}" for product in products]
    checkout.succeed(*paths, "--configfile", f"mine/{file}")
    assert shown in (checkout.folder / paths[0]).read_text()
