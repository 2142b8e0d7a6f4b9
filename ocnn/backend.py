"""Keras, imported only where a network is really needed, and the weights of networks on disk."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ocnn.errors import ResultError

if TYPE_CHECKING:
    import keras


def import_keras() -> None:
    """Imports Keras.

    Raises:
        ImportError: no backend is installed; the message says how to install one.
    """
    try:
        import keras  # noqa: F401  (imported for its effect: it fails without a backend)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"The deep methods need a Keras backend ({error}): install one with pip install 'ocnn[cpu]' (TensorFlow on"
            " the CPU), 'ocnn[gpu]' (TensorFlow with CUDA) or 'ocnn[jax]' and KERAS_BACKEND=jax."
        ) from error


def load_weights(model: "keras.Model", path: str | Path) -> None:
    """Loads the weights of a network from a file.

    Raises:
        ResultError: no such file, a corrupt one, or one of another network.
    """
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that the file lacks, and leaves them as they were initialised.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise ResultError(
            f"{path} does not hold the weights of this network ({error}). Delete it to have it made anew."
        ) from error
