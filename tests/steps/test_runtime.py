"""How a job uses its machine."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ocnn.networks.weights import import_keras

ROOT = Path(__file__).parents[1]


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


def test_the_garbage_collector_rests_during_imports_and_at_the_end() -> None:
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000))\n"
        "import workflow.scripts\n"
        "from ocnn.networks.weights import import_keras\n"
        "from ocnn.steps.runtime import job\n"
        "print(gc.isenabled())\n"
        "with job():\n"
        "    print(gc.isenabled())\n"
        "    import_keras()\n"
        "    print(gc.isenabled())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == ["False", "True", "True", "True"]


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
