"""Markdown, LaTeX and HTML of the same cells."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from ocnn.errors import ResultError
from ocnn.report.rendering import (
    Cell,
    Document,
    Table,
    frame_table,
    latex,
    literal,
    one_line,
    read_documents,
    to_html,
    to_latex,
    to_markdown,
    without_number,
    write_documents,
)

NASTY = r"a_b & 50 % of $x$ #1 {y} ~ ^ \\ <b> ± † ‡ − – → × ≥ λ ν α χ² | `code` **bold**"
DOCUMENT = Document(
    "A title",
    NASTY,
    [
        Table(
            "a_table",
            ["method", "AUC, %"],
            [
                [Cell("x_y"), Cell("99.0 ± 0.1", 99.0, best=True)],
                [Cell("<script>alert(1)</script>"), Cell("80.0 †1/2", 80.0, kind="degenerate")],
                [Cell("z"), Cell("–", kind="missing")],
            ],
            NASTY,
        ),
        Table("empty", ["method"], []),
    ],
)


def test_markdown() -> None:
    text = to_markdown(DOCUMENT)
    assert re.search(r"\| x_y +\| \*\*99\.0 ± 0\.1\*\* \|", text)
    assert "`code` **bold**" in text
    assert text.strip().endswith("None.")


class Structure(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "img"):
            self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html() -> None:
    page = to_html(DOCUMENT)
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    cells = [attributes for tag, attributes in structure.tags if tag == "td"]
    assert cells[0] == {"data-value": "99.0", "class": "best"}
    assert cells[1] == {"data-value": "80.0", "class": "degenerate"}
    assert "<script>alert" not in page
    assert "<code>code</code>" in page
    # Nothing is fetched: no address but the empty icon.
    addresses = [
        value for _, attributes in structure.tags for key, value in attributes.items() if key in ("src", "href")
    ]
    assert addresses == ["data:,"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(tmp_path: Path) -> None:
    (tmp_path / "table.tex").write_text(to_latex(DOCUMENT), encoding="utf-8")
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage{graphicx}\n"
        "\\begin{document}\n\\input{table}\n\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_latex_escapes_everything() -> None:
    text = to_latex(DOCUMENT)
    assert r"x\_y & \textbf{99.0 $\pm$ 0.1} \\" in text
    assert r"\textless{}script\textgreater{}" in text
    assert text.isascii()


def test_a_frame_as_a_table() -> None:
    frame = pd.DataFrame({"seed": [1, 2], "mean_auc": [-0.5, None], "verdict": ["not comparable", "better"]})
    table = frame_table("title", frame.astype({"seed": "Int64"}))
    assert list(table.columns) == ["seed", "mean auc", "verdict"]
    assert table.rows[0] == [Cell("1", 1.0), Cell("−0.50", -0.5), Cell("not comparable", kind="not-comparable")]
    assert table.rows[1][1] == Cell("–", kind="missing")


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "[link](javascript:alert(1))",
    "![image](http://example.org/x.png)",
    "a | b",
    "**bold** `code` _em_ ~~gone~~ $x$",
    "# heading",
    "- item",
    "1. item",
    "line\n\n# heading\r\n\u2028<hr>",
    r"\input{/etc/passwd} \\ & % $ # _ { } ~ ^",
    "[0pt] first in a row",
    "*2 first in a row",
    "停 ß é \u202e",
]


def whole_document(text: str) -> Document:
    """A document with a text in every place that takes free text."""
    cells = [[Cell(text), Cell(text, 1.0, best=True)], [Cell(text), Cell("–", kind="missing")]]
    return Document(text, literal(text), [Table(text, [text, "x"], cells, literal(text))])


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_free_text_as_it_is(text: str) -> None:
    """As CommonMark with tables renders it: no element but the document's own, and the very text in each place."""
    markdown_it = pytest.importorskip("markdown_it")
    page = (
        markdown_it.MarkdownIt("commonmark", {"html": True})
        .enable(["table", "strikethrough"])
        .render(to_markdown(whole_document(text)))
    )
    structure = Structure()
    structure.feed(page)
    names = [tag for tag, _ in structure.tags]
    assert " ".join(names) == "h1 p h2 p table thead tr th th tbody tr td td strong tr td td"
    shown = " ".join(one_line(text).split())
    texts = [" ".join(piece.split()) for piece in structure.texts]
    assert texts.count(shown) == 8


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_free_text_as_it_is(text: str) -> None:
    structure = Structure()
    structure.feed(to_html(whole_document(text)))
    assert structure.open == []
    assert not {"img", "a", "hr", "code"} & {tag for tag, _ in structure.tags}
    assert [tag for tag, _ in structure.tags].count("script") == 1
    assert all(not name.startswith("on") for _, attributes in structure.tags for name in attributes)


@pytest.mark.parametrize("text", HOSTILE)
def test_latex_has_no_command_of_a_free_text(text: str) -> None:
    allowed = {"begin", "end", "centering", "caption", "resizebox", "ifdim", "width", "linewidth", "else", "fi"}
    allowed |= {"toprule", "midrule", "bottomrule", "textbf", "textless", "textgreater", "textbackslash", "textbar"}
    allowed |= {"textasciitilde", "textasciicircum", "textasciigrave"}
    content = to_latex(whole_document(text))
    assert set(re.findall(r"\\([a-zA-Z]+)", content)) <= allowed
    # Neither an argument of the end of a row, nor a comment, nor a column too many.
    assert not re.search(r"\\\\\s*[\[*]", content)
    rows = content.split(r"\toprule")[1].split(r"\bottomrule")[0]
    assert len(re.findall(r"(?<!\\)&", rows)) == 3
    assert re.findall(r"(?<!\\)[$#%]", rows) == []


def test_letters_that_latex_has_and_those_it_has_not() -> None:
    assert latex("Fußgänger, café") == "Fußgänger, café"
    assert latex("停") == "{[}U+505C]"
    assert latex("½ ± 2") == r"$\frac12$ $\pm$ 2"


def test_documents_come_back_from_json(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    documents = {"a": DOCUMENT, "b": whole_document(HOSTILE[0])}
    write_documents(path, documents)
    assert {name: to_html(document) for name, document in read_documents(path).items()} == {
        name: to_html(document) for name, document in documents.items()
    }
    whole = path.read_text()
    # A number that a page sorts by is another one.
    for content in ("{", whole.replace('"value": 99.0', '"value": 9.0')):
        path.write_text(content)
        with pytest.raises(ResultError, match=r"documents\.json is damaged or of another kind: "):
            read_documents(path)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Data (Table 1)", "Data"),
        ("Samples (Figures 3 to 7)", "Samples"),
        ("AUC per class, in % (Table 3)", "AUC per class, in %"),
        ("Figure (a) of it", "Figure (a) of it"),
        ("Ranks (mean)", "Ranks (mean)"),
    ],
)
def test_the_papers_numbers_are_taken_off_titles(title: str, expected: str) -> None:
    assert without_number(title) == expected
