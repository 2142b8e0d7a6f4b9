"""The sentences that a report begins with: how many published cells hold, who leads, what contamination costs."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from ocnn.report.rendering import literal, number
from ocnn.results.leaderboard import BEHIND, LEADS, NO_RANK
from ocnn.results.statistics import average_ranks
from ocnn.results.summary import class_table, evaluated, over_datasets
from ocnn.results.verdicts import NOT_COMPARABLE

#: How a count of cells of each verdict is put in a sentence.
SAYS = {
    "worse": ("{} lies below", "{} lie below"),
    "better": ("{} lies above", "{} lie above"),
    "inconclusive": ("{} is undecided", "{} are undecided"),
    NOT_COMPARABLE: ("{} cannot be compared, as fits diverged or collapsed",) * 2,
}
#: What was measured, where it is not the test part.
ON = {"test": "", "train": " on the training set itself", "held_out": " on the normals that were held out"}


def verdict_sentence(experiment: str, counts: Mapping[str, int], evaluation: str) -> str:
    """Say of an experiment how many of its published cells hold, and what was measured.

    Args:
        experiment: its name.
        counts: of the cells by verdict.
        evaluation: under which they are judged.
    """
    total, holding = sum(counts.values()), counts.get("reproduced", 0)
    rest = [says[counts[verdict] > 1].format(counts[verdict]) for verdict, says in SAYS.items() if counts.get(verdict)]
    head = f"**{literal(experiment)}**: {holding} of {total} published cells hold{'s' if holding == 1 else ''}"
    head += ON[evaluation]
    return f"{head}. Of the others {listed(rest)}." if rest else f"{head}."


def leader_sentence(experiment: str, ranks: pd.DataFrame, contamination: float | None = None) -> str:
    """Say which method is best in an experiment, and whether that is sure.

    Args:
        experiment: its name.
        ranks: of `rank_methods`.
        contamination: share of anomalies among the training samples, where it is to be said.
    """
    head = f"**{literal(experiment)}**"
    head += ": " if contamination is None else f", {_contaminated(contamination)}: "
    whole = ranks[ranks["standing"] != NO_RANK]
    if whole.empty:
        return f"{head}no method has a rank, as fits of each diverged or collapsed."
    first = whole.iloc[0]
    alike = [row["method"] for row in whole.to_dict("records") if round(row["mean"], 1) == round(first["mean"], 1)]
    if len(alike) == 1 or first["standing"] == LEADS:
        alike = [first["method"]]
    verb = "has" if len(alike) == 1 else "have"
    shown = f"{_some(alike, bold=True)} {verb} the highest mean AUC, {number(first['mean'], 1)} %"
    if len(alike) == 1 and pd.notna(first["low"]):
        shown += f" [{number(first['low'], 1)}, {number(first['high'], 1)}]"
    rivals = [method for method in whole.loc[whole["standing"] != BEHIND, "method"] if method not in alike]
    if len(whole) == 1:
        return f"{head}{shown}; it is the only method with a rank."
    if first["standing"] == LEADS:
        return f"{head}{shown}, and the lead is sure: every other method is behind."
    if whole["seeds"].max() < 2:
        return f"{head}{shown}. One seed cannot say whether that is more than luck."
    if not rivals:
        return f"{head}{shown}."
    return f"{head}{shown}, but the lead is not sure: {_some(rivals)} may be as good or better."


def contamination_sentence(
    family: str, contaminations: Mapping[str, float], summary: pd.DataFrame, most: int = 2
) -> list[str]:
    """Say what anomalies among the training samples cost the methods; nothing where no method has both ends.

    Args:
        family: name of the experiments that differ by the contamination alone.
        contaminations: of each of them, a share.
        summary: of `summarise`.
        most: so many methods that lose most are named, and so many that lose least.
    """
    ordered = sorted(contaminations, key=lambda name: contaminations[name])
    own = evaluated(summary[summary["experiment"].isin(ordered)])
    ends = []
    for experiment in (ordered[0], ordered[-1]):
        by_method = own[own["experiment"] == experiment].groupby("method", sort=False)
        whole = by_method["degenerate"].sum() == 0
        ends.append(by_method["mean"].agg(lambda values: values.mean(skipna=False))[whole])
    lost = (ends[0] - ends[1]).dropna().sort_values(ascending=False, kind="stable")
    if lost.empty:
        return []

    def said(method: str) -> str:
        change = number(abs(lost[method]), 1)
        verb = "loses" if lost[method] > 0 else "gains"
        changed = "stays at" if change == "0.0" else f"{verb} {change} points, to"
        return f"**{literal(method)}** {changed} {number(ends[1][method], 1)} %"

    names = list(lost.index)
    shown = names if len(names) <= 2 * most else [*names[:most], *names[-most:]]
    more = len(names) - len(shown)
    between = f" {more} more {'lies' if more == 1 else 'lie'} between these." if more else ""
    low, high = (contaminations[name] for name in (ordered[0], ordered[-1]))
    head = f"**{literal(family)}**: from {_contaminated(low)} to one with {_percent(high)} anomalies, in mean AUC,"
    seeds = "" if own["seeds"].max() > 1 else " One seed cannot say whether that is more than luck."
    return [f"{head} {'; '.join(said(method) for method in shown)}.{between}{seeds}"]


def _contaminated(share: float) -> str:
    """A contamination in words."""
    return f"a training set with {_percent(share)} anomalies" if share else "a clean training set"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def rank_sentence(summary: pd.DataFrame, datasets: Collection[str]) -> list[str]:
    """Say which method has the best average rank over data sets, and which follow; nothing without two that have one.

    Args:
        summary: of `summarise`.
        datasets: the experiments that stand for a data set each.
    """
    table, _ = class_table(evaluated(over_datasets(summary, datasets)))
    if table.shape[1] < 2:
        return []
    ranks = average_ranks(table)
    best = ranks.iloc[0]
    shown = (
        f"{number(best['rank'], 1)} [{number(best['low'], 1)}, {number(best['high'], 1)}] among {len(ranks)} methods"
    )
    next_ones = [f"{method} ({number(row['rank'], 1)})" for method, row in ranks.iloc[1:4].iterrows()]
    head = f"**All {len(table)} data sets**: **{ranks.index[0]}** has the best average rank, {shown}"
    return [f"{head}; then {listed(next_ones)}."]


def run_title(experiments: Iterable[str], *, judged: bool, measured: bool) -> str:
    """Ask what the report of a run answers."""
    if judged:
        return "Do the published AUCs hold?"
    names = list(experiments)
    shown = listed(names) if len(names) <= 3 else f"{len(names)} experiments"
    return f"Which method finds the anomalies: {shown}" if measured else f"The most anomalous samples: {shown}"


def _some(names: Sequence[str], *, bold: bool = False, most: int = 4) -> str:
    """Names in a list, of which many are only counted."""
    marked = [f"**{name}**" if bold else name for name in names]
    return listed(marked if len(names) <= most else [*marked[: most - 1], f"{len(names) - most + 1} more"])


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence, with an "and" before the last."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
