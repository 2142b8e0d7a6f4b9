"""Published cells beside the runs that the authors' notebooks print: which means and standard deviations differ."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

#: Runs that a published cell averages.
SEEDS = 10
#: Published standard deviations have one decimal; what differs by more than one and a half of it is another number.
STD_TOLERANCE = 0.15
COLUMNS = [
    "dataset",
    "class",
    "method",
    "published_mean",
    "published_std",
    "mean",
    "std",
    "lowest",
    "highest",
    "seeds",
    "difference",
    "mean_differs",
    "std_differs",
    "where",
]


def mean_differs(published: ArrayLike, mean: ArrayLike) -> NDArray[np.bool_]:
    """Tell which published means are not those of the runs: neither cut off nor rounded after two decimals.

    Args:
        published, mean: (n,) in percent AUC.
    """
    # Nine decimals: a mean of ten numbers of six decimals has seven.
    excess = np.round(np.asarray(mean, np.float64) - np.asarray(published, np.float64), 9)
    return ~((excess >= -0.005) & (excess < 0.01))


def std_differs(published: ArrayLike, std: ArrayLike) -> NDArray[np.bool_]:
    """Tell which published standard deviations are more than `STD_TOLERANCE` from those of the runs."""
    distance = np.abs(np.asarray(std, np.float64) - np.asarray(published, np.float64))
    return np.round(distance, 9) > STD_TOLERANCE


def compare(published: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Put each published cell beside each list of runs of it.

    A list is the runs that one cell of one notebook prints. Lists of the same runs are one, with all its places.

    Args:
        published: rows of `published.read_published`; those without a mean are left out.
        runs: rows of `published.read_runs`.

    Returns:
        `COLUMNS`, in the order of the published cells; one row per list, and one with 0 seeds per cell without any.
        mean, std, lowest, highest: of the runs, in percent; the standard deviation with the divisor n, as the notebooks
        compute it. difference: published mean − mean. mean_differs, std_differs: of lists of `SEEDS` seeds; a shorter
        one does not tell.
    """
    rows = []
    lists = _lists(runs)
    for cell in published[published["auc_mean"].notna()].to_dict("records"):
        head = {
            **{name: cell[name] for name in COLUMNS[:3]},
            "published_mean": cell["auc_mean"],
            "published_std": cell["auc_std"],
        }
        for aucs, places in lists.get((cell["dataset"], cell["class"], cell["method"]), {(): []}).items():
            values = np.array([auc for _, auc in aucs])
            measured = {}
            if len(values):
                measured = {
                    "mean": values.mean(),
                    "std": values.std(),
                    "lowest": values.min(),
                    "highest": values.max(),
                    "difference": cell["auc_mean"] - values.mean(),
                }
            rows.append({**head, **measured, "seeds": len(values), "where": "; ".join(places)})
    table = pd.DataFrame(rows, columns=COLUMNS)
    numbers = ["published_mean", "published_std", "mean", "std", "lowest", "highest", "difference"]
    table = table.astype({**dict.fromkeys(numbers, float), "seeds": int})
    whole = table["seeds"] >= SEEDS
    return table.assign(
        mean_differs=whole & mean_differs(table["published_mean"], table["mean"]),
        std_differs=whole & table["published_std"].notna() & std_differs(table["published_std"], table["std"]),
    )


def with_spread(published: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Add the spread over its seeds to each published cell that is known to be the mean of the notebooks' runs.

    It is known of a cell of which a notebook prints a list of `SEEDS` seeds whose mean is the published one
    (`mean_differs`); of several such lists the one that spreads most counts. Where the means differ, where the list is
    incomplete, and where there is none, it is not known which runs the published number averages.

    Args:
        published, runs: see `compare`.

    Returns:
        The published rows, and `runs`, `SEEDS` or 0 where they are not known; `runs_std`, their sample standard
        deviation (divisor n − 1) in percent, NaN where they are not.
    """
    compared = compare(published, runs)
    known = compared[(compared["seeds"] == SEEDS) & ~compared["mean_differs"]]
    spread = known.groupby(COLUMNS[:3], sort=False)["std"].max() * np.sqrt(SEEDS / (SEEDS - 1))
    joined = published.join(spread.rename("runs_std"), on=COLUMNS[:3])
    return joined.assign(runs=np.where(joined["runs_std"].notna(), SEEDS, 0))


def _lists(runs: pd.DataFrame) -> dict[tuple[str, ...], dict[tuple[tuple[int, float], ...], list[str]]]:
    """For each published cell its lists, seeds and AUCs, and for each of these the places that print it."""
    lists: dict[tuple[str, ...], dict[tuple[tuple[int, float], ...], list[str]]] = {}
    for key, group in runs.groupby(["dataset", "class", "method", "notebook", "cell"], sort=False):
        dataset, normal, method, notebook, cell = map(str, key)
        aucs = tuple(zip(group["seed"], group["auc"], strict=True))
        lists.setdefault((dataset, normal, method), {}).setdefault(aucs, []).append(f"{notebook}, cell {cell}")
    return lists


def count_cells(compared: pd.DataFrame) -> pd.DataFrame:
    """Count the cells of each column of the published tables.

    Args:
        compared: of `compare`.

    Returns:
        One row per data set and method: dataset, method, cells, ten_seeds (how many of the cells have all seeds),
        fewer_seeds, no_runs, other_mean and other_std (of those with all seeds, for one list at least).
    """
    rows = []
    for (dataset, method), column in compared.groupby(["dataset", "method"], sort=False):
        cells = column.groupby("class", sort=False)
        seeds = cells["seeds"].max()
        rows.append(
            {
                "dataset": dataset,
                "method": method,
                "cells": len(seeds),
                "ten_seeds": int((seeds >= SEEDS).sum()),
                "fewer_seeds": int(((seeds > 0) & (seeds < SEEDS)).sum()),
                "no_runs": int((seeds == 0).sum()),
                "other_mean": int(cells["mean_differs"].any().sum()),
                "other_std": int(cells["std_differs"].any().sum()),
            }
        )
    names = ["dataset", "method", "cells", "ten_seeds", "fewer_seeds", "no_runs", "other_mean", "other_std"]
    return pd.DataFrame(rows, columns=names)
