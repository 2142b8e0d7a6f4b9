"""Parquet files of a fixed schema, with JSON in their metadata, that come back as they were written or not at all.

Each page has a checksum, by which damage is found before anything is decoded. Headers and footer have none in this
format, though a flipped bit there can lead to other pages; so the metadata state a digest of the whole content, too.

Nothing is compressed: what a small file unpacks to is known from its length and its number of rows alone. Differences
of whole numbers, run lengths of truth values and dictionaries of texts take less room than a general compression does.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ocnn.errors import ResultError
from ocnn.storage.files import atomic_write
from ocnn.storage.footers import UNCOMPRESSED, Chunk, read_footer

#: Before the names of our metadata, of which each value is JSON; and the name of the digest.
PREFIX, DIGEST = "ocnn.", "sha256"
#: No table has more rows, and no file more bytes of metadata: a small file must not grow to fill the memory.
MAXIMUM_ROWS, MAXIMUM_METADATA = 10_000_000, 2**24

#: What damaged files bring out of pyarrow and json.
UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError)
#: At the end of each message.
ADVICE = "Delete it to have it remade."


def write_table(path: Path, frame: pd.DataFrame, schema: pa.Schema, metadata: Mapping[str, Any]) -> None:
    """Write the columns of a schema; the same content gives the same bytes.

    Args:
        frame: with all columns of the schema; without missing values in one that is not nullable.
        schema: of numbers, truth values, and dictionaries of texts.
        metadata: by name, what JSON can hold; without NaN.

    Raises:
        ResultError: more rows or metadata than `read_table` takes, or the disk does not take the file.
    """
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    texts = {name: json.dumps(value, sort_keys=True, allow_nan=False) for name, value in metadata.items()}
    size = sum(map(len, texts.values()))
    # Half of what may be read, since the footer describes the columns, too.
    if len(frame) > MAXIMUM_ROWS or size > MAXIMUM_METADATA // 2:
        raise ResultError(f"{path} would have {len(frame)} rows and {size} bytes of metadata: too many.")
    texts[DIGEST] = _digest(table.to_pandas(ignore_metadata=True), texts)
    encodings = {field.name: _encoding(field.type) for field in schema}
    with (
        atomic_write(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            compression="none",
            use_dictionary=[name for name, encoding in encodings.items() if encoding is None],
            column_encoding={name: encoding for name, encoding in encodings.items() if encoding},
            write_page_checksum=True,
        ) as writer,
    ):
        writer.write_table(table)
        # Not as metadata of the table: of these the file would hold a second copy.
        writer.add_key_value_metadata({PREFIX + name: text for name, text in texts.items()})


def _encoding(kind: pa.DataType) -> str | None:
    """How values of a type are written; None: by their numbers in a dictionary."""
    if pa.types.is_dictionary(kind):
        return None
    if pa.types.is_boolean(kind):
        return "RLE"
    if pa.types.is_signed_integer(kind):
        return "DELTA_BINARY_PACKED"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "PLAIN"
    # Text by text a column could grow: a short file may repeat a long one for each row.
    raise TypeError(f"a column of {kind}; texts belong into dictionaries")


def read_table(path: Path, schema: pa.Schema, names: Collection[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the rows and the metadata of a file that `write_table` wrote.

    Args:
        names: of the metadata that must be there.

    Raises:
        ResultError: it is missing, damaged or of another schema.
    """
    with _opened(path, schema, names) as file:
        frame = file.read().to_pandas(ignore_metadata=True)
        texts = _texts(file)
        if texts.pop(DIGEST) != _digest(frame, texts):
            raise ResultError("its content is not what was written")
        return frame, {name: json.loads(text) for name, text in texts.items()}


def read_statement(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Read the recipe and the digest that a file of `write_table` states; no page of it is read.

    Raises:
        ResultError: it is missing or damaged, or states neither.
    """
    with _opened(path, None, ["recipe"]) as file:
        texts = _texts(file)
        return json.loads(texts["recipe"]), texts[DIGEST]


@contextmanager
def _opened(path: Path, schema: pa.Schema | None, names: Collection[str]) -> Iterator[pq.ParquetFile]:
    """An open file of this schema, if any; what a damaged one brings out of pyarrow and json, as one error."""
    try:
        # Before pyarrow is asked, which does not survive every damaged footer.
        groups = read_footer(path, MAXIMUM_METADATA)
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            fault = schema and _schema_fault(file.schema_arrow, schema)
            missing = sorted({*names, DIGEST} - set(_texts(file)))
            if missing and not fault:
                fault = f"it does not state its {', '.join(missing)}"
            if fault := fault or _size_fault(file.metadata.num_rows, groups, path.stat().st_size):
                raise ResultError(fault)
            yield file
    except UNREADABLE as error:
        reason = str(error).strip().rstrip(".")
        raise ResultError(f"{path} is damaged or of another kind: {reason}. {ADVICE}") from error


def _size_fault(rows: int, groups: Sequence[tuple[int, Sequence[Chunk]]], size: int) -> str | None:
    """Why a file of `size` bytes could grow when its pages are read, as far as its footer tells."""
    if not 0 <= rows <= MAXIMUM_ROWS:
        return f"it states {rows} rows, which cannot be right"
    for count, chunks in groups:
        for chunk in chunks:
            if chunk.codec != UNCOMPRESSED:
                return f"its column {chunk.name} is compressed"
            # Of these numbers pyarrow trusts that of the column.
            if chunk.values != count:
                return f"its column {chunk.name} is of a size that cannot be right"
    length = sum(chunk.compressed for _, chunks in groups for chunk in chunks)
    # More bytes than the file has, where several columns read the same ones.
    whole = rows == sum(count for count, _ in groups) and length <= size
    return None if whole else "its columns are of sizes that cannot be right"


def _texts(file: pq.ParquetFile) -> dict[str, str]:
    """Our metadata by name, each as JSON; in the order of their names."""
    found = {key.decode(): value.decode() for key, value in sorted((file.metadata.metadata or {}).items())}
    return {key.removeprefix(PREFIX): value for key, value in found.items() if key.startswith(PREFIX)}


def _schema_fault(found: pa.Schema, expected: pa.Schema) -> str | None:
    if found.names != expected.names:
        return f"it has the columns {', '.join(found.names)}; expected {', '.join(expected.names)}"
    wrong = [f"{a.name} is {a.type}, not {b.type}" for a, b in zip(found, expected, strict=True) if a.type != b.type]
    return f"of its columns {', '.join(wrong)}" if wrong else None


def _digest(frame: pd.DataFrame, texts: Mapping[str, str]) -> str:
    """SHA-256 of metadata and rows, whatever the order in which categories are numbered."""
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode())
    for name, column in frame.items():
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        values, categories = pd.factorize(column) if categorical else (column.to_numpy(), ())
        digest.update(json.dumps([name, *categories]).encode() + values.tobytes())
    return digest.hexdigest()
