"""What the settings of a table are, and how its files are read: CSV, Parquet, Arrow and NPZ."""

import re
import struct
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype

from ocnn.data.formats.arrow import VALUE, check_size, read_arrow, read_parquet
from ocnn.data.formats.npz import read_npz
from ocnn.data.labels import Normal, listed
from ocnn.errors import DataError

#: Texts of a CSV file that stand for a missing value, where the settings say nothing else.
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "?")
#: What files that are no tables bring out of pandas and pyarrow.
UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, struct.error, Warning)
#: What pandas calls an index without a name in a Parquet or Feather file.
INDEX = re.compile(r"__index_level_\d+__")
#: A character of no text, by which pandas takes a name for an empty one.
NUL = "\0"
#: Bytes of a file that are looked through at once.
BLOCK = 2**20
#: What else than the stated one may stand between the fields of a CSV file.
SEPARATORS = ",;\t|"
#: Bytes that a table of unstated checksum may take in memory: so many, or so many times those of its file.
MAXIMUM_SIZE, MAXIMUM_GROWTH = 2**25, 100


@dataclass(frozen=True)
class Table:
    """The settings of a table.

    Attributes:
        name: of the data set.
        file: path of the table; its suffix says the format.
        test_file: path of a second table, the test part; empty: a part of the rows is split off.
        sha256, test_sha256: checksums that `file` and `test_file` must have; empty: any. A file without one may not
            grow in memory to far more than it has on the disk.
        label: the column of the labels. In an NPZ file they are `y`, and the columns of `X` are called f1, f2, …
        normal: `all`, each value of the labels in turn; or the groups of values that are each in turn the normal class,
            by name. Each value in no group is a class of anomalies. `none`: there are no labels, and all rows of `file`
            are the training part.
        leave_out: columns that are no features.
        categorical: columns to be one-hot encoded; or `auto`, those whose values are all texts.
        missing: texts that stand for a missing value in a CSV file.
        impute: strategy of scikit-learn's `SimpleImputer` for numbers, learned from the training part,
            `most_frequent` for categories; empty: a missing value is an error.
        header: whether the first line of a CSV file names the columns; without names they are called f1, f2, …; `auto`:
            it does, and one of numbers is an error.
        separator: between the fields of a CSV file.
        decimal: before the fraction of a number that is written as a text, as all are in a CSV file.
        test_share: share of the rows that make the test part, drawn stratified by the labels.
        split_seed: decides which rows these are.
        scaling: see `ocnn.data.preprocessing.scaling_constants`.
    """

    name: str
    file: str
    normal: Normal
    test_file: str = ""
    sha256: str = ""
    test_sha256: str = ""
    label: str = "label"
    leave_out: tuple[str, ...] = ()
    categorical: str | tuple[str, ...] = "auto"
    missing: tuple[str, ...] = MISSING
    impute: str = ""
    header: str | bool = "auto"
    separator: str = ","
    decimal: str = "."
    test_share: float = 0.4
    split_seed: int = 0
    scaling: str = "standard"

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read."""
        return (self.file, self.test_file) if self.test_file else (self.file,)


def read_table(table: Table, path: str) -> pd.DataFrame:
    """Read the table in a file.

    Args:
        table: its settings.
        path: the file, one of `table.files`.

    Returns:
        Its rows, at least one, with columns of different names; of a CSV file the labels as texts.

    Raises:
        DataError: it is not there, or no such table.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise DataError(f"{path}: {suffix or 'a file without a suffix'} is not read; known are {', '.join(READERS)}")
    if not Path(path).is_file():
        raise DataError(f"there is no file {path}")
    with _readable(path):
        frame = READERS[suffix](table, path)
    if not len(frame):
        raise DataError(f"{path} has no rows")
    return frame


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """What reading something that is no such table raises, as one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not encoded in UTF-8; save it so") from error
    except UNREADABLE as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{path} cannot be read as {Path(path).suffix.lower()[1:]}: {reason}") from error


def _different(path: str, names: Sequence[Any]) -> list[str]:
    twice = sorted({str(name) for name in names if list(names).count(name) > 1})
    if twice:
        raise DataError(f"{path} has several columns called {listed(twice)}")
    if damaged := [repr(str(name)) for name in names if NUL in str(name)]:
        raise DataError(f"{path} has a column called {damaged[0]}; no name holds the character NUL, so it is damaged")
    return list(map(str, names))


def _from_csv(table: Table, path: str) -> pd.DataFrame:
    with Path(path).open("rb") as file:
        if any(NUL.encode() in block for block in iter(partial(file.read, BLOCK), b"")):
            raise DataError(f"{path} holds the character NUL, as UTF-16 and damaged files do; save it as UTF-8")
    options: dict[str, Any] = {"sep": table.separator, "encoding": "utf-8-sig", "skipinitialspace": True}
    options |= {"compression": None, "keep_default_na": False}
    first = pd.read_csv(path, header=None, nrows=1, dtype=str, **options).iloc[0]
    names = [str(name).strip() for name in first] if table.header else [f"f{n}" for n in range(1, len(first) + 1)]
    if table.header == "auto":
        _check_header(path, names)
    names = _different(path, names)
    others = [sign for sign in SEPARATORS if sign != table.separator and sign in str(first[0])]
    if len(names) == 1 and others:
        raise DataError(f"{path} has one column alone, {str(first[0])!r}; is its `separator` {others[0]!r}?")
    if "" in names and "" not in table.leave_out:
        raise DataError(
            f"{path}: column {names.index('') + 1} has no name, as an index of rows, which is no feature; name it,"
            " or leave it out by `leave_out: ['']`"
        )
    # Types by the whole column, not by chunks of it.
    options |= {"dtype": {table.label: str}, "na_values": list(table.missing), "low_memory": False}
    frame = pd.read_csv(
        path, header=0 if table.header else None, names=names, index_col=False, decimal=table.decimal, **options
    )
    for name in frame.columns[[not is_numeric_dtype(dtype) for dtype in frame.dtypes]]:
        # Blanks before a field were skipped, those after it are no part of a text either.
        stripped = frame[name].map(lambda value: value.strip() if isinstance(value, str) else value)
        frame[name] = stripped.mask(stripped.isin(table.missing))
    return frame


def _check_header(path: str, names: Sequence[str]) -> None:
    """Check that the first line of a CSV file names the columns, and is no row of numbers, which would be lost.

    Names may be numbers in order, as wavelengths or years are; one or two of them, if they only count.
    """
    numbers = pd.to_numeric(pd.Series(names, dtype=object), errors="coerce").dropna().to_numpy(np.float64)
    steps = np.diff(numbers)
    counted = (abs(steps) == 1).all() and (len(numbers) > 1 or set(numbers) <= {0, 1})
    named = counted if len(numbers) <= 2 else (steps > 0).all() or (steps < 0).all()
    if 2 * len(numbers) > len(names) and not named:
        raise DataError(
            f"{path}: its first line holds numbers, {listed(names)}, where names of the columns are to stand;"
            " `header: false` if it is a row, `header: true` if these are the names"
        )


def _from_arrow(table: Table, path: str) -> pd.DataFrame:
    read = read_parquet if path.lower().endswith(".parquet") else read_arrow
    content = read(Path(path), _maximum(table, path))
    _different(path, content.column_names)
    # Which row it was in some other table is no feature.
    content = content.drop_columns([name for name in content.column_names if INDEX.fullmatch(name)])
    return content.to_pandas(ignore_metadata=True)


def _from_npz(table: Table, path: str) -> pd.DataFrame:
    maximum = _maximum(table, path)
    if table.normal == "none":
        (x,) = read_npz(Path(path), ["X"], maximum // 2)
        y = np.zeros(len(x) if x.ndim else 0)
    else:
        x, y = read_npz(Path(path), ["X", "y"], maximum // 2)
    if x.ndim != 2 or y.shape not in ((len(x),), (len(x), 1)):
        raise DataError(f"{path}: X of shape {x.shape} and y of shape {y.shape}; expected (n, d) and (n,)")
    check_size(Path(path), VALUE * (x.size + y.size), maximum)
    frame = pd.DataFrame(x, columns=[f"f{number}" for number in range(1, x.shape[1] + 1)])
    if table.normal != "none" and table.label in frame:
        raise DataError(f"{path}: {table.label!r} is a column of X, and the labels are y; leave `label` out")
    return frame if table.normal == "none" else frame.assign(**{table.label: y.reshape(-1)})


def _maximum(table: Table, path: str) -> int:
    """Bytes that the table in a file may take in memory: any number where a checksum says which file it is."""
    stated = table.sha256 if path == table.file else table.test_sha256
    return sys.maxsize if stated else max(MAXIMUM_SIZE, MAXIMUM_GROWTH * Path(path).stat().st_size)


READERS = {
    ".csv": _from_csv,
    ".parquet": _from_arrow,
    ".arrow": _from_arrow,
    ".feather": _from_arrow,
    ".npz": _from_npz,
}
