"""Arrays on disk: what is written comes back, and what is damaged, compressed or pickled is refused."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocnn.errors import ResultError
from ocnn.storage import arrays as stored_arrays
from ocnn.storage.arrays import (
    CHECKSUMS,
    open_array,
    read_arrays,
    row_checksums,
    space_for,
    write_arrays,
    write_npy_files,
)

ARRAYS: dict[str, Any] = {"images": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "steps": np.int64(7)}


def written(folder: Path, **arrays: np.ndarray) -> None:
    files = {f"{name}.npy": array for name, array in arrays.items()}
    write_npy_files([folder / name for name in (*files, CHECKSUMS)], files, {"code": "here"})


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 2, 2, 1),
        np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
        np.arange(2**16, dtype=np.int64),
        np.arange(7, dtype=np.float32)[::2],
        np.arange(15, dtype=np.float32).reshape(5, 3),
        np.empty((0, 2, 2, 1), np.float32),
        np.empty((3, 0), np.float32),
    ],
    ids=["small", "fortran", "large", "strided", "odd", "empty", "without features"],
)
def test_an_array_comes_back(array: np.ndarray, tmp_path: Path) -> None:
    written(tmp_path, a=array, b=np.arange(3))
    found = open_array(tmp_path / "a.npy")
    assert (found.dtype, found.shape, len(found)) == (array.dtype, array.shape, len(array))
    np.testing.assert_array_equal(np.asarray(found), array, strict=True)
    for rows in (slice(None, None, 2), np.array([], int), np.arange(len(array))[::-1], np.arange(len(array)) % 2 == 0):
        np.testing.assert_array_equal(found[rows], array[rows], strict=True)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array)  # as anyone would read it


def test_rows_are_taken_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocnn.storage.arrays.BLOCK", 100)
    array = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    written(tmp_path, a=array)
    rows = np.array([49, 3, 3, 0, 20])
    np.testing.assert_array_equal(open_array(tmp_path / "a.npy")[rows], array[rows])


def damage(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


@pytest.mark.parametrize("content", [b"\0", b"\x80", b"\xff"])
@given(place=st.integers(0, 50 * 28 - 1))
def test_a_damaged_row_is_found_when_it_is_taken_and_not_before(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, place: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    array = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    written(folder, a=array)
    path = folder / "a.npy"
    offset = path.stat().st_size - array.nbytes + place
    before = path.read_bytes()[offset : offset + 1]
    damage(path, offset, content)
    row = place // 28
    others = np.delete(np.arange(50), row)
    found = open_array(path)
    np.testing.assert_array_equal(found[others], array[others])
    if content != before:
        with pytest.raises(ResultError, match=rf"a\.npy is damaged: row {row} is not what was written"):
            np.asarray(found)


def test_sectors_of_zeros_are_found(tmp_path: Path) -> None:
    """What a disk or a copy that broke off leaves: size and header whole, every third sector zero."""
    array = np.random.default_rng(0).normal(size=(300, 8, 8, 1)).astype(np.float32)
    written(tmp_path, a=array)
    path = tmp_path / "a.npy"
    for sector in range(4096, path.stat().st_size, 3 * 4096):
        damage(path, sector, bytes(min(4096, path.stat().st_size - sector)))
    with pytest.raises(ResultError, match="row 15 is not what was written"):
        np.asarray(open_array(path))


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6),
    st.data(),
)
def test_a_checksum_tells_changed_rows(words: list[int], data: st.DataObject) -> None:
    """Any change of bits within a word; signs of two numbers at once, too, which a plain sum would not tell."""
    row = np.array([words], np.uint64)
    other = row.copy()
    place = data.draw(st.integers(0, len(words) - 1))
    other[0, place] ^= np.uint64(data.draw(st.integers(1, 2**64 - 1)))
    assert row_checksums(row) != row_checksums(other)


def test_two_changed_signs_change_a_checksum() -> None:
    row = np.arange(1, 9, dtype=np.float64)[None]
    for pair in ([0, 1], [0, 2], [1, 6], [0, 1, 2, 3]):
        other = row.copy()
        other[0, pair] *= -1
        assert row_checksums(row) != row_checksums(other)
    swapped = row[:, [1, 0, *range(2, 8)]]
    assert row_checksums(row) != row_checksums(swapped)


def test_a_checksum_by_hand() -> None:
    """Two words, 1 and 2: b + 2 b² modulo 2⁶⁴."""
    b = 0x9E3779B97F4A7C15
    assert int(row_checksums(np.array([[1, 2]], np.int64))[0]) == (b + 2 * b**2) % 2**64


def test_rows_of_another_array_of_the_same_shape_are_found(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, a=np.full((3, 2), len(name) + (name == "two"), np.float32))
    (tmp_path / "two" / "a.npy").replace(tmp_path / "one" / "a.npy")
    with pytest.raises(ResultError, match="row 0 is not what was written"):
        np.asarray(open_array(tmp_path / "one" / "a.npy"))


def test_an_array_without_checksums_is_refused(tmp_path: Path) -> None:
    written(tmp_path, a=np.arange(3))
    (tmp_path / CHECKSUMS).unlink()
    with pytest.raises(ResultError, match=CHECKSUMS):
        open_array(tmp_path / "a.npy")
    written(tmp_path, b=np.arange(3))
    with pytest.raises(ResultError, match=r"a\.npy has shape \(3,\), but 0 rows were written"):
        open_array(tmp_path / "a.npy")


def test_a_writer_that_is_killed_leaves_no_checksums_of_other_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, a=np.arange(3))
    monkeypatch.setattr(np, "save", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, a=np.arange(4))
    assert not (tmp_path / CHECKSUMS).exists()


def saved(array: Any, **settings: Any) -> Callable[[Path], None]:
    return lambda path: np.save(path, array, **settings)


def edited(edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        written(path.parent, a=np.arange(10, dtype=np.int64))
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
        (edited(lambda whole: whole.replace(b"(10,)", b"(2,5)")), "has shape \\(2, 5\\), but 10 rows were written"),
        (edited(lambda whole: whole.replace(b"(10,)", b"()   ")), "not a whole array"),
        (edited(lambda whole: whole.replace(b"<i8", b">i8")), "an array of >i8"),
        (edited(lambda whole: whole.replace(b"<i8", b"|O ")), "not a whole array"),
        (saved(np.array([{}], object), allow_pickle=True), "an array of object"),
        (saved(np.asfortranarray(np.ones((2, 3), np.float32))), "an array of float32"),
        (lambda path: write_arrays(path, ARRAYS), "not a whole array"),
    ],
    ids=[
        "missing",
        "empty",
        "short",
        "long",
        "fewer",
        "negative",
        "other shape",
        "scalar",
        "order",
        "type",
        "pickle",
        "fortran",
        "npz",
    ],
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


def packed(kind: int) -> Callable[[Path], None]:
    """A member that would unpack to 64 MiB."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", kind) as archive:
            archive.writestr("images.npy", bytes(2**26))

    return write


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
        (
            lambda path: np.savez_compressed(path, images=np.zeros(10**6)),
            "images.npy is compressed, or has a size that cannot",
        ),
        (packed(zipfile.ZIP_BZIP2), "images.npy is compressed"),
        (packed(zipfile.ZIP_LZMA), "images.npy is compressed"),
        (lambda path: write_arrays(path, {"steps": 1}), "images"),
    ],
    ids=["missing", "foreign", "pickle", "compressed", "bzip2", "lzma", "lacking"],
)
def test_what_is_no_archive_of_the_workflow(write: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    write(tmp_path / "a.npz")
    with pytest.raises(ResultError, match=rf"a\.npz does not hold whole arrays.*{message}"):
        read_arrays(tmp_path / "a.npz", ["images"])


def test_objects_are_not_pickled_into_an_archive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "a.npz", {"names": np.array(["a", None], object)})
    assert not list(tmp_path.iterdir())


def is_mapped(array: np.ndarray) -> bool:
    """Whether the array's memory is a file's."""
    return isinstance(array.base, np.memmap)


@pytest.mark.parametrize(("rows", "mapped"), [(255, False), (256, True)])
def test_many_bytes_are_a_temporary_file_that_goes_with_the_array(
    rows: int, mapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_arrays, "LARGE", 2**12)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    array = space_for((rows, 4), np.dtype(np.float32))
    assert (array.shape, array.dtype, type(array), is_mapped(array)) == ((rows, 4), np.float32, np.ndarray, mapped)
    array[:] = np.arange(4)
    assert array.sum() == 6 * rows
    assert not list(tmp_path.iterdir())


def test_without_room_for_a_temporary_file_the_array_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_arrays, "LARGE", 0)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    array = space_for((3, 2), np.dtype(np.float64))
    assert array.shape == (3, 2)
    assert not is_mapped(array)
