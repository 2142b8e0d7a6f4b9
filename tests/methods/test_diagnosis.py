"""What a fit's scores and losses tell of it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.exceptions import ConvergenceWarning

from ocnn.methods import DCAE, KDE, PCA, RCAE, AnoGAN, LinearOCSVM, OneClassNN, load_estimator
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule, diagnose_scores, first_of_each, tied_share
from ocnn.methods.ocnn import DIVERGENCE_PATIENCE, judge
from ocnn.methods.rcae import SETTLED_SHARE
from ocnn.methods.rcae import judge as judge_rcae
from tests.conftest import QUICK_PRETRAINED

EPS32, EPS64 = (float(np.finfo(dtype).eps) for dtype in (np.float32, np.float64))
NOISE = np.random.default_rng(0).normal(size=100)


def status(found: Diagnosis | None) -> str | None:
    return None if found is None else found.status


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (np.linspace(0, 1, 100), None),
        (-700 + np.linspace(0, 20, 100), None),
        (1 + 1e-6 * np.linspace(0, 1, 100), None),
        (np.repeat([0.0, 1.0], 50), None),
        (np.append(np.linspace(0, 1, 99), -1e15), None),
        (np.ones(100), "collapsed"),
        (np.zeros(100), "collapsed"),
        (np.ones(1), "collapsed"),
        (np.where(np.arange(100) < 5, np.arange(100), 0.0), "collapsed"),
        (5 + 3 * EPS32 * NOISE.astype(np.float32), "collapsed"),
        (np.float32(1) + np.float32(1e-6) * NOISE.astype(np.float32), "collapsed"),
        (np.float32(1) + np.float32(1e-3) * NOISE.astype(np.float32), None),
        (1 + 1e-15 * NOISE, "collapsed"),
        (np.array([1.0, np.nan, 2.0]), "diverged"),
        (np.array([1.0, np.inf, 2.0]), "diverged"),
    ],
)
def test_scores(scores: np.ndarray, expected: str | None) -> None:
    """Collapsed: one value, a dead network's few others, rounding noise of the type that the scores have."""
    found = diagnose_scores(scores)
    assert status(found) == expected
    assert found is None or found.degenerate


def test_the_share_of_ties_by_hand() -> None:
    """Of 1, 1, 2: a sample of each pair of ones ties with one of two others, the two with none."""
    assert tied_share([1.0, 1.0, 2.0]) == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert tied_share([1.0, 2.0, 4.0], rounding=1.5 / 128) == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert tied_share([1.0, 2.0, 4.0], rounding=[0, 0, 2.5 / 128]) == pytest.approx((0 + 0 + 0.5) / 3)
    assert tied_share([0.0, 0.0]) == 1
    assert tied_share([0.0, 1.0]) == 0
    assert tied_share([3.0]) == 1
    # Nine in ten at one score: 0.9 of the samples tie with 89 of 99 others. Eight in ten are still a ranking.
    assert status(diagnose_scores(np.append(np.zeros(91), np.arange(1, 10)))) == "collapsed"
    assert status(diagnose_scores(np.append(np.zeros(80), np.arange(1, 21)))) is None


#: Scores of many kinds: spread out, on few levels, and one level with exceptions. Whole numbers, which constants and
#: factors of powers of two leave exact.
KINDS = st.one_of(
    st.lists(st.integers(-1000, 1000), min_size=2, max_size=40),
    st.lists(st.sampled_from([0, 1]), min_size=2, max_size=40),
    st.builds(
        lambda many, few: [0] * many + few, st.integers(2, 60), st.lists(st.integers(-9, 9), min_size=1, max_size=6)
    ),
)


@given(KINDS, st.integers(-(2**30), 2**30), st.integers(-40, 40), st.data())
def test_no_constant_factor_or_duplicate_changes_the_verdict(
    whole: list[int], constant: int, exponent: int, data: Any
) -> None:
    scores = np.array(whole, np.float64)
    expected = status(diagnose_scores(scores))
    assert status(diagnose_scores(scores + constant)) == expected
    assert status(diagnose_scores(scores * 2.0**exponent)) == expected
    copies = data.draw(st.lists(st.integers(1, 30), min_size=len(scores), max_size=len(scores)))
    samples = np.repeat(np.arange(len(scores), dtype=float)[:, None], copies, axis=0)
    repeated = np.repeat(scores, copies)
    assert status(diagnose_scores(repeated, None, first_of_each(samples))) == expected


@given(KINDS, st.floats(1e-6, 1e6), st.floats(-1e6, 1e6))
def test_with_a_stated_rounding_error_no_constant_changes_the_verdict(
    whole: list[int], factor: float, constant: float
) -> None:
    """Of float32 outputs, to which a float64 constant is added: the error is that of the outputs, whatever is added."""
    scores = np.array(whole, np.float64)
    rounding = 1e-4 / 128
    expected = status(diagnose_scores(scores, rounding))
    assert status(diagnose_scores(factor * scores + factor * constant, factor * rounding)) == expected
    assert status(diagnose_scores(1e-5 * scores / 1000, rounding)) == "collapsed"


