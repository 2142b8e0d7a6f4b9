"""Does training the landmarks, or the encoder too, help radial OC-NN over the frozen autoencoder's codes?

python -m benchmarks.representation [--data digits] [--normals 3 8] [--seeds 3] [--hidden 64]
    [--rate 0.001] [--iterations 0 5 20] [--output FITS.csv]

The paper's motivation, measured: alternating minimisation of the objective of `ocnn_radial`, from its solution on the
codes of a pretrained autoencoder. An outer iteration is an epoch of Adam on what is trained, w and r fixed, and then
the exact w and r. For each number of iterations the mean test AUC over seeds and classes; its paired difference to
the frozen codes with a 95 % interval by t; the depth −½‖w‖² of the objective, which training lowers, in multiples of
the frozen one. Fits that FITS.csv has are not repeated. No result of it decides a setting.
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from benchmarks import _data
from benchmarks._measure import machine, positive
from benchmarks._record import Record, earlier_fits
from ocnn.data.digits import DIGITS
from ocnn.methods import DCAE, OneClassNNRadial
from ocnn.methods.ocnn_radial import radial_objective
from ocnn.methods.reduced_hull import Rows, nearest_point
from ocnn.steps.runtime import use_threads

#: Settings of the autoencoder for each data set, and of the split: those of config.yaml and of reduced.yaml.
SETTINGS: dict[str, dict[str, Any]] = {
    "digits": {"network": "lenet-digits", "batch_size": 32, "epochs": (60, 20), "contamination": 1 / 11},
    "mnist": {"network": "lenet-mnist", "batch_size": 200, "epochs": (12, 4), "contamination": 1 / 101},
}
RATES = (1e-3, 1e-4)
NU = 0.1


def samples(data: str, normal: str, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Training images, test images, and which of these are anomalies, as the workflow has them.

    Raises:
        SystemExit: the archives are not at hand.
    """
    _data.require(data)
    arrays = (DIGITS if data == "digits" else _data.DIGITS).load({})
    contamination = SETTINGS[data]["contamination"]
    return _data.split_images(
        arrays, DIGITS.classes, normal, contamination=contamination, seed=seed, normalised=data == "mnist"
    )


def trajectory(
    dcae: DCAE,
    train: NDArray[np.float32],
    evaluate: Callable[[NDArray[Any]], float],
    test: NDArray[np.float32],
    **how: Any,
) -> list[tuple[float, float]]:
    """Alternate, and return (AUC, depth of the objective) before and after each outer iteration.

    Args:
        dcae: fitted; its encoder is trained if `how["encoder"]`.
        evaluate: scores of the test samples → AUC.
        how: `encoder`, `hidden`, `iterations`, `rate`, `seed`.
    """
    import keras

    from ocnn.networks.losses.ocnn import one_class_nn
    from ocnn.networks.training import ObjectiveModel, apply, seeded
    from ocnn.networks.training import train as train_network

    encoder = dcae.autoencoder_.get_layer("encoder")
    start = encoder.get_weights()
    encoder.trainable = how["encoder"]
    radial = OneClassNNRadial(hidden=how["hidden"], nu=NU, random_state=how["seed"]).fit(apply(encoder, train))

    origin = radial.origin_.astype(np.float32)

    class Radial(keras.layers.Layer):
        """exp(−γ‖x − c_j‖²), (batch, code) → (batch, hidden)."""

        def build(self, shape: Any) -> None:
            self.landmarks = self.add_weight(shape=radial.landmarks_.shape, name="landmarks")
            self.landmarks.assign(radial.landmarks_)

        def call(self, codes: Any) -> Any:
            # ‖x‖² − 2 x·c + ‖c‖², from the origin that the estimator takes as well, so that few digits cancel.
            x, c = codes - origin, self.landmarks
            squares = [keras.ops.sum(keras.ops.square(points), axis=1) for points in (x, c)]
            distances = squares[0][:, None] - 2 * keras.ops.matmul(x, keras.ops.transpose(c)) + squares[1]
            return keras.ops.exp(-radial.gamma_ * keras.ops.maximum(distances, 0))

    with seeded(how["seed"]):
        inputs = keras.Input(train.shape[1:])
        network = keras.Model(inputs, Radial()(encoder(inputs)))
        w = keras.Variable(radial.w_.astype(np.float32), trainable=False)
        r = keras.Variable(radial.r_, trainable=False)

        def objective(x: Any, features: Any) -> Any:
            return one_class_nn(keras.ops.matmul(features, w), w, keras.ops.zeros(1), r, NU)

        model = ObjectiveModel(network, objective, variables=[w, r])
        found = []
        for iteration in range(how["iterations"] + 1):
            if iteration:
                train_network(model, train, epochs=[1], learning_rates=[how["rate"]], batch_size=dcae.batch_size)
            features = apply(network, train).astype(np.float64)
            solved = nearest_point(Rows(features), NU, 1e-6).w
            value, bias = radial_objective(solved, features @ solved, NU)
            w.assign(solved)
            r.assign(bias)
            found.append((evaluate(apply(network, test) @ solved), value))
    encoder.set_weights(start)
    return found


