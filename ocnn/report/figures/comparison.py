"""AUCs of the methods: beside the published ones, train against test, over classes, and against their cost."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import scikit_posthocs as posthocs
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ocnn.report.figures.style import STYLE, WIDTH, Styles, legend_above, log_ticks, marker_only, panels, sentence
from ocnn.results.metrics import EVALUATIONS
from ocnn.results.statistics import average_ranks, pairwise_differences
from ocnn.results.summary import class_table

FACES: dict[str, dict[str, Any]] = {"test": {}, "train": {"markerfacecolor": "white"}}


def auc_by_class(summary: pd.DataFrame, styles: Styles) -> Figure:
    """A panel a method, a line a normal class: the AUCs of both evaluations, their intervals, the published value.

    summary: rows of one experiment, of `summarise`.
    """
    methods = list(dict.fromkeys(summary["method"]))
    classes = list(dict.fromkeys(summary["normal"]))
    evaluations = [e for e in EVALUATIONS if summary[f"{e}_mean"].notna().any()]
    offsets = {"test": -0.16, "train": 0.16} if len(evaluations) > 1 else {evaluations[0]: 0.0} if evaluations else {}
    with mpl.rc_context(STYLE):
        figure, axes = panels(
            len(methods), columns=4, height=0.42 + 0.14 * max(len(classes), 4), sharex=True, sharey=True
        )
        for axis, method in zip(axes, methods, strict=True):
            rows = summary[summary["method"] == method].set_index("normal").reindex(classes)
            lines = np.arange(len(classes))
            for evaluation in evaluations:
                mean = rows[f"{evaluation}_mean"]
                around = np.stack([mean - rows[f"{evaluation}_low"], rows[f"{evaluation}_high"] - mean])
                axis.errorbar(
                    mean,
                    lines + offsets[evaluation],
                    xerr=np.nan_to_num(around),
                    **marker_only(styles[method]),
                    **FACES[evaluation],
                    markersize=3.5,
                    elinewidth=0.8,
                )
                bad = rows["degenerate"].to_numpy() > 0
                axis.plot(mean[bad], lines[bad] + offsets[evaluation], "x", color="black", markersize=5, zorder=4)
            axis.plot(rows["published_mean"], lines, "|", color="black", markersize=9, markeredgewidth=1.4)
            axis.set_title(method)
            axis.axvline(50, color="0.6", linewidth=0.8, linestyle=":")
        axes[0].set_yticks(range(len(classes)), classes)
        axes[0].set_ylim(len(classes) - 0.4, -0.6)
        # An interval over two seeds can be longer than the scale.
        shown = summary[[f"{e}_mean" for e in evaluations] + ["published_mean"]].to_numpy(float)
        lowest = np.nanmin(shown) if np.isfinite(shown).any() else 0.0
        axes[0].set_xlim(max(0.0, min(45.0, lowest - 4)), 101.5)
        figure.supxlabel("AUC, %", fontsize=8)
        handles = [Line2D([], [], color="0.3", marker="o", linestyle="none", label=e, **FACES[e]) for e in evaluations]
        if summary["published_mean"].notna().any():
            handles.append(Line2D([], [], color="black", marker="|", linestyle="none", markersize=9, label="published"))
        if (summary["degenerate"] > 0).any():
            handles.append(Line2D([], [], color="black", marker="x", linestyle="none", label="diverged or collapsed"))
        legend_above(figure, handles, 4)
    return figure


def train_test_gap(summary: pd.DataFrame, styles: Styles) -> Figure:
    """AUC on the training set less AUC on the test part: a point a class, a bar for their mean; degenerate cells apart.

    summary: rows of one experiment that has both evaluations.
    """
    rows = summary.assign(gap=summary["train_mean"] - summary["test_mean"])
    methods = list(dict.fromkeys(rows["method"]))
    if rows["gap"].notna().sum() == 0:
        return sentence("No fit has an AUC on both the training set and the test part.")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
        axis = figure.subplots()
        for place, method in enumerate(methods):
            cells = rows[rows["method"] == method]
            good = cells[cells["degenerate"] == 0]
            spread = np.linspace(-0.18, 0.18, len(cells))
            for values, face in ((cells["gap"].where(cells["degenerate"] == 0), None), (cells["gap"], "white")):
                shown = values if face is None else values.where(cells["degenerate"] > 0)
                style = marker_only(styles[method]) | ({} if face is None else {"markerfacecolor": face})
                axis.plot(place + spread, shown, **style, markersize=4, alpha=0.9)
            if good["gap"].notna().any():
                axis.hlines(good["gap"].mean(), place - 0.32, place + 0.32, color="black", linewidth=1.2)
        axis.axhline(0, color="0.4", linewidth=0.8)
        axis.set_xticks(range(len(methods)), methods, rotation=35, ha="right")
        axis.set_ylabel("AUC on the training set\nminus AUC on the test part, points")
        handles = [Line2D([], [], color="black", label="mean of the classes without degenerate fits")]
        if (rows["degenerate"] > 0).any():
            handles.append(
                Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none", label="degenerate")
            )
        legend_above(figure, handles, 2)
    return figure


def _whole_table(summary: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The evaluation to compare methods by, the test part if there is one, and its `class_table`."""
    evaluation = next((e for e in EVALUATIONS if summary[f"{e}_mean"].notna().any()), EVALUATIONS[0])
    return evaluation, class_table(summary, evaluation)[0]


