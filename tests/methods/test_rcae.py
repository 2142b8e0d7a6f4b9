"""RCAE: the alternation of the autoencoder and the noise, and its limits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocnn.methods import DCAE, RCAE
from ocnn.networks import losses
from tests.conftest import QUICK

NETWORK = {"kind": "dense", "widths": [16], "code": 2}


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """Samples in a plane through 0.5, the last two of 60 far off it."""
    rng = np.random.default_rng(0)
    samples = 0.5 + 0.1 * rng.normal(size=(60, 2)) @ rng.normal(size=(2, 8))
    samples[-2:] += 3 * rng.choice([-1, 1], (2, 8))
    return samples.astype("float32")


@pytest.fixture(scope="module")
def pretrained(samples: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> tuple[DCAE, Path]:
    path = tmp_path_factory.mktemp("autoencoder") / "a.npz"
    settings = {**QUICK, "epochs": (100,), "learning_rates": (1e-3,)}
    dcae = DCAE(network=NETWORK, **settings).fit(samples[:-2])
    dcae.save_autoencoder(path)
    return dcae, path


def fit(samples: np.ndarray, path: Path, **settings: Any) -> RCAE:
    settings = {**QUICK, "epochs": (12,), "iterations": 4, "learning_rates": (1e-3,), **settings}
    return RCAE(network=NETWORK, autoencoder=path, **settings).fit(samples)


def test_without_noise_it_is_a_dcae_trained_for_longer(samples: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    """λ = 0 by convention and λ → ∞ by the threshold both leave N = 0, to the same bits."""
    nothing, infinite = (fit(samples, pretrained[1], lam=lam) for lam in (0, 1e9))
    assert nothing.noise_share_ == infinite.noise_share_ == 0
    np.testing.assert_array_equal(nothing.score_samples(samples), infinite.score_samples(samples))
    still = fit(samples, pretrained[1], lam=0, learning_rates=(1e-12,))
    kernels = [np.asarray(w) for w in still.autoencoder_.trainable_variables]
    for found, expected in zip(kernels, pretrained[0].autoencoder_.trainable_variables, strict=True):
        np.testing.assert_allclose(found, np.asarray(expected), atol=1e-6)
    assert nothing.history_["loss"][-1] < nothing.history_["loss"][0]


def test_one_training_without_interruption_is_the_same_as_iterations_without_noise(
    samples: np.ndarray, pretrained: tuple[DCAE, Path]
) -> None:
    """The optimiser's state goes on from one outer iteration to the next."""
    one = fit(samples, pretrained[1], lam=0, iterations=1, batch_size=60)
    several = fit(samples, pretrained[1], lam=0, iterations=4, batch_size=60)
    np.testing.assert_allclose(several.history_["loss"], one.history_["loss"], rtol=1e-4)


def test_a_small_lambda_takes_a_part_of_every_sample(samples: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    model = fit(samples, pretrained[1], lam=1e-6)
    assert model.noise_share_ == 1
    assert model.history_["noise_share"] == [1.0] * 4


def test_the_noise_finds_the_anomalies(samples: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    residual = np.sqrt(-pretrained[0].score_samples(samples))
    lam = float(np.sort(residual)[-3:-1].mean())
    model = fit(samples, pretrained[1], lam=lam)
    np.testing.assert_array_equal(np.flatnonzero(model.noise_norms_), [58, 59])
    assert model.noise_share_ == pytest.approx(2 / 60)
    assert model.history_["noise_norm"][-1] == pytest.approx(np.linalg.norm(model.noise_norms_), rel=1e-6)
    assert set(np.argsort(model.score_samples(samples))[:2]) == {58, 59}


def test_the_noise_is_fed_back_into_training(
    samples: np.ndarray, pretrained: tuple[DCAE, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each outer iteration trains on is X − N, N from the residual of X at the weights of that time."""
    from ocnn.methods import rcae
    from ocnn.networks import training

    seen: list[np.ndarray] = []
    judged: list[tuple[int, float]] = []
    train = training.train

    def spy(model: Any, X: np.ndarray, **settings: Any) -> Any:
        residual = samples - training.apply(model.network, seen[-1] if seen else samples)
        np.testing.assert_allclose(X, samples - losses.group_soft_threshold(residual, 0.2), atol=1e-5)
        seen.append(X.copy())
        return train(model, X, **settings)

    monkeypatch.setattr(training, "train", spy)
    judge = rcae.judge

    def note(loss: list[float], change: float) -> Any:
        judged.append((len(loss), change))
        return judge(loss, change)

    monkeypatch.setattr(rcae, "judge", note)
    model = fit(samples, pretrained[1], lam=0.2)
    assert len(seen) == 4
    assert np.abs(seen[0] - samples).max() > 0.1
    # What is judged in the end is by how much the noise changed in the last of them, as a share of what it is.
    norms = [np.linalg.norm(samples - X, axis=1) for X in seen]
    np.testing.assert_allclose(model.noise_norms_, norms[-1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.history_["noise_norm"], np.linalg.norm(norms, axis=1), rtol=1e-4)
    last = float(np.linalg.norm(seen[3] - seen[2]) / np.linalg.norm(samples - seen[3]))
    assert judged == [(12, pytest.approx(last, rel=1e-3, abs=1e-6))]
    monkeypatch.setattr(training, "train", train)
    fit(samples, pretrained[1], lam=1e9)
    assert judged[1] == (12, 0)


def test_the_progress_of_an_alternation(
    samples: np.ndarray, pretrained: tuple[DCAE, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    fit(samples, pretrained[1], lam=1e9, verbose=1, epochs=(2,), iterations=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"rcae: iteration {n} of 2" for n in (1, 2)]
    assert all(line.endswith("N ≠ 0 for 0 % of the samples") for line in lines)


def test_scores_are_squared_errors_of_the_samples_themselves(
    samples: np.ndarray, pretrained: tuple[DCAE, Path]
) -> None:
    model = fit(samples, pretrained[1], lam=0.2)
    reconstruction = np.asarray(model.autoencoder_(samples, training=False))
    np.testing.assert_allclose(model.score_samples(samples), -((samples - reconstruction) ** 2).sum(axis=1), rtol=1e-4)
