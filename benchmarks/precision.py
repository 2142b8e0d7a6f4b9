"""Are AUCs computed in bfloat16 within the spread of the seeds, and how much faster do they come?

KERAS_BACKEND=jax python -m benchmarks.precision [--data mnist] [--normals 0 5 8] [--methods dcae deep_svdd] [--seeds 3]

Weights stay float32; what is computed from them is bfloat16 (Keras's policy `mixed_bfloat16`), but for what takes both
types: the losses, and the layers of `ocnn.networks.convolutions`, which make kernels of their weights and compute in
float32. There JAX converts bfloat16 to float32, while TensorFlow stops with an error, and so is refused. Each method is
fitted from the same seeds under both, and its test AUC and seconds are compared. On a CPU without bfloat16 units it is
slower.
"""

import argparse
import os
import time
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks import _data
from benchmarks._measure import machine, positive
from benchmarks._record import Record
from benchmarks.representation import RATES, SETTINGS, samples
from ocnn.methods import METHODS, load_estimator

POLICIES = ("float32", "mixed_bfloat16")


def as_float32(convert: Any) -> Any:
    """Make Keras's conversion to NumPy return what is stored as bfloat16 as float32, in which scores are computed."""

    def converted(x: Any) -> Any:
        array = convert(x)
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    return converted


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETTINGS, default="mnist", help="mnist needs OCNN_MIRROR")
    parser.add_argument("--normals", nargs="+", default=["0", "5", "8"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["dcae", "deep_svdd"])
    parser.add_argument("--seeds", type=positive, default=3)
    parser.add_argument("--batch-size", type=positive, help="default: that of the experiment")
    parser.add_argument("--output", help="a CSV with one row per fit")
    arguments = parser.parse_args()
    _data.require(arguments.data)
    import keras

    from ocnn.networks import keras_settings

    if keras.config.backend() != "jax":
        raise SystemExit("KERAS_BACKEND must be jax: TensorFlow does not compute with float32 and bfloat16 together.")
    keras.ops.convert_to_numpy = as_float32(keras.ops.convert_to_numpy)
    settings = {key: value for key, value in SETTINGS[arguments.data].items() if key != "contamination"}
    settings["batch_size"] = arguments.batch_size or settings["batch_size"]
    print(f"{arguments.data}, {keras.config.backend()}, on {machine()}", flush=True)
    rows = []
    for normal in arguments.normals:
        for seed in range(arguments.seeds):
            train, test, is_anomaly = samples(arguments.data, normal, seed)
            for method in arguments.methods:
                for policy in POLICIES:
                    keras_settings.POLICY = policy
                    estimator = load_estimator(METHODS[method])(**settings, learning_rates=RATES, random_state=seed)
                    # Once for the compilation of this method with this policy, and once for the time.
                    seconds = []
                    for _ in range(2):
                        start = time.perf_counter()
                        estimator.fit(train)
                        seconds.append(time.perf_counter() - start)
                    auc = 100 * roc_auc_score(~is_anomaly, estimator.score_samples(test))
                    rows.append((method, policy, normal, seed, auc, seconds[1]))
            print(
                f"{normal}, seed {seed}",
                *(f"{auc:.2f}" for *_, auc, _ in rows[-2 * len(arguments.methods) :]),
                flush=True,
            )
    table = pd.DataFrame(rows, columns=["method", "policy", "normal", "seed", "AUC", "seconds"])
    if arguments.output:
        table.to_csv(arguments.output, index=False)
    Record(__file__, vars(arguments)).keep(
        summary(table), by=["method"], followed=["mean difference", "seconds float32 / bfloat16"]
    )


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Set the differences between the policies beside the spread of the seeds.

    Args:
        table: columns method, policy, normal, seed, AUC, seconds.

    Returns:
        one row per method; deviations over seeds are the root mean square over the normal classes.
    """
    rows = []
    for method, group in table.groupby("method", sort=False):
        auc = group.pivot_table(index=["normal", "seed"], columns="policy", values="AUC")
        seconds = group.groupby("policy")["seconds"].sum()
        difference = auc["mixed_bfloat16"] - auc["float32"]
        spread = auc["float32"].groupby("normal").std()
        rows.append(
            {
                "method": method,
                "fits": len(auc),
                "AUC float32": auc["float32"].mean(),
                "AUC bfloat16": auc["mixed_bfloat16"].mean(),
                "mean difference": difference.mean(),
                "deviation of differences": difference.std(),
                "deviation of seeds": float(np.sqrt((spread**2).mean())),
                "seconds float32 / bfloat16": seconds["float32"] / seconds["mixed_bfloat16"],
            }
        )
    return rows


if __name__ == "__main__":
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    main()
