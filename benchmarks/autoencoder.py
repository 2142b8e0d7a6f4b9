"""How much do weight decay, decoder and schedule of the autoencoder decide what it detects?

OCNN_MIRROR=MIRROR python -m benchmarks.autoencoder --data mnist [--normals 0 5 8] [--seeds 2] [--output FITS.csv]

For docs/autoencoder.md. Each combination is trained on the splits of the workflow: the weight decay beside the squared
error summed over pixels, as in Deep SVDD's code and here, or beside their mean, which makes the decay heavier by the
number of pixels; a decoder that begins with a dense layer, or one like Deep SVDD's, that begins with the code as an
image; the epochs of config/reduced.yaml, or three times as many. Printed are the mean test AUC, in percent, of `dcae`
and of `knn` on the codes, and the paired differences to the first combination of the same epochs, with 95 % intervals
by t over classes and seeds. Fits that FITS.csv has are not repeated. No result of it decides a setting.
"""

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks import _data
from benchmarks._measure import machine, positive
from benchmarks._record import Record, earlier_fits
from benchmarks.representation import half_width
from ocnn.data import load_dataset
from ocnn.data.archives import obtain
from ocnn.data.dataset import Arrays, Dataset
from ocnn.methods import DCAE, KNN
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.networks import shapes
from ocnn.steps.runtime import use_threads

#: Of config/paper.yaml and config/reduced.yaml.
SETTINGS: dict[str, dict[str, Any]] = {
    "mnist": {"contamination": 1 / 101, "epochs": (12, 4), "normals": ["0", "5", "8"]},
    "cifar10": {"contamination": 1 / 11, "epochs": (6, 2), "normals": ["automobile", "deer"]},
}
RATES, BATCH_SIZE, WEIGHT_DECAY = (1e-3, 1e-4), 200, 1e-5
TIMES, DECAYS, DECODERS = (1, 3), ("mean over pixels", "sum over pixels"), ("dense layer", "code as image")
#: Height and width of the code as an image, in Deep SVDD's code.
SIDE = 4


@dataclass(kw_only=True, eq=False, repr=False)
class CodeAsImageDCAE(DCAE):
    """DCAE with a decoder like that of Deep SVDD's code for MNIST and CIFAR-10."""

    def build_or_train(self, X: NDArray[Any]) -> Diagnosis | None:
        """Set `autoencoder_` and `history_`, always trained."""
        import keras

        from ocnn.networks.models.lenet import build_encoder
        from ocnn.networks.training import train

        network, shape = shapes.resolve(self.network, X.shape[1:]), X.shape[1:]
        inputs = keras.Input(shape)
        codes = build_encoder(network, shape)(inputs)
        self.autoencoder_ = keras.Model(inputs, decoder_of_code_as_image(network, shape)(codes), name="autoencoder")
        self.history_ = train(self.objective_model(), X, **self._training("autoencoder"))
        return diagnose_schedule(self.history_["loss"])


