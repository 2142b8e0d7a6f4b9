"""How alike the fits of different seeds rank the training samples: a quality of a method that needs no label.

The idea of choosing an unsupervised model by the agreement of its own fits is that of Unsupervised Disentanglement
Ranking (Duan et al. 2020), which Ma et al. (2023, SIGKDD Explorations 25) apply to the choice of outlier detectors.
"""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from ocnn.results.metrics import DEGENERATE
from ocnn.results.scores import Fit, read_scores

COLUMNS = ["experiment", "normal", "method", "seeds", "consistency", "degenerate"]


def consistency(fits: Iterable[Fit], scores: str) -> pd.DataFrame:
    """Measure each method that was fitted with at least two seeds: one row per experiment, normal class and method.

    Args:
        fits, scores: and the pattern of their score files.

    Returns:
        `COLUMNS`: `seeds`, the number of fits; `consistency`, the mean over their pairs of Spearman's rank correlation
        of the scores of those samples that both were trained on, NaN if one of them gave the same score to all;
        `degenerate`, how many diverged or collapsed.
    """
    groups: dict[tuple[str, str, str], list[tuple[pd.Series, bool]]] = {}
    for fit in fits:
        table, metadata = read_scores(fit.path(scores), fit)
        fitted = table[table["fitted"]]
        # One number for part and sample: an index of pairs takes ten times as long to align.
        names = 2 * fitted["sample"].to_numpy(np.int64) + (fitted["part"] == "test").to_numpy()
        train = pd.Series(fitted["anomaly_score"].to_numpy(), names)
        key = (fit.experiment, fit.normal, fit.method)
        groups.setdefault(key, []).append((train, metadata["diagnosis"]["status"] in DEGENERATE))
    rows = []
    for key, group in groups.items():
        if len(group) > 1:
            agreement = np.mean([_agreement(a, b) for (a, _), (b, _) in combinations(group, 2)])
            rows.append((*key, len(group), float(agreement), sum(degenerate for _, degenerate in group)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _agreement(a: pd.Series, b: pd.Series) -> float:
    a, b = a.align(b, join="inner")
    if len(a) < 2 or a.nunique() < 2 or b.nunique() < 2:
        return float("nan")
    return float(spearmanr(a, b).statistic)
