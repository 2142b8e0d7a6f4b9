"""What stands in the tables that a person reads: cells and words, from the summaries and judgements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ocnn.report.rendering import MISSING, Cell, Document, Table, cell_key, frame_table, literal, number
from ocnn.results.metrics import DEGENERATE, EVALUATIONS, METRICS, PUBLISHED_METRIC
from ocnn.results.summary import KEYS, mean_below_chance
from ocnn.results.verdicts import DESCRIPTIVE, count_verdicts, power_sentences, rule

MARKS = (
    " † k/n: k of the n fits diverged or collapsed, so that this cell is no result of the method (the reasons are"
    " listed under degenerate fits). – : not available."
)
#: Where cells are averaged over classes.
MEAN_RULE = " A mean over classes is below chance if it is lower than the mean of that limit over them."
PUBLISHED = "published"


def below_chance_rule(alpha: float) -> str:
    """Say what the mark of AUCs below chance means."""
    return (
        " ‡: below chance; the mean AUC is lower than scores without information reach with a chance of"
        f" {100 * alpha:g} % in one fit (Mann and Whitney's standard error at this number of normal and anomalous"
        " samples), each cell by itself."
    )


#: What stands in the lines of Tables 3 and 4.
LINES = {
    "test": "the test part",
    "train": "the contaminated training set itself",
    "held_out": "the normals of the training set that were not fitted, beside all its anomalies",
    PUBLISHED: "the paper's cell",
}


def auc_legend(summary: pd.DataFrame, alpha: float) -> str:
    """Say how to read Table 3 or 4 of this summary."""
    there = {*summary["evaluation"], *([PUBLISHED] if summary["published_mean"].notna().any() else [])}
    lines = "; ".join(f"`{name}`: {says}" for name, says in LINES.items() if name in there)
    return (
        f"AUC in percent, mean ± standard deviation over seeds. {lines}. Bold: the best of a"
        " line, degenerate cells and those below chance apart." + MARKS + below_chance_rule(alpha)
    )


#: For an experiment, normal class, method and evaluation its verdict.
Verdicts = Mapping[tuple[str, str, str, str], str]


def table3(
    summary: pd.DataFrame,
    references: pd.DataFrame,
    metrics: pd.DataFrame,
    remarks: Mapping[str, str],
    verdicts: Verdicts | None = None,
    *,
    alpha: float,
) -> Document:
    """Make Table 3: one part per experiment; for each class a line per evaluation, the published one, and differences.

    Args:
        summary: of `summarise`, of which AUCs are shown.
        references: of `look_up_references`.
        metrics: rows of `measurements.collect`.
        remarks: for each experiment what a reader must know about it.
        verdicts: on published cells, which colour the differences.
        alpha: of the summary.
    """
    tables = []
    for experiment, group, methods, lines in _parts(summary, references, verdicts or {}):
        rows = [
            [Cell(normal), Cell(name), *best_marked([line.get((normal, method), NONE) for method in methods])]
            for normal in dict.fromkeys(group["normal"])
            for name, line in lines.items()
        ]
        note = f"{_seeds(group)}. {literal(remarks.get(experiment, ''))}".strip()
        tables.append(Table(experiment, ["normal", "AUC", *methods], rows, note, stub=2))
    title = "AUC per normal class and method, in % (Table 3)"
    return Document(title, auc_legend(summary, alpha), [*tables, *_listings(summary, metrics)])


def table4(
    summary: pd.DataFrame,
    references: pd.DataFrame,
    metrics: pd.DataFrame,
    remarks: Mapping[str, str],
    attacks: pd.DataFrame,
    verdicts: Verdicts | None = None,
    *,
    alpha: float,
) -> Document:
    """Make Table 4: one part per experiment, one line per method; arguments as for `table3`.

    attacks: how the adversarial images were made, by experiment: `attack`, `steps`, `held_out`, `images`, `median_l2`.
    """
    tables = []
    for experiment, group, methods, lines in _parts(summary, references, verdicts or {}):
        attack, normal = attacks.loc[experiment], group["normal"].iloc[0]
        scored = (
            "fitted on the training images, scored on the test images and the adversarial ones"
            if attack["held_out"]
            else "all images fitted and scored at once, as in the paper"
        )
        note = (
            f"{_seeds(group)}. Normal: {literal(normal)}. Anomalies: {attack['images']} images of the attack"
            f" `{attack['attack']}`, {attack['steps']} steps, median L2 {attack['median_l2']:.2f}; {scored}."
            f" {literal(remarks.get(experiment, ''))}"
        ).strip()
        columns = [best_marked([line.get((normal, method), NONE) for method in methods]) for line in lines.values()]
        rows = [[Cell(method), *cells] for method, *cells in zip(methods, *columns, strict=True)]
        tables.append(Table(experiment, ["method", *lines], rows, note))
    title = "AUC on adversarial images per method, in % (Table 4)"
    return Document(title, auc_legend(summary, alpha), [*tables, *_listings(summary, metrics)])


def metric_document(summary: pd.DataFrame, alpha: float) -> Document:
    """Show all metrics side by side: one line per method, averaged over the classes of an experiment and evaluation.

    alpha: of the summary.
    """
    tables = []
    names = {name: f"{metric.title}, {metric.unit}" for name, metric in METRICS.items()}
    for (experiment, evaluation), group in summary.groupby(["experiment", "evaluation"], sort=False):
        methods, classes = list(dict.fromkeys(group["method"])), group["normal"].nunique()
        columns = []
        for name in names:
            cells = []
            for method in methods:
                rows = group[(group["method"] == method) & (group["metric"] == name)]
                whole = rows["mean"].notna().all()
                std = rows["mean"].std(ddof=1) if classes > 1 else rows["std"].iloc[0]
                mean = rows["mean"].mean() if whole else np.nan
                marks = {"degenerate": int(rows["degenerate"].sum()), "fits": int(rows["fits"].sum())}
                cells.append(auc_cell(mean, std, **marks, below=mean_below_chance(rows, alpha)))
            columns.append(best_marked(cells, higher_is_better=METRICS[name].higher_is_better))
        rows = [[Cell(method), *cells] for method, *cells in zip(methods, *columns, strict=True)]
        over = f"{classes} normal classes, seeds averaged first" if classes > 1 else "seeds"
        note = f"Mean ± standard deviation over {over}; {_seeds(group)}."
        tables.append(Table(f"{experiment}, {evaluation}", ["method", *names.values()], rows, note))
    lower = [metric.title for metric in METRICS.values() if not metric.higher_is_better]
    legend = (
        "Anomalies are the positive class. Average precision depends on the share of anomalies, so it compares methods"
        f" only within a table. The lower the better: {', '.join(lower)}. Per normal class they stand in `metrics.csv`."
    )
    return Document("Other metrics beside the AUC", legend + MARKS + below_chance_rule(alpha) + MEAN_RULE, tables)


def degenerate_fits(metrics: pd.DataFrame) -> Table:
    """List every fit that diverged or collapsed, and why."""
    fits = metrics[metrics["status"].isin(DEGENERATE)].drop_duplicates([*KEYS, "seed"])
    return replace(frame_table("Degenerate fits", fits[[*KEYS, "seed", "status", "reason"]]), listing=True)


def below_chance(summary: pd.DataFrame) -> Table:
    """List every cell whose AUC is below chance."""
    cells = summary[summary["below_chance"]]
    columns = [*KEYS, "evaluation", "mean", "std", "seeds", "anomalies", "normals"]
    return replace(frame_table("AUCs below chance", cells[columns]), listing=True)


def _listings(summary: pd.DataFrame, metrics: pd.DataFrame) -> list[Table]:
    """What of a table's experiments is no result, or a strange one."""
    return [degenerate_fits(metrics[metrics["experiment"].isin(summary["experiment"])]), below_chance(summary)]


