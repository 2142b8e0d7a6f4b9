"""Tables of cells as Markdown, LaTeX and HTML; what stands in them is `tables`'s affair."""

import html
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import markupsafe
import numpy as np
import pandas as pd
from pydantic import TypeAdapter
from tabulate import tabulate

from ocnn.storage.json_files import read_json, write_json

MISSING = "–"
#: What stands before a cell of each kind that has a colour, so that the colour does not tell alone.
SIGNS = {
    "reproduced": "=",
    "better": "▲",
    "worse": "▼",
    "inconclusive": "?",
    "not-comparable": "✕",
    "supported": "✓",
    "contradicted": "✕",
    "undecided": "?",
    "leads": "★",
    "may-be-best": "?",
    "behind": "▼",
}
_LATEX = {
    "\\": r"\textbackslash{}",
    "±": r"$\pm$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
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
    "σ": r"$\sigma$",
    "≤": r"$\leq$",
    "½": r"$\frac12$",
    "…": r"\dots{}",
    "’": "'",
    "|": r"\textbar{}",
    # After the end of a row these two would be its arguments.
    "[": "{[}",
    "*": "{*}",
    "`": r"\textasciigrave{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
#: Grave, acute, circumflex, tilde, diaeresis, ring, caron, cedilla: what LaTeX's first encoding puts on letters.
_ACCENTS = "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327"


@dataclass(frozen=True)
class Cell:
    """What stands in a table.

    text: plain, whatever characters it has.
    value: what a reader sorts by, if not the text.
    best: whether it is the best of its line.
    kind: of what sort it is, as the style sheet names it: `degenerate`, `below-chance`, `missing`, or a verdict.
    target: the cell of the experiment that it is about, of `cell_key`, which the report opens.
    """

    text: str
    value: float | None = None
    best: bool = False
    kind: str = ""
    target: str = ""


@dataclass(frozen=True)
class Table:
    """Columns and rows of as many cells, the first of which names the row.

    title, columns: plain text.
    note: text with `code` and **bold**; free text in it is put through `literal`.
    listing: whether it is as long as there are fits, and so not for a printed page.
    stub: how many columns name a row; they stay in view.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    listing: bool = False
    stub: int = 1


@dataclass(frozen=True)
class Document:
    """A heading, what one has to know to read the tables, and these; the legend is written as the note of a table."""

    title: str
    legend: str
    tables: Sequence[Table] = field(default_factory=tuple)


def cell_key(experiment: str, normal: str, method: str) -> str:
    """Name a cell, the fits of a method to a class of an experiment, as the address of its details in the report."""
    return "/".join(quote(part, safe="") for part in (experiment, normal, method))


def frame_table(title: str, frame: pd.DataFrame, note: str = "", decimals: int = 2) -> Table:
    """Make a table of a data frame: floats rounded, missing ones as such, a column `verdict` in its colours."""
    rows = []
    cells_are_named = {"experiment", "normal", "method"} <= set(frame.columns)
    for record in frame.to_dict("records"):
        cells = [_plain_cell(str(column), value, decimals) for column, value in record.items()]
        if cells_are_named:
            place = list(frame.columns).index("method")
            key = cell_key(str(record["experiment"]), str(record["normal"]), str(record["method"]))
            cells[place] = replace(cells[place], target=key)
        rows.append(cells)
    return Table(title, [str(column).replace("_", " ") for column in frame.columns], rows, note)


def _plain_cell(column: str, value: Any, decimals: int) -> Cell:
    if value is None or pd.isna(value):
        return Cell(MISSING, kind="missing")
    if isinstance(value, float):
        return Cell(number(value, decimals), value)
    kind = str(value).replace(" ", "-") if column.endswith("verdict") or column == "status" else ""
    return Cell(str(value), float(value) if isinstance(value, int | np.integer) else None, kind=kind)


def number(value: float, decimals: int) -> str:
    """Write a number with a real minus sign."""
    return f"{value:.{decimals}f}".replace("-", "−")


def literal(text: str) -> str:
    """Make free text safe to stand in a note or a legend: nothing in it is markup."""
    return re.sub(r"([\\`*])", r"\\\1", text)


def spans(text: str) -> list[tuple[str, str]]:
    """Take a note or a legend apart: `code`, **bold**, and plain text, where a backslash takes a character literally.

    Returns:
        Pairs of a kind (`code`, `bold` or the empty text) and a text; line breaks, control characters and marks of
        direction, by which a text could leave its place, are spaces.
    """
    found: list[tuple[str, str]] = []
    for match in re.finditer(r"`([^`]+)`|\*\*([^*]+)\*\*|\\(.)|(.)", one_line(text)):
        code, bold, literally, plain = match.groups()
        kind = "code" if code else "bold" if bold else ""
        piece = code or bold or literally or plain
        if not kind and found and not found[-1][0]:
            piece = found.pop()[1] + piece
        found.append((kind, piece))
    return found


def one_line(text: str) -> str:
    """Replace line breaks, control characters and marks of direction by spaces."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+", " ", text)


