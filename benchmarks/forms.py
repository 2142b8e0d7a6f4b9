"""Which form of Eq. 3 detects best on given features? Hidden units, landmarks, widths and constraints, beside `knn`.

python -m benchmarks.forms [--data digits] [--normals 3 8] [--seeds 1] [--forms NAME …]
python -m benchmarks.forms --data mnist --normals 0 5 8
python -m benchmarks.forms --data tables --seeds 2

Features are the codes of the shared autoencoder, trained as in `representation`, or the columns of the real tables of
OCNN_MIRROR. For each form the test AUC of every normal class or table, the mean over seeds, and how many fits
converged. It belongs to docs/theory.md.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.kernel_approximation import RBFSampler
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import LinearSVC

from benchmarks import _data, tables
from benchmarks._measure import machine, positive
from benchmarks._record import Record
from benchmarks.representation import RATES, SETTINGS, samples
from ocnn.methods import DCAE, KNN, OCSVM, LinearOCSVM, OneClassNN, OneClassNNRadial
from ocnn.methods.gaussian import gaussian_kernel, neighbour_gamma
from ocnn.methods.reduced_hull import Rows, nearest_point
from ocnn.steps.runtime import use_threads

Features = NDArray[np.float64]
#: Scores of test samples, higher for normal ones, and whether the fit converged: of training and test features, a seed.
Form = Callable[[Features, Features, int], tuple[Features, bool]]
HIDDEN, NU, TOLERANCE = 512, 0.1, 1e-4
TABLES = Path(os.environ.get("OCNN_MIRROR", ".")) / "tables"
#: Of landmarks with a width each: the neighbour that says how wide.
NEIGHBOUR = 10


def detector(make: Callable[..., Any], **settings: Any) -> Form:
    """A form that is an estimator; `random_state` is the seed where it has one."""

    def form(train: Features, test: Features, seed: int) -> tuple[Features, bool]:
        model = make(**settings)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        scores = model.fit(train).score_samples(test)
        return scores, model.diagnosis_.status == "converged"

    return form


def units(activation: Callable[[Features], Features], *, gamma: float = 1, centres: str = "samples") -> Form:
    """Hidden units that are a function of γ‖x − c‖², at `HIDDEN` landmarks c, solved exactly.

    Args:
        activation: the function.
        gamma: times the γ of `neighbour_gamma`.
        centres: `samples`, drawn; `k-means`; or `own width`: drawn, each with a γ by the distance to its own
            `NEIGHBOUR`-th neighbour, as a share of the median one.
    """

    def form(train: Features, test: Features, seed: int) -> tuple[Features, bool]:
        rule = gamma * neighbour_gamma(train)
        if centres == "k-means":
            count = min(HIDDEN, len(np.unique(train, axis=0)))
            landmarks = KMeans(count, n_init=1, random_state=seed).fit(train).cluster_centers_
        else:
            landmarks = train[np.random.default_rng(seed).permutation(len(train))[:HIDDEN]]
        widths = np.full(len(landmarks), rule)
        if centres == "own width":
            found = NearestNeighbors(n_neighbors=NEIGHBOUR + 1).fit(train).kneighbors(landmarks)[0][:, -1]
            widths = rule * np.median(found) / np.maximum(found, 0.01 * np.median(found))
        return solved(
            activation(widths * cdist(train, landmarks, "sqeuclidean")),
            activation(widths * cdist(test, landmarks, "sqeuclidean")),
        )

    return form


def fourier(train: Features, test: Features, seed: int) -> tuple[Features, bool]:
    """Random Fourier features of the Gaussian kernel (Rahimi and Recht 2007), as many as there are radial units."""
    sampler = RBFSampler(gamma=neighbour_gamma(train), n_components=HIDDEN, random_state=seed).fit(train)
    return solved(sampler.transform(train), sampler.transform(test))


def solved(train: Features, test: Features) -> tuple[Features, bool]:
    """The exact w of Eq. 3 for given features."""
    found = nearest_point(Rows(train), NU, TOLERANCE)
    return test @ found.w, bool(found.depth) and found.excess <= TOLERANCE * found.depth


def fixed_bias(train: Features, test: Features, seed: int) -> tuple[Features, bool]:
    """Radial units and r = 1 in place of a free r: a support vector machine of samples and their mirror images."""
    radial = OneClassNNRadial(hidden=HIDDEN, nu=NU, random_state=seed).fit(train)
    features, tested = (
        gaussian_kernel(rows - radial.origin_, radial.landmarks_, radial.gamma_) for rows in (train, test)
    )
    model = LinearSVC(loss="hinge", C=0.5 / (NU * len(train)), fit_intercept=False, max_iter=100_000, random_state=seed)
    model.fit(np.concatenate([features, -features]), np.repeat([1, -1], len(train)))
    return tested @ model.coef_[0], bool(model.n_iter_ < model.max_iter)


TRAINED: dict[str, Any] = {"network": "none", "nu": NU, "epochs": (50,), "learning_rates": (1e-3,)}
FORMS: dict[str, Form] = {
    "radial": detector(OneClassNNRadial, hidden=HIDDEN, nu=NU),
    "radial, 128 units": detector(OneClassNNRadial, hidden=128, nu=NU),
    "radial, 2,048 units": detector(OneClassNNRadial, hidden=2048, nu=NU),
    "radial, all samples": detector(OneClassNNRadial, hidden=10**6, nu=NU),
    "radial, nu 0.5": detector(OneClassNNRadial, hidden=HIDDEN, nu=0.5),
    "radial, k-means centres": units(lambda squared: np.exp(-squared), centres="k-means"),
    "radial, k-means centres, twice the gamma": units(lambda squared: np.exp(-squared), gamma=2, centres="k-means"),
    "radial, own widths": units(lambda squared: np.exp(-squared), centres="own width"),
    "radial, r = 1": fixed_bias,
    "Laplacian units": units(lambda squared: np.exp(-np.sqrt(squared))),
    "Cauchy units": units(lambda squared: 1 / (1 + squared)),
    "random Fourier features": fourier,
    "sigmoid units, trained": detector(OneClassNN, activation="sigmoid", **TRAINED),
    "linear units, unit norm, trained": detector(OneClassNN, unit_norm=True, center_codes=True, **TRAINED),
    # Its direction is also that of ‖w‖ = 1 in place of ½‖w‖².
    "linear, exact": detector(LinearOCSVM, nu=NU),
    "ocsvm, neighbours": detector(OCSVM, nu=NU, gamma="neighbours"),
    "knn": detector(KNN),
}


def tasks(
    data: str, normals: list[str], seeds: int
) -> Iterator[tuple[str, int, Features, Features, NDArray[np.bool_]]]:
    """Yield name, seed, training and test features, and which of the latter are normal."""
    if data == "tables":
        for name in tables.NORMAL if normals == ["all"] else normals:
            for seed in range(seeds):
                for train, test, is_normal in tables.splits(TABLES / f"{name}.csv", seed, 1000):
                    yield name, seed, train, test, is_normal
        return
    settings = {name: value for name, value in SETTINGS[data].items() if name != "contamination"}
    for normal in normals:
        for seed in range(seeds):
            fitted, tested, is_anomaly = samples(data, normal, seed)
            dcae = DCAE(**settings, learning_rates=RATES, random_state=seed).fit(fitted)
            yield normal, seed, dcae.transform(fitted).astype(float), dcae.transform(tested).astype(float), ~is_anomaly


def summarise(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Arrange AUCs as forms × normal classes or tables.

    Args:
        table: columns form, task, AUC in percent, converged.
    """
    aucs = table.pivot_table(index="form", columns="task", values="AUC", sort=False)
    ranks = aucs.rank(ascending=False).mean(axis=1)
    settled = table.groupby("form")["converged"].agg(lambda found: f"{found.sum()} of {len(found)}")
    return [
        {
            "form": form,
            **{str(task): value for task, value in aucs.loc[form].round(1).items()},
            "mean": aucs.loc[form].mean(),
            "mean rank": ranks[form],
            "converged": settled[form],
        }
        for form in map(str, aucs.index)
    ]


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", choices=[*SETTINGS, "tables"], default="digits", help="all but digits need OCNN_MIRROR"
    )
    parser.add_argument("--normals", nargs="+", help="normal classes, or names of tables; by default 3 and 8, or all")
    parser.add_argument("--seeds", type=positive, default=1)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    arguments = parser.parse_args()
    if arguments.data != "tables":
        _data.require(arguments.data)
    elif not TABLES.is_dir():
        raise SystemExit(f"There is no folder {TABLES}: OCNN_MIRROR must name a folder with the tables.")
    use_threads(1)
    print(machine(), flush=True)
    record = Record(__file__, vars(arguments))
    normals = arguments.normals or (["all"] if arguments.data == "tables" else ["3", "8"])
    rows = []
    for task, seed, train, test, is_normal in tasks(arguments.data, normals, arguments.seeds):
        for name in arguments.forms:
            scores, converged = FORMS[name](train, test, seed)
            rows.append(
                {
                    "form": name,
                    "task": task,
                    "seed": seed,
                    "AUC": 100 * float(roc_auc_score(is_normal, scores)),
                    "converged": converged,
                }
            )
        print(f"{task}, seed {seed}: done", flush=True)
    record.keep(summarise(pd.DataFrame(rows)), by=["form"], followed=["mean", "mean rank"])


if __name__ == "__main__":
    main()
