"""Parquet files of a fixed schema, with JSON in their metadata, that come back as they were written or not at all.

Each page has a checksum, by which damage is found before anything is decoded. Headers and footer have none in this
format, though a flipped bit there can lead to other pages; so the metadata state a digest of the whole content, too.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ocnn.errors import ResultError
from ocnn.storage.files import atomic_write

MAGIC = b"PAR1"
#: Before the names of our metadata, of which each value is JSON; and the name of the digest.
PREFIX, DIGEST = "ocnn.", "sha256"

#: What damaged files bring out of pyarrow and json.
UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError)
#: At the end of each message.
ADVICE = "Delete it to have it remade."


def write_table(path: Path, frame: pd.DataFrame, schema: pa.Schema, metadata: Mapping[str, Any]) -> None:
    """Writes the columns of a schema; the same content gives the same bytes.

    Args:
        frame: with all columns of the schema; without missing values in one that is not nullable.
        metadata: by name, what JSON can hold; without NaN.
    """
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    texts = {name: json.dumps(value, sort_keys=True, allow_nan=False) for name, value in metadata.items()}
    texts[DIGEST] = _digest(table.to_pandas(ignore_metadata=True), texts)
    with (
        atomic_write(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        writer.write_table(table)
        # Not as metadata of the table: of these the file would hold a second copy.
        writer.add_key_value_metadata({PREFIX + name: text for name, text in texts.items()})


def read_table(path: Path, schema: pa.Schema, names: Collection[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows and the metadata of a file that `write_table` wrote.

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


def read_some_metadata(
    path: Path, schema: pa.Schema, names: Collection[str], wanted: Collection[str]
) -> dict[str, Any]:
    """Some of the metadata of such a file. No page of it is read, so that damage is found as far as its ends tell.

    Args:
        names: of the metadata that must be there.
        wanted: of those to return.

    Raises:
        ResultError: as `read_table`.
    """
    with _opened(path, schema, names) as file:
        texts = _texts(file)
        return {name: json.loads(texts[name]) for name in wanted}


@contextmanager
def _opened(path: Path, schema: pa.Schema, names: Collection[str]) -> Iterator[pq.ParquetFile]:
    """An open file of this schema; what a damaged one brings out of pyarrow and json, as one error."""
    try:
        with pa.OSFile(str(path)) as source:
            if source.read(len(MAGIC)) != MAGIC:
                raise ResultError("it does not begin as a Parquet file")
            with pq.ParquetFile(source, page_checksum_verification=True) as file:
                fault = _schema_fault(file.schema_arrow, schema)
                missing = sorted({*names, DIGEST} - set(_texts(file)))
                if fault or missing:
                    raise ResultError(fault or f"it does not state its {', '.join(missing)}")
                yield file
    except UNREADABLE as error:
        reason = str(error).strip().rstrip(".")
        raise ResultError(f"{path} is damaged or of another kind: {reason}. {ADVICE}") from error


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


def read_statement(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Read the recipe and the digest that a file of `write_table` states; no page of it is read.

    Raises:
        ResultError: it is missing or damaged, or states neither.
    """
    try:
        with pa.OSFile(str(path)) as source:
            if source.read(len(MAGIC)) != MAGIC:
                raise ResultError("it does not begin as a Parquet file")
            with pq.ParquetFile(source) as file:
                texts = _texts(file)
        return json.loads(texts["recipe"]), texts[DIGEST]
    except UNREADABLE as error:
        reason = str(error).strip().rstrip(".")
        raise ResultError(f"{path} does not say how it came about: {reason}. {ADVICE}") from error
