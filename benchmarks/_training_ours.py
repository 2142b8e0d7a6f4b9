"""This project's side of `benchmarks.training`, through its estimators; for a process of its own."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks._measure import Cost, timed
from benchmarks._training_case import (
    ADVERSARIAL,
    CHECKED_RATE,
    CHECKED_SAMPLES,
    CHECKED_STEPS,
    RCAE_EPOCHS,
    Case,
    Trace,
)
from ocnn.methods import METHODS, load_estimator

#: A learning rate that moves no weight, for methods that cannot be fitted without an epoch.
STILL = 1e-30


def measure(case: Case, passes: int) -> Cost:
    """The cost of a fit of so many epochs (`rcae`: outer iterations), or of so many steps of the latent search."""
    keras.utils.clear_session()
    X = case.samples()
    if case.method == "search":
        fitted = _estimator(case, epochs=[0]).fit(X).set_params(steps=passes)
        return timed(lambda: fitted.score_samples(X))
    if case.method == "rcae":
        model = _estimator(case, epochs=[passes * RCAE_EPOCHS], iterations=passes)
    else:
        model = _estimator(case, epochs=[passes])
    cost = timed(lambda: model.fit(X))
    if len(model.history_["loss"]) != model.epochs[0]:
        raise RuntimeError(f"{case.method} stopped after {len(model.history_['loss'])} epochs: {model.diagnosis_}")
    return cost


def start(case: Case) -> list[NDArray[Any]]:
    """The weights that the networks of `trace` start from, in the order of Keras."""
    return [np.array(weight) for network in _untrained_networks(case) for weight in network.trainable_variables]


def trace(case: Case) -> Trace:
    """What this side computes from `start`."""
    import tensorflow as tf

    X = case.samples(CHECKED_SAMPLES)
    outputs, gradients = [], []
    for network in _untrained_networks(case):
        with tf.GradientTape() as tape:
            answers = network(case.latent_points() if network.name == "generator" else X, training=True)
            answers = answers if isinstance(answers, list) else [answers]
            loss = sum(
                tf.reduce_mean(tf.square(answer - X) if answer.shape == X.shape else tf.exp(answer))
                for answer in answers
            )
        outputs += [answer.numpy() for answer in answers]
        gradients += [gradient.numpy() for gradient in tape.gradient(loss, network.trainable_variables)]
    if case.method in ADVERSARIAL:
        model = _estimator(case, epochs=[0]).fit(X).set_params(steps=CHECKED_STEPS)
        model.start_ = case.latent_points()[0]
        return Trace(outputs, gradients, [], model.score_samples(X))
    settings: dict[str, Any] = {
        "epochs": [CHECKED_STEPS],
        "learning_rates": [CHECKED_RATE],
        "batch_size": CHECKED_SAMPLES,
    }
    if case.method == "rcae":
        settings["iterations"] = CHECKED_STEPS // 2
    model = _estimator(case, **settings).fit(X)
    return Trace(outputs, gradients, model.history_["loss"], model.score_samples(X))


def _estimator(case: Case, **settings: Any) -> Any:
    """The method; with one seed its networks always start from the same weights."""
    name = "anogan" if case.method in ADVERSARIAL else case.method
    return load_estimator(METHODS[name])(**{**case.settings, **settings})


def _untrained_networks(case: Case) -> list[keras.Model]:
    keras.utils.clear_session()
    X = case.samples(CHECKED_SAMPLES)
    if case.method in ADVERSARIAL:
        model = _estimator(case, epochs=[0]).fit(X)
        model.generator_.trainable = model.discriminator_.trainable = True
        return [model.generator_, model.discriminator_]
    settings = {"iterations": 1} if case.method == "rcae" else {}
    model = _estimator(case, epochs=[1], learning_rates=[STILL], **settings).fit(X)
    if hasattr(model, "autoencoder_"):
        return [model.autoencoder_]
    if hasattr(model, "head_"):
        inputs = keras.Input(case.shape)
        return [keras.Model(inputs, model.head_(model.encoder_(inputs)))]
    return [model.encoder_]
