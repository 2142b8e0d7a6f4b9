"""The loss of autoencoders."""

from typing import Any

from keras import ops

Tensor = Any


def mean_squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean of (x − x̂)² over the samples and all their pixels or features."""
    return ops.mean(ops.square(x - reconstruction))
