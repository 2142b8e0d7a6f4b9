"""The figure of the protocol as released, taken apart."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ocnn.report.figures.style import STYLE, legend_above, panels, sentence
from ocnn.results.decomposition import ALL, MEASURED, SHUFFLED, SHUFFLED_TEST, TITLES

#: From left to right.
PLACES = (SHUFFLED, *MEASURED, SHUFFLED_TEST)


def steps(table: pd.DataFrame) -> Figure:
    """Draw one panel per method: the AUC of each way to measure, a thin line per class, a thick one for their mean.

    table: of `decompose`, of one experiment.
    """
    measured = table[table["quantity"].isin(PLACES)]
    if measured["mean"].notna().sum() == 0:
        return sentence("No fit has an AUC.")
    methods = list(dict.fromkeys(measured["method"]))
    with mpl.rc_context(STYLE):
        figure, axes = panels(len(methods), columns=2, height=2.4, sharey=True)
        for axis, method in zip(axes, methods, strict=True):
            own = measured[measured["method"] == method]
            main = ALL if (own["normal"] == ALL).any() else own["normal"].iloc[0]
            for normal, rows in own.groupby("normal", sort=False):
                line = rows.set_index("quantity").reindex(PLACES)
                if normal != main:
                    axis.plot(range(len(PLACES)), line["mean"], color="0.7", linewidth=0.8, marker=".", markersize=3)
            line = own[own["normal"] == main].set_index("quantity").reindex(PLACES)
            around = [(line["mean"] - line["low"]).fillna(0), (line["high"] - line["mean"]).fillna(0)]
            axis.errorbar(
                range(len(PLACES)),
                line["mean"],
                yerr=around,
                color="black",
                marker="o",
                linewidth=1.6,
                capsize=2,
                zorder=3,
            )
            if line["published"].notna().any():
                axis.axhline(line["published"].dropna().iloc[0], color="black", linewidth=0.9, linestyle="--")
            axis.set_title(method)
            axis.set_xticks(
                range(len(PLACES)), [TITLES[name].replace(", ", "\n").replace(" ", "\n") for name in PLACES]
            )
        axes[0].set_ylabel("AUC, %")
        many = (measured["normal"] == ALL).any()
        label = "mean of the classes, interval" if many else "AUC, interval"
        handles = [Line2D([], [], color="black", linewidth=1.6, marker="o", label=label)]
        if many:
            handles.append(Line2D([], [], color="0.7", linewidth=0.8, marker=".", label="a class"))
        if measured["published"].notna().any():
            handles.append(Line2D([], [], color="black", linewidth=0.9, linestyle="--", label="published"))
        legend_above(figure, handles, 3)
    return figure
