"""The nearest point of a reduced convex hull, against known answers and scikit-learn's one-class SVM."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import OneClassSVM

from ocnn.methods import LinearOCSVM, OneClassNNRadial, reduced_hull
from ocnn.methods.gaussian import gaussian_kernel
from ocnn.methods.ocnn_radial import RadialFeatures, radial_objective
from ocnn.methods.reduced_hull import Rows, lowest_share, nearest_of_hull, nearest_point, threshold

SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [3.0, 1.0], [3.0, -1.0]])


def test_the_lowest_share_by_hand() -> None:
    values = np.array([5.0, 1.0, 4.0, 2.0])
    for nu, weights in (
        (0.5, [0, 0.5, 0, 0.5]),
        (0.6, [0, 1 / 2.4, 0.4 / 2.4, 1 / 2.4]),  # the highest of them in part
        (0.1, [0, 1, 0, 0]),  # less than one sample: one
        (1.0, [0.25] * 4),
    ):
        np.testing.assert_allclose(lowest_share(values, nu), weights, atol=1e-15)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.floats(0.01, 1))
def test_the_lowest_share_is_what_the_best_r_makes_of_the_objective(values: list[int], nu: float) -> None:
    """max over r of r − (1/ν) mean max(0, r − y) is the mean of the lowest ν share; the maximum is at a value."""
    y = np.array(values, np.float64)
    weights = lowest_share(y, nu)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert (weights <= max(1, 1 / (nu * len(y))) * (1 + 1e-12)).all()
    best = max(r - np.maximum(0, r - y).mean() / nu for r in y)
    assert weights @ y == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(("nu", "expected"), [(0.25, [1, 0]), (0.5, [1, 0]), (1, [2, 0]), (0.75, [5 / 3, 0])])
def test_the_nearest_point_of_a_square(nu: float, expected: list[float]) -> None:
    """Its side x = 1 holds half of the samples; three quarters are one of the others as well, all four the centre."""
    found = nearest_point(Rows(SQUARE), nu, 1e-9)
    np.testing.assert_allclose(found.w, expected, atol=1e-12)
    np.testing.assert_allclose(found.products, SQUARE @ expected)
    assert found.excess < 1e-12
    assert found.depth == pytest.approx(expected[0] ** 2 / 2)


def test_the_nearest_point_of_a_hull_by_hand() -> None:
    corners = np.array([[4.0, 0.0], [0.0, 2.0], [9.0, 9.0]])
    for unit in (1e-6, 1.0, 1e6):
        shares = nearest_of_hull(unit * corners, unit)
        np.testing.assert_allclose(shares, [0.2, 0.8, 0], atol=1e-9)


@pytest.mark.parametrize("nu", [0.002, 0.052, 0.301, 0.771])
@pytest.mark.parametrize("d", [2, 30])
def test_it_is_the_one_class_svm(nu: float, d: int) -> None:
    X = np.random.default_rng(d).normal(size=(300, d)) + 4
    svm = OneClassSVM(kernel="linear", nu=nu, tol=1e-12).fit(X)
    found = nearest_point(Rows(X), nu, 1e-9)
    np.testing.assert_allclose(found.w, svm.coef_[0] / (nu * len(X)), rtol=1e-4)
    _, r = radial_objective(found.w, found.products, nu)
    assert r == pytest.approx(svm.offset_[0] / (nu * len(X)), rel=1e-3)


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 6), st.floats(0.005, 1), st.integers(0, 2**31), st.floats(-2, 4))
def test_the_excess_bounds_how_far_from_the_minimum_it_is(n: int, d: int, nu: float, seed: int, shift: float) -> None:
    """Of a fit that was ended early as of one that was not; w is a point of the reduced hull, whatever the samples."""
    X = np.random.default_rng(seed).normal(size=(n, d)).round(1) + shift
    exact, early = nearest_point(Rows(X), nu, 1e-10), nearest_point(Rows(X), nu, 0.5)
    minimum, _ = radial_objective(exact.w, exact.products, nu)
    size = float(np.abs(X).max()) ** 2
    for found in (exact, early):
        np.testing.assert_allclose(found.products, X @ found.w, atol=1e-9 * max(1, size))
        assert radial_objective(found.w, found.products, nu)[0] - minimum <= found.excess + 1e-9 * size
        assert 0.5 * np.square(found.w - exact.w).sum() <= found.excess + exact.excess + 1e-9 * size
        # No direction separates w from the reduced hull.
        for direction in (*np.eye(d), *-np.eye(d)):
            assert direction @ found.w >= lowest_share(X @ direction, nu) @ X @ direction - 1e-9 * max(1, size)
    assert exact.depth <= early.depth * (1 + 1e-9)
    assert exact.excess <= 1e-9 * max(size, 1e-300)


@pytest.mark.parametrize("nu", [0.1, 0.5, 1])
def test_samples_about_the_origin_end_there(nu: float) -> None:
    X = np.random.default_rng(0).normal(size=(200, 3))
    X = np.concatenate([X, -X])
    found = nearest_point(Rows(X), nu, 1e-6)
    assert np.linalg.norm(found.w) < 1e-9
    assert nearest_point(Rows(np.zeros((4, 2))), nu, 1e-6).depth == 0


@pytest.mark.parametrize("nu", [0.002, 0.052, 0.3, 0.771, 0.999])
def test_interior_points_find_what_corners_find(nu: float, monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(1).normal(size=(300, 20)) + 1
    by_corners = nearest_point(Rows(X), nu, 1e-8)
    assert "steps" not in by_corners.how
    monkeypatch.setattr(reduced_hull, "PASSES", 1)
    by_both = nearest_point(Rows(X), nu, 1e-8)
    assert by_both.how.startswith("1 passes and ")
    assert int(by_both.how.split()[3]) < 40
    np.testing.assert_allclose(by_both.w, by_corners.w, atol=1e-4 * float(np.linalg.norm(by_corners.w)))
    np.testing.assert_allclose(by_both.depth, by_corners.depth, rtol=1e-7)


@pytest.mark.parametrize("nu", [0.05, 0.1, 0.5])
def test_samples_that_a_kernel_hardly_connects_are_solved(nu: float) -> None:
    """Many lie alone, with outputs of a millionth of the others': each has a multiplier of its own to be found."""
    X = np.random.default_rng(0).standard_t(1.2, size=(600, 4))
    model = OneClassNNRadial(hidden=300, nu=nu, random_state=0).fit(X)
    assert model.diagnosis_.status == "converged"
    features = gaussian_kernel(X - model.origin_, model.landmarks_, model.gamma_)
    for seed in range(20):
        weights = np.random.default_rng(seed).random(600)
        other = features.T @ lowest_share(weights, nu)
        value, _ = radial_objective(other, features @ other, nu)
        assert model.objective_ <= value
    depth = 0.5 * float(model.w_ @ model.w_)
    assert model.objective_ == pytest.approx(-depth, rel=1e-4)


