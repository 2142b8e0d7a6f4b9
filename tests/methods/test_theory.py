"""What docs/theory.md states, each statement in numbers; its sections are named by the tests."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.svm import OneClassSVM

from ocnn.methods import OneClassNN, OneClassNNRadial
from ocnn.methods.ocnn_radial import landmark_gamma, radial_objective
from ocnn.methods.reduced_hull import Rows, nearest_point
from ocnn.networks.losses import nu_quantile, one_class_nn, weight_decay

NU = 0.2


def eq_3(w: np.ndarray, V: np.ndarray, y: np.ndarray, nu: float = NU) -> float:
    """Eq. 3 at the best r, in NumPy, which draws by the thousand are evaluated faster in."""
    r = nu_quantile(y, nu)
    return float(0.5 * (w**2).sum() + 0.5 * (V**2).sum() + np.maximum(0, r - y).mean() / nu - r)


def lowest_mean(y: np.ndarray, nu: float = NU) -> float:
    """q_ν where νN is whole: the mean of the νN smallest."""
    return float(np.sort(y)[: round(nu * len(y))].mean())


def rho_of(X: np.ndarray, nu: float = NU) -> tuple[float, np.ndarray]:
    """ρ and the direction that has it, by the linear one-class SVM."""
    w = nearest_point(Rows(X), nu, 1e-8).w
    rho = float(np.linalg.norm(w))
    return rho, w / rho


def rank_one(u: np.ndarray, hidden: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest w and V with Vᵀw = u."""
    a = np.ones(hidden) / np.sqrt(hidden)
    length = np.linalg.norm(u)
    return np.sqrt(length) * a, np.outer(a, u) / np.sqrt(length)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """(50, 4), off the origin, so that ρ > 0."""
    return np.random.default_rng(0).normal(1, 1, (50, 4))


# 1. r


def test_at_the_best_r_the_hinge_is_the_mean_of_the_lowest_share(samples: np.ndarray) -> None:
    y, zero = samples[:, 0], np.zeros(1)
    assert eq_3(zero, zero, y) == pytest.approx(-lowest_mean(y))
    for r in np.linspace(-3, 3, 25):
        assert float(one_class_nn(y, zero, zero, r, NU)) >= -lowest_mean(y) - 1e-9


