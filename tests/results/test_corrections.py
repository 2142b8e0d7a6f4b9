"""Published cells beside the authors' runs: the rules, the lists, and what the published files hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ocnn.errors import ResultError
from ocnn.results.corrections import SEEDS, compare, count_cells, mean_differs, std_differs, with_spread
from ocnn.results.published import RUN_COLUMNS, read_published, read_runs
from tests.conftest import ROOT

FOLDER = ROOT / "config" / "published"
NOTEBOOK_SEEDS = [42, 56, 81, 67, 33, 25, 90, 77, 15, 11]


@pytest.mark.parametrize(
    ("published", "mean", "differs"),
    [
        (96.75, 96.75, False),
        (96.75, 96.7599, False),  # cut off
        (96.76, 96.7551, False),  # rounded up
        (96.76, 96.755, False),
        (96.75, 96.76, True),
        (96.76, 96.7549, True),
        (67.44, 67.4499383, False),
        (70.85, 60.850973, True),
        (np.nan, 60.0, True),
    ],
)
def test_a_mean_is_cut_off_or_rounded_or_another(published: float, mean: float, differs: bool) -> None:
    assert mean_differs([published], [mean]).tolist() == [differs]


@pytest.mark.parametrize(
    ("published", "std", "differs"),
    [(0.0, 0.15, False), (0.0, 0.1501, True), (1.3, 1.4499, False), (1.3, 1.1499, True), (2.2, 2.26, False)],
)
def test_a_standard_deviation_may_miss_a_decimal_and_a_half(published: float, std: float, differs: bool) -> None:
    assert std_differs([published], [std]).tolist() == [differs]


def cells(*rows: tuple[str, str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["dataset", "class", "method", "auc_mean", "auc_std"])


def runs(method: str, aucs: list[float], notebook: str = "a.ipynb", cell: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **{"dataset": "toys", "class": "x", "method": method, "seed": range(len(aucs)), "auc": aucs},
            **{"notebook": notebook, "cell": cell},
        }
    )


def test_lists_by_hand() -> None:
    # 59 and 61 five times each: mean 60, standard deviation 1 with the divisor n.
    ten = [59.0, 61.0] * 5
    known = pd.concat(
        [
            runs("kde", ten),
            runs("kde", ten, "b.ipynb", 7),
            runs("kde", [value + 3 for value in ten], "c.ipynb"),
            runs("dcae", ten),
            runs("rcae", ten[:9]),
            runs("gone", ten),
        ]
    )
    published = cells(
        ("toys", "x", "kde", 60.0, 1.0),
        ("toys", "x", "dcae", 60.0, 0.8),
        ("toys", "x", "rcae", 70.0, 9.0),
        ("toys", "y", "kde", 60.0, np.nan),
        ("toys", "z", "kde", np.nan, np.nan),
    )
    table = compare(published, known)
    assert list(zip(table["class"], table["method"], table["seeds"], strict=True)) == [
        ("x", "kde", 10),
        ("x", "kde", 10),
        ("x", "dcae", 10),
        ("x", "rcae", 9),
        ("y", "kde", 0),
    ]
    places = ["a.ipynb, cell 1; b.ipynb, cell 7", "c.ipynb, cell 1", "a.ipynb, cell 1", "a.ipynb, cell 1", ""]
    assert list(table["where"]) == places
    first = table.iloc[0]
    assert (first["mean"], first["std"], first["lowest"], first["highest"]) == pytest.approx((60, 1, 59, 61))
    assert table["difference"].tolist() == pytest.approx([0, -3, 0, 70 - 539 / 9, np.nan], nan_ok=True)
    # Nine seeds tell nothing, however far they are.
    assert table["mean_differs"].tolist() == [False, True, False, False, False]
    assert table["std_differs"].tolist() == [False, False, True, False, False]
    assert count_cells(table).to_numpy().tolist() == [
        ["toys", "kde", 2, 1, 0, 1, 1, 0],
        ["toys", "dcae", 1, 1, 0, 0, 0, 1],
        ["toys", "rcae", 1, 0, 1, 0, 0, 0],
    ]


def test_which_published_cells_have_known_seeds() -> None:
    """Those with a list of ten whose mean is the published one; the widest of several."""
    ten = [59.0, 61.0] * 5
    lists = {
        "agrees": [ten],
        "another mean": [[value + 1 for value in ten]],
        "incomplete": [ten[:8]],
        "one of two": [[value + 3 for value in ten], ten],
        "both": [ten, [57.0, 63.0] * 5],
        "the same twice": [ten, ten],
    }
    known = pd.concat([runs(name, aucs, cell=cell) for name, many in lists.items() for cell, aucs in enumerate(many)])
    published = cells(*(("toys", "x", name, 60.0, 0.0) for name in [*lists, "no runs"]), ("toys", "y", "agrees", 60, 0))
    found = with_spread(published, known).set_index(["class", "method"])
    assert found["runs"].tolist() == [10, 0, 0, 10, 10, 10, 0, 0]
    # Five times ± 1: Σ = 10, over n − 1 = 9.
    narrow, wide, none = np.sqrt(10 / 9), 3 * np.sqrt(10 / 9), np.nan
    expected = [narrow, none, none, narrow, wide, narrow, none, none]
    assert found["runs_std"].tolist() == pytest.approx(expected, nan_ok=True)
    assert with_spread(published, read_runs(None))["runs"].eq(0).all()
    assert with_spread(cells(), read_runs(None)).empty


def test_of_how_many_published_cells_the_seeds_are_known(kept: pd.DataFrame) -> None:
    """105 lists of ten, less the 13 cells whose mean is another; and none where there are two lists, as both differ."""
    found = with_spread(read_published([FOLDER / "table3.csv", FOLDER / "table4.csv"]), kept)
    assert found.loc[found["runs"] == SEEDS, "dataset"].value_counts().to_dict() == {
        "cifar10": 50,
        "mnist": 38,
        "gtsrb": 4,
    }
    known = found.set_index(["dataset", "class", "method"])
    assert known.loc[("cifar10", "truck", "soft_deep_svdd"), "runs"] == 0
    assert known.loc[("cifar10", "deer", "dcae"), "runs"] == 0
    assert known.loc[("cifar10", "ship", "deep_svdd"), "runs_std"] == pytest.approx(2.022108873196083 * np.sqrt(10 / 9))


def test_without_runs_nothing_differs() -> None:
    table = compare(cells(("toys", "x", "kde", 60.0, 1.0)), read_runs(None))
    assert table[["seeds", "mean_differs", "std_differs"]].values.tolist() == [[0, False, False]]
    assert compare(cells(), read_runs(None)).empty
    assert count_cells(compare(cells(), read_runs(None))).empty


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return read_runs(FOLDER / "runs.csv")


@pytest.fixture(scope="module")
def table(kept: pd.DataFrame) -> pd.DataFrame:
    return compare(read_published([FOLDER / "table3.csv", FOLDER / "table4.csv"]), kept)


def test_the_notebooks_runs(kept: pd.DataFrame) -> None:
    lists = [list(seeds) for _, seeds in kept.groupby(["notebook", "cell"], sort=False)["seed"]]
    assert all(seeds == NOTEBOOK_SEEDS[: len(seeds)] for seeds in lists)
    assert (kept.groupby(["notebook", "cell"])[["dataset", "class", "method"]].nunique() == 1).all(axis=None)
    published = read_published([FOLDER / "table3.csv", FOLDER / "table4.csv"])
    known = set(published[["dataset", "class", "method"]].itertuples(index=False, name=None))
    assert set(kept[["dataset", "class", "method"]].itertuples(index=False, name=None)) <= known


def test_what_the_notebooks_print_of_some_lists(table: pd.DataFrame) -> None:
    """Their own lines `AUROC ===== mean +/- standard deviation`."""
    printed = {
        ("mnist", "0", "ocsvm"): (96.75290245317903, 0.5550939502294929),
        ("mnist", "8", "ocnn"): (88.5472148541114, 4.7909937045523356),
        ("cifar10", "deer", "dcae"): (60.85097333333334, 3.649422538789149),
        ("cifar10", "ship", "deep_svdd"): (67.44993833333334, 2.022108873196083),
        ("gtsrb", "stop", "rcae"): (87.39161904761905, 2.7830837168609717),
    }
    whole = table[table["seeds"] == SEEDS].to_dict("records")
    found = {(row["dataset"], row["class"], row["method"]): (row["mean"], row["std"]) for row in whole}
    for cell, expected in printed.items():
        assert found[cell] == pytest.approx(expected, abs=2e-6)


def test_how_many_published_cells_differ(table: pd.DataFrame) -> None:
    counted = count_cells(table)
    assert counted.groupby("dataset")["ten_seeds"].sum().to_dict() == {"mnist": 42, "cifar10": 59, "gtsrb": 4}
    assert (counted["other_mean"].sum(), counted["other_std"].sum()) == (13, 40)
    # Means that agree are cut off, not rounded.
    same = table[(table["seeds"] == SEEDS) & ~table["mean_differs"]]
    assert (np.floor(100 * same["mean"]) / 100).tolist() == pytest.approx(same["published_mean"].tolist(), abs=1e-9)


def test_no_run_of_kde_comes_near_its_published_cell(table: pd.DataFrame) -> None:
    """What `docs/corrections.md` says of it."""
    kde = table[(table["method"] == "kde") & (table["seeds"] > 0)]
    assert (len(kde), kde["seeds"].sum()) == (12, 28)
    assert (kde["published_mean"] - kde["highest"] > 8).all()
    assert (kde.loc[kde["seeds"] > 1, "std"] > 0.8).all()
    assert set(table.loc[(table["method"] == "kde") & (table["dataset"] != "gtsrb"), "published_std"]) == {0.0}


HEADER = ",".join(RUN_COLUMNS)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["x,3,kde,1,97,a.ipynb,2"] * 2, "seed 1 of a.ipynb, cell 2, is there twice"),
        (["x,3,kde,1,,a.ipynb,2"], "lacks its auc"),
        (["x,3,kde,1,101,a.ipynb,2"], "percentages"),
        (["x,3,kde,1,high,a.ipynb,2"], "auc must be numbers"),
        (["x,3,kde,1.5,97,a.ipynb,2"], "seed must be whole numbers"),
        (["x,3,kde,1,97,a.ipynb,-2"], "cell must be whole numbers"),
        (["x,3,kde,1,97,,2"], "a row lacks its dataset, class, method, seed, notebook, cell"),
    ],
    ids=["twice", "no AUC", "range", "text", "seed", "cell", "nameless"],
)
def test_what_is_no_file_of_runs(tmp_path: Path, rows: list[str], words: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    with pytest.raises(ResultError, match=words):
        read_runs(path)
    path.write_text("dataset,class,method,seed,auc\nx,3,kde,1,97\n")
    with pytest.raises(ResultError, match="expected"):
        read_runs(path)