def test_one_of_these_takes_steps() -> None:
    X = np.random.default_rng(0).standard_t(1.2, size=(600, 4))
    assert "100 passes and " in OneClassNNRadial(hidden=300, random_state=0).fit(X).diagnosis_.reason


def test_it_ends_after_so_many_passes_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).normal(size=(300, 20)) + 1
    whole = nearest_point(Rows(X), 0.1, 1e-12)
    monkeypatch.setattr(reduced_hull, "PASSES", 3)
    monkeypatch.setattr(reduced_hull, "STEPS", 2)
    few = nearest_point(Rows(X), 0.1, 1e-12)
    assert few.excess > whole.excess
    assert few.depth > whole.depth
    # Without memory for a matrix of the features' products, larger than the samples, there are corners alone.
    wide = np.random.default_rng(0).normal(size=(40, 60)) + 0.3
    with config_context(working_memory=0.001):
        assert nearest_point(Rows(X), 0.1, 1e-12).how == "3 passes and 2 steps"
        assert nearest_point(Rows(wide), 0.1, 1e-12).how.startswith("3 passes (a matrix of 60 features ")


def test_wide_samples_take_more_passes_before_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced_hull, "WIDE", 10)
    monkeypatch.setattr(reduced_hull, "PASSES", 1)
    monkeypatch.setattr(reduced_hull, "STEPS", 1)
    for features, passes in ((5, 1), (19, 1), (20, 2), (40, 4)):
        X = np.random.default_rng(0).normal(size=(300, features)) + 1
        assert nearest_point(Rows(X), 0.1, 1e-12).how == f"{passes} passes and 1 steps"


def test_more_features_than_samples() -> None:
    X = np.random.default_rng(0).normal(size=(20, 50)) + 1
    svm = OneClassSVM(kernel="linear", nu=0.22, tol=1e-12).fit(X)
    model = LinearOCSVM(nu=0.22).fit(X)
    np.testing.assert_allclose(model.coef_, svm.coef_[0], rtol=1e-4, atol=1e-6)
    assert model.diagnosis_.status == "converged"


