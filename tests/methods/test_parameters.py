"""The parameters of the methods: what they are by default, and where their ranges end."""

from typing import Any

import numpy as np
import pytest

from ocnn.methods import METHODS, load_estimator

PAPER = {"learning_rates": (1e-4, 1e-5), "batch_size": "auto", "random_state": None, "verbose": 0}
NETWORK = {**PAPER, "network": "auto", "autoencoder": None, "weight_decay": 1e-5}
PRETRAINED = {
    **NETWORK,
    "epochs": (150, 100),
    "pretrain_epochs": (250, 100),
    "pretrain_learning_rates": (1e-4, 1e-5),
}
SHARE = {"nu": 0.1, "anomaly_share": 0.1}

#: What the sources prescribe: Ruff et al. (2018) for the training, Schlegl et al. (2017) and Radford et al. (2016) for
#: AnoGAN, scikit-learn for its estimators.
DEFAULTS: dict[str, dict[str, Any]] = {
    "ocsvm": {"nu": 0.1, "gamma": "scale"},
    "linear_ocsvm": {"nu": 0.1},
    "nystroem_ocsvm": {
        "nu": 0.1,
        "gamma": "neighbours",
        "components": 256,
        "tol": 1e-3,
        "max_iter": 100,
        "random_state": None,
    },
    "kde": {
        "bandwidths": tuple(2 ** (power / 2) for power in range(1, 11)),
        "cv": 5,
        "algorithm": "exact",
        "rtol": 1e-3,
        "contamination": 0.1,
    },
    "knn": {"n_neighbors": 5, "aggregate": "kth", "contamination": 0.1},
    "pca": {"n_components": 0.9, "contamination": 0.1},
    "iforest": {"n_estimators": 100, "max_samples": 256, "contamination": "auto", "random_state": None},
    "dcae": {**NETWORK, "epochs": (250, 100), "contamination": 0.1},
    "rcae": {
        **PRETRAINED,
        "lam": 1.0,
        "iterations": 10,
        "epochs": (100,),
        "learning_rates": (1e-5,),
        "contamination": 0.1,
    },
    "deep_svdd": {**PRETRAINED, "contamination": 0.1, "head": False},
    "soft_deep_svdd": {**PRETRAINED, "nu": 0.1, "warm_up": 10},
    "anogan": {
        **PAPER,
        "latent": 256,
        "widths": (32, 64),
        "feature_weight": 0.1,
        "steps": 500,
        "search_learning_rate": 0.02,
        "search_batch_size": 500,
        "tol": 0.0,
        "n_iter_no_change": 50,
        "epochs": (100,),
        "learning_rates": (2e-4,),
        "contamination": 0.1,
    },
    "neutral_ad": {
        **PAPER,
        "transformations": 11,
        "kind": "multiplicative",
        "hidden": None,
        "code": None,
        "temperature": 0.1,
        "weight_decay": 1e-5,
        "epochs": (100, 100),
        "learning_rates": (1e-3, 5e-4),
        "contamination": 0.1,
    },
    "ocnn": {
        **PRETRAINED,
        **SHARE,
        "hidden": 32,
        "activation": "linear",
        "unit_norm": False,
        "center_codes": False,
        "train_encoder": True,
        "tol": 1e-4,
    },
    "ocnn_released": {**PRETRAINED, **SHARE, "hidden": 32, "contamination": 0.1},
    "ocnn_radial": {"nu": 0.1, "hidden": 512, "gamma": "neighbours", "tol": 1e-4, "random_state": None},
}


@pytest.mark.parametrize("name", METHODS)
def test_what_a_method_does_unless_it_is_told(name: str) -> None:
    found = load_estimator(name)().get_params()
    assert found.keys() == DEFAULTS[name].keys()
    for parameter, value in DEFAULTS[name].items():
        if isinstance(value, tuple):
            assert tuple(found[parameter]) == pytest.approx(value), parameter
        else:
            assert found[parameter] == value, parameter


ABOVE = np.nextafter(1.0, 2.0)
NU = [1e-9, 1, 1.0], [0, -0.5, ABOVE]
#: libsvm's.
BELOW_1 = [1e-9, 0.999], [0, -0.5, 1, 1.0]

