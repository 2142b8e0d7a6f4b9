"""Tables that steps hand to each other, as Parquet, and that people write, as CSV: a text stays the text it is."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from ocnn.errors import ResultError
from ocnn.storage import parquet
from ocnn.storage.files import atomic_write

#: The type of a text.
TEXT = pa.dictionary(pa.int32(), pa.string())


def read_frame(path: Path, schema: pa.Schema) -> pd.DataFrame:
    """Read a table of this schema that states its recipe; texts are plain objects.

    Raises:
        ResultError: it is missing, damaged or of another schema.
    """
    frame, _ = parquet.read_table(path, schema, ("recipe",))
    texts = [field.name for field in schema if field.type == TEXT]
    return frame.astype(dict.fromkeys(texts, object))


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file whose cells are all texts, an empty one the empty text: no word is taken for a missing value.

    Raises:
        ResultError: it is no such table.
    """
    try:
        return pd.read_csv(path, dtype=str, na_filter=False)
    except (ValueError, OSError) as error:
        raise ResultError(f"{path} is not a table of published results ({error}).") from error


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV file for people; steps read none of these."""
    with atomic_write(path) as temporary:
        frame.to_csv(temporary, index=False)
