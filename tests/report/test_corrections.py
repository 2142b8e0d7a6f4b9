"""The page of corrections, and its tables."""

import numpy as np
import pandas as pd

from ocnn.report.corrections import PAGE, corrections_document, page
from ocnn.report.rendering import to_markdown
from ocnn.results.corrections import COLUMNS


def test_the_page_is_in_step_with_the_published_files() -> None:
    """If not, `python -m ocnn.report.corrections` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_each_cell_stands_where_it_belongs() -> None:
    def row(name: str, published: tuple[float, float], found: tuple[float, float], seeds: int, **kind: bool) -> list:
        mean, std = found
        where = f"{name}.ipynb, cell 1"
        difference = published[0] - mean
        flags = [kind.get("mean", False), kind.get("std", False)]
        return ["toys", name, "kde", *published, mean, std, mean - 1, mean + 1, seeds, difference, *flags, where]

    compared = pd.DataFrame(
        [
            row("same", (60.0, 1.0), (60.004, 1.0), 10),
            row("mean", (60.0, 1.0), (62.0, 1.0), 10, mean=True),
            row("std", (60.0, 0.0), (60.004, 1.256), 10, std=True),
            row("both", (60.0, 1.5), (55.5, 1.0), 10, mean=True, std=True),
            row("short", (60.0, 1.0), (60.004, np.nan), 1),
            row("none", (60.0, 1.0), (np.nan, np.nan), 0),
        ],
        columns=COLUMNS,
    )
    document = corrections_document(compared)
    assert "Of 6 published cells 4 have a list of 10 seeds" in document.legend
    assert "2 published means are neither" in document.legend
    assert "2 published standard deviations are more than 0.15 from the list's (published as 0.0: 1)" in document.legend
    columns, means, stds, short, without = document.tables
    assert [cell.text for cell in columns.rows[0]] == ["toys", "kde", "6", "4", "1", "1", "2", "2"]
    assert [line[1].text for line in means.rows] == ["mean", "both"]
    assert [cell.text for cell in means.rows[1]] == [
        *("toys", "both", "kde", "60.00 ± 1.5", "55.50 ± 1.00", "4.50", "both.ipynb, cell 1")
    ]
    assert [line[1].text for line in stds.rows] == ["std"]
    assert [cell.text for cell in stds.rows[0]][3:6] == ["60.00 ± 0.0", "60.00 ± 1.26", "0.00"]
    assert [cell.text for cell in short.rows[0]][1:9] == [
        *("short", "kde", "60.00 ± 1.0", "60.00", "0.00", "1", "59.00", "61.00")
    ]
    assert [cell.text for cell in without.rows[0]] == ["toys", "kde", "none"]
    assert "| toys      | mean    | kde" in to_markdown(document)


def test_nothing_to_correct() -> None:
    document = corrections_document(
        pd.DataFrame(columns=COLUMNS).astype({"seeds": int, "mean_differs": bool, "std_differs": bool})
    )
    assert "Of 0 published cells" in document.legend
    assert [len(table.rows) for table in document.tables] == [0, 0, 0, 0, 0]