#: By method and parameter: values at the ends of its range, and values just beyond.
RANGES: dict[tuple[str, str], tuple[list[Any], list[Any]]] = {
    ("kde", "contamination"): ([1e-9, 0.5], [0, -0.1, 0.51]),
    ("kde", "bandwidths"): ([[1e-9], [1, 2.5], np.array([3.0])], [[], [0.0], [1, -1], [np.inf], [np.nan], ["1"]]),
    ("kde", "cv"): ([2, 3], [1, 2.5]),
    ("kde", "algorithm"): (["exact", "tree"], ["auto"]),
    ("kde", "rtol"): ([0, 0.5], [-1e-9, 1]),
    ("knn", "n_neighbors"): ([1, 7], [0, 1.5]),
    ("knn", "aggregate"): (["kth", "mean"], ["max"]),
    ("pca", "n_components"): ([0, 1, 0.001, 0.999, "mle"], [-1, 0.0, 1.0, 1.5, "all"]),
    ("iforest", "n_estimators"): ([1, 500], [0]),
    ("iforest", "max_samples"): ([2], [1]),
    ("iforest", "contamination"): (["auto", 1e-9, 0.5], [0, 0.51]),
    ("ocsvm", "nu"): BELOW_1,
    ("ocsvm", "gamma"): (["scale", "neighbours", 1e-9], [0, -1, "auto"]),
    ("linear_ocsvm", "nu"): NU,
    ("nystroem_ocsvm", "nu"): NU,
    ("nystroem_ocsvm", "gamma"): (["scale", "neighbours", 1e-9], [0, -1, "auto", [0.1, 0.2]]),
    ("nystroem_ocsvm", "components"): ([1, 5000], [0, 1.5]),
    ("nystroem_ocsvm", "tol"): ([1e-12], [0]),
    ("nystroem_ocsvm", "max_iter"): ([1], [0, 1.5]),
    ("ocnn_radial", "nu"): NU,
    ("ocnn_radial", "hidden"): ([1], [0, 1.5]),
    ("ocnn_radial", "gamma"): (["neighbours", "landmarks", 1e-9], [0, "scale"]),
    ("ocnn_radial", "tol"): ([1e-12], [0]),
    ("dcae", "batch_size"): ([2, "auto"], [1, 2.5, "many"]),
    ("dcae", "weight_decay"): ([0, 0.5], [-1e-9]),
    ("dcae", "network"): (["none", "lenet-mnist", {"kind": "dense"}], ["lenet", 3]),
    ("dcae", "epochs"): (
        [[0, 1], (1, 2), np.array([1, 0]), 1, 0],
        [[], [-1, 1], [1], [1, 2, 3], [0.5, 1], -1, 1.5, "12"],
    ),
    ("dcae", "learning_rates"): (
        [[1e-9, 1], np.array([1.0, 2.0]), 1],
        [[], [0, 1], [-1e-9, 1], [1.0], [1, "1"], 0, "12"],
    ),
    ("deep_svdd", "pretrain_epochs"): ([[0, 0], 0], [[1], [-1, 1], -1]),
    ("deep_svdd", "pretrain_learning_rates"): ([[1.0, 2.0], 1e-9], [[1.0], [1.0, 0.0], 0]),
    ("deep_svdd", "head"): ([True], ["yes"]),
    ("soft_deep_svdd", "nu"): NU,
    ("soft_deep_svdd", "warm_up"): ([0, 1], [-1, 0.5]),
    ("ocnn", "nu"): ([None, *NU[0]], NU[1]),
    ("ocnn", "anomaly_share"): ([0, 0.5], [-0.1, 0.51]),
    ("ocnn", "hidden"): ([1], [0, 1.5]),
    ("ocnn", "activation"): (["linear", "relu", "sigmoid"], ["tanh"]),
    ("ocnn", "unit_norm"): ([True], ["yes"]),
    ("ocnn", "center_codes"): ([True], ["yes"]),
    ("ocnn", "train_encoder"): ([False], ["yes"]),
    ("ocnn", "tol"): ([0], [-1e-9]),
    ("ocnn", "epochs"): ([(1, 0), (0, 1)], [(0, 0), (1,)]),
    ("ocnn_released", "hidden"): ([1], [0, 1.5]),
    ("rcae", "lam"): ([0, 0.5], [-1e-9]),
    ("rcae", "iterations"): ([1, 100], [0, 1.5]),
    ("anogan", "latent"): ([1], [0, 1.5]),
    ("anogan", "widths"): ([[1], (2, 1)], [[], [0], [4, -1], [1.5]]),
    ("anogan", "feature_weight"): ([0, 1], [-1e-9, ABOVE]),
    ("anogan", "steps"): ([1], [0, 1.5]),
    ("anogan", "search_learning_rate"): ([1e-9, 2], [0]),
    ("anogan", "search_batch_size"): ([1], [0, 1.5]),
    ("anogan", "tol"): ([0, 0.5], [-1e-9, 1]),
    ("anogan", "n_iter_no_change"): ([1], [0, 1.5]),
    ("neutral_ad", "transformations"): ([2], [1, 2.5]),
    ("neutral_ad", "kind"): (["residual", "multiplicative"], ["forward"]),
    ("neutral_ad", "hidden"): ([None, 1], [0, 1.5]),
    ("neutral_ad", "code"): ([None, 1], [0, 1.5]),
    ("neutral_ad", "temperature"): ([1e-9, 2], [0]),
    ("neutral_ad", "weight_decay"): ([0, 0.5], [-1e-9]),
}


@pytest.mark.parametrize(("name", "parameter"), RANGES, ids=lambda part: part)
def test_where_the_range_of_a_parameter_ends(name: str, parameter: str) -> None:
    accepted, refused = RANGES[name, parameter]
    estimator = load_estimator(name)
    for value in accepted:
        estimator(**{parameter: value})._validate_params()
    for value in refused:
        with pytest.raises(ValueError, match=rf"(?s)\b{parameter}\b"):
            estimator(**{parameter: value})._validate_params()


def test_what_goes_together_is_refused_together() -> None:
    """ν by the share of anomalies needs one; every fault is named at once."""
    for name in ("ocnn", "ocnn_released"):
        load_estimator(name)(nu=None, anomaly_share=0.01)._validate_params()
        load_estimator(name)(nu=0.5, anomaly_share=0)._validate_params()
        with pytest.raises(ValueError, match="nu=None takes anomaly_share"):
            load_estimator(name)(nu=None, anomaly_share=0)._validate_params()
    with pytest.raises(ValueError, match=r"(?s)unknown network.*pretrain_epochs must be"):
        load_estimator("deep_svdd")(network="lenet", pretrain_epochs=(1,))._validate_params()
    with pytest.raises(ValueError, match="at least one per outer iteration"):
        load_estimator("rcae")(iterations=101)._validate_params()
