"""The real workflow, from archive to table, and what a second run does after a change."""

import copy as copying
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from ocnn.data.splits import read_split
from ocnn.results.scores import read_scores
from tests.workflow.conftest import CONFIG, MEASURED, SHOWN, Checkout, Edit, rules

METHODS = list(CONFIG["methods"])


def score_file(checkout: Checkout, method: str, seed: int = 0) -> Path:
    return checkout.folder / "results" / "scores" / "digits" / "3" / method / f"seed-{seed}.parquet"


def test_every_file_is_there(finished: Checkout) -> None:
    results = finished.folder / "results"
    assert {path.split("/")[2] for path in finished.scores()} == set(METHODS)
    for method in METHODS:
        rows = pd.read_csv(results / "benchmarks" / "fit" / "digits" / "3" / method / "seed-0.tsv", sep="\t")
        assert (rows["s"] > 0).all()
    log = (results / "logs" / "autoencoder" / "digits" / "3" / "seed-0.log").read_text()
    assert "autoencoder: epoch 2 of 2, loss " in log
    for file in ("report.html", "claims.md", "tables/table1.tex", "tables/verdicts.csv", "figures/auc/digits.svg"):
        assert (results / file).stat().st_size > 100
    assert not list(results.rglob(".*parquet*"))
    # No training set is written out: all that a split leaves is its table of indices.
    assert {path.name for path in results.rglob("*.npy")} == {
        "train.npy",
        "train_labels.npy",
        "test.npy",
        "test_labels.npy",
    }


def test_scores_hold_every_sample_of_the_split(finished: Checkout) -> None:
    split = read_split(finished.folder / "results" / "splits" / "digits" / "3" / "seed-0.parquet").samples
    for method in METHODS:
        scores, metadata = read_scores(score_file(finished, method))
        pd.testing.assert_frame_equal(
            scores[["evaluation", "sample", "is_anomaly"]].astype({"evaluation": str}),
            split[["evaluation", "sample", "is_anomaly"]].astype({"evaluation": str}),
        )
        assert np.isfinite(scores["anomaly_score"]).all()
        # Only the method that tunes on labels loses the samples that it saw.
        expected = split["holdout"] if method == "ocsvm" else np.zeros(len(split), bool)
        np.testing.assert_array_equal(scores["tuned_on"], expected)
        assert metadata["diagnosis"]["status"] in ("converged", "limit", "diverged", "collapsed")
        assert metadata["versions"]["scikit-learn"]
        assert metadata["settings"].get("random_state", 0) == 0
        assert (metadata["backend"] == "tensorflow") == (method not in ("kde", "ocsvm"))
    assert set(read_scores(score_file(finished, "ocnn"))[1]["history"]) >= {"objective", "r", "w_norm", "V_norm"}


def test_the_row_dcae_ends_as_the_shared_autoencoder_did(finished: Checkout) -> None:
    """Its own job trains nothing: what it says of its training is what the autoencoder's log says."""
    log = finished.folder / "results" / "logs" / "autoencoder" / "digits" / "3" / "seed-0.log"
    metadata = read_scores(score_file(finished, "dcae"))[1]
    assert log.read_text().splitlines()[-1] == "{status}: {reason}".format(**metadata["diagnosis"])
    assert metadata["diagnosis"]["status"] == "limit"
    assert len(metadata["history"]["loss"]) == 2


def test_metrics_and_table(finished: Checkout) -> None:
    metrics = pd.read_parquet(finished.folder / "results" / "metrics.parquet")
    assert len(metrics) == 2 * len(METHODS)
    assert metrics["auc"].between(0, 1).all()
    assert (metrics["seconds"] > 0).all()
    kde = metrics[(metrics["method"] == "kde") & (metrics["evaluation"] == "test")].iloc[0]
    scores, _ = read_scores(score_file(finished, "kde"))
    test = scores[scores["evaluation"] == "test"]
    # The AUC by its definition: the share of pairs that are ranked correctly.
    normal, anomalous = (test.loc[test["is_anomaly"] == kind, "anomaly_score"].to_numpy() for kind in (False, True))
    pairs = (anomalous[:, None] > normal).mean() + 0.5 * (anomalous[:, None] == normal).mean()
    assert kde["auc"] == pytest.approx(pairs)
    assert kde["auc"] > 0.9
    markdown = (finished.folder / "results" / "tables" / "table3.md").read_text()
    assert f"{100 * pairs:.1f}" in markdown
    assert all(method in markdown for method in METHODS)


@pytest.mark.long
def test_two_runs_from_scratch_give_identical_score_files(finished: Checkout, checkout: Checkout) -> None:
    checkout.succeed(MEASURED, "--cores", "1")
    assert checkout.scores() == finished.scores()


