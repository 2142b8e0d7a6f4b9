"""The shallow methods give scikit-learn's own scores, only sooner."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn import config_context, decomposition
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning, EfficiencyWarning
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KernelDensity, NearestNeighbors
from sklearn.svm import OneClassSVM

from ocnn.methods import KDE, KNN, OCSVM, PCA, IForest, LinearOCSVM, NystroemOCSVM, OneClassNNRadial
from ocnn.methods.gaussian import (
    OUT_OF_REACH,
    brought_together,
    gaussian_kernel,
    gaussian_kernels,
    kernels_by_product_are_exact,
    neighbour_gamma,
    neighbour_index,
    origin_of,
    squared_distances,
)
from ocnn.methods.kde import BANDWIDTHS

#: Powers of two, whose kernels are squares of one another; and numbers in no order, of which few are.
GAMMAS = ([2.0**exponent for exponent in range(-10, 0)], [0.3, 0.01, 0.004, 0.02, 0.11])
BANDWIDTH_GRIDS = (BANDWIDTHS, (3.0, 1.3, 1.9, 1.3 * 2**0.5, 2.2))


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Enough dimensions and spread that the best γ and bandwidth lie inside their grids."""
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.3, 3.0, 12)
    normal = rng.normal(size=(500, 12)) * scale
    anomalous = rng.normal(size=(200, 12)) * scale[::-1]
    test = np.concatenate([normal[300:], anomalous])
    return {"train": normal[:300], "test": test, "labels": np.repeat([1, -1], 200)}


@pytest.mark.parametrize("bandwidths", BANDWIDTH_GRIDS)
def test_kde_equals_grid_search(data: dict[str, Any], bandwidths: tuple[float, ...]) -> None:
    search = GridSearchCV(KernelDensity(), {"bandwidth": bandwidths}, cv=5).fit(data["train"])
    model = KDE(bandwidths=bandwidths).fit(data["train"])
    assert model.bandwidth_ == search.best_params_["bandwidth"]
    np.testing.assert_allclose(model.log_likelihoods_, search.cv_results_["mean_test_score"], rtol=1e-9)
    expected = search.best_estimator_.score_samples(data["test"])
    np.testing.assert_allclose(model.score_samples(data["test"]), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.training_scores_, model.score_samples(data["train"]), rtol=1e-10)


def test_the_threshold_of_kde_leaves_the_sample_itself_out(data: dict[str, Any]) -> None:
    """Its log density by the others, as of a fit without it; the scores are what they are with it."""
    rows = np.concatenate([data["train"][:60], data["train"][:1], np.full((1, 12), 50.0)])
    model = KDE(bandwidths=[2.0], contamination=0.25).fit(rows)
    expected = [
        KernelDensity(bandwidth=2.0).fit(np.delete(rows, place, axis=0)).score_samples(rows[place : place + 1])[0]
        for place in range(len(rows))
    ]
    np.testing.assert_allclose(model.left_out_scores_, expected, rtol=1e-6)
    assert model.offset_ == np.quantile(model.left_out_scores_, 0.25)
    np.testing.assert_allclose(model.training_scores_, model.score_samples(rows), rtol=1e-10)
    assert (model.training_scores_ > model.left_out_scores_).all()


def test_kde_of_samples_whose_kernels_underflow() -> None:
    """Far from all others each term is zero in floating point; the logarithm of their sum is not."""
    rows = 200 * np.random.default_rng(0).normal(size=(30, 5))
    assert np.exp(-euclidean_distances(rows[:1], rows[1:], squared=True) / 4).max() == 0
    bandwidths = (1.0, 2.0**0.5, 2.0)
    with pytest.warns(ConvergenceWarning, match="have the same score"):
        model = KDE(bandwidths=bandwidths, cv=3).fit(rows)
    for bandwidth, found in zip(bandwidths, model.log_likelihoods_, strict=True):
        folds = []
        for first in (0, 10, 20):
            others = np.delete(rows, slice(first, first + 10), axis=0)
            terms = -euclidean_distances(rows[first : first + 10], others, squared=True) / (2 * bandwidth**2)
            folds.append(logsumexp(terms - np.log(20) - 2.5 * np.log(2 * np.pi * bandwidth**2), axis=1).sum())
        np.testing.assert_allclose(found, np.mean(folds), rtol=1e-10)


