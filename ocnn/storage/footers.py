"""The footer of a Parquet file: what it says of the file's columns.

pyarrow tells this, too, but ends the process where a column's entry is damaged: its C++ raises an error that nothing
catches. So it is read here, before pyarrow reads it, by Thrift's compact protocol, in which footers are written
(github.com/apache/thrift, doc/specs/thrift-compact-protocol.md; the numbers of the fields are those of parquet.thrift).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC = b"PAR1"
#: Thrift's types: truth values, which need no byte as fields; one byte; whole numbers; the others by name.
TRUE, FALSE, BYTE, WHOLE = 1, 2, 3, (4, 5, 6)
DOUBLE, TEXT, LIST, SET, MAP, STRUCT = 7, 8, 9, 10, 11, 12
#: The number of the codec that does nothing.
UNCOMPRESSED = 0


@dataclass(frozen=True)
class Chunk:
    """What a footer says of a column in a group of rows: its name, codec, number of values, and bytes."""

    name: str
    codec: int
    values: int
    uncompressed: int
    compressed: int


def read_footer(path: Path, maximum: int) -> list[tuple[int, list[Chunk]]]:
    """Read of each group of rows how many there are, and its columns.

    Args:
        path: of a Parquet file.
        maximum: bytes of a footer.

    Raises:
        ValueError: it is no Parquet file, or its footer is damaged or larger.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("it does not begin as a Parquet file")
        size = file.seek(0, 2)
        file.seek(max(0, size - 4 - len(MAGIC)))
        end = file.read()
        if len(end) < 4 + len(MAGIC) or not end.endswith(MAGIC):
            raise ValueError("it does not end as a Parquet file")
        length = int.from_bytes(end[:4], "little")
        if length > maximum:
            raise ValueError("its metadata are of a size that cannot be right")
        if length > size - 4 - 2 * len(MAGIC):
            raise ValueError("its metadata are longer than the file")
        file.seek(size - 4 - len(MAGIC) - length)
        content = file.read(length)
    try:
        groups = structure(content)[0][4]
        return [(_number(group[3]), [_chunk(column) for column in group[1]]) for group in groups]
    except (LookupError, TypeError, struct.error, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("its metadata are damaged") from error


def _chunk(column: dict[int, Any]) -> Chunk:
    about = column[3]
    return Chunk(b".".join(about[3]).decode(), *(_number(about[field]) for field in (4, 5, 6, 7)))


def _number(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError("a count or size that is none")
    return value


def structure(content: bytes, place: int = 0) -> tuple[dict[int, Any], int]:
    """Take a structure: its fields by their numbers, and the place behind it.

    Places are passed on, and short numbers read where they stand, as planning reads thousands of footers.

    Raises:
        ValueError, IndexError, struct.error: it is cut off, or of an unknown type.
    """
    fields: dict[int, Any] = {}
    number = 0
    while head := content[place]:
        place += 1
        kind = head & 15
        if head > 15:
            number += head >> 4
        else:
            number, place = _whole(content, place)
        if kind in WHOLE and content[place] < 128:
            byte = content[place]
            fields[number], place = (byte >> 1) ^ -(byte & 1), place + 1
        elif kind in (TRUE, FALSE):
            fields[number] = kind == TRUE
        else:
            fields[number], place = _value(content, place, kind)
    return fields, place + 1


def _value(content: bytes, place: int, kind: int) -> tuple[Any, int]:
    if kind in WHOLE:
        return _whole(content, place)
    if kind == STRUCT:
        return structure(content, place)
    if kind == TEXT:
        count, place = _count(content, place)
        return content[place : place + count], place + count
    if kind in (LIST, SET):
        head = content[place]
        count, place = (head >> 4, place + 1) if head < 240 else _count(content, place + 1)
        values = []
        for _ in range(count):
            value, place = _value(content, place, head & 15)
            values.append(value)
        return values, place
    if kind == MAP:
        count, place = _count(content, place)
        pairs = []
        kinds, place = (content[place], place + 1) if count else (0, place)
        for _ in range(count):
            key, place = _value(content, place, kinds >> 4)
            value, place = _value(content, place, kinds & 15)
            pairs.append((key, value))
        return pairs, place
    if kind == DOUBLE:
        return struct.unpack_from("<d", content, place)[0], place + 8
    if kind in (BYTE, TRUE, FALSE):
        return content[place], place + 1
    raise ValueError(f"{kind} is no type")


def _count(content: bytes, place: int) -> tuple[int, int]:
    """Take a number of values, each of which takes a byte at least."""
    count, place = _varint(content, place)
    if count > len(content) - place:
        raise ValueError("more values than bytes")
    return count, place


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = content[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
    raise ValueError("a number of more than 64 bits")


def _whole(content: bytes, place: int) -> tuple[int, int]:
    value, place = _varint(content, place)
    return (value >> 1) ^ -(value & 1), place
