"""How all figures look, and how they are written."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from ocnn.storage.files import atomic_write

#: Inches of a page's text.
WIDTH = 7.0
MARKERS = "osD^vP<X>*pdhH"
#: Matplotlib's own defaults, whatever the user's style sheet or program says, and what differs from them.
STYLE: Any = {
    **{name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")},
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # Names are free text: a dollar sign in one begins no formula.
    "text.parse_math": False,
    "svg.fonttype": "none",
    # So that the same figure is the same file.
    "svg.hashsalt": "ocnn",
}
#: Seaborn's palette for the colour-blind, its yellow, which is hard to see on white, replaced by black.
PALETTE = [*sns.color_palette("colorblind")[:8], (0.0, 0.0, 0.0), sns.color_palette("colorblind")[9]]
#: Blue and orange, for normal and anomalous samples.
NORMAL, ANOMALOUS = PALETTE[0], PALETTE[1]
#: A ring around the point of an AUC below chance.
BELOW_CHANCE: dict[str, Any] = {
    "color": "black",
    "marker": "o",
    "markersize": 6,
    "markerfacecolor": "none",
    "linestyle": "none",
    "label": "below chance",
}

Styles = dict[str, dict[str, Any]]


def method_styles(methods: Sequence[str]) -> Styles:
    """Choose colour, marker and line of each method, as Matplotlib's arguments, by its place among the methods.

    Ten colours can be told apart; the eleventh method has the first one's again, and another line and marker.
    """
    return {
        method: {
            "color": PALETTE[number % len(PALETTE)],
            "marker": MARKERS[number % len(MARKERS)],
            "linestyle": ("-", "--", ":")[number // len(PALETTE) % 3],
        }
        for number, method in enumerate(methods)
    }


def marker_only(style: dict[str, Any]) -> dict[str, Any]:
    """Change a method's style to that of points that no line connects."""
    return {**style, "linestyle": "none"}


def panels(count: int, *, columns: int, height: float, **kwargs: Any) -> tuple[Figure, list[Axes]]:
    """Make a figure of so many panels of a height in inches, row by row; places that are left over are empty."""
    rows = -(-count // columns)
    columns = min(columns, count)
    figure = Figure(figsize=(WIDTH, rows * height + 0.4), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, **kwargs).flat)
    for axis in axes[count:]:
        axis.set_axis_off()
    # With shared axes only the lowest row has labels, but it has gaps.
    for axis in axes[:count]:
        if axes.index(axis) + columns >= count:
            axis.tick_params(labelbottom=True)
    return figure, axes[:count]


def legend_above(figure: Figure, handles: Sequence[Artist], columns: int) -> None:
    """Put a legend over all panels."""
    figure.legend(handles=list(handles), loc="outside upper center", ncols=columns, frameon=False)


def log_ticks(axis: Axis) -> None:
    """Put plain numbers at 1, 2 and 5 on a logarithmic axis, as many as there is room for."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
    axis.set_minor_locator(NullLocator())
    plain_ticks(axis)


def plain_ticks(axis: Axis) -> None:
    """Write the numbers of an axis without formulae."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    axis.set_minor_formatter(NullFormatter())


def sentence(text: str) -> Figure:
    """Make a figure that says why there is nothing to draw."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.8))
        figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    figure.set_label(text)
    return figure


def save(figure: Figure, outputs: Iterable[Path]) -> None:
    """Write a figure in the format of each output's suffix; one of `sentence` states that as its description."""
    with mpl.rc_context(STYLE):
        # Once for all formats; `bbox_inches="tight"` would do it again for each.
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
        around = figure.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])
        for path in outputs:
            hidden = "Date" if path.suffix == ".svg" else "Software"
            metadata: dict[str, Any] = {hidden: None, "Description": figure.get_label() or None}
            with atomic_write(path) as temporary:
                figure.savefig(temporary, dpi=200, bbox_inches=around, metadata=metadata)


def colours(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give an image (height, width, channels) three channels: one is grey, three are colours, of others the mean is."""
    channels = image.shape[2]
    shown = image if channels in (1, 3) else image.mean(axis=2, keepdims=True)
    return np.broadcast_to(shown, (*image.shape[:2], 3))


def stretched(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stretch an image (height, width, channels) to its own range, of three channels: normalised pixels have none."""
    low, high = float(image.min()), float(image.max())
    return colours((image - low) / (high - low) if high > low else np.zeros_like(image))
