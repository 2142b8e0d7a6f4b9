"""`kde` and `ocsvm` against what scikit-learn offers for the same: the same choices, the same scores.

python -m benchmarks.shallow [--methods kde ocsvm] [--train 6000] [--test 10000] [--threads 1] [--repeats 1]

kde: `GridSearchCV(KernelDensity(), …, cv=5)`, then `score_samples` of the training and of the test samples.
ocsvm: `OneClassSVM` fitted for each γ and scored on a holdout; the best one's `score_samples` of both.
Both sides take turns in this process. scikit-learn's density takes minutes at full size and grows with the square of
the samples: --train 1500 --test 2500 is a sixteenth of it.
"""

import argparse
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks._data import Samples, load_samples, mirrored
from benchmarks._measure import Cost, alternate, machine, median, show, timed
from benchmarks._peers import GridSearchedKDE, RefittedOCSVM
from ocnn.methods import KDE, OCSVM
from ocnn.steps.runtime import use_threads

GAMMAS = [2.0**exponent for exponent in range(-10, 0)]
NU = 0.1
#: Largest difference of a score, and of an AUC, that counts as the same.
TOLERANCE = 1e-6

#: The choice from the grid, and the scores of the training and of the test samples.
Scores = tuple[float, NDArray[np.float64], NDArray[np.float64]]


def scores(estimator: Any, samples: Samples) -> Scores:
    """Fits an estimator and scores with it."""
    held_out: dict[str, Any] = {}
    if isinstance(estimator, OCSVM):
        rows = samples.holdout
        held_out = {"X_holdout": samples.test[rows], "y_holdout": samples.test_labels[rows]}
    estimator.fit(samples.train, **held_out)
    chosen = estimator.gamma_ if held_out else estimator.bandwidth_
    return chosen, estimator.training_scores_, estimator.score_samples(samples.test)


#: This project's estimator, and scikit-learn's way.
CONTESTANTS = {
    "kde": (KDE(), GridSearchedKDE()),
    "ocsvm": (OCSVM(nu=NU, gamma=GAMMAS), RefittedOCSVM(nu=NU, gamma=GAMMAS)),
}


def compare(method: str, samples: Samples, repeats: int) -> dict[str, Any]:
    """Times both sides.

    Raises:
        SystemExit: they do not give the same.
    """
    results: dict[str, Scores] = {}

    def run(side: str, estimator: Any) -> Cost:
        return timed(lambda: results.update({side: scores(estimator, samples)}))

    sides = zip(("ours", "scikit-learn"), CONTESTANTS[method], strict=True)
    costs = alternate({side: partial(run, side, estimator) for side, estimator in sides}, repeats)
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
