"""scikit-learn's own checks of an estimator, and what it has no checks for, on every registered method."""

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from ocnn.methods import KDE, METHODS, load_estimator
from ocnn.methods.deep import DeepDetector
from tests.conftest import QUICK_PRETRAINED

#: The methods that train a network.
DEEP = [name for name in METHODS if issubclass(load_estimator(name), DeepDetector)]
#: What makes a fit quick, of every method that has such a parameter; and what else does, of some.
SHORT: dict[str, Any] = {**QUICK_PRETRAINED, "network": {"kind": "dense", "widths": [8], "code": 4}}
TINY: dict[str, dict[str, Any]] = {
    "iforest": {"n_estimators": 10},
    "rcae": {"iterations": 1},
    "anogan": {"latent": 8, "widths": (8, 8), "steps": 2},
    "neutral_ad": {"transformations": 2},
    "nystroem_ocsvm": {"components": 20},
    "ocnn_radial": {"hidden": 20},
}


def make(name: str, **settings: Any) -> Any:
    estimator = load_estimator(name)
    parameters = estimator().get_params()
    short = {key: value for key, value in SHORT.items() if key in parameters}
    return estimator(**{**short, **TINY.get(name, {}), **settings})


def expected_failures(estimator: Any) -> dict[str, str]:
    """Checks that cannot hold, and why."""
    if isinstance(estimator, KDE):
        return dict.fromkeys(
            ("check_outliers_fit_predict", "check_outliers_train"),
            "the threshold is that of new samples: fewer of the training samples lie beyond it, each near to itself",
        )
    if not isinstance(estimator, DeepDetector):
        return {}
    return dict.fromkeys(
        ("check_methods_subset_invariance", "check_methods_sample_order_invariance"),
        "float32 products round differently for other numbers of samples and places among them",
    )


def checked(name: str) -> Any:
    """The samples of a check in one batch: without compiled functions, a step is what costs. Nothing is pretrained."""
    quick = {"batch_size": 128, "pretrain_epochs": (0,), "steps": 1} if name in DEEP else {}
    return make(name, **{key: value for key, value in quick.items() if key in make(name).get_params()})


#: One deep method of each kind; the others are checked with the long tests.
FIRST = ("dcae", "deep_svdd", "ocnn")


