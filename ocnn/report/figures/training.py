"""How trainings went."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ocnn.report.figures.style import STYLE, Styles, log_ticks, panels, plain_ticks, sentence

#: What a method minimises, by the name it is recorded under; the first that is there is drawn.
OBJECTIVES = ("objective", "loss")


def training_curves(histories: pd.DataFrame, methods: list[str], styles: Styles) -> Figure:
    """Draw the objective of every fit over its epochs or outer iterations: one panel per method, one line per fit.

    histories: rows of one experiment, of `measurements.collect`.
    """
    curves = {}
    for method in methods:
        own = histories[histories["method"] == method]
        series = next((name for name in OBJECTIVES if (own["series"] == name).any()), None)
        if series is not None:
            curves[method] = own[own["series"] == series]
    if not curves:
        return sentence("No method of this experiment records its training.")
    with mpl.rc_context(STYLE):
        figure, axes = panels(len(curves), columns=4, height=1.35)
        for axis, (method, rows) in zip(axes, curves.items(), strict=True):
            for _, line in rows.groupby(["normal", "seed"], sort=False):
                axis.plot(line["step"], line["value"], color=styles[method]["color"], linewidth=0.7, alpha=0.7)
            values = rows["value"][np.isfinite(rows["value"])]
            if len(values) and values.min() > 0 and values.max() > 20 * values.min():
                axis.set_yscale("log")
                log_ticks(axis.yaxis)
            elif len(values) and np.ptp(values) > 1000 * max(values.abs().median(), 1e-9):
                axis.set_yscale("symlog", linthresh=max(values.abs().median(), 1e-9))
                plain_ticks(axis.yaxis)
            axis.set_title(f"{method}: {rows['series'].iloc[0]}", fontsize=8)
            axis.tick_params(labelsize=6.5)
            axis.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        figure.supxlabel("epoch or outer iteration", fontsize=8)
    return figure
