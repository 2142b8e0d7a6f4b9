"""Figures on samples made by hand; tests/report/test_report.py has those of a whole run."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from ocnn.attacks.records import RECORD
from ocnn.report.figures import adversarial, comparison, samples, training
from ocnn.report.figures.style import colours, method_styles, save, sentence
from ocnn.results.summary import evaluated, summarise
from ocnn.steps.figures import draw_adversarial_images
from ocnn.storage.arrays import CHECKSUMS, write_arrays, write_npy_files
from ocnn.storage.parquet import write_table
from tests.results.conftest import fits, published

STYLES = method_styles(["a", "b", "c"])


def texts(path: Path) -> set[str]:
    """The texts of an SVG figure."""
    return {element.text or "" for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_adversarial_images(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 1, (8, 6, 6, channels)).astype(np.float32)
    write_npy_files([tmp_path / "test.npy", tmp_path / CHECKSUMS], {"test.npy": pixels}, {})
    adversarial = np.clip(pixels[[5, 2]] + 0.1, 0, 1)
    write_arrays(tmp_path / "attack.npz", {"images": adversarial})
    record: dict[str, Any] = {
        "source": [5, 2],
        "label": "stop",
        "l2": [1.5, 2.5],
        "before": "stop",
        "after": ["go", "turn"],
    }
    record |= {"steps": 5000, "seconds": 1.0, "replaced": 0}
    write_table(tmp_path / "signs-5000.parquet", pd.DataFrame(record), RECORD, {"recipe": {}})
    files: Any = {
        "pixels": [tmp_path / "train.npy", tmp_path / "test.npy"],
        "attack": tmp_path / "attack.npz",
        "record": tmp_path / "signs-5000.parquet",
    }
    outputs = [tmp_path / "images.png", tmp_path / "images.svg"]
    draw_adversarial_images(**files, outputs=outputs)
    shown = texts(outputs[1])
    assert {"5,000 steps, median L2 2.00", "stop", "go", "turn", "L2 1.50", "L2 2.50", "original"} <= shown
    # The difference is amplified so that it fills the range.
    assert "difference × 5" in shown
    content = outputs[1].read_bytes()
    draw_adversarial_images(**files, outputs=outputs)
    assert outputs[1].read_bytes() == content


def test_no_style_of_the_users_reaches_a_figure(tmp_path: Path) -> None:
    """Neither of a matplotlibrc nor of a program: LaTeX, for one, need not be there."""
    summary = summarise(fits({("a", "3"): [90.0]}), published({("x", "3"): 1.0}), {"toy": None}, {}, alpha=0.05)
    aucs = summary[summary["metric"] == "auc"]
    styles: Any = {"text.usetex": True, "figure.facecolor": "red", "font.size": 30, "savefig.transparent": True}
    for kind, draw in (("auc", lambda: comparison.auc_by_class(aucs, STYLES)), ("words", lambda: sentence("Nothing."))):
        own, users = tmp_path / f"{kind}.svg", tmp_path / f"{kind}-styled.svg"
        save(draw(), [own])
        with mpl.rc_context(styles):
            save(draw(), [users])
            assert {name: mpl.rcParams[name] for name in styles} == styles
        assert users.read_bytes() == own.read_bytes()


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    metrics = fits({("a", "3"): [90.0], ("b", "3"): [80.0]})
    summary = evaluated(summarise(metrics, published({("x", "3"): 1.0}), {"toy": None}, {}, alpha=0.05))
    nothing = pd.DataFrame(columns=["experiment", "normal", "method", "seed", "series", "step", "value"])
    for figure, words in (
        (comparison.critical_difference(summary, STYLES), "Too few methods without degenerate or missing cells"),
        (comparison.differences_to_best(summary, STYLES), "Too few methods without degenerate or missing cells"),
        (comparison.train_test_gap(summary, STYLES), "No fit has an AUC on both"),
        (training.training_curves(nothing, ["a"], STYLES), "No method of this experiment records its training."),
        (
            comparison.cost(metrics.assign(seconds=np.nan), STYLES),
            "No seconds are known: the benchmark files",
        ),
        (comparison.auc_by_class(summary[:0], STYLES), "No samples of both kinds are measured"),
    ):
        save(figure, [tmp_path / "figure.svg"])
        assert any(words in text for text in texts(tmp_path / "figure.svg"))


def test_contamination(tmp_path: Path) -> None:
    """Each line goes through the means, by the share of anomalies and not by the order of the experiments."""
    shares = {"dirty": 1 / 11, "clean": 0.0, "some": 1 / 101}
    measured = [
        fits({("a", "3"): [60.0, 70.0], ("b", "3"): [80.0, 80.0], ("a", "8"): [55.0, 55.0]}, experiment="dirty"),
        fits({("a", "3"): [90.0, 92.0], ("b", "3"): [81.0, 81.0], ("a", "8"): [99.0, 99.0]}, experiment="clean"),
        fits(
            {("a", "3"): [85.0, 85.0], ("b", "3"): [82.0, 82.0], ("a", "8"): [98.0, 98.0]},
            experiment="some",
            degenerate=[("b", "3", 1)],
        ),
        fits({("a", "3"): [1.0, 1.0]}, experiment="some", evaluation="train"),
    ]
    summary = summarise(pd.concat(measured), published({("x", "3"): 1.0}), dict.fromkeys(shares), {}, alpha=0.05)
    figure = comparison.contamination(summary[summary["metric"] == "auc"], shares, STYLES)
    panels: Any = figure.axes
    three, eight = panels
    assert (three.get_title(), eight.get_title()) == ("3", "8")
    a, b = three.containers
    assert a.lines[0].get_xdata() == pytest.approx([0, 100 / 101, 100 / 11])
    assert a.lines[0].get_ydata() == pytest.approx([91, 85, 65])
    assert b.lines[0].get_ydata() == pytest.approx([81, 82, 80])
    assert eight.containers[0].lines[0].get_ydata() == pytest.approx([99, 98, 55])
    # Student's interval of 60 and 70, at 1 - 2 alpha: 5 by the quantile 6.314 either way.
    (whiskers,) = a.lines[2]
    assert whiskers.get_segments()[2][:, 1] == pytest.approx([65 - 31.57, 65 + 31.57], abs=0.01)
    # The hollow mark of the fit that diverged.
    hollow = [line for line in three.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in hollow] == [([100 / 101], [82])]
    save(figure, [tmp_path / "figure.svg"])
    assert {"0", "0.99", "9.1", "a", "b", "chance", "degenerate"} <= texts(tmp_path / "figure.svg")
    assert "below chance" not in texts(tmp_path / "figure.svg")


def rings(axis: Any) -> list[tuple[list[float], list[float]]]:
    """Where points have a ring: x and y of each line of rings."""
    found = [line for line in axis.lines if line.get_markerfacecolor() == "none" and len(line.get_xdata())]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in found]


def test_below_chance_has_a_ring(tmp_path: Path) -> None:
    """Of 2 anomalies and 10 normal samples 5 % is at 11.7."""
    aucs = [{("a", "3"): [5.0], ("b", "3"): [80.0]}, {("a", "3"): [60.0], ("b", "3"): [11.8]}]
    measured = [fits(cells, experiment=name) for name, cells in zip(("few", "many"), aucs, strict=True)]
    names: Any = {"few": None, "many": None}
    summary = evaluated(summarise(pd.concat(measured), published({("x", "3"): 1.0}), names, {}, alpha=0.05))
    attack = {"attack": "signs", "held_out": True, "median_l2": [2.0, 1.0], "steps": [0, 90]}
    attacks = pd.DataFrame(attack, index=["few", "many"])
    for figure, panel, where in (
        (comparison.contamination(summary, {"few": 0.0, "many": 0.5}, STYLES), 0, 0.0),
        (adversarial.attack_strength(summary, attacks, STYLES), 1, 1.0),
    ):
        assert rings(figure.axes[panel]) == [([where], [5.0])]
        save(figure, [tmp_path / "figure.svg"])
        assert "below chance" in texts(tmp_path / "figure.svg")


@pytest.mark.parametrize(
    "scores",
    [
        [0.1, 0.2, 5.0, -0.3],
        [1e-12, -1e-12, 1e7, 1e6],
        [1.0, 1.0, 1.0, 1.0],
        [np.nan, np.inf, 1.0, 2.0],
        [0.0, 0.0, 0.0, 900.0],
        [np.nan] * 4,
    ],
    ids=["plain", "far", "constant", "not finite", "zeros", "none"],
)
def test_histograms_of_odd_scores(tmp_path: Path, scores: list[float]) -> None:
    rows = pd.DataFrame({"anomaly_score": scores, "is_anomaly": [False, False, True, True]})
    save(samples.decision_scores({"a": rows}), [tmp_path / "figure.svg"])
    assert {"normal", "anomalous", "threshold", "a"} <= texts(tmp_path / "figure.svg")


@pytest.mark.parametrize(
    ("given", "expected"),
    [([0.5], [0.5] * 3), ([0.2, 0.4], [0.3] * 3), ([0.2, 0.4, 0.6], [0.2, 0.4, 0.6]), ([0, 0.2, 0.4, 1], [0.4] * 3)],
)
def test_channels_that_are_no_colours_are_shown_in_grey(given: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(colours(np.full((2, 3, len(given)), given)), np.full((2, 3, 3), expected))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_constant_images_and_few_of_them_are_shown(channels: int, tmp_path: Path) -> None:
    flat, noisy = (
        np.zeros((2, 6, 6, channels), np.float32),
        np.random.default_rng(0).normal(size=(3, 6, 6, channels)).astype(np.float32),
    )
    save(samples.in_class({"3": (flat, noisy), "5": (noisy, flat)}, "a"), [tmp_path / "in_class.png"])
    kinds = np.array([True, False]), np.array([False, False, True])
    save(samples.extremes(flat, noisy, *kinds, "a"), [tmp_path / "extremes.svg"])
    assert {"a: top 2 most normal", "1 of them adversarial"} <= texts(tmp_path / "extremes.svg")
