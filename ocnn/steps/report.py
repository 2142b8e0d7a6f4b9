"""The step that puts everything that a person reads into one HTML file."""

import base64
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import file_digest
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from ocnn.config.plan import attacked, comparison_names, sample_names
from ocnn.report.inventory import data_document, network_document
from ocnn.report.rendering import Document, Table, frame_table, templates
from ocnn.report.tables import (
    claim_document,
    comparison_document,
    degenerate_fits,
    table3,
    table4,
    verdict_document,
)
from ocnn.results.metrics import job_cost
from ocnn.results.verdicts import ALL_VERDICTS
from ocnn.storage.files import atomic_write

#: Kinds of figures that are made of photographs.
PHOTOGRAPHIC = ("in_class", "extremes", "attacks")


def make_report(
    plan: Mapping[str, Any],
    configuration: Mapping[str, Any],
    folder: Path,
    provenance: Mapping[str, Any],
    archives: Iterable[Path],
    captions: Path,
    output: Path,
) -> None:
    """Writes the report from the tables and figures that are there.

    Args:
        plan, configuration: see `Config.plan`; the whole configuration as it was run.
        folder: of the results, with `tables`, `figures`, `benchmarks`, `claims.csv` and `metrics.parquet`.
        provenance: of `collect_metrics`.
        archives: what the data were read from; they need not be there any more.
        captions: folder of the figures' captions, `KIND.rst`: a title in bold, then the text. The order of the kinds in
            the report is that of the plan.
        output: the HTML file, in which everything is that it needs.
    """
    metrics = pd.read_parquet(folder / "metrics.parquet")
    remarks = {name: block["remark"] for name, block in plan["experiments"].items()}
    margin, alpha = plan["verdicts"]["margin"], plan["verdicts"]["alpha"]

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", dtype={"normal": str, "reason": str})

    def read_texts(name: str) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)

    summaries = []
    documents = [("table1", data_document(read_texts("tables/table1"), remarks))]
    documents.append(("table2", network_document(read_texts("tables/table2"))))
    if len(attacked(plan)) < len(plan["experiments"]):
        summaries.append(read("tables/table3"))
        documents.append(("table3", _without_listings(table3(summaries[-1], metrics, remarks))))
    if attacked(plan):
        summaries.append(read("tables/table4"))
        documents.append(("table4", _without_listings(table4(summaries[-1], metrics, remarks))))
    judged = read("tables/verdicts").fillna({"reason": ""})
    page = templates().get_template("report.html")
    html = page.render(
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        experiments=plan["experiments"],
        fits=metrics.drop_duplicates(["experiment", "normal", "method", "seed"]).shape[0],
        verdicts=verdict_document(judged, margin, alpha),
        judged={evaluation: rows["verdict"].value_counts() for evaluation, rows in judged.groupby("evaluation")},
        kinds=ALL_VERDICTS,
        remarks=_grouped(remarks),
        claims=claim_document(read("claims"), alpha),
        tables=documents,
        comparison=comparison_document(pd.concat(summaries, ignore_index=True)),
        figures=_figures(plan, folder / "figures", captions),
        degenerate=degenerate_fits(metrics),
        provenance=_provenance(plan, configuration, folder, provenance, archives),
    )
    with atomic_write(output) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _without_listings(document: Document) -> Document:
    """Degenerate fits have a section of their own."""
    return replace(document, tables=[table for table in document.tables if not table.listing])


def _grouped(remarks: Mapping[str, str]) -> dict[str, str]:
    """Each remark once, with the names of its experiments."""
    names: dict[str, list[str]] = {}
    for name, remark in remarks.items():
        names.setdefault(remark, []).append(name)
    return {remark: ", ".join(of) for remark, of in names.items() if remark}


