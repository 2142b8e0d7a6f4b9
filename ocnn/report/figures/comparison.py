"""AUCs of the methods: beside the published ones, train against test, over classes, and against their cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import scikit_posthocs as posthocs
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

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
from ocnn.results.details import GRID
from ocnn.results.metrics import DEGENERATE, EVALUATIONS, PUBLISHED_METRIC
from ocnn.results.statistics import average_ranks, pairwise_differences
from ocnn.results.summary import blocks_of, class_table

FACES: dict[str, dict[str, Any]] = {
    "test": {},
    "train": {"markerfacecolor": "white"},
    "held_out": {"markerfacecolor": "0.75"},
}
PUBLISHED: dict[str, Any] = {"color": "black", "marker": "|", "linestyle": "none", "markersize": 9}
CHANCE: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "linestyle": ":"}
#: With fewer classes the AUCs of a class share a panel.
FEW_CLASSES = 4
#: So many methods have a curve in colour. Between points of the grid a rate holds from the left, a precision to it.
COLOURED = 8
STEPS = {"tpr": "steps-post", "precision": "steps-pre"}
#: How cells are marked, by the column of the summary that says so.
MARKS = {"degenerate": {**BELOW_CHANCE, "marker": "x", "label": "diverged or collapsed"}, "below_chance": BELOW_CHANCE}


def auc_by_class(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Draw AUCs, their intervals and the published values: one panel per method, one line per normal class.

    Where there are fewer classes than methods need to be compared, the other way round: a panel per class, and in it a
    line per method, so that no panel has a dot or two.

    summary: AUCs of one experiment, of `summarise`.
    """
    methods, classes = (list(dict.fromkeys(summary[name])) for name in ("method", "normal"))
    by_class = len(classes) < FEW_CLASSES
    evaluations = [evaluation for evaluation in EVALUATIONS if (summary["evaluation"] == evaluation).any()]
    if not evaluations:
        return sentence("No samples of both kinds are measured: there is no AUC.")
    spread = np.linspace(-0.16, 0.16, len(evaluations)) if len(evaluations) > 1 else [0.0]
    offsets = dict(zip(evaluations, spread, strict=True))
    outer, inner = ("normal", "method") if by_class else ("method", "normal")
    names = {"normal": classes, "method": methods}
    lines = {name: place for place, name in enumerate(names[inner])}
    with mpl.rc_context(STYLE):
        height = 0.42 + 0.14 * max(len(lines), 4)
        figure, axes = panels(len(names[outer]), columns=2 if by_class else 4, height=height, sharex=True, sharey=True)
        for axis, panel in zip(axes, names[outer], strict=True):
            for evaluation in evaluations:
                in_panel = summary[(summary[outer] == panel) & (summary["evaluation"] == evaluation)]
                for method, rows in in_panel.groupby("method", sort=False):
                    places = rows[inner].map(lines) + offsets[evaluation]
                    around = np.stack([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])
                    axis.errorbar(
                        rows["mean"],
                        places,
                        xerr=np.nan_to_num(around),
                        **marker_only(styles[str(method)]),
                        **FACES[evaluation],
                        markersize=3.5,
                        elinewidth=0.8,
                    )
                    for column, mark in MARKS.items():
                        chosen = rows[column] > 0
                        axis.plot(rows.loc[chosen, "mean"], places[chosen], **mark, zorder=4)
                axis.plot(in_panel["published_mean"], in_panel[inner].map(lines), **PUBLISHED, markeredgewidth=1.4)
            axis.set_title(panel)
            axis.axvline(50, color="0.6", linewidth=0.8, linestyle=":")
        axes[0].set_yticks(range(len(lines)), list(lines))
        axes[0].set_ylim(len(lines) - 0.4, -0.6)
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
    """Draw average ranks over classes or data sets; a bar joins methods that Nemenyi's test at 5 % does not tell apart.

    The diagram of Demšar (2006, JMLR 7).

    summary: AUCs of one experiment, or of `summary.over_datasets`, of `summary.evaluated`.
    """
    table, blocks = class_table(summary)[0], blocks_of(summary["experiment"])
    if table.shape[1] < 3 or len(table) < 2:
        return sentence(f"Too few methods without degenerate or missing cells to be ranked over {blocks}.")
    evaluation = summary["evaluation"].iloc[0]
    ranks = average_ranks(table)["rank"]
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
        axis.set_title(f"average rank of the AUC ({evaluation}) over {len(table)} {blocks}, 1 = best", fontsize=8)
    return figure


