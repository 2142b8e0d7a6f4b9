"""A small configuration, and how to spoil it."""

import copy
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from ocnn.config.checks import load
from ocnn.errors import ConfigError
from tests.conftest import ROOT

MINIMAL: dict[str, Any] = {
    "methods": {"kde": None, "ocnn": {"nu": None}},
    "experiments": {"digits": {"dataset": "digits", "contamination": 0.1}},
    "published": {"auc": ["config/published/table3.csv"], "claims": "config/published/claims.yaml"},
}


#: The configurations that come with the project: each a file, or a file and what is laid over it.
SHIPPED = {
    "config": ["config"],
    "paper": ["paper"],
    "reduced": ["paper", "reduced"],
    "part": ["paper", "part"],
    "unit_norm": ["unit_norm"],
    "tables": ["tables"],
    "released": ["released"],
    "released_reduced": ["released", "released_reduced"],
}


def shipped(name: str) -> dict[str, Any]:
    """One of them, merged as Snakemake merges the files of `--configfile`."""
    content: dict[str, Any] = {}
    for file in SHIPPED[name]:
        update_config(content, yaml.safe_load((ROOT / "config" / f"{file}.yaml").read_text(encoding="utf-8")))
    return content


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
