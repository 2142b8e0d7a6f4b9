"""The score file of a fit: one row per sample, and in its metadata how the fit came about and how it ended.

It holds nothing that differs between two runs of the same code on the same machine, so that runs can be compared byte
by byte; seconds and memory are in the job's benchmark file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ocnn.errors import ResultError
from ocnn.storage import parquet
from ocnn.storage.files import safe_name

_name = pa.dictionary(pa.int8(), pa.string())
SCHEMA = pa.schema(
    [
        ("experiment", _name),
        ("normal", _name),
        ("method", _name),
        ("seed", pa.int32()),
        ("evaluation", _name),  # train: the contaminated training set; test: the rest of the test part
        ("part", _name),  # of the data set, train or test
        ("sample", pa.int32()),  # index into that part
        ("is_anomaly", pa.bool_()),
        ("fitted", pa.bool_()),  # the method was fitted to it
        ("tuned_on", pa.bool_()),  # the method saw this sample's label; it does not count in the evaluation
        ("anomaly_score", pa.float64()),  # higher = more anomalous; > 0 beyond the method's own threshold
    ]
)
#: The metadata and their types in JSON.
METADATA: dict[str, type | tuple[type, ...]] = {
    "experiment": str,
    "normal": str,
    "method": str,
    "seed": int,
    "estimator": str,  # package.module:Class
    "settings": dict,  # its parameters
    "diagnosis": dict,  # status and reason, see `ocnn.methods.diagnosis.Diagnosis`
    "chosen": dict,  # what the fit itself chose, by attribute
    "history": dict,  # a list of numbers for each series; one that is not finite is a text
    "backend": (str, type(None)),
    "versions": dict,  # of Python and packages
    "recipe": dict,  # what decided the scores, see `ocnn.storage.recipes`
}

#: What the name of a package whose detector was fitted ends in, among the versions.
OF_DETECTOR = " (detector)"
#: Those that say which fit it is.
IDENTITY = ("experiment", "normal", "method", "seed")


@dataclass(frozen=True)
class Fit:
    """Which fit it is: the method, fitted on the split of an experiment, a normal class and a seed."""

    experiment: str
    normal: str
    method: str
    seed: int

    def path(self, pattern: str) -> Path:
        """Return its file of a pattern with {experiment}, {normal}, {method} and {seed}."""
        return Path(pattern.format(**{**vars(self), "normal": safe_name(self.normal)}))


#: Numbers that JSON has not, as they stand in the metadata.
NOT_FINITE = ("nan", "inf", "-inf")


def write_scores(path: Path, scores: pd.DataFrame, metadata: Mapping[str, Any]) -> None:
    """Write the rows of `SCHEMA` and the values of `METADATA`."""
    parquet.write_table(path, scores, SCHEMA, metadata)


def read_scores(path: Path, fit: Fit | None = None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a score file: its rows and its metadata.

    Args:
        fit: whose file it must be; None: anyone's.

    Raises:
        ResultError: missing, damaged, not a score file of this schema, or of another fit.
    """
    scores, metadata = parquet.read_table(path, SCHEMA, METADATA)
    fault = _fault(metadata)
    if fault:
        raise ResultError(f"{path} is not a score file of this version: {fault}. {parquet.ADVICE}")
    found = {name: metadata[name] for name in IDENTITY}
    if fit is not None and found != vars(fit):
        raise ResultError(f"{path} is of another fit, {found}. {parquet.ADVICE}")
    return scores, metadata


def _fault(metadata: Mapping[str, Any]) -> str | None:
    for name, kind in METADATA.items():
        if not isinstance(metadata[name], kind):
            return f"its {name} cannot be {metadata[name]!r}"
    diagnosis = metadata["diagnosis"]
    if not all(isinstance(diagnosis.get(name), str) for name in ("status", "reason")):
        return f"its diagnosis cannot be {diagnosis!r}"
    for name, series in metadata["history"].items():
        if not isinstance(series, list) or not all(isinstance(n, int | float) or n in NOT_FINITE for n in series):
            return f"its history of {name} is no list of numbers"
    return None
