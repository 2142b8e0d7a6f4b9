"""The one runner of all steps."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ocnn.storage.recipes import why_stale
from tests.conftest import ROOT

STEP = '''"""A step of a test."""
import gc
import json
import os

from ocnn.errors import DataError

collecting_at_import = gc.isenabled()


class Thing:
    pass


def make(name):
    return type(name, (), {})


def step(thing, source, many, product, *, number, place, recipe):
    print("größer")
    if number < 0:
        raise DataError(f"{number} is below 0.")
    if number > 9:
        raise RuntimeError("a fault of ours")
    content = {
        "thing": thing.__name__,
        "source": source.read_text(),
        "many": [path.name for path in many],
        "place": place,
        "threads": os.environ["OMP_NUM_THREADS"],
        "backend": os.environ["MPLBACKEND"],
        "collecting": [collecting_at_import, gc.isenabled()],
        "recipe": recipe,
    }
    product.write_text(json.dumps(content))
'''
JOB: dict[str, Any] = {
    "function": "steps_of_a_test:step",
    "objects": {"thing": "steps_of_a_test:Thing"},
    "settings": {"number": 3},
    "stated": {"threads": 2},
    "places": {"place": "scores/{seed}.parquet"},
    "threads": 2,
    "arguments": {},
    "code": "abc",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "steps_of_a_test.py").write_text(STEP, encoding="utf-8")
    for name in ("source.txt", "a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "results").mkdir()
    return tmp_path


def run(folder: Path, outputs: dict[str, Any] | None = None, **changes: Any) -> subprocess.CompletedProcess[str]:
    files = {
        "inputs": {"source": "source.txt", "many": ["a.txt", "b.txt"]},
        "outputs": outputs or {"product": "results/product.json"},
        "others": {"unread": "c.txt"},
    }
    command = [sys.executable, "-m", "ocnn.steps", json.dumps({**JOB, **changes}), json.dumps(files)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "LC_ALL": "de_DE.ISO-8859-1",
        "PYTHONUTF8": "0",
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_a_step_is_called_with_objects_files_settings_and_its_recipe(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "größer\n"
    found = json.loads((folder / "results" / "product.json").read_text())
    recipe = found.pop("recipe")
    assert found == {
        "thing": "Thing",
        "source": "source.txt",
        "many": ["a.txt", "b.txt"],
        "place": "scores/{seed}.parquet",
        "threads": "2",
        "backend": "agg",
        "collecting": [False, True],
    }
    assert recipe["code"] == "abc"
    assert recipe["settings"] == {"number": 3, "threads": 2}
    assert set(recipe["inputs"]) == {"../source.txt", "../a.txt", "../b.txt", "../c.txt"}


def test_an_object_that_a_function_makes(folder: Path) -> None:
    """What it is called with is not of the recipe: whoever makes the job states what decides the product."""
    changes: dict[str, Any] = {"objects": {"thing": "steps_of_a_test:make"}, "arguments": {"thing": {"name": "Made"}}}
    assert run(folder, **changes).returncode == 0
    found = json.loads((folder / "results" / "product.json").read_text())
    assert found["thing"] == "Made"
    assert found["recipe"]["settings"] == {"number": 3, "threads": 2}


def test_a_product_that_cannot_hold_its_recipe_has_it_beside_it(folder: Path) -> None:
    outputs = {"product": "results/product.json", "stated": "results/recipes/step.json"}
    assert run(folder, outputs).returncode == 0
    stated = folder / "results" / "recipes" / "step.json"
    assert why_stale(stated, "abc", {"number": 3, "threads": 2}) is None
    (folder / "a.txt").write_text("another")
    assert "a.txt" in str(why_stale(stated, "abc", {"number": 3, "threads": 2}))


def test_a_step_that_fails_states_nothing(folder: Path) -> None:
    outputs = {"product": "results/product.json", "stated": "results/recipes/step.json"}
    done = run(folder, outputs, settings={"number": -1})
    assert (done.returncode, done.stderr) == (1, "error: -1 is below 0.\n")
    assert not (folder / "results" / "recipes").exists()


def test_a_fault_of_ours_keeps_its_traceback(folder: Path) -> None:
    done = run(folder, settings={"number": 10})
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "a fault of ours" in done.stderr


def test_a_missing_input_is_one_line(folder: Path) -> None:
    (folder / "source.txt").unlink()
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.startswith("error: source.txt cannot be read")
    assert len(done.stderr.splitlines()) == 1
