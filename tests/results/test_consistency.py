"""The agreement of seeds, on scores made by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ocnn.results.consistency import consistency
from ocnn.results.scores import Fit, write_scores
from tests.results.conftest import metadata


def measured(folder: Path, fits: list[Fit]) -> pd.DataFrame:
    return consistency(fits, f"{folder}/{{seed}}.parquet")


def write(folder: Path, seed: int, samples: list[int], scores: list[float], status: str = "converged") -> Fit:
    """Makes a score file of these training samples, and of one test sample that must not count; returns its fit."""
    fit = Fit("toy", "3", "ocnn", seed)
    frame = pd.DataFrame(
        {
            **vars(fit),
            "evaluation": ["train"] * len(samples) + ["test"],
            "part": ["train"] * len(samples) + ["test"],
            "sample": [*samples, 0],
            "is_anomaly": False,
            "fitted": [True] * len(samples) + [False],
            "tuned_on": False,
            "anomaly_score": [*scores, 1e9 * seed],
        }
    )
    write_scores(folder / f"{seed}.parquet", frame, metadata(vars(fit), status))
    return fit


def test_only_the_samples_that_both_were_trained_on_count(tmp_path: Path) -> None:
    """In common are 1, 2 and 3: ranks 1 2 3 and 1 3 2, of which Spearman's coefficient is ½."""
    fits = [write(tmp_path, 0, [1, 2, 3, 9], [0.1, 0.2, 0.3, 0]), write(tmp_path, 1, [3, 2, 1, 8], [5, 7, 1, 9])]
    (row,) = measured(tmp_path, fits).to_dict("records")
    assert row == {
        "experiment": "toy",
        "normal": "3",
        "method": "ocnn",
        "seeds": 2,
        "consistency": pytest.approx(0.5),
        "degenerate": 0,
    }


@pytest.mark.parametrize(("scores", "expected"), [([5, 7], 1), ([7, 5], -1)])
def test_two_samples_in_common_are_ranked(tmp_path: Path, scores: list[float], expected: float) -> None:
    fits = [write(tmp_path, 0, [1, 2], [0.1, 0.2]), write(tmp_path, 1, [1, 2], scores)]
    assert measured(tmp_path, fits)["consistency"].item() == pytest.approx(expected)
    alone = [write(tmp_path, 0, [1, 2], [0.1, 0.2]), write(tmp_path, 1, [2, 3], scores)]
    assert np.isnan(measured(tmp_path, alone)["consistency"].item())


def test_the_mean_is_over_all_pairs(tmp_path: Path) -> None:
    order = [1.0, 2.0, 3.0]
    fits = [write(tmp_path, seed, [1, 2, 3], order[:: -1 if seed == 2 else 1]) for seed in range(3)]
    assert measured(tmp_path, fits)["consistency"].item() == pytest.approx((1 - 1 - 1) / 3)


def test_equal_scores_agree_with_nothing(tmp_path: Path) -> None:
    fits = [write(tmp_path, 0, [1, 2], [1, 1], "collapsed"), write(tmp_path, 1, [1, 2], [1, 2])]
    (row,) = measured(tmp_path, fits).to_dict("records")
    assert np.isnan(row["consistency"])
    assert row["degenerate"] == 1


def test_one_seed_says_nothing(tmp_path: Path) -> None:
    assert measured(tmp_path, [write(tmp_path, 0, [1, 2], [1, 2])]).empty