def test_outputs_that_hardly_differ_are_told_apart() -> None:
    """By an excess that is a small share of their deviation, where a share of the depth is more than all of it."""
    X = np.random.default_rng(0).normal(size=(500, 4))
    wide = OneClassNNRadial(gamma=1e-3, random_state=0).fit(X)
    for gamma in (1e-8, 1e-9):
        model = OneClassNNRadial(gamma=gamma, random_state=0).fit(X)
        assert model.diagnosis_.status == "converged"
        assert model.training_scores_.std() < 1e-6 * model.training_scores_.mean()
        # For so wide a kernel the score is the squared distance from a point, times −γ, and a constant.
        assert np.corrcoef(model.training_scores_, wide.training_scores_)[0, 1] > 0.99
        assert 0.08 < (model.predict(X) == -1).mean() < 0.1


@pytest.mark.parametrize("offset", [0, 1e8, 1.7e9])
def test_samples_far_from_the_origin_have_a_threshold_among_them(offset: float) -> None:
    """Of time stamps, say: the outputs' spread is a billionth of them."""
    X = np.random.default_rng(0).normal(size=(300, 3)) + 4 + offset
    model = LinearOCSVM(nu=0.1).fit(X)
    assert model.diagnosis_.status == "converged"
    assert 0.08 < (model.predict(X) == -1).mean() < 0.1


def test_the_threshold_by_hand() -> None:
    outputs = np.array([1.0, 3.0, 3.0, 4.0])
    assert threshold(outputs, 3.0) == pytest.approx(3, rel=2e-9)
    assert threshold(outputs, 3.0) < 3
    assert threshold(outputs, 1.0) < 1
    near = np.array([1 - 4e-12, 1.0, 2.0])
    assert near[0] < threshold(near, 1.0) < 1
    assert threshold(near, 1.0) == pytest.approx(1 - 2e-12, abs=1e-15)
    assert threshold(np.array([np.nextafter(1, 0), 1.0]), 1.0) == 1 - 128 * np.finfo(np.float64).eps
    assert threshold(-outputs, -3.0) == pytest.approx(-3, rel=2e-9)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("seed", [22, 35])
def test_multipliers_at_their_upper_bound_divide_nothing_by_zero(seed: int) -> None:
    X = np.random.default_rng(seed).normal(size=(200, 2))
    model = OneClassNNRadial(hidden=10, nu=0.01, random_state=0).fit(X)
    assert model.diagnosis_.status != "limit"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("distance", [1e-11, 1e-13, 1.0])
def test_the_mean_is_all_of_the_hull_at_nu_1(distance: float) -> None:
    for seed in range(10):
        A = np.random.default_rng(seed).normal(size=(100, 3))
        found = nearest_point(Rows(np.r_[A, -A] + distance), 1, 1e-6)
        assert found.how == "1 passes"
        assert np.abs(found.w - distance).max() < 1e-14


def test_landmarks_out_of_the_reach_of_many_samples_are_said() -> None:
    """More samples than landmarks on a line: in its tail the neighbours are near, and landmarks are not."""
    for X in (
        np.random.default_rng(0).exponential(size=(2000, 1)),
        np.exp(np.random.default_rng(0).normal(size=(2000, 1))),
    ):
        model = OneClassNNRadial(hidden=64, random_state=0).fit(X)
        assert model.diagnosis_.status == "collapsed"
        assert "out of the reach of every landmark" in model.diagnosis_.reason
    X = np.random.default_rng(0).normal(size=(2000, 1))
    for gamma, status in (("neighbours", "collapsed"), ("landmarks", "converged")):
        assert OneClassNNRadial(hidden=64, gamma=gamma, random_state=0).fit(X).diagnosis_.status == status
    assert OneClassNNRadial(hidden=2000, random_state=0).fit(X[:500]).diagnosis_.status == "converged"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("unit", [1e-160, 1e-150, 1e-30, 1e30])
def test_the_unit_of_the_samples_decides_nothing(unit: float) -> None:
    for seed in range(4):
        random = np.random.default_rng(seed)
        X = np.c_[np.eye(6)[random.integers(0, 6, 400)], random.normal(size=(400, 2)) + 3]
        model, other = LinearOCSVM(nu=0.1).fit(X), LinearOCSVM(nu=0.1).fit(X * unit)
        assert other.diagnosis_.status == model.diagnosis_.status == "converged"
        np.testing.assert_allclose(other.coef_, model.coef_ * unit, rtol=1e-9)
        assert (other.predict(X * unit) == -1).mean() <= 0.1


