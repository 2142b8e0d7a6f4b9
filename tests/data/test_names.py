"""Names of samples: each is that of the sample at its place in the arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocnn.data.folders import folder_dataset
from ocnn.data.names import sample_names
from ocnn.data.tables import table_dataset
from tests.data.test_folders import PLAIN, levels, screws


def test_pictures(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"name": "screws", "folder": str(screws(tmp_path, PLAIN)), "normal": ["good"], "size": 4}
    names, arrays = sample_names(mine=settings)["mine"], folder_dataset(**settings, channels=1).load({})
    paths = [f"{name}/{number:03}.png" for name, count in PLAIN.items() for number in range(count)]
    assert [paths[level] for level in levels(arrays.train)] == names["train"]
    assert [paths[level] for level in levels(arrays.test)] == names["test"]
    assert {name.split("/")[0] for name in names["test"]} == {"good", "scratch"}


@pytest.mark.parametrize("test_file", [False, True])
def test_rows(test_file: bool, tmp_path: Path) -> None:
    """Numbered from 1; a test file is the test part."""
    rows = [f"{number},{'ok' if number % 3 else 'bad'}\n" for number in range(1, 21)]
    (tmp_path / "rows.csv").write_text("n,label\n" + "".join(rows))
    (tmp_path / "more.csv").write_text("n,label\n" + "".join(rows[:6]))
    settings: dict[str, Any] = {"name": "toy", "file": str(tmp_path / "rows.csv"), "normal": ["ok"]}
    settings |= {"test_file": str(tmp_path / "more.csv")} if test_file else {}
    arrays, test = table_dataset(**settings).load({}), "more.csv" if test_file else "rows.csv"
    assert sample_names(mine=settings)["mine"] == {
        "train": [f"rows.csv, row {row:.0f}" for row in np.ravel(arrays.train)],
        "test": [f"{test}, row {row:.0f}" for row in np.ravel(arrays.test)],
    }
