"""The documentation's site: built without a warning, so without a broken link, and with every method in its API."""

import subprocess
import sys
from pathlib import Path

import pytest

from ocnn.methods import METHODS
from tests.conftest import ROOT


@pytest.mark.long
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-c", "docs", "-W", "--keep-going", "-q", "-b", "html"]
    run = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), ".", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    api = (tmp_path / "site" / "docs" / "api.html").read_text(encoding="utf-8")
    assert "to their k nearest training samples" in api
    start = (tmp_path / "site" / "docs" / "index.html").read_text(encoding="utf-8")
    for page in ("own_data.html", "theory.html", "../config/README.html", "../CONTRIBUTING.html"):
        assert f'href="{page}"' in start


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_in_the_api(name: str) -> None:
    listed = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8").splitlines()
    assert f".. autoclass:: {METHODS[name].replace(':', '.')}" in listed
