"""Training a generative adversarial network, and searching the latent points of given samples, in Keras.

Both run through `fit` alone, and so on every backend.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ocnn import losses


class AdversarialModel(keras.Model):
    """Generator and discriminator trained at once: each step moves both by the gradient of its own loss.

    The generated samples reach the discriminator's loss without a gradient to the generator; the generator's loss
    passes through a copy of the discriminator whose weights get none. So one loss, the sum, and one Adam serve both.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, seed: int) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.noise = keras.random.SeedGenerator(seed)
        self.accuracy = keras.metrics.Mean(name="accuracy")

    def call(self, x: Any, training: bool = False) -> tuple[Any, Any, Any]:
        """Logits (batch,) of the samples, of generated ones, and of the same as the generator's loss sees them."""
        z = keras.random.normal((ops.shape(x)[0], self.generator.input_shape[-1]), seed=self.noise)
        generated = self.generator(z, training=training)
        _, real = self.discriminator(x, training=training)
        _, detached = self.discriminator(ops.stop_gradient(generated), training=training)
        fixed = [ops.stop_gradient(ops.convert_to_tensor(v)) for v in self.discriminator.trainable_variables]
        state = [ops.convert_to_tensor(v) for v in self.discriminator.non_trainable_variables]
        (_, judged), _ = self.discriminator.stateless_call(fixed, state, generated, training=training)
        return real, detached, judged

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The discriminator's and the generator's loss for a batch; records the discriminator's accuracy."""
        real, detached, judged = y_pred
        right = ops.concatenate([real > 0, detached < 0])
        self.accuracy.update_state(ops.cast(right, "float32"))
        return losses.discriminator(real, detached) + losses.generator(judged)


class LatentPoints(keras.layers.Layer):
    """A latent point for each sample of a batch, to be trained; its input only says how many."""

    def __init__(self, start: NDArray[np.float32], count: int) -> None:
        super().__init__()
        self.start = np.broadcast_to(start, (count, len(start)))
        self.points = self.add_weight(shape=self.start.shape, initializer="zeros", name="points")

    def call(self, x: Any) -> Any:
        """The points (count, latent)."""
        return ops.convert_to_tensor(self.points)


def search(
    X: NDArray[np.float32],
    generator: keras.Model,
    discriminator: keras.Model,
    start: NDArray[np.float32],
    *,
    weight: float,
    steps: int,
    learning_rate: float,
    batch_size: int,
    show: Callable[[str], None] = lambda text: None,
) -> tuple[NDArray[np.float64], list[float]]:
    """Looks for each sample's latent point, all of a batch at once, from the same start.

    Adam works on each coordinate by itself, so that the samples of a batch do not influence one another.

    Args:
        X: samples (n, …).
        generator, discriminator: trained and frozen.
        start: (latent,).
        weight, steps, learning_rate, batch_size: see `AnoGAN`.
        show: gets a line of progress for every batch.

    Returns:
        The loss of each sample at the point that was found, (n,), and the mean loss at every step.
    """
    count = min(batch_size, len(X))
    points = LatentPoints(start, count)
    inputs = keras.Input(X.shape[1:], batch_size=count)
    generated = generator(points(inputs))
    distance = losses.anogan(inputs, generated, discriminator(inputs)[0], discriminator(generated)[0], weight)
    model = keras.Model(inputs, distance)
    # The sum over the batch, of which Keras takes the mean: so no sample's gradient depends on how many there are.
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=lambda _, y: count * y)
    model.optimizer.build(model.trainable_variables)
    fresh = [ops.convert_to_numpy(variable) for variable in model.optimizer.variables]
    unused = np.zeros(count, np.float32)
    found, curves = [], []
    for first in range(0, len(X), count):
        batch = X[first : first + count]
        missing = count - len(batch)
        # The last batch is filled up: another size would compile everything again.
        whole = np.concatenate([batch, X[:missing]]) if missing else batch
        points.points.assign(points.start)
        for variable, value in zip(model.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        history = model.fit(whole, unused, batch_size=count, epochs=steps, shuffle=False, verbose=0)
        curves.append(np.asarray(history.history["loss"]) / count)
        found.append(model.predict_on_batch(whole)[: len(batch)])
        show(f"latent search: {first + len(batch)} of {len(X)} samples, loss {curves[-1][-1]:.6g}")
    return np.concatenate(found).astype(np.float64), np.mean(curves, axis=0).tolist()
