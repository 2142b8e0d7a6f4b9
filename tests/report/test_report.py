"""What is made from a run's score files: every table and figure, and the report, read and used in a browser."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image

from ocnn.config.plan import figure_files
from ocnn.report.cells import packed
from ocnn.report.figures.style import method_styles
from ocnn.report.rendering import read_caption
from ocnn.results.frames import read_csv
from ocnn.results.measurements import evaluated_part
from ocnn.results.scores import read_scores
from tests.conftest import ROOT
from tests.results.simulated import METHODS, Run

pytestmark = pytest.mark.long

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


def texts(path: Path) -> set[str]:
    """The texts of an SVG figure."""
    return {element.text or "" for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")}


def test_every_file_that_is_named_is_made_and_no_other(run: Run) -> None:
    plan = run.plan
    names = [*plan.comparison_names(), *plan.sample_names(), *plan.attack_names()]
    files = {f"figures/{file}" for file in figure_files(names)}
    files |= {file for group in plan.table_files().values() for file in group}
    found = {
        str(path.relative_to(run.results))
        for folder in ("tables", "figures")
        for path in (run.results / folder).rglob("*.*")
    } | {path.name for path in run.results.glob("claims.*")}
    assert found == files
    wanted = {"attack_strength", "contamination/sweep", "gap/digits", "extremes/at_once/rcae", "in_class/sweep_0/kde"}
    wanted |= {"attacks/threes-0", "attacks/threes-1000"}
    assert {f"figures/{name}.png" for name in wanted} <= found
    # Experiments that differ in their steps alone share their extremes, and so do those of a family their samples;
    # without a test part, or without anomalies in the training set, there is no gap.
    unwanted = ("extremes/held_out_1000/rcae", "in_class/sweep_1_11/kde", "gap/at_once", "gap/sweep_0")
    assert not {f"figures/{name}.png" for name in unwanted} & found


def test_every_method_is_in_every_table_and_figure(run: Run) -> None:
    for name in ("table3.md", "table4.md", "table3.tex", "table3.html", "comparison.md"):
        shown = (run.results / "tables" / name).read_text().replace("\\_", "_")
        assert all(method in shown for method in METHODS), name
    for name in ("auc/digits", "gap/digits", "cost/digits", "decision_scores/synthetic", "attack_strength"):
        assert set(METHODS) <= {re.sub(r" \(.*", "", text) for text in texts(run.results / "figures" / f"{name}.svg")}


def test_figures_are_as_wide_as_a_page(run: Run) -> None:
    for path in (run.results / "figures").rglob("*.png"):
        with Image.open(path) as image:
            assert 1000 < image.width < 1700, path


def test_the_extremes_are_those_of_the_scores(run: Run) -> None:
    """How many of the top 50 are adversarial stands in the title."""
    scores, _ = read_scores(Path(run.scores.format(experiment="at_once", normal="3", method="rcae", seed=0)))
    ordered = evaluated_part(scores)[1].sort_values("anomaly_score")
    expected = [int(part["is_anomaly"].sum()) for part in (ordered[:50], ordered[-50:])]
    assert expected[1] > expected[0]
    shown = texts(run.results / "figures" / "extremes" / "at_once" / "rcae.svg")
    titles = {"rcae: top 50 most normal", "rcae: top 50 most anomalous"}
    assert titles | {f"{count} of them adversarial" for count in expected} <= shown


def test_samples_that_were_tuned_on_are_not_shown() -> None:
    parts = ["train", "test", "test"]
    rows = pd.DataFrame({"evaluation": parts, "part": parts, "tuned_on": [False, True, False], "sample": [1, 2, 3]})
    rows = rows.assign(fitted=rows["part"] == "train", is_anomaly=False)
    assert list(evaluated_part(rows)[1]["sample"]) == [3]
    assert list(evaluated_part(rows[:1])[1]["sample"]) == [1]


def test_methods_are_told_apart() -> None:
    methods = [f"method{number}" for number in range(13)]
    styles = method_styles(methods)
    assert len({tuple(style.values()) for style in styles.values()}) == 13
    assert method_styles(methods[:5]) == {method: styles[method] for method in methods[:5]}


def test_attack_strength(run: Run) -> None:
    shown = texts(run.results / "figures" / "attack_strength.svg")
    assert {"Visibility", "threes, held out", "1,000", "0"} <= shown
    # One number of steps makes no line.
    assert "threes, scored where fitted" not in shown


def rows_of(path: Path, *keys: str) -> dict[Any, Any]:
    """The rows of a CSV as texts, by these columns."""
    return {tuple(row[key] for key in keys): row for row in read_csv(path).to_dict("records")}


def test_table_4(run: Run) -> None:
    rows = rows_of(run.results / "tables" / "table4.csv", "experiment", "method")
    record = pd.read_parquet(run.results / "attacks" / "threes" / "steps-1000.parquet")
    row = rows["at_once", "rcae"]
    assert float(row["median_l2"]) == pytest.approx(record["l2"].median())
    assert (row["images"], row["steps"], row["published_mean"], row["evaluation"]) == ("60", "1000", "70.0", "train")
    assert rows["held_out_1000", "rcae"]["published_mean"] == ""
    text = (run.results / "tables" / "table4.md").read_text()
    assert "60 images of the attack `threes`, 1000 steps" in text
    assert "all images fitted and scored at once, as in the paper." in text
    assert "2 of 3 seeds" not in text


def test_tables_1_and_2_count_what_ran(run: Run) -> None:
    data = rows_of(run.results / "tables" / "table1.csv", "experiment")
    counted = ("training_normals", "training_anomalies", "test_normals", "shape")
    assert [data["digits",][name] for name in counted] == ["110", "11", "70", "8 × 8 × 1"]
    assert [data["at_once",][name] for name in counted] == ["180", "54", "0", "8 × 8 × 1"]
    assert data["synthetic",]["published_instances"] == "190"
    networks = rows_of(run.results / "tables" / "table2.csv", "experiment", "methods")
    assert networks["digits", "ocnn, ocnn_released"]["head"] == "16 → 32 → 1"
    assert networks["synthetic", "ocnn, ocnn_released"]["head"] == "512 → 32 → 1"
    assert networks["digits", "dcae, rcae"]["filters"] == "16, 8"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_every_latex_table_compiles(run: Run, tmp_path: Path) -> None:
    paths = [*sorted((run.results / "tables").glob("*.tex")), run.results / "claims.tex"]
    assert [path.stem for path in paths] == ["metrics", "table1", "table2", "table3", "table4", "claims"]
    inputs = "\n".join(f"\\input{{{path.with_suffix('')}}}\n\\clearpage" for path in paths)
    packages = "\\usepackage{booktabs}\n\\usepackage{graphicx}\n"
    (tmp_path / "paper.tex").write_text(
        f"\\documentclass{{article}}\n{packages}\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    compiled = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout[-2000:]
    assert "Float too large" not in compiled.stdout


def test_verdicts_and_claims(run: Run) -> None:
    verdicts = pd.read_csv(run.results / "tables" / "verdicts.csv", dtype={"normal": str})
    assert set(verdicts["experiment"]) == {"digits", "at_once"}
    kde = verdicts[(verdicts["method"] == "kde") & (verdicts["evaluation"] == "test")].set_index("normal")["verdict"]
    assert (kde["3"], kde["8"]) == ("better", "worse")
    claims = pd.read_csv(run.results / "claims.csv")
    assert set(claims["claim"]) == {"rcae_best", "all_found"}
    assert "RCAE is best." in (run.results / "claims.md").read_text()
    assert "| 0        | lab" in (run.results / "tables" / "table3.md").read_text()


def test_captions() -> None:
    for path in (ROOT / "workflow" / "report").glob("*.rst"):
        title, text = read_caption(path)
        assert title
        assert text.endswith("."), path
    kinds = {"attacks", "extremes", "in_class"}
    assert kinds <= {path.stem for path in (ROOT / "workflow" / "report").glob("*.rst")}


def test_the_report_is_whole_and_its_texts_are_escaped(run: Run) -> None:
    page = (run.results / "report.html").read_text()
    assert "Simulated &lt;scores&gt;." in page
    assert "Simulated <scores>" not in page
    assert hashlib.sha256((run.results / "metrics.parquet").read_bytes()).hexdigest() in page
    assert "digits/deleted.gz" in page
    assert "no longer there" in page
    # Without the authors' runs there is nothing to correct.
    assert "corrections" not in page
    for word in (
        "Do the published AUCs hold?",
        "RCAE is best.",
        "own_method",
        "Core hours",
        "Machine that wrote this report",
    ):
        assert word in page
    environments = json.loads((run.results / "provenance.json").read_text())["environments"]
    assert sum(environment["fits"] for environment in environments) == 3 * (8 * (3 + 2 + 1 + 1) + 2 * 2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: the report is not tried in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, in a container, Chromium has no sandbox.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


#: Width, height and colours of a window.
WINDOWS = {"desktop": (1366, 768, "light"), "phone": (390, 844, "dark")}


@pytest.fixture(params=WINDOWS)
def page(browser: Any, run: Run, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The report in a window; its console must stay silent and nothing be asked of a network."""
    width, height, colours = WINDOWS[request.param]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=colours)
    page.set_default_timeout(60_000)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda wanted: asked.append(wanted.url))
    page.goto((run.results / "report.html").as_uri())
    yield page
    assert said == []
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    page.close()


