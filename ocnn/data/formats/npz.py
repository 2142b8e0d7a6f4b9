"""NPZ archives of arrays of numbers, compressed or not; an object, which is stored as a pickle, is refused unread."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocnn.data.formats import refused
from ocnn.data.formats.zip import MAXIMUM_ARCHIVE, open_zip
from ocnn.errors import DataError

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: Path, names: Sequence[str], maximum: int = MAXIMUM_ARCHIVE) -> list[NDArray[Any]]:
    """Read the arrays of these names, each of at most `maximum` bytes.

    Raises:
        DataError: one is missing, damaged, too large, or of Python objects.
    """
    with open_zip(path) as archive:
        found = [name.removesuffix(".npy") for name in archive.names]
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(f"{path} holds the arrays {', '.join(found)}; expected {' and '.join(names)}")
        return [_parse(path, name, archive.read(f"{name}.npy", min(maximum, MAXIMUM_ARCHIVE))) for name in names]


def _parse(path: Path, name: str, content: bytes) -> NDArray[Any]:
    file = io.BytesIO(content)
    with refused(path):
        shape, fortran_order, dtype = HEADERS[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        raise DataError(
            f"{path}: {name} holds Python objects, a pickle, which is never read; save it as numbers or texts"
        )
    if file.tell() + math.prod(shape) * dtype.itemsize != len(content) or min(shape, default=0) < 0:
        raise DataError(f"{path}: {name} has {len(content)} bytes, which do not fit {dtype} of shape {shape}")
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if fortran_order else "C")
