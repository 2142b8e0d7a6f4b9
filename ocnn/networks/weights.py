"""Keras, imported only where a network is really needed, and the weights of networks on disk."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ocnn.errors import ResultError
from ocnn.storage.arrays import read_arrays, write_arrays

if TYPE_CHECKING:
    import keras

#: What the names of a file's weights begin with, and those of what was recorded of their training.
WEIGHT, SERIES = "weight_", "history_"


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def import_keras() -> None:
    """Imports Keras.

    Without garbage collections, which find nothing among what is imported and take a third of the time.

    Raises:
        ImportError: no backend is installed; the message says how to install one.
    """
    try:
        with _without_garbage_collection():
            import keras  # noqa: F401  (imported for its effect: it fails without a backend)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"The deep methods need a Keras backend ({error}): install one with `pip install tensorflow-cpu` (on"
            " Linux; `tensorflow` elsewhere, `'tensorflow[and-cuda]'` for a GPU), or `pip install jax` and set"
            " KERAS_BACKEND=jax."
        ) from error


def save_weights(
    model: "keras.Model",
    path: str | Path,
    recipe: Mapping[str, Any] | None = None,
    history: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Write the weights of a network as an npz archive: numbers alone, in the network's order.

    Neither HDF5, which has no checksum, nor a Keras archive, whose layers are built from what it says.

    Args:
        model: the network.
        path: of the archive.
        recipe: what decided the weights, where the workflow writes them.
        history: what was recorded in each epoch of their training, by name.
    """
    weights = {f"{WEIGHT}{n}": weight for n, weight in enumerate(model.get_weights())}
    series = {f"{SERIES}{name}": np.asarray(values, np.float64) for name, values in (history or {}).items()}
    write_arrays(Path(path), weights | series, recipe)


def load_weights(model: "keras.Model", path: str | Path) -> dict[str, list[float]]:
    """Load the weights of a network from a file of `save_weights`, and return the history that stands beside them.

    Raises:
        ResultError: no such file, a damaged one, or one of another network.
    """
    arrays = read_arrays(Path(path))
    history = {name.removeprefix(SERIES): arrays[name].tolist() for name in arrays if name.startswith(SERIES)}
    weights = [array for name, array in arrays.items() if not name.startswith(SERIES)]
    try:
        if any(weight.dtype != np.float32 for weight in weights):
            raise ValueError("they are not of the type float32")
        model.set_weights(weights)
    except ValueError as error:
        raise ResultError(
            f"{path} does not hold the weights of this network ({error}). Delete it to have it remade."
        ) from error
    return history
