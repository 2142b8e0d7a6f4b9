"""Networks as plain data, so that a fitted method can be pickled and saved; and back, by layers that are known."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ocnn.errors import ResultError

if TYPE_CHECKING:
    import keras

#: What a saved network may be made of, by module. Whatever else its description names is not looked up.
KNOWN = {
    "keras": {"DTypePolicy"},
    "keras.initializers": {"GlorotUniform", "HeNormal", "Ones", "RandomNormal", "Zeros"},
    "keras.layers": {
        *("Activation", "Add", "BatchNormalization", "Concatenate", "Conv2D", "Conv2DTranspose", "Dense", "Dropout"),
        *("Flatten", "Identity", "InputLayer", "LeakyReLU", "MaxPooling2D", "Multiply", "Normalization", "ReLU"),
        *("Reshape", "UnitNormalization", "UpSampling2D"),
    },
    "keras.src.models.functional": {"Functional"},
    "keras.src.ops.numpy": {"Squeeze"},
    "ocnn.networks.convolutions": {
        *("PhaseConv2D", "PooledBatchNormalization", "StridedConv2D", "TransposedConv2D", "UpsampledConv2D"),
    },
    None: {"__keras_tensor__"},
}


@dataclass(frozen=True, eq=False)
class SavedNetwork:
    """A network's layers, as Keras describes them in JSON, and its weights in Keras's order."""

    description: str
    weights: list[NDArray[np.float32]]


def save_network(network: "keras.Model") -> SavedNetwork:
    """Describe a network."""
    import keras

    return SavedNetwork(json.dumps(keras.saving.serialize_keras_object(network)), network.get_weights())


def load_network(saved: SavedNetwork) -> "keras.Model":
    """Build a network again.

    Raises:
        ResultError: the description names something that networks here are not made of, or does not fit the weights.
    """
    import keras

    import ocnn.networks.convolutions  # noqa: F401  (its layers are found by their names)
    from ocnn.networks.keras_settings import stated_settings

    try:
        description = json.loads(saved.description)
        for module, name, registered in _named(description):
            known = module in KNOWN and name in KNOWN[module]
            if not known or registered not in (None, name, f"ocnn>{name}"):
                raise ResultError(f"a saved network names {module}.{name}, of which no network here is made")
        with stated_settings():
            network: keras.Model = keras.saving.deserialize_keras_object(description, safe_mode=True)
        network.set_weights(saved.weights)
    except ResultError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ResultError(f"a saved network cannot be read ({str(error).splitlines()[0]})") from error
    return network


def _named(description: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Go over everything that a description names: module, class, registered name."""
    if isinstance(description, dict):
        if "class_name" in description:
            yield tuple(description.get(key) for key in ("module", "class_name", "registered_name"))  # type: ignore[misc]
        for part in description.values():
            yield from _named(part)
    elif isinstance(description, list):
        for part in description:
            yield from _named(part)
