"""Arrays on disk: what is written comes back, and what is damaged, compressed or pickled is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocnn.errors import ResultError
from ocnn.storage.arrays import MAPPED_SIZE, open_array, read_arrays, write_arrays

ARRAYS: dict[str, Any] = {"images": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "steps": np.int64(7)}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 2, 2, 1),
        np.arange(MAPPED_SIZE, dtype=np.int64),
        np.empty((0, 2, 2, 1), np.float32),
    ],
    ids=["small", "mapped", "empty"],
)
def test_an_array_comes_back(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    found = open_array(tmp_path / "a.npy")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert isinstance(found, np.memmap) == (array.nbytes > MAPPED_SIZE)


def saved(array: Any, **settings: Any) -> Callable[[Path], None]:
    return lambda path: np.save(path, array, **settings)


def edited(edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        np.save(path, np.arange(10, dtype=np.int64))
        path.write_bytes(edit(path.read_bytes()))

    return write


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "No such file"),
        (edited(lambda whole: b""), "not a whole array"),
        (edited(lambda whole: whole[:-1]), "79 bytes for int64 of shape \\(10,\\)"),
        (edited(lambda whole: whole + b"\0"), "81 bytes for int64"),
        (edited(lambda whole: whole.replace(b"(10,)", b"(9,) ")), "80 bytes for int64 of shape \\(9,\\)"),
        (edited(lambda whole: whole.replace(b"(10,)", b"(-1,)")), "not a whole array"),
        (edited(lambda whole: whole.replace(b"<i8", b">i8")), "an array of >i8"),
        (edited(lambda whole: whole.replace(b"<i8", b"|O ")), "not a whole array"),
        (saved(np.array([{}], object), allow_pickle=True), "an array of object"),
        (saved(np.asfortranarray(np.ones((2, 3), np.float32))), "an array of float32"),
        (lambda path: write_arrays(path, ARRAYS), "not a whole array"),
    ],
    ids=["missing", "empty", "short", "long", "fewer", "negative", "order", "type", "pickle", "fortran", "npz"],
)
def test_what_is_no_array_of_the_workflow(write: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    write(tmp_path / "a.npy")
    with pytest.raises(ResultError, match=rf"a\.npy.*{message}"):
        open_array(tmp_path / "a.npy")


def test_archives_come_back_and_equal_content_gives_equal_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_arrays(tmp_path / "a.npz", ARRAYS)
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_arrays(tmp_path / "b.npz", ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found = read_arrays(tmp_path / "a.npz")
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    assert set(read_arrays(tmp_path / "a.npz", ["steps"])) == {"steps"}
    with np.load(tmp_path / "a.npz") as file:  # as anyone would read it
        np.testing.assert_array_equal(file["images"], ARRAYS["images"])


def test_a_header_that_states_fewer_rows_is_found_by_the_checksum(tmp_path: Path) -> None:
    """NumPy's own reader would stop before the end of the member, and so before its checksum."""
    path = tmp_path / "a.npz"
    write_arrays(path, {"images": np.zeros((2, 30000), np.float32)})
    path.write_bytes(path.read_bytes().replace(b"(2, 30000)", b"(1, 30000)"))
    with np.load(path) as file:
        assert file["images"].shape == (1, 30000)
    with pytest.raises(ResultError, match=r"a\.npz does not hold whole arrays \(Bad CRC-32"):
        read_arrays(path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(b"no archive"), "not a zip file"),
        (lambda path: np.savez(path, images=np.array([{}], object)), "an array of object"),
        (lambda path: np.savez_compressed(path, images=np.zeros(10**6)), "images.npy has a size that cannot be right"),
        (lambda path: write_arrays(path, {"steps": 1}), "images"),
    ],
    ids=["missing", "foreign", "pickle", "compressed", "lacking"],
)
def test_what_is_no_archive_of_the_workflow(write: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    write(tmp_path / "a.npz")
    with pytest.raises(ResultError, match=rf"a\.npz does not hold whole arrays.*{message}"):
        read_arrays(tmp_path / "a.npz", ["images"])