def test_the_page_fits_its_window_and_its_pictures_have_words(page: Any) -> None:
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window
    pictures = page.evaluate("Array.from(document.images, (image) => image.alt)")
    assert len(pictures) > 30
    assert all(len(words) > 40 for words in pictures)
    # Every picture can be decoded, those that are still folded away, too.
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("Array.from(document.images).every((image) => image.complete && image.naturalWidth > 500)")
    names = page.evaluate(
        "Array.from(document.links, (a) => a.getAttribute('href')).filter((href) => /^#(?!cell=)/.test(href))"
        ".map((href) => href.slice(1))"
    )
    assert len(names) > 5
    assert page.evaluate("(names) => names.every((name) => document.getElementById(name))", names)
    levels = page.evaluate("Array.from(document.querySelectorAll('h1,h2,h3,h4'), (h) => Number(h.tagName[1]))")
    assert all(after <= before + 1 for before, after in pairwise(levels))


def unfolded(page: Any, section: str) -> Any:
    """A section, opened by its address."""
    page.evaluate("(section) => { location.hash = section }", section)
    found = page.locator(f"details[id='{section}']")
    page.wait_for_function("(fold) => fold.open", arg=found.element_handle())
    return found


def test_the_first_screens_have_the_answer_and_the_rest_is_folded(page: Any) -> None:
    folds = page.locator("details.fold")
    # Of the figures the first are shown, of the rest the titles.
    assert folds.evaluate_all("(folds) => folds.filter((fold) => fold.open).map((fold) => fold.id)") == ["figures-auc"]
    assert page.locator(".lead").first.is_visible()
    assert page.locator(".board").first.is_visible()
    folded = page.evaluate("document.documentElement.scrollHeight")
    # By the keyboard,
    page.locator("#provenance > summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("heading", name="Core hours").is_visible()
    page.keyboard.press("Enter")
    # by the search, which has sections and figures,
    page.keyboard.press("/")
    page.keyboard.type("core hours")
    assert page.locator("#found a").count() == 0
    page.locator("#find").fill("provenance")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('provenance').open")
    # by a link to it, though it is the address already,
    page.locator("#provenance > summary").click()
    page.locator(".made a").click()
    page.wait_for_function("document.getElementById('provenance').open")
    top = page.locator("#provenance").bounding_box()["y"]
    assert -1 <= top < page.viewport_size["height"]
    page.locator("#provenance > summary").click()
    # by print, after which it is as it was,
    closed = "document.querySelectorAll('main details:not(.columns, [open])').length"
    before = page.evaluate(closed)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(closed) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(closed) == before > 10
    # and all at once.
    if not page.locator("#unfold").is_visible():
        page.locator(".contents > summary").click()
    page.locator("#unfold").click()
    assert page.evaluate(closed) == 0
    assert page.evaluate("document.documentElement.scrollHeight") > 2 * folded


#: A question of a reader, what is clicked, and where the answer then stands.
READERS = {
    "does the claim hold?": (
        ['.findings a[aria-label*="RCAE is best"]'],
        "#claims tbody tr:has-text('rcae_best')",
        "supported",
    ),
    "which method is best, and is it sure?": (
        ["#board-0 summary:has-text('Ranking')"],
        "#board-0 details tbody tr",
        r"^1\s.*(leads|may be best)",
    ),
    "why did a fit end so?": (['.map a[href="#cell=digits/0/ocnn"]'], "#cell p.converged", "converged: simulated"),
    "which samples does it miss?": (
        ['.map a[href="#cell=digits/0/kde"]'],
        "#cell h3:has-text('misses') + ul",
        r"test \d+: \d",
    ),
    "how long did it take?": ([".made a"], "#provenance tr:has-text('fit')", r"fit\s+\d+\s+\d+\.\d"),
}


@pytest.mark.parametrize("question", READERS)
def test_a_reader_has_the_answer_after_two_clicks_at_most(page: Any, question: str) -> None:
    clicks, place, says = READERS[question]
    assert len(clicks) <= 2
    for click in clicks:
        page.locator(click).first.click()
    answer = page.locator(place).first
    answer.wait_for(state="visible")
    assert re.search(says, answer.inner_text())


def column(page: Any, block: Any, number: int) -> list[str]:
    """The texts of a column's visible cells."""
    found: list[str] = block.evaluate(
        "(block, number) => Array.from(block.querySelectorAll('tbody tr:not([hidden])'),"
        " (row) => Array.from(row.cells[number].querySelectorAll('.sign, .hidden'))"
        ".reduce((text, extra) => text.replace(extra.textContent, ''), row.cells[number].textContent))",
        number,
    )
    return found


def test_tables_are_sorted_and_filtered(page: Any) -> None:
    block = unfolded(page, "verdicts").locator("section.block", has=page.locator("h3", has_text="Cell by cell"))
    headings = block.locator("thead th").all_text_contents()
    place = headings.index("published")
    button = block.locator("thead button").nth(place)
    button.click()
    ascending = [float(text) for text in column(page, block, place)]
    assert ascending == sorted(ascending)
    assert len(set(ascending)) > 3
    assert block.locator("thead th").nth(place).get_attribute("aria-sort") == "ascending"
    button.click()
    assert [float(text) for text in column(page, block, place)] == ascending[::-1]
    # Negative numbers have a minus sign of their own, and what is missing comes last either way.
    place = headings.index("difference")
    block.locator("thead button").nth(place).click()
    differences = [float(text.replace("−", "-")) for text in column(page, block, place) if text != "–"]
    assert differences == sorted(differences)
    assert min(differences) < 0
    # Two words, in different cells.
    block.locator("input[type=search]").fill("kde better")
    assert set(column(page, block, headings.index("method"))) == {"kde"}
    assert set(column(page, block, headings.index("verdict"))) == {"better"}
    shown = len(column(page, block, 0))
    assert block.locator("output").text_content() == f"{shown} of {len(ascending)} rows"
    block.locator("input[type=search]").fill("")
    assert len(column(page, block, 0)) == len(ascending)


def test_the_keyboard_reaches_everything(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"
    block = unfolded(page, "verdicts").locator("section.block", has=page.locator("h3", has_text="Cell by cell"))
    block.locator("input[type=search]").focus()
    page.keyboard.type("ocnn")
    assert set(column(page, block, 2)) == {"ocnn", "ocnn_released"}
    # From the filter on: the columns, the file, the rest of a table that is cut, the table, then its headings.
    focused: list[str] = []
    while not focused or focused[-1] != "group":
        page.keyboard.press("Tab")
        focused.append(
            page.evaluate("document.activeElement.getAttribute('role') || document.activeElement.textContent")
        )
    assert focused[:2] == ["Columns", "CSV"]
    assert len(focused) <= 4
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert block.locator("thead th").first.get_attribute("aria-sort") == "ascending"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


def test_headings_and_first_columns_stay_and_cuts_are_shown(page: Any) -> None:
    block = unfolded(page, "verdicts").locator("section.block", has=page.locator("h3", has_text="Cell by cell"))
    scroll, cue = block.locator(".scroll"), block.locator(".cue")
    assert "more column" in cue.text_content()
    assert scroll.evaluate("(scroll) => scroll.parentElement.classList.contains('cut-right')")
    corner, frame = block.locator("thead th").first, scroll.bounding_box()
    cue.click()
    page.wait_for_function("(scroll) => scroll.scrollLeft > 50", arg=scroll.element_handle())
    assert corner.bounding_box()["x"] - frame["x"] == pytest.approx(1, abs=1.5)
    # A long table: its headings stay, too.
    provenance = unfolded(page, "provenance")
    long = provenance.locator("section.block", has=page.locator("h3", has_text=re.compile("^Configuration$")))
    long.locator(".scroll").evaluate("(scroll) => scroll.scrollBy(0, 500)")
    heading, frame = long.locator("thead th").first.bounding_box(), long.locator(".scroll").bounding_box()
    assert heading["y"] - frame["y"] == pytest.approx(1, abs=1.5)
    # At its end nothing is cut any more.
    scroll.scroll_into_view_if_needed()
    scroll.evaluate("(scroll) => scroll.scrollBy(10000, 0)")
    page.wait_for_function("(cue) => cue.hidden", arg=cue.element_handle())


def test_columns_are_hidden_and_what_is_shown_is_saved(page: Any, tmp_path: Path) -> None:
    block = unfolded(page, "verdicts").locator("section.block", has=page.locator("h3", has_text="Cell by cell"))
    block.locator("summary", has_text="Columns").click()
    block.locator("label", has_text="sample error").locator("input").uncheck()
    assert not block.locator("thead th", has_text="sample error").is_visible()
    page.keyboard.press("Escape")
    block.locator("input[type=search]").fill("kde better")
    with page.expect_download() as downloaded:
        block.locator("button", has_text="CSV").click()
    path = tmp_path / "saved.csv"
    downloaded.value.save_as(path)
    assert downloaded.value.suggested_filename == "Cell_by_cell.csv"
    rows = pd.read_csv(path, encoding="utf-8-sig", dtype=str)
    assert "sample error" not in rows
    assert list(rows.columns[:4]) == ["experiment", "normal", "method", "evaluation"]
    assert set(rows["verdict"]) == {"better"}
    assert len(rows) == len(column(page, block, 0)) > 0


def test_the_map_shows_another_metric_and_its_cells_are_reached_by_arrows(page: Any, run: Run) -> None:
    rows = pd.read_parquet(run.results / "summary.parquet")
    rows = rows[(rows["experiment"] == "digits") & (rows["evaluation"] == "test") & (rows["method"] == "kde")]
    board = page.locator(".board", has=page.locator("h3", has_text=re.compile("^digits$")))
    assert "published cells" in page.locator(".lead").first.text_content()
    for title, name in (("FPR at 95 % TPR", "fpr_at_95_tpr"), ("AUC", "auc")):
        board.get_by_label(title, exact=True).check()
        shown = board.locator(".map:visible tbody tr", has_text=re.compile("^kde"))
        texts = shown.locator("td").evaluate_all("(cells) => cells.map((cell) => parseFloat(cell.textContent))")
        expected = rows.loc[rows["metric"] == name, "mean"].to_numpy()
        assert texts[:3] == pytest.approx(expected, abs=0.051)
    cells = board.locator(".map-0 td a")
    assert cells.evaluate_all("(links) => links.filter((link) => link.tabIndex === 0).length") == 1
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#cell=digits/3/kde"


def opened_cell(page: Any) -> Any:
    """The details of a cell, which open only when their fits are unpacked."""
    dialog = page.locator("dialog#cell[open]")
    dialog.wait_for()
    return dialog


def drawn(dialog: Any, charts: int) -> None:
    """Wait for the charts, which are drawn in the next frame."""
    for number in range(charts):
        dialog.locator("canvas").nth(number).wait_for()
    assert dialog.locator(".chart").count() == charts


def test_a_cell_opens_its_fits(page: Any, run: Run) -> None:
    board = page.locator(".board", has=page.locator("h3", has_text=re.compile("^digits$")))
    board.locator('.map-0 a[href="#cell=digits/8/kde"]').click()
    dialog = opened_cell(page)
    assert dialog.locator("h2").text_content() == "kde on digits, class 8"
    text = dialog.locator("#cell-body").text_content()
    assert "published 99.00 %; worse" in text
    rows = dialog.locator("tbody tr")
    assert rows.count() == 3
    measured = pd.read_parquet(run.results / "metrics.parquet")
    measured = measured[(measured["experiment"] == "digits") & (measured["normal"] == "8")]
    measured = measured[(measured["method"] == "kde") & (measured["evaluation"] == "test")].set_index("seed")
    assert float(rows.nth(1).locator("td").nth(1).text_content()) == pytest.approx(100 * measured["auc"][1], abs=0.051)
    assert rows.nth(2).locator("a").get_attribute("href") == "logs/fit/digits/8/kde/seed-2.log"
    # Of kde nothing is trained: the scores alone are drawn.
    drawn(dialog, 1)
    scores, _ = read_scores(Path(run.scores.format(experiment="digits", normal="8", method="kde", seed=2)))
    ordered = evaluated_part(scores)[1].sort_values("anomaly_score")
    missed = ordered[ordered["is_anomaly"]]["sample"].iloc[0]
    rows.nth(2).locator("button").click()
    misses = dialog.locator(".samples").nth(1).locator("li")
    assert misses.count() == 6
    assert misses.first.text_content().startswith(f"test {missed}: ")
    assert misses.first.locator(".thumb").evaluate("(thumb) => getComputedStyle(thumb).backgroundImage.length") > 1000
    page.keyboard.press("Escape")
    page.wait_for_function("!document.getElementById('cell').open")
    assert page.evaluate("location.hash") == ""


def test_why_a_fit_diverged_is_found_by_the_search(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("held_out_0 ocnn")
    assert page.locator("#found a").count() == 2
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = opened_cell(page)
    assert dialog.locator("h2").text_content().startswith("ocnn on held_out_0")
    # Its objective, and its scores.
    drawn(dialog, 2)
    dialog.locator("summary").click()
    assert "ocnn.methods.ocnn:OneClassNN" in dialog.locator("dl").text_content()


def test_nothing_that_a_page_is_told_becomes_markup(browser: Any, run: Run, tmp_path: Path) -> None:
    """Names of classes and reasons are put into the details as text."""
    page = browser.new_page()
    hostile = "<img src=x onerror=document.title=1>"
    html = (run.results / "report.html").read_text()
    before, start, rest = html.partition('<script type="text/plain" id="fits">')
    fits, end, after = rest.partition("</script>")
    cells = json.loads(zlib.decompress(base64.b64decode(fits)))
    for cell in cells.values():
        for fit in cell:
            fit["reason"] = hostile
    (tmp_path / "report.html").write_text("".join([before, start, packed(cells), end, after]))
    page.goto((tmp_path / "report.html").as_uri() + "#cell=digits/8/kde")
    assert hostile in opened_cell(page).text_content()
    assert page.locator("dialog img").count() == 0
    assert page.title() == "Do the published AUCs hold?"
    page.close()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
def test_accessibility(browser: Any, run: Run, width: int, colours: str) -> None:
    """What axe checks by itself of WCAG 2.2 AA, contrast above all: of the page, and of a cell's details."""
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=colours)
    page.goto((run.results / "report.html").as_uri())
    # Over the shade at the edge of a table that is cut, axe could not tell the background.
    page.add_style_tag(content=".frame::before, .frame::after { content: none !important }")
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
    for script in ("", "document.getElementById('unfold').click()", "location.hash = '#cell=digits/8/rcae'"):
        page.evaluate(script)
        if "#cell" in script:
            drawn(opened_cell(page), 2)
        found = Axe().run(page, options=options).response
        faults = [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]]
        assert faults == []
        contrast = next(rule for rule in found["passes"] if rule["id"] == "color-contrast")
        assert contrast["nodes"]
    page.close()
