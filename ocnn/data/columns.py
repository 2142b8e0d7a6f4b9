"""What the columns of a user's own table hold: numbers, categories, or what is neither; and what is missing in them."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_complex_dtype, is_integer_dtype, is_numeric_dtype

from ocnn.data.labels import listed, text_of
from ocnn.data.table_files import Table
from ocnn.errors import DataError

#: More categories are no feature, but names or numbers of rows; a column of each would fill the memory.
MOST_CATEGORIES = 1000
#: So many texts may always be categories; of more, nobody has named the column, at most one for every two rows.
FEW_CATEGORIES = 20
MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
#: Numbers, dates and times that are not read as such: as categories they would measure nothing.
QUANTITY = re.compile(
    r"[-+−]?[$€£¥]?[-+−]?[\d.,'’\s]*\d[.,]?(e[-+]?\d+)?\s*[%‰€$£¥°]?"  # 1,5 or 1.234,5 or 12 % or $5
    r"|\d{1,4}([-/.])\d{1,2}\2\d{1,4}([ T].*)?"  # 31.12.2025, 2025-12-31 10:30
    r"|\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[ap]\.?m\.?)?"  # 10:30, 10:30 PM
    rf"|([^\W\d]+[ ,]+)?\d{{1,2}}[ .-]+{MONTH}[ ,.-]+\d{{2,4}}([ T].*)?"  # Thu, 31 Dec 2025 10:30
    rf"|{MONTH}[ .]+\d{{1,2}},? +\d{{4}}( .*)?",  # December 31, 2025
    re.IGNORECASE,
)
#: A number and its unit. Where all units are the same, few numbers may be categories, as `12 mm` and `14 mm`.
MEASURED = re.compile(r"[-+−]?\d[\d.,'’]*\s*(?P<unit>[^\W\d_][^\d\s]{0,9}|°[CFK])")
#: What a column may hold.
PLAIN = (str, bool, int, float, np.number, np.bool_)


def _first_file(table: Table, counts: Sequence[int], mask: Any) -> tuple[str, slice]:
    """The first file with a row of a mask (n,) over the rows of all files, and the slice of its rows."""
    ends = np.cumsum(counts)
    place = int(np.searchsorted(ends, np.flatnonzero(mask)[0], side="right"))
    return table.files[place], slice(int(ends[place]) - counts[place], int(ends[place]))


def rows_of(mask: Any) -> str:
    """The rows of a mask in words; a table's first row has the number 1."""
    places = np.flatnonzero(mask)
    return f"{len(places)} of {len(mask)} rows, first in row {places[0] + 1}"


