"""The block `datasets`: where its files are, what an experiment makes of it, and what is refused before any job."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from ocnn.config.checks import load
from ocnn.config.own_data import ImageFolder
from ocnn.config.schema import Config
from ocnn.steps.jobs import Jobs, _content
from tests.config.configurations import changed, faults, shipped
from tests.conftest import ROOT

MIRROR = os.environ.get("OCNN_MIRROR")
ROWS = "x,y,label\n" + "".join(f"{row},{row % 3},{'ok' if row % 4 else 'broken'}\n" for row in range(40))
CONTENT: dict[str, Any] = {
    "methods": {"kde": {}},
    "datasets": {"my parts": {"file": "parts.csv", "normal": ["ok"]}},
    "experiments": {"parts": {"dataset": "my parts", "contamination": 0}},
}
BLOCK = "datasets.my parts"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCNN_MIRROR", raising=False)
    (tmp_path / "parts.csv").write_text(ROWS)
    return tmp_path


def test_an_experiment_on_a_table() -> None:
    config = load(CONTENT)
    assert config.normal_classes("parts") == ["ok"]
    dataset = config.dataset("parts")
    assert (dataset.name, dataset.classes, dataset.images) == ("my parts", ("ok", "broken"), False)
    assert dataset.sizes == {"ok": (18, 12), "broken": (6, 4)}
    (planned,) = config.plan().experiments
    assert planned.dataset == "images/my%20parts"


def test_the_readme_shows_a_configuration_that_runs(folder: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (folder / "mine.yaml").write_text(text)
    rows = [f"{row},{row % 7},{'ok' if row % 4 else 'bent'}" for row in range(40)]
    (folder / "parts.csv").write_text("\n".join(["serial number,x,quality", *rows]))
    config = load(yaml.safe_load(text), [folder / "mine.yaml"])
    assert config.dataset("parts").sizes == {"ok": (18, 12), "bent": (6, 4)}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def located(content: Any, *files: Path) -> str:
    block = load(content, files).datasets["my parts"]
    return block.folder if isinstance(block, ImageFolder) else block.file


def test_a_path_begins_where_the_configuration_file_is(folder: Path) -> None:
    """At the last one that states it; from the command line, at the working directory; and then at the mirror."""
    first, last = write(folder / "a" / "first.yaml", CONTENT), write(folder / "b" / "last.yaml", {"seeds": 1})
    for place in ("a", "b"):
        (folder / place / "parts.csv").write_text(ROWS)
    assert located(CONTENT) == "parts.csv"
    assert located(CONTENT, first, last) == "a/parts.csv"
    assert located(CONTENT, Path("a/first.yaml"), last) == "a/parts.csv"
    assert located(CONTENT, first, write(last, {"datasets": CONTENT["datasets"]})) == "b/parts.csv"
    other = changed(f"{BLOCK}.file", str(folder / "parts.csv"), CONTENT)
    assert located(other, first) == "parts.csv"
    (folder / "m").mkdir()
    (folder / "parts.csv").rename(folder / "m" / "parts.csv")
    mirrored = {**CONTENT, "mirror": str(folder / "m")}
    assert located(mirrored) == str(folder / "m" / "parts.csv")
    (found,) = faults({**CONTENT, "mirror": str(folder / "none")})
    assert found == f"{BLOCK}: there is no file parts.csv, nor has the mirror one"
    (found,) = faults(CONTENT)
    assert found == f"{BLOCK}: there is no file parts.csv, and no mirror is named that has one"


def test_a_file_outside_of_the_working_directory(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = write(tmp_path_factory.mktemp("elsewhere") / "config.yaml", CONTENT)
    file.with_name("parts.csv").write_text(ROWS)
    assert located(CONTENT, file) == str(file.with_name("parts.csv"))


def test_what_is_not_run_needs_no_file(folder: Path) -> None:
    content = changed("datasets.other", {"file": "none.csv", "normal": ["ok"]}, CONTENT)
    content = changed("experiments.other", {"dataset": "other", "contamination": 0}, content)
    assert faults(content) == ["datasets.other: there is no file none.csv, and no mirror is named that has one"]
    assert list(load({**content, "run": ["parts"]}).experiments) == ["parts"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{BLOCK}.file", None, f"{BLOCK}.file: must be a text"),
        (f"{BLOCK}.file", "a{b}.csv", f"{BLOCK}.file: must be a path"),
        (f"{BLOCK}.normal", [], f"{BLOCK}.normal: must be a list of at least one value, a mapping of names to"),
        (f"{BLOCK}.normal", "ok", f"{BLOCK}.normal: must be a list of at least one value"),
        (f"{BLOCK}.normal", [["ok"]], f"{BLOCK}.normal: must be a list of at least one value"),
        (f"{BLOCK}.normal", ["ok", "ok"], f"{BLOCK}.normal: 'ok' is listed twice"),
        (
            f"{BLOCK}.normal",
            ["OK"],
            f"{BLOCK}: parts.csv: no row has the value 'OK' of `normal`; there are 'broken', 'ok'",
        ),
        (f"{BLOCK}.normals", ["ok"], f"{BLOCK}.normals: unknown key; did you mean 'normal'?"),
        (f"{BLOCK}.label", "", f"{BLOCK}.label: "),
        (f"{BLOCK}.label", "lable", f"{BLOCK}: parts.csv has no column 'lable' for `label`; its columns are 'x', 'y'"),
        (f"{BLOCK}.leave_out", "x", f"{BLOCK}.leave_out: must be a list of columns"),
        (f"{BLOCK}.categorical", "none", f"{BLOCK}.categorical: must be a list of columns, or auto"),
        (f"{BLOCK}.test_share", 1, f"{BLOCK}.test_share: input should be less than 1"),
        (f"{BLOCK}.test_share", 0, f"{BLOCK}.test_share: input should be greater than 0"),
        (f"{BLOCK}.separator", ";;", f"{BLOCK}.separator: "),
        (f"{BLOCK}.header", "none", f"{BLOCK}.header: must be true, false, or auto"),
        (f"{BLOCK}.header", 1, f"{BLOCK}.header: must be true, false, or auto"),
        (f"{BLOCK}.scaling", "z-score", f"{BLOCK}.scaling: input should be 'standard', 'robust', 'min-max' or 'none'"),
        (f"{BLOCK}.impute", "zero", f"{BLOCK}.impute: input should be 'mean', 'median' or 'most_frequent'"),
        (f"{BLOCK}.sha256", "abc", f"{BLOCK}.sha256: "),
        (BLOCK, 3, f"{BLOCK}: must be a mapping of keys to values"),
        (BLOCK, {}, f"{BLOCK}.file: field required"),
        (
            "experiments.parts.dataset",
            "my part",
            "experiments.parts.dataset: no data set 'my part'; did you mean 'my parts'?",
        ),
        (
            "experiments.parts.normal_classes",
            ["broken"],
            "experiments.parts.normal_classes: my parts has no normal class",
        ),
        ("experiments.parts.contamination", 0.5, "experiments.parts.contamination: A contamination of 0.5 asks for 18"),
        ("experiments.parts.holdout", 0.01, "experiments.parts.holdout: A holdout of 0.01"),
        ("datasets.digits", CONTENT["datasets"]["my parts"], "datasets.digits: a data set of the project is called so"),
        (
            "datasets.a:b",
            CONTENT["datasets"]["my parts"],
            "datasets.a:b: a name with a colon is the path of a data set",
        ),
        (
            "attacks",
            {"a": {"dataset": "my parts", "attacked_class": "ok"}},
            "attacks.a.dataset: my parts holds no images",
        ),
    ],
    ids=str,
)
def test_what_is_refused(path: str, value: Any, message: str) -> None:
    found = faults(changed(path, value, CONTENT))
    assert found[0].startswith(message)
    assert len(found) == (2 if value == {} else 1), found


def test_a_recipe_states_contents_and_settings_but_no_place(folder: Path) -> None:
    """Scaling is the split's."""

    def stated(**settings: Any) -> tuple[Any, Any]:
        jobs = Jobs(load(changed(BLOCK, {**CONTENT["datasets"]["my parts"], **settings}, CONTENT)))
        images, split = jobs.images("my parts"), jobs.split("parts", "ok", "0")
        assert images.arguments["source"]["file"] == settings.get("file", "parts.csv")
        return images.stated, split.settings

    images, split = stated()
    (folder / "moved.csv").write_text(ROWS)
    assert stated(file="moved.csv") == (images, split)
    assert stated(scaling="robust") == (images, {**split, "scaling": "robust"})
    assert stated(leave_out=["y"])[0] != images
    assert stated(split_seed=1)[0]["settings"] == {**images["settings"], "split_seed": 1}
    assert (split["scaling"], split["encoded"]) == ("standard", 0)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow", ".npz"])
