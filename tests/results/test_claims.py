"""The paper's claims: what supports and what contradicts them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from ocnn.errors import ResultError
from ocnn.report.rendering import to_markdown
from ocnn.report.tables import claim_document
from ocnn.results.claims import check_claims
from ocnn.results.published import DetectionClaim, RankingClaim, read_claims, read_published, read_texts
from tests.conftest import ROOT
from tests.results.conftest import ODD_NAMES, fits, published

HEAD: dict[str, Any] = {"says": "words", "where": "there", "dataset": "toyset"}
OVER_CLASSES = RankingClaim(name="best", better=["a"], than="others", over="classes", **HEAD)
OVER_SEEDS = RankingClaim(name="ahead", better=["a"], than=["b"], over="seeds", classes=["3", "5"], **HEAD)
PUBLISHED = published({(m, c): v for m, v in (("a", 90.0), ("b", 80.0)) for c in "35"})
JUDGED = {"toy": "test"}
LEVELS = {"3": [90.0, 90.4, 90.2], "5": [70.0, 70.4, 70.3]}


def cells(**offsets: float) -> dict[tuple[str, str], list[float]]:
    """Each method's AUCs: three seeds of two classes, by so much above the level."""
    return {
        (method, normal): [value + offset + 0.01 * seed for seed, value in enumerate(values)]
        for method, offset in offsets.items()
        for normal, values in LEVELS.items()
    }


def check(claim: Any, metrics: pd.DataFrame, methods: dict[str, str] | None = None) -> list[dict[str, Any]]:
    table = check_claims([claim], metrics, PUBLISHED, {"toy": "toyset"}, methods or {}, JUDGED, alpha=0.05)
    return [dict(zip(map(str, table.columns), row, strict=True)) for row in table.itertuples(index=False)]


@pytest.mark.parametrize("claim", [OVER_CLASSES, OVER_SEEDS], ids=["classes", "seeds"])
@pytest.mark.parametrize(("ahead", "verdict"), [(5.0, "supported"), (-5.0, "contradicted")])
def test_a_ranking(claim: RankingClaim, ahead: float, verdict: str) -> None:
    metrics = fits(cells(a=ahead, b=0))
    (row,) = check(claim, metrics)
    assert row["verdict"] == verdict
    assert row["effect"] == pytest.approx(ahead)
    assert row["replicates"] == (2 if claim is OVER_CLASSES else 3)
    assert row["published_effect"] == 10
    assert row["method"] == "a"


@pytest.mark.parametrize("judged", ["train", None])
def test_where_the_published_cells_are_not_judged_no_claim_is(judged: str | None) -> None:
    """Under another evaluation, or another protocol; what was measured is shown all the same."""
    table = check_claims(
        [OVER_SEEDS], fits(cells(a=5, b=0)), PUBLISHED, {"toy": "toyset"}, {}, {"toy": judged}, alpha=0.05
    )
    (row,) = table.to_dict("records")
    assert (row["evaluation"], row["verdict"]) == ("test", "descriptive")
    assert row["effect"] == pytest.approx(5.0)


def test_over_classes_the_interval_is_that_of_the_classes_differences() -> None:
    metrics = fits(
        {("a", "3"): [91.0, 93.0], ("b", "3"): [90.0, 90.0], ("a", "5"): [95.0, 95.0], ("b", "5"): [90.0, 92.0]}
    )
    (row,) = check(OVER_CLASSES, metrics)
    # Differences 2 and 4: mean 3, standard error 1, t(0.95, 1) = 6.3138.
    assert (row["effect"], row["low"], row["high"]) == pytest.approx((3, 3 - 6.3138, 3 + 6.3138), abs=1e-3)
    assert row["verdict"] == "undecided"


def test_every_class_must_support_it_and_one_can_contradict_it() -> None:
    metrics = fits(cells(a=5, b=0) | {("a", "5"): [60.0, 60.4, 60.3]})
    (row,) = check(OVER_SEEDS, metrics)
    assert row["verdict"] == "contradicted"
    assert "a against b, 5" in row["detail"]
    assert "1 of 2 below 0" in row["detail"]