def test_the_objective_here_is_the_projects(samples: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    w, V = rng.normal(size=3), rng.normal(size=(3, 4))
    y = samples @ V.T @ w
    assert eq_3(w, V, y) == pytest.approx(float(one_class_nn(y, w, V, nu_quantile(y, NU), NU)))


# 2. Linear g


def test_half_the_squared_norms_are_at_least_the_norm_of_the_product() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        w, V = rng.normal(size=3), rng.normal(size=(3, 5)) * rng.uniform(0.1, 3)
        assert 0.5 * (w @ w + (V**2).sum()) > np.linalg.norm(w @ V)
        u = rng.normal(size=5)
        w, V = rank_one(u)
        np.testing.assert_allclose(w @ V, u)
        assert 0.5 * (w @ w + (V**2).sum()) == pytest.approx(np.linalg.norm(u))


def test_rho_is_the_norm_of_the_linear_one_class_svm(samples: np.ndarray) -> None:
    """No direction of many has a higher lowest mean; the SVM's own has it."""
    rho, direction = rho_of(samples)
    assert lowest_mean(samples @ direction) == pytest.approx(rho, rel=1e-4)
    others = np.random.default_rng(1).normal(size=(20_000, 4))
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    best = max(lowest_mean(y) for y in (samples @ others.T).T)
    assert 0.99 * rho < best <= rho * (1 + 1e-6)


@pytest.mark.parametrize("rho", [0.5, 1.0, 2.0])
def test_linear_eq_3_has_the_infimum_zero_or_none_by_rho(rho: float, samples: np.ndarray) -> None:
    found, direction = rho_of(samples)
    X = samples * rho / found
    for length in (0.1, 1, 10, 1000):
        w, V = rank_one(length * direction)
        assert eq_3(w, V, X @ V.T @ w) == pytest.approx(length * (1 - rho), abs=1e-3 * length)
    rng = np.random.default_rng(2)
    draws = ((rng.normal(size=3), rng.normal(size=(3, 4))) for _ in range(2000))
    values = [eq_3(w, V, X @ V.T @ w) for w, V in draws]
    if rho <= 1:
        assert min(values) > -1e-3
    else:
        w, V = rank_one(1e6 * direction)
        assert eq_3(w, V, X @ V.T @ w) < -0.9e6


def test_eq_3_with_relu_is_homogeneous_too(samples: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        w, V, t = rng.normal(size=3), rng.normal(size=(3, 4)), rng.uniform(0, 10)
        outputs = np.maximum(0, samples @ V.T) @ w
        assert eq_3(t * w, t * V, t**2 * outputs) == pytest.approx(t**2 * eq_3(w, V, outputs))
        np.testing.assert_allclose(np.maximum(0, samples @ (t * V).T) @ (t * w), t**2 * outputs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("rho", "grows"), [(0.5, False), (3.0, True)])
def test_the_method_does_as_rho_says(rho: float, grows: bool, samples: np.ndarray) -> None:
    """Below 1 all weights shrink to nothing; above 1 the fit diverges, along the linear one-class SVM's direction."""
    found, direction = rho_of(samples)
    X = (samples * rho / found).astype("float32")
    settings: dict[str, Any] = {"network": "none", "hidden": 4, "tol": 0, "random_state": 0, "batch_size": 50}
    model = OneClassNN(nu=NU, epochs=(50,), learning_rates=(3e-2,), **settings).fit(X)
    if grows:
        assert model.diagnosis_.status == "diverged"
        V, w = (np.asarray(weight) for weight in model.head_.trainable_variables)
        u = V @ w[:, 0]
        assert u @ direction / np.linalg.norm(u) > 0.9
    else:
        for name in ("w_norm", "V_norm"):
            assert model.history_[name][-1] < 0.2 * model.history_[name][0]
        assert min(model.history_["objective"]) > -1e-6


# 3. Trained encoder


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_with_a_trained_last_layer_eq_3_runs_off_for_any_rho_above_zero(decay: float, samples: np.ndarray) -> None:
    """Weight decay or not: scaling all three layers by s adds s² to the norms and s³ to the outputs."""
    rho, direction = rho_of(samples)
    X = samples * 0.01 / rho
    w, V = rank_one(direction)
    frozen, trained = [], []
    for s in (1.0, 10.0, 1000.0, 1e4):
        w_s, V_s, W = s * w, s * V, s * np.eye(4)
        frozen.append(eq_3(w_s, V_s, X @ V_s.T @ w_s))
        trained.append(eq_3(w_s, V_s, X @ W @ V_s.T @ w_s) + float(weight_decay([W], decay)))
    assert min(frozen) > 0
    assert trained[0] > 0
    assert trained[-1] < -1e9


# 4. Sigmoid g


def test_sigmoid_is_bounded_by_its_width_and_rewards_a_constant(samples: np.ndarray) -> None:
    hidden = 6

    def value(w: np.ndarray, V: np.ndarray, X: np.ndarray) -> float:
        return eq_3(w, V, 1 / (1 + np.exp(-X @ V.T)) @ w)

    rng = np.random.default_rng(0)
    ones, none = np.ones(hidden), np.zeros((hidden, 4))
    assert value(0.5 * ones, none, samples) == pytest.approx(-hidden / 8)
    for _ in range(1000):
        w, V = rng.normal(1, 1, hidden), rng.normal(size=(hidden, 4))
        assert value(w, V, samples) >= -hidden / 2
    _, direction = rho_of(samples, 1 / len(samples))  # a half-space with all samples
    assert (samples @ direction > 0).all()
    small = 1e-3 * np.outer(ones, direction)
    assert value(ones, small, 1e6 * samples) == pytest.approx(-hidden / 2, abs=1e-3)


# 5. Unit length


def unit(Z: np.ndarray) -> np.ndarray:
    return Z / np.linalg.norm(Z, axis=1, keepdims=True)


def test_unit_norm_has_the_infimum_minus_a_half_at_a_constant_output(samples: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        w, V = rng.normal(size=3), rng.normal(size=(3, 4))
        assert eq_3(w, V, unit(samples @ V.T) @ w) > -0.5
    _, direction = rho_of(samples, 1 / len(samples))
    a = np.ones(3) / np.sqrt(3)
    V = 1e-4 * np.outer(a, direction)
    outputs = unit(samples @ V.T) @ a
    assert np.ptp(outputs) < 1e-9
    assert eq_3(a, V, outputs) == pytest.approx(-0.5, abs=1e-6)


def test_unit_norm_of_a_sigmoid_attains_it_on_any_data() -> None:
    X = np.random.default_rng(0).normal(0, 10, (50, 4))  # around the origin: in no half-space
    a, V = np.ones(3) / np.sqrt(3), np.zeros((3, 4))
    outputs = unit(1 / (1 + np.exp(-X @ V.T))) @ a
    assert eq_3(a, V, outputs) == pytest.approx(-0.5)


def test_unit_norm_of_centred_codes_is_above_it_until_the_encoder_is_trained(samples: np.ndarray) -> None:
    """Codes symmetric about their mean: nothing below 0 while they are fixed; shrunk codes all become −mean."""
    codes = np.concatenate([samples, 2 - samples])
    mean = codes.mean(axis=0)
    rng = np.random.default_rng(0)
    for _ in range(1000):
        w, V = rng.normal(size=3), rng.normal(size=(3, 4))
        assert eq_3(w, V, unit((codes - mean) @ V.T) @ w) >= 0
    centred = samples - samples.mean(axis=0)
    for _ in range(1000):
        w, V = rng.normal(size=3), rng.normal(size=(3, 4))
        outputs = unit(centred @ V.T) @ w
        assert outputs.min() < 0
        assert eq_3(w, V, outputs) >= -0.5 * (1 - 1 / (NU * len(samples))) ** 2
    a = np.ones(3) / np.sqrt(3)
    V = 1e-4 * np.outer(a, -mean)
    assert eq_3(a, V, unit((1e-6 * codes - mean) @ V.T) @ a) == pytest.approx(-0.5, abs=1e-6)


# 6. Radial units, fixed


def radial(X: np.ndarray, landmarks: np.ndarray, gamma: float) -> np.ndarray:
    return np.exp(-gamma * ((X[:, None] - landmarks[None]) ** 2).sum(axis=2))


@pytest.fixture(scope="module")
def fitted(samples: np.ndarray) -> OneClassNNRadial:
    return OneClassNNRadial(hidden=12, nu=NU, tol=1e-6, random_state=0).fit(samples)


def test_radial_ocnn_is_the_linear_one_class_svm_on_its_features(fitted: OneClassNNRadial, samples: np.ndarray) -> None:
    """scikit-learn's estimator, by its own scale and tolerance, on features written out a second time."""
    features = radial(samples - fitted.origin_, fitted.landmarks_, fitted.gamma_)
    svm = OneClassSVM(kernel="linear", nu=NU, tol=1e-10).fit(features)
    scale = NU * len(samples)
    np.testing.assert_allclose(fitted.w_, svm.coef_[0] / scale, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(fitted.score_samples(samples), svm.score_samples(features) / scale, rtol=1e-4)
    assert fitted.r_ == pytest.approx(svm.offset_[0] / scale, rel=1e-3)


def test_radial_ocnn_is_at_its_minimum(fitted: OneClassNNRadial, samples: np.ndarray) -> None:
    """Depth −½‖w‖², and by strong convexity ½‖δ‖² more at every other w, large or small."""
    assert fitted.diagnosis_.status == "converged"
    depth = 0.5 * float(fitted.w_ @ fitted.w_)
    assert fitted.objective_ == pytest.approx(-depth, rel=1e-5)
    assert -len(fitted.w_) / 2 <= fitted.objective_ < 0
    assert (fitted.w_ >= 0).all()
    features = radial(samples - fitted.origin_, fitted.landmarks_, fitted.gamma_)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-2, 0.1, 1, 10):
        for _ in range(200):
            delta = size * rng.normal(size=fitted.w_.shape)
            w = fitted.w_ + delta
            value, _ = radial_objective(w, features @ w, NU)
            assert value >= fitted.objective_ + 0.5 * delta @ delta - 1e-5 * depth


def test_radial_objective_is_eq_3_without_the_norm_of_v(fitted: OneClassNNRadial, samples: np.ndarray) -> None:
    y = fitted.score_samples(samples)
    assert fitted.objective_ == pytest.approx(eq_3(fitted.w_, np.zeros(1), y), rel=1e-4)
    assert fitted.r_ == nu_quantile(y, NU)
    assert fitted.offset_ == pytest.approx(fitted.r_, rel=1e-8)
    assert 0 < (fitted.training_scores_ < fitted.r_).mean() < NU


def test_an_unfinished_solution_is_not_called_converged(samples: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for most in ("PASSES", "STEPS"):
        monkeypatch.setattr(f"ocnn.methods.reduced_hull.{most}", 1)
    model = OneClassNNRadial(nu=NU, random_state=0).fit(samples)
    assert model.diagnosis_.status == "limit"
    assert model.gap_ > 1e-4
    # The gap bounds how much lower the minimum is, of a fit that reaches it: in the unit of the dual's depth ½‖w‖².
    depth = 0.5 * float(model.w_ @ model.w_)
    assert model.gap_ == pytest.approx((model.objective_ + depth) / depth)
    monkeypatch.undo()
    lowest = OneClassNNRadial(nu=NU, tol=1e-6, random_state=0).fit(samples).objective_
    assert 0 < model.objective_ - lowest <= model.gap_ * depth


def test_the_bandwidth_sees_each_distinct_sample_once() -> None:
    """Points at 0, 1, 3 and 3 again: squared distances to the nearest others 1, 1 and 4, so 1 is the median."""
    X = np.array([[0.0], [1.0], [3.0], [3.0]])
    model = OneClassNNRadial(random_state=0).fit(X)
    assert model.gamma_ == pytest.approx(1.0)
    assert len(model.landmarks_) == 3
    assert OneClassNNRadial(random_state=0).fit(10 * X).gamma_ == pytest.approx(0.01)


def test_the_bandwidth_may_come_from_the_landmarks() -> None:
    """Points at 0, 1, 3, 7, landmarks at 0 and 7: squared distances to the nearest other 49, 1, 9, 49; median 29."""
    X = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert landmark_gamma(X, X[[0, 3]]) == pytest.approx(1 / 29)
    assert landmark_gamma(X, X[:1]) == pytest.approx(1 / 9)  # of 1, 9 and 49, as the landmark has no other
    assert landmark_gamma(X[:1], X[:1]) == 1
    both = [OneClassNNRadial(gamma=gamma, random_state=0).fit(X).gamma_ for gamma in ("landmarks", "neighbours")]
    assert both[0] == both[1]


def test_scale_shift_and_repetition_of_the_samples_change_no_score(samples: np.ndarray) -> None:
    expected = OneClassNNRadial(tol=1e-6, random_state=0).fit(samples).training_scores_
    for X in (1000 * samples, samples + 1e4):
        found = OneClassNNRadial(tol=1e-6, random_state=0).fit(X).training_scores_
        np.testing.assert_allclose(found, expected, rtol=1e-3)
    repeated = OneClassNNRadial(tol=1e-6, random_state=0).fit(np.concatenate([samples, samples])).training_scores_
    np.testing.assert_allclose(repeated[:50], expected, rtol=1e-3)


@pytest.mark.parametrize("digit", [3, 8])
def test_wider_and_longer_is_not_worse_on_digits(digit: int) -> None:
    X, labels = load_digits(return_X_y=True)
    normals, rest = X[labels == digit], X[labels != digit]
    train, test = normals[:100], np.concatenate([normals[100:], rest])
    is_normal = np.arange(len(test)) < len(normals) - 100

    def auc(**settings: Any) -> float:
        models = [OneClassNNRadial(random_state=seed, **settings).fit(train) for seed in range(3)]
        assert all(model.diagnosis_.status == "converged" for model in models)
        return float(np.mean([roc_auc_score(is_normal, model.decision_function(test)) for model in models]))

    by_width = [auc(hidden=hidden) for hidden in (8, 32, 100)]
    assert (np.diff(by_width) > -0.005).all()
    assert auc(tol=1e-6) > auc(tol=1e-2) - 0.002


# 7. Radial units, trained


def test_radial_units_under_a_trained_encoder_reward_a_constant_code(samples: np.ndarray) -> None:
    """The minimum over w, −½ρ², is lower for codes that are all the best sample's than for the codes themselves."""
    landmarks = samples[:12]
    features = radial(samples, landmarks, 0.3)
    depth = np.linalg.norm(nearest_point(Rows(features), NU, 1e-8).w)
    best = np.linalg.norm(features, axis=1).max()
    assert depth < 0.9 * best
    collapsed = np.tile(features[np.argmax(np.linalg.norm(features, axis=1))], (50, 1))
    assert np.linalg.norm(nearest_point(Rows(collapsed), NU, 1e-8).w) == pytest.approx(best)
    # Codes and landmarks shrunk to a point: −h/2, the lowest value that h radial units can give.
    shrunk = [radial(s * samples, s * landmarks, 0.3) for s in (1, 0.1)]
    depths = [np.linalg.norm(nearest_point(Rows(features), NU, 1e-8).w) for features in shrunk]
    assert depths[0] < depths[1] < np.sqrt(12)
    assert depths[1] == pytest.approx(np.sqrt(12), rel=0.05)
