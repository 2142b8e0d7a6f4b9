"""One case of `benchmarks.growth`: fits a detector to random rows, scores them, and prints what that took, as JSON."""

import json
import resource
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._measure import timed
from ocnn.steps.runtime import use_threads

Rows = NDArray[np.float64]
NU, NEIGHBOURS, COMPONENTS, SEED = 0.1, 5, 256, 0


def bandwidth(rows: Rows) -> float:
    """Scott's rule, for features of variance 1."""
    return float(len(rows) ** (-1 / (rows.shape[1] + 4)))


def _ours(name: str, **settings: Any) -> Callable[[Rows], Any]:
    return lambda rows: getattr(import_module("ocnn.methods"), name)(**settings).fit(rows)


def _pyod(module: str, name: str, **settings: Any) -> Callable[[Rows], Any]:
    return lambda rows: getattr(import_module(f"pyod.models.{module}"), name)(**settings).fit(rows)


def _machine(rows: Rows) -> Any:
    from sklearn.svm import OneClassSVM

    return OneClassSVM(nu=NU, gamma="scale").fit(rows).score_samples(rows)


def _linear_machine(rows: Rows) -> Any:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import SGDOneClassSVM
    from sklearn.pipeline import make_pipeline

    gamma = 1 / (rows.shape[1] * rows.var())
    features = Nystroem(gamma=gamma, n_components=COMPONENTS, random_state=SEED)
    return make_pipeline(features, SGDOneClassSVM(nu=NU, random_state=SEED)).fit(rows).score_samples(rows)


def _density(rows: Rows) -> Any:
    from sklearn.neighbors import KernelDensity

    return KernelDensity(bandwidth=bandwidth(rows)).fit(rows).score_samples(rows)


def _coarse_density(rows: Rows) -> Any:
    from sklearn.neighbors import KernelDensity

    return KernelDensity(bandwidth=bandwidth(rows), rtol=1e-3).fit(rows).score_samples(rows)


def _neighbours(rows: Rows) -> Any:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=NEIGHBOURS).fit(rows).kneighbors()


def _forest(rows: Rows) -> Any:
    from sklearn.ensemble import IsolationForest

    return IsolationForest(max_samples=256, random_state=SEED).fit(rows).score_samples(rows)


def _components(rows: Rows) -> Any:
    from sklearn.decomposition import PCA

    model = PCA(0.9).fit(rows)
    return np.square(rows - model.inverse_transform(model.transform(rows))).sum(axis=1)


#: By method and side: fits to rows (n, d) and scores them.
CASES: dict[str, dict[str, Callable[[Rows], Any]]] = {
    "ocsvm": {"ours": _ours("OCSVM", nu=NU), "scikit-learn": _machine, "PyOD": _pyod("ocsvm", "OCSVM", nu=NU)},
    "nystroem_ocsvm": {
        "ours": _ours("NystroemOCSVM", nu=NU, gamma="scale", components=COMPONENTS, random_state=SEED),
        "scikit-learn": _linear_machine,
    },
    "kde": {
        "ours": lambda rows: _ours("KDE", bandwidths=[bandwidth(rows)])(rows),
        "scikit-learn": _density,
        "PyOD": lambda rows: _pyod("kde", "KDE", bandwidth=bandwidth(rows))(rows),
    },
    "kde by trees": {
        "ours": lambda rows: _ours("KDE", bandwidths=[bandwidth(rows)], algorithm="tree")(rows),
        "scikit-learn": _coarse_density,
    },
    "knn": {
        "ours": _ours("KNN", n_neighbors=NEIGHBOURS),
        "scikit-learn": _neighbours,
        "PyOD": _pyod("knn", "KNN", n_neighbors=NEIGHBOURS),
    },
    "iforest": {
        "ours": _ours("IForest", random_state=SEED),
        "scikit-learn": _forest,
        "PyOD": _pyod("iforest", "IForest", random_state=SEED),
    },
    "pca": {"ours": _ours("PCA"), "scikit-learn": _components, "PyOD": _pyod("pca", "PCA")},
    "ocnn_radial": {"ours": _ours("OneClassNNRadial", random_state=SEED)},
}


def main() -> None:
    """Measures the case that the command line names: method, side, rows, features, threads."""
    method, side, count, dimension, threads = sys.argv[1:]
    use_threads(int(threads))
    warnings.simplefilter("ignore")
    rows = np.random.default_rng(SEED).normal(size=(int(count), int(dimension)))
    work = CASES[method][side]
    work(rows[:50])  # what is imported at the first call
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cost = asdict(timed(lambda: work(rows)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**cost, "peak": peak - before}))


if __name__ == "__main__":
    main()
