"""Figures: what they show, that they are written, and the table behind them."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ocnn.pipeline.report import draw_adversarial_images, draw_attack_strength, make_table4
from ocnn.results import figures

METHODS = [f"method{number}" for number in range(13)]


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    """Two seeds, at two numbers of steps held out and at one scored where it was fitted; a fit of method0 diverged."""
    rows = [
        {
            "experiment": experiment,
            "normal": "stop",
            "method": method,
            "seed": seed,
            "evaluation": evaluation,
            "auc": np.nan if (evaluation == "test") != held_out else 0.6 + 0.03 * number + 0.02 * seed,
            "status": "diverged" if number + seed == 0 else "converged",
            "reason": "because",
        }
        for experiment, held_out in (("few", True), ("many", True), ("all", False))
        for number, method in enumerate(METHODS)
        for seed in (0, 1)
        for evaluation in ("test", "train")
    ]
    path = tmp_path / "metrics.parquet"
    pd.DataFrame(rows).to_parquet(path)
    for steps, l2 in ((0, 4.0), (5000, 1.5)):
        record = {"source": [5, 2], "l2": [l2, l2 + 1], "before": "stop", "after": ["go", "turn"]}
        pd.DataFrame({**record, "steps": steps, "replaced": 3}).to_parquet(tmp_path / f"signs-{steps}.parquet")
    return path


ATTACKS = {
    "few": {"attack": "signs", "steps": 0, "held_out": True},
    "many": {"attack": "signs", "steps": 5000, "held_out": True},
    "all": {"attack": "signs", "steps": 5000, "held_out": False},
}


@pytest.fixture
def table4(metrics: Path, tmp_path: Path) -> Path:
    published = tmp_path / "published.csv"
    published.write_text("dataset,class,method,auc_mean,auc_std\ngtsrb,stop,method1,87.45,3.1\ngtsrb,stop,method2,,\n")
    make_table4(
        metrics,
        [published],
        {"few": None, "many": None, "all": "gtsrb"},
        {},
        ATTACKS,
        str(tmp_path / "{attack}-{steps}.parquet"),
        tmp_path / "table4.csv",
        tmp_path / "table4.md",
    )
    return tmp_path / "table4.csv"


def test_table4(table4: Path) -> None:
    rows = {(row["experiment"], row["method"]): row for row in pd.read_csv(table4).to_dict("records")}
    assert len(rows) == 3 * 13
    row = rows["many", "method1"]
    assert row["test_mean"] == pytest.approx(64)
    assert row["median_l2"] == 2.0
    assert (row["images"], row["replaced"], row["steps"]) == (2, 3, 5000)
    assert np.isnan(row["published_mean"])
    assert rows["all", "method1"]["published_mean"] == 87.45
    text = table4.with_suffix(".md").read_text()
    assert "## few (2 seeds)" in text
    assert "5000 steps, median L2 2.00; all images fitted and scored at once, as in the paper." in text
    lines = {line.split("|")[1].strip(): line for line in text.split("## all")[1].splitlines() if "| method" in line}
    assert lines["method1"].split("|")[2:4] == [" 64.0 ± 1.4      ", " 87.45 ± 3.1 "]
    assert "†1/2" in lines["method0"]
    assert "–" in lines["method2"]
    assert text.count("because") == 3


def test_attack_strength(table4: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "figures" / f"strength.{suffix}" for suffix in ("svg", "png")]
    draw_attack_strength(table4, outputs)
    with Image.open(outputs[1]) as image:
        assert image.size[0] > 1000
    texts = {element.text for element in ElementTree.parse(outputs[0]).iter("{http://www.w3.org/2000/svg}text")}
    assert {*METHODS, "Visibility", "signs, held out", "5,000", "0", "a fit diverged", "or collapsed"} <= texts
    # One number of steps makes no line.
    assert "signs, scored where fitted" not in texts
    content = outputs[0].read_bytes()
    draw_attack_strength(table4, outputs)
    assert outputs[0].read_bytes() == content


def test_methods_are_told_apart() -> None:
    styles = figures.method_styles(METHODS)
    assert len({tuple(style.values()) for style in styles.values()}) == 13
    assert figures.method_styles(METHODS[:5]) == {method: styles[method] for method in METHODS[:5]}


@pytest.mark.parametrize("channels", [1, 3])
def test_adversarial_images(metrics: Path, tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 1, (8, 6, 6, channels)).astype(np.float32)
    np.save(tmp_path / "test.npy", pixels)
    adversarial = np.clip(pixels[[5, 2]] + 0.1, 0, 1)
    np.savez(tmp_path / "attack.npz", images=adversarial)
    outputs = [tmp_path / "images.png", tmp_path / "images.svg"]
    draw_adversarial_images(
        {"test.npy": tmp_path / "test.npy"}, tmp_path / "attack.npz", tmp_path / "signs-5000.parquet", outputs
    )
    texts = {element.text for element in ElementTree.parse(outputs[1]).iter("{http://www.w3.org/2000/svg}text")}
    assert {"5,000 steps, median L2 2.00", "stop", "go", "turn", "L2 1.50", "L2 2.50", "original"} <= texts
    # The difference is amplified so that it fills the range.
    assert "difference × 5" in texts
