"""Tables as data sets: what a small one becomes, and what is said of those that cannot be used."""

import io
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from ocnn.data import Arrays, Dataset, load_dataset, table_files
from ocnn.data.archives import digest
from ocnn.data.formats.npz import read_npz
from ocnn.data.preprocessing import rescale, scaling_constants
from ocnn.data.splits import class_sizes
from ocnn.data.tables import table_dataset
from ocnn.errors import DataError
from tests.test_security import Planted

TRAIN = """id,width,colour,label
1,1.5,red,good
2,2.5,blue,good
3,-1e3,red,scratch
"""
TEST = """label,colour,id,width
good,green,4,0
hole,blue,5,7
"""


def table(folder: Path, train: str = TRAIN, test: str | None = TEST, **settings: Any) -> Dataset:
    """A data set of these two files."""
    (folder / "train.csv").write_text(train, encoding="utf-8")
    if test is not None:
        (folder / "test.csv").write_text(test, encoding="utf-8")
        settings["test_file"] = str(folder / "test.csv")
    given = {"normal": ["good"], "leave_out": ["id"], **settings}
    return table_dataset(name="toy", file=str(folder / "train.csv"), **given)


@pytest.mark.parametrize("count", [1000, 1001])
def test_at_most_a_thousand_categories(tmp_path: Path, count: int) -> None:
    rows = "".join(f"{number},code {chr(97 + number % 26)}{number}\n" for number in range(count))
    given: dict[str, Any] = {
        "train": f"width,kind\n{rows}",
        "test": None,
        "leave_out": [],
        "categorical": ["kind"],
        "normal": "none",
    }
    if count > 1000:
        with pytest.raises(DataError, match="1,001 different categories, more than 1,000"):
            table(tmp_path, **given)
    else:
        assert table(tmp_path, **given).encoded == 1000


def test_a_small_table(tmp_path: Path) -> None:
    dataset = table(tmp_path)
    assert dataset.classes == ("good", "hole", "scratch")
    assert dataset.normal_classes == ("good",)
    assert dataset.sizes == {"good": (2, 1), "hole": (0, 1), "scratch": (1, 0)}
    arrays = dataset.load({})
    # Numbers first, then a column for each category of the training part; another category has none.
    np.testing.assert_array_equal(arrays.train, [[1.5, 0, 1], [2.5, 1, 0], [-1000, 0, 1]])
    np.testing.assert_array_equal(arrays.test, [[0, 0, 0], [7, 1, 0]])
    assert arrays.train.dtype == np.float32
    np.testing.assert_array_equal(arrays.train_labels, [0, 0, 2])
    np.testing.assert_array_equal(arrays.test_labels, [0, 1])
    assert (dataset.encoded, dataset.scaling) == (2, "standard")


@pytest.mark.parametrize("header", [False, True])
def test_a_first_line_of_numbers_is_what_is_stated(header: bool, tmp_path: Path) -> None:
    """Rows without names of columns, as many public tables are, or numbers as names that are in no order."""
    text = "30,10,2.50\n1,2,5\n3,4,5\n5,6,7\n"
    # A name as it is written.
    left_out = ["2.50"] if header else ["f3"]
    dataset = table(tmp_path, text, None, normal="none", leave_out=left_out, header=header)
    rows = [[1, 2], [3, 4], [5, 6]]
    np.testing.assert_array_equal(dataset.load({}).train, rows if header else [[30, 10], *rows])


def test_rows_without_names_of_columns_and_blanks_and_empty_lines(tmp_path: Path) -> None:
    text = "\n7, red ,good\n\n8,blue,bad\n9,?,good\n"
    dataset = table(tmp_path, text, "1,red,bad\n2,red,good\n", leave_out=[], label="f3", header=False, impute="mean")
    assert dataset.sizes == {"good": (2, 1), "bad": (1, 1)}
    np.testing.assert_array_equal(dataset.load({}).train[:, 0], [7, 8, 9])


DIGITS = "x,label\n" + "".join(f"{row},{row % 4}\n" for row in range(40))


