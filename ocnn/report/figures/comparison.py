"""AUCs of the methods: beside the published ones, train against test, over classes, and against their cost."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import scikit_posthocs as posthocs
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ocnn.report.figures.style import (
    BELOW_CHANCE,
    STYLE,
    WIDTH,
    Styles,
    legend_above,
    log_ticks,
    marker_only,
    panels,
    sentence,
)
from ocnn.results.metrics import DEGENERATE, EVALUATIONS, PUBLISHED_METRIC
from ocnn.results.statistics import average_ranks, pairwise_differences
from ocnn.results.summary import class_table

FACES: dict[str, dict[str, Any]] = {
    "test": {},
    "train": {"markerfacecolor": "white"},
    "held_out": {"markerfacecolor": "0.75"},
}
PUBLISHED: dict[str, Any] = {"color": "black", "marker": "|", "linestyle": "none", "markersize": 9}
#: How cells are marked, by the column of the summary that says so.
MARKS = {"degenerate": {**BELOW_CHANCE, "marker": "x", "label": "diverged or collapsed"}, "below_chance": BELOW_CHANCE}


def auc_by_class(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Draw one panel per method, one line per normal class: AUCs, their intervals, the published value.

    summary: AUCs of one experiment, of `summarise`.
    """
    methods, classes = (list(dict.fromkeys(summary[name])) for name in ("method", "normal"))
    evaluations = [evaluation for evaluation in EVALUATIONS if (summary["evaluation"] == evaluation).any()]
    if not evaluations:
        return sentence("No samples of both kinds are measured: there is no AUC.")
    spread = np.linspace(-0.16, 0.16, len(evaluations)) if len(evaluations) > 1 else [0.0]
    offsets = dict(zip(evaluations, spread, strict=True))
    lines = {normal: place for place, normal in enumerate(classes)}
    with mpl.rc_context(STYLE):
        figure, axes = panels(
            len(methods), columns=4, height=0.42 + 0.14 * max(len(classes), 4), sharex=True, sharey=True
        )
        for axis, method in zip(axes, methods, strict=True):
            for evaluation in evaluations:
                rows = summary[(summary["method"] == method) & (summary["evaluation"] == evaluation)]
                places = rows["normal"].map(lines) + offsets[evaluation]
                around = np.stack([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])
                axis.errorbar(
                    rows["mean"],
                    places,
                    xerr=np.nan_to_num(around),
                    **marker_only(styles[method]),
                    **FACES[evaluation],
                    markersize=3.5,
                    elinewidth=0.8,
                )
                for column, mark in MARKS.items():
                    chosen = rows[column] > 0
                    axis.plot(rows.loc[chosen, "mean"], places[chosen], **mark, zorder=4)
                axis.plot(rows["published_mean"], rows["normal"].map(lines), **PUBLISHED, markeredgewidth=1.4)
            axis.set_title(method)
            axis.axvline(50, color="0.6", linewidth=0.8, linestyle=":")
        axes[0].set_yticks(range(len(classes)), classes)
        axes[0].set_ylim(len(classes) - 0.4, -0.6)
        # An interval over two seeds can be longer than the scale.
        lowest = summary[["mean", "published_mean"]].min().min()
        axes[0].set_xlim(max(0.0, min(45.0, lowest - 4)) if np.isfinite(lowest) else 0.0, 101.5)
        figure.supxlabel("AUC, %", fontsize=8)
        handles = [Line2D([], [], color="0.3", marker="o", linestyle="none", label=e, **FACES[e]) for e in evaluations]
        if summary["published_mean"].notna().any():
            handles.append(Line2D([], [], **PUBLISHED, label="published"))
        handles += [Line2D([], [], **mark) for column, mark in MARKS.items() if (summary[column] > 0).any()]
        handles.append(Line2D([], [], color="0.6", linestyle=":", linewidth=0.8, label="chance"))
        legend_above(figure, handles, 6)
    return figure


