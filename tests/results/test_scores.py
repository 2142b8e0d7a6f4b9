"""Score files and what is computed from them, on scores made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ocnn.errors import ResultError
from ocnn.results.metrics import auc, collect, measure
from ocnn.results.scores import read_scores, write_scores
from ocnn.results.tables import read_published, summarise, to_markdown


def write(path: Path, test: list[float], *, seed: int = 0, status: str = "converged", **changes: Any) -> Path:
    """A score file of two training samples, both normal, and test samples of which the last two are anomalous."""
    count = len(test)
    identity = {"experiment": "toy", "normal": "3", "method": "kde", "seed": seed}
    frame = pd.DataFrame(
        {
            **identity,
            "evaluation": ["train"] * 2 + ["test"] * count,
            "sample": [*range(2), *range(count)],
            "is_anomaly": [False] * 2 + [index >= count - 2 for index in range(count)],
            "tuned_on": False,
            "anomaly_score": [0.0, 1.0, *test],
        }
    ).assign(**changes)
    write_scores(path, frame, {**identity, "diagnosis": {"status": status, "reason": "because"}})
    return path


def test_auc_by_hand() -> None:
    # Pairs (normal, anomalous): (1,2) right, (1,3) right, (2.5,2) wrong, (2.5,3) right.
    assert auc(np.array([False, False, True, True]), np.array([1, 2.5, 2, 3])) == 0.75
    assert auc(np.array([False, True]), np.array([1.0, 1.0])) == 0.5
    assert np.isnan(auc(np.array([False, False]), np.array([1.0, 2.0])))
    assert np.isnan(auc(np.array([False, True]), np.array([1.0, np.inf])))


def test_measure(tmp_path: Path) -> None:
    test, train = measure(write(tmp_path / "s.parquet", [1, 2.5, 2, 3]))
    assert (test["auc"], test["samples"], test["anomalies"], test["distinct_scores"]) == (0.75, 4, 2, 4)
    assert np.isnan(train["auc"])


def test_samples_that_were_tuned_on_do_not_count(tmp_path: Path) -> None:
    tuned = [False, False, False, True, False, False]
    test, _ = measure(write(tmp_path / "s.parquet", [1, 2.5, 2, 3], tuned_on=tuned))
    assert (test["auc"], test["samples"]) == (1.0, 3)


def test_scores_come_back_and_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, [1, 2.5, 2, 3]) for name in ("a.parquet", "b.parquet"))
    assert first.read_bytes() == second.read_bytes()
    scores, metadata = read_scores(first)
    assert list(scores["anomaly_score"]) == [0, 1, 1, 2.5, 2, 3]
    assert metadata["diagnosis"]["reason"] == "because"


@pytest.mark.parametrize("damage", ["truncated", "foreign", "missing", "no metadata"])
def test_what_is_no_score_file(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "s.parquet", [1, 2.5, 2, 3])
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "foreign":
        pd.DataFrame({"x": [1]}).to_parquet(path)
    elif damage == "missing":
        path.unlink()
    else:
        read_scores(path)[0].to_parquet(path)
    with pytest.raises(ResultError, match=r"s\.parquet"):
        read_scores(path)


PUBLISHED = pd.DataFrame(
    {"dataset": ["toyset"], "class": ["3"], "method": ["kde"], "auc_mean": [97.1], "auc_std": [0.0]}
)


def metrics_of(tmp_path: Path, runs: list[tuple[list[float], str]]) -> pd.DataFrame:
    files = [
        write(tmp_path / f"{seed}.parquet", test, seed=seed, status=status) for seed, (test, status) in enumerate(runs)
    ]
    return collect(files, [tmp_path / "none.tsv"] * len(files))


def test_the_table_by_hand(tmp_path: Path) -> None:
    metrics = metrics_of(tmp_path, [([1, 2.5, 2, 3], "converged"), ([1, 2, 3, 4], "limit")])
    (row,) = summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}).to_dict("records")
    assert row["test_mean"] == pytest.approx(87.5)
    assert row["test_std"] == pytest.approx(np.std([75, 100], ddof=1))
    assert (row["test_seeds"], row["train_seeds"], row["degenerate"], row["fits"]) == (2, 0, 0, 2)
    assert (row["published_mean"], row["published_std"]) == (97.1, 0.0)
    assert np.isnan(row["train_mean"])
    text = to_markdown(summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}), metrics)
    assert "## toy (2 seeds)" in text
    assert "87.5 ± 17.7" in text
    assert "97.10 ± 0.0" in text
    assert "None." in text
    (other,) = summarise(metrics, PUBLISHED, {"toy": "toyset"}, {"kde": "ocsvm"}).to_dict("records")
    assert np.isnan(other["published_mean"])
    assert "97.10" not in to_markdown(summarise(metrics, PUBLISHED, {"toy": None}, {}), metrics)


def test_degenerate_and_missing_fits_are_visible(tmp_path: Path) -> None:
    runs: list[tuple[list[float], str]] = [
        ([1, 2.5, 2, 3], "diverged"),
        ([1, 2, 3, 4], "limit"),
        ([1, 2, 3, float("nan")], "collapsed"),
    ]
    metrics = metrics_of(tmp_path, runs)
    text = to_markdown(summarise(metrics, PUBLISHED, {"toy": "toyset"}, {}), metrics)
    assert "87.5 ± 17.7 (2 of 3 seeds) †2/3" in text
    assert text.count("because") == 2


def test_costs_come_from_the_benchmark_files(tmp_path: Path) -> None:
    benchmark = tmp_path / "b.tsv"
    benchmark.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t-\n")
    (row, _) = collect([write(tmp_path / "s.parquet", [1, 2, 3, 4])], [benchmark]).to_dict("records")
    assert row["seconds"] == 12.5
    assert np.isnan(row["peak_memory"])


def test_a_published_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("class,auc\n3,97\n")
    with pytest.raises(ResultError, match=r"table\.csv"):
        read_published([path])
