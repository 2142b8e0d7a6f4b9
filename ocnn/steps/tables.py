"""The step from numbers to tables, verdicts and claims; it fits nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ocnn.config.plan import TABLE_SUFFIXES, Plan
from ocnn.data.splits import read_split
from ocnn.report.changes import changes_document
from ocnn.report.comparisons import all_differences, comparison_document
from ocnn.report.corrections import corrections_document
from ocnn.report.decomposition import decomposition_document
from ocnn.report.inventory import (
    count_repeats,
    data_document,
    data_summary,
    network_document,
    network_summary,
    repeat_remark,
)
from ocnn.report.rendering import FORMATS, Document, literal, write_documents
from ocnn.report.tables import (
    claim_document,
    metric_document,
    table3,
    table4,
    verdict_document,
)
from ocnn.results.changes import compare_runs
from ocnn.results.claims import check_claims
from ocnn.results.corrections import compare, with_spread
from ocnn.results.decomposition import decompose
from ocnn.results.frames import read_frame, write_csv
from ocnn.results.measurements import changed_versions, schema
from ocnn.results.metrics import PUBLISHED_METRIC
from ocnn.results.published import read_claims, read_published, read_runs, read_texts
from ocnn.results.summary import KEYS, REFERENCES, SCHEMA, summarise
from ocnn.results.verdicts import judge
from ocnn.steps.records import read_attacks
from ocnn.storage.arrays import CHECKSUM_SCHEMA, CHECKSUMS, open_array
from ocnn.storage.files import write_text
from ocnn.storage.json_files import read_json
from ocnn.storage.parquet import read_table

#: Said of an experiment in Table 1.
WITHOUT_LABELS = "no labels; all samples are counted as normal."


def make_tables(
    *,
    plan: Mapping[str, Any],
    metrics: Path,
    summary: Path,
    references: Path,
    provenance: Path,
    splits: str,
    images: str,
    records: str,
    folder: Path,
) -> None:
    """Write every table of `Plan.table_files`.

    Args:
        plan: see `Plan.to_json`.
        metrics, provenance: of `collect_metrics`.
        summary, references: of `make_summary`.
        splits: pattern of the splits, with {experiment}, {normal} and {seed}; the first seed's are read.
        images: pattern of the arrays of the training part, with {dataset}.
        records: pattern of the attacks' records, with {attack} and {steps}.
        folder: of the results.
    """
    planned = Plan.from_json(plan)
    fits, cells = read_frame(metrics, schema()), read_frame(summary, SCHEMA)
    labs = read_frame(references, REFERENCES)
    known = read_json(provenance)
    tables = folder / "tables"
    documents: dict[str, Document] = {}

    def write(name: str, frame: pd.DataFrame, document: Document, suffixes: Sequence[str] = TABLE_SUFFIXES) -> None:
        if changed := changed_versions(known["environments"], frame["experiment"]):
            document = replace(document, legend=f"{document.legend} {literal(changed)}")
        documents[name] = document
        place = folder if name == "claims" else tables
        for suffix in suffixes:
            if suffix == ".csv":
                write_csv(place / f"{name}.csv", frame)
            else:
                write_text(place / f"{name}{suffix}", FORMATS[suffix](document))

    samples, shapes, repeats = _data(planned, splits, images)
    remarks = {
        name: " ".join([remark, repeat_remark(repeats[name])]).strip() for name, remark in planned.remarks.items()
    }
    attacked = cells["experiment"].isin(planned.attacked)
    aucs = cells["metric"] == PUBLISHED_METRIC
    wanted = planned.table_files()
    if "metrics" in wanted:
        write("metrics", cells, metric_document(cells, planned.alpha))
    judged = judge(cells, planned.published_methods, planned.judged, **planned.rule)
    verdicts: Mapping[Any, str] = judged.set_index([*KEYS, "evaluation"])["verdict"].to_dict()
    if "table3" in wanted:
        rows = cells[~attacked & aucs]
        write("table3", rows, table3(rows, labs, fits, remarks, verdicts, alpha=planned.alpha))
    if planned.attacked:
        attacks, rows = read_attacks(planned, records), cells[attacked & aucs]
        document = table4(rows, labs, fits, remarks, attacks, verdicts, alpha=planned.alpha)
        write("table4", rows.join(attacks, on="experiment"), document)
    if planned.taken_apart:
        steps = decompose(fits, cells, planned.taken_apart, alpha=planned.alpha)
        write("decomposition", steps, decomposition_document(steps, planned.alpha))
    if planned.labelled:
        _compare(planned, fits, cells, judged, tables, documents, write)
    if planned.compare is not None and planned.labelled:
        changes = _changes(planned, cells, judged, Path(planned.compare))
        write("changes", changes, changes_document(changes), (".csv", ".md", ".html"))

    seeds = {experiment.name: len(experiment.seeds) for experiment in planned.experiments}
    texts = [read_texts(Path(name) if name else None) for name in (planned.published.data, planned.published.networks)]
    data = data_summary(samples, shapes, seeds, repeats, texts[0], planned.datasets)
    unlabelled = {e.name: WITHOUT_LABELS for e in planned.experiments if not e.labelled}
    of_data = {name: " ".join([remark, unlabelled.get(name, "")]).strip() for name, remark in remarks.items()}
    write("table1", data, data_document(data, of_data))
    networks = network_summary(known["settings"], shapes, texts[1], planned.datasets)
    write("table2", networks, network_document(networks))
    write_documents(tables / "documents.json", documents)


def _data(
    planned: Plan, splits: str, images: str
) -> tuple[dict[str, dict[str, pd.DataFrame]], dict[str, tuple[int, ...]], dict[str, list[int]]]:
    """Read of each experiment the first seed's split of each class, a sample's shape, and `count_repeats` by class."""
    arrays = {e.name: Path(images.format(dataset=e.dataset)) for e in planned.experiments}
    shapes = {name: open_array(path).shape[1:] for name, path in arrays.items()}
    samples: dict[str, dict[str, pd.DataFrame]] = {name: {} for name in arrays}
    for fit in planned.fits(first_seed=True):
        if fit.normal not in samples[fit.experiment]:
            samples[fit.experiment][fit.normal] = read_split(fit.path(splits)).samples
    checksums = {path: _checksums(path.with_name(CHECKSUMS)) for path in set(arrays.values())}
    repeats = {
        name: [count_repeats(split, checksums[path]) for split in samples[name].values()]
        for name, path in arrays.items()
    }
    return samples, shapes, repeats


def _checksums(path: Path) -> dict[str, NDArray[np.uint64]]:
    """Read the checksums of a data set's samples, by part."""
    table, _ = read_table(path, CHECKSUM_SCHEMA, ("recipe",))
    groups = table.groupby("file", observed=True)["checksum"]
    return {Path(str(file)).stem: checksums.to_numpy() for file, checksums in groups}


