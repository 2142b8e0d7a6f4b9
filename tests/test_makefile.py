"""What `make` takes for its Python, and what it says where there is none; nothing is installed."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def make(folder: Path, pythons: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make` set up to the point where an environment would be made, with these Pythons on the path alone.

    pythons: name → version; one of no version answers as a shim of a Python that is not installed.
    """
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    path = folder / "bin"
    path.mkdir()
    for name in ("bash", "grep", "awk"):
        (path / name).symlink_to(str(shutil.which(name)))
    for name, version in pythons.items():
        served = "True" if version.split(".")[:2] in (["3", "11"], ["3", "12"], ["3", "13"]) else "False"
        answer = f"echo Python {version}" if version else "echo command not found >&2; exit 127"
        condition = f'[ "$1" = -c ] && {{ [ {served} = True ]; exit; }}' if version else ""
        program = path / name
        program.write_text(f'#!{shutil.which("bash")}\n{condition}\n[ "$1" = -m ] && exit 9\n{answer}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHON", "MAKEFLAGS", "MFLAGS")}
    environment |= {"PATH": str(path)}
    command = [str(MAKE), ".venv/set-up", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ({"python3.11": "3.11.7", "python3.13": "3.13.0"}, "python3.11"),
        ({"python3.11": "", "python3.12": "3.12.1", "python3": "3.12.1"}, "python3.12"),
        ({"python3.13": "3.13.0", "python3": "3.14.2"}, "python3.13"),
        ({"python3": "3.12.9"}, "python3"),
        ({"python3": "3.10.1", "python": "3.11.1"}, "python"),
    ],
)
def test_the_python_that_is_taken(pythons: dict[str, str], taken: str, tmp_path: Path) -> None:
    run = make(tmp_path, pythons)
    assert f"Setting up .venv with Python {pythons[taken]}" in run.stdout
    assert f'"{taken}" -m venv .venv' in run.stdout
    assert run.returncode != 0  # These Pythons make no environment.


@pytest.mark.parametrize("pythons", [{}, {"python3": "3.10.4"}, {"python3": "3.14.0"}, {"python3.11": ""}])
def test_where_there_is_none(pythons: dict[str, str], tmp_path: Path) -> None:
    run = make(tmp_path, pythons)
    assert run.returncode != 0
    assert run.stderr.startswith("No Python from 3.11 to 3.13 was found. Install one")
    assert "make PYTHON=" in run.stderr
    assert "Setting up" not in run.stdout


@pytest.mark.parametrize("named", ["python3", "/nowhere/python"])
def test_one_that_is_named_and_does_not_serve(named: str, tmp_path: Path) -> None:
    run = make(tmp_path, {"python3.11": "3.11.7", "python3": "3.10.4"}, f"PYTHON={named}")
    assert run.returncode != 0
    assert run.stderr.startswith(f"{named} is no Python from 3.11 to 3.13")
    assert "Setting up" not in run.stdout
