"""What a fit's scores and losses tell of it."""

import numpy as np
import pytest

from ocnn.methods.diagnosis import diagnose_schedule, diagnose_scores
from ocnn.methods.ocnn import DIVERGENCE_PATIENCE, judge


@pytest.mark.parametrize(
    ("scores", "status"),
    [
        (np.linspace(0, 1, 100), None),
        (-700 + np.linspace(0, 20, 100), None),
        (np.ones(100), "collapsed"),
        (np.repeat([0.0, 1.0], 50), "collapsed"),
        (1 + 1e-6 * np.linspace(0, 1, 100), "collapsed"),
        (np.array([1.0, np.nan, 2.0]), "diverged"),
        (np.array([1.0, np.inf, 2.0]), "diverged"),
    ],
)
def test_scores(scores: np.ndarray, status: str | None) -> None:
    found = diagnose_scores(scores)
    assert (found.status if found else None) == status
    assert found is None or found.degenerate


@pytest.mark.parametrize(
    ("losses", "status"),
    [
        (np.linspace(2, 1, 100), "limit"),
        (np.exp(-np.arange(100.0)) + 1, "converged"),
        ([1.0, np.nan, 1.0], "diverged"),
        ([1.0], "limit"),
    ],
)
def test_schedule(losses: list[float], status: str) -> None:
    assert diagnose_schedule(losses).status == status


def rows(objectives: list[float], spread: float = 1.0) -> list[dict[str, float]]:
    return [{"objective": value, "r": value / 2, "spread": spread, "size": 10.0} for value in objectives]


FALLING = [-float(n) for n in range(DIVERGENCE_PATIENCE + 1)]


def test_a_negative_falling_objective_diverges_only_if_it_is_homogeneous() -> None:
    found = judge(rows(FALLING), 1e-4, homogeneous=True)
    assert found is not None
    assert found.status == "diverged"
    assert judge(rows(FALLING), 1e-4, homogeneous=False) is None
    assert judge(rows(FALLING[:-1]), 1e-4, homogeneous=True) is None
    assert judge(rows([value + 100 for value in FALLING]), 1e-4, homogeneous=True) is None


def test_converged_collapsed_and_not_finite() -> None:
    for objectives, spread, status in (
        ([2.0, 1.0, 1.0 + 1e-6], 1.0, "converged"),
        ([2.0, 1.0], 1e-5, "collapsed"),
        ([2.0, float("nan")], 1.0, "diverged"),
    ):
        found = judge(rows(objectives, spread), 1e-4, homogeneous=True)
        assert found is not None
        assert found.status == status
