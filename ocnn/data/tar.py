"""Tar archives, read by the exact names of the wanted members: nothing is ever extracted to a path of theirs."""

import io
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ocnn.errors import DataError

#: No wanted member is larger; a small archive must not unpack to fill the memory.
MAXIMUM_SIZE = 2**28


def read_members(path: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The contents of these members of a tar archive, compressed or not, in the order of `names`.

    Raises:
        DataError: a corrupt or truncated archive; a member is missing, too large or no regular file; any member has a
            name that leads out of the archive's folder.
    """
    wanted = list(names)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                parts = PurePosixPath(member.name.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts:
                    raise DataError(f"{path} holds a member {member.name!r}, which leads out of the archive's folder.")
                if member.name not in wanted:
                    continue
                file = archive.extractfile(member) if member.isreg() else None
                if file is None:
                    raise DataError(f"{path}: the member {member.name} is no regular file.")
                if member.size > MAXIMUM_SIZE:
                    raise DataError(f"{path}: the member {member.name} is of {member.size} bytes, which is too large.")
                found[member.name] = file.read()
                if len(found[member.name]) != member.size:
                    raise DataError(f"{path}: truncated in the member {member.name}.")
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError) as error:
        raise DataError(f"{path}: corrupt or truncated archive ({error}).") from error
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}.")
    return {name: found[name] for name in wanted}


def pack_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Writes an uncompressed tar archive of these contents by name, the same bytes every time."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
