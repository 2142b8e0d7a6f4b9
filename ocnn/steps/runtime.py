"""How a job of the workflow uses its machine: as many threads as it was given, the same arithmetic every time."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from ocnn.errors import OcnnError


@contextmanager
def job() -> Iterator[None]:
    """The work of a job, after its imports, which were made without the garbage collector.

    Ends the process with the message alone of an error that a user can mend; other errors keep their traceback.
    """
    gc.enable()
    try:
        yield
    except OcnnError as error:
        sys.exit(f"error: {error}")


def use_threads(threads: int) -> None:
    """Limits BLAS, OpenMP and TensorFlow to this many threads and makes TensorFlow deterministic.

    By the environment for what is not imported yet, and directly for the BLAS and OpenMP libraries that are.
    """
    number = str(threads)
    for variable in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ):
        os.environ[variable] = number
    threadpool_limits(threads)
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def export_environment(root: Path, mirror: Path | None) -> None:
    """Sets what the jobs of this process inherit: this Python, this checkout's package, and the mirror.

    So a job runs alike whether or not the environment is activated and the package installed.
    """
    python, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != python:
        os.environ["PATH"] = os.pathsep.join([python, path])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), *(p for p in paths if p and p != str(root))])
    if mirror is not None:
        os.environ["OCNN_MIRROR"] = str(mirror)
