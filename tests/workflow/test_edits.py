"""What the tests of the workflow edit in the sources is there: a long test that edits in vain fails here at once."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.conftest import Edit

for file in sorted(Path(__file__).parent.glob("test_*.py")):
    import_module(f"tests.workflow.{file.stem}")


@pytest.mark.parametrize("edit", Edit.made, ids=lambda edit: f"{edit.file}: {edit.old[:30]}")
def test_an_edit_finds_its_place(edit: Edit) -> None:
    assert edit.old in (ROOT / edit.file).read_text()
