"""Archives from mirrors and servers, whole, damaged and missing."""

import builtins
import errno
import hashlib
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ocnn.data import archives
from ocnn.data.archives import Archive, check_available, checksum_file, mirror_checksums, obtain, origin, verify_kept
from ocnn.errors import DataError

CONTENT = b"the archive"
CLOSED = "http://127.0.0.1:9/archive.gz"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


ARCHIVE = Archive("archive.gz", (CLOSED,), sha256(CONTENT))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / "toy"
    folder.mkdir(parents=True)
    (folder / "archive.gz").write_bytes(CONTENT)
    return folder.parent


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server of /good/archive.gz and /bad/archive.gz; everything else is not found."""
    for name, content in (("good", CONTENT), ("bad", b"a page that says sorry")):
        (tmp_path / "www" / name).mkdir(parents=True)
        (tmp_path / "www" / name / "archive.gz").write_bytes(content)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()


def test_from_a_mirror(mirror: Path, tmp_path: Path) -> None:
    destination = tmp_path / "new" / "folder" / "archive.gz"
    assert check_available("toy", [ARCHIVE], mirror) == []
    obtain("toy", ARCHIVE, destination, mirror)
    assert destination.read_bytes() == CONTENT


def test_what_was_obtained_is_verified_again(mirror: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.gz"
    obtain("toy", ARCHIVE, path, mirror)
    assert checksum_file(path).read_text() == (
        f"# origin: official\n# expected: {ARCHIVE.checksum}\n{sha256(CONTENT)}  archive.gz\n"
    )
    subprocess.run(["sha256sum", "--check", "--strict", checksum_file(path).name], cwd=tmp_path, check=True)
    verify_kept(path, ARCHIVE)
    path.write_bytes(b"tampered")
    message = f"has changed since it was fetched: its SHA-256 is {sha256(b'tampered')}, but archive.gz.sha256 states"
    with pytest.raises(DataError, match=message):
        verify_kept(path, ARCHIVE)


def test_an_archive_of_another_edition_of_the_reader_is_refused(mirror: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.gz"
    obtain("toy", ARCHIVE, path, mirror)
    newer = replace(ARCHIVE, checksum="0" * 64)
    with pytest.raises(DataError, match="; now it states 0000"):
        verify_kept(path, newer)
    kept = checksum_file(path)
    kept.write_text(kept.read_text().replace("official", "mirror's own checksum"))
    verify_kept(path, newer)


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (None, "cannot be verified: .*No such file"),
        (b"", "has changed since it was fetched"),
        (b"\xff", "cannot be verified: .*no text in UTF-8"),
        (b"x" * 200, "cannot be verified: .*line 1: expected"),
        (b"\n" * 2**20 + b"x", "cannot be verified: .*longer than 1048576 bytes"),
        (f"{sha256(CONTENT)}  other.gz".encode(), "has changed since it was fetched"),
    ],
    ids=["missing", "empty", "no text", "damaged", "long", "of another"],
)
def test_an_archive_without_its_checksum(listing: bytes | None, message: str, mirror: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.gz"
    obtain("toy", ARCHIVE, path, mirror)
    checksum_file(path).unlink()
    if listing is not None:
        checksum_file(path).write_bytes(listing)
    with pytest.raises(DataError, match=rf"archive\.gz {message}.*Delete it to have it fetched again"):
        verify_kept(path, ARCHIVE)


def test_a_tampered_mirror(mirror: Path, tmp_path: Path) -> None:
    (mirror / "toy" / "archive.gz").write_bytes(b"tampered")
    assert "is not the expected archive" in check_available("toy", [ARCHIVE], mirror)[0]
    with pytest.raises(DataError, match=sha256(b"tampered")):
        obtain("toy", ARCHIVE, tmp_path / "out" / "archive.gz", mirror)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_mirrors_own_checksums(mirror: Path, tmp_path: Path) -> None:
    """They take the place of the official one, in both directions."""
    (mirror / "toy" / "archive.gz").write_bytes(b"a subset")
    listing = mirror / "toy" / "SHA256SUMS"
    listing.write_text(f"{sha256(b'a subset')} *archive.gz\n")
    obtain("toy", ARCHIVE, tmp_path / "archive.gz", mirror)
    assert (tmp_path / "archive.gz").read_bytes() == b"a subset"
    listing.write_text(f"{sha256(b'another')}  archive.gz\n\n{sha256(b'x')}  other.gz\n")
    with pytest.raises(DataError, match="not the expected"):
        obtain("toy", ARCHIVE, tmp_path / "archive.gz", mirror)
    assert set(mirror_checksums(mirror / "toy")) == {"archive.gz", "other.gz"}


def test_a_list_that_is_no_text(mirror: Path) -> None:
    (mirror / "toy" / "SHA256SUMS").write_bytes(b"\xff")
    (problem,) = check_available("toy", [ARCHIVE], mirror)
    assert problem.endswith("toy/SHA256SUMS is no text in UTF-8 (invalid start byte).")


@pytest.mark.parametrize("line", ["abc  archive.gz", "g" * 64 + "  archive.gz", "a" * 64])
def test_a_malformed_checksum_list(mirror: Path, line: str) -> None:
    (mirror / "toy" / "SHA256SUMS").write_text(f"\n{line}\n")
    with pytest.raises(DataError, match="line 2"):
        mirror_checksums(mirror / "toy")
    assert "line 2" in check_available("toy", [ARCHIVE], mirror)[0]


def test_an_md5_where_only_that_is_known_and_other_editions(mirror: Path, tmp_path: Path) -> None:
    md5 = hashlib.md5(CONTENT).hexdigest()
    archive = Archive("archive.gz", (), f"md5:{md5}", editions=(sha256(b"an edition"),))
    obtain("toy", archive, tmp_path / "archive.gz", mirror)
    (mirror / "toy" / "archive.gz").write_bytes(b"an edition")
    assert check_available("toy", [archive], mirror) == []
    (mirror / "toy" / "archive.gz").write_bytes(b"another")
    (problem,) = check_available("toy", [archive], mirror)
    assert f"its MD5 is {hashlib.md5(b'another').hexdigest()}, but should be {md5}" in problem
    # A mirror's own list comes before both.
    (mirror / "toy" / "archive.gz").write_bytes(b"an edition")
    (mirror / "toy" / "SHA256SUMS").write_text(f"{sha256(CONTENT)}  archive.gz\n")
    assert "its SHA-256 is" in check_available("toy", [archive], mirror)[0]


@pytest.mark.parametrize(
    ("content", "listed", "expected"),
    [
        (CONTENT, False, "official"),
        (CONTENT, True, "official"),
        (b"an edition", False, "edition"),
        (b"an edition", True, "edition"),
        (b"made by somebody", True, "mirror's own checksum"),
    ],
)
@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_by_whose_word_an_archive_was_accepted(
    content: bytes, listed: bool, expected: str, algorithm: str, mirror: Path, tmp_path: Path
) -> None:
    official = sha256(CONTENT) if algorithm == "sha256" else f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    archive = Archive("archive.gz", (), official, editions=(sha256(b"an edition"),))
    (mirror / "toy" / "archive.gz").write_bytes(content)
    if listed:
        (mirror / "toy" / "SHA256SUMS").write_text(f"{sha256(content)}  archive.gz\n")
    obtain("toy", archive, tmp_path / "archive.gz", mirror)
    assert origin(tmp_path / "archive.gz") == expected
    verify_kept(tmp_path / "archive.gz", archive)
    # What is kept says so whether or not the archive is still there.
    (tmp_path / "archive.gz").unlink()
    assert origin(tmp_path / "archive.gz") == expected


@pytest.mark.parametrize("kept", [None, b"", b"\xff", f"{sha256(CONTENT)}  archive.gz\n".encode(), b"# origin: mine\n"])
def test_of_an_archive_that_says_nothing_the_origin_is_unknown(kept: bytes | None, tmp_path: Path) -> None:
    if kept is not None:
        (tmp_path / "archive.gz.sha256").write_bytes(kept)
    assert origin(tmp_path / "archive.gz") == "unknown"


@pytest.mark.parametrize("forbidden", ["toy", "toy/archive.gz", "toy/SHA256SUMS"])
def test_a_mirror_that_may_not_be_read(
    forbidden: str, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root one may read everything; so the system's answer is made up."""
    (mirror / "toy" / "SHA256SUMS").touch()

    def refused(function: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(path: Any, *arguments: Any, **keywords: Any) -> Any:
            if isinstance(path, Path | str) and Path(path).is_relative_to(mirror / forbidden):
                raise PermissionError(errno.EACCES, "no", str(path))
            return function(path, *arguments, **keywords)

        return refuse

    # Whoever may not enter a folder may not look at its files either.
    for module, name in ((os, "stat"),) if forbidden == "toy" else ((io, "open"), (builtins, "open")):
        monkeypatch.setattr(module, name, refused(getattr(module, name)))
    message = rf"{mirror}/{forbidden}\S* cannot be read: Permission denied. See to its permissions"
    assert re.match(message, check_available("toy", [ARCHIVE], mirror)[0])
    with pytest.raises(DataError, match=message):
        obtain("toy", ARCHIVE, tmp_path / "archive.gz", mirror)


def test_a_mirror_that_lacks_it(tmp_path: Path) -> None:
    assert "lacks archive.gz" in check_available("toy", [ARCHIVE], tmp_path)[0]
    with pytest.raises(DataError, match="The mirror has no"):
        obtain("toy", ARCHIVE, tmp_path / "archive.gz", tmp_path)


def test_addresses_are_tried_in_turn(server: str, tmp_path: Path) -> None:
    urls = (CLOSED, *(f"{server}/{folder}/archive.gz" for folder in ("missing", "bad", "good")))
    archive = Archive("archive.gz", urls, sha256(CONTENT))
    assert check_available("toy", [archive], None) == []
    obtain("toy", archive, tmp_path / "archive.gz", None)
    assert (tmp_path / "archive.gz").read_bytes() == CONTENT


def test_a_server_that_never_ends(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ROUNDS", 1)
    monkeypatch.setattr(archives, "MAXIMUM_DOWNLOAD", len(CONTENT) - 1)
    archive = Archive("archive.gz", (f"{server}/good/archive.gz",), sha256(CONTENT))
    with pytest.raises(DataError, match=f"more than {len(CONTENT) - 1} bytes"):
        obtain("toy", archive, tmp_path / "out" / "archive.gz", None)
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.setattr(archives, "MAXIMUM_DOWNLOAD", len(CONTENT))
    obtain("toy", archive, tmp_path / "out" / "archive.gz", None)
    assert origin(tmp_path / "out" / "archive.gz") == "official"


def test_all_addresses_fail(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ROUNDS", 2)
    urls = tuple(f"{server}/{folder}/archive.gz" for folder in ("missing", "bad"))
    with pytest.raises(DataError) as error:
        obtain("toy", Archive("archive.gz", urls, sha256(CONTENT)), tmp_path / "out" / "archive.gz", None)
    lines = str(error.value).splitlines()[1:]
    assert ["404" in line for line in lines] == [True, False] * 2
    assert ["is not the expected archive" in line for line in lines] == [False, True] * 2
    assert list((tmp_path / "out").iterdir()) == []


def test_offline_without_a_mirror() -> None:
    (problem,) = check_available("toy", [ARCHIVE], None)
    assert "The data set toy lacks archive.gz" in problem
    assert "OCNN_MIRROR" in problem
