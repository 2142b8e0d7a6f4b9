"""The README keeps to the rules that it states."""

import re

import numpy as np

from tests.conftest import ROOT

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
