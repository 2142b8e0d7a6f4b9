"""A case of `benchmarks.training`: which method is trained on what; both sides derive data and settings from it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocnn.config.schema import Config
from ocnn.methods import load_estimator

#: Methods of config/paper.yaml, and `search`, the latent search of `anogan`.
METHODS = ("dcae", "deep_svdd", "soft_deep_svdd", "ocnn", "ocnn_released", "rcae", "anogan", "search")
ADVERSARIAL = ("anogan", "search")
#: Epochs of an outer iteration of `rcae`, as in config/paper.yaml.
RCAE_EPOCHS = 10
#: In the check of both sides against each other: samples, in one batch, and steps of Adam at a learning rate.
CHECKED_SAMPLES = 64
CHECKED_STEPS = 4
CHECKED_RATE = 1e-3


@dataclass(frozen=True)
class Case:
    """What is trained.

    method: one of `METHODS`.
    settings: the estimator's parameters, as the workflow gives them to it, but for one phase of training and no
        pretraining.
    shape: of a sample.
    images: samples in an epoch.
    threads: of each side.
    """

    method: str
    settings: dict[str, Any]
    shape: tuple[int, ...]
    images: int
    threads: int

    def samples(self, count: int | None = None) -> NDArray[np.float32]:
        """Noise in [0, 1], (count or images, *shape): what the pixels show changes no time."""
        size = (count or self.images, *self.shape)
        return np.random.default_rng(0).uniform(size=size).astype(np.float32)

    def latent_points(self) -> NDArray[np.float32]:
        """A latent point of AnoGAN for each checked sample."""
        size = (CHECKED_SAMPLES, self.settings["latent"])
        return np.random.default_rng(1).normal(size=size).astype(np.float32)


def one_phase(config: Config, experiment: str, row: str) -> dict[str, Any]:
    """All settings of a method's row of an experiment, for one phase of training without pretraining or warm-up."""
    known = load_estimator(config.estimator(row))().get_params()
    settings = {**known, **config.settings(experiment, row, seed=0)}
    own = {"pretrain_epochs": [0], "pretrain_learning_rates": [1.0], "warm_up": 0, "steps": 1, "verbose": 0}
    settings |= {key: value for key, value in own.items() if key in known}
    if settings.get("nu", 0.1) is None:
        settings["nu"] = settings["anomaly_share"]
    return settings | {"learning_rates": settings["learning_rates"][:1]}


@dataclass(frozen=True)
class Variant:
    """How PyTorch is told to do the same.

    channels_last: whether images and kernels lie in memory as TensorFlow has them.
    fused: whether Adam takes a step by one kernel.
    compile: whether networks and losses go through `torch.compile`.
    """

    channels_last: bool = False
    fused: bool = False
    compile: bool = False


PLAIN = Variant()


@dataclass(frozen=True)
class Trace:
    """What one side computes from given weights on `CHECKED_SAMPLES` samples.

    outputs: of the networks in training mode.
    gradients: by each weight, of the mean squared difference of images from the samples, or of the mean exponential of
        codes, features and logits (whose mean square a normalisation may have fixed).
    losses: of the first `CHECKED_STEPS` steps of the training that is timed. Empty for `ADVERSARIAL` methods, whose
        training draws noise of its own.
    scores: of the samples after these steps; for `ADVERSARIAL` methods after as many of the latent search.
    """

    outputs: list[NDArray[Any]]
    gradients: list[NDArray[Any]]
    losses: list[float]
    scores: NDArray[Any]