def _compare(
    planned: Plan,
    fits: pd.DataFrame,
    cells: pd.DataFrame,
    judged: pd.DataFrame,
    tables: Path,
    documents: dict[str, Document],
    write: Callable[..., None],
) -> None:
    """Write how methods compare with each other, with what was published and with what was claimed.

    Args:
        planned, fits, cells, judged, documents, write: as `make_tables` has them.
        tables: folder of the tables.
    """
    write("verdicts", judged, verdict_document(judged, **planned.rule), (".csv", ".md", ".html"))
    write("comparison", cells, comparison_document(cells, planned.alpha, planned.one_per_dataset), (".md", ".html"))
    write_csv(tables / "differences.csv", all_differences(cells, planned.one_per_dataset))
    published = read_published(map(Path, planned.published.auc))
    compared = published[published["dataset"].isin(planned.datasets.values())]
    if planned.published.runs and len(compared):
        documents["corrections"] = corrections_document(compare(compared, read_runs(Path(planned.published.runs))))
    claims = checked_claims(planned, fits)
    write("claims", claims, claim_document(claims, planned.alpha))


def checked_claims(planned: Plan, fits: pd.DataFrame) -> pd.DataFrame:
    """Check the claims of the paper's text on these fits; see `check_claims`."""
    return check_claims(
        read_claims(Path(planned.published.claims) if planned.published.claims else None),
        fits,
        read_published(map(Path, planned.published.auc)),
        {name: dataset for name, dataset in planned.datasets.items() if dataset},
        planned.published_methods,
        planned.judged,
        alpha=planned.alpha,
    )


def _changes(planned: Plan, cells: pd.DataFrame, judged: pd.DataFrame, measurements: Path) -> pd.DataFrame:
    """Compare this run's cells with those of another run's measurements, which are judged by the same rule."""
    before = read_frame(measurements, schema())
    runs = read_runs(Path(planned.published.runs) if planned.published.runs else None)
    published = with_spread(read_published(map(Path, planned.published.auc)), runs)
    datasets = {**dict.fromkeys(map(str, before["experiment"].unique())), **planned.datasets}
    cells_before = summarise(before, published, datasets, planned.published_methods, alpha=planned.alpha)
    judged_before = judge(cells_before, planned.published_methods, planned.judged, **planned.rule)
    return compare_runs(cells_before, cells, judged_before, judged)
