"""The IDX format of the MNIST archives (http://yann.lecun.com/exdb/mnist): a big-endian header, then bytes."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from ocnn.errors import DataError

UNSIGNED_BYTE = 0x08


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes.

    Header: two zero bytes, the type (0x08), the number of axes, then each axis's length as a big-endian 32-bit
    integer.

    Args:
        path: the file.
        shape: the expected shape.

    Returns:
        uint8 array of that shape.

    Raises:
        DataError: corrupt gzip data, wrong magic number, other shape, too few or too many bytes.
    """
    # The size is known before anything is unpacked, so that a small file cannot unpack to fill the memory.
    header_size, count = 4 + 4 * len(shape), math.prod(shape)
    try:
        with gzip.open(path, "rb") as file:
            header = file.read(header_size)
            if len(header) < header_size:
                raise DataError(f"{path}: truncated, {len(header)} bytes of a {header_size}-byte header.")
            if header[:4] != bytes([0, 0, UNSIGNED_BYTE, len(shape)]):
                raise DataError(
                    f"{path}: wrong magic number {header[:4].hex()}; expected 000008{len(shape):02x},"
                    f" unsigned bytes in {len(shape)} axes."
                )
            found = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
            if found != shape:
                raise DataError(f"{path}: the header states shape {found}; expected {shape}.")
            data = file.read(count)
            if len(data) < count:
                raise DataError(f"{path}: truncated, {len(data)} of {count} bytes.")
            if file.read(1):
                raise DataError(f"{path}: more than the {count} bytes that the header states.")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: corrupt or truncated gzip data ({error}).") from error
    return np.frombuffer(data, np.uint8).reshape(shape)
