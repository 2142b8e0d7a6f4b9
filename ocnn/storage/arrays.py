"""Arrays on disk: npy files, of which rows are read and verified, and npz archives, verified whole.

Neither is ever read with pickle, which could run code.

The npy files of a folder share one table of checksums, `checksums.parquet`: one for every row. A reader compares
those of the rows that it takes, so that damage is found wherever it matters, and a fit pays for its own samples alone.
"""

import hashlib
import io
import json
import math
import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike

from ocnn.errors import ResultError
from ocnn.storage import parquet
from ocnn.storage.files import atomic_write

#: Of everything that the workflow keeps in arrays.
TYPES = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64))
#: The table of checksums beside npy files.
CHECKSUMS = "checksums.parquet"
CHECKSUM_SCHEMA = pa.schema(
    [("file", pa.dictionary(pa.int8(), pa.string())), ("row", pa.int32()), ("checksum", pa.uint64())]
)
#: The member of an npz archive that says how it came about.
METADATA = "metadata.json"
#: Of `row_checksums`: the golden ratio in 64 bits.
BASE = 0x9E3779B97F4A7C15
#: Bytes of rows that are read, verified and copied at once.
BLOCK = 2**24
#: Bytes of samples from which on they are kept in a file, and taken from there as they are needed.
LARGE = 2**28
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
    zlib.error,
)


class StoredArray:
    """An array of a file of `write_npy_files`; what is taken from it is verified.

    `array[rows]` takes a slice, indices (n,) or a mask (n,) of rows, `np.asarray(array)` all of them.
    """

    def __init__(self, path: Path, values: np.ndarray, checksums: np.ndarray) -> None:
        self._path, self._values, self._checksums = path, values, checksums
        self.shape, self.dtype = values.shape, values.dtype

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, rows: Any) -> np.ndarray:
        indices = np.arange(len(self))[rows]
        if indices.ndim != 1:
            raise TypeError("Rows are taken by a slice, indices or a mask, not one by one.")
        result = np.empty((len(indices), *self.shape[1:]), self.dtype)
        step = rows_at_once(self.dtype, self.shape)
        for first in range(0, len(indices), step):
            chosen = indices[first : first + step]
            block = result[first : first + step]
            block[:] = self._values[chosen]
            wrong = np.flatnonzero(row_checksums(block) != self._checksums[chosen])
            if len(wrong):
                raise ResultError(
                    f"{self._path} is damaged: row {chosen[wrong[0]]} is not what was written. {parquet.ADVICE}"
                )
        return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)


def rows_at_once(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """Say how many rows of an array of this shape make a block."""
    return max(1, BLOCK // max(1, dtype.itemsize * math.prod(shape[1:])))


def space_for(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """Make an array that is to be filled: in memory, and from `LARGE` bytes on in a temporary file without a name.

    Such an array takes memory only as long as nothing else needs it, and its file ends with it. Where there is no room
    for the file, the array is in memory, too.
    """
    size = dtype.itemsize * math.prod(shape)
    if size >= LARGE:
        # Not every system can reserve the room, without which a full disk would end the process.
        with suppress(OSError, AttributeError), tempfile.TemporaryFile() as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
    return np.empty(shape, dtype)


def row_checksums(values: np.ndarray) -> np.ndarray:
    """Compute a checksum of the bytes of each row, (n, …) → (n,) uint64.

        Σ_i b^(i+1) (w_i ⊕ ⌊w_i / 2³²⌋) mod 2⁶⁴ ,   w_i the row's 64-bit words, b odd

    A polynomial hash, which NumPy computes at several gigabytes a second, however short the rows are. It finds damage;
    it is no protection against somebody who means to deceive. By the shift a change of high bits reaches low ones, too.
    """
    rows = np.ascontiguousarray(values).reshape(len(values), math.prod(values.shape[1:])).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8))) if rows.shape[1] % 8 else rows
    words = rows.view(np.uint64)
    powers = np.multiply.accumulate(np.full(words.shape[1], BASE, np.uint64))
    return (words ^ (words >> np.uint64(32))) @ powers


