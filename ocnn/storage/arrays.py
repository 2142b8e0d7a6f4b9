"""Arrays on disk: npy files, memory-mapped where they are large, and npz archives, which notice damage.

Neither is ever read with pickle, which could run code.
"""

import io
import math
import tokenize
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike

from ocnn.errors import ResultError
from ocnn.storage.files import atomic_write

#: Bytes of a file from which on it is memory-mapped; a smaller one, be it empty, is read.
MAPPED_SIZE = 2**16
#: Of everything that the workflow keeps in arrays.
TYPES = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64))
#: What damaged files bring out of numpy and zipfile.
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
)


def open_array(path: Path) -> np.ndarray:
    """Opens an array that the workflow wrote, memory-mapped if it is large.

    Its values have no checksum, but the header must be that of an array of `TYPES` that fills the file.

    Raises:
        ResultError: it is missing or damaged.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            dtype, shape = _read_header(file, size)
            if size < MAPPED_SIZE:
                return np.fromfile(file, dtype).reshape(shape)
            return np.memmap(path, dtype, "r", file.tell(), shape)
    except UNREADABLE as error:
        raise ResultError(f"{path} is not a whole array ({error}). Delete it to have it made anew.") from error


def write_arrays(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Writes an npz archive, uncompressed; the same arrays give the same bytes."""
    # Of an open file NumPy takes any name; of a path, only one that ends in .npz.
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of these names in an npz archive that `write_arrays` wrote, or all that its directory lists.

    Each is read whole and its checksum verified before it is parsed, which `numpy.load` does not do. The directory has
    no checksum: whoever asks for all must know how many there are.

    Raises:
        ResultError: it is missing or damaged, or lacks one.
    """
    try:
        arrays = {}
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist() if names is None else [f"{name}.npy" for name in names]:
                member = archive.getinfo(name)
                # Neither compressed nor larger than the file: nothing unpacks to fill the memory.
                if not member.file_size == member.compress_size <= path.stat().st_size:
                    raise ResultError(f"{name} has a size that cannot be right")
                content = archive.read(member)
                file = io.BytesIO(content)
                dtype, shape = _read_header(file, len(content))
                arrays[name.removesuffix(".npy")] = np.frombuffer(bytearray(file.read()), dtype).reshape(shape)
        return arrays
    except UNREADABLE as error:
        raise ResultError(f"{path} does not hold whole arrays ({error}). Delete it to have it made anew.") from error


def _read_header(file: IO[bytes], size: int) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The type and the shape of an array of `TYPES` that fills its `size` bytes, of which no value is read yet."""
    if np.lib.format.read_magic(file) != (1, 0):
        raise ResultError("another version of the format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype not in TYPES or fortran_order or min(shape, default=0) < 0:
        raise ResultError(f"an array of {dtype} and shape {shape}")
    if file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ResultError(f"{size - file.tell()} bytes for {dtype} of shape {shape}")
    return dtype, shape
