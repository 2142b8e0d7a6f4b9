"""How a job of the workflow uses its machine: as many threads as it was given, the same arithmetic every time."""

import os


def use_threads(threads: int) -> None:
    """Limits BLAS, OpenMP and TensorFlow to this many threads and makes TensorFlow deterministic.

    By the environment, so that nothing is imported; to be called before these libraries are.
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
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