def aucs_of(summary: pd.DataFrame) -> pd.DataFrame:
    """Take the rows of a summary that are AUCs."""
    return summary[summary["metric"] == PUBLISHED_METRIC]


Line = dict[tuple[str, str], Cell]
NONE = Cell(MISSING, kind="missing")


def _parts(
    summary: pd.DataFrame, references: pd.DataFrame, verdicts: Verdicts
) -> Iterable[tuple[str, pd.DataFrame, list[str], dict[str, Line]]]:
    """The experiments of a table: name, AUCs, methods, and lines."""
    for experiment, group in aucs_of(summary).groupby("experiment", sort=False):
        lines = _lines(group, references[references["experiment"] == experiment], verdicts)
        yield str(experiment), group, list(dict.fromkeys(group["method"])), lines


def _lines(group: pd.DataFrame, references: pd.DataFrame, verdicts: Verdicts) -> dict[str, Line]:
    """The lines of an experiment by name: evaluations, the published one, differences, other labs'."""
    evaluations = [evaluation for evaluation in EVALUATIONS if (group["evaluation"] == evaluation).any()]
    lines: dict[str, Line] = {evaluation: {} for evaluation in evaluations}
    if group["published_mean"].notna().any():
        lines |= {name: {} for name in (PUBLISHED, *(f"{evaluation} − {PUBLISHED}" for evaluation in evaluations))}
    for row in group.to_dict("records"):
        key = row["normal"], row["method"]
        marks = {"degenerate": row["degenerate"], "fits": row["fits"], "below": row["below_chance"]}
        cell = auc_cell(row["mean"], row["std"], seeds=row["seeds"], **marks)
        lines[row["evaluation"]][key] = replace(cell, target=cell_key(row["experiment"], *key))
        if PUBLISHED in lines:
            lines[PUBLISHED][key] = auc_cell(row["published_mean"], row["published_std"], decimals=2)
            lines[f"{row['evaluation']} − {PUBLISHED}"][key] = _difference(
                row["difference"], verdict=verdicts.get((row["experiment"], *key, row["evaluation"]), ""), **marks
            )
    for row in references.to_dict("records"):
        lines.setdefault(row["reference"], {})[row["normal"], row["method"]] = auc_cell(
            row["mean"], row["std"], decimals=2
        )
    return lines


