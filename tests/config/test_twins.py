"""An experiment and its shuffled one, whose difference is to be that of the order alone."""

from typing import Any

import pytest

from ocnn.config.checks import load
from tests.config.configurations import SHIPPED, faults, shipped
from tests.conftest import ROOT

SET = {"test_normals": "fitted", "order": "normals_first", "validation_split": 0.1}
BLOCK: dict[str, Any] = {
    "dataset": "digits",
    "normal_classes": [0, 1],
    "contamination": "1/21",
    "holdout": 0,
    "methods": ["kde", "iforest"],
    "training_set": SET,
}
TWIN = {**BLOCK, "training_set": {**SET, "order": "shuffled"}}


def configuration(block: dict[str, Any], twin: dict[str, Any]) -> dict[str, Any]:
    released = {**BLOCK, "shuffled": "again", **block}
    return {
        "methods": {"kde": {}, "iforest": {}, "pca": {}},
        "experiments": {"released": released, "again": {**TWIN, **twin}},
    }


@pytest.mark.parametrize(
    ("block", "twin"),
    [
        ({}, {}),
        ({}, {"methods": ["iforest"]}),
        ({"remark": "One.", "judged": False}, {"remark": "Another."}),
        ({"methods": "all"}, {}),
    ],
)
def test_what_both_may_have_each(block: dict[str, Any], twin: dict[str, Any]) -> None:
    assert load(configuration(block, twin)).plan().taken_apart == {"released": "again"}


@pytest.mark.usefixtures("_at_the_root")
@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("released")])
def test_those_that_come_with_it(name: str) -> None:
    assert load(shipped(name)).plan().taken_apart


@pytest.fixture
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("block", "twin", "fault"),
    [
        ({}, {"normal_classes": [0]}, "by normal_classes, too"),
        ({}, {"seeds": [7]}, "by seeds, too"),
        ({"seeds": 2}, {}, "by seeds, too"),
        ({}, {"methods": ["kde", "pca"]}, "by methods, too"),
        ({}, {"methods": "all"}, "by methods, too"),
        ({}, {"contamination": 0.1}, "by contamination, too"),
        ({}, {"pixels": "scaled", "network": "none"}, "by pixels, network, too"),
        ({}, {"settings": {"kde": {"bandwidths": [1.0]}}}, "by settings, too"),
        ({}, {"training_set": {**SET, "order": "shuffled", "left_out": 0.5}}, "by training_set, too"),
        ({}, {"dataset": "synthetic", "normal_classes": "all", "training_set": {"order": "shuffled"}}, "by dataset, "),
        ({}, {"training_set": SET}, "the set of again is not shuffled; give it `order: shuffled`"),
        ({"shuffled": "released"}, {}, "the set of released is not shuffled"),
        ({"training_set": TWIN["training_set"]}, {}, "the set of released is shuffled itself"),
        ({"training_set": {**SET, "validation_split": 0}}, {}, "has no effect without `validation_split`"),
        ({"contamination": 0}, {"contamination": 0}, "has no effect on a set without anomalies"),
        ({"contamination": [0, 0.1]}, {"contamination": [0, 0.1]}, "is for one contamination, not for a list"),
        ({}, {"contamination": [0, 0.1]}, "is for one contamination, not for a list"),
        ({}, {"shuffled": "released"}, "again names another by `shuffled` itself; leave that out"),
    ],
)
def test_another_difference_than_the_order_is_refused(block: dict[str, Any], twin: dict[str, Any], fault: str) -> None:
    found = faults(configuration(block, twin))
    assert [line for line in found if line.startswith("experiments.released.shuffled: ") and fault in line], found
