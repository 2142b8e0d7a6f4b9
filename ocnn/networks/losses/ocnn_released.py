"""The loss in the released code of OC-NN, which is not the objective of its paper."""

from typing import Any

from keras import ops

Tensor = Any


def one_class_nn_released(codes: Tensor, center: Tensor, r: float, nu: float) -> Tensor:
    """(1/ν) mean_n [r² + Σ_j max(0, (f_nj − c_j)² − r²)], the loss in the released code of OC-NN."""
    return (r**2 + ops.mean(ops.sum(ops.relu(ops.square(codes - center) - r**2), axis=1))) / nu
