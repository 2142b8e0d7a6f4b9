"""The steps from score files to numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocnn.config.plan import Plan
from ocnn.results.consistency import consistency
from ocnn.results.corrections import with_spread
from ocnn.results.details import MISTAKES
from ocnn.results.frames import read_frame, write_csv
from ocnn.results.measurements import GATHERED, HISTORIES, collect, digest_of_all, schema
from ocnn.results.metrics import METRICS
from ocnn.results.published import read_published, read_runs
from ocnn.results.summary import REFERENCES, SCHEMA, look_up_references, summarise
from ocnn.storage.json_files import write_json
from ocnn.storage.parquet import write_table

Json = Mapping[str, Any]


def collect_metrics(
    *,
    plan: Json,
    scores: str,
    benchmarks: str,
    metrics: Path,
    histories: Path,
    shapes: Path,
    mistakes: Path,
    provenance: Path,
    recipe: Json | None = None,
) -> None:
    """Measure the score file of every fit of a plan.

    Args:
        plan: see `Plan.to_json`.
        scores, benchmarks: patterns of the files of a fit, with {experiment}, {normal}, {method} and {seed}.
        metrics, histories, shapes, mistakes: the Parquet files of measurements, of training histories, of how the
            scores lie, and of the worst mistakes, see `measurements.Collected`.
        provenance: the JSON file of settings and versions.
        recipe: what decided these; it is stored with them, and with a digest of all score files.
    """
    fits = Plan.from_json(plan).fits()
    collected = collect(fits, scores, benchmarks)
    recipe = {**(recipe or {}), GATHERED: digest_of_all(fit.path(scores) for fit in fits)}
    write_table(metrics, collected.metrics, schema(), {"recipe": recipe})
    write_table(histories, collected.histories, HISTORIES, {"recipe": recipe})
    write_table(shapes, collected.shapes, HISTORIES, {"recipe": recipe})
    write_table(mistakes, collected.mistakes, MISTAKES, {"recipe": recipe})
    write_json(provenance, {**collected.provenance, "recipe": recipe})


def make_summary(*, plan: Json, metrics: Path, summary: Path, references: Path, recipe: Json | None = None) -> None:
    """Summarise the measurements over the seeds, beside what was published.

    Args:
        plan, recipe: see `collect_metrics`; the plan names the files of published results.
        metrics: of `collect_metrics`.
        summary, references: the Parquet files of our cells and of other labs', see `summarise`; the summary's metadata
            state the unit of each metric.
    """
    planned = Plan.from_json(plan)
    runs = read_runs(Path(planned.published.runs) if planned.published.runs else None)
    published = with_spread(read_published(map(Path, planned.published.auc)), runs)
    labs = {reference.name: read_published([Path(reference.path)]) for reference in planned.references}
    compared = planned.datasets, planned.published_methods
    table = summarise(read_frame(metrics, schema()), published, *compared, alpha=planned.alpha)
    units = {name: metric.unit for name, metric in METRICS.items()}
    write_table(summary, table, SCHEMA, {"recipe": recipe, "units": units})
    write_table(references, look_up_references(table, labs, *compared), REFERENCES, {"recipe": recipe})


def make_consistency(*, plan: Json, scores: str, output: Path) -> None:
    """Write as CSV how alike the seeds of every method rank the training samples; arguments as `collect_metrics`."""
    write_csv(output, consistency(Plan.from_json(plan).fits(), scores))
