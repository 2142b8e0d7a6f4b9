"""CIFAR-10: the format of its batches, the archive's safety, and the archive or its extracted folder in a mirror."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ocnn.data import load_dataset
from ocnn.data.archives import Archive, check_available, obtain, origin
from ocnn.data.cifar10 import parse_batch
from ocnn.data.formats.tar import MAXIMUM_SIZE, pack_members, read_members
from ocnn.data.splits import class_sizes
from ocnn.errors import DataError

CONTENTS = {"folder/a.bin": b"first", "folder/b.bin": b"second"}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive_of(path: Path, contents: Mapping[str, bytes] = CONTENTS) -> Archive:
    """The description of the archive at a path, its members' checksums those of `contents`."""
    return Archive("c.tar.gz", (), digest(path.read_bytes()), {name: digest(c) for name, c in contents.items()})


def write_tar(path: Path, members: Mapping[str, bytes], *, extra: tarfile.TarInfo | None = None) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        if extra is not None:
            file.addfile(extra)
    return path


def test_a_batch_by_hand() -> None:
    """One image whose planes and rows all differ: red falls by the row, green rises by the column, blue is flat."""
    red = np.repeat(np.arange(32, 0, -1), 32)
    green = np.tile(np.arange(100, 132), 32)
    record = np.concatenate([[7], red, green, np.full(1024, 9)]).astype(np.uint8).tobytes()
    images, labels = parse_batch(record + bytes(3073), "batch", records=2)
    assert images.shape == (2, 32, 32, 3)
    assert images.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(labels, [7, 0])
    np.testing.assert_array_equal(images[0, 0, 0], [32, 100, 9])
    np.testing.assert_array_equal(images[0, 5, 2], [27, 102, 9])
    np.testing.assert_array_equal(images[0, 31, 31], [1, 131, 9])
    assert not images[1].any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(3072), "3072 bytes, expected 1 records"),
        (bytes(3074), "expected 1 records"),
        (b"\x0a" + bytes(3072), "label 10"),
    ],
    ids=["short", "long", "label"],
)
def test_a_faulty_batch_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"batch.*{message}"):
        parse_batch(content, "batch", records=1)


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("members", "extra", "message"),
    [
        ({"folder/a.bin": b"first"}, None, "lacks folder/b.bin"),
        ({"folder/a.bin": b"first"}, link("folder/b.bin", tarfile.SYMTYPE), "no regular file"),
        ({"folder/a.bin": b"first"}, link("folder/b.bin", tarfile.LNKTYPE), "no regular file"),
        ({"folder/a.bin": b"first"}, link("folder/b.bin", tarfile.DIRTYPE), "no regular file"),
        ({**CONTENTS, "../escaped": b"x"}, None, "leads out"),
        ({**CONTENTS, "folder/../../escaped": b"x"}, None, "leads out"),
        ({**CONTENTS, "/tmp/escaped": b"x"}, None, "leads out"),
        ({**CONTENTS, "..\\escaped": b"x"}, None, "leads out"),
    ],
    ids=["missing", "symlink", "hardlink", "directory", "parent", "nested", "absolute", "backslash"],
)
def test_a_hostile_archive_is_refused(
    members: Mapping[str, bytes], extra: tarfile.TarInfo | None, message: str, tmp_path: Path
) -> None:
    path = write_tar(tmp_path / "c.tar.gz", members, extra=extra)
    with pytest.raises(DataError, match=message):
        read_members(path, CONTENTS)
    assert [file.name for file in tmp_path.iterdir()] == ["c.tar.gz"]