def test_one_difference_supports_no_claim_that_needs_two() -> None:
    """Ahead by 5 in one class and by nothing in the other: the larger difference must not decide."""
    spread = {("a", "5"): [70.3, 70.0, 70.4], ("b", "5"): [70.0, 70.4, 70.3]}
    (row,) = check(OVER_SEEDS, fits(cells(a=5, b=0) | spread))
    assert row["verdict"] == "undecided"
    # Ahead of both of two others on average over the classes, or of one of them.
    claim = RankingClaim(name="best", better=["a"], than=["b", "c"], over="classes", **HEAD)
    (row,) = check(claim, fits(cells(a=5, b=0, c=0)))
    assert row["verdict"] == "supported"
    (row,) = check(claim, fits(cells(a=5, b=0) | {("c", "3"): [94.0] * 3, ("c", "5"): [76.0] * 3}))
    assert row["verdict"] == "undecided"


def difference_of(t: float) -> list[float]:
    """Three differences whose one-sample t statistic is t: mean t/√3 and standard deviation 1."""
    return [t / np.sqrt(3) + step for step in (-1.0, 0.0, 1.0)]


def test_it_is_holms_correction_that_contradicts_a_claim() -> None:
    """One-sided p-values 0.04 and 0.045: beyond Holm's 0.05 / 2, though Benjamini and Hochberg would reject both."""
    t = stats.t.ppf([0.04, 0.045], 2)
    aucs = {("b", "3"): [50.0] * 3, ("b", "5"): [50.0] * 3}
    ahead = {("a", normal): [50 + d for d in difference_of(value)] for normal, value in zip("35", t, strict=True)}
    (row,) = check(OVER_SEEDS, fits(aucs | ahead))
    assert row["verdict"] == "undecided"
    # At 0.0252 neither is: it is below 1 − √0.95, Šidák's level, and above Holm's.
    t = stats.t.ppf([0.0252, 0.045], 2)
    between = {("a", normal): [50 + d for d in difference_of(value)] for normal, value in zip("35", t, strict=True)}
    (row,) = check(OVER_SEEDS, fits(aucs | between))
    assert row["verdict"] == "undecided"
    # At 0.02 and 0.045 the first is rejected at 0.05 / 2, and then the second at 0.05.
    t = stats.t.ppf([0.02, 0.045], 2)
    ahead = {("a", normal): [50 + d for d in difference_of(value)] for normal, value in zip("35", t, strict=True)}
    (row,) = check(OVER_SEEDS, fits(aucs | ahead))
    assert (row["verdict"], "2 of 2 below 0" in row["detail"]) == ("contradicted", True)


@pytest.mark.parametrize(
    ("p", "alpha", "verdict"),
    [
        (0.04, 0.05, "supported"),
        (0.06, 0.05, "undecided"),
        (0.06, 0.1, "supported"),
        (0.94, 0.05, "undecided"),
        (0.94, 0.1, "contradicted"),
        (0.96, 0.05, "contradicted"),
    ],
)
def test_the_level_of_a_claim(p: float, alpha: float, verdict: str) -> None:
    """A single difference with a one-sided p-value of p, at either level; its interval is at 1 − 2 alpha."""
    claim = OVER_SEEDS.model_copy(update={"classes": ["3"]})
    ahead = [50 + d for d in difference_of(float(stats.t.isf(p, 2)))]
    metrics = fits({("a", "3"): ahead, ("b", "3"): [50.0] * 3})
    (row,) = check_claims([claim], metrics, PUBLISHED, {"toy": "toyset"}, {}, JUDGED, alpha=alpha).to_dict("records")
    assert row["verdict"] == verdict
    half = stats.t.isf(alpha, 2) / np.sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((row["effect"] - half, row["effect"] + half))


def test_degenerate_and_missing_fits_support_nothing_but_others_can_contradict() -> None:
    claim = RankingClaim(name="best", better=["a"], than=["b", "c"], over="seeds", **HEAD)
    bad = [("c", "3", 0)]
    (row,) = check(claim, fits(cells(a=5, b=0, c=0), degenerate=bad))
    assert row["verdict"] == "undecided"
    assert "1 of 6 fits of c degenerate or without AUC" in row["detail"]
    (row,) = check(claim, fits(cells(a=-5, b=0, c=0), degenerate=bad))
    assert row["verdict"] == "contradicted"
    (row,) = check(claim, fits(cells(a=5, b=0)))
    assert (row["verdict"], "not run: c" in row["detail"]) == ("undecided", True)
    (row,) = check(OVER_CLASSES, fits({key: values for key, values in cells(a=5, b=0).items() if key[1] == "3"}))
    assert (row["verdict"], row["detail"]) == ("undecided", "not run: 5")
    (row,) = check(OVER_SEEDS, fits({("a", "8"): [1.0, 2.0], ("b", "8"): [1.0, 2.0]}))
    assert (row["verdict"], row["detail"]) == ("undecided", "not run: 3, 5")


