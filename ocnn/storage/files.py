"""Writing files so that nothing half-written counts."""

import errno
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    errno.ESTALE: "See to its disk",
    errno.ENAMETOOLONG: "Choose shorter names",
    errno.EISDIR: "Move the folder of that name away",
    errno.EEXIST: "Move away what stands where its folder should be",
    errno.ENOTDIR: "Move away what stands where its folder should be",
    errno.ELOOP: "Remove the links that lead in a circle",
}
#: Bytes of a name made by `safe_name`; 255 is what file systems take, less what suffixes and temporary names add.
LONGEST_NAME = 200


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there if the block ends well, remove it otherwise.

    It stands in a folder of its own, so that two writers of one file cannot mix their bytes, and keeps the name, by
    which some libraries choose the format. What was at `path` before stays whole until the move. A link at `path`
    stays, and the file to which it leads is written.

    Raises:
        ResultError: the disk does not take the file: it is full, say, or read-only.
    """
    path = Path(path)
    try:
        # Where a link to nowhere stands for a folder none is made: its disk may be missing.
        path.parent.mkdir(parents=True, exist_ok=True)
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise ResultError(f"{path} could not be written: it is a link to {target}, whose folder is not there.")
        # What cannot be removed of a folder whose file stands in its place is no fault of the writing.
        with tempfile.TemporaryDirectory("", temporary_prefix(), target.parent, ignore_cleanup_errors=True) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            _synchronise(temporary)
            os.replace(temporary, target)
        # Without this a power cut may bring back what was there before, which is whole, too.
        with suppress(OSError):
            _synchronise(target.parent)
    except OSError as error:
        if not _is_of_the_disk(error, path):
            raise
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = REMEDIES.get(error.errno or 0, "Make room on its disk")
        raise ResultError(
            f"{path} could not be written: {reason}. {remedy}, and run the same command again; what is finished stays."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a file of text in UTF-8, by `atomic_write`."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def temporary_prefix(process: int | str | None = None) -> str:
    """What the names of a process's temporary folders begin with: host and process; None is this one."""
    host = re.sub(r"[^\w.-]", "_", socket.gethostname())[:64]
    # Containers may share a host's name, but not its numbers of processes.
    with suppress(OSError):
        host += f"-{Path('/proc/self/ns/pid').stat().st_ino}"
    return f".ocnn-{host}-{os.getpid() if process is None else process}-"


def _synchronise(path: Path) -> None:
    """Bring a file, or the names in a folder, from the system's memory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_of_the_disk(error: OSError, path: Path) -> bool:
    """Whether the writing failed, and not the network or another file that the block reads."""
    if error.errno is None:
        # So NumPy says that an array was not written whole; an error of the network has a type of its own.
        return type(error) is OSError
    path, *names = (
        Path(os.path.realpath(name))
        for name in (path, error.filename, error.filename2)
        if isinstance(name, str | os.PathLike)
    )
    temporary = str(path.parent / temporary_prefix())
    ours = not names or any(path.is_relative_to(name) or str(name).startswith(temporary) for name in names)
    return error.errno in REMEDIES and ours


def read_text(path: Path, maximum: int = 2**20) -> str:
    """Read a text file of at most `maximum` bytes in UTF-8.

    Raises:
        OSError: it cannot be read, or is longer.
        UnicodeDecodeError: it is no text.
    """
    with path.open("rb") as file:
        content = file.read(maximum + 1)
    if len(content) > maximum:
        raise OSError(errno.EFBIG, f"longer than {maximum} bytes", str(path))
    return content.decode()


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