def train_test_gap(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Draw AUC on the training set less AUC on the test part: a point per class, a bar for their mean.

    Degenerate cells are apart.

    summary: AUCs of one experiment.
    """
    methods, classes = (list(dict.fromkeys(summary[name])) for name in ("method", "normal"))
    wide = summary.pivot(index=["method", "normal"], columns="evaluation", values="mean").reindex(columns=EVALUATIONS)
    gaps = wide["train"] - wide["test"]
    if gaps.notna().sum() == 0:
        return sentence("No fit has an AUC on both the training set and the test part.")
    degenerate = summary.groupby(["method", "normal"])["degenerate"].max().reindex(gaps.index) > 0
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
        axis = figure.subplots()
        for place, method in enumerate(methods):
            own, bad = gaps[method].reindex(classes), degenerate[method].reindex(classes, fill_value=False)
            places = place + np.linspace(-0.18, 0.18, len(own))
            style = marker_only(styles[method])
            axis.plot(places, own.mask(bad), **style, markersize=4, alpha=0.9)
            axis.plot(places, own.where(bad), **style | {"markerfacecolor": "white"}, markersize=4, alpha=0.9)
            if own.mask(bad).notna().any():
                axis.hlines(own.mask(bad).mean(), place - 0.32, place + 0.32, color="black", linewidth=1.2)
        axis.axhline(0, color="0.4", linewidth=0.8)
        axis.set_xticks(range(len(methods)), methods, rotation=35, ha="right")
        axis.set_ylabel("AUC on the training set\nminus AUC on the test part, points")
        handles = [Line2D([], [], color="black", label="mean of the classes without degenerate fits")]
        if degenerate.any():
            handles.append(
                Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none", label="degenerate")
            )
        legend_above(figure, handles, 2)
    return figure


def contamination(summary: pd.DataFrame, contaminations: Mapping[str, float], styles: Styles) -> Figure:
    """Draw AUC on the test part against the contamination of the training set: a panel per class, a line per method.

    Hollow where fits degenerated, with a ring where an AUC is below chance.

    Args:
        summary: AUCs of the experiments of a family, of `summarise`.
        contaminations: share of anomalies in the training set, by experiment.
        styles: of `method_styles`.
    """
    rows = summary[summary["evaluation"] == "test"]
    rows = rows.assign(percent=100 * rows["experiment"].map(dict(contaminations)).astype(float)).sort_values(
        "percent", kind="stable"
    )
    methods, classes = (list(dict.fromkeys(summary[name])) for name in ("method", "normal"))
    ticks = sorted(set(rows["percent"]))
    with mpl.rc_context(STYLE):
        figure, axes = panels(len(classes), columns=min(len(classes), 4), height=2.0, sharex=True, sharey=True)
        for axis, normal in zip(axes, classes, strict=True):
            for method in methods:
                own = rows[(rows["normal"] == normal) & (rows["method"] == method)]
                around = np.nan_to_num(np.stack([own["mean"] - own["low"], own["high"] - own["mean"]]))
                style = styles[method]
                axis.errorbar(own["percent"], own["mean"], yerr=around, **style, markersize=4, elinewidth=0.6)
                bad = own[own["degenerate"] > 0]
                hollow = {**marker_only(style), "markerfacecolor": "white"}
                axis.plot(bad["percent"], bad["mean"], **hollow, markersize=4, zorder=3)
                below = own[own["below_chance"]]
                axis.plot(below["percent"], below["mean"], **BELOW_CHANCE, zorder=4)
            axis.axhline(50, color="0.6", linewidth=0.8, linestyle=":")
            axis.set_title(normal)
            axis.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
        figure.supxlabel("anomalies among the training samples, %", fontsize=8)
        figure.supylabel("AUC (test), %", fontsize=8)
        handles = [Line2D([], [], **styles[method], markersize=4, label=method) for method in methods]
        handles.append(Line2D([], [], color="0.6", linestyle=":", linewidth=0.8, label="chance"))
        if (rows["degenerate"] > 0).any():
            handles.append(
                Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none", label="degenerate")
            )
        if rows["below_chance"].any():
            handles.append(Line2D([], [], **BELOW_CHANCE))
        legend_above(figure, handles, 6)
    return figure


def critical_difference(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Draw average ranks over the classes; a bar joins methods that Nemenyi's test at 5 % does not tell apart.

    The diagram of Demšar (2006, JMLR 7).

    summary: AUCs of one experiment under the evaluation that it is read for, of `summary.evaluated`.
    """
    table = class_table(summary)[0]
    if table.shape[1] < 3 or len(table) < 2:
        return sentence("Too few methods without degenerate or missing cells to be ranked over classes.")
    evaluation = summary["evaluation"].iloc[0]
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
    """Draw the mean difference over the classes of every method to the one of best rank, with its 95 % interval.

    summary: as for `critical_difference`.
    """
    table = class_table(summary)[0]
    if table.shape[1] < 2 or len(table) < 2:
        return sentence("Too few methods without degenerate or missing cells to be compared over classes.")
    evaluation = summary["evaluation"].iloc[0]
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
    """Draw the mean AUC over all fits against the median seconds of a fit's job; hollow where fits degenerated.

    metrics: rows of one experiment under one evaluation, of `measurements.collect`. Shared pretraining is not in a
        fit's seconds.
    """
    groups = {
        str(method): (
            group["seconds"].median(),
            100 * group[PUBLISHED_METRIC].mean(),
            group["status"].isin(DEGENERATE).any(),
        )
        for method, group in metrics.groupby("method", sort=False)
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
        axis.set(
            xlabel="median seconds of a fit (one job, pretraining apart)",
            ylabel=f"mean AUC ({metrics['evaluation'].iloc[0]}), %",
        )
        if min(value for _, value, _ in groups.values()) < 50:
            axis.axhline(50, color="0.6", linewidth=0.8, linestyle=":", label="chance")
        figure.legend(loc="outside right center", frameon=False)
    return figure
