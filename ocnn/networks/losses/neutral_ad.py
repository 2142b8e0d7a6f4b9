"""The loss of NeuTraL AD (Qiu, Pfrommer, Kloft, Mandt, Rudolph 2021), which is its anomaly score, too."""

from typing import Any

from keras import ops

Tensor = Any

#: Squared norm below which a code counts as this long, so that a code of zeros has a similarity of 0 to all others.
SMALLEST_SQUARED_NORM = 1e-24


def deterministic_contrastive(codes: Tensor, temperature: float) -> Tensor:
    """−Σ_k log[h(x_k, x) / (h(x_k, x) + Σ_{l≠k} h(x_k, x_l))] of each sample (Qiu et al. 2021, Eq. 2).

    h(a, b) = exp(cos(f(a), f(b)) / τ): each transformation x_k of a sample x should look like x, and unlike the others.

    Args:
        codes: f(x), then f(x_1) … f(x_K) of each sample, (batch, K + 1, code).
        temperature: τ.

    Returns:
        (batch,).
    """
    lengths = ops.sqrt(ops.maximum(ops.sum(ops.square(codes), axis=-1, keepdims=True), SMALLEST_SQUARED_NORM))
    directions = codes / lengths
    # (batch, K, K + 1): of each transformation to the sample, and to every transformation.
    similarities = ops.matmul(directions[:, 1:], ops.transpose(directions, (0, 2, 1))) / temperature
    count = codes.shape[1] - 1
    itself = ops.eye(count, count + 1, 1, dtype=similarities.dtype)
    others = ops.where(itself > 0, -float("inf"), similarities)
    return ops.sum(ops.logsumexp(others, axis=-1) - similarities[:, :, 0], axis=-1)
