"""How the classifier is trained that is attacked."""

from typing import Any

import numpy as np
import pytest

from ocnn.attacks.classifier import train_classifier


class Recorded:
    """A model that only notes how it is compiled and fitted."""

    def compile(self, **settings: Any) -> None:
        self.compiled = settings

    def fit(self, X: Any, y: Any, **settings: Any) -> None:
        self.fitted = X, y, settings


def test_the_training_of_the_classifier() -> None:
    """Adam on the cross-entropy of logits, all samples shuffled, in batches of which none has a single sample."""
    model: Any = Recorded()
    X, y = np.zeros((65, 2, 2, 1), "float32"), np.zeros(65, int)
    train_classifier(model, X, y, epochs=7, learning_rate=0.25, batch_size=32)
    assert model.fitted[0] is X
    assert model.fitted[1] is y
    settings = model.fitted[2]
    assert (settings["epochs"], settings["batch_size"], settings["shuffle"]) == (7, 33, True)
    # The progress shows it.
    assert model.compiled["metrics"] == ["accuracy"]
    optimizer = model.compiled["optimizer"]
    assert (type(optimizer).__name__, float(optimizer.learning_rate)) == ("Adam", 0.25)
    # Logits 0 and log 3 are probabilities ¼ and ¾.
    logits = np.array([[0, np.log(3)]] * 2, "float32")
    loss = float(model.compiled["loss"](np.array([0, 1]), logits))
    assert loss == pytest.approx(-(np.log(0.25) + np.log(0.75)) / 2, rel=1e-5)


def test_the_progress_of_the_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    model: Any = Recorded()
    train_classifier(model, np.zeros((4, 2), "float32"), np.zeros(4), epochs=9, learning_rate=0.1, batch_size=2)
    (callback,) = model.fitted[2]["callbacks"]
    callback.on_epoch_end(2, {"loss": 0.12345, "accuracy": 0.98765})
    assert capsys.readouterr().out == "classifier: epoch 3 of 9, loss 0.1235, accuracy 0.988\n"
