"""Nothing that is read can run code; ruff's rules in pyproject.toml forbid most of what could."""

import ast
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ocnn.errors import OcnnError
from ocnn.results.published import read_claims
from ocnn.storage.arrays import open_array, read_arrays
from tests.conftest import ROOT

SOURCES = sorted(path for folder in ("ocnn", "workflow") for path in (ROOT / folder).rglob("*.py"))


class Planted:
    """An object that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_extracted_and_no_pickle_allowed(path: Path) -> None:
    """What ruff has no rule for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            assert name not in ("extract", "extractall", "load_model"), f"line {node.lineno}"
            for keyword in node.keywords:
                refused = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                assert keyword.arg != "allow_pickle" or refused, f"line {node.lineno}"


def test_a_planted_object_is_never_made(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    objects = np.array([Planted(canary)], object)
    pickle.loads(pickle.dumps(Planted(canary)))
    assert canary.exists()  # that is how it would show
    canary.unlink()
    np.save(tmp_path / "a.npy", objects)
    np.savez(tmp_path / "a.npz", images=objects)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(objects))
    (tmp_path / "a.yaml").write_text(f"- !!python/object/apply:os.mkdir [{canary}]")
    yaml.unsafe_load((tmp_path / "a.yaml").read_text())
    assert canary.exists()
    canary.rmdir()
    for read, file in ((open_array, "a.npy"), (open_array, "b.npy"), (read_arrays, "a.npz"), (read_claims, "a.yaml")):
        with pytest.raises(OcnnError, match=file):
            read(tmp_path / file)
    assert not canary.exists()
