"""The command line, in this process: what it prints, what it writes, and what it refuses in one line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

from ocnn.__main__ import main
from ocnn.data import DATASETS
from ocnn.data.preprocessing import contrast_normalized
from ocnn.methods import METHODS

ROWS, ODD = 60, 17


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the command states of its environment ends with the test."""
    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """`rows.csv`, whose row 17 differs from the others, with a column of numbers of rows."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(ROWS, 3)) * [1, 10, 100], columns=["a", "b", "c"])
    frame.loc[ODD - 1] = [8.0, -90.0, 800.0]
    frame.assign(id=range(1000, 1000 + ROWS)).to_csv(tmp_path / "rows.csv", index=False)
    frame.iloc[:4].assign(id=1, c=[0.0, 0.0, 900.0, 0.0]).to_csv(tmp_path / "new.csv", index=False)
    return frame


@pytest.fixture
def pictures(tmp_path: Path) -> None:
    """A folder of noise, one of which has a square."""
    for number in range(9):
        pixels = np.random.default_rng(number).integers(90, 110, (16, 16), np.uint8)
        if number == 4:
            pixels[4:12, 4:12] = 250
        (tmp_path / "heap").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "heap" / f"{number}.png")


def test_the_rows_of_a_table_by_known_distances(table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """The distance to the fifth other row, of standardised numbers, less that at the quantile of the threshold."""
    output = ["--data", "leave_out=[id]", "--top", "3", "--output", "all.csv", "--contamination", "0.05"]
    assert main(["score", "rows.csv", *output]) == 0
    X = StandardScaler().fit_transform(table)
    distances = NearestNeighbors(n_neighbors=6).fit(X).kneighbors(X)[0][:, -1]
    expected = distances - np.quantile(distances, 0.95)
    order = np.argsort(-expected, kind="stable")
    found = pd.read_csv("all.csv")
    assert list(found["place"]) == list(range(1, ROWS + 1))
    assert list(found["sample"]) == [f"rows.csv, row {row + 1}" for row in order]
    assert found["anomaly_score"].to_numpy() == pytest.approx(expected[order], abs=1e-5)
    assert (found["flagged"] == (expected[order] > 0)).all()
    printed = capsys.readouterr()
    shown = printed.out.splitlines()
    assert len(shown) == 4
    assert shown[1].split()[:4] == ["1", "rows.csv,", "row", str(ODD)]
    assert "3 of 60 are beyond the threshold, above 0; all of them in all.csv. The fit: converged" in printed.err


def test_a_sign_is_a_text_whatever_it_is_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "signs.csv").write_text("a|b\n" + "".join(f"{row % 5},5|{row % 3},25\n" for row in range(30)))
    assert main(["score", "signs.csv", "--data", "separator=|", "--data", "decimal=,", "--output", "all.csv"]) == 0
    assert len(pd.read_csv("all.csv")) == 30


def test_rows_of_another_file_are_scored_and_not_fitted(table: pd.DataFrame) -> None:
    settings = ["--data", "leave_out=[id]", "--data", "test_file=new.csv", "--data", "scaling=none"]
    assert (
        main(["score", "rows.csv", *settings, "--method", "knn", "--set", "n_neighbors=2", "--output", "all.csv"]) == 0
    )
    found = pd.read_csv("all.csv").set_index("sample")["anomaly_score"]
    new = table.iloc[:4].assign(c=[0.0, 0.0, 900.0, 0.0])
    distances = NearestNeighbors(n_neighbors=2).fit(table).kneighbors(new)[0][:, -1]
    assert found.idxmax() == "new.csv, row 3"
    by_row = found.loc[[f"new.csv, row {row}" for row in (1, 2, 3, 4)]].to_numpy()
    assert np.diff(by_row) == pytest.approx(np.diff(distances), abs=1e-3)


@pytest.mark.parametrize("pixels", ["normalised", "scaled"])
def test_pictures(pixels: str, pictures: None) -> None:
    kept = ["--data", "pixels=scaled"] if pixels == "scaled" else []
    arguments = ["--data", "size=16", "--data", "channels=1", "--output", "all.csv", *kept]
    assert main(["score", "heap", *arguments]) == 0
    X = np.stack([np.asarray(Image.open(f"heap/{number}.png")) for number in range(9)])[..., None]
    if pixels == "scaled":
        X = (X / 255).reshape(9, -1)
    else:
        X = contrast_normalized(X).reshape(9, -1)
        X = (X - X.min()) / (X.max() - X.min())
    distances = NearestNeighbors(n_neighbors=6).fit(X).kneighbors(X)[0][:, -1]
    found = pd.read_csv("all.csv")
    assert list(found["sample"]) == [f"{number}.png" for number in np.argsort(-distances, kind="stable")]
    assert found.loc[0, "sample"] == "4.png" or pixels == "normalised"
    expected = np.sort(distances - np.quantile(distances, 0.9))[::-1]
    assert found["anomaly_score"].to_numpy() == pytest.approx(expected, abs=1e-4)


def test_a_detector_of_another_package(table: pd.DataFrame) -> None:
    chosen = ["--method", "sklearn.neighbors:LocalOutlierFactor", "--set", "n_neighbors=7"]
    assert main(["score", "rows.csv", "--data", "leave_out=[id]", *chosen, "--output", "all.csv"]) == 0
    model = LocalOutlierFactor(n_neighbors=7, novelty=True, contamination=0.1).fit(
        StandardScaler().fit_transform(table)
    )
    expected = -np.sort(model.negative_outlier_factor_ - model.offset_)
    assert pd.read_csv("all.csv")["anomaly_score"].to_numpy() == pytest.approx(expected, rel=1e-4)


def test_a_detector_of_the_working_directory(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "mine_of_the_command.py").write_text(
        "class First:\n    def fit(self, X): return self\n    def score_samples(self, X): return X[:, 0]\n"
    )
    chosen = ["--method", "mine_of_the_command:First", "--set", "higher_scores=anomalous", "--data", "leave_out=[id]"]
    assert main(["score", "rows.csv", *chosen, "--output", "all.csv"]) == 0
    assert pd.read_csv("all.csv").loc[0, "sample"] == f"rows.csv, row {ODD}"


def test_a_sample_at_the_threshold_is_not_beyond_it(tmp_path: Path) -> None:
    """Of eleven scores the tenth is the quantile at 0.9."""
    pd.DataFrame({"a": np.arange(11.0)}).to_csv("rows.csv", index=False)
    (tmp_path / "mine_of_the_threshold.py").write_text(
        "class First:\n    def fit(self, X): return self\n    def score_samples(self, X): return X[:, 0]\n"
    )
    chosen = ["--method", "mine_of_the_threshold:First", "--set", "higher_scores=anomalous", "--data", "scaling=none"]
    assert main(["score", "rows.csv", *chosen, "--output", "all.csv"]) == 0
    found = pd.read_csv("all.csv")
    assert found["anomaly_score"].tolist() == [1.0, *np.arange(0.0, -10.0, -1)]
    assert found["flagged"].tolist() == [True] + 10 * [False]


def test_a_seed_decides_and_repeats(table: pd.DataFrame) -> None:
    def scores(*seed: str) -> list[float]:
        chosen = ["--method", "iforest", *seed, "--data", "leave_out=[id]", "--top", "0"]
        assert main(["score", "rows.csv", *chosen, "--output", "all.csv"]) == 0
        return list(pd.read_csv("all.csv").sort_values("sample")["anomaly_score"])

    assert scores("--seed", "1") == scores("--seed", "1") != scores("--seed", "2")
    assert scores() == scores("--seed", "0")


def test_the_methods_and_one_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(METHODS)
    assert all(len(line.split()) > 4 for line in lines)
    assert main(["methods", "knn"]) == 0
    assert "n_neighbors: 5" in capsys.readouterr().out


def test_the_data_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(DATASETS)
    assert f"{len(load_digits().target_names)} classes, nothing to fetch" in lines[list(DATASETS).index("digits")]
    assert "4 archives to fetch" in lines[list(DATASETS).index("mnist")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "none.csv"], "there is no file none.csv"),
        (["score", "rows.txt"], "there is no file rows.txt"),
        (["score", "rows.csv", "--method", "knnn"], "--method: no estimator 'knnn'"),
        (["score", "rows.csv", "--method", "no_such:Class"], "--method"),
        (["score", "rows.csv", "--method", "sklearn.svm:SVC", "--set", "higher_scores=normal"], "--method: SVC is no"),
        (["score", "rows.csv", "--set", "k=3"], "--set k: unknown setting; known are contamination, n_neighbors"),
        (["score", "rows.csv", "--set", "n_neighbors=0"], "n_neighbors"),
        (["score", "rows.csv", "--set", "n_neighbors"], "--set n_neighbors: expected KEY=VALUE"),
        (["score", "rows.csv", "--set", "=3"], "--set =3: expected KEY=VALUE"),
        (["score", "rows.csv", "--set", "n_neighbors=[3"], "--set n_neighbors: '[3' is no YAML"),
        (["score", "rows.csv", "--set", "input=codes"], "--set input: that is a key of the workflow's configuration"),
        (["score", "rows.csv", "--data", "leave_out=[x]"], "rows.csv has no column 'x' for `leave_out`"),
        (["score", "rows.csv", "--data", "scaling=big"], "--data scaling"),
        (["score", "rows.csv", "--data", "sacling=none"], "--data sacling"),
        (["score", "rows.csv", "--data", "normal=[ok]"], "--data normal: nothing is measured here"),
        (["score", "rows.csv", "--data", "test_file=none.csv"], "there is no file none.csv"),
        (["score", "rows.csv", "--contamination", "0"], "--contamination must be above 0 and at most 0.5, got 0.0"),
        (["score", "rows.csv", "--contamination", "nan"], "--contamination must be above 0 and at most 0.5"),
        (["score", "rows.csv", "--top", "-1"], "--top must be at least 0"),
        (["score", "rows.csv", "--seed", "-1"], "--seed"),
        (["score", "rows.csv", "--output", "nowhere/all.csv"], "--output: there is no folder"),
        (["score", "rows.csv", "--output", "./rows.csv"], "--output rows.csv: that is the table that is read"),
        (
            ["score", "new.csv", "--data", "test_file=rows.csv", "--output", "rows.csv"],
            "that is the table that is read",
        ),
        (["score", "rows.csv", "--output", "all.parquet"], "--output must end in .csv, got all.parquet"),
        (["score", "empty"], "empty holds no picture"),
        (["score", "heap", "--data", "size=0"], "--data size"),
        (["score", "heap", "--data", "pixels=raw"], "--data pixels"),
        (["methods", "knnn"], "no method 'knnn'; known are ocsvm"),
    ],
)
def test_refusals(
    arguments: list[str], message: str, table: pd.DataFrame, pictures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    error = [line for line in printed.err.splitlines() if line.startswith("error: ")]
    assert len(error) == 1
    assert message in error[0]
    assert not Path("all.csv").exists()


def test_a_reader_may_leave(tmp_path: Path) -> None:
    """As `ocnn methods | head` does."""
    command = [sys.executable, "-m", "ocnn", "methods"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        run = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, cwd="/")
    assert (run.returncode, run.stderr) == (0, "")


def test_it_is_a_program() -> None:
    for command in ([str(Path(sys.executable).with_name("ocnn"))], [sys.executable, "-m", "ocnn"]):
        run = subprocess.run([*command, "datasets"], capture_output=True, text=True, check=True, cwd="/")
        assert run.stdout.split()[0] in DATASETS
