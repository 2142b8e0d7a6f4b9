"""The two losses of Deep SVDD (Ruff et al. 2018, Deep One-Class Classification)."""

from typing import Any

from keras import ops

Tensor = Any


def squared_distance(codes: Tensor, center: Tensor) -> Tensor:
    """‖f − c‖² of each code: (batch, code), (code,) → (batch,)."""
    return ops.sum(ops.square(codes - center), axis=1)


def one_class_deep_svdd(codes: Tensor, center: Tensor) -> Tensor:
    """mean_n ‖f_n − c‖² (Ruff et al. 2018, Eq. 4 without its regulariser)."""
    return ops.mean(squared_distance(codes, center))


def soft_boundary_deep_svdd(codes: Tensor, center: Tensor, radius: Tensor, nu: float) -> Tensor:
    """R² + (1/ν) mean_n max(0, ‖f_n − c‖² − R²) (Ruff et al. 2018, Eq. 3 without its regulariser)."""
    squared_radius = ops.square(radius)
    return squared_radius + ops.mean(ops.relu(squared_distance(codes, center) - squared_radius)) / nu
