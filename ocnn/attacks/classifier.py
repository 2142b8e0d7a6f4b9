"""Training the classifier that is attacked."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


def train_classifier(
    model: "keras.Model", X: NDArray[np.float32], y: NDArray[Any], *, epochs: int, learning_rate: float, batch_size: int
) -> None:
    """Train a classifier of logits with cross-entropy and Adam; to be called inside `seeded`.

    Args:
        X: images (n, height, width, channels) in [0, 1].
        y: labels (n,).
        batch_size: samples per step; see `batch_size_for`.
    """
    import keras

    from ocnn.networks.keras_settings import stated_settings
    from ocnn.networks.training import batch_size_for

    def show(epoch: int, logs: dict[str, float]) -> None:
        loss, accuracy = logs["loss"], logs["accuracy"]
        print(f"classifier: epoch {epoch + 1} of {epochs}, loss {loss:.4g}, accuracy {accuracy:.3f}", flush=True)

    with stated_settings():
        model.compile(
            optimizer=keras.optimizers.Adam(learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        callback, size = keras.callbacks.LambdaCallback(on_epoch_end=show), batch_size_for(len(X), batch_size)
        model.fit(X, y, batch_size=size, epochs=epochs, shuffle=True, verbose=0, callbacks=[callback])
