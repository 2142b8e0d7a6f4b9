"""The order of samples without labels, and each class of anomalies alone: known answers, and how they are shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ocnn.errors import ResultError
from ocnn.report.own_data import class_document, ranking_document
from ocnn.report.rendering import to_markdown
from ocnn.results.measurements import evaluated_part
from ocnn.results.metrics import METRICS
from ocnn.results.own_data import ALL, BY_CLASS, COUNTS, RANKED, measure_classes, rank_samples
from ocnn.results.scores import Fit, read_scores
from tests.results.conftest import write

SEEDS = (0, 1)
FITS = [Fit("toy", "3", "kde", seed) for seed in SEEDS]
NAMES = {"train": ["t0", "t1"], "test": [f"row {row}" for row in range(1, 6)]}


def patterned(folder: Path, *scores: list[float], **changes: Any) -> str:
    """The pattern of score files, one per seed, of test samples with these scores."""
    for seed, values in enumerate(scores):
        write(folder / f"{seed}.parquet", values, seed=seed, **changes)
    return str(folder / "{seed}.parquet")


def test_samples_are_ordered_by_the_mean_of_their_scores(tmp_path: Path) -> None:
    pattern = patterned(tmp_path, [1.0, -2.0, 3.0, -1.0, 3.0], [3.0, -4.0, -1.0, -3.0, 5.0])
    ranked = rank_samples(FITS, pattern, NAMES)
    assert list(ranked.columns) == RANKED
    # Means 2, −3, 1, −2, 4.
    assert ranked["sample"].tolist() == ["row 5", "row 1", "row 3", "row 4", "row 2"]
    assert ranked["anomaly_score"].tolist() == [4, 2, 1, -2, -3]
    np.testing.assert_allclose(ranked["std"], np.sqrt([2, 2, 8, 2, 2]))
    assert ranked["flagged"].tolist() == [2, 2, 1, 0, 0]
    assert ranked["place"].tolist() == [1, 2, 3, 4, 5]
    assert set(ranked["seeds"]) == {2}
    text = to_markdown(ranking_document("toy", ranked))
    assert "2 of 5 samples are flagged by more than half of its 2 fits." in text
    assert "| 3       | row 3    | 1 ± 2.83        | 1 of 2    |" in text
    assert "| 5       | row 2    | −3 ± 1.41       | no        |" in text


def test_without_a_test_part_the_fitted_samples_are_ordered(tmp_path: Path) -> None:
    """Of equal scores the order is that of the samples; one that is not finite comes last."""
    changes: dict[str, Any] = {
        "evaluation": "train",
        "part": "train",
        "fitted": True,
        "sample": range(7),
        "is_anomaly": False,
    }
    pattern = patterned(tmp_path, [0.0, np.nan, 1.0, 1.0, -np.inf], **changes)
    assert evaluated_part(read_scores(tmp_path / "0.parquet")[0])[0] == "train"
    ranked = rank_samples(FITS[:1], pattern, {"train": [*"abcdefg"], "test": []})
    # The first two samples of the file have the scores 0 and 1.
    assert "".join(ranked["sample"]) == "befacdg"
    assert ranked["std"].isna().all()
    assert "| 6       | d        | –               | no        |" in to_markdown(ranking_document("toy", ranked))


def test_each_class_of_anomalies_by_itself(tmp_path: Path) -> None:
    """Normal samples at 0, 1 and 2; one anomaly above all of them, one above the lowest alone."""
    pattern = patterned(tmp_path, [0.0, 1.0, 2.0, 5.0, 0.5], [0.0, 1.0, 2.0, 5.0, 3.0])
    labels = pd.DataFrame({"part": ["train"] * 2 + ["test"] * 5, "sample": [0, 1, 0, 1, 2, 3, 4]})
    labels["label"] = ["3"] * 5 + ["hole", "bent"]
    measured = measure_classes(FITS, pattern, lambda fit: labels[::-1])
    assert list(measured.columns) == [*BY_CLASS, *COUNTS]
    assert set(measured["metric"]) == set(METRICS)
    aucs = measured[measured["metric"] == "auc"].set_index("anomaly_class")
    assert list(aucs.index) == [ALL, "bent", "hole"]
    # Of bent 1/3, and then all; of both the mean of 1/3 and 1.
    np.testing.assert_allclose(aucs["mean"], [100 * (2 / 3 + 1) / 2, 100 * (1 / 3 + 1) / 2, 100])
    np.testing.assert_allclose(aucs["std"], [100 / 3 / 2**0.5, 100 * 2 / 3 / 2**0.5, 0])
    assert aucs["anomalies"].tolist() == [2, 1, 1]
    assert set(aucs["normals"]) == {3}
    assert set(aucs["evaluation"]) == {"test"}
    text = to_markdown(class_document("toy", measured))
    assert "3 normal samples beside each." in text
    assert "| bent        | 1         | **66.7 ± 47.1** |" in text


def test_samples_that_were_tuned_on_do_not_count(tmp_path: Path) -> None:
    tuned = [False, False, True, False, False, False, True]
    pattern = patterned(tmp_path, [9.0, 1.0, 2.0, 5.0, 0.5], tuned_on=tuned)
    labels = pd.DataFrame({"part": ["train"] * 2 + ["test"] * 5, "sample": [0, 1, 0, 1, 2, 3, 4]})
    labels["label"] = ["3"] * 5 + ["hole", "bent"]
    measured = measure_classes(FITS[:1], pattern, lambda fit: labels)
    aucs = measured[measured["metric"] == "auc"].set_index("anomaly_class")
    assert aucs["mean"].to_dict() == {ALL: 100, "hole": 100}
    assert set(aucs["normals"]) == {2}


def test_a_split_of_other_samples_is_refused(tmp_path: Path) -> None:
    labels = pd.DataFrame({"part": ["test"], "sample": [0], "label": ["a"]})
    with pytest.raises(ResultError, match=r"0.parquet has samples that its split has not. Delete it"):
        measure_classes(FITS[:1], patterned(tmp_path, [0.0, 1.0, 2.0]), lambda fit: labels)


def test_what_collapsed_is_said_in_both_tables(tmp_path: Path) -> None:
    """And never the best of its line."""
    pattern = patterned(tmp_path, [0.0, 1.0, 2.0, 5.0, 0.5], [0.0, 1.0, 2.0, 5.0, 3.0])
    write(tmp_path / "1.parquet", [0.0, 1.0, 2.0, 5.0, 3.0], seed=1, status="collapsed")
    labels = pd.DataFrame({"part": ["train"] * 2 + ["test"] * 5, "sample": [0, 1, 0, 1, 2, 3, 4]})
    labels["label"] = ["3"] * 5 + ["hole", "bent"]
    measured = measure_classes(FITS, pattern, lambda fit: labels)
    assert set(measured["degenerate"]) == {1}
    assert set(measured["fits"]) == {2}
    text = to_markdown(class_document("toy", measured))
    assert "| bent        | 1         | 66.7 ± 47.1 †1/2 |" in text
    ranked = rank_samples(FITS, pattern, NAMES)
    assert set(ranked["degenerate"]) == {1}
    assert "† 1 of 2 fits diverged or collapsed" in to_markdown(ranking_document("toy", ranked))
