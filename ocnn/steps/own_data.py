"""The steps from the score files of an experiment to the tables that data of one's own are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ocnn.data.splits import read_split
from ocnn.report.own_data import class_document, ranking_document
from ocnn.report.rendering import FORMATS, Document, write_documents
from ocnn.results.frames import write_csv
from ocnn.results.own_data import measure_classes, rank_samples
from ocnn.results.scores import Fit
from ocnn.storage.files import write_text


def rank_most_anomalous(
    *, fits: Sequence[Mapping[str, Any]], names: Mapping[str, Sequence[str]], scores: str, outputs: Iterable[Path]
) -> None:
    """Write the samples of an experiment without labels, the most anomalous first.

    Args:
        fits: those of the experiment, as fields of `Fit`.
        names: of the samples of each part, in the order of the arrays.
        scores: pattern of the score files, with {experiment}, {normal}, {method} and {seed}.
        outputs: the table, in the format that each suffix says; CSV has every sample, and JSON is for the report.
    """
    ranked = rank_samples([Fit(**fit) for fit in fits], scores, names)
    _write(outputs, "most_anomalous", ranked, ranking_document(str(fits[0]["experiment"]), ranked))


def measure_anomaly_classes(
    *, fits: Sequence[Mapping[str, Any]], scores: str, splits: str, outputs: Iterable[Path]
) -> None:
    """Write how well an experiment's methods find each class of anomalies.

    Args:
        fits, scores, outputs: of `rank_most_anomalous`.
        splits: pattern of the splits, with {experiment}, {normal} and {seed}.
    """
    measured = measure_classes([Fit(**fit) for fit in fits], scores, lambda fit: read_split(fit.path(splits)).samples)
    _write(outputs, "anomaly_classes", measured, class_document(str(fits[0]["experiment"]), measured))


def _write(outputs: Iterable[Path], kind: str, frame: pd.DataFrame, document: Document) -> None:
    for path in outputs:
        if path.suffix == ".csv":
            write_csv(path, frame)
        elif path.suffix == ".json":
            write_documents(path, {f"{kind}/{path.stem}": document})
        else:
            write_text(path, FORMATS[path.suffix](document))