def test_the_first_of_each_sample() -> None:
    X = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, -0.0], [2.0, 0.0], [3.0, 0.0]])
    np.testing.assert_array_equal(first_of_each(X), [0, 1, 4])
    # However little they differ.
    np.testing.assert_array_equal(first_of_each(np.array([[1e-30], [2e-30], [1e-30], [0.0]])), [0, 1, 3])


@pytest.mark.parametrize("one_checksum", [False, True])
@given(
    X=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6), elements=st.sampled_from([-1, -0.0, 0.0, 0.5])
    )
)
def test_the_first_of_each_sample_is_that_of_a_loop(one_checksum: bool, X: np.ndarray) -> None:
    """Also where all samples have one checksum: then they are compared."""
    seen: dict[tuple[float, ...], int] = {}
    for index, row in enumerate(X):
        seen.setdefault(tuple(row.ravel().tolist()), index)
    with pytest.MonkeyPatch.context() as patch:
        if one_checksum:
            patch.setattr("ocnn.methods.diagnosis.row_checksums", lambda block: np.full(len(block), 7, np.uint64))
        np.testing.assert_array_equal(first_of_each(X), list(seen.values()))


def test_the_first_of_each_sample_across_blocks() -> None:
    X = np.random.default_rng(0).integers(0, 2, (3 * 2**24 // (8 * 64), 64)).astype(float)
    X[-2:] = X[:2]
    found = first_of_each(X)
    np.testing.assert_array_equal(found, np.sort(np.unique(X, axis=0, return_index=True)[1]))


def test_samples_that_occur_repeatedly_are_ranked() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 4))
    assert KDE().fit(np.repeat(rows, 50, axis=0)).diagnosis_.status == "converged"


def test_the_constant_of_a_log_density_is_no_size() -> None:
    """In 12,288 dimensions it is about −10⁴, beside which the ranking's differences are small."""
    X = np.random.default_rng(0).normal(0.5, 1e-2, (60, 64, 64, 3)).astype("float32")
    model = KDE(bandwidths=[20.0]).fit(X)
    assert np.ptp(model.training_scores_) < 1e-4 * np.abs(model.training_scores_).max()
    assert model.diagnosis_.status == "converged"


@pytest.mark.parametrize("copies", [1, 3])
def test_a_dead_network_is_collapsed_and_warned_of(copies: int) -> None:
    """Of a sigmoid unit that is saturated for all samples nothing but rounding is left."""
    X = np.repeat(1e6 + np.random.default_rng(0).uniform(0, 10, (40, 5)), copies, axis=0)
    with pytest.warns(ConvergenceWarning, match="OneClassNN collapsed: outputs spread over"):
        model = OneClassNN(network="none", activation="sigmoid", **QUICK_PRETRAINED).fit(X)
    assert model.diagnosis_.status == "collapsed"
    assert len(model.history_["objective"]) == 1


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (np.linspace(2, 1, 100), "limit"),
        (np.linspace(1, 2, 100), "limit"),
        (np.exp(-np.arange(100.0)) + 1, "converged"),
        ([1.0, np.nan, 1.0], "diverged"),
        ([1.0], "limit"),
        # Of twenty epochs the last two are compared with the two before: a change of 0.9 % and of 1.1 %.
        ([9.0] * 16 + [1.0] * 2 + [0.991] * 2, "converged"),
        ([9.0] * 16 + [1.0] * 2 + [0.989] * 2, "limit"),
        ([9.0] * 16 + [1.0] * 2 + [1.011] * 2, "limit"),
        ([-9.0] * 16 + [-1.0] * 2 + [-1.011] * 2, "limit"),
        # Of nineteen one is compared with one, and so of two: a fall in the last epoch alone counts in full.
        ([1.0] * 18 + [0.989], "limit"),
        ([1.0, 0.991], "converged"),
    ],
)
def test_schedule(losses: list[float], expected: str) -> None:
    assert diagnose_schedule(losses).status == expected


def test_a_rising_loss_is_said_to_rise() -> None:
    assert "loss rose by 10 %" in diagnose_schedule([1.0] * 18 + [1.1] * 2).reason
    assert "loss fell by 10 %" in diagnose_schedule([1.0] * 18 + [0.9] * 2).reason


@pytest.mark.parametrize(
    ("change", "expected"), [(0.0, "converged"), (0.99 * SETTLED_SHARE, "converged"), (1.01 * SETTLED_SHARE, "limit")]
)
def test_an_alternation_has_settled_when_the_noise_has(change: float, expected: str) -> None:
    assert judge_rcae([1.0] * 20, change).status == expected
    assert judge_rcae([1.0, np.nan], change).status == "diverged"
    assert judge_rcae(np.linspace(2, 1, 20).tolist(), change).status == "limit"


def rows(objectives: list[float], ties: float = 0.0, r: list[float] | None = None) -> list[dict[str, float]]:
    values = r or [value / 2 for value in objectives]
    return [
        {"objective": objective, "r": value, "spread": 1.0, "ties": ties}
        for objective, value in zip(objectives, values, strict=True)
    ]


