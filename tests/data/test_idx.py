"""The IDX reader against files made by hand, whole and damaged."""

import gzip
import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ocnn.data.formats.idx import read_idx
from ocnn.errors import DataError

BODY = bytes(range(24))
#: Without the time of day, which would be in the names of the tests.
compress = partial(gzip.compress, mtime=0)


def header(*shape: int, magic: bytes = b"\0\0\x08\x03", order: str = ">") -> bytes:
    return magic + struct.pack(f"{order}{len(shape)}I", *shape)


WHOLE = compress(header(2, 3, 4) + BODY)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    images = read_idx(write(tmp_path / "images.gz", WHOLE), (2, 3, 4))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "truncated"),
        (b"no gzip at all", "corrupt"),
        (WHOLE[:30], "corrupt or truncated gzip"),
        (WHOLE[:15] + bytes([WHOLE[15] ^ 0xFF]) + WHOLE[16:], r"corrupt|magic|shape|truncated"),
        (WHOLE[:-6] + b"\0\0" + WHOLE[-4:], "corrupt"),
        (compress(header(2, 3)), "truncated, 12 bytes of a 16-byte header"),
        (compress(header(2, 3, 4, magic=b"\0\0\x0d\x03") + BODY), "wrong magic number 00000d03"),
        (compress(header(2, 3, 4, magic=b"\0\0\x08\x01") + BODY), "wrong magic number 00000801"),
        (compress(header(2, 3, 4, order="<") + BODY), r"states shape \(33554432"),
        (compress(header(3, 3, 4) + BODY), r"states shape \(3, 3, 4\)"),
        (compress(header(2**32 - 1, 3, 4) + BODY), r"states shape \(4294967295, 3, 4\)"),
        (compress(header(2, 3, 4) + BODY[:-1]), "truncated, 23 of 24 bytes"),
        (compress(header(2, 3, 4) + BODY + b"\0"), "more than the 24 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_damaged_file(content: bytes, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "images.gz", content)
    with pytest.raises(DataError, match=message) as error:
        read_idx(path, (2, 3, 4))
    assert str(path) in str(error.value)
