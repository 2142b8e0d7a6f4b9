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
from ocnn.methods.gaussian import MEASURED
from ocnn.steps.runtime import use_threads

Rows = NDArray[np.float64]
NU, NEIGHBOURS, COMPONENTS, SEED = 0.1, 5, 256, 0
#: Of radial OC-NN.
HIDDEN = 512
#: Of deep methods; where it says so, both sides have the batches of `SAME`, and else each what it takes by itself.
WIDTHS, EPOCHS, RATE = (128, 32), 20, 1e-3
SAME = {"batch_size": 256}
#: PyOD's Deep SVDD starts from random weights.
UNTRAINED = {"pretrain_epochs": 0, "pretrain_learning_rates": RATE}


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


def _radial_machine(rows: Rows) -> Any:
    """What radial OC-NN minimises, by libsvm, γ by its rule."""
    from sklearn.metrics.pairwise import rbf_kernel
    from sklearn.neighbors import NearestNeighbors
    from sklearn.svm import OneClassSVM

    rng = np.random.default_rng(SEED)
    some, landmarks = (rng.permutation(rows)[:count] for count in (MEASURED, HIDDEN))
    distances = NearestNeighbors().fit(rows).kneighbors(some, n_neighbors=2)[0][:, 1]
    features = rbf_kernel(rows, landmarks, gamma=1 / float(np.median(np.square(distances))))
    return OneClassSVM(kernel="linear", nu=NU).fit(features).score_samples(features)


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


def _deep(name: str, batch: dict[str, int], **settings: Any) -> Callable[[Rows], Any]:
    """A deep method of ours, of the same widths and epochs as PyOD's."""
    network = {"kind": "dense", "widths": [WIDTHS[0]], "code": WIDTHS[1]}
    given = {"network": network, "epochs": EPOCHS, "learning_rates": RATE, "random_state": SEED, **batch, **settings}
    return lambda rows: _ours(name, **given)(rows).training_scores_


def _autoencoder(**batch: int) -> Callable[[Rows], Any]:
    """PyOD's, with its own dropout and batch normalisation."""
    given = {"hidden_neuron_list": list(WIDTHS), "epoch_num": EPOCHS, "lr": RATE, "random_state": SEED, "verbose": 0}
    return _pyod("auto_encoder", "AutoEncoder", **given, **batch)


def _deep_svdd(**batch: int) -> Callable[[Rows], Any]:
    """PyOD's, which pretrains nothing."""
    given = {
        "hidden_neurons": list(WIDTHS),
        "epochs": EPOCHS,
        "learning_rate": RATE,
        "random_state": SEED,
        "verbose": 0,
    }
    return lambda rows: _pyod("deep_svdd", "DeepSVDD", n_features=rows.shape[1], **given, **batch)(rows)


#: Methods of PyOD that need PyTorch.
NEED_PYTORCH = ("dcae", "dcae, same batches", "deep_svdd", "deep_svdd, same batches")
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
    "ocnn_radial": {
        "ours": _ours("OneClassNNRadial", nu=NU, hidden=HIDDEN, random_state=SEED),
        "scikit-learn": _radial_machine,
    },
    "dcae": {"ours": _deep("DCAE", {}), "PyOD": _autoencoder()},
    "dcae, same batches": {"ours": _deep("DCAE", SAME), "PyOD": _autoencoder(**SAME)},
    "deep_svdd": {"ours": _deep("DeepSVDD", {}, **UNTRAINED), "PyOD": _deep_svdd()},
    "deep_svdd, same batches": {"ours": _deep("DeepSVDD", SAME, **UNTRAINED), "PyOD": _deep_svdd(**SAME)},
}


def main() -> None:
    """Measures the case that the command line names: method, side, rows, features, threads."""
    method, side, count, dimension, threads = sys.argv[1:]
    use_threads(int(threads))
    warnings.simplefilter("ignore")
    rows = np.random.default_rng(SEED).normal(size=(int(count), int(dimension)))
    work = CASES[method][side]
    # What is imported and compiled at the first call; PyOD needs a full batch.
    work(np.random.default_rng(SEED + 1).normal(size=(2 * SAME["batch_size"], int(dimension))))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cost = asdict(timed(lambda: work(rows)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**cost, "peak": peak - before}))


if __name__ == "__main__":
    main()
