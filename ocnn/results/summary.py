"""Our metrics over the seeds beside the published AUCs: a long table that whatever is read is made from."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ocnn.results.frames import TEXT
from ocnn.results.metrics import DEGENERATE, METRICS, PUBLISHED_METRIC
from ocnn.results.statistics import chance_limit, t_interval

KEYS = ["experiment", "normal", "method"]
#: Of a summary; numbers are in the unit of the metric, see `Metric`.
SCHEMA = pa.schema(
    [
        *((key, TEXT) for key in (*KEYS, "evaluation", "metric")),
        ("mean", pa.float64()),
        ("std", pa.float64()),  # sample standard deviation over seeds; missing for one seed
        ("low", pa.float64()),  # Student's interval of the mean
        ("high", pa.float64()),
        ("seeds", pa.int64()),  # with a value
        ("fits", pa.int64()),
        ("degenerate", pa.int64()),  # fits that diverged or collapsed; with finite scores they are in the mean
        ("anomalies", pa.int64()),  # samples that are measured
        ("normals", pa.int64()),
        # Of an AUC: at most so large is the standard error of its mean that comes from the choice of samples.
        ("sample_error", pa.float64()),
        ("below_chance", pa.bool_()),  # an AUC below `chance_limit`
        ("published_mean", pa.float64()),
        ("published_std", pa.float64()),
        ("published_runs", pa.int64()),  # that the published mean is known to average; 0: it is taken as exact
        ("published_runs_std", pa.float64()),  # their sample standard deviation
        ("difference", pa.float64()),  # mean less the published one
    ]
)
#: In place of the experiment where methods are compared over data sets, each of which stands in place of a class.
ALL_DATASETS = "all data sets"
#: Of other labs' AUCs in percent.
REFERENCES = pa.schema([*((key, TEXT) for key in (*KEYS, "reference")), ("mean", pa.float64()), ("std", pa.float64())])


def summarise(
    metrics: pd.DataFrame,
    published: pd.DataFrame,
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
    *,
    alpha: float,
) -> pd.DataFrame:
    """Summarise each metric over the seeds: one row per experiment, normal class, method, evaluation and metric.

    An evaluation whose samples are all of one kind throughout an experiment has no rows. Fits to the same samples err
    together by their choice: the error of the mean over seeds is the mean of their errors, as if they were the
    same, which it never exceeds.

    Args:
        metrics: rows of `measurements.collect`.
        published: rows of `corrections.with_spread`; the metric `PUBLISHED_METRIC` is compared with them.
        datasets: for each experiment the `dataset` of its published rows, or None; other experiments are left out.
        methods: for each method the published one to compare with, if not that of its name.
        alpha: intervals are at 1 − 2 alpha, and one-sided at 1 − alpha an AUC is below chance.

    Returns:
        The columns of `SCHEMA`.
    """
    rows = metrics[metrics["experiment"].isin(list(datasets))]
    rows = rows.assign(normals=rows["samples"] - rows["anomalies"], degenerate=rows["status"].isin(DEGENERATE))
    both = (rows["anomalies"] > 0) & (rows["normals"] > 0)
    rows = rows[both.groupby([rows["experiment"], rows["evaluation"]]).transform("any")]
    kept = [*KEYS, "evaluation", "degenerate", "anomalies", "normals", "auc_error"]
    long = rows.melt(kept, list(METRICS), "metric", "value").astype({"value": float})
    long["value"] *= long["metric"].map({name: metric.scale for name, metric in METRICS.items()}).astype(float)
    summary = (
        long.groupby([*KEYS, "evaluation", "metric"], sort=False)
        .agg(
            mean=("value", lambda values: values.dropna().mean()),
            std=("value", lambda values: values.dropna().std(ddof=1)),
            seeds=("value", "count"),
            fits=("value", "size"),
            degenerate=("degenerate", "sum"),
            anomalies=("anomalies", "min"),
            normals=("normals", "min"),
            sample_error=("auc_error", "mean"),
        )
        .reset_index()
    )
    summary["low"], summary["high"] = t_interval(summary["mean"], summary["std"], summary["seeds"], 1 - 2 * alpha)
    compared = summary["metric"] == PUBLISHED_METRIC
    summary["sample_error"] = METRICS[PUBLISHED_METRIC].scale * summary["sample_error"].where(compared)
    summary["below_chance"] = compared & (summary["mean"] < _limit(summary, alpha))
    looked_up = _look_up(published, summary, datasets, methods)
    summary["published_mean"] = looked_up["auc_mean"].where(compared).to_numpy(float)
    summary["published_std"] = looked_up["auc_std"].where(compared).to_numpy(float)
    summary["published_runs"] = looked_up["runs"].where(compared).fillna(0).to_numpy(int)
    summary["published_runs_std"] = looked_up["runs_std"].where(compared).to_numpy(float)
    return summary.assign(difference=summary["mean"] - summary["published_mean"])[SCHEMA.names]


def mean_below_chance(summary: pd.DataFrame, alpha: float) -> bool:
    """Say whether the mean AUC over these cells of a summary is below the mean of their limits; no other metric is."""
    aucs = summary[summary["metric"] == PUBLISHED_METRIC]
    return len(aucs) > 0 and bool(aucs["mean"].mean(skipna=False) < _limit(aucs, alpha).mean())


def _limit(summary: pd.DataFrame, alpha: float) -> NDArray[np.float64]:
    """Below it an AUC of these cells is below chance, (n,), in the AUC's unit."""
    return METRICS[PUBLISHED_METRIC].scale * chance_limit(summary["anomalies"], summary["normals"], alpha)


