"""What a job of the workflow runs in: the threads that it was given, and a stated environment."""

import os
import platform
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

#: What decides nothing of a job's, and so must not come from whoever starts it: where figures are drawn, Matplotlib's
#: and Keras's files of defaults (none), the encoding of texts, messages of TensorFlow.
STATED = {
    "MPLBACKEND": "agg",
    "MATPLOTLIBRC": os.devnull,
    "KERAS_HOME": f"{os.devnull}/keras",
    "PYTHONUTF8": "1",
    "LC_ALL": "C.UTF-8",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
#: What the variables are called by which libraries are told to compute otherwise than by default: fewer epochs, other
#: types, precision, instructions or checks, a warning that ends the process. None of them reaches a job.
FOREIGN = (
    *("KERAS_", "TF_", "XLA_", "JAX_", "ONEDNN_", "DNNL_", "NVIDIA_TF32_", "CUBLAS_", "CUDNN_", "MKL_", "OPENBLAS_"),
    *("OMP_", "KMP_", "GOMP_", "NUMBA_", "TORCH_", "PYTORCH_", "GLIBC_TUNABLES"),
    *("NPY_", "NUMPY_", "SCIPY_", "SKLEARN_", "PANDAS_", "ARROW_", "PYTHONWARNINGS", "PYTHONOPTIMIZE"),
)
#: Of these the ones that are inherited on purpose: the backend, which counts as a setting, what device it works on, how
#: it takes that device's memory, and where JAX keeps what it compiled for the next job.
INHERITED = (
    *("KERAS_BACKEND", "JAX_PLATFORMS", "XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION"),
    *("TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR"),
    *("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"),
)
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def state_environment() -> None:
    """Set the variables of `STATED` and remove `FOREIGN` ones, for this process and those that it starts.

    A library that is imported before keeps to what it has read; so does Python, for its own.
    """
    own = {*INHERITED, *THREADS, "TF_DETERMINISTIC_OPS"}
    for name in [name for name in os.environ if name.startswith(FOREIGN) and name not in own]:
        del os.environ[name]
    os.environ |= STATED


def use_threads(threads: int) -> None:
    """Limit BLAS, OpenMP and TensorFlow to this many threads and make TensorFlow deterministic.

    By the environment for what is not imported yet, and directly for the BLAS and OpenMP libraries that are.
    """
    os.environ |= dict.fromkeys(THREADS, str(threads))
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    threadpool_limits(threads)


def export_environment(root: Path, mirror: Path | None) -> None:
    """Set what the jobs of this process inherit: this Python, this checkout's package, the mirror and `STATED`.

    So a job runs alike whether or not the environment is activated and the package installed.
    """
    python, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != python:
        os.environ["PATH"] = os.pathsep.join([python, path])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), *(p for p in paths if p and p != str(root))])
    if mirror is not None:
        os.environ["OCNN_MIRROR"] = str(mirror)
    state_environment()


def processor() -> str:
    """Return the name of the processor, which may decide the last digits."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
