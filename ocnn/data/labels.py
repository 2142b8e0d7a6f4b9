"""What the labels of a user's own data say: which classes there are, which are normal, and which rows are tested."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from ocnn.errors import DataError

#: As many names does a message list.
LISTED = 5
#: The classes of data without labels; nobody has said which samples are of the second, so that it has none.
UNLABELLED = ("unlabelled", "anomaly")
#: `all`, each value in turn; `none`, there are no labels; or groups of values by name, each in turn the normal class.
Normal = str | tuple[tuple[str, tuple[str, ...]], ...]


def text_of(value: Any) -> str:
    """Give a value as the text by which it is known: 1 and 1.0 are one value."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value)


def normal_groups(normal: Any) -> Normal:
    """Bring what is said to be normal to one form.

    Args:
        normal: `all`, `none`, a list of values that are normal together, or a mapping of names to such lists.
    """
    if isinstance(normal, str):
        return normal
    groups = normal if isinstance(normal, Mapping) else {", ".join(map(text_of, normal)): normal}
    return tuple((name, tuple(map(text_of, values))) for name, values in groups.items())


def classes_of(
    where: str, sample: str, normal: Normal, labels: NDArray[Any]
) -> tuple[tuple[str, ...], tuple[str, ...], NDArray[np.int64]]:
    """Make classes of the values of labels.

    Args:
        where, sample: the file or folder, and what one sample of it is called, for messages.
        normal: of `normal_groups`.
        labels: (n,) texts.

    Returns:
        All classes, the normal ones of them (the first), and the labels as indices into all (n,).

    Raises:
        DataError: the values and the groups do not fit, or there is no anomaly.
    """
    if normal == "none":
        return UNLABELLED, UNLABELLED[:1], np.zeros(len(labels), np.int64)
    values = sorted(set(labels), key=_in_order)
    groups = [(value, (value,)) for value in values] if isinstance(normal, str) else list(normal)
    of_value: dict[str, str] = {}
    for name, members in groups:
        for value in members:
            if value not in values:
                raise DataError(f"{where}: no {sample} has the value {value!r} of `normal`; there are {listed(values)}")
            if value in of_value:
                raise DataError(f"`normal` has the value {value!r} twice")
            of_value[value] = name
    others = [value for value in values if value not in of_value]
    names = tuple(name for name, _ in groups)
    clash = [name for name in names if name in others]
    if clash:
        raise DataError(f"`normal` calls a group {clash[0]!r}, which is a value of the anomalies")
    if len(names) + len(others) < 2:
        raise DataError(
            f"{where}: every {sample} is normal; without an anomaly there is nothing to measure, and `normal: none`"
            " would say so"
        )
    _check_alike(where, [(value, of_value.get(value, value)) for value in values])
    classes = (*names, *others)
    places = {value: classes.index(of_value.get(value, value)) for value in values}
    return classes, names, np.array([places[text] for text in labels], np.int64)


def _check_alike(where: str, classes: Sequence[tuple[str, str]]) -> None:
    """Check that no value, given with its class, is one of another class misspelt; a letter may be small or large."""
    first: dict[str, tuple[str, str]] = {}
    for value, name in classes:
        key = unicodedata.normalize("NFKC", " ".join(value.split()))
        key = key.casefold() if len(key) > 1 else key
        other, of_other = first.setdefault(key, (value, name))
        if of_other != name:
            raise DataError(
                f"{where}: the labels {other!r} and {value!r} differ in case, blanks or accents' code alone, and would"
                " be two classes; write them as one, or name both in one list of `normal`"
            )


def _in_order(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return np.inf, text


def split_parts(
    where: str, sample: str, labels: NDArray[Any], share: float, seed: int, remedy: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split samples into a training and a test part, stratified by their labels.

    Args:
        where, sample: see `classes_of`.
        labels: (n,) texts.
        share: of the samples, which make the test part.
        seed: decides which these are.
        remedy: what else the user can do where a label has one sample.

    Returns:
        Their indices, in order.

    Raises:
        DataError: a label has one sample alone, or there are too few of them.
    """
    values, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise DataError(
            f"{where}: one {sample} alone has the label {values[counts.argmin()]!r}, which cannot be split into a"
            f" training and a test part; leave it out, or {remedy}"
        )
    try:
        parts = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=seed)
    except ValueError as error:
        raise DataError(f"{where} is too small for a `test_share` of {share}: {error}") from error
    return np.sort(parts[0]), np.sort(parts[1])


def check_tested(where: str, sample: str, sizes: Mapping[str, tuple[int, int]], normal: Sequence[str]) -> None:
    """Check that the test part has samples of either kind, whichever of its classes is normal.

    Args:
        where, sample: see `classes_of`; the place of the test part.
        sizes: numbers of training and of test samples of each class.
        normal: the classes that can be normal.

    Raises:
        DataError: one kind is missing.
    """
    total = sum(test for _, test in sizes.values())
    for name in normal:
        here = sizes[name][1]
        for kind, count in (("normal", here), ("anomalous", total - here)):
            if not count:
                raise DataError(f"{where}: no {sample} of the test part is {kind} where {name!r} is normal")


def listed(names: Sequence[Any]) -> str:
    """Write the first few of some names, and how many more there are."""
    shown = ", ".join(map(repr, names[:LISTED]))
    return shown + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