def write_npy_files(paths: Iterable[Path], arrays: Mapping[str, np.ndarray], recipe: Mapping[str, Any]) -> None:
    """Write arrays as npy files, and last the table of their checksums, so that a folder with one is whole.

    Args:
        paths: of the files, all in one folder, `CHECKSUMS` among them; a name is a key of `arrays`.
        arrays: of `TYPES`; kept in C order whatever theirs is.
        recipe: what decided them.
    """
    files = {path.name: path for path in paths}
    table = files.pop(CHECKSUMS)
    table.unlink(missing_ok=True)
    frames = []
    for name, path in files.items():
        values = np.ascontiguousarray(arrays[name])
        with atomic_write(path) as temporary:
            np.save(temporary, values, allow_pickle=False)
        frames.append(pd.DataFrame({"file": name, "row": np.arange(len(values)), "checksum": row_checksums(values)}))
    parquet.write_table(table, pd.concat(frames, ignore_index=True), CHECKSUM_SCHEMA, {"recipe": recipe})


def open_array(path: Path) -> StoredArray:
    """Open an array of `write_npy_files`, memory-mapped; its rows are verified as they are taken.

    Raises:
        ResultError: it or its checksums are missing or damaged.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            dtype, shape = _read_header(file, size)
            values = np.memmap(path, dtype, "r", file.tell(), shape) if math.prod(shape) else np.empty(shape, dtype)
    except UNREADABLE as error:
        raise ResultError(f"{path} is not a whole array ({error}). {parquet.ADVICE}") from error
    table, _ = parquet.read_table(path.with_name(CHECKSUMS), CHECKSUM_SCHEMA, ("recipe",))
    checksums = table.loc[table["file"] == path.name, "checksum"].to_numpy()
    if not shape or len(checksums) != shape[0]:
        raise ResultError(f"{path} has shape {shape}, but {len(checksums)} rows were written. {parquet.ADVICE}")
    return StoredArray(path, values, checksums)


def open_arrays(paths: Iterable[Path]) -> dict[str, StoredArray]:
    """Open the npy files among these, by their names; see `open_array`."""
    return {path.name: open_array(path) for path in paths if path.suffix == ".npy"}


def write_arrays(path: Path, arrays: Mapping[str, ArrayLike], recipe: Mapping[str, Any] | None = None) -> None:
    """Write an npz archive, uncompressed; the same arrays give the same bytes.

    recipe: what decided them, if the workflow wrote them.
    """
    members = {f"{name}.npy": _encoded(np.asarray(values)) for name, values in arrays.items()}
    recipe_text = json.dumps(recipe, sort_keys=True)
    digest = hashlib.sha256(recipe_text.encode())
    for name, content in members.items():
        digest.update(name.encode() + hashlib.sha256(content).digest())
    members[METADATA] = json.dumps({"recipe": recipe, parquet.DIGEST: digest.hexdigest()}, sort_keys=True).encode()
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _encoded(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(values).reshape(values.shape), (1, 0), allow_pickle=False)
    return buffer.getvalue()


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of these names in an npz archive that `write_arrays` wrote, or all that its directory lists.

    Each is read whole and its checksum verified before it is parsed, which `numpy.load` does not do. The directory has
    no checksum: whoever asks for all must know how many there are.

    Raises:
        ResultError: it is missing or damaged, or lacks one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = [name for name in archive.namelist() if name != METADATA]
            wanted = listed if names is None else [f"{name}.npy" for name in names]
            contents = {name: _member(archive, name, path.stat().st_size) for name in wanted}
        arrays = {}
        for name, content in contents.items():
            file = io.BytesIO(content)
            dtype, shape = _read_header(file, len(content))
            arrays[name.removesuffix(".npy")] = np.frombuffer(bytearray(file.read()), dtype).reshape(shape)
        return arrays
    except UNREADABLE as error:
        raise ResultError(f"{path} does not hold whole arrays ({error}). {parquet.ADVICE}") from error


def read_statement(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Read the recipe and the digest that an npz archive of `write_arrays` states.

    Raises:
        ResultError: it is missing or damaged, or states neither.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(_member(archive, METADATA, path.stat().st_size))
        return content["recipe"], str(content[parquet.DIGEST])
    except UNREADABLE as error:
        raise ResultError(f"{path} does not say how it came about ({error}). {parquet.ADVICE}") from error


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    """The content of a member, which is stored as it is and no larger than the file: nothing unpacks to fill memory."""
    member = archive.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED or not member.file_size == member.compress_size <= size:
        raise ResultError(f"{name} is compressed, or has a size that cannot be right")
    return archive.read(member)


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
