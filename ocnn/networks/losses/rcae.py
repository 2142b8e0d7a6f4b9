"""The proximal step of the robust autoencoder."""

import numpy as np
from numpy.typing import NDArray


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
