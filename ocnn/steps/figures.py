"""The steps from measurements and score files to figures; none of them fits anything."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ocnn.config.plan import FIGURE_SUFFIXES, attacked, comparison_names, sample_names
from ocnn.report.figures import adversarial as attack_figures
from ocnn.report.figures import comparison, samples, training
from ocnn.report.figures.style import method_styles, save
from ocnn.results.metrics import DEGENERATE, EVALUATIONS
from ocnn.results.scores import read_scores
from ocnn.storage.arrays import open_array, read_arrays

#: Samples of a class, and of all, that are shown at either end.
IN_CLASS, EXTREMES = 9, 50


def draw_comparisons(
    plan: Mapping[str, Any], metrics: Path, histories: Path, tables: Iterable[Path], folder: Path
) -> None:
    """Draws the figures of `comparison_names`.

    Args:
        plan: see `Config.plan`.
        metrics, histories: of `collect_metrics`.
        tables: Tables 3 and 4 as CSV, as far as there are.
        folder: of the figures.
    """
    styles = method_styles(list(plan["methods"]))
    fits = pd.read_parquet(metrics)
    fits["degenerate"] = fits["status"].isin(DEGENERATE)
    curves = pd.read_parquet(histories)
    summary = pd.concat([pd.read_csv(table, dtype={"normal": str}) for table in tables], ignore_index=True)
    for name in comparison_names(plan):
        kind, _, experiment = name.partition("/")
        rows, own = summary[summary["experiment"] == experiment], fits[fits["experiment"] == experiment]
        match kind:
            case "auc":
                figure = comparison.auc_by_class(rows, styles)
            case "gap":
                figure = comparison.train_test_gap(rows, styles)
            case "ranks":
                figure = comparison.critical_difference(rows, styles)
            case "differences":
                figure = comparison.differences_to_best(rows, styles)
            case "cost":
                figure = comparison.cost(own, styles)
            case "training":
                methods = plan["experiments"][experiment]["method"]
                figure = training.training_curves(curves[curves["experiment"] == experiment], methods, styles)
            case _:
                figure = attack_figures.attack_strength(summary[summary["experiment"].isin(attacked(plan))], styles)
        save(figure, [folder / f"{name}{suffix}" for suffix in FIGURE_SUFFIXES])
        print(name, flush=True)


def draw_samples(plan: Mapping[str, Any], scores: str, images: str, folder: Path) -> None:
    """Draws the figures of `sample_names`.

    Args:
        plan: see `Config.plan`.
        scores: pattern of the score files, with {experiment}, {normal}, {method} and {seed}.
        images: pattern of a data set's arrays, with {dataset} and {part}.
        folder: of the figures.
    """
    for name in sample_names(plan):
        kind, experiment, *method = name.split("/")
        block = plan["experiments"][experiment]

        def evaluated(method: str, normal: str, block: Any = block, experiment: str = experiment) -> pd.DataFrame:
            fit = {"experiment": experiment, "normal": normal, "method": method, "seed": block["seed"][0]}
            return evaluated_rows(read_scores(Path(scores.format(**fit)), fit)[0])

        def pixels(rows: pd.DataFrame, block: Any = block) -> np.ndarray:
            path = images.format(dataset=block["dataset"], part=rows["evaluation"].iloc[0])
            return np.asarray(open_array(Path(path))[rows["sample"].to_numpy()])

        if kind == "decision_scores":
            figure = samples.decision_scores({m: evaluated(m, block["normal"][0]) for m in block["method"]})
        elif kind == "in_class":
            chosen = {}
            for normal in block["normal"]:
                rows = evaluated(method[0], normal)
                ordered = rows[~rows["is_anomaly"]].sort_values("anomaly_score", kind="stable")
                chosen[normal] = (pixels(ordered[:IN_CLASS]), pixels(ordered[::-1][:IN_CLASS]))
            figure = samples.in_class(chosen, method[0])
        else:
            ordered = evaluated(method[0], block["normal"][0]).sort_values("anomaly_score", kind="stable")
            ends = ordered[:EXTREMES], ordered[::-1][:EXTREMES]
            kinds = [end["is_anomaly"].to_numpy() for end in ends]
            figure = samples.extremes(pixels(ends[0]), pixels(ends[1]), kinds[0], kinds[1], method[0])
        save(figure, [folder / f"{name}{suffix}" for suffix in FIGURE_SUFFIXES])
        print(name, flush=True)


def evaluated_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of a score file that it is read for: of the test part, or of the training set if it is all there is."""
    whole = scores[~scores["tuned_on"]]
    part = next(e for e in EVALUATIONS if (whole["evaluation"] == e).any())
    return whole[whole["evaluation"] == part]


def draw_adversarial_images(pixels: Mapping[str, Path], attack: Path, record: Path, outputs: Iterable[Path]) -> None:
    """Draws some sources of an attack, its images, and their amplified differences.

    Args:
        pixels: path of each of `ARRAY_FILES`, of `prepare_pixels`, by its name.
        attack, record: of `attack_images` and `verify_attack`.
        outputs: the figure, in the format that each suffix says.
    """
    rows = pd.read_parquet(record)
    originals = open_array(pixels["test.npy"])[rows["source"].to_numpy()]
    adversarial = read_arrays(attack, ["images"])["images"]
    save(attack_figures.adversarial_images(originals, adversarial, rows), outputs)