@pytest.mark.parametrize("factors", [[2.0**n for n in range(-10, 0)], [0.3, 0.6, 0.9, 1.8], [0.7], [0.5, 4.0]])
def test_kernels_by_squaring_are_the_exponentials(factors: list[float]) -> None:
    distances = np.random.default_rng(0).uniform(0, 300, (50, 40))
    for factor, kernel in zip(factors, gaussian_kernels(distances, np.array(factors)), strict=True):
        np.testing.assert_allclose(kernel, np.exp(-factor * distances), rtol=1e-12)


@pytest.mark.parametrize("gammas", GAMMAS)
def test_ocsvm_equals_refitting_for_every_gamma(data: dict[str, Any], gammas: list[float]) -> None:
    X_holdout, y_holdout = data["test"][::4], data["labels"][::4]
    aucs, models = [], []
    for gamma in gammas:
        models.append(OneClassSVM(nu=0.1, gamma=gamma).fit(data["train"]))
        aucs.append(roc_auc_score(y_holdout, models[-1].decision_function(X_holdout)))
    model = OCSVM(nu=0.1, gamma=gammas).fit(data["train"], X_holdout=X_holdout, y_holdout=y_holdout)
    np.testing.assert_allclose(np.array(model.holdout_auc_), aucs, atol=1e-6)
    assert model.gamma_ == gammas[int(np.argmax(aucs))]
    expected = models[int(np.argmax(aucs))]
    np.testing.assert_allclose(
        model.score_samples(data["test"]), expected.score_samples(data["test"]), rtol=1e-6, atol=1e-6
    )
    assert 0 <= expected.offset_[0] + 1e-6 - model.offset_ <= expected.tol
    np.testing.assert_allclose(model.training_scores_, model.score_samples(data["train"]), rtol=1e-10)


@pytest.mark.parametrize("gamma", ["scale", "neighbours", 1000.0])
def test_no_more_than_nu_of_the_training_samples_are_outside_ocsvm(gamma: Any) -> None:
    """Schölkopf et al. 2001, Proposition 3, whatever the solver's tolerance leaves."""
    rows = np.random.default_rng(0).normal(size=(240, 7))
    model = OCSVM(nu=0.1, gamma=gamma).fit(rows)
    assert (model.training_scores_ < model.offset_).mean() <= 0.1
    np.testing.assert_allclose(model.training_scores_, model.score_samples(rows), rtol=1e-12)


def test_ocsvm_with_one_gamma_equals_scikit_learn(data: dict[str, Any]) -> None:
    """But for the threshold, which is moved within the solver's tolerance."""
    expected = OneClassSVM(nu=0.2, gamma="scale").fit(data["train"])
    found = OCSVM(nu=0.2).fit(data["train"])
    scores = expected.score_samples(data["test"])
    np.testing.assert_allclose(found.score_samples(data["test"]), scores, rtol=1e-6, atol=1e-6)
    assert 0 <= expected.offset_[0] + 1e-6 - found.offset_ <= expected.tol


def test_iforest_equals_scikit_learn(data: dict[str, Any]) -> None:
    train, test = data["train"].astype("float32"), data["test"].astype("float32")
    expected = IsolationForest(n_estimators=100, max_samples=256, random_state=3).fit(train)
    found = IForest(random_state=3).fit(train)
    np.testing.assert_array_equal(found.decision_function(test), expected.decision_function(test))


@pytest.mark.parametrize("labels", [None, np.ones(10), np.zeros(10)])
def test_a_grid_needs_a_holdout_of_both_kinds(data: dict[str, Any], labels: Any) -> None:
    with pytest.raises(ValueError, match="holdout"):
        OCSVM(gamma=GAMMAS[0]).fit(data["train"], X_holdout=data["test"][:10], y_holdout=labels)


@pytest.mark.parametrize("gamma", [[], [0.1, 0.0], [[0.1]], [True, 0.1], [10**400]])
def test_a_grid_holds_positive_numbers(data: dict[str, Any], gamma: Any) -> None:
    with pytest.raises(ValueError, match="gamma must be a sequence of positive numbers"):
        OCSVM(gamma=gamma).fit(data["train"], X_holdout=data["test"], y_holdout=data["labels"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8, -1e8])
