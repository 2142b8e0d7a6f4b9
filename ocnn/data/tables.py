"""Tables of the user's own as data sets, by settings alone."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ocnn.data.archives import digest
from ocnn.data.columns import check_missing, kinds, rows_of
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.labels import UNLABELLED, check_tested, classes_of, listed, normal_groups, split_parts, text_of
from ocnn.data.splits import class_sizes
from ocnn.data.table_files import MISSING, Table, read_table
from ocnn.errors import DataError


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
    frames = [read_table(table, file) for file in table.files]
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
