"""The steps from scores to tables and figures; none of them fits anything."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from ocnn.data.dataset import open_array, read_arrays
from ocnn.files import atomic_write
from ocnn.results.consistency import consistency
from ocnn.results.metrics import collect
from ocnn.results.tables import add_attacks, attacks_to_markdown, read_published, summarise, to_markdown


def grid_fits(grid: Mapping[str, Mapping[str, list[Any]]]) -> list[dict[str, Any]]:
    """The fits of a grid, in the order of the tables: experiment, normal class, method, seed.

    Args:
        grid: for each experiment the lists `normal`, `method` and `seed`, all of whose combinations are fits.
    """
    return [
        {"experiment": experiment, "normal": normal, "method": method, "seed": seed}
        for experiment, axes in grid.items()
        for normal, method, seed in product(axes["normal"], axes["method"], axes["seed"])
    ]


def collect_metrics(grid: Mapping[str, Mapping[str, list[Any]]], scores: str, benchmarks: str, output: Path) -> None:
    """Measures the score file of every fit of a grid into one table.

    Args:
        grid: see `grid_fits`.
        scores, benchmarks: patterns of the files of a fit, with {experiment}, {normal}, {method} and {seed}.
        output: the Parquet file.
    """
    fits = grid_fits(grid)
    metrics = collect([Path(scores.format(**fit)) for fit in fits], [Path(benchmarks.format(**fit)) for fit in fits])
    with atomic_write(output) as temporary:
        metrics.to_parquet(temporary, index=False)


def make_consistency(grid: Mapping[str, Mapping[str, list[Any]]], scores: str, output: Path) -> None:
    """Writes as CSV how alike the seeds of every method rank the training samples; arguments as `collect_metrics`."""
    with atomic_write(output) as temporary:
        consistency(Path(scores.format(**fit)) for fit in grid_fits(grid)).to_csv(temporary, index=False)


def make_table3(
    metrics_path: Path,
    published: Iterable[Path],
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
    csv: Path,
    markdown: Path,
) -> None:
    """Writes Table 3 as CSV (for programs) and Markdown (for people).

    Args:
        metrics_path: of `collect_metrics`.
        published: files of published AUCs.
        datasets, methods: see `summarise`.
        csv, markdown: the outputs.
    """
    metrics = pd.read_parquet(metrics_path)
    summary = summarise(metrics, read_published(published), datasets, methods)
    with atomic_write(csv) as temporary:
        summary.to_csv(temporary, index=False)
    with atomic_write(markdown) as temporary:
        temporary.write_text(to_markdown(summary, metrics), encoding="utf-8")


def make_table4(
    metrics_path: Path,
    published: Iterable[Path],
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
    attacks: Mapping[str, Mapping[str, Any]],
    records: str,
    csv: Path,
    markdown: Path,
) -> None:
    """Writes Table 4, the experiments on attacked classes, as CSV and Markdown.

    Args:
        metrics_path, published, datasets, methods, csv, markdown: as for `make_table3`.
        attacks: for each experiment `attack`, `steps` and `held_out`.
        records: pattern of the attacks' records, with {attack} and {steps}.
    """
    metrics = pd.read_parquet(metrics_path)
    read = {name: pd.read_parquet(records.format(**attack)) for name, attack in attacks.items()}
    summary = add_attacks(summarise(metrics, read_published(published), datasets, methods), attacks, read)
    with atomic_write(csv) as temporary:
        summary.to_csv(temporary, index=False)
    with atomic_write(markdown) as temporary:
        temporary.write_text(attacks_to_markdown(summary, metrics), encoding="utf-8")


def draw_attack_strength(table4: Path, outputs: Iterable[Path]) -> None:
    """Draws the distance of adversarial images and each method's AUC against the number of steps.

    Args:
        table4: the CSV of `make_table4`.
        outputs: the figure, in the format that each suffix says.
    """
    from ocnn.results import figures

    figures.save(figures.attack_strength(pd.read_csv(table4)), outputs)


def draw_adversarial_images(pixels: Mapping[str, Path], attack: Path, record: Path, outputs: Iterable[Path]) -> None:
    """Draws some sources of an attack, its images, and their amplified differences.

    Args:
        pixels: path of each of `ARRAY_FILES`, of `prepare_pixels`, by its name.
        attack, record: of `attack_images` and `verify_attack`.
        outputs: as for `draw_attack_strength`.
    """
    from ocnn.results import figures

    rows = pd.read_parquet(record)
    originals = open_array(pixels["test.npy"])[rows["source"].to_numpy()]
    figures.save(figures.adversarial_images(originals, read_arrays(attack, ["images"])["images"], rows), outputs)