def critical_difference(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Average ranks over the classes; a bar joins methods that Nemenyi's test at 5 % does not tell apart.

    The diagram of Demšar (2006, JMLR 7).
    """
    evaluation, table = _whole_table(summary)
    if table.shape[1] < 3 or len(table) < 2:
        return sentence("Too few methods without degenerate or missing cells to be ranked over classes.")
    ranks = average_ranks(table)
    apart = posthocs.posthoc_nemenyi_friedman(table.reset_index(drop=True))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.0 + 0.13 * table.shape[1]), layout="constrained")
        axis = figure.subplots()
        posthocs.critical_difference_diagram(
            ranks,
            apart,
            ax=axis,
            color_palette={method: styles[str(method)]["color"] for method in ranks.index},
            marker_props={"marker": "o", "s": 14},
            text_h_margin=0.02,
        )
        for text in axis.texts:
            text.set_color("black")
        axis.set_title(f"average rank of the AUC ({evaluation}) over {len(table)} classes, 1 = best", fontsize=8)
    return figure


def differences_to_best(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Mean difference over the classes of every method to the one of best rank, with its 95 % interval."""
    evaluation, table = _whole_table(summary)
    if table.shape[1] < 2 or len(table) < 2:
        return sentence("Too few methods without degenerate or missing cells to be compared over classes.")
    order = list(average_ranks(table).index)
    pairs = pairwise_differences(table[order])
    rows = pairs[pairs["first"] == order[0]].set_index("second")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.8 + 0.2 * len(rows)), layout="constrained")
        axis = figure.subplots()
        for place, (method, row) in enumerate(rows.iterrows()):
            axis.errorbar(
                -row["difference"],
                place,
                xerr=[[row["high"] - row["difference"]], [row["difference"] - row["low"]]],
                **marker_only(styles[str(method)]),
                markersize=4,
                elinewidth=1,
            )
        axis.axvline(0, color="0.4", linewidth=0.8)
        axis.set_yticks(range(len(rows)), list(rows.index))
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_xlabel(f"AUC ({evaluation}) minus that of {order[0]}, points; mean over {len(table)} classes, 95 %")
    return figure


def cost(metrics: pd.DataFrame, styles: Styles) -> Figure:
    """Mean AUC over all fits that did not degenerate against the median seconds of a fit's job.

    metrics: rows of one experiment, of `metrics.collect`. Shared pretraining is not in a fit's seconds.
    """
    evaluation = next((e for e in EVALUATIONS if metrics.loc[metrics["evaluation"] == e, "auc"].notna().any()), None)
    rows = metrics[metrics["evaluation"] == evaluation]
    groups = {
        str(method): (group["seconds"].median(), 100 * group["auc"].mean(), bool((group["degenerate"]).any()))
        for method, group in rows.groupby("method", sort=False)
    }
    groups = {method: values for method, values in groups.items() if np.isfinite(values[:2]).all()}
    if not groups:
        return sentence("No seconds are known: the benchmark files of the fits are gone.")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
        axis: Axes = figure.subplots()
        for method, (seconds, value, degenerate) in groups.items():
            face: dict[str, Any] = {"markerfacecolor": "white"} if degenerate else {}
            label = f"{method} (degenerate fits)" if degenerate else method
            axis.plot(seconds, value, **marker_only(styles[method]), **face, markersize=6, label=label)
        axis.set_xscale("log")
        log_ticks(axis.xaxis)
        axis.set(xlabel="median seconds of a fit (one job, pretraining apart)", ylabel=f"mean AUC ({evaluation}), %")
        figure.legend(loc="outside right center", frameon=False)
    return figure
