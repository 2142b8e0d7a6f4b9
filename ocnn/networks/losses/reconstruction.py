"""The loss of autoencoders."""

from typing import Any

from keras import ops

Tensor = Any


def squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean over the samples of ‖x − x̂‖², summed over all their pixels or features, as in Deep SVDD's code."""
    return ops.mean(ops.sum(ops.square(x - reconstruction), axis=tuple(range(1, len(x.shape)))))
