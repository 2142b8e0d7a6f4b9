"""Markdown, LaTeX and HTML of the same cells."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from ocnn.report.rendering import Cell, Document, Table, frame_table, to_html, to_latex, to_markdown

NASTY = r"a_b & 50 % of $x$ #1 {y} ~ ^ \ <b> ± † − – → × ≥ λ ν α χ² | `code` **bold**"
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
    assert "| x_y                       | **99.0 ± 0.1** |" in text
    assert text.strip().endswith("None.")


class Structure(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html() -> None:
    page = to_html(DOCUMENT)
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    cells = [attributes for tag, attributes in structure.tags if tag == "td"]
    assert cells[0] == {"data-value": "99.0", "class": " best"}
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
