"""The step that puts everything that a person reads into one HTML file."""

import base64
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from ocnn.config.plan import Plan
from ocnn.data.archives import digest, origin
from ocnn.report.rendering import MISSING, Document, Table, frame_table, literal, read_documents, templates
from ocnn.report.tables import below_chance, below_chance_rule, degenerate_fits
from ocnn.results.frames import read_frame
from ocnn.results.measurements import changed_versions, job_cost, schema
from ocnn.results.summary import SCHEMA
from ocnn.results.verdicts import ALL_VERDICTS, DESCRIPTIVE, judge
from ocnn.steps.runtime import processor
from ocnn.storage.files import write_text
from ocnn.storage.json_files import read_json

#: In the order of the report.
TABLES = ("table1", "table2", "decomposition", "table3", "table4", "metrics")
#: Kinds of figures that are made of photographs.
PHOTOGRAPHIC = ("in_class", "extremes", "attacks")


def make_report(
    *,
    plan: Mapping[str, Any],
    configuration: Mapping[str, Any],
    metrics: Path,
    summary: Path,
    documents: Path,
    provenance: Path,
    figures: Path,
    benchmarks: Path,
    archives: Iterable[Path],
    captions: Path,
    output: Path,
    own: Iterable[Path] = (),
) -> None:
    """Write the report from the tables and figures that are there.

    Args:
        plan, configuration: see `Plan.to_json`; the whole configuration as it was run.
        metrics, provenance: of `collect_metrics`.
        summary: of `make_summary`.
        documents: all tables, of `make_tables`.
        figures, benchmarks: folders of the figures and of the jobs' benchmark files.
        archives: what the data were read from; they need not be there any more.
        captions: folder of the figures' captions, `KIND.rst`: a title in bold, then the text. The order of the kinds in
            the report is that of the plan.
        output: the HTML file, in which everything is that it needs.
        own: tables of single experiments, of `ocnn.steps.own_data`.
    """
    planned = Plan.from_json(plan)
    fits, cells, tables = read_frame(metrics, schema()), read_frame(summary, SCHEMA), read_documents(documents)
    of_experiments = {name: document for path in own for name, document in read_documents(path).items()}
    judged = judge(cells, planned.published_methods, planned.judged, **planned.rule)
    columns = judged[(judged["family"] == "published") & (judged["verdict"] != DESCRIPTIVE)]
    page = templates().get_template("report.html")
    html = page.render(
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        experiments=[experiment.name for experiment in planned.experiments],
        fits=len(planned.fits()),
        judged={evaluation: rows["verdict"].value_counts() for evaluation, rows in columns.groupby("evaluation")},
        kinds=ALL_VERDICTS,
        remarks=_grouped(planned.remarks),
        measured=bool(planned.labelled),
        verdicts=tables.get("verdicts"),
        claims=tables.get("claims"),
        tables={name: _without_listings(tables[name]) for name in TABLES if name in tables} | of_experiments,
        corrections=tables.get("corrections"),
        comparison=tables.get("comparison"),
        figures=_figures(planned, figures, captions),
        degenerate=degenerate_fits(fits),
        below_chance=below_chance(cells),
        below_chance_rule=below_chance_rule(planned.alpha),
        provenance=_provenance(planned, configuration, benchmarks, provenance, archives),
    )
    write_text(output, html)


def _without_listings(document: Document) -> Document:
    """Degenerate fits, and AUCs below chance, have a section of their own."""
    return replace(document, tables=[table for table in document.tables if not table.listing])


def _grouped(remarks: Mapping[str, str]) -> dict[str, str]:
    """Name the experiments of each remark."""
    names: dict[str, list[str]] = {}
    for name, remark in remarks.items():
        names.setdefault(remark, []).append(name)
    return {remark: ", ".join(of) for remark, of in names.items() if remark}


def _figures(plan: Plan, folder: Path, captions: Path) -> list[dict[str, Any]]:
    """Collect the figures by kind, each as a data address, with its name and text alternative."""
    kinds: dict[str, dict[str, Any]] = {}
    for name in [*plan.comparison_names(), *plan.sample_names(), *plan.attack_names()]:
        kind, _, rest = name.partition("/")
        if kind not in kinds:
            title, text = read_caption(captions / f"{kind}.rst")
            kinds[kind] = {"kind": kind, "title": title, "text": text, "images": []}
        subject = ", ".join(rest.split("/")) if rest else "all experiments"
        kinds[kind]["images"].append(
            {
                "subject": subject,
                **_embedded(folder / f"{name}.png", lossy=kind in PHOTOGRAPHIC),
                "alt": f"{kinds[kind]['title']}: {subject}. {kinds[kind]['text']}",
                "file": name,
            }
        )
    return list(kinds.values())


def _embedded(path: Path, *, lossy: bool) -> dict[str, Any]:
    """Encode an image as a data address, as WebP, which takes a fraction of a PNG's bytes; with its size in pixels."""
    buffer = BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "WEBP", lossless=not lossy, quality=80)
        width, height = image.size
    source = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"source": source, "width": width, "height": height}


def read_caption(path: Path) -> tuple[str, str]:
    """Read title and text of a caption: `**Title.** Text`."""
    title, _, text = " ".join(path.read_text(encoding="utf-8").split()).removeprefix("**").partition(".** ")
    return title, text


def _provenance(
    plan: Plan, configuration: Mapping[str, Any], benchmarks: Path, provenance: Path, archives: Iterable[Path]
) -> list[Table]:
    experiments = [
        {
            "experiment": experiment.name,
            "normal_classes": ", ".join(experiment.normal_classes),
            "methods": ", ".join(experiment.methods),
            "seeds": ", ".join(map(str, experiment.seeds)),
            "remark": experiment.remark or MISSING,
        }
        for experiment in plan.experiments
    ]
    known = read_json(provenance)["environments"]
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
    return [
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
    both = pd.concat([by_rule, pd.DataFrame([total])], ignore_index=True)
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
