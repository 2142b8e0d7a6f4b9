"""What does it save, and change, that AnoGAN's latent search stops where a sample has settled?

python -m benchmarks.latent_search [--data mnist] [--normals 0 8] [--seeds 3] [--tols 0.02 0.01] [--every 1]

Each network is trained once; the same samples are then searched with every sample taking all steps, and with each
`tol`. CPU seconds, and test AUCs, of which the differences are set beside the spread of the seeds.
"""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks._measure import machine, positive
from benchmarks._record import Record
from benchmarks.representation import SETTINGS, samples
from ocnn.methods import AnoGAN


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETTINGS, default="mnist")
    parser.add_argument("--normals", nargs="+", default=["0", "8"])
    parser.add_argument("--seeds", type=positive, default=3)
    parser.add_argument("--widths", nargs="+", type=positive, default=[32, 64])
    parser.add_argument("--epochs", type=positive, default=100)
    parser.add_argument("--steps", type=positive, default=500)
    parser.add_argument("--search-learning-rate", type=float, default=0.02)
    parser.add_argument("--tols", nargs="+", type=float, default=[0.02, 0.01])
    parser.add_argument("--every", type=positive, default=1, help="every so manieth test sample alone is searched")
    arguments = parser.parse_args()
    print(f"{arguments.data}, one thread, on {machine()}", flush=True)
    rows = []
    for normal in arguments.normals:
        for seed in range(arguments.seeds):
            train, test, is_anomaly = samples(arguments.data, normal, seed)
            test, is_anomaly = test[:: arguments.every], is_anomaly[:: arguments.every]
            # One step for the training samples: their scores are not looked at.
            model = AnoGAN(
                widths=arguments.widths, epochs=arguments.epochs, batch_size=200, steps=1, random_state=seed
            ).fit(train)
            model.set_params(search_learning_rate=arguments.search_learning_rate)
            plain = None
            for tol in (0, *arguments.tols):
                # Compiled by a step before.
                model.set_params(steps=1, tol=0).score_samples(test)
                start = time.process_time()
                scores = model.set_params(steps=arguments.steps, tol=tol).score_samples(test)
                seconds = time.process_time() - start
                plain = scores if plain is None else plain
                rows.append(
                    {
                        "tol": tol,
                        "normal": normal,
                        "seed": seed,
                        "AUC": 100 * roc_auc_score(~is_anomaly, scores),
                        "rank correlation": float(spearmanr(scores, plain).statistic),
                        "loss": float(-scores.mean()),
                        "seconds": seconds,
                    }
                )
            print(
                f"{normal}, seed {seed}", *(f"{row['AUC']:.2f}" for row in rows[-1 - len(arguments.tols) :]), flush=True
            )
    Record(__file__, vars(arguments)).keep(
        summary(pd.DataFrame(rows)), by=["tol"], followed=["AUC - plain", "seconds / plain"]
    )


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Set what each `tol` saves and changes beside the spread of the seeds.

    Args:
        table: columns tol, 0 for the plain search, normal, seed, AUC, rank correlation, loss, seconds.

    Returns:
        one row per tol; the deviation over seeds is the root mean square over the normal classes.
    """
    measured = ("AUC", "rank correlation", "loss", "seconds")
    pivot = {name: table.pivot_table(index=["normal", "seed"], columns="tol", values=name) for name in measured}
    spread = pivot["AUC"][0].groupby("normal").std()
    rows = []
    for tol in table["tol"].unique():
        difference = pivot["AUC"][tol] - pivot["AUC"][0]
        rows.append(
            {
                "tol": tol,
                "fits": len(difference),
                "AUC": pivot["AUC"][tol].mean(),
                "AUC - plain": difference.mean(),
                "largest difference": difference.abs().max(),
                "deviation of seeds": float(np.sqrt((spread**2).mean())),
                "rank correlation": pivot["rank correlation"][tol].min(),
                "loss / plain": (pivot["loss"][tol] / pivot["loss"][0]).mean(),
                "seconds / plain": pivot["seconds"][tol].sum() / pivot["seconds"][0].sum(),
            }
        )
    return rows


if __name__ == "__main__":
    main()