def test_kde_of_samples_far_from_the_origin(data: dict[str, Any], offset: float, dtype: str) -> None:
    """The sum of kernels of differences, whatever float32 has left of the samples; scikit-learn's too."""
    train, test = ((data[name] + offset).astype(dtype) for name in ("train", "test"))
    model = KDE(bandwidths=(1.0, 2.0)).fit(train)
    reference = KernelDensity(bandwidth=model.bandwidth_).fit(train.astype("float64"))
    for samples in (train, test):
        found = model.score_samples(samples)
        terms = -cdist(samples.astype("float64"), train.astype("float64"), "sqeuclidean") / (2 * model.bandwidth_**2)
        constant = np.log(len(train)) + 6 * np.log(2 * np.pi * model.bandwidth_**2)
        np.testing.assert_allclose(found, logsumexp(terms, axis=1) - constant, rtol=1e-9)
        assert np.corrcoef(found, reference.score_samples(samples.astype("float64")))[0, 1] > 0.999
    np.testing.assert_allclose(model.training_scores_, model.score_samples(train), rtol=1e-10)


@pytest.mark.parametrize("offset", [1e4, 1e8, np.linspace(-1e8, 1e8, 12)], ids=["1e4", "1e8", "each its own"])
def test_ocsvm_does_not_depend_on_where_the_origin_is(data: dict[str, Any], offset: Any) -> None:
    """Against its own scores without an offset: scikit-learn's kernel itself loses the digits."""
    exact = {name: np.round(data[name] * 2**20) / 2**20 for name in ("train", "test")}
    for gamma in (0.02, [0.005, 0.02, 0.1]):
        holdout, labels = exact["test"][::4], data["labels"][::4]
        near = OCSVM(gamma=gamma).fit(exact["train"], X_holdout=holdout, y_holdout=labels)
        far = OCSVM(gamma=gamma).fit(exact["train"] + offset, X_holdout=holdout + offset, y_holdout=labels)
        assert far.gamma_ == near.gamma_
        np.testing.assert_allclose(
            far.decision_function(exact["test"] + offset), near.decision_function(exact["test"]), atol=1e-6
        )
        np.testing.assert_allclose(far.training_scores_, near.training_scores_, atol=1e-6)


def test_the_origin_is_whole_multiples_of_the_range() -> None:
    """By hand: of ranges 3 and 1 the step is 4; and data about zero, as pixels in [0, 1], stay as they are."""
    rows = np.array([[101.0, -50.0], [104.0, -51.0]])
    np.testing.assert_array_equal(origin_of(rows), [100, -48])
    np.testing.assert_array_equal(origin_of(np.random.default_rng(0).random((50, 3))), [0, 0, 0])
    np.testing.assert_array_equal(origin_of(np.full((3, 2), 0.3)), [0.3, 0.3])


LABELS = np.repeat([1, -1], 5)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS > 0,
        (LABELS + 1) // 2,
        2 * LABELS,
        LABELS.astype(str),
        np.append(LABELS[:-1], 0),
        np.where(LABELS > 0, 1.0, np.nan),
        LABELS[:-1],
        LABELS[:, None],
    ],
)
def test_a_holdout_has_labels_of_1_and_minus_1(data: dict[str, Any], labels: Any) -> None:
    """With 0 and 1 the worst γ would be taken without a word."""
    X = data["test"][:10]
    with pytest.raises(ValueError, match="one label per sample, 1 for normal and -1 for anomalous"):
        OCSVM(gamma=GAMMAS[0]).fit(data["train"], X_holdout=X, y_holdout=labels)
    for good in (LABELS, LABELS.tolist(), LABELS.astype(float)):
        OCSVM(gamma=GAMMAS[0][:2]).fit(data["train"], X_holdout=X, y_holdout=good)