def decoder_of_code_as_image(network: shapes.Network, shape: tuple[int, ...]) -> Any:
    """A model from codes to images, whose first layer is a convolution of the code as an image of 4 × 4 pixels.

    As many upsamplings as it takes to reach the image's size, each before a convolution. Where they overshoot, as for
    MNIST (4, 8, 16, of which 14 are kept, 28), the margin is cut off before the last one.
    """
    import keras
    from keras import layers

    from ocnn.networks.convolutions import UpsampledConv2D
    from ocnn.networks.models.lenet import BATCH_NORM_EPSILON, LEAKY_RELU_SLOPE
    from ocnn.networks.shapes import BATCH_NORM_MOMENTUM

    filters = [*reversed(network.widths), shape[2]]
    upsampled = int(np.ceil(np.log2(shape[0] / SIDE)))
    x = inputs = keras.Input((network.code,))
    x = layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE)(layers.Reshape((SIDE, SIDE, network.code // SIDE**2))(x))
    for number, width in enumerate(filters):
        last = number + 1 == len(filters)
        convolution = UpsampledConv2D if number >= len(filters) - upsampled else layers.Conv2D
        x = convolution(width, network.kernel, padding="same", use_bias=False)(x)
        if last:
            break
        if number + 2 == len(filters) and 2 * x.shape[1] > shape[0]:
            x = layers.Cropping2D((2 * x.shape[1] - shape[0]) // 4)(x)
        x = layers.BatchNormalization(
            center=False, scale=False, epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM
        )(x)
        x = layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE)(x)
    return keras.Model(inputs, layers.Activation("sigmoid")(x), name="decoder")


def load(data: str) -> tuple[Dataset, Arrays]:
    """The data set and its arrays, from the mirror."""
    dataset = _data.DIGITS if data == "mnist" else load_dataset(data)
    with tempfile.TemporaryDirectory() as folder:
        paths = {archive.name: Path(folder, archive.name) for archive in dataset.archives}
        for archive in dataset.archives:
            obtain(dataset.name, archive, paths[archive.name], Path(os.environ["OCNN_MIRROR"]))
        return dataset, dataset.load(paths)


def combinations(normals: list[str], seeds: int, times: list[int]) -> Iterator[dict[str, Any]]:
    """Every fit by its factors, the cheap ones first, and the decay's two beside each other."""
    for factor, seed, decoder, normal, decay in itertools.product(times, range(seeds), DECODERS, normals, DECAYS):
        yield {"epochs": factor, "decay": decay, "decoder": decoder, "normal": normal, "seed": seed}


def measure(dataset: Dataset, arrays: Arrays, data: str, factors: dict[str, Any]) -> dict[str, float]:
    """What one fit detects, in percent, and what became of it.

    Returns:
        `dcae`, `knn`: test AUCs. `error`: mean squared error per pixel of the test part's normal images. `weights`: sum
        of the squared weights that are decayed. `code`: mean norm of the training samples' codes. `CPU s`.
    """
    began, settings, seed = time.process_time(), SETTINGS[data], factors["seed"]
    train, test, is_anomaly = _data.split_images(
        arrays, dataset.classes, factors["normal"], contamination=settings["contamination"], seed=seed
    )
    pixels = train[0].size
    dcae = (DCAE if factors["decoder"] == "dense layer" else CodeAsImageDCAE)(
        network=f"lenet-{data}",
        batch_size=BATCH_SIZE,
        epochs=[factors["epochs"] * epochs for epochs in settings["epochs"]],
        learning_rates=RATES,
        weight_decay=WEIGHT_DECAY * (pixels if factors["decay"] == "mean over pixels" else 1),
        random_state=seed,
    ).fit(train)
    errors, codes = -dcae.score_samples(test), dcae.transform(train)
    distances = -KNN().fit(codes).score_samples(dcae.transform(test))
    return {
        "dcae": 100 * roc_auc_score(is_anomaly, errors),
        "knn": 100 * roc_auc_score(is_anomaly, distances),
        "error": errors[~is_anomaly].mean() / pixels,
        "weights": sum(float(np.square(kernel).sum()) for kernel in dcae.autoencoder_.trainable_variables),
        "code": float(np.linalg.norm(codes, axis=1).mean()),
        "CPU s": time.process_time() - began,
    }


def summarise(fits: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per combination: means, and differences to the first combination of the same epochs."""
    pairs = ["normal", "seed"]
    rows = []
    for factor, group in fits.groupby("epochs"):
        base = group[(group["decay"] == DECAYS[0]) & (group["decoder"] == DECODERS[0])].set_index(pairs)
        for decay, decoder in itertools.product(DECAYS, DECODERS):
            chosen = group[(group["decay"] == decay) & (group["decoder"] == decoder)].set_index(pairs)
            if chosen.empty:
                continue
            row = {"epochs, times": factor, "decay": decay, "decoder": decoder, "fits": len(chosen)}
            for method in ("dcae", "knn"):
                differences = (chosen[method] - base[method]).dropna()
                row |= {method: chosen[method].mean(), f"{method} − first": differences.mean()}
                row[f"± (95 %), {method}"] = half_width(differences)
            for name in ("error", "weights", "code"):
                row[name] = chosen[name].mean()
            rows.append(row)
    return rows


def main() -> None:
    """Measures, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETTINGS, default="mnist", help="either needs OCNN_MIRROR")
    parser.add_argument("--normals", nargs="+", help="normal classes")
    parser.add_argument("--seeds", type=positive, default=2)
    parser.add_argument(
        "--times", type=positive, nargs="+", default=list(TIMES), help="multiples of the reduced epochs"
    )
    parser.add_argument("--output", type=Path, help="CSV file of every fit")
    arguments = parser.parse_args()
    _data.require(arguments.data)
    use_threads(1)
    print(machine(), flush=True)
    columns = ["data", "epochs", "decay", "decoder", "normal", "seed"]
    fits = earlier_fits(arguments.output, columns)
    done = set(fits[columns].itertuples(index=False, name=None))
    dataset, arrays = load(arguments.data)
    normals = arguments.normals or SETTINGS[arguments.data]["normals"]
    wanted: list[tuple[Any, ...]] = []
    for factors in combinations(normals, arguments.seeds, arguments.times):
        wanted.append(tuple({"data": arguments.data, **factors}[name] for name in columns))
        if wanted[-1] in done:
            continue
        row = {"data": arguments.data, **factors, **measure(dataset, arrays, arguments.data, factors)}
        shown = [f"{name} {value:.4g}" if isinstance(value, float) else str(value) for name, value in row.items()]
        print(", ".join(shown), flush=True)
        fits = pd.concat([fits, pd.DataFrame([row])], ignore_index=True)
        if arguments.output:
            fits.to_csv(arguments.output, index=False)
    Record(__file__, vars(arguments)).keep(
        summarise(fits[[key in wanted for key in fits[columns].itertuples(index=False, name=None)]]),
        by=["epochs, times", "decay", "decoder"],
        followed=["dcae", "knn"],
    )


if __name__ == "__main__":
    main()
