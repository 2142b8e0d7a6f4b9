"""What planning asks of the jobs."""

from pathlib import Path
from typing import Any

import pytest

from ocnn.config.checks import load
from ocnn.data import names, tables
from ocnn.data.names import sample_names
from ocnn.steps.jobs import Job, Jobs

ROWS = "x,label\n" + "".join(f"{row},{'ok' if row % 4 else 'bad'}\n" for row in range(1, 41))


@pytest.mark.parametrize("normal", [["ok"], "none"])
def test_the_names_of_rows_are_read_by_the_job_and_not_by_planning(
    normal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = {
        "file": str(tmp_path / "rows.csv"),
        "normal": normal,
        **({} if normal == ["ok"] else {"leave_out": ["label"]}),
    }

    def planned(file: str = "rows.csv") -> Job:
        (tmp_path / file).write_text(ROWS)
        jobs = Jobs(
            load(
                {
                    "datasets": {"rows": {**block, "file": str(tmp_path / file)}},
                    "methods": {"knn": {}},
                    "experiments": {"mine": {"dataset": "rows", "contamination": 0}},
                }
            )
        )
        with monkeypatch.context() as patched:
            for module in (names, tables):
                patched.setattr(module, "read_table", lambda *_: pytest.fail("the table is read once more"))
            if normal == "none":
                jobs.most_anomalous("mine")
            return jobs.report()

    job = planned()
    found = sample_names(**job.arguments["names"])
    assert sorted(found["mine"]["train"] + found["mine"]["test"]) == sorted(f"rows.csv, row {n}" for n in range(1, 41))
    # The same rows in another file have other names.
    assert planned("other.csv").stated["names"] != job.stated["names"] == planned().stated["names"]
