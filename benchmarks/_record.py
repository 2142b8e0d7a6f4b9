"""What a script keeps of its run: one JSON file, which `benchmarks.history` sets beside those of other commits."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks._measure import ROOT, machine, show
from ocnn.report.provenance import commit
from ocnn.storage.files import safe_name

#: One folder per script. Git ignores it: a record says something of the machine that it was made on alone.
RECORDS = Path(os.environ.get("BENCHMARKS_RECORDS", ROOT / "build" / "benchmarks"))


class Record:
    """A run of a script, rewritten with each table, so that one that is ended keeps what it had.

    Args:
        script: `__file__` of the script.
        arguments: what it was called with, by name.
        folder: where the files are.
    """

    def __init__(self, script: str, arguments: Mapping[str, Any], folder: Path = RECORDS) -> None:
        now = datetime.now(UTC)
        self.about = {
            "script": Path(script).stem,
            "arguments": {name: _plain(value) for name, value in arguments.items()},
            "commit": commit(),
            "date": now.isoformat(timespec="seconds"),
            "machine": machine(),
            "python": sys.version.split()[0],
        }
        self.tables: list[dict[str, Any]] = []
        self.path = folder / Path(script).stem / f"{now:%Y%m%dT%H%M%S}-{safe_name(commit())}.json"

    def keep(self, rows: Sequence[Mapping[str, Any]], *, by: Sequence[str], followed: Sequence[str] = ()) -> None:
        """Print rows, and add them to the file.

        Args:
            by: the columns that say what a row is of.
            followed: the columns whose numbers are compared over commits, ratios where there are some.
        """
        show(rows)
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        self.tables.append({"rows": plain, "by": list(by), "followed": list(followed)})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {**self.about, "tables": self.tables}
        self.path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def earlier_fits(path: Path | None, columns: Sequence[str]) -> pd.DataFrame:
    """Read the fits that an ended run of a script kept, with at least these columns; none where there is no file.

    Raises:
        SystemExit: the file is not one of this script as it is now.
    """
    if path is None or not path.is_file():
        return pd.DataFrame(columns=list(columns))
    try:
        fits = pd.read_csv(path, dtype={"normal": str})
    except (ValueError, UnicodeDecodeError) as error:
        sys.exit(f"{path} is no table of fits: {error}")
    if missing := [column for column in columns if column not in fits.columns]:
        sys.exit(f"{path} has no column {', '.join(missing)}: it is of another script, or of an earlier one.")
    return fits


def _plain(value: Any) -> Any:
    """What JSON can hold: numbers as such, lists of them, and all else as text."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
