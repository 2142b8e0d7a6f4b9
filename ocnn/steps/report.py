"""The step that puts everything that a person reads into one HTML file."""

import base64
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ocnn.config.plan import Plan
from ocnn.data.archives import digest, origin
from ocnn.report.cells import cell_details
from ocnn.report.overview import LEADING, Finding, boards, claim_findings, degenerate_finding, run_title
from ocnn.report.rendering import (
    MISSING,
    Document,
    Table,
    frame_table,
    literal,
    read_caption,
    read_documents,
    templates,
    without_number,
)
from ocnn.report.tables import below_chance, below_chance_rule, degenerate_fits
from ocnn.report.thumbnails import COLUMNS, SIDE, Sample, sheet
from ocnn.results.claims import UNDECIDED, check_claims
from ocnn.results.details import MISTAKES
from ocnn.results.frames import read_frame
from ocnn.results.measurements import HISTORIES, changed_versions, job_cost, schema
from ocnn.results.metrics import DEGENERATE, METRICS, PUBLISHED_METRIC
from ocnn.results.published import read_claims, read_published
from ocnn.results.summary import SCHEMA
from ocnn.results.verdicts import ALL_VERDICTS, judge
from ocnn.steps.runtime import processor
from ocnn.storage.arrays import open_array
from ocnn.storage.files import write_text
from ocnn.storage.json_files import read_json

#: In the order of the report.
TABLES = ("table1", "table2", "decomposition", "table3", "table4", "metrics")
#: Kinds of figures that are made of photographs.
PHOTOGRAPHIC = ("in_class", "extremes", "attacks", "most_anomalous")
#: Pixels of width that are kept of these in the page, where they are shown about so wide.
LOSSY_WIDTH = 1000


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
    planned = Plan.from_json(plan)
    fits, cells, tables = read_frame(metrics, schema()), read_frame(summary, SCHEMA), read_documents(documents)
    of_experiments = {name: document for path in own for name, document in read_documents(path).items()}
    judged = judge(cells, planned.published_methods, planned.judged, **planned.rule)
    found = boards(cells, fits, judged, planned.alpha)
    paper = any(board.counts for board in found)
    claims = _check_claims(planned, fits)
    of_claims = claim_findings(claims, planned.judged)
    tables = {name: replace(table, title=_title(planned, table.title)) for name, table in tables.items()}
    known, wrong = read_json(provenance), read_frame(mistakes, MISTAKES)
    pictures, places = _pictures(planned, wrong, images)
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
        "hours": _worked(benchmarks),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "answers": [board.sentence for board in found if board.counts or not paper],
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
        "claims": _checked_claims(tables["claims"]) if claims["experiment"].notna().any() else None,
        "comparison": _unless_empty(tables.get("comparison")),
        "tables": {
            name: document
            for name in TABLES
            if name in tables and (document := _unless_empty(_without_listings(tables[name])))
        }
        | {name: document for name, document in of_experiments.items() if name not in rankings},
        "figures": _figures(planned, figures, captions),
        "degenerate": degenerate_fits(fits),
        "below_chance": below_chance(cells),
        "below_chance_rule": below_chance_rule(planned.alpha),
        "corrections": _unless_empty(tables.get("corrections")),
        "provenance": _provenance(planned, configuration, benchmarks, known, archives),
        "pictures": pictures,
        "details": {
            "cells": cell_data,
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


def _check_claims(plan: Plan, fits: pd.DataFrame) -> pd.DataFrame:
    """The claims of the paper's text on these fits."""
    return check_claims(
        read_claims(Path(plan.published.claims) if plan.published.claims else None),
        fits,
        read_published(map(Path, plan.published.auc)),
        {name: dataset for name, dataset in plan.datasets.items() if dataset},
        plan.published_methods,
        alpha=plan.alpha,
    )


def _checked_claims(document: Document) -> Document:
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


def _worked(benchmarks: Path) -> str:
    """Say how long the jobs took together, or nothing where no benchmark file is left."""
    hours = float(np.nansum([job_cost(path)["seconds"] for path in benchmarks.rglob("*.tsv")])) / 3600
    if hours >= 1:
        return f"{hours:,.1f} hours"
    return f"{60 * hours:.0f} minutes" if hours >= 1 / 60 else f"{3600 * hours:.0f} seconds" if hours else ""


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


def _figures(plan: Plan, folder: Path, captions: Path) -> list[dict[str, Any]]:
    """Collect the figures by kind, each as a data address, with its name and text alternative; none of a sentence."""
    kinds: dict[str, dict[str, Any]] = {}
    for name in [*plan.comparison_names(), *plan.sample_names(), *plan.attack_names()]:
        kind, _, rest = name.partition("/")
        embedded = _embedded(folder / f"{name}.png", lossy=kind in PHOTOGRAPHIC)
        if embedded is None:
            continue
        if kind not in kinds:
            title, text = read_caption(captions / f"{kind}.rst")
            kinds[kind] = {"kind": kind, "title": _title(plan, title), "text": text, "images": []}
            kinds[kind]["photographic"] = kind in PHOTOGRAPHIC
        subject = ", ".join(rest.split("/")) if rest else "all experiments"
        kinds[kind]["images"].append(
            {
                "subject": subject,
                **embedded,
                "alt": f"{kinds[kind]['title']}: {subject}. {kinds[kind]['text']}",
                "file": name,
            }
        )
    return list(kinds.values())


def _embedded(path: Path, *, lossy: bool) -> dict[str, Any] | None:
    """Encode a figure as a data address, as WebP, which takes a fraction of a PNG's bytes; with its size in pixels.

    A lossy one is made narrower, too: it is the larger part of a report, and the figure itself stands beside it.
    Of a figure that only says why there is nothing to draw (see `ocnn.report.figures.style.save`) None.
    """
    buffer = BytesIO()
    with Image.open(path) as image:
        if "Description" in image.info:
            return None
        width, height = image.size
        shown = image.convert("RGB")
        if lossy:
            shown.thumbnail((LOSSY_WIDTH, height))
        shown.save(buffer, "WEBP", lossless=not lossy, quality=80)
    source = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"source": source, "width": width, "height": height}


