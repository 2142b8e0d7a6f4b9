"""What the shallow methods make of data and parameters at the limits of their solvers."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from ocnn.errors import DataError
from ocnn.methods import KDE, KNN, OCSVM, PCA, LinearOCSVM, NystroemOCSVM, OneClassNNRadial

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def normal(count: int, features: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=(count, features))


def cancer() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """The first 250 benign samples, standardised; the others, and which of these are anomalies."""
    X, y = load_breast_cancer(return_X_y=True)
    train = X[y == 1][:250]
    scaler = StandardScaler().fit(train)
    others = np.vstack([X[y == 1][250:], X[y == 0]])
    return scaler.transform(train), scaler.transform(others), np.arange(len(others)) >= (y == 1).sum() - 250


@pytest.mark.parametrize("width", [2, 3, 4, 6, 8])
@pytest.mark.parametrize("more", ["constant", "copy", "sum", "one-hot"])
def test_a_feature_that_adds_no_direction_does_not_make_pca_collapse(width: int, more: str) -> None:
    """One of the directions in which the samples vary is left over, however many features there are."""
    X = normal(200, width)
    kinds = np.random.default_rng(1).integers(2, size=200)
    added = {
        "constant": np.ones(200),
        "copy": X[:, :1],
        "sum": X.sum(axis=1),
        "one-hot": np.column_stack([kinds == 0, kinds == 1]),
    }[more]
    model = PCA().fit(np.column_stack([X, added]))
    directions = width + (more == "one-hot")
    assert model.n_components_ <= directions - 1
    assert model.diagnosis_.status == "converged"


@pytest.mark.parametrize(("samples", "rank"), [(20, 12), (8, 7)])
def test_pca_counts_directions_for_many_and_for_few_samples(samples: int, rank: int) -> None:
    """Twelve directions among 15 features, by the covariance or by the samples; all of them explain all."""
    X = normal(samples, 12) @ np.random.default_rng(1).normal(size=(12, 15))
    assert PCA(n_components=1 - 1e-12).fit(X).n_components_ == rank - 1


@pytest.mark.parametrize("digit", range(10))
def test_minkas_rule_leaves_a_direction_over(digit: int) -> None:
    X, y = load_digits(return_X_y=True)
    train = X[y == digit][:107]
    model = PCA(n_components="mle").fit(train)
    assert model.n_components_ < np.linalg.matrix_rank(train - train.mean(axis=0))
    assert model.diagnosis_.status == "converged"


def test_errors_that_are_rounding_are_no_scores() -> None:
    assert PCA(n_components=2).fit(np.c_[normal(200, 2), np.zeros(200)]).diagnosis_.status == "collapsed"
    assert PCA().fit(np.r_[np.zeros((50, 3)), np.ones((1, 3))]).n_components_ == 0


def test_minkas_rule_is_refused_for_few_samples_in_a_sentence() -> None:
    with pytest.raises(DataError, match="at least as many samples as features"):
        PCA(n_components="mle").fit(normal(5, 9))


def test_a_nu_that_the_solver_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'nu' parameter .* range \(0\.0, 1\.0\)"):
        OCSVM(nu=1).fit(normal(20, 2))


def test_the_half_space_of_all_samples_is_about_their_mean() -> None:
    X = normal(20, 2) + 5
    np.testing.assert_allclose(LinearOCSVM(nu=1).fit(X).coef_, X.sum(axis=0))


def test_radial_units_at_nu_1_have_equal_multipliers() -> None:
    X = normal(60, 2)
    model = OneClassNNRadial(nu=1, random_state=0).fit(X)
    features = np.exp(-model.gamma_ * np.square((X - model.origin_)[:, None] - model.landmarks_).sum(axis=2))
    np.testing.assert_allclose(model.w_, features.mean(axis=0), rtol=1e-6)
    assert model.diagnosis_.status == "converged"


@pytest.mark.parametrize("nu", [1e-3, 1e-4, 1e-6])
def test_a_small_nu_is_solved(nu: float) -> None:
    """libsvm's multipliers sum to νn, and an absolute tolerance above that would end it at once."""
    train, test, is_anomaly = cancer()
    gamma = float(OCSVM(nu=nu).fit(train).gamma_)
    exact = OneClassSVM(nu=nu, gamma=gamma, tol=1e-12).fit(train).score_samples(test)
    found = OCSVM(nu=nu).fit(train).score_samples(test)
    np.testing.assert_allclose(found / found.max(), exact / exact.max(), atol=5e-3)
    assert abs(roc_auc_score(is_anomaly, -found) - roc_auc_score(is_anomaly, -exact)) < 5e-3


