"""Nothing half-written counts, and a disk that takes nothing is named as such."""

import errno
import os
import re
import resource
import subprocess
import sys
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
from ocnn.storage.files import (
    LONGEST_NAME,
    REMEDIES,
    atomic_write,
    little_space,
    remove_leftovers,
    safe_name,
    why_not_writable,
)


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


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path / "not" / "there" / "yet") is None
    (tmp_path / "file").touch()
    assert why_not_writable(tmp_path / "file" / "results") == f"{tmp_path}/file is no folder."


def test_a_disk_with_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    assert little_space(folder) is None
    monkeypatch.setattr("ocnn.storage.files.LITTLE_SPACE", float("inf"))
    assert re.fullmatch(rf"Only [\d.]+ MiB are free on the disk of {folder}\.", little_space(folder) or "")


KILLED = """
import os, signal, sys
from pathlib import Path
from ocnn.storage.files import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_leaves_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [tmp_path / name for name in (".hidden", "a.txt.abcd1234", ".cache.abcd1234/file", ".keep.abcdefgh.d/keep")]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / ".link.abcd1234").symlink_to(tmp_path / ".keep.abcdefgh.d")
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "deep" / "a.txt"], check=False)
    (leftover,) = (tmp_path / "deep").iterdir()
    assert [item.read_text() for item in leftover.iterdir()] == ["half"]
    remove_leftovers(tmp_path)
    assert not list((tmp_path / "deep").iterdir())
    assert all(path.exists() for path in kept)
    assert (tmp_path / ".link.abcd1234").is_symlink()


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
