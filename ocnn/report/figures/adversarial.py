"""What an attack did, and what the number of its steps does to the methods."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ocnn.report.figures.style import STYLE, WIDTH, Styles, colours, marker_only


def attack_strength(summary: pd.DataFrame, attacks: pd.DataFrame, styles: Styles) -> Figure:
    """Draw median L2 and AUC against the number of steps: a panel for the distance, one for each kind of experiment.

    A kind with one number of steps makes no line, and has no panel.

    Args:
        summary: AUCs of the attacked experiments under the evaluation that each is read for, of `summary.evaluated`.
        attacks: see `tables.table4`.
        styles: of `method_styles`.
    """
    variants = attacks.groupby(["attack", "held_out"], sort=False)["steps"].nunique()
    kinds = list(variants.index[variants > 1])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
        axes = figure.subplots(1, 1 + len(kinds), width_ratios=[1] + [1.3] * len(kinds), squeeze=False)[0]
        for attack, group in attacks.drop_duplicates(["attack", "steps"]).groupby("attack", sort=False):
            group = group.sort_values("steps")
            axes[0].plot(_positions(group["steps"]), group["median_l2"], "o-", color="0.3", label=attack)
        _label_steps(axes[0], attacks["steps"])
        top = 1.08 * attacks["median_l2"].max()
        axes[0].set(title="Visibility", ylabel="median L2 distance to the source", ylim=(0, top))
        if attacks["attack"].nunique() > 1:
            axes[0].legend(frameon=False)
        marked = False
        for axis, (attack, held_out) in zip(axes[1:], kinds, strict=True):
            own = attacks[(attacks["attack"] == attack) & (attacks["held_out"] == held_out)]
            rows = summary.join(own, on="experiment", how="inner").sort_values("steps", kind="stable")
            for method, group in rows.groupby("method", sort=False):
                style = styles[str(method)]
                axis.errorbar(
                    _positions(group["steps"]),
                    group["mean"],
                    yerr=group["std"],
                    **style,
                    markersize=4,
                    linewidth=1,
                    elinewidth=0.6,
                    label=method,
                )
                degenerate = group[group["degenerate"] > 0]
                axis.plot(
                    _positions(degenerate["steps"]),
                    degenerate["mean"],
                    **marker_only(style),
                    markersize=4,
                    markerfacecolor="white",
                    zorder=3,
                )
                marked |= len(degenerate) > 0
            axis.axhline(50, color="0.6", linewidth=0.8, linestyle=":")
            _label_steps(axis, own["steps"])
            how = "held out" if held_out else "scored where fitted"
            axis.set(title=f"{attack}, {how}", ylabel=f"AUC ({' or '.join(dict.fromkeys(rows['evaluation']))}), %")
        handles, labels = axes[-1].get_legend_handles_labels()
        handles.append(Line2D([], [], color="0.6", linestyle=":", linewidth=0.8))
        labels.append("chance")
        if marked:
            handles.append(Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none"))
            labels.append("a fit diverged\nor collapsed")
        figure.legend(handles, labels, loc="outside right center", frameon=False)
    return figure


def _positions(steps: pd.Series) -> NDArray[np.float64]:
    """Logarithmic, with room for 0 steps."""
    return np.log10(steps.to_numpy(float) + 10)


def _label_steps(axis: mpl.axes.Axes, steps: pd.Series) -> None:
    values = pd.Series(sorted(set(steps)))
    axis.set_xticks(_positions(values), [f"{value:,.0f}" for value in values], rotation=45)
    axis.set_xlabel("steps of the attack")


def adversarial_images(
    originals: NDArray[np.float32], adversarial: NDArray[np.float32], record: pd.DataFrame, count: int = 8
) -> Figure:
    """Show sources, adversarial images and their differences, for images spread evenly over the range of distances.

    Args:
        originals, adversarial: (n, height, width, channels) in [0, 1].
        record: one row per image, with l2, before and after.
    """
    order = np.argsort(record["l2"].to_numpy())
    chosen = order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)]
    differences = adversarial[chosen] - originals[chosen]
    # Half the range for all but the largest of differences.
    factor = 0.5 / max(float(np.quantile(np.abs(differences), 0.99)), np.finfo(float).eps)
    rows = [
        ("original", originals[chosen]),
        ("adversarial", adversarial[chosen]),
        (f"difference × {factor:.2g}", np.clip(0.5 + factor * differences, 0, 1)),
    ]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / len(chosen) * 3 + 0.6), layout="constrained")
        axes = figure.subplots(len(rows), len(chosen), squeeze=False)
        for line, (label, images) in zip(axes, rows, strict=True):
            line[0].set_ylabel(label)
            for axis, image in zip(line, images, strict=True):
                axis.imshow(colours(image))
                axis.set(xticks=[], yticks=[])
                axis.grid(visible=False)
                for spine in axis.spines.values():
                    spine.set_visible(False)
        for axis, index in zip(axes[0], chosen, strict=True):
            axis.set_title(record["before"].iloc[index], fontsize=6)
        for axis, index in zip(axes[1], chosen, strict=True):
            axis.set_title(str(record["after"].iloc[index]), fontsize=6)
        for axis, index in zip(axes[2], chosen, strict=True):
            axis.set_xlabel(f"L2 {record['l2'].iloc[index]:.2f}", fontsize=6)
        figure.suptitle(f"{record['steps'].iloc[0]:,} steps, median L2 {record['l2'].median():.2f}", fontsize=9)
    return figure