def look_up_references(
    summary: pd.DataFrame,
    references: Mapping[str, pd.DataFrame],
    datasets: Mapping[str, str | None],
    methods: Mapping[str, str],
) -> pd.DataFrame:
    """Find other labs' AUCs of the cells of a summary, one row per cell and lab that has it, of `REFERENCES`.

    Args:
        references: for each lab rows of `published.read_published`.
        summary, datasets, methods: see `summarise`.
    """
    cells = summary.drop_duplicates(KEYS).reset_index(drop=True)
    parts = [
        cells[KEYS].assign(reference=name, mean=found["auc_mean"], std=found["auc_std"])
        for name, reference in references.items()
        for found in [_look_up(reference, cells, datasets, methods)]
    ]
    return (
        pd.concat(parts, ignore_index=True).dropna(subset="mean") if parts else pd.DataFrame(columns=REFERENCES.names)
    )


def _look_up(
    published: pd.DataFrame, rows: pd.DataFrame, datasets: Mapping[str, str | None], methods: Mapping[str, str]
) -> pd.DataFrame:
    """Find the published row of each of our rows, in their order; NaN where there is none."""
    cells = pd.DataFrame(
        {
            "dataset": rows["experiment"].map(dict(datasets)),
            "class": rows["normal"],
            "method": [methods.get(method, method) for method in rows["method"]],
        }
    ).astype(object)
    return cells.merge(published.astype(dict.fromkeys(cells, object)), on=list(cells), how="left")


def over_datasets(summary: pd.DataFrame, experiments: Collection[str]) -> pd.DataFrame:
    """Average the AUCs of each of these experiments over its classes, so that a data set counts once.

    Args:
        summary: AUCs.
        experiments: the names of those that stand for a data set each.

    Returns:
        What `class_table` and `evaluated` read of an experiment, `ALL_DATASETS`, whose classes are these.
    """
    chosen = summary[summary["experiment"].isin(experiments)]
    groups = chosen.groupby(["experiment", "method", "evaluation", "metric"], sort=False)
    cells = groups.agg(mean=("mean", lambda means: means.mean(skipna=False)), degenerate=("degenerate", "sum"))
    return cells.reset_index().rename(columns={"experiment": "normal"}).assign(experiment=ALL_DATASETS)


def blocks_of(experiments: Iterable[str]) -> str:
    """Say what methods are compared over in rows of this experiment: `classes`, or of `ALL_DATASETS` `data sets`."""
    return "data sets" if ALL_DATASETS in set(experiments) else "classes"


def class_table(summary: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Arrange one metric of one experiment under one evaluation as classes × methods, for methods that are whole.

    Returns:
        The table, and for each method that is left out the reason: a missing or degenerate cell.
    """
    left_out = {}
    classes, blocks = summary["normal"].nunique(), blocks_of(summary["experiment"])
    for method, rows in summary.groupby("method", sort=False):
        degenerate, missing = int((rows["degenerate"] > 0).sum()), classes - int(rows["mean"].notna().sum())
        if degenerate:
            left_out[str(method)] = f"degenerate fits in {degenerate} of {classes} {blocks}"
        elif missing:
            left_out[str(method)] = f"no value in {missing} of {classes} {blocks}"
    whole = summary[~summary["method"].isin(left_out)]
    table = whole.pivot(index="normal", columns="method", values="mean")
    return table.reindex(
        index=list(dict.fromkeys(whole["normal"])), columns=list(dict.fromkeys(whole["method"]))
    ), left_out


def evaluated(summary: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows by which methods are compared in an experiment: AUCs on the test part, or on what there is."""
    aucs = summary[summary["metric"] == PUBLISHED_METRIC]
    there = aucs.loc[aucs["mean"].notna(), "evaluation"]
    return aucs[aucs["evaluation"] == ("test" if (there == "test").any() or there.empty else "train")]
