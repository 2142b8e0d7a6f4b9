"""Parquet and Arrow files as tables, of which is known before it is unpacked how much memory they will take."""

import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ocnn.errors import DataError
from ocnn.storage.footers import read_footer

#: Bytes of a number, or of a reference to a text, in memory.
VALUE = 8
#: What an Arrow file begins with; a stream of messages follows, which an Arrow stream is alone.
MAGIC = b"ARROW1\0\0"


def read_parquet(path: Path, maximum: int) -> pa.Table:
    """Read a Parquet file of at most `maximum` bytes in memory, as its footer states; texts as dictionaries.

    Raises:
        DataError: it would take more.
    """
    # Before pyarrow is asked, which does not survive every damaged footer.
    chunks = [chunk for _, chunks in read_footer(path, maximum) for chunk in chunks]
    # The same value a million times takes a few bytes, whatever a page has when it is decompressed.
    check_size(path, sum(VALUE * chunk.values + chunk.uncompressed for chunk in chunks), maximum)
    with pq.ParquetFile(path) as file:
        texts = [
            field.name
            for field in file.schema_arrow
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        return file.read()


def read_arrow(path: Path, maximum: int) -> pa.Table:
    """Read an Arrow file or stream of at most `maximum` bytes in memory, as its messages state.

    Raises:
        DataError: it would take more.
    """
    with pa.OSFile(str(path)) as source:
        start = len(MAGIC) if source.read(len(MAGIC)) == MAGIC else 0
        source.seek(start)
        size = 0
        for message in pa.ipc.MessageReader.open_stream(source):
            if message.type != "schema":
                size += _unpacked(message)
                check_size(path, size, maximum)
        source.seek(start)
        return pa.ipc.open_stream(source).read_all()


def check_size(path: Path, size: int, maximum: int) -> None:
    """Refuse a file whose content would take more than `maximum` bytes in memory.

    Raises:
        DataError: it would.
    """
    if size > maximum:
        raise DataError(
            f"{path} would take {size} bytes in memory, far more than its own; state its checksum, `sha256` or"
            " `test_sha256`, if it is what you expect"
        )


def _unpacked(message: pa.Message) -> int:
    """The bytes in memory of a message's batch: of its buffers, decompressed, and of its values as numbers.

    pyarrow does not tell them before it unpacks them. The places are those of the format (Message.fbs): a message has a
    header; of a dictionary that has data; and of a batch that has nodes, buffers and, if they are compressed, how.
    """
    content, body = message.metadata.to_pybytes(), message.body
    batch = _table(content, _field(content, _table(content, 0), 2))
    if message.type == "dictionary":
        batch = _table(content, _field(content, batch, 1))
    size = sum(VALUE * length for length, _ in _pairs(content, _field(content, batch, 1)))
    compressed = _field(content, batch, 3)
    for offset, length in _pairs(content, _field(content, batch, 2)):
        # Before each compressed buffer stands its true size; −1 says that it is not compressed.
        stated = struct.unpack("<q", body[offset : offset + 8].to_pybytes())[0] if compressed and length else -1
        size += length if stated == -1 else stated
    return size


def _field(content: bytes, table: int, slot: int) -> int:
    """The place of a table's field, or 0 where it has none."""
    directory = table - struct.unpack_from("<i", content, table)[0]
    known = 4 + 2 * slot < struct.unpack_from("<H", content, directory)[0]
    offset: int = struct.unpack_from("<H", content, directory + 4 + 2 * slot)[0] if known else 0
    return table + offset if offset else 0


def _table(content: bytes, place: int) -> int:
    """The place to which the reference at this place leads."""
    reference: int = struct.unpack_from("<I", content, place)[0]
    return place + reference


def _pairs(content: bytes, place: int) -> list[tuple[int, int]]:
    """The pairs of whole numbers in the vector at this place; none where there is no place."""
    if not place:
        return []
    vector = _table(content, place)
    count = struct.unpack_from("<I", content, vector)[0]
    pairs = [struct.unpack_from("<qq", content, vector + 4 + 16 * number) for number in range(count)]
    if any(number < 0 for pair in pairs for number in pair):
        raise ValueError("a negative size")
    return pairs
