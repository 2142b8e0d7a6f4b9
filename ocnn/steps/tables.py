"""The steps from measurements to tables, verdicts and claims; none of them fits anything."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ocnn.config.plan import attacked
from ocnn.data.splits import read_split
from ocnn.report.inventory import data_document, data_summary, network_document, network_summary
from ocnn.report.rendering import FORMATS, Document
from ocnn.report.tables import (
    add_attacks,
    all_differences,
    claim_document,
    comparison_document,
    table3,
    table4,
    verdict_document,
)
from ocnn.results.claims import check_claims
from ocnn.results.published import read_claims, read_published, read_texts
from ocnn.results.summary import summarise
from ocnn.results.verdicts import judge
from ocnn.storage.arrays import open_array
from ocnn.storage.files import atomic_write


def make_tables(
    plan: Mapping[str, Any],
    metrics_path: Path,
    provenance: Mapping[str, Any],
    splits: str,
    images: str,
    records: str,
    folder: Path,
) -> None:
    """Writes every table of `table_files`.

    Args:
        plan: see `Config.plan`.
        metrics_path, provenance: of `collect_metrics`.
        splits: pattern of the splits, with {experiment}, {normal} and {seed}; the first seed's are read.
        images: pattern of the arrays of the training part, with {dataset}.
        records: pattern of the attacks' records, with {attack} and {steps}.
        folder: of the results.
    """
    experiments = plan["experiments"]
    datasets = {name: block["published"] for name, block in experiments.items()}
    remarks = {name: block["remark"] for name, block in experiments.items()}
    margin, alpha = plan["verdicts"]["margin"], plan["verdicts"]["alpha"]
    metrics = pd.read_parquet(metrics_path)
    published = read_published(map(Path, plan["published"]["auc"]))
    references = {name: read_published([Path(path)]) for name, path in plan["references"].items()}
    texts = {
        name: read_texts(Path(path) if path else None)
        for name, path in plan["published"].items()
        if name in ("data", "networks")
    }

    summary = summarise(metrics, published, datasets, plan["methods"], references=references, confidence=1 - 2 * alpha)
    adversarial = attacked(plan)
    plain_rows = summary[~summary["experiment"].isin(adversarial)]
    if len(plain_rows):
        _write(folder / "tables", "table3", plain_rows, table3(plain_rows, metrics, remarks))
    if adversarial:
        read = {name: pd.read_parquet(records.format(**attack)) for name, attack in adversarial.items()}
        rows = add_attacks(summary[summary["experiment"].isin(adversarial)], adversarial, read)
        _write(folder / "tables", "table4", rows, table4(rows, metrics, remarks))

    judged = judge(summary, margin=margin, alpha=alpha)
    _write_csv(folder / "tables" / "verdicts.csv", judged)
    _write_text(folder / "tables", "verdicts", verdict_document(judged, margin, alpha), ("md", "html"))
    _write_text(folder / "tables", "comparison", comparison_document(summary), ("md", "html"))
    _write_csv(folder / "tables" / "differences.csv", all_differences(summary))
    claims = check_claims(
        read_claims(Path(plan["published"]["claims"]) if plan["published"]["claims"] else None),
        metrics,
        published,
        {name: dataset for name, dataset in datasets.items() if dataset},
        plan["methods"],
        alpha=alpha,
    )
    _write(folder, "claims", claims, claim_document(claims, alpha))

    shapes = {
        name: open_array(Path(images.format(dataset=block["dataset"]))).shape[1:] for name, block in experiments.items()
    }
    samples = {
        name: {
            normal: read_split(Path(splits.format(experiment=name, normal=normal, seed=block["seed"][0]))).samples
            for normal in block["normal"]
        }
        for name, block in experiments.items()
    }
    seeds = {name: len(block["seed"]) for name, block in experiments.items()}
    data = data_summary(samples, shapes, seeds, texts["data"], datasets)
    _write(folder / "tables", "table1", data, data_document(data, remarks))
    networks = network_summary(provenance["settings"], shapes, texts["networks"], datasets)
    _write(folder / "tables", "table2", networks, network_document(networks))


def _write(folder: Path, name: str, frame: pd.DataFrame, document: Document) -> None:
    _write_csv(folder / f"{name}.csv", frame)
    _write_text(folder, name, document, FORMATS)


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    with atomic_write(path) as temporary:
        frame.to_csv(temporary, index=False)


def _write_text(folder: Path, name: str, document: Document, suffixes: Iterable[str]) -> None:
    for suffix in suffixes:
        with atomic_write(folder / f"{name}.{suffix}") as temporary:
            temporary.write_text(FORMATS[suffix](document), encoding="utf-8")
