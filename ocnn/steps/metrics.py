"""The steps that read the score files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocnn.config.plan import grid_fits
from ocnn.results.consistency import consistency
from ocnn.results.metrics import collect
from ocnn.storage.files import atomic_write


def collect_metrics(
    grid: Mapping[str, Mapping[str, Any]],
    scores: str,
    benchmarks: str,
    metrics: Path,
    histories: Path,
    provenance: Path,
) -> None:
    """Measures the score file of every fit of a grid.

    Args:
        grid: see `grid_fits`.
        scores, benchmarks: patterns of the files of a fit, with {experiment}, {normal}, {method} and {seed}.
        metrics, histories: the Parquet files of measurements and of training histories, see `metrics.collect`.
        provenance: the JSON file of settings and versions.
    """
    collected = collect(grid_fits(grid), scores, benchmarks)
    for path, table in ((metrics, collected.metrics), (histories, collected.histories)):
        with atomic_write(path) as temporary:
            table.to_parquet(temporary, index=False)
    with atomic_write(provenance) as temporary:
        temporary.write_text(json.dumps(collected.provenance, indent=1), encoding="utf-8")


def make_consistency(grid: Mapping[str, Mapping[str, Any]], scores: str, output: Path) -> None:
    """Writes as CSV how alike the seeds of every method rank the training samples; arguments as `collect_metrics`."""
    with atomic_write(output) as temporary:
        consistency(grid_fits(grid), scores).to_csv(temporary, index=False)
