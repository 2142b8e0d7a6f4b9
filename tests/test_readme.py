"""The README and the pages of docs/: their examples run, and what they name is there."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT

#: All but the list of changes, which names what is gone.
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "config/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)


def examples(page: Path) -> list[str]:
    """The Python of a page, block by block."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=str)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in examples(page):
        exec(compile(code, str(page), "exec"), names)  # noqa: S102  (examples of our own)


def test_the_example_of_the_library_scores_no_sample_that_it_was_fitted_to() -> None:
    names: dict[str, Any] = {}
    exec(compile(examples(Path("docs/library.md"))[0], "library.md", "exec"), names)  # noqa: S102
    train, test = (np.asarray(names[name]) for name in ("train", "test"))
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}
    assert len(train) + len(test) == 569
    decisions = names["model"].decision_function(test)
    benign = np.asarray(names["benign"]) == 1
    assert (decisions[benign][:, None] > decisions[~benign]).mean() > 0.8


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_files_that_a_page_links_to_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_files_that_a_page_names_are_there(page: Path) -> None:
    """What a page has as code and begins with one of our folders, or with a wing of `ocnn`; NAME stands for a name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:ocnn|workflow|config|tests|docs|benchmarks|envs)/[\w./*-]*)`", text):
        assert "NAME" in path or [*ROOT.glob(path), *(ROOT / "ocnn").glob(path)], path