@pytest.fixture(scope="module")
def printed(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a dry run prints that would make every score file again, with the commands of the jobs."""
    return finished.copy_to(tmp_path_factory.mktemp("printed") / "copy").succeed("-n", "-p", "--forcerun", "fit")


@pytest.mark.parametrize(("method", "imports"), [("kde", False), ("ocsvm", False), ("dcae", True)])
def test_a_shallow_job_imports_no_tensorflow(
    finished: Checkout, printed: str, tmp_path: Path, method: str, imports: bool
) -> None:
    """The job's own command, as Snakemake prints it, in an environment where importing TensorFlow fails."""
    (tmp_path / "tensorflow.py").write_text("raise ImportError('TensorFlow was imported')")
    lines = printed.splitlines()
    (command,) = (line for line in lines if "steps.fit:" in line and f"/3/{method}/seed-0" in line)
    command = command[command.index("python ") :].split(" > ")[0].replace("results/scores/", f"{tmp_path}/")
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=finished.folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{tmp_path}:{finished.folder}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("TensorFlow was imported" in run.stderr) == imports
    assert (run.returncode == 0) != imports


def test_another_seed_runs_only_that_seed(copy: Checkout) -> None:
    before = {path: path.stat().st_mtime_ns for path in (copy.folder / "results" / "scores").rglob("*.parquet")}
    arguments = ("--config", "seeds=2")
    assert copy.planned(*arguments) == {"split": 1, "autoencoder": 1, "fit": len(METHODS)}
    # Of the fits that are planned one is enough to see which samples it has.
    copy.succeed(str(score_file(copy, "kde", 1).relative_to(copy.folder)), *arguments)
    assert len(copy.scores()) == len(METHODS) + 1
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    first, second = (read_scores(score_file(copy, "kde", seed))[0] for seed in (0, 1))
    assert set(first.loc[first["evaluation"] == "train", "sample"]) != set(
        second.loc[second["evaluation"] == "train", "sample"]
    )


@pytest.mark.long
@pytest.mark.parametrize(("limit", "multiplies"), [((), False), (("--max-jobs-per-timespan", "99/1s"), True)])
def test_the_ready_jobs_are_looked_at_when_a_job_ends(copy: Checkout, limit: tuple[str, ...], multiplies: bool) -> None:
    """And not once more a second for each that has ended; a limit that is asked for stays, with all that it costs."""
    copy.configure({"methods": {"kde": {}, "iforest": {}}, "seeds": 6, "experiments": CONFIG["experiments"]})
    output = copy.succeed("--cores", "1", "--verbose", "--until", "fit", *limit)
    ended = output.count("Finished jobid")
    assert ended > 12
    looks = len(re.findall("^Ready jobs: ", output, re.MULTILINE))
    assert (looks > 3 * ended) == multiplies


def configure(change: Callable[[dict[str, Any]], Any]) -> Callable[[Checkout], None]:
    """Changes a copy of the configuration."""

    def write(checkout: Checkout) -> None:
        config = copying.deepcopy(CONFIG)
        change(config)
        checkout.configure(config)

    return write


def move(old: str, new: str) -> Callable[[Checkout], None]:
    """Moves a module and mends the imports of it."""

    def change(checkout: Checkout) -> None:
        (checkout.folder / old).rename(checkout.folder / new)
        before, after = (name.removesuffix(".py").replace("/", ".") for name in (old, new))
        for path in (checkout.folder / "ocnn").rglob("*.py"):
            path.write_text(path.read_text().replace(before, after))

    return change


def every(*changes: Callable[[Checkout], None]) -> Callable[[Checkout], None]:
    """All of these changes, each of which concerns nothing."""

    def change(checkout: Checkout) -> None:
        for one in changes:
            one(checkout)

    return change


def delete(file: str) -> Callable[[Checkout], None]:
    return lambda checkout: (checkout.folder / "results" / file).unlink()


def truncate(checkout: Checkout) -> None:
    os.truncate(score_file(checkout, "kde"), 5000)


def reverse_keys(checkout: Checkout) -> None:
    checkout.configure(reversed_keys(CONFIG))
    assert next(iter(yaml.safe_load((checkout.folder / "config" / "config.yaml").read_text()))) == "experiments"


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(item) for key, item in reversed(value.items())}
    return value


