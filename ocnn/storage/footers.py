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
        content = Compact(file.read(length))
    try:
        groups = content.struct()[4]
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


class Compact:
    """Values in Thrift's compact protocol, one after the other.

    Each method takes one; what is cut off or of an unknown type is a ValueError or an IndexError.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def struct(self) -> dict[int, Any]:
        """Take the fields of a structure, by their numbers."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._whole()
            fields[number] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in WHOLE:
            return self._whole()
        if kind == TEXT:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(head & 15) for _ in range(self._possible(count))]
        if kind == MAP:
            count = self._possible(self._varint())
            kinds = self._byte() if count else 0
            return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(count)]
        if kind == DOUBLE:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind in (BYTE, TRUE, FALSE):
            return self._byte()
        raise ValueError(f"{kind} is no type")

    def _possible(self, count: int) -> int:
        """Let a number of values pass, each of which takes a byte at least."""
        if count > len(self.content) - self.place:
            raise ValueError("more values than bytes")
        return count

    def _byte(self) -> int:
        self.place += 1
        return self.content[self.place - 1]

    def _bytes(self, count: int) -> bytes:
        first, self.place = self.place, self.place + self._possible(count)
        return self.content[first : self.place]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _whole(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