def test_a_small_nu_is_solved_without_a_kernel() -> None:
    X = normal(250, 3) + 5
    exact = OneClassSVM(kernel="linear", nu=1e-5, tol=1e-14).fit(X).coef_[0]
    found = LinearOCSVM(nu=1e-5).fit(X).coef_
    np.testing.assert_allclose(found / np.linalg.norm(found), exact / np.linalg.norm(exact), atol=1e-2)


@pytest.mark.parametrize("method", [OCSVM, OneClassNNRadial])
@pytest.mark.parametrize("gamma", [1e300, 50])
def test_a_kernel_that_sees_each_sample_alone_has_collapsed(method: Any, gamma: float) -> None:
    """What is left between the training samples is the solver's tolerance."""
    assert method(gamma=gamma).fit(cancer()[0]).diagnosis_.status == "collapsed"


def test_symmetric_samples_have_collapsed() -> None:
    X = np.repeat(np.eye(3), 10, axis=0)
    for method in (OneClassNNRadial(), OCSVM(), KNN(), KDE(), LinearOCSVM()):
        assert method.fit(X).diagnosis_.status == "collapsed", method


def test_half_spaces_that_differ_by_the_tolerance_have_collapsed() -> None:
    assert LinearOCSVM().fit(np.c_[normal(60, 4), np.full(60, 7.0)]).diagnosis_.status == "collapsed"


@pytest.mark.parametrize(("method", "nu"), [*product([OCSVM, OneClassNNRadial], [0.01, 0.1, 0.5])])
@pytest.mark.parametrize("rows", [20, 250])
def test_sound_fits_have_not_collapsed(method: Any, nu: float, rows: int) -> None:
    for gamma in ("neighbours", 0.02):
        assert not method(nu=nu, gamma=gamma).fit(cancer()[0][:rows]).diagnosis_.degenerate


@pytest.mark.parametrize("bandwidth", [1e-200, 1e200])
def test_bandwidths_whose_squares_overflow_are_refused(bandwidth: float) -> None:
    with pytest.raises(ValueError, match=r"bandwidths must be from 1e-150 to 1e\+150"):
        KDE(bandwidths=[bandwidth]).fit(normal(20, 2))


def test_bandwidths_at_the_limit_are_not() -> None:
    for bandwidth in (1e-150, 1e150):
        KDE(bandwidths=[bandwidth]).fit(normal(20, 2))


@pytest.mark.parametrize("gamma", [[], ["a"], None])
def test_a_wrong_gamma_is_named_before_the_holdout_is_asked_for(gamma: Any) -> None:
    with pytest.raises(ValueError, match="gamma"):
        OCSVM(gamma=gamma).fit(normal(20, 2))


def test_features_that_are_all_but_constant_have_a_kernel() -> None:
    assert OCSVM(gamma="scale").fit(normal(20, 2) * 1e-160).diagnosis_.status == "collapsed"


@pytest.mark.parametrize("memory", [0.1, 1, 1e15, float("inf")])
def test_scores_do_not_depend_on_the_working_memory(memory: float) -> None:
    X, test = normal(3000, 5), normal(500, 5) + 1
    for method in (
        NystroemOCSVM(components=32, max_iter=5, random_state=0),
        KDE(bandwidths=[0.5, 1.0]),
        OCSVM(),
        KNN(),
        OneClassNNRadial(hidden=100, random_state=0),
    ):
        wanted = method.fit(X).score_samples(test)
        with config_context(working_memory=memory):
            found = method.fit(X).score_samples(test)
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_parts_of_many_samples_are_of_one_size_whatever_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept or computed again, the features are the same, and so are the steps."""
    monkeypatch.setattr("ocnn.methods.nystroem_ocsvm.PART", 100)
    X = normal(1000, 5)
    found = []
    for memory in (1024, 0.02):
        with config_context(working_memory=memory):
            found.append(NystroemOCSVM(components=16, max_iter=5, random_state=0).fit(X).svm_.coef_)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
