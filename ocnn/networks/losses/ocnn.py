"""The objective of OC-NN (Chalapathy, Menon and Chawla 2019, Eq. 3), and the r that minimises it."""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

Tensor = Any


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