FALLING = [-float(n) for n in range(DIVERGENCE_PATIENCE + 1)]


def test_a_negative_falling_objective_diverges_only_if_it_is_homogeneous() -> None:
    found = judge(rows(FALLING), 1e-4, homogeneous=True)
    assert status(found) == "diverged"
    assert judge(rows(FALLING), 1e-4, homogeneous=False) is None
    assert judge(rows(FALLING[:-1]), 1e-4, homogeneous=True) is None
    assert judge(rows([value + 100 for value in FALLING]), 1e-4, homogeneous=True) is None


def test_an_objective_that_has_only_become_negative_or_has_risen_does_not_diverge() -> None:
    assert judge(rows([value + 2.5 for value in FALLING]), 1e-4, homogeneous=True) is None
    risen = [*FALLING[:-1], FALLING[-2] + 0.5]
    assert judge(rows(risen), 1e-4, homogeneous=True) is None


def test_converged_collapsed_and_not_finite() -> None:
    for objectives, ties, expected in (
        ([2.0, 1.0, 1.0 + 1e-6], 0.0, "converged"),
        ([2.0, 1.0], 0.9, "collapsed"),
        ([2.0, float("nan")], 0.0, "diverged"),
    ):
        assert status(judge(rows(objectives, ties), 1e-4, homogeneous=True)) == expected
    assert judge(rows([2.0, 1.0], 0.7), 1e-4, homogeneous=True) is None


def test_both_r_and_objective_must_settle() -> None:
    still = 1.0 + 1e-6
    assert judge(rows([1.0, still], r=[1.0, 2.0]), 1e-4, homogeneous=True) is None
    assert judge(rows([1.0, 2.0], r=[1.0, still]), 1e-4, homogeneous=True) is None
    assert status(judge(rows([1.0, still], r=[1.0, still]), 1e-4, homogeneous=True)) == "converged"
    assert judge(rows([1.0], r=[1.0]), 1e-4, homogeneous=True) is None


def test_the_rounding_errors_of_scores_by_hand() -> None:
    """Samples of largest coordinates 4 and 2, of lengths 5 and 2; squared errors of 9 and 0."""
    X, scores = np.array([[3.0, -4.0, 0.0], [2.0, 0.0, 0.0]]), np.array([-9.0, 0.0])
    squared = [EPS32 * (9 + 2 * 3 * 4), 0]
    for model in (DCAE(), RCAE()):
        np.testing.assert_allclose(model._rounding(X, scores), squared)
        np.testing.assert_allclose(model._rounding(X.reshape(2, 1, 3, 1), scores), squared)
    np.testing.assert_allclose(AnoGAN()._rounding(X, scores), [EPS32 * (9 + 5), EPS32 * 2])
    np.testing.assert_allclose(AnoGAN()._rounding(X.reshape(2, 1, 3, 1), scores), [EPS32 * (9 + 5), EPS32 * 2])
    for name in ("deep_svdd", "soft_deep_svdd", "ocnn_released"):
        sphere = load_estimator(name)()
        sphere.center_ = np.array([1.0, -7.0])
        np.testing.assert_allclose(sphere._rounding(X, scores), [EPS32 * (9 + 2 * 3 * 7), 0])
    np.testing.assert_allclose(OneClassNN()._rounding(X, scores), [EPS32 * 9, 0])
    np.testing.assert_allclose(KDE()._rounding(X, scores), [EPS64 * 9, 0])
    pca, linear = PCA(), LinearOCSVM()
    linear.tolerance_ = 0
    pca.mean_, linear.coef_ = np.array([0.0, 0.0, 12.0]), np.array([0.0, 3.0, 4.0])
    np.testing.assert_allclose(pca._rounding(X, scores), [EPS64 * (9 + 2 * 3 * 13) + (EPS64 * 13) ** 2, EPS64**2 * 148])
    np.testing.assert_allclose(linear._rounding(X, scores), [EPS64 * 5 * 5, EPS64 * 2 * 5])
    linear.tolerance_ = 128 * EPS64 * 20
    np.testing.assert_allclose(linear._rounding(X, scores), [EPS64 * 25, EPS64 * 20])


@pytest.mark.parametrize(
    ("fit", "encoder", "status"),
    [
        ("converged", "converged", "converged"),
        ("converged", "limit", "limit"),
        ("converged", "collapsed", "limit"),
        ("limit", "limit", "limit"),
        ("collapsed", "limit", "collapsed"),
        ("diverged", "converged", "diverged"),
    ],
)
def test_a_fit_on_codes_has_converged_if_its_encoder_has(fit: Any, encoder: Any, status: str) -> None:
    found = Diagnosis(fit, "so the fit").on_codes(Diagnosis(encoder, "so the encoder"))
    assert found.status == status
    said = "" if encoder == "converged" else f"; its encoder: {encoder}, so the encoder"
    assert found.reason == f"so the fit{said}"