def test_gamma_by_the_nearest_neighbours() -> None:
    """By hand: on a line at 0, 1, 3, 7 the squared distances to the nearest are 1, 1, 4, 16, their median 2.5."""
    rows = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert neighbour_gamma(rows) == pytest.approx(1 / 2.5)
    # A sample that occurs repeatedly has its neighbour elsewhere.
    assert neighbour_gamma(np.repeat(rows, 3, axis=0)) == pytest.approx(1 / 2.5)
    assert neighbour_gamma(np.ones((3, 2))) == 1
    model = OCSVM(nu=0.5, gamma="neighbours").fit(rows + 1e6)
    assert model.gamma_ == pytest.approx(1 / 2.5)
    expected = OneClassSVM(nu=0.5, gamma=1 / 2.5).fit(rows).decision_function(rows)
    np.testing.assert_allclose(model.decision_function(rows + 1e6), expected, atol=1e-6)


@pytest.mark.parametrize("aggregate", ["kth", "mean"])
def test_knn_equals_scikit_learn(data: dict[str, Any], aggregate: str) -> None:
    """A training sample is scored without itself, as `kneighbors()` has it; any other with all training samples."""
    index = NearestNeighbors(n_neighbors=4).fit(data["train"])
    model = KNN(n_neighbors=4, aggregate=aggregate).fit(data["train"])
    for found, samples in ((model.training_scores_, None), (model.score_samples(data["test"]), data["test"])):
        distances = index.kneighbors(samples)[0]
        expected = distances[:, -1] if aggregate == "kth" else distances.mean(axis=1)
        np.testing.assert_allclose(found, -expected, rtol=1e-9)


def test_knn_leaves_out_one_sample_that_is_the_same() -> None:
    """By hand, two neighbours each, on a line with a sample that is there twice."""
    model = KNN(n_neighbors=2).fit(np.array([[0.0], [0.0], [1.0], [4.0], [9.0]]))
    np.testing.assert_array_equal(model.training_scores_, [-1, -1, -1, -4, -8])
    np.testing.assert_array_equal(model.score_samples([[0.0], [2.0], [1.0]]), [-1, -2, -1])
    # Of few samples there are no more than the others.
    np.testing.assert_array_equal(KNN(n_neighbors=5).fit([[0.0], [1.0], [4.0]]).training_scores_, [-4, -3, -4])


def test_knn_of_samples_far_from_the_origin(data: dict[str, Any]) -> None:
    exact = {name: np.round(data[name] * 2**20) / 2**20 for name in ("train", "test")}
    near, far = KNN().fit(exact["train"]), KNN().fit(exact["train"] + 1e8)
    np.testing.assert_allclose(far.training_scores_, near.training_scores_, rtol=1e-12)
    np.testing.assert_allclose(far.score_samples(exact["test"] + 1e8), near.score_samples(exact["test"]), rtol=1e-12)


@pytest.mark.parametrize("n_components", [3, 0.8, "mle"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_pca_equals_scikit_learn(data: dict[str, Any], n_components: Any, offset: float) -> None:
    reference = decomposition.PCA(n_components, svd_solver="full").fit(data["train"])
    model = PCA(n_components=n_components).fit(data["train"] + offset)
    assert model.n_components_ == reference.n_components_
    error = data["test"] - reference.inverse_transform(reference.transform(data["test"]))
    np.testing.assert_allclose(model.score_samples(data["test"] + offset), -np.square(error).sum(axis=1), rtol=1e-6)


def test_pca_by_hand() -> None:
    """Variances 9, 4 and 1 along the axes: two of the three make 13/14 of it, and the third is what is left over."""
    axes = np.diag([3.0, 2.0, 1.0])
    rows = np.concatenate([axes, -axes])
    for share, taken in ((0.6, 1), (0.9, 2), (0.99, 2)):
        model = PCA(n_components=share).fit(rows)
        assert model.n_components_ == taken
        left_over = [5.0**2 * (taken < 2) + 7.0**2]
        np.testing.assert_allclose(model.score_samples([[4.0, 5.0, 7.0]]), np.negative(left_over))
    assert PCA(n_components=0).fit(rows).score_samples([[1.0, 2.0, 2.0]]) == pytest.approx(-9)
    # Of one direction none is taken, so that there is an error: the squared distance to the mean.
    np.testing.assert_allclose(PCA().fit([[0.0], [1.0], [5.0]]).score_samples([[0.0], [3.0]]), [-4, -1])


def test_pca_of_more_features_than_samples() -> None:
    wide = np.random.default_rng(0).normal(size=(8, 20))
    assert PCA(n_components=0.999).fit(wide).n_components_ == 6  # seven directions, and one is left out
    with pytest.raises(ValueError, match="at least as many samples as features"):
        PCA(n_components="mle").fit(wide)
    with pytest.warns(ConvergenceWarning, match="have the same score"):
        assert PCA(n_components=7).fit(wide).diagnosis_.status == "collapsed"


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e4])
def test_linear_ocsvm_equals_scikit_learn(data: dict[str, Any], unit: float) -> None:
    """In any unit of the samples: w is in that unit, and ρ in its square."""
    train, test = data["train"] + 4, data["test"] + 4
    expected = OneClassSVM(kernel="linear", nu=0.2, tol=1e-8).fit(train)
    model = LinearOCSVM(nu=0.2).fit(unit * train)
    assert model.diagnosis_.status == "converged"
    np.testing.assert_allclose(model.coef_, unit * expected.coef_[0], rtol=1e-3)
    np.testing.assert_allclose(model.score_samples(unit * test), unit**2 * expected.score_samples(test), rtol=1e-3)
    assert model.margin_ == pytest.approx(unit * expected.offset_[0] / np.linalg.norm(expected.coef_), rel=1e-3)
    assert (model.training_scores_ < model.offset_ * (1 - 1e-3)).mean() <= 0.2


