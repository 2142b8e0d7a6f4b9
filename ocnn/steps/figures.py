"""The steps from measurements and score files to figures; none of them fits anything."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.attacks.records import read_record
from ocnn.config.plan import FIGURE_SUFFIXES, Plan, PlannedExperiment
from ocnn.report.figures import adversarial as attack_figures
from ocnn.report.figures import comparison, decomposition, samples, training
from ocnn.report.figures.style import method_styles, save
from ocnn.results.decomposition import decompose
from ocnn.results.frames import read_frame
from ocnn.results.measurements import HISTORIES, evaluated_part, schema
from ocnn.results.metrics import DEGENERATE, PUBLISHED_METRIC
from ocnn.results.scores import Fit, read_scores
from ocnn.results.summary import SCHEMA, evaluated, over_datasets
from ocnn.steps.records import read_attacks
from ocnn.storage.arrays import open_array, read_arrays

#: Samples of a class, and of all, that are shown at either end.
IN_CLASS, EXTREMES = 9, 50


def draw_comparisons(
    *,
    plan: Mapping[str, Any],
    metrics: Path,
    histories: Path,
    shapes: Path,
    summary: Path,
    records: str,
    folder: Path,
) -> None:
    """Draw the figures of `Plan.comparison_names`.

    Args:
        plan: see `Plan.to_json`.
        metrics, histories, shapes: of `collect_metrics`.
        summary: of `make_summary`.
        records: pattern of the attacks' records, with {attack} and {steps}.
        folder: of the figures.
    """
    planned = Plan.from_json(plan)
    styles = method_styles([method.name for method in planned.methods])
    fits, curves, cells = read_frame(metrics, schema()), read_frame(histories, HISTORIES), read_frame(summary, SCHEMA)
    measured = read_frame(shapes, HISTORIES)
    aucs = cells[cells["metric"] == PUBLISHED_METRIC]
    for name in planned.comparison_names():
        kind, _, experiment = name.partition("/")
        rows, own = aucs[aucs["experiment"] == experiment], fits[fits["experiment"] == experiment]
        if not experiment:
            rows = over_datasets(aucs, planned.one_per_dataset)
        match kind:
            case "auc":
                figure = comparison.auc_by_class(rows, styles)
            case "heatmap":
                figure = comparison.class_heat_map(evaluated(rows))
            case "curves":
                best = evaluated(rows).groupby("method", sort=False)["mean"].mean().sort_values(ascending=False)
                sizes = own[own["evaluation"].isin(evaluated(rows)["evaluation"])][["anomalies", "samples"]].sum()
                share = float(sizes["anomalies"] / sizes["samples"])
                figure = comparison.curves(
                    measured[measured["experiment"] == experiment], list(best.index), styles, share
                )
            case "decomposition":
                apart = {experiment: planned.taken_apart[experiment]}
                figure = decomposition.steps(decompose(fits, cells, apart, alpha=planned.alpha))
            case "gap":
                figure = comparison.train_test_gap(rows, styles)
            case "ranks":
                figure = comparison.critical_difference(evaluated(rows), styles)
            case "differences":
                figure = comparison.differences_to_best(evaluated(rows), styles)
            case "cost":
                figure = comparison.cost(own[own["evaluation"].isin(evaluated(rows)["evaluation"])], styles)
            case "training":
                methods = list(planned[experiment].methods)
                figure = training.training_curves(curves[curves["experiment"] == experiment], methods, styles)
            case "contamination":
                family = planned.families[experiment]
                figure = comparison.contamination(aucs[aucs["experiment"].isin(family)], family, styles)
            case _:
                shown = [evaluated(group) for _, group in aucs.groupby("experiment", sort=False)]
                figure = attack_figures.attack_strength(pd.concat(shown), read_attacks(planned, records), styles)
        save(figure, [folder / f"{name}{suffix}" for suffix in FIGURE_SUFFIXES])
        print(name, flush=True)


def draw_samples(*, plan: Mapping[str, Any], scores: str, images: str, folder: Path) -> None:
    """Draw the figures of `Plan.sample_names`.

    Args:
        plan: see `Plan.to_json`.
        scores: pattern of the score files, with {experiment}, {normal}, {method} and {seed}.
        images: pattern of a data set's arrays, with {dataset} and {part}.
        folder: of the figures.
    """
    planned = Plan.from_json(plan)
    for name in planned.sample_names():
        kind, experiment, *method = name.split("/")
        block = planned[experiment]

        def scored(method: str, normal: str, block: PlannedExperiment = block) -> tuple[pd.DataFrame, str]:
            """The samples that are evaluated, and the method's name with what became of a degenerate fit."""
            fit = Fit(block.name, normal, method, block.seeds[0])
            table, metadata = read_scores(fit.path(scores), fit)
            status = metadata["diagnosis"]["status"]
            return evaluated_part(table)[1], f"{method} († {status})" if status in DEGENERATE else method

        def pixels(rows: pd.DataFrame, block: PlannedExperiment = block) -> NDArray[np.float32]:
            path = images.format(dataset=block.dataset, part=rows["part"].iloc[0])
            return np.asarray(open_array(Path(path))[rows["sample"].to_numpy()])

        if kind == "decision_scores":
            rows_of = [scored(m, block.normal_classes[0]) for m in block.methods]
            figure = samples.decision_scores({label: rows for rows, label in rows_of}, labelled=block.labelled)
        elif kind == "most_anomalous":
            rows, label = scored(method[0], block.normal_classes[0])
            figure = samples.most_anomalous(pixels(ends(rows, EXTREMES)[1]), label)
        elif kind == "in_class":
            chosen = {}
            for normal in block.normal_classes:
                rows, label = scored(method[0], normal)
                most_normal, most_anomalous = ends(rows[~rows["is_anomaly"]], IN_CLASS)
                chosen[f"{normal}{label.removeprefix(method[0])}"] = pixels(most_normal), pixels(most_anomalous)
            figure = samples.in_class(chosen, method[0])
        else:
            rows, label = scored(method[0], block.normal_classes[0])
            most_normal, most_anomalous = ends(rows, EXTREMES)
            kinds = most_normal["is_anomaly"].to_numpy(), most_anomalous["is_anomaly"].to_numpy()
            figure = samples.extremes(pixels(most_normal), pixels(most_anomalous), *kinds, label)
        save(figure, [folder / f"{name}{suffix}" for suffix in FIGURE_SUFFIXES])
        print(name, flush=True)


def ends(rows: pd.DataFrame, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose the rows of the lowest and those of the highest anomaly scores, the extreme first."""
    ordered = rows.sort_values("anomaly_score", kind="stable")
    return ordered[:count], ordered[::-1][:count]


def draw_adversarial_images(*, pixels: Iterable[Path], attack: Path, record: Path, outputs: Iterable[Path]) -> None:
    """Draw some sources of an attack, its images, and their amplified differences.

    Args:
        pixels: the files of `prepare_pixels`, `test.npy` among them.
        attack, record: of `attack_images` and `verify_attack`.
        outputs: the figure, in the format that each suffix says.
    """
    rows = read_record(record)
    test = next(path for path in pixels if path.name == "test.npy")
    originals = open_array(test)[rows["source"].to_numpy()]
    adversarial = read_arrays(attack, ["images"])["images"]
    save(attack_figures.adversarial_images(originals, adversarial, rows), outputs)
