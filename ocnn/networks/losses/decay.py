"""The regulariser of the deep methods."""

from collections.abc import Iterable
from typing import Any

from keras import ops

Tensor = Any


def weight_decay(kernels: Iterable[Tensor], factor: float) -> Tensor:
    """(λ/2) Σ_l ‖W_l‖_F², Deep SVDD's regulariser (Ruff et al. 2018, Eq. 4), over all weight kernels."""
    return 0.5 * factor * sum((ops.sum(ops.square(kernel)) for kernel in kernels), start=0.0)
