"""Training: the schedule, Adam, the batches and the random state, by known answers."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray


@pytest.fixture
def slope() -> Iterator[Any]:
    """A model of one weight w = 0, trained on the mean of w x: the gradient is the batch's mean."""
    import keras

    from ocnn.networks.training import ObjectiveModel, seeded

    with seeded(0):
        inputs = keras.Input((1,))
        layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        network = keras.Model(inputs, layer(inputs))
        yield ObjectiveModel(network, lambda x, y: keras.ops.mean(y))


def weight(model: Any) -> float:
    return float(model.network.get_weights()[0].item())


@pytest.mark.parametrize(
    ("epochs", "rates", "expected"),
    [((2, 3), (0.1, 0.01), 0.23), ((3, 2), (0.01, 0.1), 0.23), ((4,), (0.1,), 0.4), ((0, 1), (9.0, 0.5), 0.5)],
)
def test_each_phase_has_its_epochs_at_its_rate(
    slope: Any, epochs: tuple[int, ...], rates: tuple[float, ...], expected: float
) -> None:
    """Adam's step is the learning rate while the gradient stays the same: the weight's way is their sum."""
    import keras

    from ocnn.networks.training import train

    way: list[float] = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: way.append(-weight(slope)))
    X = np.ones((6, 1), "float32")
    history = train(slope, X, epochs=epochs, learning_rates=rates, batch_size=6, callbacks=[record])
    steps = np.repeat(rates, epochs)
    np.testing.assert_allclose(way, np.cumsum(steps), rtol=1e-4)
    assert way[-1] == pytest.approx(expected, rel=1e-4)
    assert len(history["loss"]) == sum(epochs)
    assert list(history) == ["loss"]


def test_no_epochs_are_no_training(slope: Any) -> None:
    from ocnn.networks.training import train

    before = weight(slope)
    assert train(slope, np.ones((6, 1), "float32"), epochs=(0, 0), learning_rates=(1.0, 1.0), batch_size=6) == {
        "loss": []
    }
    assert weight(slope) == before
    assert not slope.compiled


def test_a_second_training_goes_on_with_adam_s_state_at_its_own_rates(slope: Any) -> None:
    from ocnn.networks.training import train

    X = np.ones((4, 1), "float32")
    settings: dict[str, Any] = {"batch_size": 4, "betas": (0.5, 0.9)}
    train(slope, X, epochs=(1,), learning_rates=(0.1,), **settings)
    train(slope, -X, epochs=(1,), learning_rates=(0.01,), **settings)
    # m = 0.5 · 0.5 − 0.5 = −0.25 over 1 − 0.5²; v = 0.9 · 0.1 + 0.1 = 0.19 over 1 − 0.9².
    second = 0.01 * (-0.25 / 0.75) / (0.19 / 0.19) ** 0.5
    assert weight(slope) == pytest.approx(-0.1 - second, rel=1e-4)


@pytest.mark.parametrize("given", [{}, {"betas": (0.5, 0.99)}])
def test_adam_has_the_betas_that_it_is_given(slope: Any, given: dict[str, Any]) -> None:
    """Against Adam in NumPy, with gradients of both signs: one batch per training, so that their order is known.

    Unless they are given, they are those of Kingma and Ba (2015).
    """
    from ocnn.networks.training import train

    betas = given.get("betas", (0.9, 0.999))
    w = m = v = 0.0
    for t, gradient in enumerate((1.0, -3.0, 0.5), 1):
        train(slope, np.full((2, 1), gradient, "float32"), epochs=(1,), learning_rates=(0.1,), batch_size=2, **given)
        m, v = betas[0] * m + (1 - betas[0]) * gradient, betas[1] * v + (1 - betas[1]) * gradient**2
        w -= 0.1 * (m / (1 - betas[0] ** t)) / ((v / (1 - betas[1] ** t)) ** 0.5 + 1e-7)
    assert weight(slope) == pytest.approx(w, rel=1e-4)


def batches(samples: int, batch_size: int, epochs: int) -> list[list[NDArray[Any]]]:
    """The batches of each epoch that `train` makes of the samples 0, 1, …."""
    import keras

    from ocnn.networks.training import ObjectiveModel, seeded, train

    seen: list[NDArray[Any]] = []

    def record(x: Any, y: Any) -> Any:
        seen.append(np.asarray(x)[:, 0])
        return keras.ops.mean(y)

    inputs = keras.Input((1,))
    model = ObjectiveModel(keras.Model(inputs, keras.layers.Dense(1)(inputs)), record)
    model.compile(optimizer="adam", run_eagerly=True)
    with seeded(0):
        X = np.arange(samples, dtype="float32")[:, None]
        train(model, X, epochs=(epochs,), learning_rates=(1e-3,), batch_size=batch_size)
    per_epoch = len(seen) // epochs
    return [seen[first : first + per_epoch] for first in range(0, len(seen), per_epoch)]


