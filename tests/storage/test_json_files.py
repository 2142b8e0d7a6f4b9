"""JSON files: what is read is what was written."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ocnn.errors import ResultError
from ocnn.storage.json_files import content_digest, read_json, write_json

CONTENT: dict[str, Any] = {"b": [1, 2.5, None, True, "größer"], "a": {"1": 0.1, "": []}}


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_json(path, {**CONTENT, "pair": (1, 2)})
    assert read_json(path) == {**CONTENT, "pair": [1, 2]}
    # Neither its layout nor the order of its keys counts.
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True, indent=7))
    assert read_json(path) == {**CONTENT, "pair": [1, 2]}


def test_any_other_content_is_refused(tmp_path: Path) -> None:
    """Every bit of the file in turn; and what is no such file."""
    path = tmp_path / "a.json"
    write_json(path, CONTENT)
    whole = path.read_bytes()
    damaged = [whole[:n] + bytes([whole[n] ^ 1 << bit]) + whole[n + 1 :] for n in range(len(whole)) for bit in range(8)]
    read = 0
    for content in damaged:
        path.write_bytes(content)
        with suppress(ResultError):
            assert read_json(path) == CONTENT
            read += 1
    # Of these the flipped bit is in the white space between values.
    assert 0 < read < 0.2 * len(damaged)
    for content in (b"", b"{}", b"[]", b"3", b"null", b"[" * 100_000, whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ResultError, match=r"a\.json is damaged or of another kind: .*\. Delete it to"):
            read_json(path)
    with pytest.raises(ResultError, match=r"b\.json is damaged"):
        read_json(tmp_path / "b.json")


def test_what_json_cannot_hold_is_not_written(tmp_path: Path) -> None:
    for value in (float("nan"), float("inf"), object()):
        with pytest.raises((ValueError, TypeError)):
            write_json(tmp_path / "a.json", {"a": value})
    assert not list(tmp_path.iterdir())


def test_the_digest_is_of_the_content() -> None:
    assert content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1})
    assert len({content_digest(content) for content in ({}, {"a": 1}, {"a": 1.0}, {"a": "1"}, {"b": 1})}) == 5
