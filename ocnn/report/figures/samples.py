"""Decision scores, and the samples to which a method gave the highest and the lowest."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ocnn.report.figures.style import (
    ANOMALOUS,
    NORMAL,
    PALETTE,
    STYLE,
    WIDTH,
    legend_above,
    log_ticks,
    panels,
    stretched,
)

#: Frames of adversarial and of normal images, as in the paper: green and blue of the colour-blind palette.
ADVERSARIAL_FRAME, NORMAL_FRAME = PALETTE[2], PALETTE[0]


def decision_scores(scores: Mapping[str, pd.DataFrame], *, labelled: bool = True) -> Figure:
    """Draw histograms of the decision scores of normal and anomalous samples, one panel per method; 0 is the threshold.

    Args:
        scores: for each method the rows of a score file that are evaluated.
        labelled: whether it is known which samples are anomalous.
    """
    with mpl.rc_context(STYLE):
        figure, axes = panels(len(scores), columns=3, height=1.35)
        for axis, (method, rows) in zip(axes, scores.items(), strict=True):
            decisions = -rows["anomaly_score"].to_numpy()
            finite = np.isfinite(decisions)
            bins = _bins(axis, decisions[finite])
            for anomalous, colour in ((False, NORMAL), (True, ANOMALOUS)):
                chosen = decisions[finite & (rows["is_anomaly"].to_numpy() == anomalous)]
                axis.stairs(np.histogram(chosen, bins)[0], bins, fill=True, color=colour, alpha=0.75)
            axis.axvline(0, color="black", linewidth=1, linestyle="--")
            axis.set_title(method)
            axis.tick_params(labelsize=6.5)
            # So that a bin of one sample is seen beside one of hundreds.
            if finite.any():
                axis.set_yscale("log")
                axis.set_ylim(0.6)
                log_ticks(axis.yaxis)
            axis.grid(visible=False, axis="x")
        figure.supxlabel("decision score: ≥ 0 normal, < 0 anomalous", fontsize=8)
        figure.supylabel("samples", fontsize=8)
        handles = [
            Patch(color=NORMAL, alpha=0.75, label="normal" if labelled else "samples"),
            *([Patch(color=ANOMALOUS, alpha=0.75, label="anomalous")] if labelled else []),
            Line2D([], [], color="black", linestyle="--", linewidth=1, label="threshold"),
        ]
        legend_above(figure, handles, 3)
    return figure


def _bins(axis: Axes, decisions: NDArray[np.float64], count: int = 40) -> NDArray[np.float64]:
    """Edges of bins; with far tails they, and the axis, are linear around the bulk and logarithmic beyond."""
    if not len(decisions) or np.ptp(decisions) == 0:
        return np.linspace(-1, 1, 3) + (decisions[0] if len(decisions) else 0)
    low, high = float(decisions.min()), float(decisions.max())
    furthest = max(-low, high)
    bulk = max(float(np.abs(np.quantile(decisions, (0.1, 0.5, 0.9))).max()), 1e-4 * furthest)
    if furthest < 20 * bulk:
        axis.locator_params(axis="x", nbins=5)
        return np.linspace(low, high, count + 1)
    axis.set_xscale("asinh", linear_width=bulk)
    # 0 and the power of ten within either end.
    ends = [np.sign(end) * 10 ** np.floor(np.log10(abs(end))) for end in (low, high) if abs(end) > 3 * bulk]
    axis.set_xticks([0, *ends], ["0", *(f"{end:g}".replace("-", "−") for end in ends)])
    return bulk * np.sinh(np.linspace(np.arcsinh(low / bulk), np.arcsinh(high / bulk), count + 1))


def in_class(images: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]], method: str) -> Figure:
    """Show the most normal and the most anomalous samples of the normal class itself, one line per class.

    images: for each class the most normal (n, height, width, channels) and the most anomalous ones, the extreme first.
    """
    count = max(len(part) for parts in images.values() for part in parts)
    line = WIDTH / 2 / count
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, line * len(images) + 0.55), layout="constrained")
        axes = figure.subplots(1, 2)
        for axis, part, title in zip(axes, (0, 1), ("most normal", "most anomalous of the class"), strict=True):
            _show(axis, [_strip(parts[part], count) for parts in images.values()])
            axis.set_title(f"{method}: {title}")
        height = next(iter(images.values()))[0].shape[1] + 2
        axes[0].set_yticks([height * (place + 0.5) for place in range(len(images))], list(images))
        axes[0].tick_params(length=0)
    return figure


def extremes(
    normal: NDArray[np.float32],
    anomalous: NDArray[np.float32],
    normal_kinds: NDArray[np.bool_],
    anomalous_kinds: NDArray[np.bool_],
    method: str,
    columns: int = 10,
) -> Figure:
    """Show the most normal and the most anomalous of all samples, each in a frame that tells what it is.

    Args:
        normal, anomalous: (n, height, width, channels), the extreme first.
        normal_kinds, anomalous_kinds: (n,) whether each of these is an anomaly.
        method: its name.
        columns: images per line.
    """
    lines = -(-max(len(normal), len(anomalous)) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / 2 / columns * lines + 0.8), layout="constrained")
        axes = figure.subplots(1, 2)
        parts = ((normal, normal_kinds, "most normal"), (anomalous, anomalous_kinds, "most anomalous"))
        for axis, (images, kinds, title) in zip(axes, parts, strict=True):
            framed = [_framed(image, kind) for image, kind in zip(images, kinds, strict=True)]
            _show(axis, [_strip(framed[start : start + columns], columns) for start in range(0, len(framed), columns)])
            axis.set_title(f"{method}: top {len(images)} {title}\n{np.count_nonzero(kinds)} of them adversarial")
        handles = [
            Patch(color=ADVERSARIAL_FRAME, label="adversarial (wide frame)"),
            Patch(color=NORMAL_FRAME, label="normal (narrow frame)"),
        ]
        legend_above(figure, handles, 2)
    return figure


def most_anomalous(images: NDArray[np.float32], method: str, columns: int = 10) -> Figure:
    """Show the most anomalous of samples without labels.

    Args:
        images: (n, height, width, channels), the extreme first.
        method: its name.
        columns: images per line.
    """
    lines = -(-len(images) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / columns * lines + 0.4), layout="constrained")
        axis = figure.subplots()
        _show(axis, [_strip(images[start : start + columns], columns) for start in range(0, len(images), columns)])
        axis.set_title(f"{method}: the {len(images)} most anomalous")
    return figure


def _framed(image: NDArray[np.float32], is_anomaly: bool) -> NDArray[np.float32]:
    """The image in a frame, the wider one of an anomaly, so that the colour does not tell alone."""
    width = max(1, image.shape[0] // 12) * (2 if is_anomaly else 1)
    widest = 2 * max(1, image.shape[0] // 12)
    frame = np.ones((image.shape[0] + 2 * widest, image.shape[1] + 2 * widest, 3), np.float32)
    gap = widest - width
    frame[gap : len(frame) - gap, gap : frame.shape[1] - gap] = ADVERSARIAL_FRAME if is_anomaly else NORMAL_FRAME
    frame[widest:-widest, widest:-widest] = stretched(image)
    return frame


def _strip(images: NDArray[np.float32] | Sequence[NDArray[np.float32]], count: int) -> NDArray[np.float32]:
    """Images side by side with a white gap, padded to so many."""
    padded = [np.pad(stretched(image), ((1, 1), (1, 1), (0, 0)), constant_values=1) for image in images]
    padded += [np.ones_like(padded[0])] * (count - len(padded))
    return np.concatenate(padded, axis=1)


def _show(axis: Axes, strips: Sequence[NDArray[np.float32]]) -> None:
    axis.imshow(np.concatenate(strips), interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    for spine in axis.spines.values():
        spine.set_visible(False)
