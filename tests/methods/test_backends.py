"""Every deep method trains on the JAX backend too, where JAX is installed, by KERAS_BACKEND=jax alone."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.conftest import ROOT

SCRIPT = """
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
import keras
print(json.dumps({"backend": keras.backend.backend(), "result": result}))
"""


def run(backend: str) -> dict[str, dict[str, object]]:
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
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


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed; pip install 'ocnn[jax]'")
def test_every_deep_method_trains_on_jax_with_an_auc_as_on_tensorflow() -> None:
    on_jax, on_tensorflow = run("jax"), run("tensorflow")
    assert on_jax.keys() == on_tensorflow.keys()
    for name, found in on_jax.items():
        assert found["auc"] == pytest.approx(on_tensorflow[name]["auc"], abs=0.05), name
        assert found["repeats"], name
        assert (found["status"] == "diverged") == (on_tensorflow[name]["status"] == "diverged"), name