def _figures(plan: Mapping[str, Any], folder: Path, captions: Path) -> list[dict[str, Any]]:
    """The figures by kind, each as a data address, with its name and text alternative."""
    attacks = dict.fromkeys(f"attacks/{a['attack']}-{a['steps']}" for a in attacked(plan).values())
    kinds: dict[str, dict[str, Any]] = {}
    for name in [*comparison_names(plan), *sample_names(plan), *attacks]:
        kind, _, rest = name.partition("/")
        if kind not in kinds:
            title, text = read_caption(captions / f"{kind}.rst")
            kinds[kind] = {"kind": kind, "title": title, "text": text, "images": []}
        subject = ", ".join(rest.split("/")) if rest else "all experiments"
        kinds[kind]["images"].append(
            {
                "subject": subject,
                "source": _data_address(folder / f"{name}.png", lossy=kind in PHOTOGRAPHIC),
                "alt": f"{kinds[kind]['title']}: {subject}. {kinds[kind]['text']}",
                "file": name,
            }
        )
    return list(kinds.values())


def _data_address(path: Path, *, lossy: bool) -> str:
    """The image as a data address, as WebP, which takes a fraction of a PNG's bytes."""
    buffer = BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "WEBP", lossless=not lossy, quality=80)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def read_caption(path: Path) -> tuple[str, str]:
    """Title and text of a caption: `**Title.** Text`."""
    title, _, text = " ".join(path.read_text(encoding="utf-8").split()).removeprefix("**").partition(".** ")
    return title, text


def _provenance(
    plan: Mapping[str, Any],
    configuration: Mapping[str, Any],
    folder: Path,
    provenance: Mapping[str, Any],
    archives: Iterable[Path],
) -> list[Table]:
    experiments = [
        {
            "experiment": name,
            "normal_classes": ", ".join(block["normal"]),
            "methods": ", ".join(block["method"]),
            "seeds": ", ".join(map(str, block["seed"])),
            "remark": block["remark"],
        }
        for name, block in plan["experiments"].items()
    ]
    environments = [
        {"fits": environment["fits"], "backend of the deep methods or none": environment["backend"]}
        | {"versions": ", ".join(f"{k} {v}" for k, v in environment.items() if k not in ("fits", "backend"))}
        for environment in provenance["environments"]
    ]
    machine = [
        {"what": "processor", "value": _processor()},
        {"what": "cores", "value": str(os.cpu_count())},
        {"what": "system", "value": platform.platform()},
        {"what": "Python", "value": platform.python_version()},
        {"what": "commit", "value": _commit()},
        *({"what": name, "value": version(name)} for name in ("pandas", "scipy", "statsmodels", "scikit-posthocs")),
    ]
    sums = [
        {
            "archive": f"{path.parent.name}/{path.name}",
            "SHA-256": _sha256(path) if path.is_file() else "no longer there",
        }
        for path in archives
    ]
    threads = int(configuration.get("threads", 1))
    settings = [{"key": key, "value": value} for key, value in _flattened(configuration)]
    return [
        frame_table("Experiments", pd.DataFrame(experiments).replace("", "–")),
        frame_table(
            "Core hours",
            _core_hours(folder / "benchmarks", threads),
            f"By the jobs' benchmark files in this folder: hours by the clock, and times {threads}, a job's threads.",
            decimals=3,
        ),
        frame_table("Versions that the fits were made with", pd.DataFrame(environments)),
        frame_table("Machine that wrote this report", pd.DataFrame(machine)),
        frame_table(
            "Archives",
            pd.DataFrame(sums, columns=["archive", "SHA-256"]),
            "As they are now; compared with the official ones, or the mirror's list, when they were obtained.",
        ),
        frame_table("Configuration", pd.DataFrame(settings)),
    ]


def _core_hours(folder: Path, threads: int) -> pd.DataFrame:
    """Jobs, hours by the clock, these times the threads of a job, and the largest memory, by rule."""
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


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str:
    """The commit of this checkout, and whether it was changed since; nothing outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        run = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return run.stdout.strip()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _flattened(content: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, str]]:
    """Every key's path, and its value as text."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)
