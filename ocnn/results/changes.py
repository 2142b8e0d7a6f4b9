"""What differs between two runs, cell by cell: numbers, cells that are new or gone, and verdicts."""

import pandas as pd

from ocnn.results.metrics import METRICS, PUBLISHED_METRIC
from ocnn.results.summary import KEYS

SAME, CHANGED, NEW, GONE = "same", "changed", "new", "gone"
CELL = [*KEYS, "evaluation"]
#: A cell is the same where each metric is, but for what summing in another order makes of it; in percent.
TOLERANCE = 1e-9


def compare_runs(
    before: pd.DataFrame, now: pd.DataFrame, judged_before: pd.DataFrame, judged_now: pd.DataFrame
) -> pd.DataFrame:
    """Compare the cells of two runs.

    Args:
        before, now: of `summarise`.
        judged_before, judged_now: of `judge`, by the same rule.

    Returns:
        One row per cell that either run has: experiment, normal, method, evaluation, `change` (`same`, `changed`,
        `new`, `gone`); for each metric `METRIC_before`, `METRIC_now` and `METRIC_difference`, now − before, in its
        unit; `verdict_before` and `verdict_now`, missing where there is no published cell, and `same_verdict`, missing
        unless both are there.
    """
    wide_before, wide_now = (_wide(cells) for cells in (before, now))
    index = wide_now.index.union(wide_before.index, sort=False)
    rows = pd.DataFrame(index=index)
    in_both = index.isin(wide_before.index) & index.isin(wide_now.index)
    equal = pd.Series(True, index)
    columns: dict[str, pd.Series] = {}
    for name in METRICS:
        old, new = (wide[name].reindex(index) for wide in (wide_before, wide_now))
        columns |= {f"{name}_before": old, f"{name}_now": new, f"{name}_difference": new - old}
        equal &= ((new - old).abs() <= TOLERANCE) | (new.isna() & old.isna())
    change = pd.Series(CHANGED, index).mask(equal, SAME)
    rows["change"] = change.mask(~in_both & index.isin(wide_now.index), NEW).mask(
        ~in_both & ~index.isin(wide_now.index), GONE
    )
    rows = rows.assign(**columns)
    for name, judged in (("verdict_before", judged_before), ("verdict_now", judged_now)):
        rows[name] = judged.set_index(CELL)["verdict"].reindex(index).to_numpy(object)
    both = rows["verdict_before"].notna() & rows["verdict_now"].notna()
    rows["same_verdict"] = (rows["verdict_before"] == rows["verdict_now"]).astype("boolean").mask(~both)
    return rows.reset_index()


def _wide(cells: pd.DataFrame) -> pd.DataFrame:
    """The means of all metrics by cell."""
    wide = cells.pivot(index=CELL, columns="metric", values="mean").reindex(columns=list(METRICS))
    order = pd.MultiIndex.from_frame(cells[cells["metric"] == PUBLISHED_METRIC][CELL])
    return wide.reindex(order)
