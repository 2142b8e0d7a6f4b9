"""The block `datasets`: folders of pictures and data without labels, and what is refused of them before any job."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ocnn.config.checks import load
from ocnn.config.own_data import ImageFolder
from ocnn.steps.jobs import Jobs
from tests.config.configurations import changed, faults

CONTENT: dict[str, Any] = {
    "methods": {"kde": {}},
    "datasets": {
        "screws": {"folder": "screws", "normal": ["good"], "size": 4},
        "rows": {"file": "rows.csv", "normal": "none"},
        "heap": {"folder": "screws", "normal": "none", "size": 4, "channels": 1},
    },
    "experiments": {
        "screws": {"dataset": "screws", "contamination": 0},
        "rows": {"dataset": "rows", "contamination": 0.1},
        "heap": {"dataset": "heap", "contamination": 0.1},
    },
}
SCREWS, ROWS = "datasets.screws", "datasets.rows"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the pictures and the table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCNN_MIRROR", raising=False)
    (tmp_path / "rows.csv").write_text("x,y\n" + "".join(f"{row},{row % 3}\n" for row in range(40)))
    for number in range(40):
        path = tmp_path / "screws" / ("bent" if number % 4 == 0 else "good") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 6), number, np.uint8)).save(path)
    return tmp_path


def test_what_is_planned() -> None:
    config = load(CONTENT)
    assert config.dataset("screws").sizes == {"good": (18, 12), "bent": (6, 4)}
    assert config.dataset("screws").images
    assert [config.labelled(name) for name in config.experiments] == [True, False, False]
    plan = config.plan()
    assert [experiment.labelled for experiment in plan.experiments] == [True, False, False]
    assert plan["heap"].normal_classes == ("unlabelled",)
    assert plan.own_tables() == {"most_anomalous": ["rows", "heap"], "anomaly_classes": []}
    assert "auc/screws" in plan.comparison_names()
    # Nothing is measured, and no network trained.
    assert [name for name in plan.comparison_names() if not name.endswith("/screws")] == []
    names = ["decision_scores/rows", "most_anomalous/heap/kde", "decision_scores/heap"]
    assert [name for name in plan.sample_names() if "screws" not in name] == names
    unlabelled = load({**CONTENT, "run": ["rows", "heap"]}).plan()
    assert set(unlabelled.table_files()) == {"table1", "table2", "documents"}
    assert {"table3", "metrics", "claims"} <= set(plan.table_files())


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    """The stated contamination is what a method supposes."""
    config = load(changed("experiments.rows.contamination", 0.2, CONTENT))
    settings = Jobs(config).split("rows", "unlabelled", "0").settings
    assert (settings["contamination"], settings["holdout"]) == (0, 0)
    assert config.settings("rows", "kde", 0)["contamination"] == 0.2
    assert "contamination" not in config.settings("screws", "kde", 0)
    config = load(changed("experiments.rows.contamination", 0, CONTENT))
    assert "contamination" not in config.settings("rows", "kde", 0)
    config = load(changed("methods.kde.contamination", 0.3, CONTENT))
    assert config.settings("rows", "kde", 0)["contamination"] == 0.3
    assert Jobs(config).split("screws", "good", "0").settings["holdout"] == 0.1


def test_a_folder_is_found_beside_the_configuration_or_in_the_mirror(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "screws").rename(folder / "a" / "screws")
    file = folder / "a" / "mine.yaml"
    file.write_text("datasets: {screws: {folder: screws}, heap: {folder: screws}}")
    block = load(CONTENT, [file]).datasets["screws"]
    assert isinstance(block, ImageFolder)
    assert block.folder == "a/screws"
    block = load({**CONTENT, "mirror": "a"}).datasets["screws"]
    assert isinstance(block, ImageFolder)
    assert block.folder == "a/screws"
    message = "there is no folder screws, and no mirror is named that has one"
    assert faults(CONTENT) == [f"{SCREWS}: {message}", f"datasets.heap: {message}"]
    assert list(load({**CONTENT, "run": ["rows"]}).experiments) == ["rows"]


@pytest.mark.parametrize("method", [{"deep_svdd": {}}, {"knn": {"input": "codes"}}])
@pytest.mark.parametrize(
    ("dataset", "network", "message"),
    [
        ("rows", "lenet-mnist", "of the kind lenet takes images, and rows holds none"),
        (
            "screws",
            {"kind": "lenet", "widths": [2, 2, 2], "code": 2},
            "a lenet network of 3 modules halves the image as many times, so that height and width must be multiples of"
            " 8; got samples of shape (4, 4, 3).",
        ),
    ],
)
def test_a_network_that_does_not_take_the_samples(dataset: str, network: Any, message: str, method: Any) -> None:
    block = {"dataset": dataset, "contamination": 0, "network": network}
    content = {**CONTENT, "methods": method, "experiments": {"one": block}}
    assert faults(content) == [f"experiments.one.network: {message}"]
    # Where no method has a network, none is asked for.
    load({**content, "methods": {"knn": {}}})
    load({**content, "experiments": {"one": {"dataset": "screws", "contamination": 0, "network": "lenet-mnist"}}})


def test_a_move_and_a_new_name_change_no_recipe(folder: Path) -> None:
    before = Jobs(load(CONTENT)).images("screws").stated
    (folder / "screws").rename(folder / "moved")
    content = changed(f"{SCREWS}.folder", "moved", changed("datasets.heap.folder", "moved", CONTENT))
    assert Jobs(load(content)).images("screws").stated == before


def test_many_pictures_fit_into_a_command(folder: Path) -> None:
    """One argument of a command has at most 128 KiB."""
    for number in range(3000):
        (folder / "screws" / "good" / f"more {number}.png").hardlink_to(folder / "screws" / "good" / "1.png")
    assert len(Jobs(load(CONTENT)).images("screws").text()) < 5000


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{SCREWS}.file", "rows.csv", f"{SCREWS}: has both `file` and `folder`; a table has the one, pictures the"),
        (f"{SCREWS}.folder", 3, f"{SCREWS}.folder: must be a text"),
        (f"{SCREWS}.folder", "a{b}", f"{SCREWS}.folder: must be a path"),
        (f"{SCREWS}.folder", "rows.csv", f"{SCREWS}: there is no folder rows.csv"),
        (f"{SCREWS}.size", 1, f"{SCREWS}.size: must be a whole number from 2 to 4,096, or a list of two"),
        (f"{SCREWS}.size", [4], f"{SCREWS}.size: must be a whole number from 2 to 4,096, or a list of two"),
        (f"{SCREWS}.size", [4, 4, 3], f"{SCREWS}.size: must be a whole number from 2 to 4,096, or a list of two"),
        (f"{SCREWS}.size", "large", f"{SCREWS}.size: must be a whole number from 2 to 4,096, or a list of two"),
        (f"{SCREWS}.size", 5000, f"{SCREWS}.size: must be a whole number from 2 to 4,096, or a list of two"),
        (f"{SCREWS}.channels", 4, f"{SCREWS}.channels: input should be 1 or 3"),
        (
            f"{SCREWS}.normal",
            ["god"],
            f"{SCREWS}: screws: no picture has the value 'god' of `normal`; there are 'bent'",
        ),
        (f"{SCREWS}.normal", "good", f"{SCREWS}.normal: must be a list of at least one value"),
        (f"{SCREWS}.sizes", 3, f"{SCREWS}.sizes: unknown key; did you mean 'size'?"),
        (f"{SCREWS}.label", "quality", f"{SCREWS}.label: unknown key; "),
        (f"{SCREWS}.leave_out", ["bad"], f"{SCREWS}: screws has no folder 'bad' for `leave_out`; its folders are"),
        (f"{SCREWS}.leave_out", ["bent"], f"{SCREWS}: screws: every picture is normal; without an anomaly"),
        (f"{SCREWS}.test_share", 0, f"{SCREWS}.test_share: input should be greater than 0"),
        (f"{SCREWS}.split_seed", -1, f"{SCREWS}.split_seed: input should be greater than or equal to 0"),
        (SCREWS, {"folder": "screws", "normal": ["good"]}, f"{SCREWS}.size: field required"),
        (SCREWS, {"folder": "screws", "size": 4}, f"{SCREWS}.normal: field required"),
        (
            SCREWS,
            {"foldr": "screws", "normal": ["good"], "size": 4},
            f"{SCREWS}.foldr: unknown key; did you mean 'folder'?",
        ),
        (SCREWS, {"normal": ["good"]}, f"{SCREWS}.file: field required"),
        (f"{ROWS}.label", "x", f"{ROWS}: rows.csv has a column 'x', and `normal: none` says that there are no labels"),
        (
            f"{ROWS}.normal",
            ["ok"],
            f"{ROWS}: rows.csv has no column 'label' for `label`; its columns are 'x', 'y'; where",
        ),
        ("experiments.rows.holdout", 0.2, "experiments.rows.holdout: must be 0, as rows has no labels"),
        (
            "experiments.rows.anomaly_classes",
            True,
            "experiments.rows.anomaly_classes: here no classes of anomalies are",
        ),
        ("experiments.rows.contamination", [0, 0.1], "experiments.rows.contamination: a list is for "),
        (
            "experiments.rows.normal_classes",
            ["x"],
            "experiments.rows.normal_classes: rows has no normal class 'x'; known",
        ),
        (
            "methods.kde",
            {"estimator": "ocsvm", "gamma": [0.1, 1]},
            "experiments.rows.holdout: of 0 leaves kde no labels",
        ),
        (
            "attacks",
            {"a": {"dataset": "heap", "attacked_class": "unlabelled"}},
            "attacks.a.dataset: heap has no labels, by which a classifier could be trained",
        ),
        (
            "attacks",
            {"a": {"dataset": "screws", "attacked_class": "good", "images": 50}},
            "attacks.a.images: 50 are to be attacked, but class 'good' of screws has 12 test images",
        ),
    ],
    ids=str,
)
def test_what_is_refused(path: str, value: Any, message: str) -> None:
    found = faults(changed(path, value, CONTENT))
    assert any(fault.startswith(message) for fault in found), found
    assert len(found) <= 3


def test_an_unlabelled_npz_file(folder: Path) -> None:
    np.savez(folder / "a.npz", X=np.random.default_rng(0).normal(size=(9, 2)))
    config = load(changed(ROWS, {"file": "a.npz", "normal": "none"}, CONTENT))
    assert config.dataset("rows").sizes == {"unlabelled": (9, 0), "anomaly": (0, 0)}
