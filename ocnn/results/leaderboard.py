"""Which method is best in an experiment, and how sure that is."""

import numpy as np
import pandas as pd

from ocnn.results.metrics import DEGENERATE, METRICS, PUBLISHED_METRIC
from ocnn.results.statistics import error_bound

LEADS, OPEN, BEHIND, NO_RANK, ONLY = "leads", "may be best", "behind", "no rank", "only one"
COLUMNS = ["method", "rank", "standing", "mean", "low", "high", "behind", "behind_low", "behind_high"]
COLUMNS += ["seeds", "reason"]


def rank_methods(metrics: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Rank the methods of an experiment by their mean AUC, and say which of them may be the best.

    A value of a method is its mean over the classes for one seed; seeds share their splits, so methods are compared
    within them. To the error over seeds that by the choice of samples is added (`metrics.auc_error`): the mean of the
    classes' errors, as if all erred together, and of a difference both methods' as if they were independent, though
    they are measured on the same samples. Both are cautious. Of k methods, one is `behind` if another one is better by
    a one-sided t-test at alpha/(k − 1). So the truly best is among the others with a chance of 1 − alpha at least,
    however the leader was found (Gupta 1965, Technometrics 7; Hsu 1981, Annals of Statistics 9).

    Args:
        metrics: rows of `measurements.collect`, of one experiment under one evaluation.
        alpha: of the comparisons; the intervals, each by itself, are at 1 − 2 alpha.

    Returns:
        `COLUMNS`, the best first, AUCs in percent: `behind`, what is missing to the leader, with its interval;
        `standing`: `leads`, if all others are behind; `may be best`; `behind`; `only one`; `no rank`, and then the
        `reason`: fits are degenerate (they diverged or collapsed), or have no AUC. With one seed there is no interval,
        and none is behind.
    """
    scale = METRICS[PUBLISHED_METRIC].scale
    values, errors, left_out = {}, {}, {}
    for method, rows in metrics.groupby("method", sort=False):
        degenerate, missing = int(rows["status"].isin(DEGENERATE).sum()), int(rows[PUBLISHED_METRIC].isna().sum())
        if degenerate:
            left_out[method] = f"{degenerate} of {len(rows)} degenerate"
        elif missing:
            left_out[method] = f"{missing} of {len(rows)} fits without AUC"
        else:
            values[method] = scale * rows.groupby("seed")[PUBLISHED_METRIC].mean()
            errors[method] = scale * rows["auc_error"].mean()
    order = sorted(values, key=lambda method: -values[method].mean())
    table = []
    for method in order:
        is_behind = any(
            missing >= bound
            for missing, bound in (
                _difference(values[other] - values[method], errors[other], errors[method], alpha / (len(order) - 1))
                for other in order
                if other != method
            )
        )
        mean, half = _difference(values[method], errors[method], 0.0, alpha)
        behind, its_half = _difference(values[order[0]] - values[method], errors[order[0]], errors[method], alpha)
        row = (mean, mean - half, mean + half, behind, behind - its_half, behind + its_half, len(values[method]), "")
        rank = 1 + sum(values[other].mean() > mean for other in order)
        table.append((method, rank, BEHIND if is_behind else OPEN, *row))
    unranked = [(method, None, NO_RANK, *[np.nan] * 6, None, reason) for method, reason in left_out.items()]
    ranks = pd.DataFrame([*table, *unranked], columns=COLUMNS).astype({"rank": "Int64", "seeds": "Int64"})
    if (ranks["standing"] == OPEN).sum() == 1:
        ranks.loc[ranks["standing"] == OPEN, "standing"] = LEADS if len(order) > 1 else ONLY
    ranks.loc[ranks["method"] == next(iter(order), None), ["behind_low", "behind_high"]] = np.nan
    return ranks


def _difference(by_seed: pd.Series, error: float, other_error: float, level: float) -> tuple[float, float]:
    """The mean over seeds, and what it exceeds with this chance if the true one is 0; NaN of that for one seed."""
    variances = [[by_seed.var(ddof=1) / len(by_seed), error**2 + other_error**2]]
    return float(by_seed.mean()), float(error_bound(variances, [[len(by_seed) - 1, np.inf]], level)[0])
