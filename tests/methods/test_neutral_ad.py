"""NeuTraL AD: its transformations, what it minimises, what it scores, and what its residual form cannot see."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ocnn.methods import NeuTraLAD
from ocnn.methods.neutral_ad import sizes_for

RNG = np.random.default_rng(0)
QUICK: dict[str, Any] = {
    "epochs": (3,),
    "learning_rates": (1e-3,),
    "batch_size": 16,
    "transformations": 3,
    "random_state": 0,
}


def contrast(codes: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Eq. 2, sample by sample and pair by pair."""
    losses = []
    for z in codes.astype(np.float64):
        lengths = np.maximum(np.linalg.norm(z, axis=1), 1e-12)
        h = np.exp(z @ z.T / np.outer(lengths, lengths) / temperature)
        numbers = range(1, len(z))
        shares = [h[k, 0] / (h[k, 0] + sum(h[k, other] for other in numbers if other != k)) for k in numbers]
        losses.append(-np.log(shares).sum())
    return np.array(losses)


def test_the_loss_by_pairs() -> None:
    from keras import ops

    from ocnn.networks.losses import deterministic_contrastive

    codes = RNG.normal(size=(5, 4, 3)).astype("float32")
    found = ops.convert_to_numpy(deterministic_contrastive(codes, 0.3))
    np.testing.assert_allclose(found, contrast(codes, 0.3), rtol=1e-5)
    # Only directions count; a code without one is as near to everything, which for K = 2 is log 2 each.
    lengths = RNG.uniform(0.5, 2, (5, 4, 1)).astype("float32")
    np.testing.assert_allclose(deterministic_contrastive(lengths * codes, 0.3), found, rtol=1e-4)
    nothing = np.zeros((1, 3, 2), "float32")
    np.testing.assert_allclose(deterministic_contrastive(nothing, 0.3), [2 * np.log(2)], rtol=1e-6)


@pytest.mark.parametrize("kind", ["residual", "multiplicative"])
def test_a_transformation_and_the_encoder_by_hand(kind: str) -> None:
    from ocnn.networks.models import build_transformed_codes

    model = build_transformed_codes(3, transformations=1, kind=kind, widths=[4], code=2)
    hidden, output, encoder, code = (RNG.normal(size=w.shape) for w in model.get_weights())
    assert [part.shape for part in (hidden, output, encoder, code)] == [(3, 3), (3, 3), (3, 4), (4, 2)]
    model.set_weights([hidden, output, encoder, code])
    X = RNG.normal(size=(6, 3))
    made = np.maximum(X @ hidden, 0) @ output
    transformed = X + made if kind == "residual" else X / (1 + np.exp(-made))
    expected = np.stack([np.maximum(part @ encoder, 0) @ code for part in (X, transformed)], axis=1)
    np.testing.assert_allclose(model(X.astype("float32")), expected, rtol=1e-4, atol=1e-5)


def test_each_sample_has_as_many_different_transformations_as_were_asked_for() -> None:
    model = NeuTraLAD(**{**QUICK, "transformations": 4}).fit(RNG.normal(size=(40, 5)))
    codes = np.asarray(model.network_(RNG.normal(size=(7, 5)).astype("float32")))
    # 5 features: codes of 10.
    assert codes.shape == (7, 5, 10)
    assert all(np.abs(a - b).max() > 1e-3 for a, b in pairwise(np.moveaxis(codes, 1, 0)))


def test_what_is_minimised_and_what_is_scored() -> None:
    """Of weights that hardly move: the loss of an epoch is the mean of Eq. 2 and the decay; scores are minus Eq. 2."""
    X = RNG.normal(size=(32, 4)).astype("float32")
    settings = {**QUICK, "epochs": (1,), "learning_rates": (1e-12,), "temperature": 0.5, "weight_decay": 0.01}
    model = NeuTraLAD(**settings, hidden=6, code=3).fit(X)
    losses = contrast(np.asarray(model.network_(X)), 0.5)
    squares = sum(float(np.square(weights).sum()) for weights in model.network_.get_weights())
    assert model.history_["loss"] == [pytest.approx(losses.mean() + 0.005 * squares, rel=1e-5)]
    np.testing.assert_allclose(model.score_samples(X), -losses, rtol=1e-5)
    assert [w.shape for w in model.network_.get_weights()[-5:]] == [(4, 6), (6, 6), (6, 6), (6, 6), (6, 3)]


def test_the_loss_falls() -> None:
    losses = (
        NeuTraLAD(**{**QUICK, "epochs": (20,), "learning_rates": (1e-2,)})
        .fit(RNG.normal(size=(64, 4)))
        .history_["loss"]
    )
    assert losses[-1] < 0.7 * losses[0]


def test_the_residual_form_is_blind_to_the_length_of_a_sample() -> None:
    """Nothing in it has a bias, so that f(c x) = c f(x), and the similarities are of directions."""
    X = RNG.normal(size=(40, 4))
    residual, multiplicative = (NeuTraLAD(**QUICK, kind=kind).fit(X) for kind in ("residual", "multiplicative"))
    np.testing.assert_allclose(residual.score_samples(7 * X), residual.score_samples(X), rtol=1e-4)
    assert np.abs(multiplicative.score_samples(7 * X) - multiplicative.score_samples(X)).max() > 0.01


def test_the_sizes_of_the_papers_code() -> None:
    assert [sizes_for(d) for d in (1, 31, 32, 300, 301)] == [(2, 2), (62, 62), (64, 32), (64, 32), (256, 64)]
