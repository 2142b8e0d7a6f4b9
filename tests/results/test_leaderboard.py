"""Who leads: known answers, and how often the best is called behind."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ocnn.results.leaderboard import BEHIND, LEADS, NO_RANK, ONLY, OPEN, rank_methods


def measured(values: dict[str, list[list[float]]], error: float = 0.001, **status: str) -> pd.DataFrame:
    """Rows of measurements: by method, AUCs of each seed and class."""
    rows = [
        {"method": method, "normal": str(place), "seed": seed, "auc": auc, "auc_error": error}
        | {"status": status.get(method, "converged")}
        for method, seeds in values.items()
        for seed, classes in enumerate(seeds)
        for place, auc in enumerate(classes)
    ]
    return pd.DataFrame(rows)


def test_a_sure_lead() -> None:
    ranks = rank_methods(measured({"b": [[0.6, 0.8]] * 3, "a": [[0.9, 0.9], [0.92, 0.9], [0.88, 0.9]]}), 0.05)
    assert list(ranks["method"]) == ["a", "b"]
    assert list(ranks["standing"]) == [LEADS, BEHIND]
    assert list(ranks["mean"]) == pytest.approx([90, 70])
    assert list(ranks["behind"]) == pytest.approx([0, 20])
    # Over seeds 90, 91, 89, and 0.1 points by the samples.
    seeds, samples = 1 / 3, 0.01
    half = np.sqrt(seeds * stats.t.isf(0.05, 2) ** 2 + samples * stats.norm.isf(0.05) ** 2)
    assert list(ranks.loc[0, ["low", "high"]]) == pytest.approx([90 - half, 90 + half])
    assert ranks.loc[0, ["behind_low", "behind_high"]].isna().all()


def test_the_samples_alone_can_leave_it_open() -> None:
    values = {"a": [[0.9]] * 5, "b": [[0.89]] * 5}
    assert list(rank_methods(measured(values, error=0.05), 0.05)["standing"]) == [OPEN, OPEN]
    assert list(rank_methods(measured(values, error=0.0001), 0.05)["standing"]) == [LEADS, BEHIND]


def test_one_seed_tells_nothing() -> None:
    ranks = rank_methods(measured({"a": [[0.9]], "b": [[0.1]]}), 0.05)
    assert list(ranks["standing"]) == [OPEN, OPEN]
    assert ranks[["low", "high", "behind_low", "behind_high"]].isna().all(axis=None)


def test_what_has_no_rank_comes_last_with_the_reason() -> None:
    values = {"bad": [[0.99]] * 2, "none": [[0.9], [np.nan]], "a": [[0.5]] * 2, "b": [[0.5]] * 2}
    ranks = rank_methods(measured(values, bad="diverged"), 0.05).set_index("method")
    assert list(ranks.index[-2:]) == ["bad", "none"]
    assert set(ranks.loc[["bad", "none"], "standing"]) == {NO_RANK}
    assert ranks.loc["bad", "reason"] == "2 of 2 degenerate"
    assert ranks.loc["none", "reason"] == "1 of 2 fits without AUC"
    # Equal means share a rank.
    assert list(ranks.loc[["a", "b"], "rank"]) == [1, 1]


@pytest.mark.long
def test_the_best_is_seldom_called_behind() -> None:
    """Of five equally good methods, one, whichever is meant, is behind in at most about 5 % of the tables."""
    rng = np.random.default_rng(0)
    tables, behind = 400, 0
    for _ in range(tables):
        values = {name: [[auc] for auc in 0.8 + 0.01 * rng.normal(size=5)] for name in "abcde"}
        ranks = rank_methods(measured(values, error=1e-6), 0.05).set_index("method")
        behind += int((ranks["standing"] == BEHIND)["a"])
    assert 0 < behind / tables <= 0.07


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_method_alone_leads_nobody(seeds: int) -> None:
    assert list(rank_methods(measured({"only": [[0.9]] * seeds}), 0.05)["standing"]) == [ONLY]


def test_a_method_whose_rivals_have_no_rank_leads_nobody() -> None:
    rows = measured({"kde": [[0.9], [0.91], [0.9]], "ocnn": [[0.6], [0.5], [0.7]]}, ocnn="diverged")
    assert list(rank_methods(rows, 0.05)["standing"]) == [ONLY, NO_RANK]