def test_methods_that_are_equal_everywhere_support_and_contradict_nothing() -> None:
    """Without any difference a p-value is 0.5, whatever the level."""
    table = check_claims([OVER_SEEDS], fits(cells(a=0, b=0)), PUBLISHED, {"toy": "toyset"}, {}, JUDGED, alpha=0.4)
    assert table["verdict"].tolist() == ["undecided"]


def test_one_seed_decides_nothing() -> None:
    metrics = fits({key: values[:1] for key, values in cells(a=5, b=0).items()})
    (row,) = check(OVER_SEEDS, metrics)
    assert (row["verdict"], row["effect"]) == ("undecided", pytest.approx(5))
    assert np.isnan(row["low"])


def test_each_row_that_stands_for_a_method_is_checked() -> None:
    metrics = fits(cells(a=5, a_variant=-5, b=0))
    rows = check(OVER_SEEDS, metrics, {"a": "a", "a_variant": "a", "b": "b"})
    assert [(row["method"], row["verdict"]) for row in rows] == [("a", "supported"), ("a_variant", "contradicted")]


def test_a_claim_that_nothing_checks_is_undecided() -> None:
    table = check_claims([OVER_CLASSES], fits(cells(a=1, b=0)), PUBLISHED, {"toy": "other"}, {}, JUDGED, alpha=0.05)
    (row,) = table.to_dict("records")
    assert (row["verdict"], row["detail"]) == ("undecided", "no experiment checks it")
    text = to_markdown(claim_document(table, 0.05))
    assert "| best    | –            | –            | –        | undecided |" in text


def test_rows_stand_for_methods_that_the_paper_gives_no_number_of() -> None:
    """The hybrids: of the published table there is nothing to compare, and without their rows nothing is decided."""
    claim = RankingClaim(name="hybrids", better=["a"], than_rows=["b_codes", "c_codes"], over="classes", **HEAD)
    (row,) = check(claim, fits(cells(a=5, b_codes=0, c_codes=1)))
    assert (row["verdict"], row["effect"]) == ("supported", pytest.approx(4))
    assert np.isnan(row["published_effect"])
    (row,) = check(claim, fits(cells(a=5, b_codes=0, c_codes=9)))
    assert (row["verdict"], "a against c_codes" in row["detail"]) == ("contradicted", True)
    (row,) = check(claim, fits(cells(a=5, b_codes=0)))
    assert (row["verdict"], "not run: c_codes" in row["detail"]) == ("undecided", True)
    # One that is behind is enough to contradict it.
    (row,) = check(claim, fits(cells(a=5, c_codes=9)))
    assert row["verdict"] == "contradicted"
    # With published methods beside them, each must be worse.
    both = RankingClaim(name="both", better=["a"], than=["b"], than_rows=["c_codes"], over="classes", **HEAD)
    (row,) = check(both, fits(cells(a=5, b=0, c_codes=9)))
    assert row["verdict"] == "contradicted"
    with pytest.raises(ValueError, match="than or than_rows must name a method"):
        RankingClaim(name="none", better=["a"], over="classes", **HEAD)


