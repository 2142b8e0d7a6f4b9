"""The metrics: by hand, against scikit-learn, and where they are not defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from ocnn.results.metrics import METRICS, auc, auc_error, average_precision, curve, fpr_at_95_tpr
from ocnn.results.statistics import chance_limit

#: Two normal and two anomalous samples.
LABELS = np.array([False, False, True, True])


def test_by_hand() -> None:
    scores = np.array([1, 2.5, 2, 3])
    # Pairs (normal, anomalous): (1, 2), (1, 3) and (2.5, 3) are in order, (2.5, 2) is not.
    assert auc(LABELS, scores) == 0.75
    # The highest score is an anomaly: precision 1; the other comes third: precision 2/3; ½ of the recall each.
    assert average_precision(LABELS, scores) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # Both anomalies are found only with 2.5 flagged, too.
    assert fpr_at_95_tpr(LABELS, scores) == 0.5


def test_ties_by_hand() -> None:
    assert auc([False, True], [1.0, 1.0]) == 0.5
    assert average_precision([False, True], [1.0, 1.0]) == 0.5
    assert fpr_at_95_tpr([False, True], [1.0, 1.0]) == 1.0
    # One anomaly above, one tied with the only normal sample.
    assert auc([False, True, True], [1.0, 1.0, 2.0]) == 0.75
    assert average_precision([False, True, True], [1.0, 1.0, 2.0]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_95_of_100_anomalies_are_enough() -> None:
    """Five anomalies lie below all normal samples, and must not count; a sixth does."""
    labels = np.repeat([True, False, True], [95, 10, 5])
    assert fpr_at_95_tpr(labels, np.arange(110.0)[::-1]) == 0.0
    labels[94] = False
    labels[109] = True
    labels[95] = True
    assert fpr_at_95_tpr(labels, np.arange(110.0)[::-1]) == pytest.approx(1 / 10)


def test_points_of_the_curve_in_a_straight_line_count() -> None:
    """Anomalous and normal samples tie in twenty pairs: the curve is a diagonal, of which ends alone would give 1."""
    scores = np.repeat(np.arange(20.0), 2)
    assert fpr_at_95_tpr(np.tile([False, True], 20), scores) == pytest.approx(0.95)


@given(data=st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60))
def test_as_scikit_learn_has_them(data: list[tuple[bool, int]]) -> None:
    labels, scores = np.array([label for label, _ in data]), np.array([float(score) for _, score in data])
    if labels.all() or not labels.any():
        assert all(np.isnan(metric.function(labels, scores)) for metric in METRICS.values())
        return
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert fpr_at_95_tpr(labels, scores) == pytest.approx(fpr[tpr >= 0.95].min())


def test_the_error_of_an_auc_by_hand() -> None:
    # Normal samples 1 and 2.5, anomalies 2 and 3: they lie above half and all of the normal samples, variance 1/8;
    # above these lie all and half of the anomalies, 1/8. Two of either kind: 1/16 + 1/16.
    assert auc_error(LABELS, [1, 2.5, 2, 3]) == pytest.approx(np.sqrt(1 / 8))
    # Ties count half: shares of ½ and 1 both times.
    assert auc_error(LABELS, [1, 1, 1, 3]) == pytest.approx(np.sqrt(1 / 16))
    assert auc_error(LABELS, [1, 2, 3, 4]) == 0
    for labels, scores in (([False, True, True], [1, 2, 3]), ([], []), (LABELS, [1, np.nan, 2, 3])):
        assert np.isnan(auc_error(labels, scores))


@given(data=st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=4, max_size=40))
def test_the_error_of_an_auc_pair_by_pair(data: list[tuple[bool, int]]) -> None:
    """DeLong's formula as it is written, and no other when scores are turned round or monotonously changed."""
    labels, scores = np.array([label for label, _ in data]), np.array([float(score) for _, score in data])
    if min(labels.sum(), (~labels).sum()) < 2:
        return
    pairs = (np.sign(scores[labels][:, None] - scores[~labels][None]) + 1) / 2
    by_pair = pairs.mean(axis=1).var(ddof=1) / len(pairs) + pairs.mean(axis=0).var(ddof=1) / pairs.shape[1]
    found = auc_error(labels, scores)
    assert found == pytest.approx(np.sqrt(by_pair), abs=1e-9)
    assert auc_error(labels, -(scores**3)) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("shift", [0.3, 2.0])
