"""What a job runs in."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocnn.networks.weights import import_keras
from ocnn.steps.runtime import STATED, THREADS, state_environment


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(threads: int) -> None:
    """Of BLAS and OpenMP, loaded before and after the call."""
    code = (
        "import json, numpy, scipy.linalg\n"
        "from ocnn.steps.runtime import use_threads\n"
        f"use_threads({threads})\n"
        "import sklearn.svm, sklearn.cluster\n"
        "from threadpoolctl import threadpool_info\n"
        "print(json.dumps([library['num_threads'] for library in threadpool_info()]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert len(found) >= 2
    assert set(found) == {threads}


@pytest.mark.parametrize("enabled", [True, False])
def test_importing_keras_leaves_the_garbage_collector_as_it_was(enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the import fails."""
    monkeypatch.setitem(sys.modules, "keras", None)
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ImportError, match="need a Keras backend"):
            import_keras()
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


@pytest.mark.parametrize("name", STATED)
def test_a_job_does_not_inherit_what_decides_nothing_of_it(name: str) -> None:
    """Whatever the user's own environment says."""
    code = (
        "import os, sys\nfrom ocnn.steps.runtime import state_environment\nstate_environment()\n"
        "print(os.environ[sys.argv[1]])"
    )
    environment = {**os.environ, name: "0" if name == "PYTHONUTF8" else "/the/users/own"}
    run = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, check=True, env=environment
    )
    assert run.stdout.strip() == STATED[name]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "KERAS_MAX_EPOCHS",
            "KERAS_MAX_STEPS_PER_EPOCH",
            "KERAS_NNX_ENABLED",
            "TF_ENABLE_ONEDNN_OPTS",
            "TF_XLA_FLAGS",
        ),
        *("XLA_FLAGS", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "ONEDNN_DEFAULT_FPMATH_MODE", "MKL_CBWR"),
        *("NPY_DISABLE_CPU_FEATURES", "SCIPY_ARRAY_API", "SKLEARN_ASSUME_FINITE", "PANDAS_COPY_ON_WRITE"),
        *("OPENBLAS_CORETYPE", "NVIDIA_TF32_OVERRIDE", "PYTHONWARNINGS", "TF_OF_THE_FUTURE"),
        *("OMP_SCHEDULE", "KMP_AFFINITY", "GOMP_CPU_AFFINITY", "NUMBA_DISABLE_JIT", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
        *("PYTORCH_JIT", "CUDNN_DETERMINISTIC", "GLIBC_TUNABLES"),
    ],
)
def test_what_tells_a_library_to_compute_otherwise_reaches_no_job(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", {**os.environ, name: "1"})
        state_environment()
        assert name not in os.environ


@pytest.mark.parametrize("name", ["KERAS_BACKEND", "JAX_PLATFORMS", "TF_GPU_ALLOCATOR", *THREADS, "HOME", "CUDA_PATH"])
def test_backend_device_and_threads_reach_a_job(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", {**os.environ, name: "mine"})
        state_environment()
        assert os.environ[name] == "mine"


def test_keras_takes_nothing_from_the_users_file(tmp_path: Path) -> None:
    settings = {"floatx": "float64", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    code = (
        "from ocnn.steps.runtime import state_environment\nstate_environment()\nimport keras\n"
        "config = keras.config\n"
        "print(config.floatx(), config.image_data_format(), config.epsilon(), config.backend())\n"
        "print(config.max_epochs(), config.max_steps_per_epoch())"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KERAS")}
    environment |= {"HOME": str(tmp_path), "KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.split() == ["float32", "channels_last", "1e-07", "tensorflow", "None", "None"]
