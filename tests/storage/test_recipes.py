"""Recipes: a product that is not what is wanted says why, and one that is says nothing."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ocnn.errors import ResultError
from ocnn.storage.arrays import CHECKSUMS, write_arrays, write_npy_files
from ocnn.storage.json_files import write_json
from ocnn.storage.parquet import write_table
from ocnn.storage.recipes import digest_of, digests_of, why_stale

SCHEMA = pa.schema([("a", pa.int64())])
SETTINGS = {"seed": 0, "settings": {"nu": 0.1, "epochs": [1, 2]}}


def write_parquet(path: Path, recipe: Any, value: int = 1) -> None:
    write_table(path, pd.DataFrame({"a": [value]}), SCHEMA, {"recipe": recipe})


def write_npz(path: Path, recipe: Any, value: int = 1) -> None:
    write_arrays(path, {"a": np.array([value])}, recipe)


def write_object(path: Path, recipe: Any, value: int = 1) -> None:
    write_json(path, {"value": value, "recipe": recipe})


WRITERS: dict[str, Callable[..., None]] = {".parquet": write_parquet, ".npz": write_npz, ".json": write_object}


@pytest.fixture(params=list(WRITERS))
def product(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[..., None]]:
    """A product with an input beside it, and its writer."""
    folder = tmp_path / "results" / "here"
    folder.mkdir(parents=True)
    (tmp_path / "results" / "input.csv").write_text("1\n")
    return folder / f"product{request.param}", WRITERS[request.param]


def recipe(path: Path, **changes: Any) -> dict[str, Any]:
    inputs = digests_of([path.parent.parent / "input.csv"], path.parent)
    return {"code": "c", "settings": SETTINGS, "inputs": inputs, **changes}


def test_what_is_wanted_is_not_stale_whatever_its_time(product: tuple[Path, Callable[..., None]]) -> None:
    path, write = product
    write(path, recipe(path))
    for time in (0, 2**33):
        os.utime(path, (time, time))
        assert why_stale(path, "c", SETTINGS) is None
    # Tuples are lists in JSON.
    assert why_stale(path, "c", {**SETTINGS, "settings": {"nu": 0.1, "epochs": (1, 2)}}) is None


@pytest.mark.parametrize(
    ("code", "settings", "reason"),
    [
        ("d", SETTINGS, "was made by other code"),
        ("c", {**SETTINGS, "seed": 1}, "was made with other settings (seed)"),
        ("c", {**SETTINGS, "threads": 2}, "was made with other settings (threads)"),
        # A key that one of them has alone, whatever its value.
        ("c", {**SETTINGS, "compare": None}, "was made with other settings (compare)"),
        ("c", {"seed": 0, "settings": {"nu": 0.1, "epochs": [1, 2], "new": {}}}, "other settings (settings.new)"),
        ("c", {"seed": 0, "settings": {"nu": 0.2, "epochs": [1]}}, "(settings.epochs, settings.nu)"),
        ("c", {"seed": 0, "settings": 3}, "was made with other settings (settings)"),
    ],
)
def test_what_is_not_wanted_says_why(
    product: tuple[Path, Callable[..., None]], code: str, settings: Any, reason: str
) -> None:
    path, write = product
    write(path, recipe(path))
    assert reason in str(why_stale(path, code, settings))


def test_another_input_is_noticed_though_it_is_older(product: tuple[Path, Callable[..., None]]) -> None:
    path, write = product
    write(path, recipe(path))
    source = path.parent.parent / "input.csv"
    source.write_text("2\n")
    os.utime(source, (0, 0))
    assert str(why_stale(path, "c", SETTINGS)).startswith("was made from another ")
    assert str(source) in str(why_stale(path, "c", SETTINGS))
    source.write_text("1\n")
    assert why_stale(path, "c", SETTINGS) is None
    source.unlink()
    assert why_stale(path, "c", SETTINGS) is None


def test_a_moved_folder_of_results_is_as_good(product: tuple[Path, Callable[..., None]], tmp_path: Path) -> None:
    path, write = product
    write(path, recipe(path))
    (tmp_path / "results").rename(tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "here" / path.name
    assert why_stale(moved, "c", SETTINGS) is None
    (tmp_path / "elsewhere" / "input.csv").write_text("2\n")
    assert why_stale(moved, "c", SETTINGS) is not None


@pytest.mark.parametrize("wrong", [None, {}, [], 3, "text", {"code": "c"}, {"settings": SETTINGS, "code": "c"}])
def test_a_product_that_does_not_describe_itself_is_stale(
    product: tuple[Path, Callable[..., None]], wrong: Any
) -> None:
    path, write = product
    write(path, wrong)
    assert why_stale(path, "c", SETTINGS) == "does not say how it came about"


def test_a_damaged_product_is_stale(product: tuple[Path, Callable[..., None]]) -> None:
    path, write = product
    write(path, recipe(path))
    whole = path.read_bytes()
    for content in (b"", b"no such file", whole[: len(whole) // 2], whole[:-2]):
        path.write_bytes(content)
        assert why_stale(path, "c", SETTINGS), content


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_a_stated_digest_tells_contents_and_recipes_apart(tmp_path: Path, suffix: str) -> None:
    found = set()
    for recipe_, value in (({"code": "c"}, 1), ({"code": "d"}, 1), ({"code": "c"}, 2)):
        WRITERS[suffix](tmp_path / f"a{suffix}", recipe_, value)
        found.add(digest_of(tmp_path / f"a{suffix}"))
    assert len(found) == 3
    WRITERS[suffix](tmp_path / f"b{suffix}", {"code": "c"}, 1)
    assert digest_of(tmp_path / f"b{suffix}") in found


def test_arrays_are_known_by_their_checksums(tmp_path: Path) -> None:
    write_npy_files([tmp_path / "a.npy", tmp_path / CHECKSUMS], {"a.npy": np.arange(3)}, {"code": "c"})
    assert digest_of(tmp_path / "a.npy") is None
    before = digests_of([tmp_path / "a.npy", tmp_path / CHECKSUMS], tmp_path)
    assert list(before) == [CHECKSUMS]
    write_npy_files([tmp_path / "a.npy", tmp_path / CHECKSUMS], {"a.npy": np.arange(3) + 1}, {"code": "c"})
    assert digests_of([tmp_path / CHECKSUMS], tmp_path) != before


def test_an_archive_is_known_by_the_checksum_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"1")
    (tmp_path / "a.zip.sha256").write_text("# origin: official\nabc  a.zip\n")
    assert digest_of(tmp_path / "a.zip") == "abc"


def test_an_input_that_is_missing_or_damaged_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    for name in ("a.parquet", "b.npz", "c.csv"):
        with pytest.raises(ResultError, match=name):
            digest_of(tmp_path / name)
