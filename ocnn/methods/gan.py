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
        # Zero, for which the discriminator's gradient has to wait. Without it, TensorFlow's order of reads and updates
        # alone keeps the generator's loss from weights of the next step, and with oneDNN it did not always.
        waited = ops.minimum(ops.abs(ops.mean(ops.stop_gradient(judged))), 0.0)
        real, detached = real + waited, detached + waited
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

    Adam works on each coordinate by itself, so that the samples of a batch do not influence one another. Samples that
    have settled leave, and the others move up: every sample takes the steps that it would take alone.

    Args:
        generator, discriminator: trained and frozen.
        shape: of a sample.
        count: samples in a batch.
        weight, learning_rate: see `AnoGAN`.
    """

    #: Batches whose samples keep their points and Adam's moments until all of them are done: what bounds the memory.
    TOGETHER = 40

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
        # The point of each sample, and what Adam keeps of it.
        shaped = [v for v in self.model.optimizer.variables if tuple(v.shape) == tuple(self.points.points.shape)]
        self.state = [self.points.points, *shaped]

    def __call__(
        self,
        X: NDArray[np.float32],
        start: NDArray[np.float32],
        steps: int,
        *,
        tol: float = 0,
        patience: int = 1,
        show: Callable[[str], None] = lambda text: None,
    ) -> tuple[NDArray[np.float64], list[float]]:
        """Searches.

        Args:
            X: samples (n, …), at least `count`.
            start: where the search of each begins, (latent,).
            steps: of Adam, at most.
            tol, patience: a sample has settled once its loss fell by less than this share in so many steps; at 0 none
                does.
            show: gets a line of progress whenever a group of batches is done.

        Returns:
            The loss of each sample at the point that was found, (n,), and the mean loss at every step, in which that
            of a sample that has settled stays.
        """
        refuse_in_forked_process(training=True)
        found, curve = np.empty(len(X), dtype=np.float32), np.zeros(steps)
        group = self.TOGETHER * self.count
        for first in range(0, len(X), group):
            part = slice(first, first + group)
            found[part], sums = self._search(X[part], start, steps, tol, patience, show)
            curve += sums
        return found.astype(np.float64), (curve / len(X)).tolist()

    def _search(
        self,
        X: NDArray[np.float32],
        start: NDArray[np.float32],
        steps: int,
        tol: float,
        patience: int,
        show: Callable[[str], None],
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return each sample's loss, (n,), and the sum over the samples at every step, (steps,)."""
        shape = len(X), *self.points.points.shape[1:]
        state = [np.broadcast_to(start, shape).copy(), *(np.zeros(shape, np.float32) for _ in self.state[1:])]
        before, after, sums = np.empty(len(X), np.float32), np.empty(len(X), np.float32), np.zeros(steps)
        searching, settled = np.arange(len(X)), 0.0
        for done in range(0, steps, patience):
            now = slice(done, min(done + patience, steps))
            sums[now] += settled
            for first in range(0, len(searching), self.count):
                batch = searching[first : first + self.count]
                before[batch], after[batch], means = self._advance(X, batch, state, now)
                sums[now] += len(batch) * means
            if tol:
                # A loss that is not a number has settled, too.
                falls = after[searching] < (1 - tol) * before[searching]
                settled += float(after[searching[~falls]].sum(dtype=np.float64))
                searching = searching[falls]
            show(f"latent search: step {now.stop} of {steps}, {len(searching)} of {len(X)} samples not settled")
        return after, sums

    def _advance(
        self, X: NDArray[np.float32], batch: NDArray[np.intp], state: list[NDArray[np.float32]], steps: slice
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
        """Take a batch these steps on, in its `state`; its losses before and then, and their mean at every step."""
        # A batch that is not full is filled by repeating it: another size would compile everything again.
        filled = np.resize(batch, self.count)
        searched = [ops.convert_to_tensor(array) for array in (X[filled], apply(self.features, X[filled]))]
        self.model.optimizer.iterations.assign(steps.start)
        for variable, values in zip(self.state, state, strict=True):
            variable.assign(values[filled])
        before = ops.convert_to_numpy(self.model(searched, training=False))[: len(batch)]
        unused = ops.zeros(self.count)
        # Not by `fit`, which would take a tenth of the time for the making of epochs.
        losses_of_steps = [self.model.train_on_batch(searched, unused) for _ in range(steps.start, steps.stop)]
        for variable, values in zip(self.state, state, strict=True):
            values[batch] = ops.convert_to_numpy(variable)[: len(batch)]
        after = ops.convert_to_numpy(self.model(searched, training=False))[: len(batch)]
        return before, after, np.array(losses_of_steps, dtype=np.float64) / self.count
