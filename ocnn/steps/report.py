"""The step that puts everything that a person reads into one HTML file."""

import gc
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.config.plan import Plan
from ocnn.data.archives import digest, origin
from ocnn.report.cells import cell_details, packed
from ocnn.report.embedding import embedded_figures
from ocnn.report.overview import (
    LEADING,
    Finding,
    answers,
    boards,
    claim_findings,
    degenerate_finding,
)
from ocnn.report.provenance import commit, job_costs, provenance_tables, worked
from ocnn.report.rendering import (
    MISSING,
    Document,
    read_documents,
    templates,
    without_number,
)
from ocnn.report.sentences import contamination_sentence, rank_sentence, run_title
from ocnn.report.tables import below_chance, below_chance_rule, degenerate_fits
from ocnn.report.thumbnails import COLUMNS, SIDE, Sample, sheet
from ocnn.results.claims import UNDECIDED
from ocnn.results.details import MISTAKES
from ocnn.results.frames import read_frame
from ocnn.results.measurements import HISTORIES, schema
from ocnn.results.metrics import DEGENERATE, METRICS, PUBLISHED_METRIC
from ocnn.results.summary import SCHEMA
from ocnn.results.verdicts import ALL_VERDICTS, judge
from ocnn.steps.runtime import processor
from ocnn.steps.tables import checked_claims
from ocnn.storage.arrays import open_array
from ocnn.storage.files import write_text
from ocnn.storage.json_files import read_json

#: In the order of the report.
TABLES = ("table1", "table2", "decomposition", "table3", "table4", "metrics")