def test_the_error_of_an_auc_is_that_of_a_stratified_bootstrap_and_of_new_samples(shift: float) -> None:
    normals, anomalies, rng = 300, 100, np.random.default_rng(0)
    labels = np.repeat([False, True], [normals, anomalies])
    below, above = rng.normal(size=normals), rng.normal(shift, 1, anomalies)

    def area(below: np.ndarray, above: np.ndarray, axis: int = -1) -> np.ndarray:
        """The AUC of resamples along the last axis, by ranks."""
        ranks = stats.rankdata(np.concatenate([below, above], axis=axis), axis=axis)[..., normals:]
        return (ranks.sum(axis=axis) - anomalies * (anomalies + 1) / 2) / (normals * anomalies)

    found = auc_error(labels, np.concatenate([below, above]))
    resampled = stats.bootstrap((below, above), area, n_resamples=2000, method="percentile", rng=rng)
    assert found == pytest.approx(resampled.standard_error, rel=0.1)
    # Other samples of the same distributions: the errors are right on average, and their intervals of 95 % nearly hold.
    drawn = np.concatenate([rng.normal(size=(1000, normals)), rng.normal(shift, 1, (1000, anomalies))], axis=1)
    areas = area(drawn[:, :normals], drawn[:, normals:])
    errors = np.array([auc_error(labels, scores) for scores in drawn])
    assert errors.mean() == pytest.approx(areas.std(), rel=0.1)
    covered = np.abs(areas - stats.norm.cdf(shift / np.sqrt(2))) < stats.norm.isf(0.025) * errors
    assert 0.92 < covered.mean() < 0.97


@pytest.mark.parametrize("name", list(METRICS))
@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([False, False], [1.0, 2.0]),
        ([True, True], [1.0, 2.0]),
        ([], []),
        ([False, True], [1.0, np.nan]),
        ([False, True], [-np.inf, 1.0]),
    ],
    ids=["normal alone", "anomalies alone", "nothing", "NaN", "infinite"],
)
def test_where_they_are_not_defined(name: str, labels: list[bool], scores: list[float]) -> None:
    assert np.isnan(METRICS[name].function(labels, scores))


@pytest.mark.parametrize("name", list(METRICS))
def test_a_perfect_ranking_and_the_direction(name: str) -> None:
    """Of more samples of either kind than a metric of the highest scores looks at."""
    metric, labels, scores = METRICS[name], np.repeat([False, True], 100), np.arange(200)
    right, wrong = metric.function(labels, scores), metric.function(labels, -scores)
    if metric.unit == "%":
        assert right == (1.0 if metric.higher_is_better else 0.0)
    assert (right > wrong) == metric.higher_is_better


@pytest.mark.parametrize("name", list(METRICS))
@pytest.mark.parametrize("scores", [np.zeros(40), np.tile([1.0, 2.0], 20)], ids=["all the same", "two values"])
def test_the_order_of_the_samples_does_not_count(name: str, scores: np.ndarray) -> None:
    """Of those with the same score none comes first because it stands there."""
    labels = np.repeat([True, False], 20)
    found = [METRICS[name].function(labels[order], scores[order]) for order in (slice(None), slice(None, None, -1))]
    assert found[0] == pytest.approx(found[1])


def test_the_registered_metrics() -> None:
    found = {
        name: (metric.title, metric.higher_is_better, metric.scale, metric.unit) for name, metric in METRICS.items()
    }
    expected = {
        "auc": ("AUC", True, 100, "%"),
        "average_precision": ("average precision", True, 100, "%"),
        "fpr_at_95_tpr": ("FPR at 95 % TPR", False, 100, "%"),
    }
    assert {name: found[name] for name in expected} == expected
    # The registered function is the metric, with its checks.
    assert METRICS["auc"].function(LABELS, [1, 2.5, 2, 3]) == 0.75


def test_the_limit_of_chance() -> None:
    # Five samples of each kind: variance 11 / (12 · 25), and the 5 % quantile of the normal distribution is −1.6449.
    assert chance_limit(5, 5, 0.05) == pytest.approx(0.5 - 1.6449 * np.sqrt(11 / 300), abs=1e-4)
    assert chance_limit(1, 1, 0.05) == 0
    assert chance_limit(9000, 1000, 0.05) == pytest.approx(0.4842, abs=1e-4)


def test_scores_without_information_are_rarely_below_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([False, True], [30, 20])
    values = np.array([auc(labels, rng.normal(size=50)) for _ in range(1000)])
    share = (values < chance_limit(20, 30, 0.05)).mean()
    assert 0.05 - 3 * np.sqrt(0.05 * 0.95 / 1000) < share < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_the_curve_that_is_kept_is_no_other_ranking_s() -> None:
    """Other labels with the same scores, other scores with the same labels, and the first ones again."""
    labels, scores = np.array([False, False, True, True]), np.array([0.0, 2.0, 1.0, 3.0])
    found = [
        METRICS["auc"].function(labels, scores),
        METRICS["auc"].function(~labels, scores),
        METRICS["auc"].function(labels, -scores),
        METRICS["auc"].function(labels, scores),
    ]
    assert found == [0.75, 0.25, 0.25, 0.75]
    with pytest.raises(ValueError, match="read-only"):
        curve(labels, scores).found[0] = 1