def _seeds(group: pd.DataFrame) -> str:
    """How many seeds the cells of an experiment have."""
    seeds = sorted(set(group["fits"]))
    count = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"{count} seed{'s' if seeds[-1] > 1 else ''}"


def auc_cell(
    mean: float,
    std: float,
    *,
    decimals: int = 1,
    seeds: int | None = None,
    degenerate: int = 0,
    fits: int = 0,
    below: bool = False,
) -> Cell:
    """Write a mean with its standard deviation and its marks."""
    marks, kind = _marks(degenerate, fits, below)
    if pd.isna(mean):
        return Cell(MISSING + marks, kind=kind or "missing")
    text = number(mean, decimals) + ("" if pd.isna(std) else f" ± {std:.1f}")
    if seeds is not None and seeds < fits:
        text += f" ({seeds} of {fits} seeds)"
    return Cell(text + marks, float(mean), kind=kind)


def _difference(value: float, *, verdict: str = "", degenerate: int, fits: int, below: bool) -> Cell:
    """Write a difference from the published mean, in the colour of its verdict, if there is one that says anything."""
    marks, kind = _marks(degenerate, fits, below)
    if verdict not in ("", DESCRIPTIVE):
        kind = verdict.replace(" ", "-")
    if pd.isna(value):
        return Cell(MISSING + marks, kind=kind or "missing")
    # Without a sign where nothing is left of it; never the best of its line, therefore of a kind.
    text = f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0.0"
    return Cell(text + marks, float(value), kind=kind or "difference")


def _marks(degenerate: int, fits: int, below: bool) -> tuple[str, str]:
    """The marks of a cell, and its kind."""
    marks = (f" †{degenerate}/{fits}" if degenerate else "") + (" ‡" if below else "")
    return marks, "degenerate" if degenerate else "below-chance" if below else ""


def best_marked(cells: Sequence[Cell], *, higher_is_better: bool = True) -> list[Cell]:
    """The cells, those marked that are best as far as they are shown; a cell of a kind is none."""
    shown = [None if cell.kind or cell.value is None else cell.text.partition(" ")[0] for cell in cells]
    values = [float(text.replace("−", "-")) for text in shown if text is not None]
    best = (max if higher_is_better else min)(values, default=None)
    return [
        cell if text is None else replace(cell, best=float(text.replace("−", "-")) == best)
        for cell, text in zip(cells, shown, strict=True)
    ]


def verdict_document(judged: pd.DataFrame, *, margin: float, odds_ratio: float, alpha: float) -> Document:
    """Show the verdicts, counted per column of the published tables and then cell by cell."""
    columns = [*KEYS, "evaluation", "family", "published", "published_runs", "mean", "seeds", "difference"]
    columns += ["seed_error", "sample_error", "published_error", "low", "high", "reach", "verdict", "seeds_verdict"]
    columns += ["odds_ratio", "odds_low", "odds_high", "odds_verdict", "reason"]
    cells = judged[columns].replace({"reason": {"": MISSING}})
    note = (
        "`published runs`: seeds that the published mean is known to average; 0, it counts as exact. Standard errors in"
        " points: `seed error`, over our seeds; `sample error`, of the choice of test samples; `published error`, over"
        " the paper's seeds. `low`, `high`: the interval of the difference; `reach`: the smallest margin within which"
        " it would lie. `odds ratio`: of AUC/(1 − AUC), ours to the published, with its interval and its own verdict."
        " `seeds verdict`: without the sample error."
    )
    counts = count_verdicts(judged)
    power = (
        " ".join(["What these verdicts can tell:", *power_sentences(judged, margin)]) if counts["cells"].any() else ""
    )
    return Document(
        "Do the published AUCs hold?",
        rule(margin, odds_ratio, alpha),
        [frame_table("How many cells of each column", counts, power), frame_table("Cell by cell", cells, note)],
    )


def claim_document(claims: pd.DataFrame, alpha: float) -> Document:
    """Show the claims, each with the paper's words."""
    legend = (
        "Each claim of the paper's text, in each experiment on its data set and under each evaluation. Where the"
        " protocol is not the published one, or the evaluation another than its, nothing is concluded, and the verdict"
        " is `descriptive`. A ranking is"
        f" supported if every difference of AUCs that it needs is above 0 at a level of {100 * alpha:g} %, contradicted"
        " if one is below 0 (Holm-corrected), else undecided; `effect` is the smallest of the differences in points,"
        f" low and high its interval at {100 * (1 - 2 * alpha):g} %. `published effect` is the smallest difference in"
        " the published table: below 0, the paper's own numbers contradict its text. Of the synthetic data the effect"
        " is the share of anomalies found in percent. Claims are not corrected for one another."
    )
    order = ["claim", "experiment", "evaluation", "method", "verdict", "effect", "low", "high", "replicates"]
    shown = claims[[*order, "detail", "published_effect"]].astype({"replicates": "Int64"})
    words = claims[["claim", "says", "where"]].drop_duplicates()
    return Document(
        "Do the paper's claims hold?",
        legend,
        [frame_table("Claims", shown), frame_table("In the paper's words", words)],
    )