def test_a_member_too_large_is_refused_unread(tmp_path: Path) -> None:
    """Of a member that claims to be huge only the header is there to read."""
    info = tarfile.TarInfo("folder/a.bin")
    info.size = MAXIMUM_SIZE + 1
    (tmp_path / "c.tar").write_bytes(info.tobuf())
    with pytest.raises(DataError, match="too large"):
        read_members(tmp_path / "c.tar", ["folder/a.bin"])


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE, body: bytes = b"") -> bytes:
    """A member as raw bytes, its stated size whatever it may be."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)


A = header("folder/a.bin", 5, body=b"first")
END = bytes(1024)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (A + header("x", -512) + END, "leads to byte"),
        (A + header("x", 2**40) + END, "leads to byte"),
        (header("x", 2**29, tarfile.XHDTYPE) + A + END, "headers are of a size"),
        (header("x", 2**29, tarfile.GNUTYPE_LONGNAME) + A + END, "headers are of a size"),
        (header("x", 2, tarfile.GNUTYPE_LONGNAME, b"n") * 2000 + A + END, "headers are of a size|corrupt"),
        (A + A + END, "twice"),
        (header("folder/a.bin", 5, tarfile.GNUTYPE_SPARSE, b"first") + END, "no regular file"),
        (header("folder/a.bin", -5) + END, "negative"),
    ],
    ids=["backwards", "far", "pax", "longname", "chain", "twice", "sparse", "negative"],
)
@pytest.mark.parametrize("gzipped", [False, True], ids=["plain", "gzip"])
def test_headers_that_would_hang_or_fill_the_memory(
    content: bytes, message: str, gzipped: bool, tmp_path: Path
) -> None:
    path = tmp_path / "c.tar"
    path.write_bytes(gzip.compress(content, mtime=0) if gzipped else content)
    with pytest.raises(DataError, match=message) as error:
        read_members(path, ["folder/a.bin"])
    assert str(path) in str(error.value)


@pytest.mark.parametrize("keep", [0, 5, 40, 90])
def test_a_truncated_archive_is_refused(keep: int, tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "c.tar.gz", CONTENTS).read_bytes()
    (tmp_path / "c.tar.gz").write_bytes(whole[:keep])
    with pytest.raises(DataError, match=r"c\.tar\.gz"):
        read_members(tmp_path / "c.tar.gz", CONTENTS)


def test_packing_gives_the_same_bytes(tmp_path: Path) -> None:
    pack_members(tmp_path / "1.tar", CONTENTS)
    pack_members(tmp_path / "2.tar", dict(reversed(CONTENTS.items())))
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    assert read_members(tmp_path / "1.tar", CONTENTS) == CONTENTS


def test_a_mirror_with_the_archive(tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "cifar10"
    folder.mkdir(parents=True)
    archive = archive_of(write_tar(folder / "c.tar.gz", CONTENTS))
    assert check_available("cifar10", [archive], tmp_path / "mirror") == []
    obtain("cifar10", archive, tmp_path / "got", tmp_path / "mirror")
    assert read_members(tmp_path / "got", CONTENTS) == CONTENTS


def test_a_member_that_differs_is_refused_though_the_archive_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "cifar10"
    folder.mkdir(parents=True)
    path = write_tar(folder / "c.tar.gz", {**CONTENTS, "folder/b.bin": b"tampered"})
    archive = archive_of(path)
    assert "folder/b.bin is not the expected" in check_available("cifar10", [archive], tmp_path / "mirror")[0]
    with pytest.raises(DataError, match=r"folder/b\.bin is not the expected"):
        obtain("cifar10", archive, tmp_path / "got", tmp_path / "mirror")
    assert not (tmp_path / "got").exists()


@pytest.fixture
def extracted(tmp_path: Path) -> tuple[Archive, Path, Path]:
    """An archive that a mirror has extracted: its description, the mirror, the folder."""
    archive = archive_of(write_tar(tmp_path / "c.tar.gz", CONTENTS))
    folder = tmp_path / "mirror" / "cifar10" / "folder"
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder.parent / name).write_bytes(content)
    return archive, tmp_path / "mirror", folder


def test_a_mirror_with_the_extracted_folder(extracted: tuple[Archive, Path, Path], tmp_path: Path) -> None:
    archive, mirror, _ = extracted
    assert check_available("cifar10", [archive], mirror) == []
    obtain("cifar10", archive, tmp_path / "got", mirror)
    assert read_members(tmp_path / "got", CONTENTS) == CONTENTS
    assert origin(tmp_path / "got") == "official"


def test_an_archive_packed_otherwise_whose_members_are_official(
    extracted: tuple[Archive, Path, Path], tmp_path: Path
) -> None:
    archive, mirror, folder = extracted
    pack_members(folder.parent / archive.name, CONTENTS)
    (folder.parent / "SHA256SUMS").write_text(
        f"{digest((folder.parent / archive.name).read_bytes())}  {archive.name}\n"
    )
    obtain("cifar10", archive, tmp_path / "got", mirror)
    assert origin(tmp_path / "got") == "official"


def test_a_member_of_an_extracted_folder_that_would_fill_the_memory(
    extracted: tuple[Archive, Path, Path],
) -> None:
    archive, mirror, folder = extracted
    os.truncate(folder / "a.bin", MAXIMUM_SIZE + 1)
    assert "a.bin is of 33554433 bytes, which is too large" in check_available("cifar10", [archive], mirror)[0]


def test_an_incomplete_or_tampered_folder_is_refused(extracted: tuple[Archive, Path, Path], tmp_path: Path) -> None:
    archive, mirror, folder = extracted
    (folder / "a.bin").write_bytes(b"other")
    assert "a.bin is not the expected" in check_available("cifar10", [archive], mirror)[0]
    (folder / "a.bin").unlink()
    assert "lacks" in check_available("cifar10", [archive], mirror)[0]
    with pytest.raises(DataError, match=r"lacks .*a\.bin"):
        obtain("cifar10", archive, tmp_path / "got", mirror)
    assert not (tmp_path / "got").exists()


@pytest.mark.parametrize(("place", "listed"), [("folder", "a.bin"), (".", "a.bin"), (".", "folder/a.bin")])
def test_a_folder_with_checksums_of_its_own(
    place: str, listed: str, extracted: tuple[Archive, Path, Path], tmp_path: Path
) -> None:
    archive, mirror, folder = extracted
    (folder / "a.bin").write_bytes(b"other")
    (folder.parent / place / "SHA256SUMS").write_text(f"{digest(b'other')}  {listed}\n")
    assert check_available("cifar10", [archive], mirror) == []
    obtain("cifar10", archive, tmp_path / "got", mirror)
    assert read_members(tmp_path / "got", CONTENTS)["folder/a.bin"] == b"other"
    assert origin(tmp_path / "got") == "mirror's own checksum"


def test_a_mirror_with_neither_names_both(tmp_path: Path) -> None:
    archive = archive_of(write_tar(tmp_path / "c.tar.gz", CONTENTS))
    (tmp_path / "mirror" / "cifar10").mkdir(parents=True)
    (problem,) = check_available("cifar10", [archive], tmp_path / "mirror")
    assert "lacks c.tar.gz (or the extracted folder folder/)" in problem


def test_the_real_archive(mirror: Path, tmp_path: Path) -> None:
    dataset = load_dataset("cifar10")
    (archive,) = dataset.archives
    obtain("cifar10", archive, tmp_path / archive.name, mirror)
    arrays = dataset.load({archive.name: tmp_path / archive.name})
    assert arrays.train.shape == (50_000, 32, 32, 3)
    assert arrays.test.shape == (10_000, 32, 32, 3)
    assert dataset.sizes == class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)
    names = (mirror / "cifar10" / "cifar-10-batches-bin" / "batches.meta.txt").read_text().split()
    assert tuple(names) == dataset.classes
