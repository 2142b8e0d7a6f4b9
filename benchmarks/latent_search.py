"""What do fewer, larger steps of AnoGAN's latent search save and change, and what a stop where a sample has settled?

python -m benchmarks.latent_search [--data mnist] [--normals 0 8] [--seeds 3] [--faster 250:0.05 150:0.1]
    [--tols 0.02] [--every 1]

Each network is trained once; the same samples are then searched by the plain search, in which every sample takes all
steps, by others of fewer steps and a higher learning rate, and by the plain one with each `tol`. CPU seconds, and test
AUCs, of which the differences are set beside the spread of the seeds.
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

#: The search that the others are compared with.
PLAIN = "plain"


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
    parser.add_argument(
        "--faster", nargs="*", type=steps_and_rate, default=[(250, 0.05), (150, 0.1)], help="STEPS:LEARNING_RATE"
    )
    parser.add_argument("--tols", nargs="*", type=float, default=[0.02])
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
            plain = None
            own = arguments.steps, arguments.search_learning_rate
            searches = [(*own, 0), *((*faster, 0) for faster in arguments.faster), *((*own, t) for t in arguments.tols)]
            for steps, rate, tol in searches:
                # Compiled by a step before.
                model.set_params(search_learning_rate=rate, steps=1, tol=0).score_samples(test)
                start = time.process_time()
                scores = model.set_params(steps=steps, tol=tol).score_samples(test)
                seconds = time.process_time() - start
                search = PLAIN if plain is None else f"tol {tol:g}" if tol else f"{steps} steps at {rate:g}"
                plain = scores if plain is None else plain
                rows.append(
                    {
                        "search": search,
                        "normal": normal,
                        "seed": seed,
                        "AUC": 100 * roc_auc_score(~is_anomaly, scores),
                        "rank correlation": float(spearmanr(scores, plain).statistic),
                        "loss": float(-scores.mean()),
                        "seconds": seconds,
                    }
                )
            print(f"{normal}, seed {seed}", *(f"{row['AUC']:.2f}" for row in rows[-len(searches) :]), flush=True)
    Record(__file__, vars(arguments)).keep(
        summary(pd.DataFrame(rows)), by=["search"], followed=["AUC - plain", "seconds / plain"]
    )


def steps_and_rate(text: str) -> tuple[int, float]:
    """Read the steps and the learning rate of a search, such as 250:0.05."""
    steps, rate = text.split(":")
    return positive(steps), float(rate)


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Set what each search saves and changes beside the spread of the seeds.

    Args:
        table: columns search, `PLAIN` for the plain one, normal, seed, AUC, rank correlation, loss, seconds.

    Returns:
        one row per search; the deviation over seeds is the root mean square over the normal classes.
    """
    measured = ("AUC", "rank correlation", "loss", "seconds")
    pivot = {name: table.pivot_table(index=["normal", "seed"], columns="search", values=name) for name in measured}
    spread = pivot["AUC"][PLAIN].groupby("normal").std()
    rows = []
    for search in table["search"].unique():
        difference = pivot["AUC"][search] - pivot["AUC"][PLAIN]
        rows.append(
            {
                "search": search,
                "fits": len(difference),
                "AUC": pivot["AUC"][search].mean(),
                "AUC - plain": difference.mean(),
                "largest difference": difference.abs().max(),
                "deviation of seeds": float(np.sqrt((spread**2).mean())),
                "rank correlation": pivot["rank correlation"][search].min(),
                "loss / plain": (pivot["loss"][search] / pivot["loss"][PLAIN]).mean(),
                "seconds / plain": pivot["seconds"][search].sum() / pivot["seconds"][PLAIN].sum(),
            }
        )
    return rows


if __name__ == "__main__":
    main()
