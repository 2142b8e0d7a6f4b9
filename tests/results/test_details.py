"""Histograms, curves and mistakes of fits made by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ocnn.results.details import BINS, GRID, WORST, shapes, worst_mistakes


def test_a_histogram_counts_every_finite_score_of_either_kind() -> None:
    anomalous = np.array([False] * 4 + [True] * 3)
    scores = np.array([-2.0, -1.5, -1.0, np.inf, 1.0, 1.5, 2.0])
    found = shapes(anomalous, scores)
    low, high = found["range"]
    assert low < -1.9 < 1.9 < high
    assert (found["normal"].sum(), found["anomalous"].sum()) == (3, 3)
    # Decision scores are −anomaly scores: the normal ones lie in the upper half, above 0.
    assert found["normal"][: BINS // 2].sum() == 0
    assert found["anomalous"][BINS // 2 :].sum() == 0
    # Of scores that are not finite there are no curves.
    assert "tpr" not in found


@pytest.mark.parametrize(("shift", "shown"), [(2.0, True), (100.0, False)])
def test_the_threshold_is_in_the_picture_where_it_is_near(shift: float, shown: bool) -> None:
    scores = np.linspace(-1, 1, 101) + shift
    low, high = shapes(np.zeros(101, bool), scores)["range"]
    assert (low <= 0 <= high) == shown
    assert high < 0 or shown


def test_scores_that_are_all_alike_have_a_histogram_of_one_bin() -> None:
    found = shapes(np.zeros(5, bool), np.full(5, 3.0))
    assert found["range"][0] < -3 < found["range"][1]
    assert (found["normal"] > 0).sum() == 1


def test_without_a_finite_score_there_is_nothing() -> None:
    assert shapes(np.zeros(2, bool), np.array([np.nan, np.inf])) == {}


def test_the_curves_of_a_ranking_made_by_hand() -> None:
    # From the top: an anomaly, a normal sample, an anomaly, a normal one.
    found = shapes(np.array([True, False, True, False]), np.array([4.0, 3.0, 2.0, 1.0]))
    # Half a hair's breadth beside the step: the grid has 0.5 itself.
    assert 0.5 in GRID.round(9)
    assert set(found["tpr"][GRID < 0.499]) == {0.5}
    assert set(found["tpr"][GRID > 0.499]) == {1.0}
    assert set(found["precision"][GRID < 0.501]) == {1.0}
    assert found["precision"][GRID > 0.501] == pytest.approx(2 / 3)


def test_the_curves_have_about_the_areas_of_the_metrics() -> None:
    rng = np.random.default_rng(0)
    anomalous = np.arange(2000) % 4 == 0
    scores = rng.normal(size=2000) + 1.5 * anomalous
    found = shapes(anomalous, scores)
    assert np.trapezoid(found["tpr"], GRID) == pytest.approx(roc_auc_score(anomalous, scores), abs=0.02)
    assert np.trapezoid(found["precision"], GRID) == pytest.approx(average_precision_score(anomalous, scores), abs=0.02)


def test_the_worst_mistakes_are_the_extremes_of_the_wrong_kind() -> None:
    rows = pd.DataFrame(
        {
            "part": "test",
            "sample": range(20, 30),
            "is_anomaly": [False] * 8 + [True] * 2,
            "anomaly_score": [1.0, 9.0, 3.0, 9.0, 5.0, 2.0, 8.0, 7.0, 6.0, -4.0],
        }
    )
    found = worst_mistakes(rows)
    alarms, misses = (found[found["kind"] == kind] for kind in ("false alarm", "miss"))
    assert list(alarms["sample"]) == [21, 23, 26, 27, 24, 22]
    assert len(alarms) == WORST
    assert list(alarms["decision"]) == [-9, -9, -8, -7, -5, -3]
    assert list(misses["sample"]) == [29, 28]
    assert list(misses["place"]) == [1, 2]