def test_linear_ocsvm_by_hand() -> None:
    """With ν so small that none is outside, the hyperplane is through the nearest point of the hull."""
    model = LinearOCSVM(nu=0.01).fit([[1.0, 2.0], [1.0, -1.0], [3.0, 0.0]])
    assert model.margin_ == pytest.approx(1, rel=1e-3)
    np.testing.assert_allclose(model.coef_ / np.linalg.norm(model.coef_), [1, 0], atol=1e-2)


def test_linear_ocsvm_of_samples_at_the_origin_is_no_half_space() -> None:
    with pytest.warns(ConvergenceWarning, match="the origin lies among the samples"):
        model = LinearOCSVM().fit(np.zeros((5, 2)))
    assert model.coef_.tolist() == [0, 0]
    assert model.margin_ == 0


def test_linear_ocsvm_of_samples_about_the_origin_has_collapsed(data: dict[str, Any]) -> None:
    """No half-space holds nine tenths of them."""
    with pytest.warns(ConvergenceWarning, match="the origin lies among the samples"):
        assert LinearOCSVM(nu=0.1).fit(data["train"]).diagnosis_.status == "collapsed"


#: Those that compare all samples with all, and those that one might think do.
ALL_PAIRS = {
    "kde, one bandwidth": KDE(bandwidths=[2.0]),
    "kde, a grid": KDE(),
    "ocsvm, one gamma": OCSVM(),
    "ocsvm, by neighbours": OCSVM(gamma="neighbours"),
    "ocsvm, a grid": OCSVM(gamma=GAMMAS[0][8:]),
    "knn": KNN(),
    "pca": PCA(),
    "linear_ocsvm": LinearOCSVM(),
    "ocnn_radial": OneClassNNRadial(hidden=50, random_state=0),
    "nystroem_ocsvm": NystroemOCSVM(components=50, random_state=0),
}


def holdout_of(detector: Any, X: Any, labels: Any) -> dict[str, Any]:
    return {"X_holdout": X, "y_holdout": labels} if detector.uses_holdout() else {}


# Each γ of a grid is a fit of its own.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name == "ocsvm, a grid" else []) for name in ALL_PAIRS]
)
def test_nothing_of_the_size_n_by_n_is_allocated(name: str) -> None:
    """Of 6,000 samples that would be 288 MB; the kernel's cache, which NumPy does not know of, is bounded by libsvm."""
    rows = np.random.default_rng(0).normal(3, 1, (6000, 20))
    detector = clone(ALL_PAIRS[name])
    tracemalloc.start()
    try:
        with config_context(working_memory=4):
            detector.fit(rows, **holdout_of(detector, rows[:40], np.repeat([1, -1], 20))).score_samples(rows)
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()


