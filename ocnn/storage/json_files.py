"""JSON files that come back as they were written or not at all: with a digest of their content."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocnn.errors import ResultError
from ocnn.storage.files import write_text
from ocnn.storage.parquet import ADVICE, DIGEST


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write what JSON can hold, without NaN, and its digest."""
    whole = json.loads(json.dumps(content, allow_nan=False))
    write_text(path, json.dumps({**whole, DIGEST: content_digest(whole)}, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read the content of a file of `write_json`, however it is laid out.

    Raises:
        ResultError: it is missing or damaged.
    """
    try:
        content = dict(json.loads(path.read_bytes()))
        if content.pop(DIGEST, None) != content_digest(content):
            raise ResultError("its content is not what was written")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ResultError(f"{path} is damaged or of another kind: {error}. {ADVICE}") from error
    return content


def content_digest(content: Mapping[str, Any]) -> str:
    """Compute the digest of what a JSON file holds."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
