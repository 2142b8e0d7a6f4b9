"""The configuration with random values, keys and gaps: it is accepted, or refused by the documented error."""

import contextlib
import copy
import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocnn.config.checks import load
from ocnn.errors import ConfigError
from tests.conftest import ROOT
from tests.fuzz.conftest import INPUTS, TIME

pytestmark = pytest.mark.long

CONFIG: dict[str, Any] = {
    "seeds": 2,
    "methods": {"kde": None, "ocnn": {"nu": None, "epochs": [5], "learning_rates": [1e-4]}},
    "attacks": {"zeros": {"dataset": "digits", "attacked_class": 0, "images": 9, "classifier": {"widths": [8, 16]}}},
    "experiments": {
        "digits": {
            "dataset": "digits",
            "normal_classes": [3, 8],
            "contamination": 0.1,
            "network": "lenet-digits",
            "training": {"batch_size": 32},
            "autoencoder": {"epochs": [1, 2], "learning_rates": [1e-3, 1e-4]},
            "methods": ["kde", "ocnn"],
            "settings": {"ocnn": {"nu": 0.1}},
            "published": "mnist",
        },
        "attacked": {"attack": "zeros", "steps": [0, 40], "contamination": 0, "methods": ["kde"]},
    },
    "run": ["digits"],
    "published": {"auc": ["config/published/table3.csv"], "claims": "config/published/claims.yaml"},
    "references": {"lab": "config/published/table4.csv"},
    "verdicts": {"margin": 2.0, "alpha": 0.05},
}
#: What only a hostile file holds.
HOSTILE = st.sampled_from(
    [2**31, 2**63, 16**5000, "\ud800", "a{b}", "a\nb", "/", "..", " ", "1/0", "9" * 5000, "x" * 300, b"x", 1e999]
) | st.sampled_from([datetime.date(2026, 1, 1), {1}, {5: 1, None: 2}, {True: {}}, {"\ud800": 1}, {"{": "}"}])
VALUES = HOSTILE | st.recursive(
    st.sampled_from([None, True, 0, -1, 1, 2, 10**30, 0.1, 1e-4, float("nan"), float("inf"), "", "all", "auto", "kde"])
    | st.sampled_from(["ocnn", "digits", "mnist", "0", "3", "1e-4", "nan", "1/11", "lenet-digits", "none", "é:x"])
    | st.sampled_from(
        ["ocnn.methods:METHODS", "ocnn.methods.kde:KDE", "ocnn.data.digits:DIGITS", "no.such:Thing", "os:"]
    )
    | st.sampled_from(["config", "README.md", "config/published/table1.csv", "\0"])
    | st.integers(-3, 3),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from(["kde", "ocnn", "digits", "widths", "code", "kind", "estimator"]), values)
    ),
    max_leaves=4,
)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every key and item of nested mappings and lists."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [place for key, value in items for place in [(*path, key), *places(value, (*path, key))]]


def edited(edits: Sequence[tuple[tuple[Any, ...], str, Any]]) -> dict[str, Any]:
    """The configuration with values set, keys deleted or renamed, and items appended at these places."""
    content = copy.deepcopy(CONFIG)
    for (*parents, key), kind, value in edits:
        with contextlib.suppress(
            LookupError, TypeError, AttributeError, ValueError
        ):  # an edit before may have taken it away
            place: Any = content
            for parent in parents:
                place = place[parent]
            if kind == "set":
                place[key] = value
            elif kind == "delete":
                del place[key]
            elif kind == "rename":
                place[str(value)] = place.pop(key)
            elif kind == "recur":
                place[key] = content
            else:
                place[key].append(value)
    return content


def test_any_configuration_is_accepted_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    load(CONFIG)
    counts: Counter[str] = Counter()
    edit = st.tuples(
        st.sampled_from(places(CONFIG)), st.sampled_from(["set", "delete", "rename", "append", "recur"]), VALUES
    )

    @settings(max_examples=INPUTS, deadline=TIME)
    @given(st.lists(edit, min_size=1, max_size=4))
    def check(edits: list[Any]) -> None:
        counts["inputs"] += 1
        try:
            load(edited(edits)).plan()
        except ConfigError as error:
            counts["refused"] += 1
            str(error).encode()

    check()
    print(f"configuration: {counts['inputs']} inputs, {counts['refused']} refused")
