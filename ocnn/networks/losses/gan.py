"""The losses of AnoGAN: of its two networks, and of its latent search."""

from typing import Any

from keras import ops

Tensor = Any


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