def make_report(
    *,
    plan: Mapping[str, Any],
    configuration: Mapping[str, Any],
    metrics: Path,
    histories: Path,
    shapes: Path,
    mistakes: Path,
    summary: Path,
    documents: Path,
    provenance: Path,
    figures: Path,
    benchmarks: Path,
    logs: str,
    images: str,
    archives: Iterable[Path],
    captions: Path,
    output: Path,
    own: Iterable[Path] = (),
    names: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> None:
    """Write the report from the tables and figures that are there.

    Args:
        plan, configuration: see `Plan.to_json`; the whole configuration as it was run.
        metrics, histories, shapes, mistakes, provenance: of `collect_metrics`.
        summary: of `make_summary`.
        documents: all tables, of `make_tables`.
        figures, benchmarks: folders of the figures and of the jobs' benchmark files.
        logs: pattern of the fits' logs, with {experiment}, {normal}, {method} and {seed}; they are linked.
        images: pattern of a data set's arrays, with {dataset} and {part}; of image data the samples that fits are most
            wrong about are shown.
        archives: what the data were read from; they need not be there any more.
        captions: folder of the figures' captions, `KIND.rst`: a title in bold, then the text. The order of the kinds in
            the report is that of the plan.
        output: the HTML file, in which everything is that it needs.
        own: tables of single experiments, of `ocnn.steps.own_data`.
        names: of the samples of each experiment on data of the user's own, of `ocnn.data.names`.
    """
    # What statsmodels' corrections each collect would else be everything that is loaded.
    gc.freeze()
    planned = Plan.from_json(plan)
    fits, cells, tables = read_frame(metrics, schema()), read_frame(summary, SCHEMA), read_documents(documents)
    of_experiments = {name: document for path in own for name, document in read_documents(path).items()}
    judged = judge(cells, planned.published_methods, planned.judged, **planned.rule)
    contaminations = {name: share for family in planned.families.values() for name, share in family.items()}
    found = boards(cells, fits, judged, planned.alpha, contaminations)
    paper = any(board.counts for board in found)
    claims = checked_claims(planned, fits)
    of_claims = claim_findings(claims, planned.judged)
    tables = {name: replace(table, title=_title(planned, table.title)) for name, table in tables.items()}
    known, wrong = read_json(provenance), read_frame(mistakes, MISTAKES)
    pictures, places = _pictures(planned, wrong, images)
    costs = job_costs(benchmarks)
    folders = {experiment.name: experiment.dataset for experiment in planned.experiments}
    named = names or {}

    def sample_name(experiment: str, part: str, sample: int) -> str:
        return named[experiment][part][sample] if experiment in named else f"{part} {sample}"

    shown = {experiment.name: "train" for experiment in planned.experiments}
    shown |= {str(name): str(rows["evaluation"].iloc[0]) for name, rows in fits.groupby("experiment")}
    shown |= {board.experiment: board.evaluation for board in found}
    cell_data = cell_details(
        fits,
        read_frame(histories, HISTORIES),
        read_frame(shapes, HISTORIES),
        wrong,
        cells,
        judged,
        evaluations=shown,
        log=lambda fit: quote(os.path.relpath(fit.path(logs), output.parent)),
        name=sample_name,
        place=lambda experiment, part, sample: places.get((folders[experiment], part, sample)),
    )
    rankings = {name: document for name, document in of_experiments.items() if name.startswith("most_anomalous/")}
    content: dict[str, Any] = {
        "title": run_title(folders, judged=paper, measured=bool(planned.labelled)),
        "paper": paper,
        "fits": f"{len(planned.fits()):,}",
        "methods": len({method for experiment in planned.experiments for method in experiment.methods}),
        "hours": worked(costs),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "answers": answers(
            found,
            [
                *rank_sentence(cells, planned.one_per_dataset),
                *(
                    text
                    for name, shares in planned.families.items()
                    for text in contamination_sentence(name, shares, cells)
                ),
            ],
            judged=paper,
        ),
        "findings": [
            *(finding for finding in of_claims[:LEADING] if finding.kind != UNDECIDED),
            *degenerate_finding(fits, DEGENERATE),
            *_documented(tables, "decomposition"),
            *_documented(tables, "changes"),
        ],
        "further": [
            *(finding for finding in of_claims[:LEADING] if finding.kind == UNDECIDED),
            *of_claims[LEADING:],
        ],
        "boards": found,
        "kinds": ALL_VERDICTS,
        "rankings": rankings,
        "changes": _unless_empty(tables.get("changes")),
        "remarks": _grouped(planned.remarks),
        "verdicts": _unless_empty(tables.get("verdicts")) if len(judged) else None,
        "claims": _claims_on_these_data(tables["claims"]) if claims["experiment"].notna().any() else None,
        "comparison": _unless_empty(tables.get("comparison")),
        "tables": {
            name: document
            for name in TABLES
            if name in tables and (document := _unless_empty(_without_listings(tables[name])))
        }
        | {name: document for name, document in of_experiments.items() if name not in rankings},
        "figures": embedded_figures(
            [*planned.comparison_names(), *planned.sample_names(), *planned.attack_names()],
            figures,
            captions,
            title=partial(_title, planned),
        ),
        "degenerate": degenerate_fits(fits),
        "below_chance": below_chance(cells),
        "below_chance_rule": below_chance_rule(planned.alpha),
        "corrections": _unless_empty(tables.get("corrections")),
        "provenance": provenance_tables(
            _experiments(planned),
            known["environments"],
            costs,
            _machine(),
            [_archive(path) for path in archives],
            configuration,
        ),
        "pictures": pictures,
        # The larger part of the details, and asked for when a cell is opened.
        "packed_fits": packed({key: cell["fits"] for key, cell in cell_data.items()}),
        "details": {
            "cells": {
                key: {name: value for name, value in cell.items() if name != "fits"} for key, cell in cell_data.items()
            },
            "labelled": {experiment.name: experiment.labelled for experiment in planned.experiments},
            # Where nothing is measured, none has a name.
            "metric": METRICS[PUBLISHED_METRIC].title if planned.labelled else "",
            "metrics": [f"{metric.title}, {metric.unit}" for metric in METRICS.values() if planned.labelled],
            "settings": _settings(known["settings"]),
            "pictures": {"side": SIDE, "columns": COLUMNS},
        },
    }
    html = templates().get_template("report.html").render(**content, sections=_sections(content))
    write_text(output, html)


def _claims_on_these_data(document: Document) -> Document:
    """The claims that an experiment checks, and the words of these; the others are counted."""
    claims, words = document.tables
    place = list(claims.columns).index("experiment")
    rows = [row for row in claims.rows if row[place].text != MISSING]
    checked = {row[0].text for row in rows}
    others = {row[0].text for row in claims.rows} - checked
    note = f"{len(others)} more claims are about data that this run has not." if others else ""
    said = replace(words, rows=[row for row in words.rows if row[0].text in checked])
    return replace(document, tables=[replace(claims, rows=rows, note=f"{claims.note} {note}".strip()), said])


def _pictures(plan: Plan, mistakes: pd.DataFrame, images: str) -> tuple[str, dict[Sample, int]]:
    """Draw the images that fits are most wrong about, those of the first seeds first; see `thumbnails.sheet`."""
    folders = {experiment.name: experiment.dataset for experiment in plan.experiments if experiment.images}
    rows = mistakes[mistakes["experiment"].isin(folders)].sort_values("seed", kind="stable")
    samples = zip(rows["experiment"].map(folders), rows["part"], rows["sample"], strict=True)

    def pixels(dataset: str, part: str, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(open_array(Path(images.format(dataset=dataset, part=part)))[chosen])

    return sheet(samples, pixels)


def _documented(tables: Mapping[str, Document], name: str) -> list[Finding]:
    """The sentences that a document has under its tables, as findings, which lead to what else it has."""
    document = tables.get(name)
    link = f"#{name}" if _unless_empty(document) else ""
    return [Finding(table.note, "", link) for table in document.tables if table.note] if document else []


def _unless_empty(document: Document | None) -> Document | None:
    return document if document is not None and any(table.rows for table in document.tables) else None


def _settings(known: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """The settings of each method of each experiment as texts, the estimator first."""
    return {
        experiment: {
            method: {"estimator": fit["estimator"], **{name: str(value) for name, value in fit["settings"].items()}}
            for method, fit in methods.items()
        }
        for experiment, methods in known.items()
    }


def _sections(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The contents: sections that are there, and what is in them."""
    boards_title = "Every cell" if content["paper"] else "Leaderboards"
    at_a_glance = [(f"board-{place}", board.experiment) for place, board in enumerate(content["boards"])]
    tables, figures = content["tables"], content["figures"]
    degenerate = content["degenerate"].rows or content["below_chance"].rows
    named = [
        ("answer", "The answer", True, []),
        ("boards", boards_title, content["boards"], at_a_glance),
        *((name, document.title, True, []) for name, document in content["rankings"].items()),
        ("changes", "Against another run", content["changes"], []),
        ("verdicts", "Verdicts", content["verdicts"], []),
        ("claims", "Claims", content["claims"], []),
        ("comparison", "Comparison over classes", content["comparison"], []),
        ("tables", "Tables", tables, [(name, document.title) for name, document in tables.items()]),
        ("figures", "Figures", figures, [(f"figures-{group['kind']}", group["title"]) for group in figures]),
        ("degenerate", "Degenerate fits" if content["degenerate"].rows else "Below chance", degenerate, []),
        ("corrections", "Corrections", content["corrections"], []),
        ("provenance", "Provenance", True, []),
    ]
    return [
        {"id": name, "title": title, "parts": [{"id": part, "title": words} for part, words in parts]}
        for name, title, there, parts in named
        if there
    ]


def _without_listings(document: Document) -> Document:
    """Degenerate fits, and AUCs below chance, have a section of their own."""
    return replace(document, tables=[table for table in document.tables if not table.listing])


def _grouped(remarks: Mapping[str, str]) -> dict[str, str]:
    """Name the experiments of each remark."""
    names: dict[str, list[str]] = {}
    for name, remark in remarks.items():
        names.setdefault(remark, []).append(name)
    return {remark: ", ".join(of) for remark, of in names.items() if remark}


def _title(plan: Plan, title: str) -> str:
    """The title of a table or figure; a number of the paper says nothing where no data of the paper's are."""
    return title if any(plan.datasets.values()) else without_number(title)


def _experiments(plan: Plan) -> list[dict[str, str]]:
    """One row for each experiment; with remarks where any has one."""
    return [
        {
            "experiment": experiment.name,
            "normal_classes": ", ".join(experiment.normal_classes),
            "methods": ", ".join(experiment.methods),
            "seeds": ", ".join(map(str, experiment.seeds)),
            **({"remark": experiment.remark or MISSING} if any(plan.remarks.values()) else {}),
        }
        for experiment in plan.experiments
    ]


def _machine() -> dict[str, str]:
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "Python": platform.python_version(),
        "commit": commit(),
        **{name: version(name) for name in ("pandas", "scipy", "statsmodels", "scikit-posthocs")},
    }


def _archive(path: Path) -> tuple[str, str, str]:
    """The name of an archive, its checksum and what it was accepted as."""
    return f"{path.parent.name}/{path.name}", digest(path) if path.is_file() else "no longer there", origin(path)