def _provenance(
    plan: Plan,
    configuration: Mapping[str, Any],
    benchmarks: Path,
    provenance: Mapping[str, Any],
    archives: Iterable[Path],
) -> list[Table]:
    experiments = [
        {
            "experiment": experiment.name,
            "normal_classes": ", ".join(experiment.normal_classes),
            "methods": ", ".join(experiment.methods),
            "seeds": ", ".join(map(str, experiment.seeds)),
            **({"remark": experiment.remark or MISSING} if any(plan.remarks.values()) else {}),
        }
        for experiment in plan.experiments
    ]
    known = provenance["environments"]
    environments = [
        {
            "experiment": environment["experiment"],
            "fits": environment["fits"],
            "backend of the deep methods or none": environment["backend"] or "none",
            "versions": ", ".join(f"{name} {value}" for name, value in environment["versions"].items()),
        }
        for environment in known
    ]
    machine = {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "Python": platform.python_version(),
        "commit": _commit(),
        **{name: version(name) for name in ("pandas", "scipy", "statsmodels", "scikit-posthocs")},
    }
    sums = [
        (f"{path.parent.name}/{path.name}", digest(path) if path.is_file() else "no longer there", origin(path))
        for path in archives
    ]
    threads = int(configuration.get("threads", 1))
    tables = [
        frame_table("Experiments", pd.DataFrame(experiments)),
        frame_table(
            "Core hours",
            _core_hours(benchmarks, threads),
            f"By the jobs' benchmark files in this folder: hours by the clock, and times {threads}, a job's threads.",
            decimals=3,
        ),
        frame_table(
            "Versions that the fits were made with",
            pd.DataFrame(environments),
            literal(changed_versions(known, plan.datasets)),
        ),
        frame_table("Machine that wrote this report", pd.DataFrame(machine.items(), columns=["what", "value"])),
        frame_table(
            "Archives",
            pd.DataFrame(sums, columns=["archive", "SHA-256", "accepted as"]),
            "As they are now. Official archives have the checksum of their publisher, known editions one that the"
            " reader knows; what a mirror vouches for itself may hold anything.",
        ),
        frame_table("Configuration", pd.DataFrame(_flattened(configuration), columns=["key", "value"])),
    ]
    return [table for table in tables if table.rows]


def _core_hours(folder: Path, threads: int) -> pd.DataFrame:
    """Count jobs, hours by the clock, these times the threads of a job, and the largest memory, by rule."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        cost = job_cost(path)
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        rows.append((rule, cost["seconds"] / 3600, cost["peak_memory"]))
    jobs = pd.DataFrame(rows, columns=["rule", "hours", "memory"])
    by_rule = jobs.groupby("rule", as_index=False).agg(
        jobs=("hours", "size"), hours=("hours", "sum"), memory=("memory", "max")
    )
    total = {"rule": "all", "jobs": len(jobs), "hours": jobs["hours"].sum(), "memory": jobs["memory"].max()}
    both = pd.concat([by_rule, pd.DataFrame([total] if rows else [])], ignore_index=True)
    both.insert(3, "core_hours", threads * both["hours"])
    return both.rename(columns={"memory": "largest job, MiB"})


def _commit() -> str:
    """Tell the commit of this checkout, and whether it was changed since, or that of this copy of one; else nothing."""
    root = Path(__file__).resolve().parents[2]
    stated = root / "COMMIT"
    if stated.is_file():
        return stated.read_text(encoding="utf-8").strip()
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    # What is installed within somebody else's checkout is not of its commit.
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    try:
        run = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return run.stdout.strip()


def _flattened(content: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, str]]:
    """Yield every key's path, and its value as text; an empty mapping is a value, which `json_normalize` would lose."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)
