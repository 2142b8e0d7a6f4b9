"""The details of every cell and fit, as the report's page holds them: small enough for thousands of fits."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.report.figures.training import OBJECTIVES
from ocnn.report.rendering import MISSING, cell_key, number
from ocnn.results.details import FALSE_ALARM, MISS
from ocnn.results.metrics import METRICS, PUBLISHED_METRIC
from ocnn.results.scores import Fit
from ocnn.results.summary import KEYS
from ocnn.results.verdicts import DESCRIPTIVE

#: So many points of a training curve are kept.
POINTS = 40
FIT = [*KEYS, "seed"]


def cell_details(
    metrics: pd.DataFrame,
    histories: pd.DataFrame,
    shapes: pd.DataFrame,
    mistakes: pd.DataFrame,
    summary: pd.DataFrame,
    judged: pd.DataFrame,
    *,
    evaluations: Mapping[str, str],
    log: Callable[[Fit], str],
    name: Callable[[str, str, int], str],
    place: Callable[[str, str, int], int | None],
) -> dict[str, dict[str, Any]]:
    """Describe each cell, by its `cell_key`, in what JSON can hold.

    Args:
        metrics, histories, shapes, mistakes: of `measurements.Collected`.
        summary: of `summarise`.
        judged: of `judge`.
        evaluations: the one that each experiment is shown under.
        log: gives the address of a fit's log.
        name: names a sample, by experiment, part and index.
        place: gives the place of a sample's picture among the report's, by experiment, part and sample; None: it has
            none.

    Returns:
        `names`: experiment, class, method; `evaluation`; `shown`, mean and spread; `verdict` and `published` where the
        cell is compared; `objective`, the name of the training curves; `fits`, each with `seed`, `status`, `reason`,
        `values` (one per metric, as texts), `seconds`, `memory` (MiB), `log`, and where they are known `scores` (the
        range, and a histogram of either kind), `curve`, `steps`, `false_alarms` and `misses` (the sample's name, its
        decision score, the place of its picture or −1).
    """
    verdicts: Mapping[Any, Any] = judged.set_index([*KEYS, "evaluation"])[["verdict", "reason"]].to_dict("index")
    aucs: Mapping[Any, Any] = (
        summary[summary["metric"] == PUBLISHED_METRIC].set_index([*KEYS, "evaluation"]).to_dict("index")
    )
    values: dict[Any, NDArray[np.float64]] = {
        names: group["value"].to_numpy(np.float64)
        for frame in (shapes, histories[histories["series"].isin(OBJECTIVES)])
        for names, group in frame.groupby([*FIT, "series"], sort=False)
    }
    wrong: dict[tuple[Any, ...], list[Any]] = {}
    for row in mistakes.to_dict("records"):
        sample = row["experiment"], row["part"], row["sample"]
        picture = place(*sample)
        wrong.setdefault((*(row[key] for key in FIT), row["kind"]), []).append(
            [name(*sample), _short(row["decision"]), -1 if picture is None else picture]
        )
    cells: dict[str, dict[str, Any]] = {}
    shown = metrics[metrics["evaluation"] == metrics["experiment"].map(dict(evaluations))]
    for row in shown.to_dict("records"):
        names = tuple(row[column] for column in KEYS)
        key = cell_key(*names)
        if key not in cells:
            cells[key] = _cell(names, row["evaluation"], aucs, verdicts)
        identity = (*names, row["seed"])
        objective = next((series for series in OBJECTIVES if (*identity, series) in values), None)
        fit: dict[str, Any] = {
            "seed": row["seed"],
            "status": row["status"],
            "reason": row["reason"],
            "values": [_percent(row[metric], known.scale) for metric, known in METRICS.items()],
            "seconds": None if pd.isna(row["seconds"]) else round(row["seconds"], 1),
            "memory": None if pd.isna(row["peak_memory"]) else round(row["peak_memory"]),
            "log": log(Fit(*identity)),
        }
        if (*identity, "range") in values:
            counts = [[int(count) for count in values[(*identity, kind)]] for kind in ("normal", "anomalous")]
            fit["scores"] = [[_short(end) for end in values[(*identity, "range")]], *counts]
        if objective is not None:
            cells[key]["objective"] = objective
            curve = values[(*identity, objective)]
            fit |= {"steps": len(curve), "curve": thinned(curve)}
        for key_of_kind, kind in (("false_alarms", FALSE_ALARM), ("misses", MISS)):
            if found := wrong.get((*identity, kind)):
                fit[key_of_kind] = found
        cells[key]["fits"].append(fit)
    return cells


def packed(content: Any) -> str:
    """Pack what JSON can hold into a fraction of its length, for the page's script to unpack: zlib, in base 64."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _cell(
    names: tuple[str, ...],
    evaluation: str,
    aucs: Mapping[Any, Mapping[str, Any]],
    verdicts: Mapping[Any, Mapping[str, Any]],
) -> dict[str, Any]:
    key = (*names, evaluation)
    cell: dict[str, Any] = {"names": list(names), "evaluation": evaluation, "shown": MISSING, "fits": []}
    if row := aucs.get(key):
        if pd.notna(row["mean"]):
            spread = "" if pd.isna(row["std"]) else f" ± {row['std']:.1f}"
            cell["shown"] = f"{number(row['mean'], 1)}{spread} %"
        if pd.notna(row["published_mean"]):
            cell["published"] = f"{number(row['published_mean'], 2)} %"
    if (verdict := verdicts.get(key)) and verdict["verdict"] != DESCRIPTIVE:
        cell |= {"verdict": verdict["verdict"], "reason": verdict["reason"]}
    return cell


def thinned(curve: NDArray[np.float64]) -> list[list[Any]]:
    """Keep at most `POINTS` points of a training curve, its ends among them: the steps, from 1, and the values.

    A value that is not finite is None.
    """
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), POINTS)).round().astype(int))
    return [(chosen + 1).tolist(), [_short(value) for value in curve[chosen]]]


def _short(value: float) -> float | None:
    """A number of three or four digits; JSON has none that is not finite."""
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _percent(value: float, scale: float) -> str:
    return MISSING if pd.isna(value) else number(scale * value, 1)
