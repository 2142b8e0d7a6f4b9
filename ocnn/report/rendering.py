"""Tables of cells as Markdown, LaTeX and HTML; what stands in them is `tables`'s affair."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import numpy as np
import pandas as pd
from tabulate import tabulate

MISSING = "–"
_LATEX = {
    "\\": r"\textbackslash{}",
    "±": r"$\pm$",
    "†": r"$\dagger$",
    "−": "$-$",
    "–": "--",
    "→": r"$\rightarrow$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "λ": r"$\lambda$",
    "ν": r"$\nu$",
    "α": r"$\alpha$",
    "χ": r"$\chi$",
    "²": "$^2$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


@dataclass(frozen=True)
class Cell:
    """What stands in a table.

    text: without any markup.
    value: what a reader sorts by, if not the text.
    best: whether it is the best of its line.
    kind: of what sort it is, as the style sheet names it: `degenerate`, `missing`, or a verdict.
    """

    text: str
    value: float | None = None
    best: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """Columns and rows; a row has a cell a column, the first of which names it.

    listing: whether it is as long as there are fits, and so not for a printed page.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    listing: bool = False


@dataclass(frozen=True)
class Document:
    """A heading, what one has to know to read the tables, and these."""

    title: str
    legend: str
    tables: Sequence[Table] = field(default_factory=tuple)


def frame_table(title: str, frame: pd.DataFrame, note: str = "", decimals: int = 2) -> Table:
    """A data frame as a table; floats rounded, missing ones as such; a column `verdict` in its colours."""
    rows = [
        [_plain_cell(str(column), value, decimals) for column, value in zip(frame.columns, row, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    return Table(title, [str(column).replace("_", " ") for column in frame.columns], rows, note)


def _plain_cell(column: str, value: Any, decimals: int) -> Cell:
    if value is None or pd.isna(value):
        return Cell(MISSING, kind="missing")
    if isinstance(value, float):
        return Cell(number(value, decimals), value)
    kind = str(value).replace(" ", "-") if column in ("verdict", "status") else ""
    return Cell(str(value), float(value) if isinstance(value, int | np.integer) else None, kind=kind)


def number(value: float, decimals: int) -> str:
    """A number with a real minus sign."""
    return f"{value:.{decimals}f}".replace("-", "−")


def to_markdown(document: Document) -> str:
    """Markdown, best cells in bold."""
    parts = [f"# {document.title}", document.legend]
    for table in document.tables:
        rows = [[f"**{cell.text}**" if cell.best else cell.text for cell in row] for row in table.rows]
        parts += [f"## {table.title}", *([table.note] if table.note else [])]
        parts.append(tabulate(rows, table.columns, tablefmt="pipe", disable_numparse=True) if rows else "None.")
    return "\n\n".join(parts) + "\n"


def to_latex(document: Document) -> str:
    """A `table` environment a table, for documents with booktabs and graphicx; the first has the legend.

    Listings are left out.
    """
    tables = [table for table in document.tables if not table.listing]
    legends = [document.legend, *("" for _ in tables[1:])]
    return "\n".join(_latex_table(*pair) for pair in zip(tables, legends, strict=True))


def _latex_table(table: Table, legend: str) -> str:
    frame = pd.DataFrame(
        [[rf"\textbf{{{latex(cell.text)}}}" if cell.best else latex(cell.text) for cell in row] for row in table.rows],
        columns=[latex(column) for column in table.columns],
    )
    body = frame.style.hide(axis="index").to_latex(hrules=True, column_format="l" * len(table.columns))
    caption = latex(" ".join(text for text in (table.title + ".", table.note, legend) if text))
    fitted = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    lines = [r"\begin{table}[p]", r"\centering", rf"\caption{{{caption}}}", fitted, body + "}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """The text with what LaTeX would take for its own escaped, and Markdown's marks gone."""
    text = re.sub(r"[`*]", "", text)
    return "".join(_LATEX.get(character, character) for character in text)


@cache
def templates() -> jinja2.Environment:
    """The HTML templates; whatever is put into them is escaped."""
    folder = Path(__file__).parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraph"] = _paragraph
    return environment


def _paragraph(text: str) -> markupsafe.Markup:
    """Markdown's `code` and **bold** as HTML; the rest is escaped."""
    escaped = str(markupsafe.escape(text))
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return markupsafe.Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escaped))


def to_html(document: Document) -> str:
    """A page of its own, with nothing outside it."""
    return templates().get_template("page.html").render(document=document)


FORMATS = {"md": to_markdown, "tex": to_latex, "html": to_html}
