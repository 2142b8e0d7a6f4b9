"""The weights of networks on disk, and the import of Keras."""

import gc
from pathlib import Path

import numpy as np
import pytest

from ocnn.errors import ResultError
from ocnn.networks.weights import import_keras, load_weights, save_weights
from ocnn.storage.arrays import read_arrays, write_arrays


def test_weights_come_back_in_their_order(tmp_path: Path) -> None:
    """More than ten, whose names as texts are in another order; of one shape, so that a swap would not be refused."""
    import keras

    def build() -> keras.Model:
        return keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(2, use_bias=False) for _ in range(12))])

    saved, loaded = build(), build()
    history = {"loss": [3.0, 0.1], "accuracy": [0.5, 0.75]}
    save_weights(saved, tmp_path / "w.npz", history=history)
    assert len(read_arrays(tmp_path / "w.npz")) == 12 + 2
    assert load_weights(loaded, tmp_path / "w.npz") == history
    for found, expected in zip(loaded.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    write_arrays(
        tmp_path / "double.npz", {f"weight_{n}": w.astype(np.float64) for n, w in enumerate(saved.get_weights())}
    )
    with pytest.raises(ResultError, match="not of the type float32"):
        load_weights(loaded, tmp_path / "double.npz")


@pytest.mark.parametrize("enabled", [True, False])
def test_importing_keras_leaves_garbage_collection_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        import_keras()
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
