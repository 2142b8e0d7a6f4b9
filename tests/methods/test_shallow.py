"""The shallow methods give scikit-learn's own scores, only sooner."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.svm import OneClassSVM

from ocnn.methods import KDE, OCSVM, IForest
from ocnn.methods.kde import BANDWIDTHS

GRID = [2.0**exponent for exponent in range(-10, 0)]


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Enough dimensions and spread that the best γ and bandwidth lie inside their grids."""
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.3, 3.0, 12)
    normal = rng.normal(size=(500, 12)) * scale
    anomalous = rng.normal(size=(200, 12)) * scale[::-1]
    test = np.concatenate([normal[300:], anomalous])
    return {"train": normal[:300], "test": test, "labels": np.repeat([1, -1], 200)}


def test_kde_equals_grid_search(data: dict[str, Any]) -> None:
    search = GridSearchCV(KernelDensity(), {"bandwidth": BANDWIDTHS}, cv=5).fit(data["train"])
    model = KDE().fit(data["train"])
    assert BANDWIDTHS[0] <= model.bandwidth_ <= BANDWIDTHS[-1]
    assert model.bandwidth_ == search.best_params_["bandwidth"]
    np.testing.assert_allclose(model.log_likelihoods_, search.cv_results_["mean_test_score"], rtol=1e-9)
    expected = search.best_estimator_.score_samples(data["test"])
    np.testing.assert_allclose(model.score_samples(data["test"]), expected, rtol=1e-6, atol=1e-6)


def test_ocsvm_equals_refitting_for_every_gamma(data: dict[str, Any]) -> None:
    X_holdout, y_holdout = data["test"][::4], data["labels"][::4]
    aucs, models = [], []
    for gamma in GRID:
        models.append(OneClassSVM(nu=0.1, gamma=gamma).fit(data["train"]))
        aucs.append(roc_auc_score(y_holdout, models[-1].decision_function(X_holdout)))
    model = OCSVM(nu=0.1, gamma=GRID).fit(data["train"], X_holdout=X_holdout, y_holdout=y_holdout)
    np.testing.assert_allclose(model.holdout_auc_, aucs, atol=1e-6)
    assert model.gamma_ == GRID[int(np.argmax(aucs))]
    expected = models[int(np.argmax(aucs))]
    for name in ("decision_function", "score_samples"):
        np.testing.assert_allclose(
            getattr(model, name)(data["test"]), getattr(expected, name)(data["test"]), rtol=1e-6, atol=1e-6
        )


def test_ocsvm_with_one_gamma_equals_scikit_learn(data: dict[str, Any]) -> None:
    expected = OneClassSVM(nu=0.2, gamma="scale").fit(data["train"]).decision_function(data["test"])
    found = OCSVM(nu=0.2).fit(data["train"]).decision_function(data["test"])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_iforest_equals_scikit_learn(data: dict[str, Any]) -> None:
    train, test = data["train"].astype("float32"), data["test"].astype("float32")
    expected = IsolationForest(n_estimators=100, max_samples=256, random_state=3).fit(train)
    found = IForest(random_state=3).fit(train)
    np.testing.assert_array_equal(found.decision_function(test), expected.decision_function(test))


@pytest.mark.parametrize("labels", [None, np.ones(10), np.zeros(10)])
def test_a_grid_needs_a_holdout_of_both_kinds(data: dict[str, Any], labels: Any) -> None:
    with pytest.raises(ValueError, match="holdout"):
        OCSVM(gamma=GRID).fit(data["train"], X_holdout=data["test"][:10], y_holdout=labels)
