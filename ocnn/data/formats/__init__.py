"""Readers of archive formats; nothing is ever extracted or unpickled."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocnn.errors import DataError

#: What damaged archives bring out of the standard library beside its own errors; an encrypted one a RuntimeError.
UNREADABLE = (zlib.error, EOFError, OSError, ValueError, LookupError, ArithmeticError, RuntimeError)


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Raise what reading a damaged archive raises as one error, a `DataError`, which passes."""
    try:
        yield
    except DataError:
        raise
    except (tarfile.TarError, zipfile.BadZipFile, *UNREADABLE) as error:
        raise DataError(f"{path}: corrupt or truncated archive ({error}).") from error
