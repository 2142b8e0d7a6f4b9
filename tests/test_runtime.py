"""A job uses as many threads as it was given."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(threads: int) -> None:
    """Of BLAS and OpenMP, loaded before and after the call."""
    code = (
        "import json, numpy, scipy.linalg\n"
        "from ocnn.runtime import use_threads\n"
        f"use_threads({threads})\n"
        "import sklearn.svm, sklearn.cluster\n"
        "from threadpoolctl import threadpool_info\n"
        "print(json.dumps([library['num_threads'] for library in threadpool_info()]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert len(found) >= 2
    assert set(found) == {threads}