@pytest.mark.parametrize(
    ("normal", "classes", "anomalies"),
    [
        ("all", ("0", "1", "2", "3"), ()),
        ([1, 3], ("1, 3", "0", "2"), ("0", "2")),
        ({"odd": [1, 3]}, ("odd", "0", "2"), ("0", "2")),
        ({"odd": ["1", 3.0], "even": [0, 2]}, ("odd", "even"), ()),
        ([2], ("2", "0", "1", "3"), ("0", "1", "3")),
    ],
    ids=str,
)
def test_which_values_are_normal(normal: Any, classes: Any, anomalies: Any, tmp_path: Path) -> None:
    dataset = table(tmp_path, DIGITS, None, normal=normal, leave_out=[], test_share=0.5)
    assert (dataset.classes, dataset.anomaly_classes) == (classes, anomalies)
    arrays = dataset.load({})
    assert dataset.sizes == class_sizes(classes, arrays.train_labels, arrays.test_labels)
    # Every row once, each value in both parts by its share, with the label of its class.
    both = np.concatenate([arrays.train[:, 0], arrays.test[:, 0]]).astype(int)
    assert sorted(both) == list(range(40))
    assert [np.bincount(part[:, 0].astype(int) % 4).tolist() for part in (arrays.train, arrays.test)] == [[5] * 4] * 2
    names = np.array(classes)[np.concatenate([arrays.train_labels, arrays.test_labels])]
    groups = normal if isinstance(normal, dict) else {} if normal == "all" else {classes[0]: normal}
    called = {str(int(float(value))): name for name, values in groups.items() for value in values}
    assert list(names) == [called.get(str(row % 4), str(row % 4)) for row in both]


def test_a_seed_decides_the_split_of_a_table(tmp_path: Path) -> None:
    def rows(**settings: Any) -> list[float]:
        dataset = table(tmp_path, DIGITS, None, normal="all", leave_out=[], **settings)
        return list(dataset.load({}).train[:, 0])

    assert rows() == rows(split_seed=0) != rows(split_seed=1)
    assert len(rows(test_share=0.25)) == 30


def test_formats_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), np.repeat([0, 1], 10)
    frame = pd.DataFrame(X, columns=["f1", "f2", "f3"]).assign(label=y)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "semicolons.csv", index=False, sep=";", encoding="utf-8-sig")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_feather(tmp_path / "a.feather")
    content = pa.Table.from_pandas(frame)
    for name, opened in (("file.arrow", pa.ipc.new_file), ("stream.arrow", pa.ipc.new_stream)):
        with pa.OSFile(str(tmp_path / name), "wb") as file, opened(file, content.schema) as writer:
            writer.write_table(content)
    np.savez(tmp_path / "a.npz", X=X, y=y)
    np.savez_compressed(tmp_path / "compressed.npz", X=np.asfortranarray(X), y=y.astype(float)[:, None])
    loaded = []
    for path in sorted(tmp_path.iterdir()):
        separator = ";" if path.stem == "semicolons" else ","
        loaded.append(table_dataset(name="toy", file=str(path), normal=[0], separator=separator).load({}))
    assert len(loaded) == 8
    for arrays in loaded:
        for part in vars(arrays):
            np.testing.assert_array_equal(getattr(arrays, part), getattr(loaded[0], part))
    assert set(map(tuple, loaded[0].train)) | set(map(tuple, loaded[0].test)) == set(map(tuple, X))


@pytest.mark.parametrize("suffix", ["parquet", "feather", "npz"])
def test_a_table_may_grow_if_its_checksum_is_stated(suffix: str, tmp_path: Path, monkeypatch: Any) -> None:
    """Many rows of the same numbers need little on a disk. tests/test_security.py has what such files may do."""
    monkeypatch.setattr(table_files, "MAXIMUM_SIZE", 0)
    monkeypatch.setattr(table_files, "MAXIMUM_GROWTH", 2)
    file = tmp_path / f"a.{suffix}"
    frame = pd.DataFrame({"f1": np.zeros(100_000), "label": np.repeat([0, 1], 50_000)})
    if suffix == "npz":
        np.savez_compressed(file, X=frame[["f1"]], y=frame["label"])
    elif suffix == "parquet":
        frame.to_parquet(file)
    else:
        frame.to_feather(file, compression="zstd")
    with pytest.raises(DataError, match=r"bytes in memory|too large"):
        table_dataset(name="toy", file=str(file), normal=[0])
    dataset = table_dataset(name="toy", file=str(file), normal=[0], sha256=digest(file))
    assert dataset.sizes == {"0": (30_000, 20_000), "1": (30_000, 20_000)}


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_either_version_and_order(version: tuple[int, int], order: str, tmp_path: Path) -> None:
    """As NumPy writes them, with headers that say which."""
    X = np.arange(20, dtype=np.float64).reshape(10, 2)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name, values in (("X.npy", np.asarray(X, order=order)), ("y.npy", np.arange(10) % 2)):  # type: ignore[call-overload]
            content = io.BytesIO()
            np.lib.format.write_array(content, values, version)
            archive.writestr(name, content.getvalue())
    found, labels = read_npz(tmp_path / "a.npz", ("X", "y"))
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(labels, np.arange(10) % 2)


def test_a_large_npz_file(tmp_path: Path) -> None:
    """Longer than what is read of it at once."""
    X = np.arange(2**16 * 40, dtype=np.float64).reshape(-1, 40)
    dataset = table_dataset(name="toy", file=npz(tmp_path, X=X, y=np.arange(len(X)) % 2), normal=[0])
    assert dataset.load({}).train[-1, -1] == X[:, -1].max() or dataset.load({}).test[-1, -1] == X[:, -1].max()


