"""Tables between steps and for people: what was a text is that text again."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from ocnn.results.frames import TEXT, read_csv, read_frame, write_csv
from ocnn.storage.parquet import write_table
from tests.results.conftest import ODD_NAMES


def test_texts_between_steps_are_plain_objects(tmp_path: Path) -> None:
    """Not categories, of which a filtered table would keep all; numbers stay numbers."""
    frame = pd.DataFrame({"name": [*ODD_NAMES, ODD_NAMES[0]], "count": range(len(ODD_NAMES) + 1)})
    schema = pa.schema([("name", TEXT), ("count", pa.int64())])
    write_table(tmp_path / "a.parquet", frame, schema, {"recipe": {"step": "x"}})
    found = read_frame(tmp_path / "a.parquet", schema)
    assert [str(kind) for kind in found.dtypes] == ["object", "int64"]
    pd.testing.assert_frame_equal(found, frame.astype({"name": object}))


def test_a_table_for_people_has_its_columns_alone(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["a", "NA", ""], "auc": [0.5, 1.0, 2.25]}, index=[7, 8, 9])
    write_csv(tmp_path / "a.csv", frame)
    assert (tmp_path / "a.csv").read_text() == "name,auc\na,0.5\nNA,1.0\n,2.25\n"
    assert read_csv(tmp_path / "a.csv").to_dict("list") == {"name": ["a", "NA", ""], "auc": ["0.5", "1.0", "2.25"]}
