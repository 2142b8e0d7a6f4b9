"""The README keeps to the rules that it states."""

import re
from pathlib import Path

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
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_example_runs_and_scores_no_sample_that_it_was_fitted_to() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102  (the example of our own)
    train, test = (np.asarray(names[name]) for name in ("train", "test"))
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}
    assert len(train) + len(test) == 569
    decisions = names["model"].decision_function(test)  # type: ignore[attr-defined]
    benign = np.asarray(names["benign"]) == 1
    assert (decisions[benign][:, None] > decisions[~benign]).mean() > 0.8


def test_the_files_that_it_names_are_there() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_files_that_a_page_names_are_there(page: Path) -> None:
    """What a page has as code and begins with one of our folders, or with a wing of `ocnn`; NAME stands for a name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:ocnn|workflow|config|tests|docs|benchmarks|envs)/[\w./*-]*)`", text):
        assert "NAME" in path or [*ROOT.glob(path), *(ROOT / "ocnn").glob(path)], path
