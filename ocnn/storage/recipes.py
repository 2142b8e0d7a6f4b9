"""Recipes: what decided a product, stated in the product itself, and compared with what is wanted.

A recipe is a dictionary that JSON can hold:

- `code`: the fingerprint of the code that made it (`ocnn.steps.fingerprint`);
- `settings`: what the step was told;
- `inputs`: the digest of each file that it read, by the path relative to the product's folder.

So neither a clock nor anything that the workflow manager remembers has a say in whether a product is up to date.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ocnn.errors import ResultError
from ocnn.storage import arrays, parquet
from ocnn.storage.json_files import content_digest, read_json

Statement = tuple[dict[str, Any] | None, str]
#: What stands where a key is missing: null is a value.
_MISSING = object()


def _read_json(path: Path) -> Statement:
    content = read_json(path)
    return content.get("recipe"), content_digest(content)


#: How each kind of product states its recipe and its digest.
READERS: dict[str, Callable[[Path], Statement]] = {
    ".parquet": parquet.read_statement,
    ".npz": arrays.read_statement,
    ".json": _read_json,
}


def digest_of(path: Path) -> str | None:
    """Return what an input is known by: the digest that it states, else that of its content.

    Of an archive, the checksum that was kept when it was obtained. None of an npy file: its checksums are an input of
    their own.

    Raises:
        ResultError: it should state one, and is missing or damaged.
    """
    if path.suffix == ".npy":
        return None
    if path.suffix in (".parquet", ".npz"):
        return READERS[path.suffix](path)[1]
    kept = path.with_name(f"{path.name}.sha256")
    try:
        if kept.is_file():
            lines = kept.read_text(encoding="utf-8").splitlines()
            return next(line.split()[0] for line in lines if line.strip() and not line.startswith("#"))
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, LookupError, ValueError, StopIteration) as error:
        raise ResultError(f"{path} cannot be read: {error}.") from error


def digests_of(inputs: Iterable[Path], folder: Path) -> dict[str, str]:
    """Return the digest of each input that has one, by its path relative to a folder."""
    found = {os.path.relpath(path, folder): digest_of(path) for path in inputs}
    return {path: digest for path, digest in found.items() if digest is not None}


def why_stale(
    path: Path,
    code: str,
    settings: Mapping[str, Any],
    digest: Callable[[Path], str | None] = digest_of,
) -> str | None:
    """Say why a product is not what is wanted, or None if it is.

    Args:
        path: of the file that states the recipe; it must be there.
        code, settings: that are wanted.
        digest: of an input; a missing input is no reason, as nothing new can come from it.
    """
    try:
        recipe = READERS[path.suffix](path)[0]
        if recipe is None:
            return "does not say how it came about"
        found, wanted = recipe["settings"], json.loads(json.dumps(settings))
        if found != wanted:
            return f"was made with other settings ({_differences(found, wanted)})"
        if recipe["code"] != code:
            return "was made by other code"
        for name, stated in recipe["inputs"].items():
            source = Path(os.path.normpath(path.parent / name))
            if source.is_file() and digest(source) != stated:
                return f"was made from another {source}"
    except ResultError as error:
        return str(error).removeprefix(f"{path} ").removesuffix(f" {parquet.ADVICE}").removesuffix(".")
    except (LookupError, TypeError, AttributeError):
        return "does not say how it came about"
    return None


def _differences(found: Any, wanted: Any) -> str:
    """The keys whose values differ, by their path."""

    def walk(a: Any, b: Any, path: str) -> Iterable[str]:
        if isinstance(a, dict) and isinstance(b, dict):
            for key in dict.fromkeys([*a, *b]):
                yield from walk(a.get(key, _MISSING), b.get(key, _MISSING), f"{path}.{key}" if path else key)
        elif a != b:
            yield path or "all of them"

    names = sorted(walk(found, wanted, ""))
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
