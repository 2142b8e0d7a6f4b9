"""Tar archives, read by the exact names of the wanted members: nothing is ever extracted to a path of theirs."""

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ocnn.data.formats import refused
from ocnn.errors import DataError

#: No wanted member is larger; a small archive must not unpack to fill the memory.
MAXIMUM_SIZE = 2**25
#: Bytes of one header, of all headers together, and of the whole archive unpacked.
MAXIMUM_HEADER, MAXIMUM_HEADERS, MAXIMUM_ARCHIVE = 2**14, 2**18, 2**28


class _Headers(io.RawIOBase):
    """An archive as `tarfile` sees it, which reads its headers only: these may be neither large nor lead backwards.

    By itself `tarfile` takes extended headers of any size into memory, and some versions of it follow a negative
    size for ever.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.file, self.path, self.left = file, path, MAXIMUM_HEADERS

    def tell(self) -> int:
        return self.file.tell()

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        if not self.tell() <= position <= MAXIMUM_ARCHIVE:
            raise DataError(f"{self.path}: a member's size leads to byte {position}, which cannot be right.")
        return self.file.seek(position)

    def read(self, size: int = -1) -> bytes:
        self.left -= size
        if not 0 <= size <= MAXIMUM_HEADER or self.left < 0:
            raise DataError(f"{self.path}: its headers are of a size that cannot be right.")
        return self.file.read(size)


def _unpacked(raw: io.BufferedReader) -> IO[bytes]:
    """Gzipped data unpacked, others as they are; `tarfile`'s own unpacking could not be bounded by `_Headers`."""
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if raw.peek(2)[:2] == b"\x1f\x8b" else raw


def read_members(path: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Read these members of a tar archive, gzipped or not; their contents in the order of `names`.

    Raises:
        DataError: a corrupt or truncated archive; a member is missing, twice there, too large or no regular file; any
            member has a name that leads out of the archive's folder.
    """
    wanted = list(names)
    found: dict[str, bytes] = {}
    with (
        refused(path),
        path.open("rb") as raw,
        _unpacked(raw) as data,
        tarfile.open(fileobj=cast(IO[bytes], _Headers(data, path)), mode="r:", encoding="utf-8") as archive,
    ):
        for member in archive:
            parts = PurePosixPath(member.name.replace("\\", "/"))
            if parts.is_absolute() or ".." in parts.parts:
                raise DataError(f"{path} holds a member {member.name!r}, which leads out of the archive's folder.")
            if member.name not in wanted:
                continue
            if member.name in found:
                raise DataError(f"{path} holds the member {member.name} twice.")
            if not member.isreg() or member.issparse():
                raise DataError(f"{path}: the member {member.name} is no regular file.")
            if not 0 <= member.size <= MAXIMUM_SIZE:
                raise DataError(
                    f"{path}: the member {member.name} is of {member.size} bytes, which is too large or negative."
                )
            data.seek(member.offset_data)
            found[member.name] = data.read(member.size)
            if len(found[member.name]) != member.size:
                raise DataError(f"{path}: truncated in the member {member.name}.")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}.")
    return {name: found[name] for name in wanted}


def pack_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Write an uncompressed tar archive of these contents by name, the same bytes every time."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