def test_settings_of_one_method_are_rows() -> None:
    """No other row that stands for the same published method is taken for the one that the claim names."""
    claim = RankingClaim(name="linear", better_rows=["a"], than_rows=["a_sigmoid", "a_relu"], over="classes", **HEAD)
    metrics = fits(cells(a=5, a_released=-9, a_sigmoid=0, a_relu=2))
    (row,) = check(claim, metrics, {"a_released": "a"})
    assert (row["method"], row["verdict"], row["effect"]) == ("a", "supported", pytest.approx(3))
    assert np.isnan(row["published_effect"])
    (row,) = check(claim, fits(cells(a=5, a_sigmoid=9, a_relu=2)))
    assert (row["verdict"], "a against a_sigmoid" in row["detail"]) == ("contradicted", True)
    # What the claim is about diverged, or was not run.
    bad = [("a", normal, seed) for normal in "35" for seed in range(3)]
    (row,) = check(claim, fits(cells(a=5, a_sigmoid=9, a_relu=2), degenerate=bad))
    assert (row["verdict"], "6 of 12 fits of a degenerate" in row["detail"]) == ("undecided", False)
    assert "6 of 6 fits of a degenerate" in row["detail"]
    (row,) = check(claim, fits(cells(a_released=5, a_sigmoid=9)), {"a_released": "a"})
    assert (row["verdict"], row["detail"]) == ("undecided", "no experiment checks it")
    with pytest.raises(ValueError, match="better or better_rows must name a method"):
        RankingClaim(name="none", than_rows=["a"], over="classes", **HEAD)


@pytest.mark.parametrize(
    ("found", "alarms", "verdict"),
    [
        (2, 0, "supported"),
        # Of 100: Clopper and Pearson's bounds at 5 % are 1.99 and 10.23 % for 5, and 1.38 and 8.92 % for 4.
        (2, 4, "supported"),
        (2, 5, "undecided"),
        # And 10.02 % for 16, 9.23 % for 15.
        (2, 15, "undecided"),
        (2, 16, "contradicted"),
        (2, 100, "contradicted"),
        (1, 0, "contradicted"),
    ],
)
def test_a_detection(found: int, alarms: int, verdict: str) -> None:
    claim = DetectionClaim(name="all", detects_all="a", false_alarms=0.1, **HEAD)
    metrics = fits({("a", "3"): [90.0, 91.0]}).assign(flagged_anomalies=found, samples=102, flagged_normals=alarms)
    (row,) = check(claim, metrics)
    assert (row["verdict"], row["effect"]) == (verdict, 50.0 * found)
    assert f"{2 * found} of 4 anomalies and {2 * alarms} of 200 normals flagged" in row["detail"]
    # In terms of the beta distribution, whose quantiles are 0 and 1 at the ends.
    low = stats.beta.ppf(0.05, 2 * found, 4 - 2 * found + 1)
    high = stats.beta.ppf(0.95, 2 * found + 1, 4 - 2 * found) if found < 2 else 1
    assert (row["low"], row["high"]) == pytest.approx((100 * low, 100 * high))
    # Of 100 normal samples, which both fits scored, and not of 200.
    bounds = [0 if alarms == 0 else stats.beta.ppf(0.05, alarms, 101 - alarms)]
    bounds.append(1 if alarms == 100 else stats.beta.ppf(0.95, alarms + 1, 100 - alarms))
    assert f"false alarms {100 * bounds[0]:.1f} to {100 * bounds[1]:.1f} %" in row["detail"]
    (row,) = check(claim, metrics.assign(status="collapsed"))
    assert row["verdict"] == "undecided"


def test_a_method_that_flags_at_random_does_not_find_all_anomalies() -> None:
    """One that flags a share of everything by lot: found by chance, a claim is supported at most by 5 %."""
    rng, claim = np.random.default_rng(0), DetectionClaim(name="all", detects_all="a", false_alarms=0.1, **HEAD)
    for share in (0.1001, 0.99):
        metrics = fits({("a", "3"): [50.0]}).assign(samples=200, anomalies=10)
        supported = 0
        for _ in range(40):
            # Granted that all anomalies are found.
            drawn = metrics.assign(flagged_anomalies=10, flagged_normals=rng.binomial(190, share))
            supported += check(claim, drawn)[0]["verdict"] == "supported"
        assert supported / 40 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


@pytest.mark.parametrize("claim", [OVER_CLASSES, OVER_SEEDS], ids=["classes", "seeds"])
def test_a_published_cell_that_is_missing_leaves_no_published_effect(claim: RankingClaim) -> None:
    """A mean over the classes that are there would compare other classes."""
    table = published({("a", "3"): 90.0, ("b", "3"): 80.0, ("a", "5"): np.nan, ("b", "5"): 70.0})
    metrics = fits(cells(a=5, b=0))
    (row,) = check_claims([claim], metrics, table, {"toy": "toyset"}, {}, JUDGED, alpha=0.05).to_dict("records")
    assert row["verdict"] == "supported"
    assert np.isnan(row["published_effect"])


