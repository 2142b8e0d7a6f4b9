"""Results describe themselves: what is wrong with one is seen without Snakemake's records and without clocks."""

import copy as copying
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ocnn.results.scores import read_scores, write_scores
from ocnn.storage.files import safe_name
from tests.workflow.conftest import CONFIG, MEASURED, SHOWN, Checkout, Edit, rules

pytestmark = pytest.mark.long

SHALLOW: dict[str, Any] = {
    "methods": {"kde": {"bandwidths": [0.3]}, "iforest": {}},
    "experiments": {"digits": {**CONFIG["experiments"]["digits"], "published": "mine"}},
    "published": {"auc": ["config/published.csv"]},
}
ANOTHER_READER = Edit("ocnn/data/digits.py", "random_state=0", "random_state=1")
ANOTHER_KDE = Edit("ocnn/methods/kde.py", "0.5 / np.square(bandwidths)", "0.4 / np.square(bandwidths)")
SCORES = "results/scores/digits/3/{}/seed-0.parquet"


@pytest.fixture(scope="module")
def shallow(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose run is done, with a published table of its own."""
    checkout = Checkout(tmp_path_factory.mktemp("shallow"))
    published = "dataset,class,method,auc_mean,auc_std\nmine,3,kde,96.6,0.1\n"
    (checkout.folder / "config" / "published.csv").write_text(published)
    checkout.configure(SHALLOW)
    checkout.succeed()
    return checkout


@pytest.fixture
def forgetful(shallow: Checkout, tmp_path: Path) -> Checkout:
    """A copy of it without any of Snakemake's records."""
    copy = shallow.copy_to(tmp_path / "copy")
    shutil.rmtree(copy.folder / ".snakemake")
    return copy


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    config = copying.deepcopy(SHALLOW)
    change(config)
    return config


def jobs(checkout: Checkout, *arguments: str, **environment: str) -> tuple[dict[str, int], str]:
    """The jobs that a run would have, and what it says."""
    output = checkout.succeed("-n", *arguments, **environment)
    return {rule: count for rule, count in rules(output).items() if rule != "default"}, output


def test_nothing_is_made_again_without_snakemakes_records(forgetful: Checkout) -> None:
    assert jobs(forgetful)[0] == {}


@pytest.mark.parametrize(
    ("change", "expected", "reason"),
    [
        (
            lambda c: c["methods"].update(kde={"bandwidths": [100.0]}),
            {"fit": 1, **SHOWN},
            "kde/seed-0.parquet was made with other settings (settings.bandwidths)",
        ),
        (
            lambda c: (c["methods"].update(kde={"bandwidths": [100.0]}), c.update(seeds=2)),
            {"split": 1, "fit": 3, **SHOWN},
            "kde/seed-0.parquet was made with other settings (settings.bandwidths)",
        ),
        (
            lambda c: c["experiments"]["digits"].update(holdout=0.2),
            {"split": 1, "fit": 2, **SHOWN},
            "results/splits/digits/3/seed-0.parquet was made with other settings (holdout)",
        ),
        (
            lambda c: c["experiments"]["digits"].update(contamination=0.2),
            {"split": 1, "fit": 2, **SHOWN},
            "results/splits/digits/3/seed-0.parquet was made with other settings (contamination)",
        ),
        (lambda c: c.update(threads=2), {"fit": 2, **SHOWN}, "was made with other settings (threads)"),
        (
            lambda c: c.update(verdicts={"margin": 3}),
            SHOWN,
            "results/metrics.parquet was made with other settings (plan.margin)",
        ),
    ],
    ids=["a setting", "a setting and a seed", "the holdout", "the contamination", "the threads", "the margin"],
)
def test_another_setting_is_noticed_without_snakemakes_records(
    forgetful: Checkout, change: Callable[[Any], Any], expected: dict[str, int], reason: str
) -> None:
    forgetful.configure(changed(change))
    found, output = jobs(forgetful)
    assert found == expected
    assert f"{reason}. It is made again." in output


@pytest.mark.parametrize(
    ("deleted", "change", "expected"),
    [
        (
            "splits",
            lambda c: c["experiments"]["digits"].update(contamination=0.2),
            {"split": 1, "fit": 2, "metrics": 1},
        ),
        ("images", None, {"images": 1, "split": 1, "fit": 2, "metrics": 1}),
        ("scores", lambda c: c["methods"].update(kde={"bandwidths": [100.0]}), {"fit": 1, "metrics": 1}),
    ],
    ids=["splits of other settings", "images of another reader", "scores of other settings"],
)
def test_what_was_made_on_the_way_may_be_gone_and_still_counts(
    forgetful: Checkout, deleted: str, change: Callable[[Any], Any] | None, expected: dict[str, int]
) -> None:
    if deleted == "scores":
        (forgetful.folder / SCORES.format("kde")).unlink()
    else:
        shutil.rmtree(forgetful.folder / "results" / deleted)
    assert jobs(forgetful, MEASURED)[0] == {}
    if change is None:
        ANOTHER_READER(forgetful)
    else:
        forgetful.configure(changed(change))
    assert jobs(forgetful, MEASURED)[0] == expected


def test_a_table_is_not_averaged_over_two_settings(forgetful: Checkout) -> None:
    forgetful.configure(changed(lambda c: (c["methods"].update(kde={"bandwidths": [100.0]}), c.update(seeds=2))))
    forgetful.succeed(MEASURED)
    settings = [
        read_scores(forgetful.folder / SCORES.format("kde").replace("seed-0", f"seed-{seed}"))[1]["settings"]
        for seed in (0, 1)
    ]
    assert settings[0]["bandwidths"] == settings[1]["bandwidths"] == [100.0]
    assert jobs(forgetful, MEASURED)[0] == {}


def test_other_code_is_noticed_without_snakemakes_records(forgetful: Checkout) -> None:
    ANOTHER_KDE(forgetful)
    found, output = jobs(forgetful)
    assert found == {"fit": 1, **SHOWN}
    assert f"{SCORES.format('kde')} was made by other code. It is made again." in output


def test_a_score_file_of_another_run_is_noticed(forgetful: Checkout, tmp_path: Path) -> None:
    """Of the same fit, but made with another holdout, and put here with an old time."""
    other = forgetful.copy_to(tmp_path / "other")
    other.configure(changed(lambda c: c["experiments"]["digits"].update(holdout=0.3)))
    other.succeed(SCORES.format("kde"))
    shutil.copy(other.folder / SCORES.format("kde"), forgetful.folder / SCORES.format("kde"))
    os.utime(forgetful.folder / SCORES.format("kde"), (0, 0))
    found, output = jobs(forgetful, SCORES.format("kde"))
    assert found == {"fit": 1}
    assert "was made with other settings (sources.split)" in output


def test_scores_of_one_recipe_that_came_out_otherwise(forgetful: Checkout) -> None:
    """On another machine, say, and copied here with their time."""
    path = forgetful.folder / SCORES.format("kde")
    scores, metadata = read_scores(path)
    write_scores(path, scores.assign(anomaly_score=scores["anomaly_score"].round(2)), metadata)
    os.utime(path, (0, 0))
    found, output = jobs(forgetful)
    assert found == SHOWN
    assert "results/metrics.parquet was made from other scores. It is made again." in output


def test_a_published_table_that_was_edited_and_has_an_older_time(shallow: Checkout, forgetful: Checkout) -> None:
    for checkout in (forgetful, shallow.copy_to(forgetful.folder.parent / "remembering")):
        path = checkout.folder / "config" / "published.csv"
        path.write_text(path.read_text().replace("96.6", "90.1"))
        os.utime(path, (0, 0))
        made = jobs(checkout)[0]
        found = set(made)
        assert {"summary", "tables", "comparison_figures", "report"} <= found <= set(SHOWN)
        assert set(made.values()) == {1}
        assert not found & {"metrics", "consistency", "sample_figures"}


@pytest.mark.parametrize(("file", "source"), [("histories", "metrics"), ("references", "summary")])
def test_each_product_of_a_job_is_asked(forgetful: Checkout, file: str, source: str) -> None:
    results = forgetful.folder / "results"
    shutil.copy(
        results / ("summary.parquet" if source == "metrics" else "metrics.parquet"), results / f"{file}.parquet"
    )
    found, output = jobs(forgetful)
    assert found[source] == 1
    assert f"results/{file}.parquet was made with other settings" in output or "by other code" in output


def test_a_run_that_was_stopped_after_its_arrays_were_remade(forgetful: Checkout) -> None:
    """The classes' order decides the labels, and so every split."""
    file, old = "ocnn/data/digits.py", 'classes=tuple("0123456789")'
    forgetful.replace(file, old, 'classes=tuple("1032456789")')
    forgetful.succeed("results/images/digits/checksums.parquet", "--forcerun", "images")
    found, output = jobs(forgetful)
    assert found == {"split": 1, "fit": 2, **SHOWN}
    assert "results/splits/digits/3/seed-0.parquet was made" in output


def test_damaged_arrays_stop_a_fit(forgetful: Checkout) -> None:
    path = forgetful.folder / "results" / "images" / "digits" / "train.npy"
    times = path.stat()
    with path.open("r+b") as file:
        for sector in range(4096, times.st_size, 3 * 4096):
            file.seek(sector)
            file.write(bytes(min(4096, times.st_size - sector)))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    (forgetful.folder / SCORES.format("kde")).unlink()
    run = forgetful.run(SCORES.format("kde"))
    assert run.returncode != 0
    assert "error: results/images/digits/train.npy is damaged: row" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert not (forgetful.folder / SCORES.format("kde")).exists()


METHOD = """
import helpers_of_mine
from ocnn.methods.kde import KDE


class Mine(KDE):
    def _score_samples(self, X):
        return helpers_of_mine.FACTOR * super()._score_samples(X)
"""
DATA = """
import pandas as pd

from ocnn.data.dataset import Arrays, Dataset

CLASSES = ("T-shirt/top", "x{y}z", "None", "größer")


def read(archives):
    table = pd.read_csv("rows.csv", keep_default_na=False)
    X, y = table.drop(columns="label"), table["label"]
    return Arrays(X[::2].to_numpy("float32"), y[::2], X[1::2], y[1::2])


MINE = Dataset(name="my-data {of mine}", classes=CLASSES, read=read, images=False)
"""


def test_a_users_own_flat_modules_data_and_free_names(checkout: Checkout) -> None:
    """Every name is kept in scores and tables; an edit of a helper or of a row of data reruns what depends on it."""
    (checkout.folder / "methods_of_mine.py").write_text(METHOD)
    (checkout.folder / "helpers_of_mine.py").write_text("FACTOR = 1\n")
    (checkout.folder / "data_of_mine.py").write_text(DATA)
    classes = ["T-shirt/top", "x{y}z", "None", "größer"]
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
    rows["label"] = np.repeat(classes, 20)
    rows.loc[rows["label"] == "None", ["a", "b"]] += 5
    rows.to_csv(checkout.folder / "rows.csv", index=False)
    block = {"dataset": "data_of_mine:MINE", "contamination": 0, "holdout": 0, "remark": "a {remark} <b>of mine</b>"}
    mine = {"estimator": "methods_of_mine:Mine", "bandwidths": [1.0]}
    checkout.configure({"methods": {"NA": mine, "kde": {"bandwidths": [1.0]}}, "experiments": {"null": block}})
    checkout.succeed(PYTHONPATH=str(checkout.folder))
    results = checkout.folder / "results"
    metrics = pd.read_parquet(results / "metrics.parquet")
    assert list(dict.fromkeys(metrics["normal"])) == classes
    assert set(metrics["method"]) == {"NA", "kde"}
    for name in classes:
        path = results / "scores" / "null" / safe_name(name) / "NA" / "seed-0.parquet"
        assert read_scores(path)[1]["normal"] == name
    for file in ("tables/table3.md", "report.html"):
        text = (results / file).read_text(encoding="utf-8")
        assert "größer" in text
        assert "T-shirt/top" in text
        assert "<b>of mine" not in text
    assert jobs(checkout, PYTHONPATH=str(checkout.folder))[0] == {}
    (checkout.folder / "helpers_of_mine.py").write_text("FACTOR = 2\n")
    assert jobs(checkout, PYTHONPATH=str(checkout.folder))[0]["fit"] == 4
    (checkout.folder / "helpers_of_mine.py").write_text("FACTOR = 1  # why\n")
    assert jobs(checkout, PYTHONPATH=str(checkout.folder))[0] == {}
    rows["a"] = rows["a"] + 1
    rows.to_csv(checkout.folder / "rows.csv", index=False)
    os.utime(checkout.folder / "rows.csv", (0, 0))
    found, _ = jobs(checkout, PYTHONPATH=str(checkout.folder))
    assert {rule: found[rule] for rule in ("images", "split", "fit")} == {"images": 1, "split": 4, "fit": 8}


def test_another_backend_of_keras_is_another_setting(copy: Checkout) -> None:
    assert jobs(copy, MEASURED, KERAS_BACKEND="jax")[0] == {"autoencoder": 1, "fit": 3, "metrics": 1}


def test_nothing_of_the_users_environment_reaches_a_job(checkout: Checkout, tmp_path: Path) -> None:
    """A notebook's backend of plots, Keras's own file and its limits, a locale that is no UTF-8, Matplotlib's style."""
    (tmp_path / ".config" / "matplotlib").mkdir(parents=True)
    (tmp_path / ".config" / "matplotlib" / "matplotlibrc").write_text("text.usetex: True\nfigure.facecolor: red\n")
    (tmp_path / ".keras").mkdir()
    settings = '{"floatx": "float64", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}'
    (tmp_path / ".keras" / "keras.json").write_text(settings)
    environment = {
        "HOME": str(tmp_path),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "LC_ALL": "de_DE.ISO-8859-1",
        "PYTHONUTF8": "0",
        "KERAS_MAX_EPOCHS": "1",
    }
    training = {"epochs": [2], "learning_rates": [0.001]}
    rcae = {**training, "iterations": 1}
    checkout.configure({**CONFIG, "methods": {"rcae": rcae, "kde": {"bandwidths": [0.3]}}})
    checkout.succeed(**environment)
    assert (checkout.folder / "results" / "report.html").is_file()
    log = (checkout.folder / "results/logs/fit/digits/3/rcae/seed-0.log").read_text(encoding="utf-8")
    assert "N ≠ 0" in log
    history = read_scores(checkout.folder / SCORES.format("rcae"))[1]["history"]
    assert len(history["loss"]) == 2
    figure = (checkout.folder / "results" / "figures" / "auc" / "digits.svg").read_text(encoding="utf-8")
    assert "#ff0000" not in figure


def test_what_the_end_says_is_true(copy: Checkout) -> None:
    """No report is named where none was asked for."""
    output = copy.succeed("results/splits/digits/3/seed-0.parquet", "--forcerun", "split")
    assert "report" not in output.partition("Job stats")[2]
