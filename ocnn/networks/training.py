"""Training a Keras model by an objective, alike for every deep method."""

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ocnn.networks.keras_settings import refuse_in_forked_process, stated_settings
from ocnn.storage.arrays import LARGE

#: Samples a call when a network is applied; training has a batch size of its own.
INFERENCE_BATCH = 1000
#: Samples a step where nobody says how many, and the steps of an epoch that they may come to.
AUTO_SIZE, AUTO_STEPS = 200, 500


@contextmanager
def seeded(random_state: Any) -> Iterator[None]:
    """Seed Python, NumPy and the Keras backend inside the block; Python's and NumPy's states come back after it.

    Keras's global settings are stated, too. One thread at a time, as threads share these states: so fits that run in
    several threads at once draw what they would draw one after the other.
    """
    refuse_in_forked_process(training=True)
    seed = int(check_random_state(random_state).randint(2**31))
    with stated_settings():
        # Keras seeds NumPy's legacy global state, so that it is this one which has to come back.
        python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
        try:
            keras.utils.set_random_seed(seed)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


class ObjectiveModel(keras.Model):
    """A network trained by an objective of the samples and of what the network makes of them.

    network: from samples (batch, …) to outputs.
    objective: (samples, outputs) → scalar loss; its own variables are passed in `variables`.
    """

    def __init__(
        self, network: keras.Model, objective: Callable[[Any, Any], Any], variables: Sequence[Any] = ()
    ) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        for number, variable in enumerate(variables):
            setattr(self, f"objective_variable_{number}", variable)

    def call(self, x: Any, training: bool = False) -> Any:
        """Compute the outputs of the network."""
        return self.network(x, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Compute the objective's value for a batch."""
        return self.objective(x, y_pred)


class Batches(keras.utils.PyDataset):
    """Batches of an array in a random order, a new one for each epoch, without a copy of it, such as of a memory map.

    Args:
        X: samples (n, …).
        size: of a batch; the last may have fewer.
        seed: of the orders.
    """

    def __init__(self, X: NDArray[np.float32], size: int, seed: int) -> None:
        super().__init__()
        self.X, self.size, self.rng = X, size, np.random.default_rng(seed)
        self.order = np.arange(len(X))

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return -(-len(self.X) // self.size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32]]:
        """Give a batch, (size, …); the first of an epoch draws its order, as Keras fetches ahead of its callbacks."""
        if index == 0:
            self.order = self.rng.permutation(len(self.X))
        return (self.X[self.order[index * self.size : (index + 1) * self.size]],)


class Progress(keras.callbacks.Callback):
    """Shows a bar in a terminal or a notebook; elsewhere prints the loss about twenty times in a training.

    The first and the last epoch are among these.
    """

    def __init__(self, name: str, epochs: int) -> None:
        super().__init__()
        self.name, self.epochs, self.every = name, epochs, max(1, epochs // 20)
        self.bar = keras.utils.Progbar(epochs, unit_name="epoch") if someone_watches() else None
        self.shown = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Name what the bar is of."""
        if self.bar:
            print(f"{self.name}:", flush=True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """End the line of a bar that was stopped early."""
        if self.bar and self.shown < self.epochs:
            print(flush=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar, or print a line where it is due."""
        if self.bar:
            self.shown = epoch + 1
            self.bar.update(self.shown, [("loss", (logs or {})["loss"])])
        elif epoch % self.every == 0 or epoch + 1 == self.epochs:
            print(f"{self.name}: epoch {epoch + 1} of {self.epochs}, loss {(logs or {})['loss']:.6g}", flush=True)


def someone_watches() -> bool:
    """Say whether standard output is a terminal or a notebook, where a line can be drawn again."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules


def batch_size_for(samples: int, wanted: int | Literal["auto"]) -> int:
    """Choose the smallest batch size from `wanted` on that leaves no batch of a single sample.

    `auto` wants 200, as Ruff et al. (2018) do, and of more than 100,000 samples a five-hundredth: an epoch then takes
    500 steps, however many samples there are, and each step's fixed cost is spread over more of them.

    Batch normalisation would divide such a batch by a deviation of zero, and mix that into its moving statistics, which
    decide every score. Two samples have half the variance of many on average, three two thirds; as such a batch
    is one of several, a dense network then underestimates deviations by a seventh at most, and it is left as it is.
    """
    size = max(AUTO_SIZE, samples // AUTO_STEPS) if wanted == "auto" else wanted
    while samples > 1 and samples % size == 1:
        size += 1
    return size


def steps_at_once(shape: Sequence[int]) -> int:
    """Choose how many steps Keras takes between two returns to Python, for samples of this shape.

    The steps are the same. For a few features they take less than the return does, so there are up to 32; for large
    images there is one, after which a keyboard interrupt is heard.
    """
    return max(1, min(32, 1024 // math.prod(shape)))


@stated_settings()
def train(
    model: keras.Model,
    X: NDArray[np.float32],
    *,
    epochs: Sequence[int],
    learning_rates: Sequence[float],
    batch_size: int | Literal["auto"],
    betas: tuple[float, float] = (0.9, 0.999),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
    name: str = "training",
) -> dict[str, list[float]]:
    """Train with Adam in phases, `epochs[i]` epochs at `learning_rates[i]`, the optimiser's state going on.

    The samples are shuffled. TensorFlow, once it is seeded, draws their order once for all epochs of a training. Those
    of `LARGE` bytes or more have a new order in each epoch, and are not copied.

    A model that was trained before goes on with the state that its optimiser has, without being compiled again.

    Args:
        model: with a loss of its own, such as an `ObjectiveModel`.
        batch_size: samples per step; see `batch_size_for`.
        betas: Adam's β₁ and β₂, of the first training.

    Returns:
        `loss` and the model's metrics by name, the mean over the batches in each epoch.
    """
    total = sum(epochs)
    if total == 0:
        return {"loss": []}
    rates = np.repeat(np.asarray(learning_rates, float), epochs)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, _: float(rates[epoch]))
    shown = [Progress(name, total)] if verbose else []
    if not model.compiled:
        adam = keras.optimizers.Adam(float(rates[0]), *betas)
        model.compile(optimizer=adam, steps_per_execution=steps_at_once(X.shape[1:]))
        # Were its variables made in the first step, TensorFlow would trace that step twice.
        model.optimizer.build(model.trainable_variables)
    size = batch_size_for(len(X), batch_size)
    # Of fewer bytes Keras copies all to the backend.
    large = X.nbytes >= LARGE
    samples = Batches(X, size, int(keras.random.randint((), 0, 2**31 - 1))) if large else X
    history = model.fit(
        samples,
        batch_size=None if large else size,
        epochs=total,
        # What Keras counts by itself; but where it is told, it makes one iterator an epoch, not two.
        steps_per_epoch=-(-len(X) // size),
        shuffle=not large,
        verbose=0,
        callbacks=[schedule, *callbacks, *shown],
    )
    return {
        name: [float(value) for value in values] for name, values in history.history.items() if name != "learning_rate"
    }


@stated_settings()
def apply(
    model: keras.Model,
    X: NDArray[np.float32],
    then: Callable[[NDArray[np.float32], NDArray[Any]], NDArray[Any]] = lambda _, outputs: outputs,
) -> NDArray[Any]:
    """Compute the outputs of a model in inference mode, as an array.

    Not by Keras's `predict`, which compiles a function and feeds it by threads of its own.

    Args:
        then: what to make of some samples and their outputs, one entry a sample, so that the outputs of all samples
            are never in memory at once.
    """
    refuse_in_forked_process(training=False)
    parts = [X[first : first + INFERENCE_BATCH] for first in range(0, len(X), INFERENCE_BATCH)]
    return np.concatenate([then(part, keras.ops.convert_to_numpy(model(part, training=False))) for part in parts])
