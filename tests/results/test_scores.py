"""Score files and what is measured from them, on scores made by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ocnn.errors import ResultError
from ocnn.results.metrics import auc, collect, measure
from ocnn.results.scores import read_scores
from tests.results.conftest import write


def test_auc_by_hand() -> None:
    # Pairs (normal, anomalous): (1,2) right, (1,3) right, (2.5,2) wrong, (2.5,3) right.
    assert auc(np.array([False, False, True, True]), np.array([1, 2.5, 2, 3])) == 0.75
    assert auc(np.array([False, True]), np.array([1.0, 1.0])) == 0.5
    assert np.isnan(auc(np.array([False, False]), np.array([1.0, 2.0])))
    assert np.isnan(auc(np.array([False, True]), np.array([1.0, np.inf])))


def test_measure(tmp_path: Path) -> None:
    test, train = measure(*read_scores(write(tmp_path / "s.parquet", [-1, 2.5, -2, 3])))
    assert (test["auc"], test["samples"], test["anomalies"], test["distinct_scores"]) == (0.5, 4, 2, 4)
    assert (test["flagged_anomalies"], test["flagged_normals"]) == (1, 1)
    assert np.isnan(train["auc"])
    assert (train["flagged_anomalies"], train["flagged_normals"]) == (0, 1)


def test_samples_that_were_tuned_on_do_not_count(tmp_path: Path) -> None:
    tuned = [False, False, False, True, False, False]
    test, _ = measure(*read_scores(write(tmp_path / "s.parquet", [1, 2.5, 2, 3], tuned_on=tuned)))
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


def test_what_all_score_files_say(tmp_path: Path) -> None:
    benchmark = tmp_path / "b.tsv"
    benchmark.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t-\n")
    files = [write(tmp_path / f"{seed}.parquet", [1, 2, 3, 4], seed=seed) for seed in (0, 1)]
    collected = collect(files, [benchmark, tmp_path / "none.tsv"])
    first, _, second, _ = collected.metrics.to_dict("records")
    assert first["seconds"] == 12.5
    assert np.isnan(first["peak_memory"])
    assert np.isnan(second["seconds"])
    history = collected.histories[collected.histories["seed"] == 1]
    assert list(history["step"]) == [1, 2, 3]
    np.testing.assert_array_equal(history["value"], [3.0, np.nan, 1.0])
    assert collected.provenance == {
        "settings": {"toy": {"kde": {"estimator": "ocnn.methods.kde:KDE", "settings": {"random_state": 0}}}},
        "environments": [{"backend": "none", "python": "3.11", "fits": 2}],
    }
