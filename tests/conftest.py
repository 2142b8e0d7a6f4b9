"""Shared by all tests: one thread and determinism, as in a job of the workflow, and data easy to separate."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from ocnn.steps.runtime import use_threads

use_threads(1)

# A commit's tests give the same result every time, on a machine however slow; `make test-fuzz` draws new inputs.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=40)
if "OCNN_FUZZ" not in os.environ:
    settings.load_profile("repeatable")

#: Settings with which a deep method fits in a second.
QUICK: dict[str, Any] = {"epochs": (1,), "learning_rates": (1e-3,), "batch_size": 32, "random_state": 0}
QUICK_PRETRAINED: dict[str, Any] = {**QUICK, "pretrain_epochs": (1,), "pretrain_learning_rates": (1e-3,)}

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes come first, so that no worker is left alone with one at the end.

    A name with an address in it would be another one in each worker, and none would run anything.
    """
    unstable = [item.nodeid for item in items if " at 0x" in item.nodeid]
    assert not unstable, unstable
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "methods"))


@pytest.fixture
def mirror() -> Path:
    """The folder of real archives that OCNN_MIRROR names."""
    folder = os.environ.get("OCNN_MIRROR")
    if not folder:
        pytest.skip("OCNN_MIRROR names no folder of real archives")
    return Path(folder)


def draw_blobs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training samples, test samples and which of these are anomalies: two far apart Gaussians in ten dimensions.

    The normals lie off the origin, from which a one-class SVM separates, and within [0, 1].
    """
    rng = np.random.default_rng(0)
    train = rng.normal(0.6, 0.05, (120, 10))
    test = np.concatenate([rng.normal(0.6, 0.05, (60, 10)), rng.uniform(0.0, 0.3, (60, 10))])
    return train.astype("float32"), test.astype("float32"), np.repeat([False, True], 60)


@pytest.fixture(scope="session")
def blobs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `draw_blobs`."""
    return draw_blobs()
