"""Two runs that differ in known cells."""

import pandas as pd

from ocnn.results.changes import CHANGED, GONE, NEW, SAME, compare_runs
from ocnn.results.summary import summarise
from ocnn.results.verdicts import judge
from tests.results.conftest import fits, published

DATASETS: dict[str, str | None] = {"toy": "toyset"}
PAPER = published({("a", "3"): 90.0, ("b", "3"): 50.0})


def cells(values: dict[tuple[str, str], list[float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A run's summary and its verdicts."""
    summary = summarise(fits(values), PAPER, DATASETS, {}, alpha=0.05)
    return summary, judge(summary, {}, {"toy": "test"}, margin=2, odds_ratio=1.25, alpha=0.05)


def test_cells_that_stayed_changed_came_and_went() -> None:
    before = cells({("a", "3"): [90.0, 90.1, 90.2], ("b", "3"): [50.0, 50.1, 50.2], ("c", "3"): [70.0, 71.0, 72.0]})
    now = cells({("a", "3"): [90.0, 90.1, 90.2], ("b", "3"): [80.0, 80.1, 80.2], ("d", "3"): [60.0, 61.0, 62.0]})
    found = compare_runs(before[0], now[0], before[1], now[1])
    rows = found[found["evaluation"] == "test"].set_index("method")
    assert rows["change"].to_dict() == {"a": SAME, "b": CHANGED, "d": NEW, "c": GONE}
    assert rows["auc_difference"].round(6).to_dict()["b"] == 30.0
    assert rows.loc["c", "auc_before"] == 71.0
    assert rows["auc_now"].isna()["c"]
    assert (rows.loc["b", "verdict_before"], rows.loc["b", "verdict_now"]) != ("better", "better")
    assert rows.loc["b", "verdict_now"] == "better"
    assert rows["same_verdict"].to_dict()["a"] is True
    assert rows["same_verdict"].to_dict()["b"] is False
    # Without a published cell there is no verdict to keep.
    assert rows.loc[["c", "d"], "same_verdict"].isna().all()


def test_a_run_is_the_same_as_itself() -> None:
    run = cells({("a", "3"): [90.0, 90.1, 90.2], ("c", "3"): [70.0, float("nan"), 72.0]})
    found = compare_runs(run[0], run[0], run[1], run[1])
    assert set(found["change"]) == {SAME}
    assert found["same_verdict"].dropna().all()
