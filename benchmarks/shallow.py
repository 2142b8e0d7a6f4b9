"""`kde` and `ocsvm` against what scikit-learn offers for the same: the same choices, the same scores.

python -m benchmarks.shallow [--methods kde ocsvm] [--train 6000] [--test 10000] [--threads 1] [--repeats 1]

kde: `GridSearchCV(KernelDensity(), …, cv=5)`, then `score_samples` of the training and of the test samples.
ocsvm: `OneClassSVM` fitted for each γ and scored on a holdout; the best one's `score_samples` of both.
Both sides take turns in this process. scikit-learn's density takes minutes at full size and grows with the square of
the samples: --train 1500 --test 2500 is a sixteenth of it.
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.svm import OneClassSVM

from benchmarks._data import Samples, load_samples, mirrored
from benchmarks._measure import Cost, alternate, machine, median, show, timed
from ocnn.methods import KDE, OCSVM
from ocnn.methods.kde import BANDWIDTHS
from ocnn.runtime import use_threads

GAMMAS = [2.0**exponent for exponent in range(-10, 0)]
NU = 0.1
#: Largest difference of a score, and of an AUC, that counts as the same.
TOLERANCE = 1e-6

#: The choice from the grid, and the scores of the training and of the test samples.
Scores = tuple[float, NDArray[np.float64], NDArray[np.float64]]


def kde_of_scikit_learn(samples: Samples) -> Scores:
    """A grid search over tree-based densities."""
    search = GridSearchCV(KernelDensity(), {"bandwidth": BANDWIDTHS}, cv=5).fit(samples.train)
    chosen = search.best_estimator_
    return chosen.bandwidth, chosen.score_samples(samples.train), chosen.score_samples(samples.test)


def kde(samples: Samples) -> Scores:
    """This project's estimator."""
    model = KDE(bandwidths=BANDWIDTHS, cv=5).fit(samples.train)
    return model.bandwidth_, model.training_scores_, model.score_samples(samples.test)


def ocsvm_of_scikit_learn(samples: Samples) -> Scores:
    """A fit with scikit-learn's own kernel for each γ."""
    held_out, labels = samples.test[samples.holdout], samples.test_labels[samples.holdout]
    models = [OneClassSVM(kernel="rbf", nu=NU, gamma=gamma).fit(samples.train) for gamma in GAMMAS]
    aucs = [roc_auc_score(labels, model.decision_function(held_out)) for model in models]
    best = models[int(np.argmax(aucs))]
    return best.gamma, best.score_samples(samples.train), best.score_samples(samples.test)


def ocsvm(samples: Samples) -> Scores:
    """This project's estimator."""
    held_out, labels = samples.test[samples.holdout], samples.test_labels[samples.holdout]
    model = OCSVM(nu=NU, gamma=GAMMAS).fit(samples.train, X_holdout=held_out, y_holdout=labels)
    return model.gamma_, model.training_scores_, model.score_samples(samples.test)


CONTESTANTS: dict[str, tuple[Callable[[Samples], Scores], Callable[[Samples], Scores]]] = {
    "kde": (kde, kde_of_scikit_learn),
    "ocsvm": (ocsvm, ocsvm_of_scikit_learn),
}


def compare(method: str, samples: Samples, repeats: int) -> dict[str, Any]:
    """Times both sides.

    Raises:
        SystemExit: they do not give the same.
    """
    results: dict[str, Scores] = {}

    def run(side: str, work: Callable[[Samples], Scores]) -> Cost:
        return timed(lambda: results.update({side: work(samples)}))

    sides = zip(("ours", "scikit-learn"), CONTESTANTS[method], strict=True)
    costs = alternate({side: partial(run, side, work) for side, work in sides}, repeats)
    (chosen, *own), (expected, *theirs) = results["ours"], results["scikit-learn"]
    score_difference = max(float(np.abs(a - b).max()) for a, b in zip(own, theirs, strict=True))
    labels = (samples.train_labels, samples.test_labels)
    aucs = [[float(roc_auc_score(y, s)) for y, s in zip(labels, side, strict=True)] for side in (own, theirs)]
    auc_difference = max(abs(a - b) for a, b in zip(*aucs, strict=True))
    if chosen != expected or max(score_difference, auc_difference) > TOLERANCE:
        raise SystemExit(
            f"{method}: chosen {chosen}, scikit-learn {expected}; scores differ by {score_difference:.2g}, AUCs by"
            f" {auc_difference:.2g}"
        )
    ours, sklearn = median(costs["ours"]), median(costs["scikit-learn"])
    return {
        "method": method,
        "ours s": ours.wall,
        "scikit-learn s": sklearn.wall,
        "times faster": sklearn.wall / ours.wall,
        "times faster, CPU s": sklearn.cpu / ours.cpu,
        "chosen": chosen,
        "AUC train": aucs[0][0],
        "AUC test": aucs[0][1],
        "largest difference of a score": score_difference,
        "of an AUC": auc_difference,
    }


def main() -> None:
    """Measures, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--train", type=int, default=6000, help="training samples")
    parser.add_argument("--test", type=int, default=10_000, help="test samples, a tenth of them the holdout")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    samples = load_samples(arguments.train, arguments.test)
    kind = "MNIST" if mirrored() else "drawn images"
    print(
        f"{machine()}, {arguments.threads} thread(s); {kind}, {samples.train.shape} training and"
        f" {samples.test.shape} test samples",
        flush=True,
    )
    for method in arguments.methods:
        show([compare(method, samples, arguments.repeats)])


if __name__ == "__main__":
    main()