# A step of the stochastic solver takes a slice of the samples, as large as the memory allows.
@pytest.mark.parametrize("name", [name for name in ALL_PAIRS if name != "nystroem_ocsvm"])
def test_the_memory_decides_no_result(data: dict[str, Any], name: str) -> None:
    held = holdout_of(ALL_PAIRS[name], data["test"][::4], data["labels"][::4])
    plenty = clone(ALL_PAIRS[name]).fit(data["train"], **held)
    scores = plenty.score_samples(data["test"])
    with config_context(working_memory=0):
        scarce = clone(ALL_PAIRS[name])
        scarce.fit(data["train"], **held)
        np.testing.assert_allclose(scarce.score_samples(data["test"]), scores, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(scarce.training_scores_, plenty.training_scores_, rtol=1e-6, atol=1e-9)
    assert scarce.offset_ == pytest.approx(plenty.offset_, rel=1e-6)


def test_distances_that_must_be_kept_and_cannot(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even rows that are brought together would leave the solver's kernels inexact."""
    apart = np.concatenate([data["train"], data["train"] + 1e8])
    near = OCSVM(gamma=0.02).fit(apart)
    monkeypatch.setattr("ocnn.methods.ocsvm.KERNEL_ERROR", 0.0)
    kept = OCSVM(gamma=0.02).fit(apart)
    np.testing.assert_allclose(kept.score_samples(apart), near.score_samples(apart), rtol=1e-2)
    with (
        config_context(working_memory=1),
        pytest.raises(ValueError, match=r"600 samples lie so far apart, .* in 6 MiB"),
    ):
        OCSVM(gamma=0.02).fit(apart)


@pytest.mark.parametrize("gamma", [0.02, "neighbours", [0.01, 0.02]], ids=str)
@pytest.mark.parametrize("memory", [1024, 1])
def test_one_sample_far_out_leaves_the_others_their_scores(data: dict[str, Any], gamma: Any, memory: float) -> None:
    """However large the memory is, and as scikit-learn's solver gives them where that sample is not as far out."""
    rows = np.concatenate([data["train"], np.full((1, 12), 1e9)])
    held = holdout_of(OCSVM(gamma=gamma), data["test"], data["labels"])
    with config_context(working_memory=memory):
        model = OCSVM(gamma=gamma).fit(rows, **held)
    wanted = OneClassSVM(gamma=model.gamma_, nu=0.1).fit(np.concatenate([data["train"], np.full((1, 12), 1e3)]))
    np.testing.assert_allclose(model.score_samples(data["test"]), wanted.score_samples(data["test"]), rtol=1e-6)


@given(
    rows=arrays(np.float64, (12, 2), elements=st.sampled_from([-1e12, -3.0, 0.0, 0.1, 0.5, 2.0, 9.0, 7e5, 1e12])),
    gamma=st.sampled_from([0.01, 1.0, 30.0]),
)
def test_rows_brought_together_keep_their_kernels(rows: np.ndarray, gamma: float) -> None:
    together = brought_together(rows, gamma)
    kernels = [np.exp(-gamma * cdist(x, x, "sqeuclidean")) for x in (rows, together)]
    np.testing.assert_allclose(kernels[1], kernels[0], rtol=1e-9, atol=1.01 * np.exp(-OUT_OF_REACH))
    assert np.ptp(together, axis=0).max() <= 12 * (9 + np.sqrt(OUT_OF_REACH / gamma))


def test_rows_brought_together_by_hand() -> None:
    """With γ = ½ kernels reach 10: a gap of 90 becomes one of 10, and what is about 100 keeps its digits."""
    rows = np.array([[100.25], [0.0], [10.0], [100.0], [1e17]])
    assert np.diff(brought_together(rows, 0.5)[[1, 2, 3, 0, 4]].ravel()).tolist() == [10, 10, 0.25, 10]


@pytest.mark.parametrize("detector", [KDE(), OCSVM(), KNN()], ids=["kde", "ocsvm", "knn"])
def test_who_compares_many_samples_is_told(
    detector: Any, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocnn.methods.gaussian.MANY", 299)
    with pytest.warns(EfficiencyWarning, match="compares all of 300 samples with all"):
        clone(detector).fit(data["train"])


@pytest.mark.parametrize(("features", "algorithm"), [(2, "kd_tree"), (5, "kd_tree"), (10, "brute"), (16, "brute")])
def test_neighbours_are_found_by_trees_only_where_these_look_at_few_pairs(features: int, algorithm: str) -> None:
    """In ten dimensions a tree looks at half of them; both find the same neighbours."""
    rows = np.random.default_rng(0).normal(size=(3000 if features < 3 else 10_000, features))
    index = neighbour_index(rows)
    assert index.algorithm == algorithm
    found = index.kneighbors(rows[:50], 6, return_distance=False)
    np.testing.assert_array_equal(found, np.argsort(cdist(rows[:50], rows), axis=1)[:, :6])


def test_a_tree_finds_neighbours_that_products_would_confuse() -> None:
    """Two groups 10⁹ apart in twenty dimensions: products have no digits left for what lies within a group."""
    rows = np.random.default_rng(0).normal(size=(200, 20))
    rows[100:] += 1e9
    assert neighbour_index(rows).algorithm == "kd_tree"


@pytest.mark.parametrize("bandwidths", [[2.0], BANDWIDTHS[:4]])
def test_kde_by_trees(data: dict[str, Any], bandwidths: Any) -> None:
    """Exact trees give what products give, but for the threshold, which leaves out a fold and not a sample."""
    exact = KDE(bandwidths=bandwidths).fit(data["train"])
    model = KDE(bandwidths=bandwidths, algorithm="tree", rtol=0, contamination=0.2).fit(data["train"])
    assert model.bandwidth_ == exact.bandwidth_
    np.testing.assert_allclose(model.score_samples(data["test"]), exact.score_samples(data["test"]), rtol=1e-9)
    if len(bandwidths) > 1:
        np.testing.assert_allclose(model.log_likelihoods_, exact.log_likelihoods_, rtol=1e-9)
    expected = np.concatenate(
        [
            KernelDensity(bandwidth=model.bandwidth_).fit(data["train"][rest]).score_samples(data["train"][test])
            for rest, test in KFold(5).split(data["train"])
        ]
    )
    np.testing.assert_allclose(model.left_out_scores_, expected, rtol=1e-9)
    assert model.offset_ == np.quantile(model.left_out_scores_, 0.2)
    coarse = KDE(bandwidths=[2.0], algorithm="tree", rtol=0.5).fit(data["train"])
    near = KDE(bandwidths=[2.0]).fit(data["train"]).score_samples(data["test"])
    assert 0 < np.abs(coarse.score_samples(data["test"]) - near).max() < np.log(2)


@pytest.mark.parametrize("nu", [0.1, 0.5])
def test_nystroem_with_all_samples_is_near_the_minimum(data: dict[str, Any], nu: float) -> None:
    """That of the exact machine, whose w and ρ are νn times those of the objective; and its scores' order."""
    train, gamma = data["train"], 0.02
    exact = OneClassSVM(nu=nu, gamma=gamma, tol=1e-8).fit(train)
    rho, scores = exact.offset_[0] / (nu * 300), exact.score_samples(train) / (nu * 300)
    norm = float(exact.dual_coef_[0] @ exact.score_samples(exact.support_vectors_)) / (nu * 300) ** 2
    minimum = nu / 2 * norm + np.maximum(0, rho - scores).mean() - nu * rho
    model = NystroemOCSVM(nu=nu, gamma=gamma, components=300, tol=1e-5, max_iter=1000, random_state=0).fit(train)
    assert model.gamma_ == gamma
    assert minimum < model.objective_ < 0.97 * minimum
    assert model.diagnosis_.status == "converged"
    assert model.offset_ == pytest.approx(rho, rel=0.03)
    np.testing.assert_allclose(
        model.score_samples(data["test"]), exact.score_samples(data["test"]) / (nu * 300), atol=0.1 * rho
    )
    # The threshold is halfway between two scores: beyond the one that holds all but a share ν.
    assert (model.predict(train) == -1).sum() == nu * 300 - 1
    strict = NystroemOCSVM(nu=1e-3, gamma=gamma, components=50, random_state=0).fit(train)
    assert (strict.predict(train) == 1).all()
    assert strict.offset_ == strict.training_scores_.min()
    with pytest.warns(ConvergenceWarning, match="the last of 2 passes changed the objective"):
        short = NystroemOCSVM(gamma=gamma, tol=1e-9, max_iter=2, random_state=0).fit(train)
    assert short.n_iter_ == 2


def test_gamma_of_many_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: of those at 0, 1, 3, 7 the first and the last are asked, with 1 and 16: the median is 8.5."""
    monkeypatch.setattr("ocnn.methods.gaussian.MEASURED", 2)
    assert neighbour_gamma(np.array([[0.0], [1.0], [3.0], [7.0]])) == pytest.approx(1 / 8.5)


def test_the_paper_s_grid_of_bandwidths() -> None:
    assert KDE().bandwidths == pytest.approx([2 ** (power / 2) for power in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)])


@pytest.mark.parametrize(
    ("settings", "accepted"),
    [
        ({"max_samples": 2}, True),
        ({"max_samples": 1}, False),
        ({"contamination": 0.5}, True),
        ({"contamination": 0.51}, False),
        ({"contamination": 0.0}, False),
    ],
)
def test_what_an_isolation_forest_takes(settings: dict[str, Any], accepted: bool) -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    if accepted:
        assert IForest(n_estimators=50, **settings).fit(X).score_samples(X).shape == (20,)
    else:
        with pytest.raises(ValueError, match=next(iter(settings))):
            IForest(n_estimators=50, **settings).fit(X)


def far_apart(kind: str, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples about 10⁸ and one far beyond, or two groups 10⁸ apart; and as float64 holds them, nearer together.

    The others are within the reach of no kernel, so that a group's scores are what they are without them.
    """
    group = np.random.default_rng(0).normal(size=(150, d))
    if kind == "outlier":
        there = 1e8 + group
        return np.vstack([there, there[:1] + 1e12]), np.vstack([there - 1e8, there[:1] - 1e8 + 1e3])
    there = group + 1e8
    return np.vstack([group, there]), np.vstack([group, there - 1e8 + 1e3])


@pytest.mark.parametrize("d", [12, 64])
@pytest.mark.parametrize("kind", ["outlier", "groups"])
@pytest.mark.parametrize(
    "model",
    [
        KDE(bandwidths=[2.0]),
        OCSVM(gamma=0.02),
        OCSVM(gamma="neighbours"),
        OneClassNNRadial(random_state=0, gamma=0.02),
        OneClassNNRadial(random_state=0),
        KNN(),
        NystroemOCSVM(random_state=0, gamma=0.02, max_iter=5),
    ],
    ids=str,
)
def test_samples_that_are_far_apart(model: Any, kind: str, d: int) -> None:
    """What squared distances lose where they are differences of far greater numbers."""
    far, near = far_apart(kind, d)
    # The outlier's own score tells how far it is.
    compared = slice(150) if kind == "outlier" else slice(None)
    expected = clone(model).fit(near).score_samples(near)[compared]
    found = clone(model).fit(far)
    for scores in (found.training_scores_, found.score_samples(far)):
        np.testing.assert_allclose(scores[compared], expected, rtol=1e-4)


def test_how_far_apart_is_too_far_by_hand() -> None:
    """Of (3, 4) and the origin the error is at most 2 · 2.2 · 10⁻¹⁶ · 25; a millionth of an exponent may be wrong."""
    X, origin = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    limit = 1e-6 / (50 * np.finfo(np.float64).eps)
    assert kernels_by_product_are_exact(X, 0.99 * limit, origin)
    assert not kernels_by_product_are_exact(X, 1.01 * limit, origin)
    assert kernels_by_product_are_exact(X, 0.495 * limit)
    assert not kernels_by_product_are_exact(X, 0.505 * limit)


def test_ordinary_distances_are_those_of_a_product(data: dict[str, Any]) -> None:
    """Which is several times as fast; to the last bit, so that nothing changes."""
    rows = np.asarray(data["train"], np.float64)
    assert (squared_distances(rows, None, 0.25) == euclidean_distances(rows, squared=True)).all()
    assert (gaussian_kernel(rows[:9], rows, 0.25) == rbf_kernel(rows[:9], rows, gamma=0.25)).all()
