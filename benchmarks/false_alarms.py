"""False alarms on new normal samples: by a method's own threshold, and by conformal calibration.

python -m benchmarks.false_alarms [--data breast_cancer segment0] [--methods kde knn] [--splits 20] [--folds 10]
    [--alpha 0.1]

In each split 70 % of the normal rows are the training set, at random, and standardise all. Every method is told to call
a share α of the training set anomalous. The table shows which share of the other normal rows it calls so, in percent:
the mean over the splits, the least and the most; and of the anomalies the mean share that it finds.

- `quantile`: threshold at the α-quantile of the training samples' scores, each by the fit that it is part of.
- `offset_`: the method's own, where that is another one. `kde` leaves the sample's own kernel out; `knn` the sample
  itself in any case; the support vector machines and `ocnn_radial` have theirs from the solver.
- `split`, `cross`: `ConformalDetector` with false_alarms=α, half of the training set left out, or each of the folds;
  the deep methods by `split` alone, as folds take eleven fits in each of the splits.

`breast_cancer` is scikit-learn's; others are tables of the folder that OCNN_MIRROR names, `tables/NAME.csv`.
"""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from benchmarks._measure import machine, positive
from benchmarks._record import Record
from ocnn.methods import (
    DCAE,
    KDE,
    KNN,
    OCSVM,
    PCA,
    RCAE,
    AnoGAN,
    DeepSVDD,
    IForest,
    LinearOCSVM,
    NeuTraLAD,
    NystroemOCSVM,
    OneClassNN,
    OneClassNNRadial,
    OneClassNNReleased,
    SoftDeepSVDD,
)
from ocnn.methods.conformal import ConformalDetector
from ocnn.methods.wrapped import WrappedDetector
from ocnn.steps.runtime import use_threads

#: Which rows of a table are normal.
NORMAL = {"segment0": "negative", "pima": "tested_negative", "wdbc": "B"}
TRAINING_SHARE = 0.7
#: What deep methods share here: short schedules on a small network.
NETWORK: dict[str, Any] = {
    "network": {"kind": "dense", "widths": (64,), "code": 16},
    "batch_size": 64,
    "random_state": 0,
}
FITTED: dict[str, Any] = {"epochs": (20,), "learning_rates": (1e-3,)}
PRETRAINED: dict[str, Any] = {"pretrain_epochs": (30,), "pretrain_learning_rates": (1e-3,)}
DEEP = (
    "dcae",
    "rcae",
    "anogan",
    "neutral_ad",
    "soft_deep_svdd",
    "deep_svdd",
    "ocnn",
    "ocnn_unit_norm",
    "ocnn_released",
)


def methods(alpha: float) -> dict[str, Any]:
    """Every method, told to call this share of the training samples anomalous."""
    trained = {**NETWORK, **FITTED, **PRETRAINED}
    return {
        "kde": KDE(contamination=alpha),
        "knn": KNN(contamination=alpha),
        "pca": PCA(contamination=alpha),
        "iforest": IForest(contamination=alpha, random_state=0),
        "ocsvm": OCSVM(nu=alpha),
        "ocsvm_neighbours": OCSVM(nu=alpha, gamma="neighbours"),
        "linear_ocsvm": LinearOCSVM(nu=alpha),
        "nystroem_ocsvm": NystroemOCSVM(nu=alpha, components=100, random_state=0),
        "ocnn_radial": OneClassNNRadial(nu=alpha, random_state=0),
        "dcae": DCAE(contamination=alpha, **NETWORK, **{**FITTED, "epochs": (30,)}),
        "rcae": RCAE(contamination=alpha, lam=10, iterations=3, **trained),
        "anogan": AnoGAN(
            contamination=alpha,
            latent=16,
            widths=(64, 64),
            batch_size=64,
            epochs=(30,),
            learning_rates=(1e-3,),
            steps=50,
            search_learning_rate=0.1,
            random_state=0,
        ),
        "neutral_ad": NeuTraLAD(contamination=alpha, batch_size=64, random_state=0, **FITTED),
        "soft_deep_svdd": SoftDeepSVDD(nu=alpha, warm_up=5, **trained),
        "deep_svdd": DeepSVDD(contamination=alpha, **trained),
        "ocnn": OneClassNN(nu=alpha, **trained),
        "ocnn_unit_norm": OneClassNN(nu=alpha, unit_norm=True, center_codes=True, **trained),
        "ocnn_released": OneClassNNReleased(nu=alpha, contamination=alpha, **trained),
        "scikit-learn's LOF": WrappedDetector(LocalOutlierFactor(contamination=alpha, novelty=True)),
        "scikit-learn's envelope": WrappedDetector(EllipticEnvelope(contamination=alpha, random_state=0)),
    }