def markdown(text: str) -> str:
    """Escape what Markdown, or HTML in it, would take for its own, in a table's cell, too."""
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", html.escape(one_line(text), quote=False))
    # Within a word an underscore is no emphasis.
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\_", text)


def _markdown_paragraph(text: str) -> str:
    marks = {"code": "`{}`", "bold": "**{}**", "": "{}"}
    parts = [marks[kind].format(piece if kind == "code" else markdown(piece)) for kind, piece in spans(text)]
    # What would begin a heading, a list or a line across.
    return re.sub(r"^(\d*)([#+.)-])", r"\1\\\2", "".join(parts).strip())


def _markdown_cell(cell: Cell) -> str:
    text = markdown(cell.text).strip()
    return f"**{text}**" if cell.best else text


def to_markdown(document: Document) -> str:
    """Write Markdown, best cells in bold."""
    parts = [f"# {markdown(document.title)}", _markdown_paragraph(document.legend)]
    for table in document.tables:
        rows = [[_markdown_cell(cell) for cell in row] for row in table.rows]
        columns = [markdown(column) for column in table.columns]
        parts += [f"## {markdown(table.title)}", *([_markdown_paragraph(table.note)] if table.note else [])]
        parts.append(tabulate(rows, columns, tablefmt="pipe", disable_numparse=True) if rows else "None.")
    return "\n\n".join(parts) + "\n"


def to_latex(document: Document) -> str:
    """Write one `table` environment per table, for documents with booktabs and graphicx; the first has the legend.

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
    notes = [piece for text in (table.note, legend) if text for piece in (" ", *(piece for _, piece in spans(text)))]
    caption = latex(f"{table.title}.") + "".join(map(latex, notes))
    fitted = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    lines = [r"\begin{table}[p]", r"\centering", rf"\caption{{{caption}}}", fitted, body + "}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """Escape what LaTeX would take for its own; a letter that its fonts have not becomes its number in Unicode."""
    return "".join(map(_latex_character, one_line(text)))


def _latex_character(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", character)
    letter, accents = decomposed[0], decomposed[1:]
    if character in _LATEX or (character.isascii() and not accents):
        return _LATEX.get(character, character)
    if (letter.isascii() and len(accents) == 1 and accents in _ACCENTS) or character in "ßæøåÆØÅ":
        return character
    return f"{{[}}U+{ord(character):04X}]"


@cache
def templates() -> jinja2.Environment:
    """Load the HTML templates; whatever is put into them is escaped."""
    folder = Path(__file__).parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraph"] = _paragraph
    environment.globals["signs"] = SIGNS
    # As it is, whatever braces are in it.
    environment.globals["verbatim"] = lambda name: markupsafe.Markup((folder / name).read_text(encoding="utf-8"))
    return environment


def _paragraph(text: str) -> markupsafe.Markup:
    """Write a note or a legend as HTML."""
    marks = {"code": "<code>{}</code>", "bold": "<strong>{}</strong>", "": "{}"}
    return markupsafe.Markup("").join(markupsafe.Markup(marks[kind]).format(piece) for kind, piece in spans(text))


def to_html(document: Document) -> str:
    """Write a page of its own, with nothing outside it."""
    return templates().get_template("page.html").render(document=document)


FORMATS = {".md": to_markdown, ".tex": to_latex, ".html": to_html}
_DOCUMENTS = TypeAdapter(dict[str, Document])


def write_documents(path: Path, documents: Mapping[str, Document]) -> None:
    """Write documents by their names as JSON."""
    write_json(path, {"documents": json.loads(_DOCUMENTS.dump_json(dict(documents)))})


def read_documents(path: Path) -> dict[str, Document]:
    """Read the documents of a file of `write_documents` by their names.

    Raises:
        ResultError: it is missing or damaged.
    """
    return _DOCUMENTS.validate_python(read_json(path)["documents"])


def read_caption(path: Path) -> tuple[str, str]:
    """Read title and text of a caption: `**Title.** Text`."""
    title, _, text = " ".join(path.read_text(encoding="utf-8").split()).removeprefix("**").partition(".** ")
    return title, text


def without_number(title: str) -> str:
    """Take the paper's number off a title: `Data (Table 1)` is `Data`, `Scores (Figures 3 to 7)` is `Scores`."""
    return re.sub(r" \((?:Table|Figure)s? [^()]*\)$", "", title)
