"""What a plan says and what only the order of keys decides in it."""

import json
from typing import Any

import pytest

from ocnn.config.checks import load
from ocnn.config.plan import unordered
from tests.config.configurations import shipped


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(item) for key, item in reversed(value.items())}
    return value


def compared(raw: Any) -> tuple[str, str]:
    """A configuration's plan as it is, and without the order of keys."""
    config = load(raw)
    plan = config.plan()
    follow = [name for name, block in config.experiments.items() if block.methods == "all"]
    return json.dumps(plan), json.dumps(unordered(plan, follow), sort_keys=True)


@pytest.mark.parametrize("name", ["config", "paper", "reduced", "unit_norm"])
def test_keys_in_another_order_give_another_plan_but_nothing_new_to_make(name: str) -> None:
    raw = shipped(name)
    (plan, rest), (other_plan, other_rest) = compared(raw), compared(reversed_keys(raw))
    assert plan != other_plan
    assert rest == other_rest


def test_a_list_in_another_order_is_another_list() -> None:
    raw: dict[str, Any] = {"methods": {"kde": {}, "iforest": {}}, "experiments": {}}
    raw["experiments"]["toy"] = {"dataset": "synthetic", "contamination": 0, "methods": ["kde", "iforest"]}
    before = compared(raw)[1]
    raw["experiments"]["toy"]["methods"] = ["iforest", "kde"]
    assert compared(raw)[1] != before