@pytest.mark.usefixtures("eagerly")
@parametrize_with_checks(
    [checked(name) for name in METHODS if name not in DEEP or name in FIRST], expected_failed_checks=expected_failures
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    pass_check(estimator, check)


@pytest.mark.long
@pytest.mark.usefixtures("eagerly")
@parametrize_with_checks(
    [checked(name) for name in METHODS if name in DEEP and name not in FIRST], expected_failed_checks=expected_failures
)
def test_scikit_learn_checks_of_the_other_deep_methods(estimator: Any, check: Any) -> None:
    pass_check(estimator, check)


def pass_check(estimator: Any, check: Any) -> None:
    # What is known to fail is not tried: whether it does proves nothing.
    if reason := expected_failures(estimator).get(check.func.__name__):
        pytest.xfail(reason)
    check(estimator)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", DEEP)
def test_scores_hardly_depend_on_the_other_samples(name: str, blobs: Any) -> None:
    """What holds in place of the check above: the same to float32's precision."""
    train, test, _ = blobs
    model = make(name).fit(train)
    whole = model.decision_function(test)
    order = np.random.default_rng(0).permutation(len(test))
    single = np.concatenate([model.decision_function(test[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(model.decision_function(test[order]), whole[order], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(single, whole[:5], rtol=1e-4, atol=1e-5)


# OC-NN separates the codes from the origin: with the samples themselves as codes, the anomalies lie on its side.
SEPARATING: dict[str, dict[str, Any]] = {
    "iforest": {"n_estimators": 100},
    "dcae": {"epochs": (40,), "learning_rates": (1e-2,), "batch_size": 8},
    "rcae": {"pretrain_epochs": (150,), "pretrain_learning_rates": (1e-2,), "epochs": (20,), "lam": 0.2},
    "anogan": {
        "widths": (32, 32),
        "epochs": (200,),
        "learning_rates": (3e-3,),
        "steps": 30,
        "search_learning_rate": 0.03,
    },
    "deep_svdd": {"pretrain_epochs": (20,), "epochs": (20,), "learning_rates": (1e-3,)},
    "soft_deep_svdd": {"pretrain_epochs": (20,), "epochs": (20,), "learning_rates": (1e-3,), "warm_up": 3},
    "ocnn_released": {"pretrain_epochs": (20,), "epochs": (20,), "learning_rates": (1e-3,)},
    "ocnn": {"network": "none", "epochs": (60,), "learning_rates": (1e-2,), "nu": 0.1, "batch_size": 120},
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in DEEP else []) for name in METHODS]
)
def test_anomalies_score_lower(name: str, blobs: Any) -> None:
    train, test, is_anomaly = blobs
    model = make(name, **SEPARATING.get(name, {})).fit(train)
    assert roc_auc_score(~is_anomaly, model.decision_function(test)) > 0.95
    np.testing.assert_array_equal(model.predict(test), np.where(model.decision_function(test) >= 0, 1, -1))
    np.testing.assert_allclose(model.score_samples(test) - model.offset_, model.decision_function(test))


@pytest.mark.parametrize("name", METHODS)
def test_same_seed_gives_the_same_bits_and_another_does_not(name: str, blobs: Any) -> None:
    train, test, _ = blobs
    first, again = (make(name).fit(train).decision_function(test) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    if "random_state" in make(name).get_params():
        assert (make(name, random_state=1).fit(train).decision_function(test) != first).any()


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", METHODS)
def test_images(name: str) -> None:
    """Images are taken as they are, and those of another shape refused, though their first axes agree."""
    images = np.random.default_rng(0).uniform(0.2, 0.8, (30, 8, 8, 1)).astype("float32")
    takes_network = "network" in make(name).get_params()
    network = {"network": {"kind": "lenet", "widths": [4, 2], "code": 8, "kernel": 3}} if takes_network else {}
    model = make(name, **network).fit(images)
    assert model.decision_function(images[:7]).shape == (7,)
    with pytest.raises(ValueError, match="fitted to samples of shape"):
        model.decision_function(np.zeros((3, 8, 4, 1), "float32"))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", METHODS)
def test_training_scores_are_those_of_the_training_samples(name: str, blobs: Any) -> None:
    """Kept, so that they need not be computed again; a refit does not keep those of the fit before."""
    train, test, _ = blobs
    model = make(name).fit(test).fit(train)
    np.testing.assert_allclose(model.training_scores_, model.score_samples(train), rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", METHODS)
def test_pipeline_clone_and_pickle(name: str, blobs: Any) -> None:
    train, test, _ = blobs
    pipeline = make_pipeline(StandardScaler(), clone(make(name))).fit(train)
    scores = pipeline.decision_function(test)
    restored = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_allclose(restored.decision_function(test), scores, rtol=1e-6)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", DEEP)
def test_global_random_state_is_left_alone(name: str, blobs: Any) -> None:
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.uniform()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    make(name).fit(blobs[0])
    assert np.random.uniform() == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ocnn", {"nu": 0}, "nu"),
        ("ocnn", {"nu": 1.5}, "nu"),
        ("ocnn", {"activation": "tanh"}, "activation"),
        ("ocnn", {"epochs": (0,)}, "at least one outer iteration"),
        ("dcae", {"epochs": (5, 5)}, "one per phase"),
        ("dcae", {"network": "lenet-mnits"}, "unknown network"),
        ("deep_svdd", {"batch_size": 0}, "batch_size"),
        ("soft_deep_svdd", {"nu": 0}, "nu"),
        ("soft_deep_svdd", {"warm_up": -1}, "warm_up"),
        ("ocnn_released", {"hidden": 0}, "hidden"),
        ("deep_svdd", {"pretrain_learning_rates": (-1.0,)}, "pretrain_learning_rates"),
        ("rcae", {"lam": -1.0}, "lam"),
        ("rcae", {"iterations": 2}, "at least one per outer iteration"),
        (
            "rcae",
            {"iterations": 2, "pretrain_epochs": (1, 1)},
            "(?s)pretrain_epochs must.*at least one per outer",
        ),
        ("anogan", {"widths": ()}, "widths"),
        ("anogan", {"feature_weight": 1.5}, "feature_weight"),
        ("anogan", {"steps": 0}, "steps"),
        ("ocnn_radial", {"hidden": 0}, "hidden"),
        ("ocnn_radial", {"gamma": 0}, "gamma"),
        ("ocnn_radial", {"nu": 1.5}, "nu"),
        ("ocsvm", {"nu": 0}, "nu"),
        ("ocsvm", {"gamma": -1.0}, "gamma"),
        ("ocsvm", {"gamma": [0.1, 1.0]}, "holdout"),
        ("ocsvm", {"gamma": "neighbors"}, "gamma"),
        ("linear_ocsvm", {"nu": 0}, "nu"),
        ("kde", {"bandwidths": [1.0, -1.0]}, "positive"),
        ("knn", {"n_neighbors": 0}, "n_neighbors"),
        ("knn", {"aggregate": "largest"}, "aggregate"),
        ("pca", {"n_components": 1.5}, "n_components"),
        ("pca", {"n_components": "kaiser"}, "n_components"),
    ],
)
def test_unusable_settings_are_refused(name: str, settings: dict[str, Any], message: str, blobs: Any) -> None:
    with pytest.raises(ValueError, match=message):
        make(name, **settings).fit(blobs[0])


def test_a_shallow_method_imports_no_keras() -> None:
    code = (
        "import sys, numpy as np, ocnn\n"
        "from ocnn.methods import OCSVM, KDE, KNN, PCA, IForest, LinearOCSVM, NystroemOCSVM, DCAE, OneClassNN\n"
        "X = np.random.default_rng(0).normal(size=(20, 3))\n"
        "[m().fit(X).predict(X) for m in (OCSVM, KDE, KNN, PCA, IForest, LinearOCSVM, NystroemOCSVM)]\n"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_without_a_backend_the_error_says_what_to_install() -> None:
    code = (
        "import numpy as np\nfrom ocnn.methods import DCAE\nDCAE().fit(np.random.default_rng(0).normal(size=(20, 3)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", "import sys; sys.modules['tensorflow'] = None\n" + code],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install tensorflow-cpu" in run.stderr
