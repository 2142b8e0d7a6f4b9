"""Zip archives, read by the exact names of their members: nothing is ever extracted to a path of theirs."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ocnn.errors import DataError

#: No wanted member is larger, and no archive has more: a small file must not unpack to fill the memory.
MAXIMUM_SIZE, MAXIMUM_MEMBERS = 2**24, 200_000


class ZipArchive:
    """The members of an open archive; see `open_zip`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        members = archive.infolist()
        if len(members) > MAXIMUM_MEMBERS:
            raise DataError(f"{path} holds {len(members)} members, which cannot be right.")
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

    def read(self, name: str) -> bytes:
        """The contents of a member.

        Raises:
            DataError: it is missing, too large, encrypted or damaged.
        """
        member = self._members.get(name)
        if member is None:
            raise DataError(f"{self.path} lacks {name}.")
        if member.file_size > MAXIMUM_SIZE:
            raise DataError(f"{self.path}: the member {name} is of {member.file_size} bytes, which is too large.")
        with _refused(self.path), self._archive.open(member) as file:
            # Bounded, since a member's stated size need not be the true one.
            content = file.read(MAXIMUM_SIZE + 1)
        if len(content) != member.file_size:
            raise DataError(f"{self.path}: the member {name} has {len(content)} bytes, not {member.file_size}.")
        return content


@contextmanager
def open_zip(path: Path) -> Iterator[ZipArchive]:
    """Opens a zip archive.

    Raises:
        DataError: not a zip archive, or truncated; a member is there twice, or has a name that leads out of the
            archive's folder.
    """
    with _refused(path):
        archive = zipfile.ZipFile(path)
    with archive:
        yield ZipArchive(path, archive)


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """What a damaged archive brings out of `zipfile`, as one error."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        ArithmeticError,
        RuntimeError,  # an encrypted member; NotImplementedError, an unknown compression, is one of these
    ) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: corrupt or truncated archive ({error}).") from error