def test_columns_of_other_types(tmp_path: Path) -> None:
    """Truth values are numbers; dictionaries and numbers that are named are categories, 1 and 1.0 one of them."""
    path = tmp_path / "a.parquet"
    kinds = pd.Categorical(["a", "b", "a", "b"])
    flags = [True, False, False, True]
    frame = pd.DataFrame({"flag": flags, "kind": kinds, "code": [1.0, 2, 1, 2], "label": flags})
    frame.to_parquet(path)
    frame[::-1].to_parquet(tmp_path / "test.parquet", index=False)
    files = {"file": str(path), "test_file": str(tmp_path / "test.parquet")}
    settings: dict[str, Any] = {"name": "toy", "normal": [True], **files}
    dataset = table_dataset(**settings, categorical=["kind", "code"])
    assert dataset.classes == ("True", "False")
    np.testing.assert_array_equal(
        dataset.load({}).train, [[1, 1, 0, 1, 0], [0, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 0, 1, 0, 1]]
    )
    assert table_dataset(**settings).encoded == 2


MISSING = """a,b,kind,label
1,,x,good
3,5,,good
NA,7,y,bad
?,9,x,good
"""


def test_missing_values_are_counted_or_imputed(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"train": MISSING, "leave_out": []}
    test = "a,b,kind,label\n1,,x,good\n,0,,bad\n"
    with pytest.raises(
        DataError, match=r"train.csv: 4 values are missing, in 4 of 4 rows, first in row 1, and in 3 of 3"
    ):
        table(tmp_path, test="a,b,kind,label\n1,0,x,good\n1,0,x,bad\n", **settings)
    arrays = table(tmp_path, test=test, impute="mean", **settings).load({})
    # By the training part alone: a's mean is 2, b's 7, the most frequent kind x.
    np.testing.assert_array_equal(arrays.train, [[1, 7, 1, 0], [3, 5, 1, 0], [2, 7, 0, 1], [2, 9, 1, 0]])
    np.testing.assert_array_equal(arrays.test, [[1, 7, 1, 0], [2, 0, 1, 0]])
    arrays = table(tmp_path, test=test, impute="mean", missing=["", "NA"], categorical=["a", "kind"], **settings).load(
        {}
    )
    assert arrays.train.shape == (4, 1 + 3 + 2)  # b, and ? is a category of a


def npz(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "a.npz", **arrays)
    return str(folder / "a.npz")


