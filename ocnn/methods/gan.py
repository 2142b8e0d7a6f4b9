"""Training a generative adversarial network, and searching the latent points of given samples, in Keras.

Both run through Keras's own training steps alone, and so on every backend.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ocnn.networks.keras_settings import refuse_in_forked_process
from ocnn.networks.losses import gan as losses
from ocnn.networks.training import apply


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

    def __init__(self, count: int, latent: int) -> None:
        super().__init__()
        self.points = self.add_weight(shape=(count, latent), initializer="zeros", name="points")

    def call(self, x: Any) -> Any:
        """The points (count, latent)."""
        return ops.convert_to_tensor(self.points)


class LatentSearch:
    """Looks for samples' latent points, all of a batch at once; compiled once for all batches.

    Adam works on each coordinate by itself, so that the samples of a batch do not influence one another.

    Args:
        generator, discriminator: trained and frozen.
        shape: of a sample.
        count: samples in a batch.
        weight, learning_rate: see `AnoGAN`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        shape: Sequence[int],
        count: int,
        *,
        weight: float,
        learning_rate: float,
    ) -> None:
        self.count = count
        self.points = LatentPoints(count, generator.input_shape[-1])
        self.features = keras.Model(discriminator.input, discriminator.outputs[0])
        samples = keras.Input(shape, batch_size=count)
        features = keras.Input(self.features.output_shape[1:], batch_size=count)
        generated = generator(self.points(samples))
        distance = losses.anogan(samples, generated, features, discriminator(generated)[0], weight)
        self.model = keras.Model([samples, features], distance)
        # The sum over the batch, of which Keras takes the mean: so no sample's gradient depends on how many there are.
        self.model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=lambda _, y: count * y)
        self.model.optimizer.build(self.model.trainable_variables)
        self.fresh = [ops.convert_to_numpy(variable) for variable in self.model.optimizer.variables]

    def __call__(
        self,
        X: NDArray[np.float32],
        start: NDArray[np.float32],
        steps: int,
        show: Callable[[str], None] = lambda text: None,
    ) -> tuple[NDArray[np.float64], list[float]]:
        """Searches.

        Args:
            X: samples (n, …), at least `count`.
            start: where the search of each begins, (latent,).
            steps: of Adam.
            show: gets a line of progress for every batch.

        Returns:
            The loss of each sample at the point that was found, (n,), and the mean loss at every step.
        """
        refuse_in_forked_process(training=True)
        unused, first_points = ops.zeros(self.count), np.broadcast_to(start, self.points.points.shape)
        found, curves = [], []
        for first in range(0, len(X), self.count):
            batch = X[first : first + self.count]
            missing = self.count - len(batch)
            # The last batch is filled up: another size would compile everything again.
            whole = np.concatenate([batch, X[:missing]]) if missing else batch
            searched = [ops.convert_to_tensor(array) for array in (whole, apply(self.features, whole))]
            self.points.points.assign(first_points)
            for variable, value in zip(self.model.optimizer.variables, self.fresh, strict=True):
                variable.assign(value)
            # Not by `fit`, which would take a tenth of the time for the making of epochs.
            curves.append([self.model.train_on_batch(searched, unused) / self.count for _ in range(steps)])
            found.append(ops.convert_to_numpy(self.model(searched, training=False))[: len(batch)])
            show(f"latent search: {first + len(batch)} of {len(X)} samples, loss {curves[-1][-1]:.6g}")
        return np.concatenate(found).astype(np.float64), np.mean(curves, axis=0).tolist()
