"""Names of the samples of data of the user's own, by which a person finds them.

They stand in no module of a reader: a change of that makes arrays again, and all fits on them. So this one knows those
from within.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocnn.data import folders, tables
from ocnn.data.table_files import read_table


def sample_names(**experiments: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Name the samples of experiments on data of one's own.

    Args:
        experiments: by experiment, what `folder_dataset` or `table_dataset` is called with.

    Returns:
        By experiment and part, `train` and `test`, the names in the order of the arrays: of a picture its path in the
        folder; of a row its file and its number there, the first of which is 1.
    """
    return {
        name: (_of_pictures if "folder" in arguments else _of_rows)(**arguments)
        for name, arguments in experiments.items()
    }


def _of_pictures(
    *, normal: Any, size: Any, leave_out: Any = folders.NO_CLASSES, **settings: Any
) -> dict[str, list[str]]:
    folder = folders._folder(normal, size, leave_out, settings)
    pictures = folders._pictures(folder)
    paths = [os.fsencode(picture.path.relative_to(folder.folder)).decode("utf-8", "replace") for picture in pictures]
    train, test, *_ = folders._arranged(folder, pictures)
    return {"train": [paths[place] for place in train], "test": [paths[place] for place in test]}


def _of_rows(*, normal: Any, **settings: Any) -> dict[str, list[str]]:
    table = tables._table(normal, settings)
    texts = [tables._labels(table, file, read_table(table, file)) for file in table.files]
    rows = [
        f"{Path(file).name}, row {row}"
        for file, labels in zip(table.files, texts, strict=True)
        for row in range(1, len(labels) + 1)
    ]
    train, test = tables._parts(table, texts)
    return {"train": [rows[place] for place in train], "test": [rows[place] for place in test]}