def kinds(table: Table, features: pd.DataFrame, counts: Sequence[int]) -> tuple[list[pd.Series], list[pd.Series]]:
    """Tell the columns of numbers, as float64, from those of categories, as texts; missing values are NaN in both.

    Args:
        table: the settings.
        features: of all files, one below the other.
        counts: the rows of each file.

    Raises:
        DataError: a column holds neither, or what would be read otherwise than it is meant.
    """
    numbers, categories = [], []
    for name, column in features.items():
        values = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
        known = values[values.notna()]
        if not len(known):
            raise DataError(f"{table.file}: the column {name!r} has no value at all; leave it out")
        strange = None if is_numeric_dtype(values.dtype) else next((v for v in known if not isinstance(v, PLAIN)), None)
        if strange is not None:
            kind = type(strange).__name__
            raise DataError(f"{table.file}: the column {name!r} holds a {kind}, neither number nor text; leave it out")
        if is_complex_dtype(values.dtype):
            raise DataError(f"{table.file}: the column {name!r} holds complex numbers; leave it out")
        try:
            exact = pd.to_numeric(_with_points(table, values), errors="coerce")
        except OverflowError as error:
            raise DataError(f"{table.file}: the column {name!r} holds whole numbers too large for float64") from error
        parsed = exact.astype(np.float64)
        if is_integer_dtype(exact.dtype) and 2 * parsed.nunique() <= exact.nunique():
            raise DataError(
                f"{table.file}: float64 does not tell the values of the column {name!r} apart; subtract an offset"
            )
        wrong = parsed.isna() & values.notna()
        if wrong.sum() == len(known) if table.categorical == "auto" else name in table.categorical:
            if table.categorical == "auto":
                _check_category(table.file, str(name), known)
            texts = [
                text_of(value) if present else np.nan for value, present in zip(values, values.notna(), strict=True)
            ]
            categories.append(pd.Series(texts, name=name, dtype=object))
            if (count := categories[-1].nunique()) > MOST_CATEGORIES:
                raise DataError(
                    f"{table.file}: the column {name!r} has {count:,} different categories, more than"
                    f" {MOST_CATEGORIES:,}; leave it out"
                )
        elif wrong.any():
            text = values[wrong].iloc[0]
            file, rows = _first_file(table, counts, wrong)
            mend = "mend it, name the column in `categorical`, or the text in `missing`"
            raise DataError(
                f"{file}: the column {name!r} holds a text, {text!r}, in {rows_of(wrong[rows])};"
                f" {mend if file.lower().endswith('.csv') else 'mend it, or name the column in `categorical`'}"
            )
        else:
            numbers.append(parsed)
            large = parsed.abs() > np.finfo(np.float32).max
            if large.any():
                file, rows = _first_file(table, counts, large)
                raise DataError(
                    f"{file}: the column {name!r} holds infinite values, or such as float32 cannot hold, in"
                    f" {rows_of(large[rows])}"
                )
    return numbers, categories


def _with_points(table: Table, values: pd.Series) -> pd.Series:
    """The values, with a point before the fraction of each number that is a text."""
    if table.decimal == "." or is_numeric_dtype(values.dtype):
        return values
    # A point would be one of thousands, of which `1.234` does not say whether it is.
    signs = str.maketrans({table.decimal: ".", ".": "?"})
    return values.map(lambda value: value.translate(signs) if isinstance(value, str) else value)


def _check_category(file: str, name: str, known: pd.Series) -> None:
    """Check that a column of texts, which nobody has called categories, can be such."""
    texts, advice = known.map(text_of), "leave it out, or name it in `categorical`"
    different = texts.nunique()
    found = texts.map(QUANTITY.fullmatch).notna()
    if found.mean() > 0.5:
        beside = "" if found.all() else f", beside texts, as {texts[~found].iloc[0]!r}"
        raise DataError(
            f"{file}: the column {name!r} holds numbers or dates that cannot be read as numbers, as"
            f" {texts[found].iloc[0]!r}{beside}; state their `decimal` sign, {advice}"
        )
    units = {match["unit"] if match else None for match in texts.map(MEASURED.fullmatch)}
    if len(units) == 1 and None not in units and different > FEW_CATEGORIES:
        raise DataError(
            f"{file}: the column {name!r} holds numbers with the unit {units.pop()!r}, as {texts.iloc[0]!r}, which"
            f" cannot be read as numbers; take the unit away, {advice}"
        )
    if MOST_CATEGORIES >= different > max(FEW_CATEGORIES, len(texts) // 2):
        raise DataError(
            f"{file}: the column {name!r} has {different} different texts in {len(texts)} rows, as {texts.iloc[0]!r},"
            f" which are names rather than categories; {advice}"
        )


def check_missing(table: Table, values: pd.DataFrame, counts: Sequence[int]) -> None:
    """Refuse missing values, unless the settings name an imputer; arguments as of `kinds`, whose values these are."""
    missing = values.isna().to_numpy()
    if missing.any() and not table.impute:
        file, rows = _first_file(table, counts, missing.any(axis=1))
        missing = missing[rows]
        names = [name for place, name in enumerate(values.columns) if missing[:, place].any()]
        raise DataError(
            f"{file}: {missing.sum()} values are missing, in {rows_of(missing.any(axis=1))}, and in {len(names)} of"
            f" {missing.shape[1]} columns, {listed(names)}; ask for an imputer by `impute`, or leave columns out"
        )
