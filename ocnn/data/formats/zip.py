"""Zip archives, read by the exact names of their members: nothing is ever extracted to a path of theirs."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ocnn.data.formats import refused
from ocnn.errors import DataError

#: No wanted member is larger, and no archive has more members or unpacks to more bytes, listed in a longer directory:
#: a small file must not fill the memory, nor keep a machine busy for hours.
MAXIMUM_SIZE, MAXIMUM_MEMBERS, MAXIMUM_ARCHIVE, MAXIMUM_DIRECTORY = 2**24, 100_000, 2**31, 2**24
#: Bytes of a member that are read at once.
BLOCK = 2**20
#: Of other compressions `zipfile` unpacks a block whole, whatever size it is asked for.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _Bounded(io.FileIO):
    """A file of which nothing longer than an archive's directory is read at once."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(min(size, MAXIMUM_DIRECTORY + 1) if size and size > 0 else MAXIMUM_DIRECTORY + 1)
        if len(content) > MAXIMUM_DIRECTORY:
            raise zipfile.BadZipFile("its directory is too long")
        return content


class ZipArchive:
    """The members of an open archive; see `open_zip`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if len(members) > MAXIMUM_MEMBERS or size > MAXIMUM_ARCHIVE:
            raise DataError(f"{path} holds {len(members)} members of {size} bytes, which cannot be right.")
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            parts = PurePosixPath(member.filename.replace("\\", "/"))
            if parts.is_absolute() or ".." in parts.parts:
                raise DataError(f"{path} holds a member {member.filename!r}, which leads out of the archive's folder.")
            if member.filename in self._members:
                raise DataError(f"{path} holds the member {member.filename} twice.")
            self._members[member.filename] = member

    @property
    def names(self) -> list[str]:
        """The names of all members, in the archive's order."""
        return list(self._members)

    def read(self, name: str, maximum: int = MAXIMUM_SIZE) -> bytes:
        """Read the contents of a member of at most `maximum` bytes.

        Raises:
            DataError: it is missing, too large, encrypted, damaged, or neither stored nor deflated.
        """
        member = self._members.get(name)
        if member is None:
            raise DataError(f"{self.path} lacks {name}.")
        if member.file_size > maximum:
            raise DataError(f"{self.path}: the member {name} is of {member.file_size} bytes, which is too large.")
        if member.compress_type not in COMPRESSIONS:
            raise DataError(f"{self.path}: the member {name} is neither stored nor deflated.")
        with refused(self.path), self._archive.open(member) as file:
            # Bounded, since a member's stated size need not be the true one; by blocks, see `_Bounded`.
            blocks, left = [], maximum
            while left and (block := file.read(min(left, BLOCK))):
                blocks.append(block)
                left -= len(block)
            content = b"".join(blocks)
        if len(content) != member.file_size:
            raise DataError(f"{self.path}: the member {name} has {len(content)} bytes, not {member.file_size}.")
        return content


@contextmanager
def open_zip(path: Path) -> Iterator[ZipArchive]:
    """Open a zip archive.

    Raises:
        DataError: not a zip archive, truncated or too large; a member is there twice, or has a name that leads out of
            the archive's folder.
    """
    with refused(path):
        file = _Bounded(path)
    with file:
        with refused(path):
            archive = zipfile.ZipFile(file)
        with archive:
            yield ZipArchive(path, archive)