def differences_to_best(summary: pd.DataFrame, styles: Styles) -> Figure:
    """Draw the mean difference over classes or data sets of every method to that of best rank, with its 95 % interval.

    summary: as for `critical_difference`.
    """
    table, blocks = class_table(summary)[0], blocks_of(summary["experiment"])
    if table.shape[1] < 2 or len(table) < 2:
        return sentence(f"Too few methods without degenerate or missing cells to be compared over {blocks}.")
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
        axis.set_xlabel(f"AUC ({evaluation}) minus that of {order[0]}, points; mean over {len(table)} {blocks}, 95 %")
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


def class_heat_map(summary: pd.DataFrame) -> Figure:
    """Draw the mean AUCs as a map, methods × classes, with the numbers; hatched where fits diverged or collapsed.

    summary: AUCs of one experiment, or of `summary.over_datasets`, of `summary.evaluated`.
    """
    order = {name: list(dict.fromkeys(summary[name])) for name in ("method", "normal")}
    values, bad = (
        summary.pivot(index="method", columns="normal", values=name).reindex(order["method"])[order["normal"]]
        for name in ("mean", "degenerate")
    )
    if values.isna().all(axis=None):
        return sentence("No samples of both kinds are measured: there is no AUC.")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.9 + 0.2 * len(values)), layout="constrained")
        axis = figure.subplots()
        sns.heatmap(
            values,
            ax=axis,
            annot=True,
            fmt=".1f",
            cmap="Blues",
            annot_kws={"fontsize": 6.5},
            linewidths=0.5,
            cbar_kws={"label": f"AUC ({summary['evaluation'].iloc[0]}), %", "aspect": 30},
        )
        for row, column in zip(*np.nonzero(bad.to_numpy() > 0), strict=True):
            axis.add_patch(Rectangle((column, row), 1, 1, fill=False, hatch="////", edgecolor="0.55", linewidth=0))
        axis.set(xlabel="", ylabel="")
        axis.grid(visible=False)
        axis.tick_params(length=0, labelrotation=0)
        if sum(map(len, map(str, order["normal"]))) > 90:
            axis.tick_params(axis="x", labelrotation=35)
    return figure


def curves(shapes: pd.DataFrame, ranked: Sequence[str], styles: Styles, share: float) -> Figure:
    """Draw mean ROC and precision-recall curves: the first of the methods in colour, the others grey.

    A rate is averaged over fits at each false positive rate (vertical averaging, Fawcett 2006, Pattern Recognition
    Letters 27), and precision at each recall; a method with a fit that has no curve is left out.

    Args:
        shapes: rows of an experiment, of `measurements.Collected`.
        ranked: methods, the highest mean AUC first.
        styles: of `method_styles`.
        share: of anomalies among the samples, the precision of a ranking by chance.
    """
    rows = shapes[shapes["series"].isin(["tpr", "precision"])]
    if rows.empty:
        return sentence("No samples of both kinds are measured: there are no curves.")
    means = rows.groupby(["series", "method", "step"])["value"].mean()
    drawn = [method for method in ranked if ("tpr", method) in means.index]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
        axes = figure.subplots(1, 2, sharex=True, sharey=True)
        # The best last, so that they lie above.
        for place, method in reversed(list(enumerate(drawn))):
            style = {name: styles[method][name] for name in ("color", "linestyle")}
            look = {**style, "linewidth": 1.3} if place < COLOURED else {"color": "0.8", "linewidth": 0.7}
            for axis, series in zip(axes, ("tpr", "precision"), strict=True):
                axis.plot(GRID, means[series, method].to_numpy(), **look, drawstyle=STEPS[series])
        axes[0].plot([0, 1], [0, 1], **CHANCE)
        axes[1].axhline(share, **CHANCE)
        axes[0].set(xlabel="false positive rate", ylabel="true positive rate (recall)", title="ROC", ylim=(0, 1.01))
        axes[1].set(xlabel="recall", ylabel="precision", title="Precision and recall", xlim=(0, 1))
        axes[1].tick_params(labelleft=True)
        handles = [
            Line2D([], [], **{name: styles[method][name] for name in ("color", "linestyle")}, label=method)
            for method in drawn[:COLOURED]
        ]
        if len(drawn) > COLOURED:
            handles.append(Line2D([], [], color="0.8", linewidth=0.7, label=f"{len(drawn) - COLOURED} more"))
        handles.append(Line2D([], [], **CHANCE, label="chance"))
        legend_above(figure, handles, 5)
    return figure