SYNTHETIC = {"dataset": "synthetic", "contamination": 0, "methods": ["kde", "ocsvm"]}
OCNN, LOSSES, KDE = "ocnn/methods/ocnn.py", "ocnn/networks/losses", "ocnn/methods/kde.py"
ONE_CLASS = "ops.mean(squared_distance("
#: What happens between two runs → the jobs of the second, but for the target itself.
TABLES_ONLY = {"tables": 1, "report": 1}
INCREMENTS: dict[str, tuple[Callable[[Checkout], object] | None, dict[str, int]]] = {
    "nothing": (None, {}),
    "a comment, a docstring, a word of an error, an annotation and a file moved": (
        every(
            Edit(OCNN, "        import keras\n", "        # why\n        import keras\n"),
            Edit(KDE, '"""Gaussian kernel density', '"""The Gaussian kernel density'),
            Edit("ocnn/storage/files.py", "Make room on its disk", "Make more room on its disk"),
            Edit("ocnn/networks/training.py", "verbose: int = 0,", "verbose: bool = 0,"),
            move("ocnn/methods/gaussian.py", "ocnn/networks/kernels.py"),
        ),
        {},
    ),
    "one more seed": (
        configure(lambda c: c.update(seeds=2)),
        {"split": 1, "autoencoder": 1, "fit": 5, **SHOWN},
    ),
    "one more class": (
        configure(lambda c: c["experiments"]["digits"].update(normal_classes=[3, 8])),
        {"split": 1, "autoencoder": 1, "fit": 5, **SHOWN},
    ),
    "one more method": (configure(lambda c: c["methods"].update(iforest={})), {"fit": 1, **SHOWN}),
    "one more experiment": (
        configure(lambda c: c["experiments"].update(synthetic=SYNTHETIC)),
        {"images": 1, "split": 1, "fit": 2, **SHOWN},
    ),
    "a method's setting": (configure(lambda c: c["methods"].update(kde={"cv": 4})), {"fit": 1, **SHOWN}),
    "a method's code": (
        Edit(KDE, "0.5 / np.square(bandwidths)", "0.4 / np.square(bandwidths)"),
        {"fit": 1, **SHOWN},
    ),
    "the loss of ocnn": (Edit(f"{LOSSES}/ocnn.py", "/ nu - r", "/ nu - 2 * r"), {"fit": 1, **SHOWN}),
    "the contamination": (
        configure(lambda c: c["experiments"]["digits"].update(contamination=0.2)),
        {"split": 1, "autoencoder": 1, "fit": 5, **SHOWN},
    ),
    "the reader of the data": (
        Edit("ocnn/data/digits.py", "random_state=0", "random_state=1"),
        {"images": 1, "split": 1, "autoencoder": 1, "fit": 5, **SHOWN},
    ),
    "a table deleted": (delete("tables/table3.md"), TABLES_ONLY),
    "a score file deleted": (delete("scores/digits/3/kde/seed-0.parquet"), {"fit": 1, **SHOWN}),
    # The order of keys is that of rows and columns.
    "keys in another order": (reverse_keys, SHOWN),
}


#: Likewise, of what is near to one of those.
FURTHER: dict[str, tuple[Callable[[Checkout], object] | None, dict[str, int]]] = {
    "the loss of deep_svdd": (Edit(f"{LOSSES}/deep_svdd.py", ONE_CLASS, f"2 * {ONE_CLASS}"), {"fit": 1, **SHOWN}),
    "the loss of the autoencoder": (
        Edit(f"{LOSSES}/reconstruction.py", "ops.square(x - r", "3 * ops.square(x - r"),
        {"autoencoder": 1, "fit": 3, **SHOWN},
    ),
    "the rendering of tables": (Edit("ocnn/report/rendering.py", 'MISSING = "–"', 'MISSING = "-"'), TABLES_ONLY),
    "a figure deleted": (delete("figures/in_class/digits/kde.svg"), {"sample_figures": 1, "report": 1}),
    "a score file truncated": (truncate, {"fit": 1, **SHOWN}),
    "the runner": (
        Edit("ocnn/steps/runtime.py", '"TF_DETERMINISTIC_OPS"] = "1"', '"TF_DETERMINISTIC_OPS"] = "0"'),
        {"images": 1, "split": 1, "autoencoder": 1, "fit": 5, **SHOWN},
    ),
    "the threads": (configure(lambda c: c.update(threads=2)), {"autoencoder": 1, "fit": 5, **SHOWN}),
    "a metric": (
        Edit("ocnn/results/metrics.py", "METRICS: dict", "ANOTHER = 1\nMETRICS: dict"),
        SHOWN,
    ),
}


@pytest.mark.parametrize("what", [*INCREMENTS, *(pytest.param(what, marks=pytest.mark.long) for what in FURTHER)])
def test_a_change_runs_what_it_concerns(copy: Checkout, what: str) -> None:
    change, jobs = (INCREMENTS | FURTHER)[what]
    if change:
        change(copy)
    output = copy.succeed("-n")
    assert {rule: count for rule, count in rules(output).items() if rule != "default"} == jobs
    assert ("Nothing to be done" in output) == (not jobs)


def test_another_class_by_a_nested_override_on_the_command_line(copy: Checkout) -> None:
    """As the README shows it."""
    arguments = ("--config", "experiments={digits: {normal_classes: [3, 8]}}")
    assert copy.planned(*arguments) == {"split": 1, "autoencoder": 1, "fit": len(METHODS)}


