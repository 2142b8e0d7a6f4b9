"""Tables of the user's own as data sets, by settings alone: CSV, Parquet, Arrow and NPZ."""

import re
import struct
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ocnn.data.archives import digest
from ocnn.data.columns import check_missing, kinds, rows_of
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.formats.arrow import VALUE, check_size, read_arrow, read_parquet
from ocnn.data.formats.npz import read_npz
from ocnn.data.labels import UNLABELLED, Normal, check_tested, classes_of, listed, normal_groups, split_parts, text_of
from ocnn.data.splits import class_sizes
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


def table_dataset(*, normal: Any, **settings: Any) -> Dataset:
    """Make a data set of a table.

    The table is read here, whole, so that whatever is wrong with it is said before it is used.

    Args:
        normal: `all`, `none`, a list of values that are normal together, or a mapping of names to such lists.
        settings: the other fields of `Table`; lists may stand for tuples.

    Raises:
        DataError: what is wrong with the file or does not fit the settings.
    """
    table = _table(normal, settings)
    return _dataset(table, _stamps(table))


def row_names(*, normal: Any, **settings: Any) -> dict[str, list[str]]:
    """Name the rows of a table without labels, whose parts are its files, by their numbers, the first of which is 1.

    Args:
        normal, settings: of `table_dataset`.

    Returns:
        The names by part, `train` and `test`, in the order of the arrays.
    """
    table = _table(normal, settings)
    counts = _dataset(table, _stamps(table)).sizes[UNLABELLED[0]]
    files = [Path(path).name for path in (table.file, table.test_file)]
    return {
        part: [f"{file}, row {row}" for row in range(1, count + 1)]
        for part, file, count in zip(("train", "test"), files, counts, strict=True)
    }


def _table(normal: Any, settings: Mapping[str, Any]) -> Table:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
    }
    return Table(normal=normal_groups(normal), **fields)


def _stamps(table: Table) -> tuple[tuple[int, int], ...]:
    """Time and size of each file, so that one that has changed is read again."""
    stamps = []
    for path in table.files:
        try:
            status = Path(path).stat()
            stamps.append((status.st_mtime_ns, status.st_size))
        except OSError:
            stamps.append((0, 0))
    return tuple(stamps)


@cache
def _dataset(table: Table, stamps: tuple[tuple[int, int], ...]) -> Dataset:
    """The data set of a table whose files have these stamps."""
    arrays, classes, normal, encoded = _load(table, stamps)
    dataset = Dataset(
        name=table.name,
        classes=classes,
        read=partial(_read, table),
        images=False,
        anomaly_classes=classes[len(normal) :],
        has_test=bool(len(arrays.test)),
        sizes=class_sizes(classes, arrays.train_labels, arrays.test_labels),
        files=table.files,
        scaling=table.scaling,
        encoded=encoded,
        settings={
            **{key: getattr(table, key) for key in ("normal", "label", "leave_out", "categorical", "missing")},
            **{key: getattr(table, key) for key in ("impute", "header", "separator", "decimal")},
            **{key: getattr(table, key) for key in ("test_share", "split_seed")},
        },
    )
    if table.normal != "none":
        check_tested(table.files[-1], "row", dataset.sizes, normal)
    return dataset


def _read(table: Table, archives: Mapping[str, Path]) -> Arrays:
    return _load(table, _stamps(table))[0]


# The last one stays, for the job that makes the data set and then reads it.
@lru_cache(maxsize=1)
def _load(table: Table, stamps: tuple[tuple[int, int], ...]) -> tuple[Arrays, tuple[str, ...], tuple[str, ...], int]:
    """The arrays, all classes, the normal ones of them (the first), and how many of the last columns are one-hot."""
    for key, file, stated in (
        ("sha256", table.file, table.sha256),
        ("test_sha256", table.test_file, table.test_sha256),
    ):
        if stated and Path(file).is_file() and (found := digest(Path(file))) != stated.lower():
            raise DataError(f"{file} is another file than {key} says; its checksum is {found}")
    if table.test_sha256 and not table.test_file:
        raise DataError("`test_sha256` is the checksum of a `test_file`, and none is given")
    _check_settings(table)
    frames = [_frame(table, file) for file in table.files]
    _check_columns(table, frames)
    texts = [_labels(table, file, frame) for file, frame in zip(table.files, frames, strict=True)]
    classes, normal, codes = classes_of(table.file, "row", table.normal, np.concatenate(texts))
    columns = [name for name in frames[0].columns if name not in (table.label, *table.leave_out)]
    if not columns:
        raise DataError(f"{table.file}: no column is left beside {table.label!r} and those that are left out")
    features = pd.concat([frame[columns] for frame in frames], ignore_index=True)
    counts = [len(frame) for frame in frames]
    numbers, categories = kinds(table, features, counts)
    values = pd.concat([*numbers, *categories], axis=1)
    check_missing(table, values, counts)
    train, test = _parts(table, texts)
    encoder = make_column_transformer(
        (SimpleImputer(strategy=table.impute or "mean", keep_empty_features=True), [n.name for n in numbers]),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent", keep_empty_features=True),
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            ),
            [c.name for c in categories],
        ),
    )
    x_train = encoder.fit_transform(values.iloc[train])
    # scikit-learn transforms no empty table.
    x_test = encoder.transform(values.iloc[test]) if len(test) else x_train[:0]
    return Arrays(x_train, codes[train], x_test, codes[test]), classes, normal, x_train.shape[1] - len(numbers)


