"""What jobs took, by their benchmark files."""

from pathlib import Path

import pandas as pd
import pytest

from ocnn.report.provenance import core_hours, job_costs, worked


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ([], ""),
        ([0.4], "0 seconds"),
        ([1.0], "1 second"),
        ([20.0, 39.0], "59 seconds"),
        ([75.0], "1 minute"),
        ([float("nan"), 100.0], "2 minutes"),
        ([3600.0], "1.0 hours"),
        ([3600.0 * 1234], "1,234.0 hours"),
    ],
)
def test_how_long_the_jobs_took(seconds: list[float], words: str) -> None:
    assert worked(pd.DataFrame({"seconds": seconds}, dtype=float)) == words


def test_core_hours_by_rule(tmp_path: Path) -> None:
    (tmp_path / "fit" / "toy").mkdir(parents=True)
    for name, text in (("0", "3600\t10"), ("1", "1800\t-"), ("2", "damaged")):
        (tmp_path / "fit" / "toy" / f"{name}.tsv").write_text(f"s\tmax_rss\n{text}\n")
    (tmp_path / "metrics.tsv").write_text("s\tmax_rss\n360\t5\n")
    costs = job_costs(tmp_path)
    found = core_hours(costs, threads=2).set_index("rule")
    assert found["jobs"].to_dict() == {"fit": 3, "metrics": 1, "all": 4}
    assert found["hours"].to_dict() == pytest.approx({"fit": 1.5, "metrics": 0.1, "all": 1.6})
    assert found["core_hours"].to_dict() == pytest.approx({"fit": 3.0, "metrics": 0.2, "all": 3.2})
    assert found["largest job, MiB"].to_dict() == {"fit": 10, "metrics": 5, "all": 10}
    assert core_hours(job_costs(tmp_path / "nothing"), threads=2).empty