def test_every_epoch_has_every_sample_once_in_a_random_order() -> None:
    """Another one than they are given in. TensorFlow, seeded, draws it once (docs/decisions/seeds.md)."""
    import keras

    orders = [np.concatenate(epoch) for epoch in batches(50, 8, 3)]
    for order in orders:
        assert (order != np.arange(50)).mean() > 0.8
        np.testing.assert_array_equal(np.sort(order), np.arange(50))
        if keras.config.backend() == "tensorflow":
            np.testing.assert_array_equal(order, orders[0])


@pytest.mark.parametrize(
    ("samples", "wanted", "sizes"),
    [
        (64, 32, [32, 32]),
        (65, 32, [33, 32]),
        (66, 32, [32, 32, 2]),
        (67, 32, [32, 32, 3]),
        (33, 32, [33]),
        (20, 32, [20]),
        (3, 2, [3]),
        (13, 3, [5, 5, 3]),
    ],
)
def test_no_batch_has_one_sample(samples: int, wanted: int, sizes: list[int]) -> None:
    assert [[len(batch) for batch in epoch] for epoch in batches(samples, wanted, 2)] == [sizes] * 2


@pytest.mark.parametrize(
    ("shape", "steps"),
    [((1,), 32), ((32,), 32), ((41,), 24), ((100,), 10), ((8, 8, 1), 16), ((28, 28, 1), 1), ((2000,), 1)],
)
def test_several_steps_at_once_where_samples_are_small(shape: tuple[int, ...], steps: int) -> None:
    from ocnn.networks.training import steps_at_once

    assert steps_at_once(shape) == steps


