"""Writing files so that nothing half-written counts."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ocnn.errors import ResultError

#: What the disk says, and what to do about it.
REMEDIES = {
    errno.ENOSPC: "Make room on its disk",
    errno.EDQUOT: "Make room within the quota",
    errno.EFBIG: "Raise the limit of a file's size (ulimit -f)",
    errno.EROFS: "Make its file system writable",
    errno.EACCES: "See to the permissions of its folder",
    errno.EPERM: "See to the permissions of its folder",
    errno.EIO: "See to its disk",
}
#: Bytes of a name made by `safe_name`; 255 is what file systems take, less what suffixes and temporary names add.
LONGEST_NAME = 200
#: Bytes below which a run that failed is said to have lacked space: a full disk takes no log of what it did.
LITTLE_SPACE = 100 * 2**20


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; moves it there if the block ends well, removes it otherwise.

    The temporary name is unique, so that two writers of one file cannot mix their bytes, and keeps the suffix,
    by which some libraries choose the format. What was at `path` before stays whole until the move.

    Raises:
        ResultError: the disk does not take the file: it is full, say, or read-only.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except OSError as error:
        if not _is_of_the_disk(error, path):
            raise
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = REMEDIES.get(error.errno or 0, "Make room on its disk")
        raise ResultError(
            f"{path} could not be written: {reason}. {remedy}, and run the same command again; what is finished stays."
        ) from error


def _is_of_the_disk(error: OSError, path: Path) -> bool:
    """Whether the writing failed, and not the network or another file that the block reads."""
    if error.errno is None:
        # So NumPy says that an array was not written whole; an error of the network has a type of its own.
        return type(error) is OSError
    path = path.absolute()
    names = [Path(name).absolute() for name in (error.filename, error.filename2) if isinstance(name, str | os.PathLike)]
    ours = not names or any(path.is_relative_to(name) or name.is_relative_to(path.parent) for name in names)
    return error.errno in REMEDIES and ours


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary folders that writers left under a folder when they were killed, and nothing else."""
    for path in list(folder.rglob(".*")):
        name = re.fullmatch(r"\.(.+)\.[a-z0-9_]{8}", path.name)
        if name and path.is_dir() and not path.is_symlink() and {item.name for item in path.iterdir()} <= {name[1]}:
            shutil.rmtree(path)


def why_not_writable(folder: Path) -> str | None:
    """Why no file can be made in a folder that need not be there yet, in one sentence; None if one can."""
    there = _nearest(folder)
    if not there.is_dir():
        return f"{there} is no folder."
    if not os.access(there, os.W_OK | os.X_OK):
        return f"Nothing can be written to {there}: it is read-only, or not yours."
    return None


def little_space(folder: Path) -> str | None:
    """How little space there is where a folder is or will be, in one sentence; None if there is enough."""
    free = shutil.disk_usage(_nearest(folder)).free
    return f"Only {free / 2**20:.1f} MiB are free on the disk of {folder}." if free < LITTLE_SPACE else None


def _nearest(folder: Path) -> Path:
    """The folder, or else the nearest one above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def safe_name(text: str) -> str:
    """The name of a file or folder for a free text: percent-encoded, so that no two texts share one.

    Letters, digits, `-`, `_` and `~` stay as they are, and so do dots, but not at the beginning: no name is hidden or
    goes up. `urllib.parse.unquote` is the inverse.

    Raises:
        ValueError: empty, or too long for a file system.
    """
    rest = text.lstrip(".")
    name = "%2E" * (len(text) - len(rest)) + quote(rest, safe="")
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(
            f"a name must have from 1 to {LONGEST_NAME} bytes as a file's (percent-encoded), and this has {len(name)}"
        )
    return name
