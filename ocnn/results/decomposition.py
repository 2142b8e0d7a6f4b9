"""How many points of an AUC come from what the protocol as released does: each fit measured in several ways.

The released protocol scores a set most of whose normals were fitted and whose anomalies were not. One fit is measured
on that set (`train`), on its normals that were not fitted beside the same anomalies (`held_out`), and on the test part
without what was fitted (`test`); another, in which the set was shuffled so that anomalies are fitted, on its set and on
the test part again.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ocnn.results.metrics import METRICS, PUBLISHED_METRIC
from ocnn.results.statistics import error_bound
from ocnn.results.summary import KEYS

#: The class of a mean over all classes.
ALL = "all"
#: What is measured → the evaluation of the fit.
MEASURED = {"as_released": "train", "held_out": "held_out", "test": "test"}
#: The same with the set shuffled, on its set and on the test part.
SHUFFLED, SHUFFLED_TEST = "shuffled", "shuffled_test"
#: What a step is worth: the difference of two that were measured with the same seed.
STEPS = {
    "fitted_normals": ("as_released", "held_out"),
    "choice_of_samples": ("held_out", "test"),
    "unfitted_anomalies": ("as_released", SHUFFLED),
    "unfitted_anomalies_test": ("test", SHUFFLED_TEST),
}
#: What readers call these.
TITLES = {
    "as_released": "as released",
    "held_out": "held-out normals",
    "test": "test part",
    SHUFFLED: "shuffled",
    SHUFFLED_TEST: "shuffled, test part",
    "fitted_normals": "fitted normals",
    "choice_of_samples": "choice of samples",
    "unfitted_anomalies": "anomalies never fitted",
    "unfitted_anomalies_test": "anomalies never fitted, test part",
}
COLUMNS = [*KEYS, "quantity", "mean", "low", "high", "seeds", "sample_error", "published"]


def decompose(
    metrics: pd.DataFrame, summary: pd.DataFrame, shuffled: Mapping[str, str | None], *, alpha: float
) -> pd.DataFrame:
    """Measure the fits of experiments in these ways, and what lies between: a row per cell and quantity.

    Args:
        metrics: rows of `measurements.collect`.
        summary: of `summarise`, which has the published AUCs.
        shuffled: for each experiment to be taken apart the one that differs from it by a shuffled set, or None.
        alpha: intervals are at 1 − 2 alpha.

    Returns:
        `COLUMNS`, in percent AUC: for each method the mean over seeds, for each normal class and, if there are several,
        for their mean (`ALL`), which is taken within a seed first. `quantity` is a key of `MEASURED`, `SHUFFLED`,
        `SHUFFLED_TEST` or a key of `STEPS`, whose differences are taken within a seed, too. A seed that lacks a class
        or an AUC does not count. The interval is Student's, cut off where an AUC ends, of the error over seeds and that
        by the choice of samples (`sample_error`, see `metrics.auc_error`), which counts as if all seeds had the same
        samples; of one seed it is of the latter alone. Of a difference it counts as if its two AUCs were of different
        samples, which is too much where they share some.
    """
    parts = []
    for experiment, other in shuffled.items():
        fits = {name: _fits(metrics, experiment, evaluation) for name, evaluation in MEASURED.items()}
        fits |= {SHUFFLED: _fits(metrics, other, "train"), SHUFFLED_TEST: _fits(metrics, other, "test")}
        found = pd.DataFrame({name: rows[PUBLISHED_METRIC] for name, rows in fits.items()})
        variances = pd.DataFrame({name: rows["auc_error"] ** 2 for name, rows in fits.items()})
        if found.empty:
            continue
        for step, (more, less) in STEPS.items():
            found[step] = found[more] - found[less]
            variances[step] = variances[more] + variances[less]
        classes = found.index.get_level_values("normal").nunique()
        if classes > 1:
            groups = found.groupby(level=["method", "seed"], sort=False)
            means = groups.mean().where(groups.count() == classes)
            found = pd.concat([found, pd.concat({ALL: means}, names=["normal"])])
            # Of the mean of AUCs of different samples.
            by_seed = variances.groupby(level=["method", "seed"], sort=False)
            sums = by_seed.sum(min_count=classes) / classes**2
            variances = pd.concat([variances, pd.concat({ALL: sums}, names=["normal"])])
        long = found.melt(var_name="quantity", ignore_index=False)
        long["variance"] = variances[found.columns].where(found.notna()).melt()["value"].to_numpy()
        rows = long.groupby(["normal", "method", "quantity"], sort=False).agg(
            mean=("value", "mean"), std=("value", "std"), seeds=("value", "count"), variance=("variance", "mean")
        )
        parts.append(rows.reset_index().assign(experiment=experiment))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    over_seeds = table["std"].fillna(0) ** 2 / table["seeds"].clip(lower=1)
    freedoms = np.column_stack([(table["seeds"] - 1).clip(lower=1), np.full(len(table), np.inf)])
    half = error_bound(np.column_stack([over_seeds, table["variance"]]), freedoms, alpha)
    # An AUC ends at 0 and at 100, a difference of two at −100 and 100.
    least = np.where(table["quantity"].isin(list(STEPS)), -100.0, 0.0)
    low, high = np.maximum(table["mean"] - half, least), np.minimum(table["mean"] + half, 100.0)
    table = table.assign(low=low, high=high, sample_error=np.sqrt(table["variance"]))
    return table.merge(_published(summary, shuffled), on=KEYS, how="left")[COLUMNS]


def _fits(metrics: pd.DataFrame, experiment: str | None, evaluation: str) -> pd.DataFrame:
    """An experiment's AUCs and their errors in percent, by normal class, method and seed; none of no experiment."""
    rows = metrics[(metrics["experiment"] == experiment) & (metrics["evaluation"] == evaluation)]
    columns = [PUBLISHED_METRIC, "auc_error"]
    return METRICS[PUBLISHED_METRIC].scale * rows.set_index(["normal", "method", "seed"])[columns].astype(float)


def _published(summary: pd.DataFrame, shuffled: Mapping[str, str | None]) -> pd.DataFrame:
    """The published AUC of each cell, and of all classes of a method where each has one."""
    rows = summary[summary["experiment"].isin(list(shuffled)) & (summary["metric"] == PUBLISHED_METRIC)]
    cells = rows.drop_duplicates(KEYS)[[*KEYS, "published_mean"]].rename(columns={"published_mean": "published"})
    means = cells.groupby(["experiment", "method"])["published"].agg(lambda values: values.mean(skipna=False))
    return pd.concat([cells, means.reset_index().assign(normal=ALL)], ignore_index=True)
