"""Radial OC-NN beside other methods on real tables: test AUC, every method with its defaults unless said.

python -m benchmarks.tables [--seeds 3] [--limit 1000] [--tables wdbc pima …] [--output FILE]

The folder `tables` of OCNN_MIRROR holds CSV files, the last column `label`. A seed draws half of the normal rows to
fit; the other half and all anomalous rows are the test. Columns are standardised by the fitted rows, texts one-hot.
`optdigits` and `penbased` take three digits each as normal in turn, and count as one table.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder

from benchmarks._measure import machine, positive
from benchmarks._record import Record
from ocnn.methods import KNN, OCSVM, IForest, OneClassNNRadial
from ocnn.methods.gaussian import neighbour_gamma
from ocnn.steps.runtime import use_threads

#: Normal labels of each table, each tuple in turn.
NORMAL: dict[str, tuple[tuple[str, ...], ...]] = {
    "german": (("1",),),
    "ionosphere": (("g",),),
    "magic": (("g",),),
    "mushroom": (("e",),),
    "optdigits": (("0",), ("3",), ("8",)),
    "penbased": (("0",), ("3",), ("8",)),
    "pima": (("tested_negative",),),
    "satimage": (("1", "3", "7"),),
    "segment0": (("negative",),),
    "spambase": (("0",),),
    "vowel0": (("negative",),),
    "wdbc": (("B",),),
}
Samples = NDArray[np.float64]


def splits(path: Path, seed: int, limit: int) -> Iterator[tuple[Samples, Samples, NDArray[np.bool_]]]:
    """Yield fitted rows, at most `limit`, test rows, at most three times as many, and which of these are normal."""
    table = pd.read_csv(path)
    labels = table.pop("label").astype(str)
    for normal in NORMAL[path.stem]:
        rng = np.random.default_rng(seed)
        is_normal = labels.isin(normal).to_numpy()
        drawn = rng.permutation(np.flatnonzero(is_normal))
        half = len(drawn) // 2
        fitted = drawn[:half][:limit]
        tested = rng.permutation([*drawn[half:], *np.flatnonzero(~is_normal)])[: 3 * limit]
        numbers = table.select_dtypes("number").to_numpy(float)
        mean, deviation = numbers[fitted].mean(axis=0), numbers[fitted].std(axis=0)
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        texts = table.select_dtypes(exclude="number").to_numpy(str)
        indicators = encoder.fit(texts[fitted]).transform(texts) if texts.size else np.empty((len(table), 0))
        numbers = np.hstack([(numbers - mean) / np.where(deviation > 0, deviation, 1), indicators])
        yield numbers[fitted], numbers[tested], is_normal[tested]


def contestants(X: Samples, seed: int) -> dict[str, Any]:
    """Make the methods; the other bandwidths of radial OC-NN are multiples of its rule."""
    gamma = neighbour_gamma(X)
    return {
        "ocnn_radial": OneClassNNRadial(random_state=seed),
        "ocnn_radial, nu 0.5": OneClassNNRadial(nu=0.5, random_state=seed),
        "ocnn_radial, gamma / 4": OneClassNNRadial(gamma=gamma / 4, random_state=seed),
        "ocnn_radial, gamma * 4": OneClassNNRadial(gamma=gamma * 4, random_state=seed),
        "ocnn_radial, 128 hidden": OneClassNNRadial(hidden=128, random_state=seed),
        "knn": KNN(),
        "knn, mean": KNN(aggregate="mean"),
        "ocsvm, neighbours": OCSVM(gamma="neighbours"),
        "ocsvm, scale": OCSVM(),
        "iforest": IForest(random_state=seed),
    }


def measure(folder: Path, names: list[str], seeds: int, limit: int) -> pd.DataFrame:
    """Compute the AUC in percent: one row per table, one column per method, the mean over seeds and normal labels."""
    rows = []
    for name in names:
        for seed in range(seeds):
            for train, test, is_normal in splits(folder / f"{name}.csv", seed, limit):
                for method, model in contestants(train, seed).items():
                    auc = 100 * roc_auc_score(is_normal, model.fit(train).score_samples(test))
                    rows.append((name, method, auc, model.diagnosis_.status))
        print(f"{name} done", flush=True)
    table = pd.DataFrame(rows, columns=["table", "method", "AUC", "status"])
    unsettled = table[table["status"] != "converged"]
    print(f"fits: {len(table)}; not converged: {unsettled.groupby('method').size().to_dict() or 'none'}")
    return table.pivot_table(index="table", columns="method", values="AUC", sort=False)


def main() -> None:
    """Measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("OCNN_MIRROR", ".")) / "tables")
    parser.add_argument("--tables", nargs="+", choices=NORMAL, default=list(NORMAL))
    parser.add_argument("--seeds", type=positive, default=3)
    parser.add_argument("--limit", type=positive, default=1000, help="fitted rows; three times as many are tested")
    parser.add_argument("--output", type=Path, help="CSV file of the table")
    arguments = parser.parse_args()
    use_threads(1)
    print(machine(), flush=True)
    record = Record(__file__, vars(arguments))
    aucs = measure(arguments.folder, arguments.tables, arguments.seeds, arguments.limit)
    ranks = aucs.rank(axis=1, ascending=False).mean()
    summary = pd.concat([aucs, aucs.mean().to_frame("mean AUC").T, ranks.to_frame("mean rank").T])
    if arguments.output:
        summary.to_csv(arguments.output)
    record.keep(
        [
            {"method": method, **{str(name): auc for name, auc in column.round(2).items()}}
            for method, column in summary.items()
        ],
        by=["method"],
        followed=["mean AUC", "mean rank"],
    )


if __name__ == "__main__":
    main()