def test_the_papers_own_numbers_contradict_two_of_its_claims() -> None:
    folder = ROOT / "config" / "published"
    table = check_claims(
        read_claims(folder / "claims.yaml"),
        fits({("x", "0"): [1.0]}),
        read_published([folder / "table3.csv", folder / "table4.csv"]),
        {},
        {},
        {},
        alpha=0.05,
    )
    assert (table["verdict"] == "undecided").all()
    effects = table.set_index("claim")["published_effect"]
    # Isolation forest on DEER, 72.66, against OC-NN, 67.40.
    assert effects["ocnn_ahead_where_contrast_is_low"] == pytest.approx(67.40 - 72.66)
    # KDE on TRUCK, 74.0, against RCAE, 74.47.
    assert effects["shallow_ahead_on_frog_and_truck"] == pytest.approx(74.0 - 74.47)
    assert effects["rcae_best_on_mnist"] > 0
    assert effects["rcae_best_on_gtsrb"] == pytest.approx(87.39 - 79.1)
    assert np.isnan(effects["ocnn_finds_all_synthetic_anomalies"])
    # The paper has no other activation and no hybrid in its tables.
    assert np.isnan(effects["linear_activation_best_on_mnist"])
    assert effects[[name for name in effects.index if name.startswith("hybrid")]].isna().tolist() == 4 * [True]


@pytest.mark.parametrize(
    "content",
    [
        "[{name: a, says: b, where: c, dataset: d}]",
        "[{name: a, says: b, where: c, dataset: d, better: [x], than: others, over: folds}]",
        "{a: 1}",
        "][",
        "[" * 5000,
        "[2019-13-41]",
        yaml.safe_dump([{"name": "a", "says": "b", "where": "c", "dataset": "d", "detects_all": "x"}] * 2),
    ],
    ids=["neither", "replicates", "mapping", "no yaml", "deep", "no date", "twice"],
)
def test_what_is_no_list_of_claims(tmp_path: Path, content: str) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(content)
    with pytest.raises(ResultError, match=r"claims\.yaml"):
        read_claims(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("class,auc\n3,97\n", "columns"),
        ("dataset,class,method,auc_mean,auc_std\nx,3,kde,many,0\n", "numbers"),
        ("dataset,class,method,auc_mean,auc_std\nx,3,kde,0.97,-1\n", "percentages"),
        ("dataset,class,method,auc_mean,auc_std\nx,3,kde,100.5,0\n", "percentages"),
        (
            "dataset,class,method,auc_mean,auc_std\nx,3,kde,97,0\nx,3,kde,96,0\n",
            "cell x, 3, kde is there twice",
        ),
        ("dataset,class,method,auc_mean,auc_std\nx,,kde,97,0\n", "a row lacks its dataset, class, method"),
        ("dataset,class,method,auc_mean,auc_std\nx,3,,97,0\n", "a row lacks its dataset, class, method"),
        ("dataset,class,method,auc_mean,auc_std\nx,3,kde,NA,0\n", "numbers"),
        ("", "not a table"),
    ],
    ids=["columns", "text", "range", "above", "twice", "nameless", "methodless", "missing", "empty"],
)
def test_what_is_no_published_table(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(ResultError, match=words):
        read_published([path])


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_that_look_like_missing_values_or_numbers_stay_texts(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"dataset,class,method,auc_mean,auc_std\n{name},{name},{name},97,\n")
    (row,) = read_published([path]).to_dict("records")
    assert (row["dataset"], row["class"], row["method"], row["auc_mean"]) == (name, name, name, 97)
    assert np.isnan(row["auc_std"])
    path.write_text(f"dataset,code\n{name},{name}\n")
    assert read_texts(path) == {name: {"dataset": name, "code": name}}


def test_published_tables_are_joined(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(f"dataset,class,method,auc_mean,auc_std\n{name},3,kde,100,0\n")
    rows = read_published([tmp_path / "a", tmp_path / "b"])
    assert rows["dataset"].to_dict() == {0: "a", 1: "b"}
    assert read_published([]).empty


def test_published_texts() -> None:
    texts = read_texts(ROOT / "config" / "published" / "table2.csv")
    assert texts["mnist"]["head"] == "32 → 32 → 1"
    assert read_texts(None) == {}
