"""The score file of a fit: a row a sample, and in the schema's metadata how the fit came about and how it ended.

It holds nothing that differs between two runs of the same code on the same machine, so that runs can be compared byte
by byte; seconds and memory are in the job's benchmark file.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ocnn.errors import ResultError
from ocnn.files import atomic_write

METADATA_KEY = b"ocnn"
_name = pa.dictionary(pa.int8(), pa.string())
SCHEMA = pa.schema(
    [
        ("experiment", _name),
        ("normal", _name),
        ("method", _name),
        ("seed", pa.int32()),
        ("evaluation", _name),  # train: the contaminated training set; test: the test part
        ("sample", pa.int32()),  # index into that part of the data set
        ("is_anomaly", pa.bool_()),
        ("tuned_on", pa.bool_()),  # the method saw this sample's label; it does not count in the evaluation
        ("anomaly_score", pa.float64()),  # higher = more anomalous; > 0 beyond the method's own threshold
    ]
)


def write_scores(path: Path, scores: pd.DataFrame, metadata: dict[str, Any]) -> None:
    """Writes the rows of `SCHEMA` with their metadata, which must be JSON."""
    table = pa.Table.from_pandas(scores, schema=SCHEMA, preserve_index=False)
    content = json.dumps(metadata, sort_keys=True, allow_nan=False)
    with atomic_write(path) as temporary:
        pq.write_table(table.replace_schema_metadata({METADATA_KEY: content}), temporary, compression="zstd")


def read_scores(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Reads a score file: its rows and its metadata.

    Raises:
        ResultError: missing, truncated, or not a score file.
    """
    try:
        table = pq.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[METADATA_KEY])
        if table.schema.names != SCHEMA.names:
            raise ResultError(f"{path} has columns {table.schema.names}; expected {SCHEMA.names}.")
        return table.cast(SCHEMA).to_pandas(), metadata
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ResultError(f"{path} is not a whole score file ({error}). Delete it and run again.") from error
