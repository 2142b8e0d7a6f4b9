"""The corrections: which published cells are not what the authors' notebooks print.

    python -m ocnn.report.corrections

writes their tables into `docs/corrections.md`, from `config/published`.
"""

from pathlib import Path

import pandas as pd

from ocnn.report.rendering import Cell, Document, Table, frame_table, number, to_markdown
from ocnn.results.corrections import SEEDS, STD_TOLERANCE, compare, count_cells
from ocnn.results.published import read_published, read_runs

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "corrections.md"
#: Of the page, what is between these lines is written here.
BEGIN, END = "<!-- Written by `python -m ocnn.report.corrections` from config/published. -->", "<!-- The end of it. -->"


def main() -> None:
    """Write the tables of `docs/corrections.md`."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


def page() -> str:
    """Give `docs/corrections.md` as it is to be: what is written by hand, and the tables of the published files."""
    folder = ROOT / "config" / "published"
    published = read_published([folder / "table3.csv", folder / "table4.csv"])
    document = corrections_document(compare(published, read_runs(folder / "runs.csv")))
    # The title is written by hand.
    tables = to_markdown(document).partition("\n\n")[2]
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return "".join([head, BEGIN, "\n\n", tables, "\n", END, rest.split(END)[1]])


def corrections_document(compared: pd.DataFrame) -> Document:
    """Show the cells whose mean or standard deviation differs, and those with too few runs or none; and count them.

    Args:
        compared: of `corrections.compare`.
    """
    whole = compared[compared["seeds"] >= SEEDS]
    other_mean, other_std = whole[whole["mean_differs"]], whole[whole["std_differs"]]
    std_alone = whole[whole["std_differs"] & ~whole["mean_differs"]]
    fewer = compared[compared["seeds"].between(1, SEEDS - 1)]
    zeros = other_std[other_std["published_std"] == 0]
    legend = (
        f"Of {_cells(compared)} published cells {_cells(whole)} have a list of {SEEDS} seeds in the authors' notebooks."
        f" Of these, {_cells(other_mean)} published means are neither the list's mean cut off after two decimals nor it"
        f" rounded, and {_cells(other_std)} published standard deviations are more than {STD_TOLERANCE:g} from the"
        f" list's (published as 0.0: {_cells(zeros)}). Mean ± standard deviation of the AUC in percent; the"
        " notebooks' standard deviation has the divisor n, as they compute it. Difference: published mean − the"
        " notebooks' mean. Places are under `notebooks/`, and cells are counted from 0, text cells too."
    )
    return Document(
        "Published cells beside the authors' notebooks",
        legend,
        [
            frame_table(
                "By column",
                count_cells(compared),
                "Numbers of cells; other mean and other std are counted among those with ten seeds.",
            ),
            _list_table("Means that differ", other_mean, "A cell with several lists has a line for each."),
            _list_table("Standard deviations that differ where the mean does not", std_alone),
            _list_table(
                "Lists of fewer seeds",
                fewer,
                "Runs of single seeds, and loops that were interrupted. They count no cell as differing.",
                spread=True,
            ),
            frame_table("Cells without runs", _without_runs(compared)),
        ],
    )


def _cells(rows: pd.DataFrame) -> int:
    """Count the published cells of these rows."""
    return len(rows[["dataset", "class", "method"]].drop_duplicates())


def _without_runs(compared: pd.DataFrame) -> pd.DataFrame:
    """Name the classes of each column that no list is of."""
    rows = compared[compared["seeds"] == 0]
    return rows.groupby(["dataset", "method"], sort=False)["class"].agg(", ".join).rename("classes").reset_index()


def _list_table(title: str, rows: pd.DataFrame, note: str = "", *, spread: bool = False) -> Table:
    """Show lists of runs, with their number, lowest and highest if asked."""
    columns = ["dataset", "class", "method", "published", "notebooks", "difference"]
    columns += [*(["seeds", "lowest", "highest"] if spread else []), "where"]
    lines = []
    for row in rows.to_dict("records"):
        cells = {
            **{name: Cell(str(row[name])) for name in ("dataset", "class", "method", "where")},
            "published": _mean_and_std(row["published_mean"], row["published_std"], 1),
            "notebooks": _mean_and_std(row["mean"], row["std"] if row["seeds"] > 1 else float("nan"), 2),
            "difference": Cell(number(row["difference"], 2).replace("−0.00", "0.00"), row["difference"]),
            "seeds": Cell(str(row["seeds"]), float(row["seeds"])),
            **{name: Cell(number(row[name], 2), row[name]) for name in ("lowest", "highest")},
        }
        lines.append([cells[name] for name in columns])
    return Table(title, columns, lines, note)


def _mean_and_std(mean: float, std: float, decimals: int) -> Cell:
    """Write a mean of two decimals and its standard deviation."""
    return Cell(number(mean, 2) + (f" ± {std:.{decimals}f}" if pd.notna(std) else ""), mean)


if __name__ == "__main__":
    main()