@pytest.mark.parametrize(("samples", "sizes"), [(50, [8] * 6 + [2]), (49, [9] * 5 + [4])])
def test_many_samples_have_a_new_order_in_each_epoch(
    samples: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once in an epoch, in batches of the same sizes; and the same orders by the same seed."""
    from ocnn.networks import training

    monkeypatch.setattr(training, "LARGE", 0)
    epochs = batches(samples, 8, 3)
    assert [[len(batch) for batch in epoch] for epoch in epochs] == [sizes] * 3
    orders = [np.concatenate(epoch) for epoch in epochs]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(samples))
        assert (order != np.arange(samples)).mean() > 0.8
    assert all((order != orders[0]).mean() > 0.8 for order in orders[1:])
    again = batches(samples, 8, 3)
    assert [batch.tolist() for epoch in again for batch in epoch] == [b.tolist() for epoch in epochs for b in epoch]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's account of a process's memory")
def test_samples_of_a_memory_map_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in training nor where they are scored: the backend would hold them twice for a while."""
    from ocnn.methods import DCAE
    from ocnn.networks import training

    monkeypatch.setattr(training, "LARGE", 2**25)
    stored = np.lib.format.open_memmap(tmp_path / "samples.npy", mode="w+", dtype=np.float32, shape=(80_000, 200))
    for first in range(0, len(stored), 10_000):
        stored[first : first + 10_000] = np.random.default_rng(first).normal(size=(10_000, 200))
    stored.flush()
    X = np.load(tmp_path / "samples.npy", mmap_mode="r")
    model = DCAE(
        network={"kind": "dense", "widths": [4], "code": 2},
        epochs=1,
        learning_rates=1e-3,
        batch_size=2000,
        random_state=0,
    )
    # What is compiled and loaded at first does not count.
    model.fit(X[:50_000])

    def own_memory() -> float:
        (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("RssAnon")]
        return int(line.split()[1]) * 1024

    before, peaks, done = own_memory(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peaks.append(own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        model.fit(X)
    finally:
        done.set()
        watcher.join()
    assert max(peaks) - before < X.nbytes


@pytest.mark.parametrize("samples", [40, 43])
def test_several_steps_at_once_are_the_same_steps(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, in losses and weights, also with a smaller last batch and a number of steps that none divides."""
    import keras

    from ocnn.networks import training

    def trained() -> tuple[list[float], list[NDArray[Any]]]:
        with training.seeded(3):
            inputs = keras.Input((2,))
            outputs = keras.layers.Dense(2)(keras.layers.BatchNormalization()(keras.layers.Dense(8)(inputs)))
            net = keras.Model(inputs, outputs)
            model = training.ObjectiveModel(net, lambda x, y: keras.ops.mean(keras.ops.square(x - y)))
            X = np.random.default_rng(0).normal(size=(samples, 2)).astype("float32")
            history = training.train(model, X, epochs=(3, 2), learning_rates=(1e-2, 1e-3), batch_size=8)
        assert model.steps_per_execution == training.steps_at_once((2,))
        return history["loss"], net.get_weights()

    losses, weights = trained()
    monkeypatch.setattr(training, "steps_at_once", lambda shape: 1)
    one_by_one, expected = trained()
    assert len(losses) == 5
    assert losses == one_by_one
    for found, wanted in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("epochs", "shown"),
    [
        (1, [1]),
        (7, [1, 2, 3, 4, 5, 6, 7]),
        (38, [*range(1, 39)]),
        (60, [*range(1, 61, 3), 60]),
        (61, [*range(1, 62, 3)]),
    ],
)
def test_the_progress_of_a_training(epochs: int, shown: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    """About twenty lines, the first and the last epoch among them."""
    from ocnn.networks.training import Progress

    progress = Progress("svdd", epochs)
    for epoch in range(epochs):
        progress.on_epoch_end(epoch, {"loss": 1 / 3})
    assert capsys.readouterr().out.splitlines() == [f"svdd: epoch {n} of {epochs}, loss 0.333333" for n in shown]


def test_a_terminal_has_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from ocnn.networks import training

    monkeypatch.setattr(training, "someone_watches", lambda: True)
    bar = training.Progress("svdd", 40)
    bar.on_train_begin()
    for epoch in range(40):
        bar.on_epoch_end(epoch, {"loss": 0.5})
    bar.on_train_end()
    shown = capsys.readouterr().out
    assert shown.startswith("svdd:\n")
    assert "40/40" in shown
    assert "loss: 0.5" in shown
    assert shown.count("\n") == 2


def test_a_training_prints_if_it_is_asked_to(slope: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from ocnn.networks.training import train

    X = np.ones((4, 1), "float32")
    settings: dict[str, Any] = {"epochs": (1, 1), "learning_rates": (0.1, 0.1), "batch_size": 4}
    train(slope, X, **settings)
    assert capsys.readouterr().out == ""
    train(slope, X, verbose=1, name="slope", **settings)
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "slope: epoch 1 of 2",
        "slope: epoch 2 of 2",
    ]


def test_a_model_that_is_called_does_not_train() -> None:
    """Neither its own nor the network's dropout is at work, unless it is told to train."""
    import keras

    from ocnn.networks.training import ObjectiveModel, apply

    inputs = keras.Input((1000,))
    model = ObjectiveModel(keras.Model(inputs, keras.layers.Dropout(0.5)(inputs)), lambda x, y: keras.ops.mean(y))
    X = np.ones((2, 1000), "float32")
    np.testing.assert_array_equal(np.asarray(model(X)), X)
    np.testing.assert_array_equal(apply(model, X), X)
    assert (np.asarray(model(X, training=True)) == 0).mean() == pytest.approx(0.5, abs=0.1)


@given(st.integers(2, 10**6), st.integers(2, 10**4))
def test_the_batch_size_is_the_next_that_leaves_no_single_sample(samples: int, wanted: int) -> None:
    from ocnn.networks.training import batch_size_for

    size = batch_size_for(samples, wanted)
    assert samples % size != 1
    assert all(samples % smaller == 1 for smaller in range(wanted, size))
    assert batch_size_for(1, wanted) == wanted  # which no size would share out


@pytest.mark.parametrize(
    ("samples", "size"),
    [(1, 200), (60, 200), (6000, 200), (6001, 201), (100_000, 200), (150_000, 300), (1_000_000, 2000)],
)
def test_of_many_samples_an_epoch_has_500_steps_unless_their_size_is_stated(samples: int, size: int) -> None:
    """That 6,001 samples go by 201 is the rule for all sizes: no batch of one."""
    from ocnn.networks.training import batch_size_for

    assert batch_size_for(samples, "auto") == size
    assert batch_size_for(samples, 200) == (201 if samples == 6001 else 200)


@pytest.fixture
def foreign_settings() -> Iterator[tuple[Any, ...]]:
    """Keras's global settings as some user may have them."""
    import keras

    config = keras.config
    before = config.floatx(), config.dtype_policy(), config.image_data_format(), config.epsilon()
    config.set_floatx("float64")
    config.set_dtype_policy("float64")
    config.set_image_data_format("channels_first")
    config.set_epsilon(0.1)
    yield config.floatx(), config.dtype_policy().name, config.image_data_format(), config.epsilon()
    config.set_floatx(before[0])
    config.set_dtype_policy(before[1])
    config.set_image_data_format(before[2])
    config.set_epsilon(before[3])


def trained_autoencoder() -> tuple[NDArray[Any], list[float]]:
    """Outputs and losses of a small training."""
    from ocnn.networks.losses import squared_error
    from ocnn.networks.models import build_autoencoder
    from ocnn.networks.shapes import NETWORKS
    from ocnn.networks.training import ObjectiveModel, apply, seeded, train

    X = np.random.default_rng(0).random((40, 32, 32, 3), dtype=np.float32)
    with seeded(0):
        model = build_autoencoder(NETWORKS["lenet-gtsrb"], X.shape[1:])
        objective = ObjectiveModel(model, squared_error)
        losses = train(objective, X, epochs=(2,), learning_rates=(1e-3,), batch_size=16)["loss"]
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    return apply(model, X), losses


def test_the_user_s_settings_of_keras_change_nothing_and_stay(request: pytest.FixtureRequest) -> None:
    import keras

    outputs, losses = trained_autoencoder()
    foreign = request.getfixturevalue("foreign_settings")
    again, again_losses = trained_autoencoder()
    np.testing.assert_array_equal(again, outputs)
    assert again_losses == losses
    config = keras.config
    assert (config.floatx(), config.dtype_policy().name, config.image_data_format(), config.epsilon()) == foreign


def test_a_limit_of_the_users_cuts_no_training_short() -> None:
    """Of a program's, or of the variables KERAS_MAX_EPOCHS and KERAS_MAX_STEPS_PER_EPOCH; it comes back."""
    import keras

    from ocnn.methods import DCAE

    X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    network = {"kind": "dense", "widths": [4], "code": 2}
    settings: dict[str, Any] = {
        "network": network,
        "epochs": (3,),
        "learning_rates": (1e-3,),
        "batch_size": 4,
        "random_state": 0,
    }
    free = DCAE(**settings).fit(X)
    keras.config.set_max_epochs(1)
    keras.config.set_max_steps_per_epoch(2)
    try:
        limited = DCAE(**settings).fit(X)
        assert (keras.config.max_epochs(), keras.config.max_steps_per_epoch()) == (1, 2)
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)
    assert len(limited.history_["loss"]) == 3
    assert limited.history_["loss"] == free.history_["loss"]


@pytest.mark.usefixtures("foreign_settings")
def test_the_settings_come_back_after_an_error() -> None:
    import keras

    from ocnn.networks.keras_settings import stated_settings

    @stated_settings()
    def fail() -> None:
        assert keras.config.floatx() == "float32"
        assert keras.config.dtype_policy().name == "float32"
        assert keras.config.image_data_format() == "channels_last"
        assert keras.config.epsilon() == 1e-7
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert keras.config.floatx() == "float64"
    assert keras.config.image_data_format() == "channels_first"


@pytest.mark.parametrize(
    ("training", "backend", "threads", "refused"),
    [
        (False, "tensorflow", "1", False),
        (True, "tensorflow", "1", True),
        (False, "tensorflow", "4", True),
        (False, "jax", "1", True),
        (True, "jax", "4", True),
    ],
)
def test_what_a_forked_process_may_still_do(
    training: bool, backend: str, threads: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread of TensorFlow's that applies a network needs none of those that the fork left behind."""
    import keras

    from ocnn.networks import keras_settings

    monkeypatch.setattr(keras.config, "backend", lambda: backend)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", threads)
    for process in (None, os.getpid()):
        monkeypatch.setattr(keras_settings, "_process", process)
        keras_settings.refuse_in_forked_process(training=training)
    monkeypatch.setattr(keras_settings, "_process", os.getpid() + 1)
    if refused:
        with pytest.raises(RuntimeError, match="forked from one that had used a network"):
            keras_settings.refuse_in_forked_process(training=training)
    else:
        keras_settings.refuse_in_forked_process(training=training)


def test_the_first_process_that_uses_a_network_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    from ocnn.networks import keras_settings

    monkeypatch.setattr(keras_settings, "_process", None)
    for _ in range(2):
        with keras_settings.stated_settings():
            assert keras_settings._process == os.getpid()
    monkeypatch.setattr(keras_settings, "_process", 1)
    with keras_settings.stated_settings():
        assert keras_settings._process == 1


def test_a_forked_process_does_not_wait_for_a_thread_that_it_has_not() -> None:
    """Another thread holds the lock at the moment of the fork, and is not there to free it."""
    from ocnn.networks import keras_settings

    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with keras_settings._LOCK:
            held.set()
            over.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if keras_settings._LOCK.acquire(timeout=5) else 1)
    over.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