def test_a_deleted_score_file_is_made_again(copy: Checkout) -> None:
    before = copy.scores()
    score_file(copy, "kde").unlink()
    assert copy.planned() == {"fit": 1}
    copy.succeed(str(score_file(copy, "kde").relative_to(copy.folder)))
    assert copy.scores() == before


@pytest.mark.long
def test_deleted_tables_figures_and_reports_are_made_again_without_a_fit(copy: Checkout) -> None:
    files = [
        "tables/table3.md",
        "claims.csv",
        "figures/auc/digits.png",
        "figures/in_class/digits/kde.svg",
        "report.html",
    ]
    for file in files:
        (copy.folder / "results" / file).unlink()
    assert copy.planned() == {}
    output = copy.succeed()
    assert all((copy.folder / "results" / file).is_file() for file in files)
    assert "The report, with everything in it: results/report.html" in output


def test_snakemakes_own_report(copy: Checkout, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    copy.succeed("--report", str(report))
    page = report.read_text()
    for words in (
        "AUC per class and method",
        "Most normal and most anomalous",
        # What a figure shows, instead of its file.
        '"shows": "digits, kde"',
    ):
        assert words in page
    # A verdict: nothing was published about the digits.
    assert "whether it holds under each evaluation" not in page


A_METHOD_MORE = Edit(
    "ocnn/methods/__init__.py", "METHODS = {", 'METHODS = {\n    "mean": "ocnn.methods.mean_distance:MeanDistance",'
)
A_DATA_SET_MORE = Edit("ocnn/data/__init__.py", "DATASETS = {", 'DATASETS = {\n    "wine": "ocnn.data.wine:WINE",')


@pytest.mark.long
def test_a_users_method_and_data_set(copy: Checkout) -> None:
    """A new file and a registry line each: everything else is found from there, and nothing old is fitted again.

    Against the run before, only what they bring is new.
    """
    shutil.copy(copy.folder / "results" / "metrics.parquet", copy.folder / "before.parquet")
    (copy.folder / "ocnn" / "methods" / "mean_distance.py").write_text(
        "import numpy as np\n\nfrom ocnn.methods.base import AnomalyDetector, flatten\n\n\n"
        "class MeanDistance(AnomalyDetector):\n"
        "    def __init__(self, contamination=0.1):\n        self.contamination = contamination\n\n"
        "    def _fit(self, X):\n        self.mean_ = flatten(X).mean(axis=0)\n\n"
        "    def _score_samples(self, X):\n        return -np.square(flatten(X) - self.mean_).sum(axis=1)\n"
    )
    A_METHOD_MORE(copy)
    (copy.folder / "ocnn" / "data" / "wine.py").write_text(
        "from sklearn.datasets import load_wine\n\nfrom ocnn.data.dataset import Arrays, Dataset\n\n\n"
        "def read(archives):\n    X, y = load_wine(return_X_y=True)\n"
        "    return Arrays(X[::2], y[::2], X[1::2], y[1::2])\n\n\n"
        'WINE = Dataset(name="wine", classes=("a", "b", "c"), read=read, images=False)\n'
    )
    A_DATA_SET_MORE(copy)
    config = copying.deepcopy(CONFIG)
    config["methods"] = {**config["methods"], "mean": {}}
    config["experiments"]["wine"] = {"dataset": "wine", "contamination": 0, "methods": ["kde", "mean"]}
    config["compare"] = "before.parquet"
    copy.configure(config)
    assert copy.planned() == {"images": 1, "split": 3, "fit": 1 + 3 * 2}
    copy.succeed()
    metrics = pd.read_parquet(copy.folder / "results" / "metrics.parquet")
    assert set(metrics.loc[metrics["experiment"] == "wine", "normal"]) == {"a", "b", "c"}
    assert (metrics.loc[(metrics["method"] == "mean") & (metrics["evaluation"] == "test"), "auc"] > 0.6).all()
    assert "mean" in (copy.folder / "results" / "tables" / "table3.md").read_text()
    assert "mean" in (copy.folder / "results" / "figures" / "cost" / "wine.svg").read_text()
    assert "wine, mean" not in (copy.folder / "results" / "report.html").read_text()  # tabular: there is no image
    report = (copy.folder / "results" / "report.html").read_text()
    assert "digits, mean" in report
    changes = pd.read_csv(copy.folder / "results" / "tables" / "changes.csv")
    brought = (changes["experiment"] == "wine") | (changes["method"] == "mean")
    assert set(changes.loc[brought, "change"]) == {"new"}
    assert set(changes.loc[~brought, "change"]) == {"same"}
    assert f"Of {(~brought).sum()} cells of both runs {(~brought).sum()} are the same" in report
