"""The record of an attack: one row per image."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from ocnn.storage.parquet import read_table

NAME = pa.dictionary(pa.int16(), pa.string())
RECORD = pa.schema(
    [
        ("source", pa.int64()),  # index in the data set's test part
        ("label", NAME),  # of the source
        ("before", NAME),  # the classifier's label of the source
        ("after", NAME),  # the classifier's label of the image
        ("l2", pa.float64()),  # distance to the source, pixels in [0, 1]
        ("steps", pa.int64()),
        ("seconds", pa.float64()),  # of the attack on all images
        ("replaced", pa.int64()),  # sources that gave way to others, as no misclassified image was found for them
    ]
)


def read_record(path: Path) -> pd.DataFrame:
    """Read the rows of `RECORD`.

    Raises:
        ResultError: the file is missing, damaged or of another schema.
    """
    return read_table(path, RECORD, ("recipe",))[0]
