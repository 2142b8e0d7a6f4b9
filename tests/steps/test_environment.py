"""The variables with which our jobs start beside those of others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocnn.steps.environment import OWN_ENVIRONMENT, export_own


def test_python_and_modules_are_found_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment of conda's, where Snakemake hides PYTHONPATH, or beside a Python of somebody else's."""
    for folder in ("first", "second", "named"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"print({folder!r})")
        (tmp_path / folder / f"of_{folder}.py").write_text("")
    (tmp_path / "python").write_text("#!/bin/sh\necho wrong")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "named"))
    for name in ("OCNN_PATH", "OCNN_PYTHONPATH", "OCNN_MIRROR"):
        monkeypatch.setenv(name, "before")
    export_own([tmp_path / "first", tmp_path / "second"], Path("/mirror"))
    assert os.environ["OCNN_MIRROR"] == "/mirror"
    assert os.environ["PYTHONPATH"] == str(tmp_path / "named")
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("LC_ALL", "POSIX")
    code = "import mine, of_second, of_named, sys; print(sys.flags.optimize, sys.flags.utf8_mode, sys.executable)"
    run = subprocess.run(
        f'env {OWN_ENVIRONMENT} python -c "{code}"',
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found, flags = run.stdout.splitlines()
    assert found == "first"
    assert flags == f"0 1 {Path(sys.executable).parent}/python"
    export_own([tmp_path / "first"], None, alone=True)
    assert os.environ["PYTHONPATH"] == str(tmp_path / "first")