def _check_settings(table: Table) -> None:
    """Check that no setting is without effect, and that the test part is another file than the training part."""
    csv = [file for file in table.files if Path(file).suffix.lower() == ".csv"]
    if not csv and (table.missing, table.separator, table.header) != (MISSING, Table.separator, Table.header):
        raise DataError(f"{table.file}: `missing`, `separator` and `header` are for CSV files alone; leave them out")
    if (table.test_file or table.normal == "none") and (table.test_share, table.split_seed) != (
        Table.test_share,
        Table.split_seed,
    ):
        raise DataError(
            "`test_share` and `split_seed` decide which rows are split off as the test part, and none are here,"
            f" {'as `test_file` is that part' if table.test_file else 'without labels'}; leave them out"
        )
    if table.test_file and all(Path(file).is_file() for file in table.files):
        first, second = map(Path, table.files)
        if first.stat().st_size == second.stat().st_size and digest(first) == digest(second):
            raise DataError(
                f"{second} has the same content as {first}: the rows that are fitted would be the test part"
            )


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


def _frame(table: Table, path: str) -> pd.DataFrame:
    """The table in a file, with columns of different names."""
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


def _check_columns(table: Table, frames: Sequence[pd.DataFrame]) -> None:
    """Whether the columns that the settings name are there, in both files the same."""
    names = list(frames[0].columns)
    asked = {"leave_out": table.leave_out, "categorical": () if table.categorical == "auto" else table.categorical}
    labelled = table.normal != "none"
    if labelled and table.label not in names:
        raise DataError(
            f"{table.file} has no column {table.label!r} for `label`; its columns are {listed(names)}; where there are"
            " no labels, `normal: none` says so"
        )
    if not labelled and table.label in names and table.label not in table.leave_out:
        raise DataError(
            f"{table.file} has a column {table.label!r}, and `normal: none` says that there are no labels; say which of"
            " its values are normal, or put it in `leave_out`"
        )
    for key, columns in asked.items():
        if labelled and table.label in columns:
            raise DataError(f"{table.label!r} is the label and cannot be in `{key}`")
        unknown = [name for name in columns if name not in names]
        if unknown:
            raise DataError(f"{table.file} has no column {unknown[0]!r} for `{key}`; its columns are {listed(names)}")
    both = [name for name in asked["categorical"] if name in table.leave_out]
    if both:
        raise DataError(f"{both[0]!r} is in `categorical` and in `leave_out`")
    for frame in frames[1:]:
        # What is no feature may be missing from either.
        differing = [
            name for name in (*names, *frame) if (name in frame) != (name in names) and name not in table.leave_out
        ]
        if differing:
            raise DataError(f"{table.test_file} and {table.file} do not both have the columns {listed(differing)}")


def _labels(table: Table, path: str, frame: pd.DataFrame) -> NDArray[Any]:
    """The labels as texts, (n,); one for all where there are none."""
    if table.normal == "none":
        return np.full(len(frame), "", object)
    labels = frame[table.label]
    if labels.isna().any():
        raise DataError(f"{path}: the label is missing in {rows_of(labels.isna())}")
    return np.array([text_of(value) for value in labels.astype(object)], object)


def _parts(table: Table, texts: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the training and of the test part."""
    if table.test_file:
        return np.arange(len(texts[0])), len(texts[0]) + np.arange(len(texts[1]))
    if table.normal == "none":
        return np.arange(len(texts[0])), np.arange(0)
    return split_parts(table.file, "row", texts[0], table.test_share, table.split_seed, "give a `test_file`")
