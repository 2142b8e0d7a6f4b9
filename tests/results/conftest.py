"""Score files and measurements made by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ocnn.results.metrics import METRICS
from ocnn.results.scores import write_scores

#: What readers of tables like to take for something else.
ODD_NAMES = ("None", "NA", "nan", "null", "N/A", "1.0", "007", "True", "1e5", "inf", "-")


def metadata(identity: Mapping[str, Any], status: str) -> dict[str, Any]:
    """What a score file states of a fit of this identity that ended so."""
    return {
        **identity,
        "estimator": "ocnn.methods.kde:KDE",
        "settings": {"random_state": identity["seed"]},
        "diagnosis": {"status": status, "reason": "because"},
        "chosen": {},
        "history": {"loss": [3.0, "nan", 1.0]},
        "backend": None,
        "versions": {"python": "3.11"},
        "recipe": {"code": "0", "settings": {}, "inputs": {}},
    }


def write(path: Path, test: list[float], *, seed: int = 0, status: str = "converged", **changes: Any) -> Path:
    """A score file of two training samples, both normal, and test samples of which the last two are anomalous."""
    count = len(test)
    identity = {"experiment": "toy", "normal": "3", "method": "kde", "seed": seed}
    frame = pd.DataFrame(
        {
            **identity,
            "evaluation": ["train"] * 2 + ["test"] * count,
            "part": ["train"] * 2 + ["test"] * count,
            "sample": [*range(2), *range(count)],
            "is_anomaly": [False] * 2 + [index >= count - 2 for index in range(count)],
            "fitted": [True] * 2 + [False] * count,
            "tuned_on": False,
            "anomaly_score": [0.0, 1.0, *test],
        }
    ).assign(**changes)
    write_scores(path, frame, metadata(identity, status))
    return path


def fits(
    aucs: Mapping[tuple[str, str], Sequence[float]],
    *,
    experiment: str = "toy",
    evaluation: str = "test",
    degenerate: Sequence[tuple[str, str, int]] = (),
    sample_error: float = 0.0,
) -> pd.DataFrame:
    """Measurements of one experiment: for each method and normal class the AUC in percent of each seed.

    sample_error: standard error of each AUC from the choice of samples, in percent.
    degenerate: method, class and seed of the fits that diverged.
    """
    return pd.DataFrame(
        [
            {
                "experiment": experiment,
                "normal": normal,
                "method": method,
                "seed": seed,
                "evaluation": evaluation,
                **dict.fromkeys(METRICS, 0.5),
                "auc": value / 100,
                "auc_error": sample_error / 100,
                "average_precision": value / 200,
                "fpr_at_95_tpr": 1 - value / 100,
                "samples": 12,
                "anomalies": 2,
                "flagged_anomalies": 2,
                "flagged_normals": 1,
                "distinct_scores": 12,
                "spread": 1.0,
                "status": "diverged" if (method, normal, seed) in degenerate else "converged",
                "reason": "because",
                "seconds": 1.0,
                "peak_memory": 1.0,
            }
            for (method, normal), values in aucs.items()
            for seed, value in enumerate(values)
        ]
    )


def published(
    cells: Mapping[tuple[str, str], float], dataset: str = "toyset", runs: Mapping[tuple[str, str], float] | None = None
) -> pd.DataFrame:
    """Published AUCs: for each method and class the mean, and of some the standard deviation of ten known runs."""
    known = runs or {}
    return pd.DataFrame(
        [
            {"dataset": dataset, "class": normal, "method": method, "auc_mean": value, "auc_std": 0.0}
            | {"runs": 10 if (method, normal) in known else 0, "runs_std": known.get((method, normal), float("nan"))}
            for (method, normal), value in cells.items()
        ]
    )
