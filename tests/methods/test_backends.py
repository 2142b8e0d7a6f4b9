"""Every deep method and every kind of network trains on the JAX backend too, by KERAS_BACKEND=jax alone."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from tests.conftest import ROOT

METHODS = """
import json
import numpy as np
from sklearn.metrics import roc_auc_score
from tests.conftest import draw_blobs
from tests.methods.test_estimators import DEEP, SEPARATING, make

train, test, is_anomaly = draw_blobs()
result = {}
for name in DEEP:
    first, again = (make(name, **SEPARATING[name]).fit(train) for _ in range(2))
    scores = first.decision_function(test)
    result[name] = {
        "auc": roc_auc_score(~is_anomaly, scores),
        "repeats": scores.tobytes() == again.decision_function(test).tobytes(),
        "status": first.diagnosis_.status,
    }
"""

NETWORKS = """
import json
import numpy as np
from ocnn.attacks import boundary
from ocnn.networks import losses, models
from ocnn.networks.shapes import NETWORKS
from ocnn.networks.training import ObjectiveModel, apply, seeded, train

rng = np.random.default_rng(0)
SHAPES = {
    "lenet-mnist": (28, 28, 1), "lenet-cifar10": (32, 32, 3), "lenet-gtsrb": (32, 32, 3), "lenet-digits": (8, 8, 1),
    "dense": (10,),
}
assert {*SHAPES, "none"} == {*NETWORKS}
built = {name: models.build_autoencoder(NETWORKS[name], shape) for name, shape in SHAPES.items()}
for name, shape in (("digits", (8, 8, 1)), ("cifar10", (32, 32, 3)), ("tabular", (10,))):
    built[f"generator {name}"] = models.build_generator((4, 8), 6, shape)
    built[f"discriminator {name}"] = models.build_discriminator((4, 8), shape)
built["classifier"] = models.build_classifier((4, 8), 3, (8, 8, 3))
result = {}
for name, model in built.items():
    # The same weights and samples whatever the backend: those of NumPy.
    model.set_weights([rng.uniform(0.1, 0.5, w.shape) * (-1) ** np.arange(w.shape[-1]) if "moving" not in w.path
                       else np.ones(w.shape) for w in model.weights])
    X = rng.random((9, *model.input_shape[1:]), dtype="float32")
    single = model if len(model.outputs) == 1 else type(model)(model.input, model.outputs[0])
    outputs = apply(single, X)
    trained = ObjectiveModel(single, lambda x, y: losses.squared_error(0.3, y))
    # The classifier drops units at random, by other random numbers on each backend.
    epochs = 0 if name == "classifier" else 2
    losses_ = train(trained, X, epochs=(epochs,), learning_rates=(1e-3,), batch_size=9)["loss"]
    result[name] = {"outputs": outputs.ravel()[:50].tolist(), "losses": losses_}
X = rng.random((65, 8, 8, 1), dtype="float32")
y = (X.mean(axis=(1, 2, 3)) > 0.5).astype(int)
with seeded(0):
    model = models.build_classifier((8, 16), 2, (8, 8, 1))
    boundary.train_classifier(model, X, y, epochs=2, learning_rate=1e-2, batch_size=32)
originals = X[apply(model, X).argmax(axis=1) == 1]
attack = boundary.start(model, originals, 1, count=1, seed=0)
attack = boundary.advance(model, originals, 1, attack, steps=3, seed=0)
boundary.verify(attack, originals, apply(model, attack.images), 1)
"""

END = """
import keras
print(json.dumps({"backend": keras.backend.backend(), "result": result}))
"""


def run(script: str, backend: str) -> dict[str, dict[str, Any]]:
    process = subprocess.run(
        [sys.executable, "-c", script + END],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    answer = json.loads(process.stdout.splitlines()[-1])
    assert answer["backend"] == backend
    return answer["result"]


needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed; pip install jax")


@needs_jax
def test_every_deep_method_trains_on_jax_with_an_auc_as_on_tensorflow() -> None:
    on_jax, on_tensorflow = run(METHODS, "jax"), run(METHODS, "tensorflow")
    assert on_jax.keys() == on_tensorflow.keys()
    for name, found in on_jax.items():
        assert found["auc"] == pytest.approx(on_tensorflow[name]["auc"], abs=0.05), name
        assert found["repeats"], name
        assert (found["status"] == "diverged") == (on_tensorflow[name]["status"] == "diverged"), name


@needs_jax
def test_every_network_computes_and_trains_on_jax_as_on_tensorflow() -> None:
    """Of the same weights: the same outputs, the same losses of two steps; and the attack on a classifier."""
    on_jax, on_tensorflow = run(NETWORKS, "jax"), run(NETWORKS, "tensorflow")
    assert on_jax.keys() == on_tensorflow.keys()
    for name, expected in on_tensorflow.items():
        assert on_jax[name]["outputs"] == pytest.approx(expected["outputs"], rel=1e-3, abs=1e-4), name
        assert on_jax[name]["losses"] == pytest.approx(expected["losses"], rel=1e-2, abs=1e-5), name