def test_the_content_of_every_kind_of_file_counts(folder: Path, suffix: str) -> None:
    """Also with a checksum beside it, which an archive that the workflow keeps would be known by."""
    table = pd.read_csv(folder / "parts.csv")
    path = folder / f"other{suffix}"
    (folder / f"{path.name}.sha256").write_text(f"{'0' * 64}  {path.name}\n")
    stated = []
    for shift in (0, 1):
        table["x"] += shift
        if suffix == ".npz":
            np.savez(path, X=table[["x", "y"]], y=table["label"].to_numpy(str))
        else:
            writers = {".csv": "to_csv", ".parquet": "to_parquet", ".arrow": "to_feather"}
            getattr(table, writers[suffix])(path, **({"index": False} if suffix == ".csv" else {}))
        _content.cache_clear()
        stated.append(Jobs(load(changed(f"{BLOCK}.file", path.name, CONTENT))).images("my parts").stated)
    assert stated[0] != stated[1]


@pytest.mark.skipif(not MIRROR, reason="OCNN_MIRROR names no folder of real archives")
def test_the_shipped_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes as ../shared/data/tables/README.md has them, as far as a configuration can know them."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OCNN_MIRROR", str(MIRROR))
    config: Config = load(shipped("tables"))
    rows = {}
    for name in config.experiments:
        dataset = config.dataset(name)
        arrays = dataset.load({})
        rows[name] = (len(arrays.train) + len(arrays.test), arrays.train.shape[1] - dataset.encoded)
    assert rows == {
        "ionosphere": (351, 33),
        "wdbc": (569, 30),
        "german": (1000, 7),
        "mushroom": (5644, 0),
        "optdigits": (5620, 64),
        "satimage": (6435, 36),
        "spambase": (4597, 57),
        "pima": (768, 8),
        "vowel0": (988, 13),
        "segment0": (2308, 19),
        "penbased": (10992, 16),
        "magic": (19020, 10),
    }
    assert config.normal_classes("optdigits") == list("0123456789")
    assert config.normal_classes("satimage") == ["1, 3, 7"]


def test_the_shipped_tables_need_no_mirror_for_what_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert list(load({**shipped("tables"), "run": ["breast_cancer"]}).experiments) == ["breast_cancer"]
    assert len(faults(shipped("tables"))) == 12
