"""What a run found, in the first lines that a person reads: verdicts, claims, who leads, and maps of all cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Table, cell_key, literal, number, spans
from ocnn.report.sentences import leader_sentence, listed, verdict_sentence
from ocnn.results.claims import CONTRADICTED, SUPPORTED, UNDECIDED
from ocnn.results.leaderboard import OPEN, rank_methods
from ocnn.results.metrics import METRICS, PUBLISHED_METRIC
from ocnn.results.summary import KEYS, evaluated
from ocnn.results.verdicts import DESCRIPTIVE

#: The shades of a map, from the lowest of its values to the best.
SHADES = 6
#: So many claims stand in the first lines of a report; the others are folded.
LEADING = 3


@dataclass(frozen=True)
class Finding:
    """A sentence, written as a note, of a kind that has a colour, and the section or cell that it is about."""

    text: str
    kind: str = ""
    link: str = ""

    @property
    def plain(self) -> str:
        """The sentence without its markup."""
        return "".join(piece for _, piece in spans(self.text))


@dataclass(frozen=True)
class Board:
    """All cells of an experiment at a glance.

    sentence: what came out, written as a note.
    classes: normal classes.
    counts: cells by verdict.
    ranking: the methods, the best first.
    maps: of each metric by its title, methods × classes.
    """

    experiment: str
    evaluation: str
    sentence: str
    classes: int
    counts: Mapping[str, int]
    ranking: Table
    maps: Mapping[str, Table]


def boards(
    summary: pd.DataFrame,
    metrics: pd.DataFrame,
    judged: pd.DataFrame,
    alpha: float,
    contaminations: Mapping[str, float] | None = None,
) -> list[Board]:
    """Make the board of each experiment in which something is measured, those with judged cells first.

    Args:
        summary: of `summarise`.
        metrics: rows of `measurements.collect`.
        judged: of `judge`.
        alpha: of the summary.
        contaminations: of the experiments that differ by it alone, the share of anomalies among the training samples.
    """
    found = []
    for experiment, group in summary.groupby("experiment", sort=False):
        verdicts = judged[(judged["experiment"] == experiment) & (judged["verdict"] != DESCRIPTIVE)]
        columns = verdicts[verdicts["family"] == "published"]
        evaluation = str(verdicts["evaluation"].iloc[0] if len(verdicts) else evaluated(group)["evaluation"].iloc[0])
        own = metrics[(metrics["experiment"] == experiment) & (metrics["evaluation"] == evaluation)]
        rows = group[group["evaluation"] == evaluation]
        if rows["mean"].isna().all():
            continue
        ranks = rank_methods(own, alpha)
        counts = {str(verdict): int(count) for verdict, count in columns["verdict"].value_counts().items()}
        found.append(
            Board(
                str(experiment),
                evaluation,
                verdict_sentence(str(experiment), counts, evaluation)
                if counts
                else leader_sentence(str(experiment), ranks, (contaminations or {}).get(str(experiment))),
                rows["normal"].nunique(),
                counts,
                ranking_table(ranks, rows, own, alpha),
                {METRICS[name].title: heat_map(rows, verdicts, name) for name in METRICS},
            )
        )
    return sorted(found, key=lambda board: not board.counts)


def answers(found: Sequence[Board], across: Sequence[str], *, judged: bool) -> list[str]:
    """Put the sentences that a report begins with in order: published cells first, as they are what the title asks.

    Args:
        found: of `boards`.
        across: sentences about several experiments together.
        judged: whether there are published cells: then the other experiments say nothing here.
    """
    published = [board.sentence for board in found if board.counts]
    return [*published, *across, *(board.sentence for board in found if not board.counts and not judged)]


def ranking_table(ranks: pd.DataFrame, summary: pd.DataFrame, metrics: pd.DataFrame, alpha: float) -> Table:
    """Show the methods of an experiment, the best first.

    Args:
        ranks: of `rank_methods`.
        summary, metrics: rows of the experiment under its evaluation.
        alpha: of the summary.
    """
    others = [name for name in METRICS if name != PUBLISHED_METRIC]
    means = summary.pivot_table(
        index="method", columns="metric", values="mean", aggfunc=lambda values: values.mean(skipna=False)
    )
    seconds = metrics.groupby("method")["seconds"].median()
    converged = metrics.groupby("method")["status"].agg(lambda found: f"{(found == 'converged').sum()} of {len(found)}")
    one_class = summary["normal"].unique()
    rows = []
    for row in ranks.to_dict("records"):
        method, standing, reason = row["method"], row["standing"], row["reason"]
        shown = "one seed" if standing == OPEN and row["seeds"] < 2 else standing
        key = cell_key(str(summary["experiment"].iloc[0]), str(one_class[0]), method) if len(one_class) == 1 else ""
        rows.append(
            [
                Cell(MISSING, kind="missing") if pd.isna(row["rank"]) else Cell(str(row["rank"]), float(row["rank"])),
                Cell(method, target=key),
                _interval(row["mean"], row["low"], row["high"]),
                _interval(row["behind"], row["behind_low"], row["behind_high"]),
                Cell(reason or shown, kind="degenerate" if reason else standing.replace(" ", "-")),
                Cell(converged[method]),
                *(_interval(means.get(name, pd.Series(dtype=float)).get(method, np.nan)) for name in others),
                _seconds(seconds[method]),
            ]
        )
    classes = f"the mean over {len(one_class)} normal classes; " if len(one_class) > 1 else ""
    percent = f"{100 * (1 - 2 * alpha):g} %"
    note = (
        f"AUC in percent on `{metrics['evaluation'].iloc[0]}`, {classes}intervals at {percent} over seeds and the"
        " choice of samples. `leads`: every other method is behind. `behind`: another one is better, at"
        f" {100 * alpha:g} % over all comparisons. `may be best`: neither is established. `one seed`: no interval, so"
        " that nothing is. `degenerate`: diverged or collapsed. `converged`: of how many fits training or solver came"
        " to rest, by the method's own rule."
    )
    columns = ["rank", "method", "AUC, %", "to the leader", "standing", "converged"]
    columns += [f"{METRICS[name].title}, {METRICS[name].unit}" for name in others] + ["s per fit"]
    return Table(f"Ranking, {summary['experiment'].iloc[0]}", columns, rows, note, stub=2)


def _interval(value: float, low: float = np.nan, high: float = np.nan) -> Cell:
    if pd.isna(value):
        return Cell(MISSING, kind="missing")
    around = "" if pd.isna(low) else f" [{number(low, 1)}, {number(high, 1)}]"
    return Cell(number(value, 1).replace("−0.0", "0.0") + around, float(value))


def _seconds(value: float) -> Cell:
    return Cell(MISSING, kind="missing") if pd.isna(value) else Cell(f"{value:.3g}", float(value))


def heat_map(summary: pd.DataFrame, judged: pd.DataFrame, metric: str) -> Table:
    """Arrange a metric as methods × classes, each cell in the colour of its verdict, or else in a shade of its value.

    Args:
        summary: rows of an experiment under one evaluation.
        judged: the judged cells among these; they colour the metric that was published alone.
        metric: its name.
    """
    rows = summary[summary["metric"] == metric]
    verdicts = judged.set_index(["normal", "method"])["verdict"].to_dict() if metric == PUBLISHED_METRIC else {}
    better = 1 if METRICS[metric].higher_is_better else -1
    finite = rows["mean"].dropna()
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    worst, best = (low, high) if better > 0 else (high, low)
    classes = list(dict.fromkeys(rows["normal"]))
    lines = []
    for method, group in rows.groupby("method", sort=False):
        by_class = {row["normal"]: row for row in group.to_dict("records")}
        cells = []
        for normal in classes:
            row = by_class.get(normal)
            if row is None:
                cells.append(Cell(MISSING, kind="missing"))
                continue
            key = cell_key(row["experiment"], normal, str(method))
            verdict = verdicts.get((normal, method), "")
            if row["degenerate"]:
                kind = "degenerate"
            elif pd.isna(row["mean"]):
                kind = "missing"
            elif verdict:
                kind = verdict.replace(" ", "-")
            else:
                share = (row["mean"] - worst) / (best - worst) if best != worst else 1.0
                kind = f"shade-{min(int(share * SHADES), SHADES - 1)}"
            text = MISSING if pd.isna(row["mean"]) else number(row["mean"], 1)
            mark = " †" if row["degenerate"] else " ‡" if row["below_chance"] else ""
            value = None if pd.isna(row["mean"]) else float(row["mean"])
            cells.append(Cell(text + mark, value, kind=kind, target=key))
        whole = group["mean"].notna().all() and not group["degenerate"].any()
        mean = [_interval(group["mean"].mean() if whole else np.nan)] if len(classes) > 1 else []
        lines.append([Cell(str(method)), *cells, *mean])
    columns = ["method", *classes, *(["mean"] if len(classes) > 1 else [])]
    title = f"{METRICS[metric].title}, {METRICS[metric].unit}, {summary['experiment'].iloc[0]}"
    return Table(title, columns, lines)


def claim_findings(claims: pd.DataFrame, judged: Mapping[str, str | None]) -> list[Finding]:
    """Say of each claim that an experiment checks what came out, the decided ones first.

    Args:
        claims: of `check_claims`.
        judged: for each experiment the evaluation that its published cells are judged under; a claim is read under it.
    """
    found = []
    for (says, experiment), rows in claims[claims["experiment"].notna()].groupby(["says", "experiment"], sort=False):
        chosen = rows[rows["evaluation"] == judged.get(str(experiment))]
        for verdict in (SUPPORTED, CONTRADICTED, UNDECIDED):
            same = chosen[chosen["verdict"] == verdict]
            if same.empty:
                continue
            row, by = same.iloc[0], ", ".join(dict.fromkeys(same["method"]))
            effect = ""
            if len(same) == 1 and pd.notna(row["effect"]):
                effect = f" {number(row['effect'], 1)} [{number(row['low'], 1)}, {number(row['high'], 1)}]."
            text = f"**{verdict}** on {literal(str(experiment))} by {literal(by)}: “{literal(str(says))}”{effect}"
            found.append(Finding(text, verdict, "#claims"))
    order = [CONTRADICTED, SUPPORTED, UNDECIDED]
    return sorted(found, key=lambda finding: order.index(finding.kind))


def degenerate_finding(metrics: pd.DataFrame, statuses: Sequence[str]) -> list[Finding]:
    """Say how many fits diverged or collapsed, and of which methods; nothing where none did."""
    fits = metrics.drop_duplicates([*KEYS, "seed"])
    bad = fits[fits["status"].isin(statuses)]
    if bad.empty:
        return []
    counts = bad["method"].value_counts()
    shown = listed([f"{method} ({count})" for method, count in counts.head(4).items()])
    rest = f" and {len(counts) - 4} other methods" if len(counts) > 4 else ""
    text = f"**{len(bad)} of {len(fits)} fits diverged or collapsed**: {literal(shown)}{rest}."
    return [Finding(text, "degenerate", "#degenerate")]