def parquet(folder: Path, **columns: Any) -> str:
    pd.DataFrame({**columns, "label": ["good", "bad"] * (len(next(iter(columns.values()))) // 2)}).to_parquet(
        folder / "a.parquet"
    )
    return str(folder / "a.parquet")


def twice(folder: Path) -> str:
    pq.write_table(pa.table([pa.array([1.0])] * 2, names=["a", "a"]), folder / "a.parquet")
    return str(folder / "a.parquet")


X = np.zeros((4, 2))
MANY = "x,who,label\n" + "".join(f"1,person {row},{'good' if row % 2 else 'bad'}\n" for row in range(2002))
#: What is given for the table of `table`, other files, and what is said.
REFUSED: dict[str, tuple[dict[str, Any], Callable[[Path], str] | None, str]] = {
    "no file": ({"file": "/nowhere/a.csv"}, None, "there is no file /nowhere/a.csv"),
    "no such format": ({"file": "a.xlsx"}, None, r"a\.xlsx: \.xlsx is not read; known are \.csv, \.parquet"),
    "another file": (
        {"sha256": "0" * 64},
        None,
        "train.csv is another file than sha256 says; its checksum is [0-9a-f]+",
    ),
    "another test file": (
        {"test_sha256": "0" * 64},
        None,
        "test.csv is another file than test_sha256 says; its checksum",
    ),
    "no test file": (
        {"test": None, "test_sha256": "0" * 64},
        None,
        "is the checksum of a `test_file`, and none is given",
    ),
    "no label": (
        {"label": "class"},
        None,
        "has no column 'class' for `label`; its columns are 'id', 'width', 'colour'",
    ),
    "no normal value": ({"normal": ["god"]}, None, "no row has the value 'god' of `normal`; there are 'good', 'hole'"),
    "a value twice": ({"normal": {"a": ["good"], "b": ["good"]}}, None, "`normal` has the value 'good' twice"),
    "a group's name": ({"normal": {"hole": ["good"]}}, None, "calls a group 'hole', which is a value of the anomalies"),
    "the label left out": ({"leave_out": ["label"]}, None, "'label' is the label and cannot be in `leave_out`"),
    "the label a category": ({"categorical": ["label"]}, None, "'label' is the label and cannot be in `categorical`"),
    "nothing to leave out": ({"leave_out": ["ID"]}, None, "no column 'ID' for `leave_out`"),
    "no such category": ({"categorical": ["color"]}, None, "no column 'color' for `categorical`"),
    "a category left out": ({"categorical": ["id"]}, None, "'id' is in `categorical` and in `leave_out`"),
    "no feature": ({"leave_out": ["id", "width", "colour"]}, None, "no column is left beside 'label'"),
    "other test columns": (
        {"test": "a,label\n1,good\n"},
        None,
        "test.csv and .*train.csv do not both have the columns 'width', 'colour', 'a'$",
    ),
    "missing labels": (
        {"train": TRAIN + "4,1,red,\n"},
        None,
        "train.csv: the label is missing in 1 of 4 rows, first in row 4",
    ),
    "missing values": (
        {"train": TRAIN + "4,,red,good\n5,,,good\n"},
        None,
        "train.csv: 3 values are missing, in 2 of 5 rows, first in row 4, and in 2 of 2 columns, 'width', 'col",
    ),
    "a text in a number": (
        {"train": TRAIN + "4,wide,red,good\n"},
        None,
        "the column 'width' holds a text, 'wide', in 1 of 4 rows, first in row 4; mend it, name the column in"
        " `categorical`, or the text in `missing`",
    ),
    "infinite": ({"train": TRAIN + "4,inf,red,good\n"}, None, "'width' holds infinite values.* in 1 of 4 rows"),
    "infinite in the test": (
        {"test": TEST + "good,red,6,inf\n"},
        None,
        "test.csv: the column 'width' holds infinite values.* in 1 of 3 rows, first in row 3",
    ),
    "missing in the test": (
        {"test": TEST + "good,,6,1\n"},
        None,
        "test.csv: 1 values are missing, in 1 of 3 rows, first in row 3, and in 1 of 2 columns, 'colour'",
    ),
    "a text in a number of the test": (
        {"test": TEST + "good,red,6,wide\n"},
        None,
        "test.csv: the column 'width' holds a text, 'wide', in 1 of 3 rows, first in row 3",
    ),
    "the test is the training part": (
        {"test": TRAIN},
        None,
        r"test.csv has the same content as .*train.csv: the rows that are fitted would be the test part",
    ),
    "a share that is not split off": ({"test_share": 0.3}, None, "`test_share` and .* as `test_file` is that part"),
    "a seed that decides nothing": ({"split_seed": 3}, None, "`test_share` and .* as `test_file` is that part"),
    "a share without labels": (
        {"test": None, "normal": "none", "test_share": 0.3},
        None,
        "`test_share` and `split_seed` .* without labels; leave them out",
    ),
    **{
        f"no header: {line}": (
            {"train": f"{line}\n1,2,3\n", "test": None, "leave_out": []},
            None,
            f"train.csv: its first line holds numbers, '{line.partition(',')[0]}', .* where names of the columns are",
        )
        for line in ("0.3,1.5,0.7", "5,1,3", "2,2,2", "0.1,0.2,good")
    },
    "names where there are none": (
        {"header": False, "leave_out": [], "label": "f4"},
        None,
        "train.csv: .*'f[12]'",
    ),
    "a label of another name": ({"header": False, "leave_out": []}, None, "no column 'label'"),
    "no header of one column": (
        {"train": "7\n8\n", "test": None, "leave_out": [], "normal": "none"},
        None,
        "train.csv: its first line holds numbers, '7', where names of the columns are to stand",
    ),
    "whole numbers that no float holds": (
        {"train": f"x,label\n{'9' * 400},good\n1,bad\n", "test": None, "leave_out": []},
        None,
        "the column 'x' holds whole numbers too large for float64",
    ),
    "numbers beside texts": (
        {"train": 'x,label\n"1,5",good\n"2,5",bad\nk.A.,bad\n', "test": None, "leave_out": []},
        None,
        "'x' holds numbers or dates that cannot be read as numbers, as '1,5', beside texts, as 'k.A.'; state their",
    ),
    "a unit": (
        {
            "train": "x,label\n" + "".join(f"{row % 21}.5 mm,{('good', 'bad')[row % 2]}\n" for row in range(80)),
            "test": None,
            "leave_out": [],
        },
        None,
        "'x' holds numbers with the unit 'mm', as '0.5 mm', which cannot be read as numbers; take the unit away, leave",
    ),
    "too fine": (
        {
            "train": "x,label\n" + "".join(f"{10**18 + row},{('good', 'bad')[row % 2]}\n" for row in range(8)),
            "test": None,
            "leave_out": [],
        },
        None,
        "does not tell the values of the column 'x' apart",
    ),
    "too large": ({"train": TRAIN + "4,1e39,red,good\n"}, None, "'width' holds .* such as float32 cannot hold"),
    "an empty column": (
        {"train": "a,b,label\n1,,good\n2,,bad\n", "test": None, "leave_out": []},
        None,
        "the column 'b' has no value at all; leave it out",
    ),
    "names of rows": ({"train": MANY, "test": None, "leave_out": []}, None, "'who' has 2,002 different categories"),
    "names of few rows": (
        {
            "train": "x,who,label\n" + "".join(f"1,n{row},{('good', 'bad')[row % 2]}\n" for row in range(40)),
            "test": None,
            "leave_out": [],
        },
        None,
        "'who' has 40 different texts in 40 rows, as 'n0', which are names rather than categories; leave it out, or",
    ),
    **{
        f"unread numbers: {text}": (
            {"train": f'x,label\n"{text}",good\n"{text}",bad\n', "test": None, "leave_out": []},
            None,
            f"'x' holds numbers or dates that cannot be read as numbers, as '{text}'; state their `decimal` sign",
        )
        for text in ("1,5", "-1.234,5", "31.12.2025", "2025-12-31 10:30", "10:30", "12 %", "\N{MINUS SIGN}2.5")
    },
    **{
        f"unread: {text}": (
            {"train": f'x,label\n"{text}",good\n"{text}",bad\n', "test": None, "leave_out": []},
            None,
            "'x' holds numbers or dates that cannot be read as numbers, as ",
        )
        for text in ("$3.50", "3,20 €", "1:30 PM", "31 Dec 2025", "Thu, 1 January 2026 10:30", "Dec 31, 2025")
    },
    "points of thousands": (
        {"train": 'x,label\n"1.234",good\n"1,5",bad\n', "test": None, "leave_out": [], "decimal": ","},
        None,
        "the column 'x' holds a text, '1.234', in 1 of 2 rows",
    ),
    "another separator": (
        {"train": TRAIN.replace(",", ";"), "test": None},
        None,
        "train.csv has one column alone, 'id;width;colour;label'; is its `separator` ';'?",
    ),
    "an index": (
        {"train": ",x,label\n0,1,good\n1,2,bad\n", "test": None, "leave_out": []},
        None,
        "train.csv: column 1 has no name, as an index of rows, which is no feature; name it, or leave it out by",
    ),
    "labels of another case": (
        {"train": TRAIN + "4,1,red,Good\n5,1,red,hole\n", "test": None, "test_share": 0.5},
        None,
        "the labels 'Good' and 'good' differ in case, blanks or accents' code alone, and would be two classes; write",
    ),
    "columns of one name": ({"train": "a,a,b,label\n1,2,3,good\n"}, None, "has several columns called 'a'"),
    "columns of one name in Parquet": ({}, twice, "has several columns called 'a'"),
    "too many fields": (
        {"train": "a,label\n1,good,3\n2,bad,4\n"},
        None,
        "train.csv cannot be read as csv: Length of header",
    ),
    "more fields later": ({"train": TRAIN + "1,2,3,4,5\n"}, None, "train.csv cannot be read as csv: .*line 5, saw 5"),
    "no text": ({"train": "\0\0"}, None, "train.csv"),
    "an empty file": ({"train": ""}, None, "train.csv cannot be read as csv: No columns to parse"),
    "a header alone": ({"train": "id,width,colour,label\n"}, None, "train.csv has no rows"),
    "all normal": (
        {"train": "a,label\n1,good\n2,good\n", "test": None, "leave_out": []},
        None,
        "every row is normal; without an anomaly there is nothing to measure",
    ),
    "no anomaly in the test": (
        {"test": "label,colour,id,width\ngood,green,4,0\n"},
        None,
        "test.csv: no row of the test part is anomalous where 'good' is normal",
    ),
    "no normal row in the test": (
        {"test": "label,colour,id,width\nhole,green,4,0\n"},
        None,
        "test.csv: no row of the test part is normal where 'good' is normal",
    ),
    "a class of one row": ({"test": None}, None, "one row alone has the label 'scratch', which cannot be split"),
    "too few rows": (
        {"train": "a,label\n1,good\n2,good\n3,bad\n4,bad\n", "test": None, "test_share": 0.1, "leave_out": []},
        None,
        "train.csv is too small for a `test_share` of 0.1: ",
    ),
    "no name": ({"name": "a\nb"}, None, "A data set cannot be called"),
    "dates": (
        {},
        lambda f: parquet(f, t=pd.to_datetime(["2020-01-01"] * 4)),
        "'t' holds a Timestamp, neither number nor",
    ),
    "lists": ({}, lambda f: parquet(f, t=[[1], [2]] * 2), "'t' holds a ndarray, neither number nor text"),
    "a text in Parquet": (
        {},
        lambda f: parquet(f, t=["?", "1", "2", "3"]),
        r"'t' holds a text, '\?', in 1 of 4 rows, first in row 1; mend it, or name the column in `categorical`$",
    ),
    "NPZ of complex numbers": ({}, lambda f: npz(f, X=X + 1j, y=[0, 0, 1, 1]), "'f1' holds complex numbers"),
    "NPZ without y": ({}, lambda f: npz(f, X=X, labels=X), "a.npz holds the arrays X, labels; expected X and y"),
    "NPZ of other shapes": ({}, lambda f: npz(f, X=X, y=X), r"X of shape \(4, 2\) and y of shape \(4, 2\); expected"),
    "NPZ of objects": (
        {},
        lambda f: npz(f, X=np.array([[{}]]), y=[1]),
        "X holds Python objects, a pickle, which is never",
    ),
    "NPZ of missing values": ({}, lambda f: npz(f, X=X * np.nan, y=[0, 0, 1, 1]), "the column 'f1' has no value"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used(what: str, tmp_path: Path) -> None:
    settings, other, message = REFUSED[what]
    parts = {"train": TRAIN, "test": TEST, **settings}
    if other is not None:
        parts |= {"test": None, "leave_out": []}
        path, normal = other(tmp_path), ["0"] if "npz" in message or what.startswith("NPZ") else ["good"]
        with pytest.raises(DataError, match=message) as error:
            table_dataset(name="toy", file=path, normal=normal)
    elif "file" in settings or "name" in settings:
        (tmp_path / "train.csv").write_text(TRAIN + TRAIN.partition("\n")[2])
        given = {"name": "toy", "file": str(tmp_path / "train.csv"), "normal": ["good"], "test_share": 0.5, **settings}
        with pytest.raises(DataError, match=message) as error:
            table_dataset(**given)
    else:
        with pytest.raises(DataError, match=message) as error:
            table(tmp_path, **parts)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "header", ["0,1,2", "1,2,label", "400.5,401,401.5", "2020,2019,label", "9,8,7", "a,2,1", "0,label", "1,2"]
)
def test_numbers_in_order_may_be_names(header: str, tmp_path: Path) -> None:
    width = header.count(",") + 1
    (tmp_path / "a.csv").write_text(f"{header}\n{','.join('5' * width)}\n{','.join('6' * width)}\n")
    left_out = ["label"] if "label" in header else []
    dataset = table_dataset(name="toy", file=str(tmp_path / "a.csv"), normal="none", leave_out=left_out)
    np.testing.assert_array_equal(dataset.load({}).train, np.repeat([[5], [6]], width - len(left_out), axis=1))


def test_what_is_left_out_may_be_missing_from_the_test(tmp_path: Path) -> None:
    without = "when,label,colour,width\nnow,good,green,4\nnow,hole,blue,7\n"
    with pytest.raises(DataError, match=r"do not both have the columns 'when'$"):
        table(tmp_path, test=without)
    arrays = table(tmp_path, test=without.replace("when,", "id,")).load({})
    np.testing.assert_array_equal(arrays.test, [[4, 0, 0], [7, 1, 0]])
    again = table(tmp_path, test=without.replace("when,", "").replace("now,", "")).load({})
    np.testing.assert_array_equal(again.test, arrays.test)


def test_few_numbers_with_a_unit_are_categories(tmp_path: Path) -> None:
    rows = [f"{row % 20} mm,{('good', 'bad')[row % 2]}\n" for row in range(80)]
    assert table(tmp_path, "x,label\n" + "".join(rows), None, leave_out=[]).encoded == 20


@pytest.mark.parametrize("damaged", ["\0", "wi\0dth", "1.5\0", "\0red", "hole\0"])
def test_nul_characters_are_damage(tmp_path: Path, damaged: str) -> None:
    """As a name of a column, pandas takes one for a name of no length; found by fuzzing."""
    whole = damaged.replace("\0", "") or "id"
    train, test = TRAIN.replace(whole, damaged, 1), TEST.replace(whole, damaged, 1)
    assert damaged in train + test
    with pytest.raises(DataError, match=r"t(rain|est).csv holds the character NUL, as UTF-16 and damaged files do"):
        table(tmp_path, train, test)


def test_utf_16_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(TRAIN, encoding="utf-16-be")
    with pytest.raises(DataError, match="save it as UTF-8"):
        table_dataset(name="toy", file=str(tmp_path / "wide.csv"), normal=["good"])


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_a_name_with_a_nul_character_is_damage(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    frame = pd.DataFrame({"\0": [1.0, 2, 3, 4], "label": list("aabb")})
    frame.to_parquet(path) if suffix == "parquet" else frame.to_feather(path)
    with pytest.raises(DataError, match=r"has a column called '\\x00'; no name holds the character NUL"):
        table_dataset(name="toy", file=str(path), normal=["a"])


def test_settings_of_csv_files_and_a_label_in_x_are_refused_elsewhere(tmp_path: Path) -> None:
    path = npz(tmp_path, X=X, y=[0, 0, 1, 1])
    for setting in ({"missing": ["?"]}, {"separator": ";"}, {"header": False}, {"header": True}):
        with pytest.raises(DataError, match=r"a.npz: `missing`, `separator` and `header` are for CSV files alone"):
            table_dataset(name="toy", file=path, normal=["0"], **setting)
    with pytest.raises(DataError, match=r"a.npz: 'f2' is a column of X, and the labels are y; leave `label` out"):
        table_dataset(name="toy", file=path, normal=["0"], label="f2")


def test_a_pickle_in_an_npz_file_is_never_read(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    objects = np.array([[Planted(canary)]], object)
    path = npz(tmp_path, X=objects, y=np.zeros(1))
    with pytest.raises(DataError, match="holds Python objects, a pickle, which is never read"):
        table_dataset(name="toy", file=path, normal=[0])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", pickle.dumps(objects))
        archive.writestr("y.npy", b"")
    with pytest.raises(DataError, match="corrupt"):
        table_dataset(name="toy", file=path, normal=[0])
    assert not canary.exists()


def test_columns_that_arrow_keeps_as_a_dictionary_are_texts_or_numbers(tmp_path: Path) -> None:
    """pandas' categories: of texts they are one-hot encoded, of numbers they are numbers."""
    frame = pd.DataFrame({"label": list("aabb"), "colour": ["red", "blue"] * 2, "size": [1, 2, 3, 4]})
    frame.to_parquet(tmp_path / "plain.parquet")
    frame.astype({"colour": "category", "size": "category"}).to_parquet(tmp_path / "kept.parquet")
    plain, kept = (
        table_dataset(name="own", file=str(tmp_path / f"{name}.parquet"), normal=["a"], test_share=0.5).load({})
        for name in ("plain", "kept")
    )
    np.testing.assert_array_equal(kept.train, plain.train)
    assert plain.train.shape[1] == 3


def test_decimal_commas_blanks_and_a_mark_of_byte_order(tmp_path: Path) -> None:
    """What Excel writes where commas stand before fractions; blanks around a field are no part of it."""
    text = '\ufeffGröße ;when;kind ;label\n"1,5";2025-01-01;red ; good\n -2,5 ;2025-01-02; red;good \n'
    text += "3;;NA ;bad\n7;;blue;good\n8;;blue;bad\n"
    settings = {"separator": ";", "decimal": ",", "leave_out": ["when"], "impute": "most_frequent"}
    dataset = table(tmp_path, text, text + "\n", **settings)
    assert dataset.sizes == {"good": (3, 3), "bad": (2, 2)}
    # NA is missing; of two that are as frequent, the first in the alphabet takes its place.
    expected = [[1.5, 0, 1], [-2.5, 0, 1], [3, 1, 0], [7, 1, 0], [8, 1, 0]]
    np.testing.assert_array_equal(dataset.load({}).train, expected)


def test_an_index_of_pandas_is_no_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "label": ["good", "bad"] * 2}, index=[7, 3, 9, 1])
    frame.to_csv(tmp_path / "a.csv")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.set_index([pd.Index([1, 2, 3, 4]), pd.Index([5, 6, 7, 8])]).to_parquet(tmp_path / "b.parquet")
    left_out = {"a.csv": [""]}
    for file in ("a.csv", "a.parquet", "b.parquet"):
        settings = {"normal": ["good"], "test_share": 0.5, "leave_out": left_out.get(file, [])}
        arrays = table_dataset(name="toy", file=str(tmp_path / file), **settings).load({})
        assert sorted([*arrays.train[:, 0], *arrays.test[:, 0]]) == [1, 2, 3, 4]
        assert arrays.train.shape == (2, 1)


def test_letters_are_labels_small_and_large(tmp_path: Path) -> None:
    rows = "x,label\n" + "1,a\n2,A\n" * 3
    assert table(tmp_path, rows, None, normal=["a"], leave_out=[]).classes == ("a", "A")
    rows = "x,label\n" + "1,ok\n2,OK\n3,bad\n" * 3
    assert table(tmp_path, rows, None, normal=["ok", "OK"], leave_out=[]).classes == ("ok, OK", "bad")


def test_named_categories_may_be_anything(tmp_path: Path) -> None:
    rows = "who,when,label\n" + "".join(f"n{row},{row % 7}:30,{('good', 'bad')[row % 2]}\n" for row in range(40))
    dataset = table(tmp_path, rows, None, leave_out=[], categorical=["who", "when"])
    assert dataset.encoded == len(dataset.load({}).train) + 7


def test_a_category_that_the_training_part_lacks_altogether(tmp_path: Path) -> None:
    """Its column stays, without a value: imputed where that is asked for."""
    (tmp_path / "train.csv").write_text("label,colour,size\na,,1\na,,2\nb,,3\n")
    (tmp_path / "test.csv").write_text("label,colour,size\na,red,1\nb,blue,2\n")
    files = {"file": str(tmp_path / "train.csv"), "test_file": str(tmp_path / "test.csv")}
    arrays = table_dataset(name="own", normal=["a"], impute="mean", categorical=["colour"], **files).load({})
    assert len(arrays.train) == 3
    assert np.isfinite(arrays.train).all()
    assert np.isfinite(arrays.test).all()


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    before = table(tmp_path)
    again = {"file": str(tmp_path / "train.csv"), "test_file": str(tmp_path / "test.csv"), "leave_out": ["id"]}
    assert table_dataset(name="toy", normal=["good"], **again) is before
    after = table(tmp_path, TRAIN + "6,1,red,good\n")
    assert after.sizes["good"] == (3, 1)


COLUMNS = np.column_stack([[1.0, 2, 3, 10], [5.0, 5, 5, 5], [0.0, 1, 0, 1]])


@pytest.mark.parametrize(
    ("kind", "shift", "scale"),
    [
        # Mean 4, variance (9 + 4 + 1 + 36) / 4; median 2.5, quartiles 1.75 and 4.75; range from 1 to 10.
        ("standard", [4, 5, 0], [12.5**0.5, 1, 1]),
        ("robust", [2.5, 5, 0], [3, 1, 1]),
        ("min-max", [1, 5, 0], [9, 1, 1]),
    ],
)
def test_scaling(kind: str, shift: list[float], scale: list[float]) -> None:
    """Constant features are shifted alone, one-hot ones not at all; and as scikit-learn scales."""
    found: Any = scaling_constants(kind, COLUMNS.astype(np.float32), encoded=1)
    np.testing.assert_allclose(np.array(found), np.array([shift, scale]), rtol=1e-12)
    new = np.array([[4, 6, 1], [-1, 5, 0]], np.float32)
    scaler = {"standard": StandardScaler, "robust": RobustScaler, "min-max": MinMaxScaler}[kind]().fit(COLUMNS[:, :2])
    np.testing.assert_allclose(rescale(new, *found)[:, :2], scaler.transform(new[:, :2]), rtol=1e-6)
    np.testing.assert_array_equal(rescale(new, *found)[:, 2], new[:, 2])


@pytest.mark.parametrize("kind", ["standard", "robust", "min-max"])
@pytest.mark.parametrize("features", [1, 2, 5])
def test_scaling_a_few_features_at_a_time(kind: str, features: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many rows scikit-learn sees a few features at a time; the constants are those of all at once."""
    rows = np.random.default_rng(0).normal([3, 0, -5, 1e6, 7], [1, 0, 4, 1, 1e-3], size=(100, 5))
    whole: Any = scaling_constants(kind, rows, encoded=1)
    monkeypatch.setattr("ocnn.data.preprocessing.LARGE", rows[:, :features].nbytes + 7)
    seen: list[int] = []
    scaler: Any = {"standard": StandardScaler, "robust": RobustScaler, "min-max": MinMaxScaler}[kind]
    fit = scaler.fit

    def counted(self: Any, columns: Any) -> Any:
        seen.append(columns.shape[1])
        return fit(self, columns)

    monkeypatch.setattr(scaler, "fit", counted)
    found: Any = scaling_constants(kind, rows, encoded=1)
    assert max(seen) == min(features, 4)
    assert sum(seen) == 4
    np.testing.assert_allclose(np.array(found), np.array(whole), rtol=1e-9)


def test_nothing_is_scaled() -> None:
    assert scaling_constants("none", COLUMNS) == (None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scaling_constants("standard", COLUMNS, encoded=3) == ((0.0,) * 3, (1.0,) * 3)


def test_no_such_scaling() -> None:
    with pytest.raises(DataError, match="scaling must be one of none, standard, robust, min-max"):
        Dataset("toy", ("a", "b"), dict, images=False, scaling="z")  # type: ignore[arg-type]


def test_only_what_is_said_to_be_missing_is(tmp_path: Path) -> None:
    """NA may be a category, a column and a class, as long as it is not among the missing values."""
    path = tmp_path / "a.csv"
    path.write_text("NA,None,label\n1,NA,null\n2,nan,null\n3,NA,NA\n4,nan,NA\n")
    dataset = table_dataset(name="toy", file=str(path), normal=["null"], missing=[""], test_share=0.5)
    assert dataset.classes == ("null", "NA")
    arrays = dataset.load({})
    assert sorted(arrays.train[:, 0].tolist() + arrays.test[:, 0].tolist()) == [1, 2, 3, 4]
    assert dataset.encoded >= 1


def test_breast_cancer() -> None:
    dataset = load_dataset("breast_cancer")
    assert (dataset.images, dataset.scaling, dataset.normal_classes) == (False, "standard", ("benign",))
    arrays = dataset.load({})
    assert isinstance(arrays, Arrays)
    assert dataset.sizes == class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)
    assert arrays.train.shape == (341, 30)
    # Malignant tumours are larger.
    assert arrays.train[arrays.train_labels == 0, 0].mean() > 1.3 * arrays.train[arrays.train_labels == 1, 0].mean()
