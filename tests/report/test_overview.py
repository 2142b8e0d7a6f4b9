"""What a report says first, of runs made by hand: sentences, maps, what differs from another run."""

from typing import Any

import numpy as np
import pandas as pd

from ocnn.report.cells import POINTS, thinned
from ocnn.report.changes import changes_document
from ocnn.report.overview import (
    answers,
    boards,
    claim_findings,
    degenerate_finding,
)
from ocnn.report.rendering import spans, to_html
from ocnn.report.sentences import ON, contamination_sentence, rank_sentence, run_title, verdict_sentence
from ocnn.results.changes import compare_runs
from ocnn.results.metrics import DEGENERATE, EVALUATIONS
from ocnn.results.summary import summarise
from ocnn.results.verdicts import judge
from tests.results.conftest import fits, published


def plain(text: str) -> str:
    """A note without its markup."""
    return "".join(piece for _, piece in spans(text))


def run_of(metrics: pd.DataFrame, paper: pd.DataFrame, dataset: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The summary of measurements and its verdicts."""
    summary = summarise(metrics, paper, {"toy": dataset}, {}, alpha=0.05)
    evaluation = "test" if dataset else None
    return summary, judge(summary, {}, {"toy": evaluation}, margin=2, odds_ratio=1.25, alpha=0.05)


def test_of_published_cells_it_says_how_many_hold() -> None:
    counts = {"reproduced": 8, "worse": 30, "better": 12, "not comparable": 40}
    assert plain(verdict_sentence("mnist", counts, "test")) == (
        "mnist: 8 of 90 published cells hold. Of the others 30 lie below, 12 lie above and 40 cannot be compared, as"
        " fits diverged or collapsed."
    )
    assert plain(verdict_sentence("mnist", {"reproduced": 1}, "test")) == "mnist: 1 of 1 published cells holds."
    assert plain(verdict_sentence("mnist", {"reproduced": 2}, "train")) == (
        "mnist: 2 of 2 published cells hold on the training set itself."
    )
    assert set(ON) == set(EVALUATIONS)


def test_over_data_sets_it_says_which_method_ranks_best() -> None:
    """By hand: a is first on two and second on one, b third on all, c the rest; d is nowhere whole."""
    aucs = {"one": (90, 70, 80), "two": (90, 70, 80), "three": (80, 70, 90)}
    parts = {name: {(m, "x"): [v, v] for m, v in zip("abc", row, strict=True)} for name, row in aucs.items()}
    parts["three"] |= {("d", "x"): [99, 99]}
    metrics = pd.concat([fits(part).assign(experiment=name) for name, part in parts.items()])
    summary = summarise(metrics, published({("x", "3"): 1.0}), dict.fromkeys(parts), {}, alpha=0.05)
    (sentence,) = rank_sentence(summary, list(parts))
    # t(0.975, 2) = 4.3027, standard error of 1, 1, 2: 1/3.
    assert plain(sentence) == (
        "All 3 data sets: a has the best average rank, 1.3 [1.0, 2.8] among 3 methods; then c (1.7) and b (3.0)."
    )
    assert rank_sentence(summary, []) == []


def test_of_a_sweep_it_says_what_anomalies_cost() -> None:
    """By hand: a loses 40 and b 1.5 points over two classes, c gains 2; d is degenerate at one end."""
    values = {"s_0": (90, 80, 70, 99), "s_1_21": (80, 80, 70, 99), "s_1_5": (50, 78.5, 72, 99)}
    parts = []
    for name, aucs in values.items():
        of_classes = {(m, c): [auc + up] for m, auc in zip("abcd", aucs, strict=True) for c, up in (("x", 0), ("y", 1))}
        bad = [("d", "y", 0)] if name == "s_1_5" else []
        parts.append(fits(of_classes, degenerate=bad).assign(experiment=name))
    metrics = pd.concat(parts)
    summary = summarise(metrics, published({("x", "3"): 1.0}), dict.fromkeys(values), {}, alpha=0.05)
    shares = {"s_0": 0.0, "s_1_21": 1 / 21, "s_1_5": 0.2}
    (sentence,) = contamination_sentence("s", shares, summary)
    assert plain(sentence) == (
        "s: from a clean training set to one with 20 % anomalies, in mean AUC, a loses 40.0 points, to 50.5 %; b loses"
        " 1.5 points, to 79.0 %; c gains 2.0 points, to 72.5 %. One seed cannot say whether that is more than luck."
    )
    (sentence,) = contamination_sentence("s", {name: shares[name] for name in ("s_1_5", "s_1_21")}, summary, most=1)
    assert plain(sentence).startswith(
        "s: from a training set with 4.8 % anomalies to one with 20 % anomalies, in mean AUC, a loses 30.0 points, to"
        " 50.5 %; c gains 2.0 points, to 72.5 %. 1 more lies between these."
    )
    assert contamination_sentence("s", shares, summary[summary["method"] == "d"]) == []
    judged = judge(summary, {}, dict.fromkeys(values), margin=2, odds_ratio=1.25, alpha=0.05)
    heads = [plain(board.sentence) for board in boards(summary, metrics, judged, 0.05, shares)]
    assert heads[0].startswith("s_0, a clean training set: d has the highest")
    assert heads[2].startswith("s_1_5, a training set with 20 % anomalies: b has the highest")


def test_a_map_of_published_cells_has_the_colours_of_the_verdicts() -> None:
    values = {("a", "3"): [90.0, 90.1, 90.2], ("a", "8"): [80.0, 80.1, 80.2], ("b", "3"): [70.0] * 3}
    values |= {("b", "8"): [60.0, 61.0, 62.0]}
    metrics = fits(values, degenerate=[("b", "3", 1)])
    paper = published({("a", "3"): 90.1, ("a", "8"): 95.0, ("b", "3"): 70.0})
    summary, judged = run_of(metrics, paper, "toyset")
    (board,) = boards(summary, metrics, judged, 0.05)
    assert board.counts == {"reproduced": 1, "worse": 1, "not comparable": 1}
    table = board.maps["AUC"]
    assert table.columns == ["method", "3", "8", "mean"]
    kinds = {
        (row[0].text, column): cell.kind for row in table.rows for column, cell in zip(table.columns, row, strict=True)
    }
    assert (kinds["a", "3"], kinds["a", "8"], kinds["b", "3"]) == ("reproduced", "worse", "degenerate")
    # Without a published cell there is a shade; another metric has no verdicts at all.
    assert kinds["b", "8"] == "shade-0"
    others = {cell.kind for row in board.maps["average precision"].rows for cell in row[1:3]}
    assert not others & {"reproduced", "worse"}
    assert [cell.target for cell in table.rows[0]] == ["", "toy/3/a", "toy/8/a", ""]
    assert [cell.text for cell in table.rows[1]] == ["b", "70.0 †", "61.0", "–"]


def test_the_sentence_on_published_cells_comes_first() -> None:
    """It is what the title asks; a sweep beside it comes after, and an experiment without such cells not at all."""
    metrics = fits({("a", "3"): [90.0, 90.1]})
    summary, judged = run_of(metrics, published({("a", "3"): 90.0}), "toyset")
    (paper,) = boards(summary, metrics, judged, 0.05)
    (own,) = boards(run_of(metrics, published({("x", "3"): 1.0}), None)[0], metrics, judged[:0], 0.05)
    assert answers([paper, own], ["a sweep"], judged=True) == [paper.sentence, "a sweep"]
    assert answers([own], ["a sweep"], judged=False) == ["a sweep", own.sentence]


def test_lower_is_better_where_it_is() -> None:
    metrics = fits({("a", "3"): [90.0, 91.0], ("b", "3"): [60.0, 61.0]})
    summary, judged = run_of(metrics, published({("x", "3"): 1.0}), None)
    (board,) = boards(summary, metrics, judged, 0.05)
    kinds = {title: [row[1].kind for row in table.rows] for title, table in board.maps.items()}
    assert kinds["AUC"] == kinds["FPR at 95 % TPR"] == ["shade-5", "shade-0"]


def sentence_of(metrics: pd.DataFrame) -> str:
    """The sentence on own data."""
    summary, judged = run_of(metrics, published({("x", "3"): 1.0}), None)
    (board,) = boards(summary, metrics, judged, 0.05)
    assert board.counts == {}
    return plain(board.sentence)


def test_of_own_data_it_says_who_leads_and_whether_that_is_sure() -> None:
    sure = fits({("a", "3"): [90.0, 90.2, 90.1], ("b", "3"): [60.0, 60.2, 60.1]}, sample_error=1.0)
    assert sentence_of(sure).startswith("toy: a has the highest mean AUC, 90.1 % [")
    assert sentence_of(sure).endswith("and the lead is sure: every other method is behind.")
    unsure = fits({("a", "3"): [90.0, 90.2, 90.1], ("b", "3"): [89.0, 89.2, 89.1]}, sample_error=2.0)
    assert sentence_of(unsure).endswith("but the lead is not sure: b may be as good or better.")
    assert "One seed cannot say" in sentence_of(fits({("a", "3"): [90.0], ("b", "3"): [60.0]}))
    many = fits({(name, "3"): [90.0 - place, 91.0] for place, name in enumerate("abcdefg")}, sample_error=2.0)
    assert sentence_of(many).endswith("b, c, d and 3 more may be as good or better.")
    alike = fits({("a", "3"): [90.0, 90.0], ("b", "3"): [90.0, 90.0]}, sample_error=2.0)
    assert sentence_of(alike) == "toy: a and b have the highest mean AUC, 90.0 %."
    bad = fits({("a", "3"): [90.0, 91.0]}, degenerate=[("a", "3", 0)])
    assert "no method has a rank" in sentence_of(bad)


def test_the_ranking_shows_intervals_and_reasons() -> None:
    values = {("a", "3"): [90.0, 90.2, 90.1], ("b", "3"): [60.0, 60.2, 60.1], ("c", "3"): [99.0] * 3}
    metrics = fits(values, sample_error=1.0, degenerate=[("c", "3", 2)])
    summary, judged = run_of(metrics, published({("x", "3"): 1.0}), None)
    (board,) = boards(summary, metrics, judged, 0.05)
    single = metrics[metrics["seed"] == 0]
    (of_one,) = boards(run_of(single, published({("x", "3"): 1.0}), None)[0], single, judged, 0.05)
    assert {row[4].text for row in of_one.ranking.rows} == {"one seed"}
    rows = [[cell.text for cell in row] for row in board.ranking.rows]
    assert [row[:2] for row in rows] == [["1", "a"], ["2", "b"], ["–", "c"]]
    assert rows[0][2].startswith("90.1 [")
    assert rows[1][3].startswith("30.0 [")
    assert [row[4] for row in rows] == ["leads", "behind", "1 of 3 degenerate"]
    assert [row[5] for row in rows] == ["3 of 3", "3 of 3", "2 of 3"]
    assert board.ranking.rows[0][1].target == "toy/3/a"


def test_titles_name_what_is_asked() -> None:
    assert run_title(["mnist"], judged=True, measured=True) == "Do the published AUCs hold?"
    assert run_title(["wine", "beer"], judged=False, measured=True) == "Which method finds the anomalies: wine and beer"
    assert run_title(list("abcd"), judged=False, measured=True).endswith(": 4 experiments")
    assert run_title(["scans"], judged=False, measured=False) == "The most anomalous samples: scans"


def test_claims_are_read_where_the_paper_was_and_the_unchecked_left_out() -> None:
    common: dict[str, Any] = {"says": "a is best.", "where": "here", "method": "a", "effect": -3.0}
    common |= {"low": -4.0, "high": -2.0}
    claims = pd.DataFrame(
        [
            {**common, "experiment": "toy", "evaluation": "test", "verdict": "contradicted"},
            {**common, "experiment": "toy", "evaluation": "train", "verdict": "supported"},
            {**common, "says": "elsewhere", "experiment": None, "evaluation": None, "verdict": "undecided"},
        ]
    )
    (finding,) = claim_findings(claims, {"toy": "test"})
    assert finding.plain == "contradicted on toy by a: “a is best.” −3.0 [−4.0, −2.0]."
    (finding,) = claim_findings(claims, {"toy": "train"})
    assert finding.kind == "supported"
    assert claim_findings(claims, {"toy": None}) == []


def test_degenerate_fits_are_counted_once() -> None:
    metrics = fits({("a", "3"): [90.0, 91.0], ("b", "3"): [60.0, 61.0]}, degenerate=[("a", "3", 0)])
    both = pd.concat([metrics, metrics.assign(evaluation="train")])
    (finding,) = degenerate_finding(both, DEGENERATE)
    assert finding.plain == "1 of 4 fits diverged or collapsed: a (1)."
    assert degenerate_finding(fits({("a", "3"): [90.0]}), DEGENERATE) == []


def test_what_differs_from_another_run_is_listed_and_counted() -> None:
    paper = published({("a", "3"): 90.0, ("b", "3"): 50.0})
    stays, before, now = [90.0, 90.1, 90.2], [50.0, 50.1, 50.2], [80.0, 80.1, 80.2]
    first = run_of(fits({("a", "3"): stays, ("b", "3"): before, ("c", "3"): [1.0] * 3}), paper, "toyset")
    second = run_of(fits({("a", "3"): stays, ("b", "3"): now, ("<b>", "3"): [1.0] * 3}), paper, "toyset")
    document = changes_document(compare_runs(first[0], second[0], first[1], second[1]))
    (table,) = document.tables
    assert plain(table.note) == (
        "Of 2 cells of both runs 1 is the same; the AUC differs most, by 30.0 points, for b on toy, test; 1 is new"
        " and 1 gone. 1 of 2 verdicts holds."
    )
    rows = {row[2].text: [cell.text for cell in row] for row in table.rows}
    assert set(rows) == {"b", "<b>", "c"}
    assert [rows[name][4] for name in ("b", "<b>", "c")] == ["changed", "new", "gone"]
    assert rows["b"][5:8] == ["50.10", "80.10", "30.00"]
    assert rows["b"][-2:] == ["reproduced", "better"]
    assert "<b>" not in to_html(document).partition("<tbody>")[2]
    same = changes_document(compare_runs(*first[:1], *first[:1], *first[1:], *first[1:]))
    assert same.tables[0].rows == []
    assert (
        plain(same.tables[0].note)
        == "Of 3 cells of both runs 3 are the same; 0 are new and 0 gone. 2 of 2 verdicts hold."
    )


def test_a_training_curve_keeps_its_ends() -> None:
    steps, values = thinned(np.linspace(5, 1, 1000))
    assert len(steps) == len(values) == POINTS
    assert (steps[0], steps[-1], values[0], values[-1]) == (1, 1000, 5.0, 1.0)
    assert thinned(np.array([np.inf, 2.0])) == [[1, 2], [None, 2.0]]
