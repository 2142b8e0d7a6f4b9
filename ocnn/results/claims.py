"""The claims of the paper's text, checked on our results and on the published numbers themselves."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ocnn.results.metrics import DEGENERATE, EVALUATIONS, PUBLISHED_METRIC
from ocnn.results.published import Claim, RankingClaim
from ocnn.results.statistics import t_interval
from ocnn.results.verdicts import DESCRIPTIVE

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
COLUMNS = [
    *("claim", "dataset", "experiment", "evaluation", "method", "verdict"),
    *("effect", "low", "high", "replicates", "detail", "published_effect", "says", "where"),
]


def check_claims(
    claims: Iterable[Claim],
    metrics: pd.DataFrame,
    published: pd.DataFrame,
    datasets: Mapping[str, str],
    methods: Mapping[str, str],
    evaluations: Mapping[str, str | None],
    *,
    alpha: float,
) -> pd.DataFrame:
    """Check each claim in each experiment on its data set, under each evaluation, for each row that stands for it.

    It is decided where the protocol is the published one, under the evaluation that published cells are judged under,
    and descriptive elsewhere.

    A ranking is a set of differences, one for each pair of methods (and class, where it must hold in each): it is
    supported if every one of them is above 0 by a one-sided t-test (an intersection-union test, which needs no
    correction), contradicted if any is below 0 after Holm's correction over them, and undecided otherwise.
    Replicates are the seeds, which methods share the samples of, or the classes, seeds averaged first. A difference
    for which a fit is missing or degenerate is not used: the others can still contradict the claim, but not support it.
    That all anomalies are found is contradicted if one is missed, or if false alarms are more than the claim allows,
    and supported if none is and they are not more; both by Clopper and Pearson's bounds at `alpha`.

    Args:
        claims: of `published.read_claims`.
        metrics: rows of `measurements.collect`.
        published: rows of `published.read_published`.
        datasets: for each experiment the claims' name of its data set.
        methods: for each row of the tables the published method that it stands for.
        evaluations: for each experiment the one under which it is judged; None: none, as it has another protocol.
        alpha: level of each claim.

    Returns:
        `COLUMNS`. Of a ranking: `effect`, the smallest of the differences in percent AUC, with its interval at
        1 − 2 alpha; `published_effect`, the smallest in the published table (below 0: the paper's own numbers
        contradict its text). Of a detection: the share in percent of the anomalies that are found, with
        Clopper and Pearson's interval at 1 − 2 alpha. A claim that no experiment checks has one row, undecided.
    """
    rows: list[dict[str, Any]] = []
    for claim in claims:
        found = len(rows)
        published_effect = _published_effect(claim, published) if isinstance(claim, RankingClaim) else np.nan
        for experiment in [name for name, dataset in datasets.items() if dataset == claim.dataset]:
            own = metrics[metrics["experiment"] == experiment]
            for evaluation in EVALUATIONS:
                part = own[own["evaluation"] == evaluation]
                if part[PUBLISHED_METRIC].notna().any():
                    head = {"experiment": experiment, "evaluation": evaluation, "published_effect": published_effect}
                    checked = _check(claim, part, published, methods, alpha)
                    if evaluations.get(experiment) != evaluation:
                        checked = [{**row, "verdict": DESCRIPTIVE} for row in checked]
                    rows += [{**_head(claim), **head, **row} for row in checked]
        if len(rows) == found:
            detail = {"verdict": UNDECIDED, "detail": "no experiment checks it", "published_effect": published_effect}
            rows.append({**_head(claim), **detail})
    return pd.DataFrame(rows, columns=COLUMNS)


def _head(claim: Claim) -> dict[str, Any]:
    return {"claim": claim.name, "dataset": claim.dataset, "says": claim.says, "where": claim.where}


def _check(
    claim: Claim, part: pd.DataFrame, published: pd.DataFrame, methods: Mapping[str, str], alpha: float
) -> list[dict[str, Any]]:
    """Check a claim once per combination of our rows that stand for the claim's methods."""
    subjects = claim.better if isinstance(claim, RankingClaim) else [claim.detects_all]
    there = list(dict.fromkeys(part["method"]))
    variants = [[row for row in there if methods.get(row, row) == subject] for subject in subjects]
    if isinstance(claim, RankingClaim):
        variants += [[row for row in there if row == subject] for subject in claim.better_rows]
    rows = []
    for chosen in product(*variants):
        head = {"method": ", ".join(chosen)}
        if isinstance(claim, RankingClaim):
            others = [_stand_in(other, there, methods) for other in _others(claim, published)]
            rows.append({**head, **_check_ranking(claim, part, published, chosen, others, alpha)})
        else:
            rows.append({**head, **_check_detection(part[part["method"] == chosen[0]], claim.false_alarms, alpha)})
    return rows


def _others(claim: RankingClaim, published: pd.DataFrame) -> list[str]:
    if claim.than != "others":
        return [*claim.than, *claim.than_rows]
    rows = published[(published["dataset"] == claim.dataset) & published["auc_mean"].notna()]
    published_others = [method for method in dict.fromkeys(rows["method"]) if method not in claim.better]
    return [*published_others, *claim.than_rows]


def _stand_in(published_method: str, rows: Sequence[str], methods: Mapping[str, str]) -> str | None:
    """Our row for a published method: that of its name, else the first that is compared with it."""
    standing = [row for row in rows if methods.get(row, row) == published_method]
    return published_method if published_method in standing else next(iter(standing), None)


def _claimed_classes(claim: RankingClaim, published: pd.DataFrame) -> list[str]:
    if claim.classes != "all":
        return list(claim.classes)
    return list(dict.fromkeys(published.loc[published["dataset"] == claim.dataset, "class"]))


