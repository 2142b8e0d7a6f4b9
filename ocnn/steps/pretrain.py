"""The step from a split to the autoencoder that its deep methods share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ocnn.data.samples import load_samples
from ocnn.data.splits import read_split
from ocnn.methods.dcae import DCAE


def pretrain(
    split: Path,
    arrays: Sequence[Path],
    weights: Path,
    *,
    settings: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> None:
    """Train the autoencoder that the deep methods of a split share, and write its weights.

    Args:
        split, arrays: the split, and files of the data set's arrays.
        weights: the output.
        settings: parameters of a `DCAE`.
        recipe: what decides the weights.
    """
    drawn = read_split(split)
    dcae = DCAE(**settings).fit(load_samples(drawn, arrays, drawn.fitted))
    print(f"{dcae.diagnosis_.status}: {dcae.diagnosis_.reason}", flush=True)
    dcae.save_autoencoder(weights, recipe)
