"""Tables 1 and 2: the data and the networks, as they actually ran, beside what was published of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.methods import load_estimator
from ocnn.methods.base import AnomalyDetector
from ocnn.networks.shapes import OF_IMAGES, resolve
from ocnn.report.rendering import MISSING, Document, frame_table, literal


def data_summary(
    samples: Mapping[str, Mapping[str, pd.DataFrame]],
    shapes: Mapping[str, tuple[int, ...]],
    seeds: Mapping[str, int],
    repeats: Mapping[str, Sequence[int]],
    published: Mapping[str, Mapping[str, str]],
    datasets: Mapping[str, str | None],
) -> pd.DataFrame:
    """Make Table 1: one row per experiment.

    Args:
        samples: for each experiment and normal class the rows of a split.
        shapes: for each experiment the shape of a sample.
        seeds: for each experiment their number.
        repeats: for each experiment and normal class what `count_repeats` finds.
        published: for each published data set `instances`, `anomalies` and `features`, as texts.
        datasets: for each experiment the published data set, or None.
    """
    rows = []
    for experiment, classes in samples.items():
        counts = pd.DataFrame(
            [split.groupby(["evaluation", "is_anomaly"], observed=True).size() for split in classes.values()]
        ).fillna(0)
        texts = published.get(datasets.get(experiment) or "", {})
        rows.append(
            {
                "experiment": experiment,
                "classes": len(classes),
                "seeds": seeds[experiment],
                "training_normals": _range(counts, "train", False),
                "training_anomalies": _range(counts, "train", True),
                "test_normals": _range(counts, "test", False),
                "test_anomalies": _range(counts, "test", True),
                "test_samples_also_fitted": _spread(repeats[experiment]),
                "features": int(np.prod(shapes[experiment])),
                "shape": " × ".join(map(str, shapes[experiment])),
                **{f"published_{name}": texts.get(name) or MISSING for name in ("instances", "anomalies", "features")},
            }
        )
    return _without_empty(pd.DataFrame(rows))


def _without_empty(summary: pd.DataFrame) -> pd.DataFrame:
    """Leave out the columns of what was published where nothing was."""
    published = summary.columns[summary.columns.str.startswith("published_")]
    return summary.drop(columns=[name for name in published if summary[name].eq(MISSING).all()])


def _range(counts: pd.DataFrame, evaluation: str, is_anomaly: bool) -> str:
    if (evaluation, is_anomaly) not in counts:
        return "0"
    return _spread(counts[evaluation, is_anomaly].astype(int).tolist())


def _spread(values: Sequence[int]) -> str:
    return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def count_repeats(samples: pd.DataFrame, checksums: Mapping[str, NDArray[np.uint64]]) -> int:
    """Count the test samples whose values are those of a sample that was fitted.

    A method may know such a sample by heart, and what it scores there says little about new ones.

    Args:
        samples: the rows of a split.
        checksums: for each part the checksum of each of its samples, (n,); equal ones stand for equal samples.
    """
    values = pd.Series(0, index=samples.index, dtype=np.uint64)
    for part, of_part in checksums.items():
        rows = samples["part"] == part
        values[rows] = of_part[samples.loc[rows, "sample"].to_numpy()]
    new = (samples["evaluation"] == "test") & ~samples["fitted"]
    return int(values[new].isin(values[samples["fitted"]]).sum())


def repeat_remark(repeats: Sequence[int]) -> str:
    """Say how many test samples `count_repeats` found, by class; nothing where there are none."""
    if max(repeats) == 0:
        return ""
    return f"Test samples with exactly the values of a fitted one: {_spread(repeats)}."


def network_summary(
    settings: Mapping[str, Mapping[str, Mapping[str, Any]]],
    shapes: Mapping[str, tuple[int, ...]],
    published: Mapping[str, Mapping[str, str]],
    datasets: Mapping[str, str | None],
) -> pd.DataFrame:
    """Make Table 2: one row per experiment and network, with the deep methods that have it.

    Args:
        settings: for each experiment and method `estimator` and `settings`, as the score files state them.
        shapes, published, datasets: as for `data_summary`; published are `filters`, `code`, `head`, `batch_size` and
            `weight_decay`.
    """
    rows = []
    for experiment, methods in settings.items():
        texts = published.get(datasets.get(experiment) or "", {})
        networks: dict[tuple[Any, ...], list[str]] = {}
        for method, fit in methods.items():
            estimator = load_estimator(fit["estimator"])
            # Of another package's detector no parameter is known to mean a network.
            ours = issubclass(estimator, AnomalyDetector)
            parameters = estimator(**fit["settings"]).get_params() if ours else {}
            if {"network", "batch_size"} <= set(parameters):
                networks.setdefault(_network(parameters, shapes[experiment]), []).append(method)
        for network, names in networks.items():
            fields = ["kind", "filters", "kernel", "code", "head", "batch_size", "weight_decay"]
            rows.append(
                {
                    "experiment": experiment,
                    "methods": ", ".join(names),
                    **dict(zip(fields, network, strict=True)),
                    **{
                        f"published_{name}": texts.get(name) or MISSING
                        for name in ("filters", "code", "head", "batch_size", "weight_decay")
                    },
                }
            )
    columns = ["experiment", "methods", "kind", "filters", "kernel", "code", "head", "batch_size", "weight_decay"]
    return _without_empty(pd.DataFrame(rows)) if rows else pd.DataFrame(columns=columns)


def _network(parameters: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[Any, ...]:
    network = resolve(parameters["network"], shape)
    kernel = f"{network.kernel} × {network.kernel}" if network.kind in OF_IMAGES else MISSING
    widths = ", ".join(map(str, network.widths)) or "none"
    # Only the one-class network has a head with a hidden layer.
    head = f"{network.code} → {parameters['hidden']} → 1" if "hidden" in parameters else MISSING
    decay = parameters.get("weight_decay")
    decay = MISSING if decay is None else f"{decay:g}"
    return network.kind, widths, kernel, network.code, head, parameters["batch_size"], decay


def data_document(summary: pd.DataFrame, remarks: Mapping[str, str]) -> Document:
    """Show Table 1."""
    notes = " ".join(literal(f"{name}: {remark}") for name, remark in remarks.items() if remark)
    legend = (
        "Samples of each part, as a range over the normal classes, counted in the first seed's splits. Test samples"
        " also fitted: those whose values are exactly a fitted sample's; a method may know these by heart."
    )
    return Document("Data (Table 1)", legend, [frame_table("Data sets as they were used", summary, notes)])


def network_document(summary: pd.DataFrame) -> Document:
    """Show Table 2."""
    legend = (
        "Networks of the deep methods, from the settings that the score files state: filters of the convolutions or"
        " units of the dense layers, length of the code, and the one-class network's head (code → hidden → output)."
    )
    if summary.columns.str.startswith("published_").any():
        legend += " Published: restored from the paper's text and the authors' code."
    return Document("Networks (Table 2)", legend, [frame_table("Networks as they were trained", summary)])