@pytest.mark.parametrize("power", [3, 13, 14, 18, 20])
def test_one_sample_far_out_does_not_hide_the_others(power: int) -> None:
    X = np.random.default_rng(0).normal(size=(100, 3)) + 5
    X[0] *= 10.0**power
    model = LinearOCSVM(nu=0.1).fit(X)
    assert model.diagnosis_.status == "converged"
    assert model.margin_ == pytest.approx(LinearOCSVM(nu=0.1).fit(np.r_[X[1:], X[1:2] + 9]).margin_, rel=0.02)


def test_what_was_tried_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corners that end before their last pass, as rounding lets them come no nearer, and the steps after them."""
    monkeypatch.setattr(reduced_hull, "nearest_of_hull", lambda corners, unit: np.eye(len(corners))[0])
    X = np.random.default_rng(0).normal(size=(300, 20)) + 1
    assert nearest_point(Rows(X), 0.1, 1e-9).how.startswith("1 passes and ")
    monkeypatch.setattr(reduced_hull, "STEPS", 2)
    assert nearest_point(Rows(X), 0.1, 1e-9).how == "1 passes and 2 steps"


def test_nu_of_few_digits_puts_no_more_outside() -> None:
    X = np.random.default_rng(0).normal(size=(3000, 5)) + 4
    for nu in (0.07, 0.29, 0.57):
        single: Any = np.float32(nu)
        for method in (LinearOCSVM(nu=single), OneClassNNRadial(hidden=20, nu=single, random_state=0)):
            assert (method.fit(X).predict(X) == -1).sum() <= nu * 3000


def test_corners_that_are_not_solved_leave_it_to_the_other_method(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("Maximum number of iterations reached.")

    X = np.random.default_rng(0).normal(size=(300, 5)) + 3
    expected = nearest_point(Rows(X), 0.1, 1e-9)
    monkeypatch.setattr(reduced_hull, "nnls", fail)
    found = nearest_point(Rows(X), 0.1, 1e-9)
    assert found.how.startswith("1 passes and ")
    np.testing.assert_allclose(found.w, expected.w, rtol=1e-4)


def test_corners_whose_nearest_point_is_far_nearer_than_they_are() -> None:
    corners = np.array([[1.0, 1e-9], [-1.0, 1e-9], [5.0, 5.0]])
    np.testing.assert_allclose(nearest_of_hull(corners, 1.0), [0.5, 0.5, 0], atol=1e-12)


@pytest.mark.parametrize("memory", [1024, 0.5, 0.001])
def test_features_are_the_same_kept_or_computed_again(memory: float) -> None:
    """In parts of which all, some and none are kept."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3))
    with config_context(working_memory=memory):
        features = RadialFeatures(rows, rows[:200], 0.3)
        whole = gaussian_kernel(rows, rows[:200], 0.3)
        kept = sum(len(part) for part in features.features)
        assert features.kept == 200 * kept
        assert kept <= max(memory * 2**20 / (8 * 200), 0)
        assert (kept == 500) == (memory == 1024)
        w, weights = rng.normal(size=200), rng.random(500) * (rng.random(500) < 0.3)
        np.testing.assert_allclose(features.products(w), whole @ w)
        np.testing.assert_allclose(features.combination(weights), weights @ whole)
        np.testing.assert_allclose(features.combination(np.zeros(500)), np.zeros(200))
        np.testing.assert_allclose(features.scatter(weights), whole.T @ np.diag(weights) @ whole)


def test_a_matrix_for_which_there_is_no_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made where it is no larger than the samples that are kept; if not, it keeps to the memory."""
    monkeypatch.setattr(reduced_hull, "PASSES", 2)
    X = np.random.default_rng(0).normal(size=(300, 5))
    plenty = OneClassNNRadial(hidden=300, random_state=0).fit(X)
    assert plenty.diagnosis_.status == "converged"
    assert plenty.diagnosis_.reason.startswith("2 passes and ")
    with config_context(working_memory=0.5), pytest.warns(ConvergenceWarning, match="a matrix of 300 features"):
        scarce = OneClassNNRadial(hidden=300, random_state=0).fit(X)
    assert scarce.diagnosis_.status == "limit"
    with config_context(working_memory=0.5):
        assert nearest_point(Rows(gaussian_kernel(X, X, 0.5)), 0.1, 1e-6).how.startswith("2 passes and ")