def _published_effect(claim: RankingClaim, published: pd.DataFrame) -> float:
    if not claim.better:
        return np.nan
    table = published[published["dataset"] == claim.dataset].pivot(index="class", columns="method", values="auc_mean")
    others = _others(claim, published)
    table = table.reindex(index=_claimed_classes(claim, published), columns=[*claim.better, *others])
    if claim.over == "classes":
        table = table.mean(skipna=False).to_frame().T
    return float(np.min([(table[a] - table[b]).min(skipna=False) for a in claim.better for b in others]))


def _check_ranking(
    claim: RankingClaim,
    part: pd.DataFrame,
    published: pd.DataFrame,
    better: Sequence[str],
    others: Sequence[str | None],
    alpha: float,
) -> dict[str, Any]:
    """One combination of rows for the better methods against the rows of the others, None where there is none."""
    classes = _claimed_classes(claim, published)
    own = part[part["normal"].isin(classes)]
    differences: dict[str, pd.Series] = {}
    missing: dict[str, None] = {}
    unusable: dict[str, None] = {}
    for first, (name, second) in product(better, zip(_others(claim, published), others, strict=True)):
        if second is None:
            missing[name] = None
            continue
        pair = own[own["method"].isin([first, second])]
        missing |= dict.fromkeys(normal for normal in classes if normal not in set(pair["normal"]))
        bad = pair[pair["status"].isin(DEGENERATE) | pair[PUBLISHED_METRIC].isna()]
        unusable |= {
            f"{count} of {(pair['method'] == method).sum()} fits of {method} degenerate or without AUC": None
            for method, count in bad["method"].value_counts().items()
        }
        if pair.empty:
            continue
        wide = pair.pivot(index=["normal", "seed"], columns="method", values=PUBLISHED_METRIC)
        by_seed = 100 * (wide[first] - wide[second])
        bad_classes = set(bad["normal"])
        if claim.over == "classes":
            if not bad_classes and set(pair["normal"]) == set(classes):
                differences[f"{first} against {second}"] = by_seed.groupby("normal").mean()
        else:
            for normal, values in by_seed.groupby("normal", sort=False):
                if normal not in bad_classes:
                    differences[f"{first} against {second}, {normal}"] = values
    not_run = [f"not run: {', '.join(missing)}"] if missing else []
    return _verdict_of(differences, [*not_run, *unusable], claim.over, alpha)


def _verdict_of(
    differences: Mapping[str, pd.Series], unusable: Sequence[str], over: str, alpha: float
) -> dict[str, Any]:
    """What the usable differences say; with any that is not usable a claim can be contradicted, but not supported."""
    reason = "; ".join(unusable)
    if not differences:
        return {"verdict": UNDECIDED, "detail": reason}
    names = list(differences)
    mean = np.array([values.mean() for values in differences.values()])
    std = np.array([values.std(ddof=1) for values in differences.values()])
    count = np.array([len(values) for values in differences.values()])
    low, high = t_interval(mean, std, count, 1 - 2 * alpha)
    weakest = int(np.argmin(mean))
    details = [f"smallest difference: {names[weakest]}", *unusable]
    row: dict[str, Any] = {
        "effect": mean[weakest],
        "low": low[weakest],
        "high": high[weakest],
        "replicates": int(count.min()),
    }
    if count.min() < 2:
        details.append(f"with one of the {over} there is no interval")
        return {**row, "verdict": UNDECIDED, "detail": "; ".join(details)}
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num(mean / (std / np.sqrt(count)), nan=0.0, posinf=np.inf, neginf=-np.inf)
    above, below = stats.t.sf(t, count - 1), stats.t.cdf(t, count - 1)
    against = multipletests(below, alpha=alpha, method="holm")[0]
    if against.any():
        details.append(f"{against.sum()} of {len(names)} below 0")
        return {**row, "verdict": CONTRADICTED, "detail": "; ".join(details)}
    supported = above.max() <= alpha and not unusable
    return {**row, "verdict": SUPPORTED if supported else UNDECIDED, "detail": "; ".join(details)}


def _check_detection(fits: pd.DataFrame, limit: float, alpha: float) -> dict[str, Any]:
    """Count what is flagged; fits of other seeds score the same normal samples, so that these count once."""
    degenerate = fits[fits["status"].isin(DEGENERATE)]
    found, all_ = int(fits["flagged_anomalies"].sum()), int(fits["anomalies"].sum())
    normals, flagged = int((fits["samples"] - fits["anomalies"]).sum()), int(fits["flagged_normals"].sum())
    interval = stats.binomtest(found, all_).proportion_ci(confidence_level=1 - 2 * alpha, method="exact")
    alarms = stats.binomtest(round(flagged / len(fits)), normals // len(fits)).proportion_ci(1 - 2 * alpha, "exact")
    detail = (
        f"{found} of {all_} anomalies and {flagged} of {normals} normals flagged; false alarms"
        f" {100 * alarms.low:.1f} to {100 * alarms.high:.1f} %, of which {100 * limit:g} % are allowed"
    )
    verdict = UNDECIDED
    if found < all_ or alarms.low > limit:
        verdict = CONTRADICTED
    elif alarms.high <= limit:
        verdict = SUPPORTED
    if len(degenerate):
        verdict, detail = UNDECIDED, f"{detail}; {len(degenerate)} of {len(fits)} fits diverged or collapsed"
    return {
        "verdict": verdict,
        "effect": 100 * found / all_,
        "low": 100 * interval.low,
        "high": 100 * interval.high,
        "replicates": len(fits),
        "detail": detail,
    }
