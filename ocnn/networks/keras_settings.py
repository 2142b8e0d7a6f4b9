"""Keras's global settings as the networks need them, whatever the user's keras.json or program says."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keras

#: Type of weights and samples, and where the channels stand.
FLOAT, DATA_FORMAT = "float32", "channels_last"
#: What is computed in, Keras's policy of types; none: `FLOAT`.
POLICY: str | None = None
#: Keras's own default, which some layers take from the global settings.
EPSILON = 1e-7

_LOCK = threading.RLock()
#: The process in which networks were first used.
_process: int | None = None


def _renew_lock() -> None:
    """Free a lock that another thread of the forked process held, which will not free it here."""
    global _LOCK
    _LOCK = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def stated_settings() -> Iterator[None]:
    """State Keras's global settings inside the block, one thread at a time; the user's come back after it."""
    global _process
    config = keras.config
    with _LOCK:
        _process = _process or os.getpid()
        before = config.floatx(), config.dtype_policy(), config.image_data_format(), config.epsilon()
        limits = config.max_epochs(), config.max_steps_per_epoch()
        try:
            _set(FLOAT, POLICY or FLOAT, DATA_FORMAT, EPSILON)
            _set_limits(None, None)
            yield
        finally:
            _set(*before)
            _set_limits(*limits)


def _set(floatx: str, policy: "str | keras.DTypePolicy", data_format: str, epsilon: float) -> None:
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format(data_format)
    keras.config.set_epsilon(epsilon)


def _set_limits(epochs: int | None, steps_per_epoch: int | None) -> None:
    """State how long any training may be at most, by which a program of the user's, or a variable, cuts all short."""
    keras.config.set_max_epochs(epochs)
    keras.config.set_max_steps_per_epoch(steps_per_epoch)


def refuse_in_forked_process(*, training: bool) -> None:
    """Refuse work that would wait for ever for threads that a fork has left behind.

    A backend's threads do not survive a fork. TensorFlow needs them in every compiled function, hence in training;
    what it computes operation by operation on one thread needs none.

    Raises:
        RuntimeError: networks were used in the process that this one was forked from.
    """
    if _process in (None, os.getpid()):
        return
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS") or os.cpu_count()
    if training or keras.config.backend() != "tensorflow" or str(threads) != "1":
        raise RuntimeError(
            "This process was forked from one that had used a network, whose threads do not survive that: start it by"
            " spawning (joblib's default, or multiprocessing.get_context('spawn')) or use threads."
        )
