"""What was published: AUCs (the paper's and other labs'), the summaries of data and networks, and the text's claims."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from ocnn.errors import ResultError
from ocnn.results.frames import read_csv

AUC_COLUMNS = ["dataset", "class", "method", "auc_mean", "auc_std"]
#: Of single runs: a cell of the tables, the seed, the AUC in percent, and the notebook and its cell that print it.
RUN_COLUMNS = ["dataset", "class", "method", "seed", "auc", "notebook", "cell"]


def read_published(paths: Iterable[Path]) -> pd.DataFrame:
    """Read published AUCs in percent; columns `AUC_COLUMNS`.

    Raises:
        ResultError: other columns, a cell without a name, a number that is none or beyond 0 to 100, or a cell that is
            there twice.
    """
    tables, paths = [], list(paths)
    for path in paths:
        table = _read_table(path, AUC_COLUMNS, AUC_COLUMNS[:3])
        for column in AUC_COLUMNS[3:]:
            _take_percentages(table, column, path)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=AUC_COLUMNS)
    repeated = table[table.duplicated(AUC_COLUMNS[:3])]
    if len(repeated):
        cell = ", ".join(map(str, repeated.iloc[0][AUC_COLUMNS[:3]]))
        raise ResultError(f"{', '.join(map(str, paths))}: the cell {cell} is there twice.")
    return table


def read_runs(path: Path | None) -> pd.DataFrame:
    """Read the AUCs of single runs, one row per run, with the place that prints each; columns `RUN_COLUMNS`.

    Raises:
        ResultError: other columns, a row without a name or an AUC, a number that is none or beyond its range, or a run
            that is there twice.
    """
    if path is None:
        return pd.DataFrame(columns=RUN_COLUMNS)
    table = _read_table(path, RUN_COLUMNS, [name for name in RUN_COLUMNS if name != "auc"])
    _take_percentages(table, "auc", path)
    if table["auc"].isna().any():
        raise ResultError(f"{path}: a row lacks its auc.")
    for column in ("seed", "cell"):
        if not table[column].str.fullmatch("[0-9]{1,9}").all():
            raise ResultError(f"{path}: {column} must be whole numbers below 10⁹.")
        table[column] = table[column].astype(int)
    repeated = table[table.duplicated([name for name in RUN_COLUMNS if name != "auc"])]
    if len(repeated):
        row = repeated.iloc[0]
        raise ResultError(f"{path}: seed {row['seed']} of {row['notebook']}, cell {row['cell']}, is there twice.")
    return table


def _read_table(path: Path, columns: list[str], names: list[str]) -> pd.DataFrame:
    """Read a CSV file of these columns, of which the names must be there."""
    table = read_csv(path)
    if list(table.columns) != columns:
        raise ResultError(f"{path} has columns {list(table.columns)}; expected {columns}.")
    if (table[names] == "").any(axis=None):
        raise ResultError(f"{path}: a row lacks its {', '.join(names)}.")
    return table


def _take_percentages(table: pd.DataFrame, column: str, path: Path) -> None:
    """Turn the texts of a column into numbers; an empty one is a missing number."""
    try:
        table[column] = pd.to_numeric(table[column])
    except ValueError as error:
        raise ResultError(f"{path}: {column} must be numbers ({error}).") from error
    if not table[column].dropna().between(0, 100).all():
        raise ResultError(f"{path}: {column} must be percentages, 0 to 100.")


def read_texts(path: Path | None) -> dict[str, dict[str, str]]:
    """Read a published table whose cells are texts, its first column `dataset`: dataset → column → text."""
    if path is None:
        return {}
    table = read_csv(path)
    if table.columns[0] != "dataset":
        raise ResultError(f"{path} has columns {list(table.columns)}; the first must be dataset.")
    return {str(row["dataset"]): {str(key): str(text) for key, text in row.items()} for row in table.to_dict("records")}


class _Claim(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^\w+$")]
    says: str
    where: str
    dataset: str


class RankingClaim(_Claim):
    """That some methods have a higher AUC than others.

    name, says, where: a short name, the paper's words, and where they stand.
    dataset: of the published tables.
    better: published methods, each of which is claimed to be better …
    better_rows: … or rows of our tables, which are settings of one published method; each is better …
    than: … than each of these; `others`: all other published ones.
    than_rows: … and than each of these rows of our tables, for methods that the paper names and gives no number of.
    over: what the replicates are. `classes`: better on average over the classes, seeds averaged first; `seeds`: better
        in each of the classes.
    classes: names, or `all`.
    """

    better: list[str] = []
    better_rows: list[str] = []
    than: Literal["others"] | list[str] = []
    than_rows: list[str] = []
    over: Literal["classes", "seeds"]
    classes: Literal["all"] | Annotated[list[str], Field(min_length=1)] = "all"

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if not self.than and not self.than_rows:
            raise ValueError("than or than_rows must name a method")
        if not self.better and not self.better_rows:
            raise ValueError("better or better_rows must name a method")
        return self


class DetectionClaim(_Claim):
    """That a method gives every anomaly of the data set a negative decision score, and few normal samples.

    detects_all: the published method.
    false_alarms: share of the normal samples that may have a negative score, too; whoever flags all finds all.
    """

    detects_all: str
    false_alarms: Annotated[float, Field(ge=0, lt=1)] = 0.1


Claim = RankingClaim | DetectionClaim


def read_claims(path: Path | None) -> list[Claim]:
    """Read the claims of a YAML file: a list of the fields of `RankingClaim` or `DetectionClaim`.

    Raises:
        ResultError: not such a file.
    """
    if path is None:
        return []
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        claims = [_read_claim(item) for item in content]
    except (OSError, yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise ResultError(f"{path} is not a list of claims: {error}") from error
    names = [claim.name for claim in claims]
    if len(set(names)) < len(names):
        raise ResultError(f"{path}: two claims have the same name; there are {', '.join(names)}.")
    return claims


def _read_claim(item: Mapping[str, Any]) -> Claim:
    kind: Any = DetectionClaim if "detects_all" in item else RankingClaim
    return TypeAdapter[Claim](kind).validate_python(item)


def claimed_methods(claim: Claim) -> list[str]:
    """List the published methods that a claim names."""
    if isinstance(claim, DetectionClaim):
        return [claim.detects_all]
    return [*claim.better, *(claim.than if claim.than != "others" else [])]
