"""The nearest point of a reduced convex hull, against known answers and scikit-learn's one-class SVM."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.svm import OneClassSVM

from ocnn.methods import LinearOCSVM, OneClassNNRadial, reduced_hull
from ocnn.methods.gaussian import gaussian_kernel
from ocnn.methods.ocnn_radial import RadialFeatures, radial_objective
from ocnn.methods.reduced_hull import Rows, lowest_share, nearest_of_hull, nearest_point

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


@pytest.mark.parametrize("nu", [0.02, 0.1, 0.5])
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
    # Without memory for a matrix of the features' products there are corners alone.
    with config_context(working_memory=0.001):
        assert nearest_point(Rows(X), 0.1, 1e-12).how == "3 passes"


def test_more_features_than_samples() -> None:
    X = np.random.default_rng(0).normal(size=(20, 50)) + 1
    svm = OneClassSVM(kernel="linear", nu=0.22, tol=1e-12).fit(X)
    model = LinearOCSVM(nu=0.22).fit(X)
    np.testing.assert_allclose(model.coef_, svm.coef_[0], rtol=1e-4, atol=1e-6)
    assert model.diagnosis_.status == "converged"


def test_outputs_that_hardly_differ_are_told_apart() -> None:
    """By an excess that is a small share of their deviation, where a share of the depth is more than all of it."""
    X = np.random.default_rng(0).normal(size=(500, 4))
    model = OneClassNNRadial(gamma=1e-9, random_state=0).fit(X)
    assert model.diagnosis_.status == "converged"
    assert model.training_scores_.std() < 1e-6 * model.training_scores_.mean()
    # For so wide a kernel the score is the squared distance from a point, times −γ, and a constant.
    linear = OneClassNNRadial(gamma=1e-3, random_state=0).fit(X)
    assert np.corrcoef(model.training_scores_, linear.training_scores_)[0, 1] > 0.99


@pytest.mark.parametrize("memory", [1024, 0.5, 0.001])
def test_features_are_the_same_kept_or_made_anew(memory: float) -> None:
    """In parts of which all, some and none are kept."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3))
    with config_context(working_memory=memory):
        features = RadialFeatures(rows, rows[:200], 0.3)
        whole = gaussian_kernel(rows, rows[:200], 0.3)
        kept = sum(len(part) for part in features.kept)
        assert kept <= max(memory * 2**20 / (8 * 200), 0)
        assert (kept == 500) == (memory == 1024)
        w, weights = rng.normal(size=200), rng.random(500) * (rng.random(500) < 0.3)
        np.testing.assert_allclose(features.products(w), whole @ w)
        np.testing.assert_allclose(features.combination(weights), weights @ whole)
        np.testing.assert_allclose(features.combination(np.zeros(500)), np.zeros(200))
        np.testing.assert_allclose(features.scatter(weights), whole.T @ np.diag(weights) @ whole)
