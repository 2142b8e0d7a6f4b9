"""Archives from mirrors and servers, whole, damaged and missing."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ocnn.data import archives
from ocnn.data.archives import Archive, check_available, checksum_file, mirror_checksums, obtain, verify_kept
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
    assert checksum_file(path).read_text() == f"{sha256(CONTENT)}  archive.gz\n"  # as sha256sum has it
    verify_kept(path)
    path.write_bytes(b"tampered")
    message = f"has changed since it was fetched: its SHA-256 is {sha256(b'tampered')}, but archive.gz.sha256 states"
    with pytest.raises(DataError, match=message):
        verify_kept(path)


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (None, "cannot be verified: .*No such file"),
        (b"", "has changed since it was fetched"),
        (b"\xff", "cannot be verified: .*line 1: expected"),
        (f"{sha256(CONTENT)}  other.gz".encode(), "has changed since it was fetched"),
    ],
    ids=["missing", "empty", "damaged", "of another"],
)
def test_an_archive_without_its_checksum(listing: bytes | None, message: str, mirror: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.gz"
    obtain("toy", ARCHIVE, path, mirror)
    checksum_file(path).unlink()
    if listing is not None:
        checksum_file(path).write_bytes(listing)
    with pytest.raises(DataError, match=rf"archive\.gz {message}.*Delete it to have it fetched again"):
        verify_kept(path)


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


@pytest.mark.parametrize("line", ["abc  archive.gz", "g" * 64 + "  archive.gz", "a" * 64, "\xff"])
def test_a_malformed_checksum_list(mirror: Path, line: str) -> None:
    (mirror / "toy" / "SHA256SUMS").write_text(f"\n{line}\n", encoding="latin-1")
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
