"""The objectives as pure functions of tensors, written with `keras.ops`, each with its formula and source."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

Tensor = Any


def weight_decay(kernels: Iterable[Tensor], factor: float) -> Tensor:
    """(λ/2) Σ_l ‖W_l‖_F², Deep SVDD's regulariser (Ruff et al. 2018, Eq. 4), over all weight kernels."""
    return 0.5 * factor * sum((ops.sum(ops.square(kernel)) for kernel in kernels), start=0.0)


def mean_squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean of (x − x̂)² over the samples and all their pixels or features."""
    return ops.mean(ops.square(x - reconstruction))


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


def one_class_nn_released(codes: Tensor, center: Tensor, r: float, nu: float) -> Tensor:
    """(1/ν) mean_n [r² + Σ_j max(0, (f_nj − c_j)² − r²)], the loss in the released code of OC-NN."""
    return (r**2 + ops.mean(ops.sum(ops.relu(ops.square(codes - center) - r**2), axis=1))) / nu


def one_class_nn(y: Tensor, w: Tensor, V: Tensor, r: Tensor, nu: float) -> Tensor:
    """Eq. 3 of the paper: ½‖w‖² + ½‖V‖_F² + (1/ν) mean_n max(0, r − ŷ_n) − r.

    Args:
        y: (batch,) outputs ŷ_n = ⟨w, g(V x_n)⟩.
        w, V: weights of the output and of the hidden layer, of any shape.
        r: scalar, the bias of the hyperplane.
        nu: ν in (0, 1].
    """
    norms = 0.5 * ops.sum(ops.square(w)) + 0.5 * ops.sum(ops.square(V))
    return norms + ops.mean(ops.relu(r - y)) / nu - r


def nu_quantile(y: ArrayLike, nu: float) -> float:
    """The r that minimises (1/ν) mean_n max(0, r − y_n) − r (Theorem 1): the ⌈νN⌉-th smallest of the y_n.

    The whole training set is to be given, not a batch.

    >>> nu_quantile([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.33)
    3.0
    """
    return float(np.quantile(np.asarray(y, np.float64), nu, method="inverted_cdf"))


def group_soft_threshold(residuals: np.ndarray, threshold: float) -> NDArray[np.float32]:
    """The proximal operator of λ‖·‖₂,₁ with one group a sample: argmin_N ½‖U − N‖² + λ Σ_n ‖N_n‖₂.

        N_n = max(0, 1 − λ/‖U_n‖) U_n        (Yuan and Lin 2006, J. R. Statist. Soc. B 68, Eq. 2.4)

    Args:
        residuals: U, (n, …).
        threshold: λ ≥ 0, in the unit of ‖U_n‖.
    """
    norms = np.sqrt(np.square(residuals, dtype=np.float64).reshape(len(residuals), -1).sum(axis=1))
    factors = 1 - np.divide(threshold, norms, out=np.ones_like(norms), where=norms > threshold)
    return (residuals * factors.reshape(-1, *(1,) * (residuals.ndim - 1))).astype(np.float32)


def discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """−mean log D(x) − mean log(1 − D(G(z))) (Goodfellow et al. 2014, Algorithm 1), of logits of any shape."""
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(generated))


def generator(generated: Tensor) -> Tensor:
    """−mean log D(G(z)), the non-saturating form (Goodfellow et al. 2014, §3), of logits of any shape."""
    return ops.mean(ops.softplus(-generated))


def anogan(x: Tensor, x_generated: Tensor, f: Tensor, f_generated: Tensor, weight: float) -> Tensor:
    """(1 − λ) Σ|x − G(z)| + λ Σ|f(x) − f(G(z))| of each sample (Schlegl et al. 2017, Eq. 5): (batch, …) → (batch,)."""

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return ops.sum(ops.abs(ops.reshape(a - b, (ops.shape(a)[0], -1))), axis=1)

    return (1 - weight) * distance(x, x_generated) + weight * distance(f, f_generated)
