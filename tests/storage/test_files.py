"""Nothing half-written counts, and a disk that takes nothing is named as such."""

import errno
import os
import re
import resource
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ocnn.errors import ResultError
from ocnn.storage.files import LONGEST_NAME, REMEDIES, atomic_write, read_text, safe_name


def fail_while_writing(path: Path) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("power cut")


def test_a_whole_file_is_moved_into_place(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with atomic_write(path) as temporary:
        assert temporary.suffix == ".txt"
        temporary.write_text("content")
        assert not path.exists()
    assert path.read_text() == "content"
    assert [item.name for item in path.parent.iterdir()] == ["file.txt"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="power cut"):
        fail_while_writing(path)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.txt"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may have more than 10 kB meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize(
    "fill",
    [
        lambda path, noise: path.write_bytes(noise.tobytes()),
        lambda path, noise: np.save(path, noise),
        lambda path, noise: np.savez(path, noise=noise),
        lambda path, noise: pd.DataFrame({"noise": noise}).to_parquet(path),
        lambda path, noise: pd.DataFrame({"noise": noise}).to_csv(path),
    ],
    ids=["bytes", "npy", "npz", "parquet", "csv"],
)
def test_what_the_disk_does_not_take_whole_is_not_there(
    tmp_path: Path, fill: Callable[[Path, np.ndarray], object]
) -> None:
    path = tmp_path / "file.npz"
    path.write_text("old")
    with pytest.raises(ResultError, match=r"file.npz could not be written: .* run the same command again"):  # noqa: SIM117
        with atomic_write(path) as temporary:
            fill(temporary, np.random.default_rng(0).normal(size=10_000))
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.npz"]


def fail_with(path: Path, error: OSError) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("number", sorted(REMEDIES))
def test_a_fault_of_the_disk_is_said_plainly(tmp_path: Path, number: int) -> None:
    message = f"file.txt could not be written: {os.strerror(number)}. {REMEDIES[number]}"
    with pytest.raises(ResultError, match=re.escape(message)):
        fail_with(tmp_path / "file.txt", OSError(number, "as the library says it"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("no route"),
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        PermissionError(errno.EACCES, "not yours", "/elsewhere/archive.gz"),
    ],
    ids=["requests", "refused", "another file"],
)
def test_other_faults_are_no_faults_of_the_disk(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(type(error)):
        fail_with(tmp_path / "file.txt", error)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["other.txt", "mirror/archive.gz", "file.txt.gz"])
def test_another_file_beside_it_is_not_taken_for_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(PermissionError):
        fail_with(tmp_path / "file.txt", PermissionError(errno.EACCES, "not yours", str(tmp_path / name)))


def write_to(path: Path, content: str = "new") -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(content)


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").mkdir()
    for name in ("live", "dangling"):
        (tmp_path / "results" / name).symlink_to(f"../elsewhere/{name}.txt")
    (tmp_path / "elsewhere" / "live.txt").write_text("old")
    for name in ("live", "dangling"):
        write_to(tmp_path / "results" / name)
        assert (tmp_path / "results" / name).is_symlink()
        assert (tmp_path / "elsewhere" / f"{name}.txt").read_text() == "new"
    assert len(list(tmp_path.rglob("*"))) == 6
    (tmp_path / "linked").symlink_to("results")
    message = rf"{tmp_path}/linked/f could not be written: {os.strerror(errno.ENOSPC)}\."
    with pytest.raises(ResultError, match=message):
        fail_with(tmp_path / "linked" / "f", OSError(errno.ENOSPC, "", str(tmp_path / "results" / "f")))


@pytest.mark.parametrize(
    ("prepare", "file", "message"),
    [
        (lambda folder: (folder / "f").mkdir(), "f", "Is a directory. Move the folder of that name away"),
        (lambda folder: (folder / "a").touch(), "a/f", "File exists. Move away what stands where its folder"),
        (lambda folder: (folder / "a").touch(), "a/b/f", "Not a directory. Move away what stands where its folder"),
        (
            lambda folder: (folder / "a").symlink_to("gone"),
            "a/f",
            "File exists. Move away what stands where its folder",
        ),
        (
            lambda folder: (folder / "f").symlink_to("gone/f"),
            "f",
            r"it is a link to .*/gone/f, whose folder is not there",
        ),
        (lambda folder: (folder / "a").symlink_to("a"), "a/f", "Move away what stands|Remove the links"),
        (lambda folder: None, "f" * 256, "File name too long. Choose shorter names"),
        (lambda folder: None, "f" * 256 + "/f", "File name too long. Choose shorter names"),
        (lambda folder: None, "ö" * 128, "File name too long. Choose shorter names"),
    ],
    ids=[
        "folder",
        "file above",
        "file far above",
        "no folder",
        "link to no folder",
        "circle",
        "long",
        "above",
        "bytes",
    ],
)
def test_a_place_that_takes_no_file_is_named(
    tmp_path: Path, prepare: Callable[[Path], object], file: str, message: str
) -> None:
    prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ResultError, match=rf"{file} could not be written: .*{message}"):
        write_to(tmp_path / file)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["f" * 255, ".f", "a b", "ö" * 127])
def test_any_name_that_the_disk_takes(tmp_path: Path, name: str) -> None:
    write_to(tmp_path / name)
    assert (tmp_path / name).read_text() == "new"


@pytest.mark.parametrize("operation", ["replace", "fsync"])
def test_a_disk_that_fills_at_the_last_moment(tmp_path: Path, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.txt").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.EDQUOT, "quota")

    with monkeypatch.context() as patch:
        patch.setattr(os, operation, fail)
        with pytest.raises(ResultError, match="Make room within the quota"):
            write_to(tmp_path / "file.txt")
    assert [item.read_text() for item in tmp_path.iterdir()] == ["old"]


def test_what_is_moved_counts_though_the_folder_cannot_be_synchronised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.fsync
    synchronised = []

    def of_files(descriptor: int) -> None:
        synchronised.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        if synchronised[-1]:
            raise OSError(errno.EINVAL, "a folder")
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", of_files)
    write_to(tmp_path / "file.txt")
    assert synchronised == [False, True]
    assert (tmp_path / "file.txt").read_text() == "new"


def test_a_text_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("äbc", encoding="utf-8")
    assert read_text(tmp_path / "text", 4) == "äbc"
    with pytest.raises(OSError, match=r"longer than 3 bytes.*text"):
        read_text(tmp_path / "text", 3)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("stop", "stop"),
        ("stop_signs-100-heldout", "stop_signs-100-heldout"),
        ("T-shirt/top", "T-shirt%2Ftop"),
        ("x{y}z", "x%7By%7Dz"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        (".a.b", "%2Ea.b"),
        (" ", "%20"),
        ("%41", "%2541"),
        ("é", "%C3%A9"),
    ],
)
def test_a_safe_name(text: str, name: str) -> None:
    assert safe_name(text) == name
    assert unquote(name) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_safe_name_is_a_files_and_gives_back_the_text(text: str) -> None:
    name = safe_name(text)
    assert unquote(name) == text
    assert re.fullmatch(r"[A-Za-z0-9_~%-][A-Za-z0-9_~%.-]*", name)


def test_no_safe_name() -> None:
    assert safe_name("x" * LONGEST_NAME) == "x" * LONGEST_NAME
    for text in ("", "x" * (LONGEST_NAME + 1), "é" * 40):
        with pytest.raises(ValueError, match="a name must have from 1 to 200 bytes"):
            safe_name(text)
