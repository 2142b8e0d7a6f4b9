"""A small configuration, and how to spoil it."""

import copy
from typing import Any

import pytest

from ocnn.config.checks import load
from ocnn.errors import ConfigError

MINIMAL: dict[str, Any] = {
    "methods": {"kde": None, "ocnn": {"nu": "contamination"}},
    "experiments": {"digits": {"dataset": "digits", "contamination": 0.1}},
    "published": {"auc": ["config/published/table3.csv"], "claims": "config/published/claims.yaml"},
}


def faults(content: Any) -> list[str]:
    """What is wrong with a configuration, a line each."""
    with pytest.raises(ConfigError) as error:
        load(content)
    first, *lines = str(error.value).splitlines()
    assert first == "The configuration cannot be used:"
    assert len(set(lines)) == len(lines)
    return [line.strip() for line in lines]


def changed(path: str, value: Any, content: Any = MINIMAL) -> Any:
    """The content with another value at a path of keys, parted by dots."""
    content = copy.deepcopy(content)
    *parents, last = path.split(".")
    place = content
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return content