def load(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The normal rows of a table and the others, (n, d) each."""
    if name == "breast_cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return X[y == 1], X[y == 0]
    frame = pd.read_csv(Path(os.environ["OCNN_MIRROR"]) / "tables" / f"{name}.csv")
    X, normal = frame.drop(columns="label").to_numpy(float), frame["label"] == NORMAL[name]
    return X[normal], X[~normal]


def shares(
    model: Any, alpha: float, folds: int | None, train: NDArray[Any], new: NDArray[Any], anomalies: NDArray[Any]
) -> dict[str, tuple[float, float]]:
    """For each threshold the shares of new normal rows and of anomalies that it calls anomalous, in percent."""
    model.fit(train)
    quantile = np.quantile(model.training_scores_, alpha)
    found = {
        name: tuple(100 * (model.score_samples(X) < threshold).mean() for X in (new, anomalies))
        for name, threshold in (("quantile", quantile), ("offset_", model.offset_))
    }
    calibrations = {"split": None} if folds is None else {"split": None, "cross": folds}
    for name, cv in calibrations.items():
        calibrated = ConformalDetector(model, false_alarms=alpha, cv=cv, random_state=0).fit(train)
        found[name] = tuple(100 * (calibrated.predict(X) == -1).mean() for X in (new, anomalies))
    return found


def table(data: str, splits: int, alpha: float, folds: int, chosen: list[str] | None) -> list[Mapping[str, Any]]:
    """The rows to be shown of a table."""
    normal, anomalies = load(data)
    rows: list[Mapping[str, Any]] = []
    for name, model in methods(alpha).items():
        if chosen is not None and name not in chosen:
            continue
        found = []
        for seed in range(splits):
            train, new = train_test_split(normal, train_size=TRAINING_SHARE, random_state=seed)
            scaler = StandardScaler().fit(train)
            parts = map(scaler.transform, (train, new, anomalies))
            found.append(shares(model, alpha, None if name in DEEP else folds, *parts))
        row: dict[str, Any] = {"data": data, "method": name}
        for threshold in ("quantile", "offset_", "split", "cross"):
            if threshold not in found[0]:
                row |= {threshold: "–", f"found by {threshold}": "–"}
                continue
            alarms, hits = (np.array([split[threshold][part] for split in found]) for part in (0, 1))
            row[threshold] = f"{alarms.mean():.1f} ({alarms.min():.0f} to {alarms.max():.0f})"
            row[f"found by {threshold}"] = f"{hits.mean():.0f}"
        rows.append(row)
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["breast_cancer"], choices=["breast_cancer", *NORMAL])
    parser.add_argument("--methods", nargs="+", choices=list(methods(0.1)))
    parser.add_argument("--splits", type=positive, default=20)
    parser.add_argument("--folds", type=positive, default=10)
    parser.add_argument("--alpha", type=float, default=0.1)
    options = parser.parse_args()
    use_threads(1)
    print(machine())
    record = Record(__file__, vars(options))
    how = (options.splits, options.alpha, options.folds, options.methods)
    record.keep(
        [row for data in options.data for row in table(data, *how)],
        by=["data", "method"],
    )


if __name__ == "__main__":
    main()