def measure(
    data: str, normal: str, seed: int, *, hidden: int, rate: float, iterations: Sequence[int]
) -> list[dict[str, Any]]:
    """Alternate from one autoencoder, and once more with its encoder trained: a row for each number of iterations."""
    train, test, is_anomaly = samples(data, normal, seed)
    settings = {name: value for name, value in SETTINGS[data].items() if name != "contamination"}
    dcae = DCAE(**settings, learning_rates=RATES, random_state=seed).fit(train)

    def evaluate(scores: NDArray[Any]) -> float:
        return 100 * float(roc_auc_score(~is_anomaly, scores))

    rows = []
    for trained in ("landmarks", "landmarks and encoder"):
        how = {
            "encoder": trained != "landmarks",
            "hidden": hidden,
            "seed": seed,
            "rate": rate,
            "iterations": max(iterations),
        }
        found = trajectory(dcae, train, evaluate, test, **how)
        for count in iterations:
            auc, depth = found[count]
            rows.append(
                {
                    "data": data,
                    "hidden": hidden,
                    "rate": rate,
                    "trained": trained,
                    "iterations": count,
                    "normal": normal,
                    "seed": seed,
                    "AUC": auc,
                    "difference": auc - found[0][0],
                    "depth": depth / found[0][1],
                }
            )
    return rows


def asked(table: pd.DataFrame, arguments: argparse.Namespace, fits: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """The rows of these fits, as (normal, seed), on the data and with the settings that are asked for."""
    named = {name: getattr(arguments, name) for name in ("data", "hidden", "rate")}
    kept = table["iterations"].isin(arguments.iterations).to_numpy(bool)
    for name, value in named.items():
        kept = kept & (table[name] == value).to_numpy(bool)
    kept = kept & np.array([fit in fits for fit in zip(table["normal"], table["seed"], strict=True)], bool)
    chosen = table[kept]
    return chosen.drop_duplicates(["trained", "iterations", "normal", "seed"])


def summarise(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One row for what is trained and how long."""
    return [
        {
            "trained": trained,
            "iterations": iterations,
            "fits": len(group),
            "AUC": group["AUC"].mean(),
            "difference": group["difference"].mean(),
            "± (95 %)": half_width(group["difference"]),
            "depth, times the frozen": group["depth"].mean(),
        }
        for (trained, iterations), group in table.groupby(["trained", "iterations"], sort=False)
    ]


def half_width(differences: Sequence[float] | pd.Series) -> float:
    """Half the 95 % interval of a mean, by Student's t."""
    count = len(differences)
    return float(stats.t.ppf(0.975, count - 1) * np.std(differences, ddof=1) / np.sqrt(count)) if count > 1 else np.nan


def main() -> None:
    """Measures, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETTINGS, default="digits", help="mnist needs OCNN_MIRROR")
    parser.add_argument("--normals", nargs="+", default=["3", "8"])
    parser.add_argument("--seeds", type=positive, default=3)
    parser.add_argument("--hidden", type=positive, default=64)
    parser.add_argument("--rate", type=float, default=1e-3, help="Adam's learning rate")
    parser.add_argument("--iterations", type=int, nargs="+", default=[0, 5, 20], help="outer iterations to report")
    parser.add_argument("--output", type=Path, help="CSV file of every fit")
    arguments = parser.parse_args()
    _data.require(arguments.data)
    use_threads(1)
    print(machine(), flush=True)
    table = earlier_fits(arguments.output, ["data", "hidden", "rate", "trained", "iterations", "normal", "seed"])
    wanted = list(itertools.product(arguments.normals, range(arguments.seeds)))
    for normal, seed in wanted:
        if {*arguments.iterations} <= {*asked(table, arguments, [(normal, seed)])["iterations"]}:
            continue
        rows = measure(
            arguments.data, normal, seed, hidden=arguments.hidden, rate=arguments.rate, iterations=arguments.iterations
        )
        print(f"{normal}, seed {seed}: frozen {rows[0]['AUC'] - rows[0]['difference']:.2f}", flush=True)
        table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True)
        if arguments.output:
            table.to_csv(arguments.output, index=False)
    Record(__file__, vars(arguments)).keep(
        summarise(asked(table, arguments, wanted)), by=["trained", "iterations"], followed=["AUC", "difference"]
    )


if __name__ == "__main__":
    main()
