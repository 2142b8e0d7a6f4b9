"""The keys of data of the user's own: a table, or a folder of pictures."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, WrapValidator
from pydantic_core import PydanticCustomError

from ocnn.config.values import (
    CategoricalColumns,
    Columns,
    HeaderLine,
    LabelValue,
    NormalValues,
    PathText,
    PictureSize,
    Section,
    Seed,
    Share,
)
from ocnn.data.folders import NO_CLASSES
from ocnn.data.table_files import MISSING


class Table(Section):
    """A table of your own as a data set. A column of numbers is a feature; one of texts is one-hot encoded."""

    file: Annotated[PathText, Field(examples=["measurements.csv"])]
    """CSV, Parquet, Arrow or NPZ file, by its suffix; its path from the folder of the configuration file in which it
    stands, or else from the mirror. An NPZ file has `X` and `y`, as ADBench's have; its columns are called f1, f2, …"""
    test_file: PathText | None = None
    """a second file of these columns, which is the test part; none: it is split off by `test_share`"""
    sha256: Annotated[str, Field(pattern="^[0-9A-Fa-f]{64}$")] | None = None
    """checksum that `file` must have; a file without one is refused if it would grow far in memory"""
    test_sha256: Annotated[str, Field(pattern="^[0-9A-Fa-f]{64}$")] | None = None
    """checksum that `test_file` must have"""
    label: Annotated[str, Field(min_length=1)] = "label"
    """column of the labels"""
    normal: Annotated[NormalValues, Field(examples=[["good"]])]
    """list of the values of the labels that are normal together; or a mapping of names to such lists, each of which is
    in turn the normal class; or `all`, each value in turn. Every other value is a class of anomalies. `none`: there are
    no labels; all rows of `file` are fitted, and each row has a score"""
    leave_out: Columns = []
    """columns that are no features"""
    categorical: CategoricalColumns = "auto"
    """columns to be one-hot encoded, by the categories of the training part; `auto`: those that hold texts alone"""
    missing: list[LabelValue] = list(MISSING)
    """texts that stand for a missing value in a CSV file"""
    impute: Literal["mean", "median", "most_frequent"] | None = None
    """what takes the place of a missing number, learned from the training part, as scikit-learn's `SimpleImputer` does;
    of a missing category the most frequent. None: a missing value is an error"""
    header: HeaderLine = "auto"
    """whether the first line of a CSV file names the columns; where it does not (`false`), they are called f1, f2, …,
    the labels' one, too; `auto`: it does, and one of numbers, which may be a row, is an error"""
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """between the fields of a CSV file"""
    decimal: Literal[".", ","] = "."
    """before the fraction of a number that is written as a text, as all are in a CSV file"""
    test_share: Annotated[Share, Field(gt=0, lt=1)] = 0.4
    """share of the rows that make the test part, stratified by the labels; the same rows for every seed"""
    split_seed: Seed = 0
    """decides which rows these are"""
    scaling: Literal["standard", "robust", "min-max", "none"] = "standard"
    """of each number by scikit-learn's scaler of that name, learned from the normal samples that are fitted"""


class ImageFolder(Section):
    """A folder of pictures of your own as a data set: PNG, JPEG, PPM and BMP."""

    folder: Annotated[PathText, Field(examples=["screws"])]
    """its path from the folder of the configuration file in which it stands, or else from the mirror. It holds `train`
    and `test`, each with a folder per class, as MVTec AD's do; or a folder per class, of which `test_share` is split
    off"""
    normal: Annotated[NormalValues, Field(examples=[["good"]])]
    """list of the classes that are normal together; or a mapping of names to such lists, each of which is in turn the
    normal class; or `all`, each class in turn. Every other class is one of anomalies. `none`: there are no labels; all
    pictures are fitted, or those below `train` where that and `test` are there, and each has a score"""
    size: Annotated[PictureSize, Field(examples=[32])]
    """height and width to which each picture is stretched; one number for both"""
    channels: Literal[1, 3] = 3
    """1, grey, or 3, colours, likewise; what is transparent shows white"""
    leave_out: Columns = list(NO_CLASSES)
    """folders that are no classes"""
    test_share: Annotated[Share, Field(gt=0, lt=1)] = 0.4
    """share of the pictures that make the test part, stratified by class; the same for every seed"""
    split_seed: Seed = 0
    """decides which pictures these are"""


def _table_or_folder(value: Any, _: Any) -> Any:
    """Check a block as what it is meant to be: a fault is told of that alone."""
    if isinstance(value, Mapping) and {"file", "folder"} <= set(value):
        raise PydanticCustomError("two_places", "has both `file` and `folder`; a table has the one, pictures the other")
    return own_data(value).model_validate(value)


def own_data(block: Any) -> "type[Table] | type[ImageFolder]":
    """Say what a block of `datasets` describes: pictures if it has a key that no table has, and no `file`."""
    keys = set(block) if isinstance(block, Mapping) else set()
    return ImageFolder if "file" not in keys and keys & {"folder", "size", "channels"} else Table


OwnData = Annotated[Table | ImageFolder, WrapValidator(_table_or_folder)]
