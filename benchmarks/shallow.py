"""`kde` and `ocsvm` against other ways to the same: the same choices, the same scores.

python -m benchmarks.shallow [--methods kde ocsvm] [--sides ours NumPy] [--train 6000] [--test 10000] [--threads 1]
    [--repeats 5]

Each is fitted and scores the training and the test samples. scikit-learn's way of `kde` is
`GridSearchCV(KernelDensity(), …, cv=5)`, and of `ocsvm` an `OneClassSVM` for each γ. The best that one would write
by hand, `NumPy`, has its squared distances from a matrix product (`benchmarks._peers`).

All take turns in this process; ratios are to ours, and that to the best of the others counts. scikit-learn's density
asks trees that can leave nothing out in 784 dimensions. It takes minutes at full size and grows with the square of the
samples: --train 1500 --test 2500 is a sixteenth of it.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks._data import Samples, kind, load_samples
from benchmarks._measure import Cost, alternate, machine, median, positive, spread, timed
from benchmarks._peers import GridSearchedKDE, NumPyKDE, PrecomputedOCSVM, RefittedOCSVM
from benchmarks._record import Record
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


#: For each method what is compared, this project's estimator first.
CONTESTANTS: dict[str, dict[str, Any]] = {
    "kde": {"ours": KDE(), "NumPy": NumPyKDE(), "scikit-learn": GridSearchedKDE()},
    "ocsvm": {
        "ours": OCSVM(nu=NU, gamma=GAMMAS),
        "NumPy": PrecomputedOCSVM(nu=NU, gamma=GAMMAS),
        "scikit-learn": RefittedOCSVM(nu=NU, gamma=GAMMAS),
    },
}
SIDES = ("ours", "NumPy", "scikit-learn")


def compare(method: str, sides: Sequence[str], samples: Samples, repeats: int) -> list[dict[str, Any]]:
    """Times the sides of a method.

    Raises:
        SystemExit: they do not give the same.
    """
    results: dict[str, Scores] = {}

    def run(side: str) -> Cost:
        return timed(lambda: results.update({side: scores(CONTESTANTS[method][side], samples)}))

    costs = alternate({side: partial(run, side) for side in sides}, repeats)
    differences = {side: difference(method, side, results, samples) for side in sides}
    ours = median(costs["ours"])
    return [
        {
            "method": method,
            "side": side,
            "CPU s": median(costs[side]).cpu,
            "from - to": spread(costs[side]),
            "wall s": median(costs[side]).wall,
            "/ ours, CPU s": median(costs[side]).cpu / ours.cpu,
            "/ ours, wall": median(costs[side]).wall / ours.wall,
            "chosen": results[side][0],
            "largest difference of a score": differences[side],
        }
        for side in sides
    ]


def difference(method: str, side: str, results: dict[str, Scores], samples: Samples) -> float:
    """The largest difference of a score from ours.

    Raises:
        SystemExit: it is more than rounding, or something else was chosen from the grid.
    """
    (chosen, *own), (other, *theirs) = results["ours"], results[side]
    labels = (samples.train_labels, samples.test_labels)
    of_scores = max(float(np.abs(a - b).max()) for a, b in zip(own, theirs, strict=True))
    aucs = [[float(roc_auc_score(y, s)) for y, s in zip(labels, both, strict=True)] for both in (own, theirs)]
    of_aucs = max(abs(a - b) for a, b in zip(*aucs, strict=True))
    if chosen != other or max(of_scores, of_aucs) > TOLERANCE:
        raise SystemExit(
            f"{method}: chosen {chosen}, {side} {other}; scores differ by {of_scores:.2g}, AUCs by {of_aucs:.2g}"
        )
    return of_scores


def main() -> None:
    """Measures, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), help="beside ours")
    parser.add_argument("--train", type=positive, default=6000, help="training samples")
    parser.add_argument("--test", type=positive, default=10_000, help="test samples, a tenth of them the holdout")
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--repeats", type=positive, default=5)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    samples = load_samples(arguments.train, arguments.test)
    images = kind()
    print(
        f"{machine()}, {arguments.threads} thread(s); {images}, {samples.train.shape} training and"
        f" {samples.test.shape} test samples",
        flush=True,
    )
    record = Record(__file__, {**vars(arguments), "samples": images})
    sides = [side for side in SIDES if side == "ours" or side in arguments.sides]
    for method in arguments.methods:
        rows = compare(method, sides, samples, arguments.repeats)
        record.keep(rows, by=["method", "side"], followed=["/ ours, CPU s"])


if __name__ == "__main__":
    main()
