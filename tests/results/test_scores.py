"""Score files and what is measured from them, on scores made by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ocnn.errors import ResultError
from ocnn.results.consistency import consistency
from ocnn.results.measurements import HISTORIES, changed_versions, collect, evaluations, job_cost, measure
from ocnn.results.metrics import EVALUATIONS
from ocnn.results.scores import SCHEMA, Fit, read_scores
from ocnn.storage.parquet import write_table
from tests.results.conftest import write


def measured(path: Path) -> list[dict[str, Any]]:
    """One row per evaluation of a score file."""
    scores, metadata = read_scores(path)
    return measure(evaluations(scores), metadata)


def test_measure(tmp_path: Path) -> None:
    """Normal -1, 2.5 and 0 (at the threshold, not beyond it), anomalous -2 and 3."""
    test, train = measured(write(tmp_path / "s.parquet", [-1, 2.5, 0, -2, 3]))
    assert (test["auc"], test["samples"], test["anomalies"], test["distinct_scores"]) == (0.5, 5, 2, 5)
    assert (test["flagged_anomalies"], test["flagged_normals"]) == (1, 1)
    # Precision 1 at recall ½, then 2/5 at recall 1; both anomalies are found only with every normal sample.
    assert (test["average_precision"], test["fpr_at_95_tpr"]) == (pytest.approx(0.7), 1.0)
    assert test["spread"] == pytest.approx(np.std([-1, 2.5, 0, -2, 3]))
    assert np.isnan(train["auc"])
    assert (train["flagged_anomalies"], train["flagged_normals"], train["spread"]) == (0, 1, 0.5)


def test_samples_that_were_tuned_on_do_not_count(tmp_path: Path) -> None:
    tuned = [False, False, False, True, False, False]
    test, _ = measured(write(tmp_path / "s.parquet", [1, 2.5, 2, 3], tuned_on=tuned))
    assert (test["auc"], test["samples"]) == (1.0, 3)


def test_scores_come_back_and_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, [1, 2.5, 2, 3]) for name in ("a.parquet", "b.parquet"))
    assert first.read_bytes() == second.read_bytes()
    scores, metadata = read_scores(first)
    assert list(scores["anomaly_score"]) == [0, 1, 1, 2.5, 2, 3]
    assert metadata["diagnosis"]["reason"] == "because"


def rewritten(path: Path, *, schema: pa.Schema = SCHEMA, lost: str = "", **changes: Any) -> None:
    """The score file with another schema, without one of its metadata, or with some of them changed."""
    scores, metadata = read_scores(path)
    frame = scores.rename(columns={"anomaly_score": "score"})
    frame["anomaly_score"] = frame["score"]
    kept = {name: value for name, value in metadata.items() if name != lost}
    write_table(path, frame, schema, {**kept, **changes})


def retyped(name: str, kind: pa.DataType) -> pa.Schema:
    return SCHEMA.set(SCHEMA.get_field_index(name), pa.field(name, kind))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "does not begin as a Parquet file"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "does not begin as a Parquet file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "does not end as a Parquet file"),
        (lambda path: path.write_bytes(path.read_bytes()[:10]), "is damaged or of another kind"),
        (lambda path: path.write_bytes(path.read_bytes()[:-300] + bytes(292) + path.read_bytes()[-8:]), "is damaged"),
        (lambda path: pd.DataFrame({"x": [1]}).to_parquet(path), "it has the columns x; expected experiment, normal"),
        (lambda path: rewritten(path, schema=SCHEMA.remove(9)), "it has the columns experiment, normal, method, seed"),
        (lambda path: rewritten(path, schema=retyped("anomaly_score", pa.float32())), "anomaly_score is float, not"),
        (lambda path: rewritten(path, schema=retyped("seed", pa.int64())), "seed is int64, not int32"),
        (
            lambda path: pq.write_table(pq.read_table(path).replace_schema_metadata(), path),
            "does not state its backend",
        ),
        (lambda path: rewritten(path, lost="diagnosis"), "it does not state its diagnosis"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_that_the_ends_of_a_file_tell(tmp_path: Path, damage: Callable[[Path], Any], message: str) -> None:
    path = write(tmp_path / "s.parquet", [1, 2.5, 2, 3])
    damage(path)
    with pytest.raises(ResultError, match=r"s\.parquet.*Delete it to have it remade") as error:
        read_scores(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "0"}, "its seed cannot be '0'"),
        ({"diagnosis": {"status": "converged"}}, "its diagnosis cannot be"),
        ({"settings": [1]}, "its settings cannot be"),
        ({"history": {"loss": [1.0, "x"]}}, "its history of loss is no list of numbers"),
        ({"history": {"loss": 1.0}}, "its history of loss is no list of numbers"),
    ],
    ids=str,
)
def test_metadata_of_another_kind(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "s.parquet", [1, 2.5, 2, 3])
    rewritten(path, **changes)
    with pytest.raises(ResultError, match=rf"s\.parquet.*{message}"):
        read_scores(path)


def test_a_flipped_bit_is_an_error_and_not_a_wrong_number(tmp_path: Path) -> None:
    """In the pages by their checksums; in the metadata, of which a seed becomes another, by the digest."""
    path = write(tmp_path / "s.parquet", [1, 2.5, 2, 3])
    whole = path.read_bytes()
    pages = pq.read_metadata(path).row_group(0).column(8)
    last = pages.data_page_offset + pages.total_compressed_size - 1
    for place, message in ((last, "crc|CRC|checksum"), (whole.rindex(b"ocnn.seed") + 11, "not what was written")):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ResultError, match=message):
            read_scores(path)


@pytest.mark.parametrize("content", ["", "s\n", "s\tmax_rss\n", "s\tmax_rss\nmany\t1\n", "max_rss\n1\n", "\xff"])
def test_a_damaged_benchmark_file_says_nothing_and_stops_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "b.tsv").write_text(content, encoding="latin-1")
    assert np.isnan(list(job_cost(tmp_path / "b.tsv").values())).all()


def fit(seed: int) -> Fit:
    return Fit("toy", "3", "kde", seed)


def test_the_scores_of_another_fit_are_not_taken_for_those_of_this_one(tmp_path: Path) -> None:
    path = write(tmp_path / "0.parquet", [1, 2, 3, 4], seed=1)
    with pytest.raises(ResultError, match=r"0\.parquet is of another fit, .*'seed': 1}\."):
        collect([fit(0)], f"{tmp_path}/{{seed}}.parquet", "none")
    with pytest.raises(ResultError, match="is of another fit"):
        consistency([fit(0)], f"{tmp_path}/{{seed}}.parquet")
    read_scores(path, fit(1))


def test_what_all_score_files_say(tmp_path: Path) -> None:
    (tmp_path / "0.tsv").write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t-\n")
    for seed in (0, 1):
        write(tmp_path / f"{seed}.parquet", [1, 2, 3, 4], seed=seed)
    collected = collect([fit(0), fit(1)], f"{tmp_path}/{{seed}}.parquet", f"{tmp_path}/{{seed}}.tsv")
    first, _, second, _ = collected.metrics.to_dict("records")
    assert first["seconds"] == 12.5
    assert np.isnan(first["peak_memory"])
    assert np.isnan(second["seconds"])
    history = collected.histories[collected.histories["seed"] == 1]
    assert list(history["step"]) == [1, 2, 3]
    np.testing.assert_array_equal(history["value"], [3.0, np.nan, 1.0])
    # Histograms and curves of either fit, of the test part: two normal samples below two anomalies.
    curves = collected.shapes.groupby(["seed", "series"])["value"]
    assert set(curves.groups) == {
        (s, name) for s in (0, 1) for name in ("range", "normal", "anomalous", "tpr", "precision")
    }
    assert curves.sum()[0, "normal"] == curves.sum()[1, "anomalous"] == 2
    assert collected.provenance == {
        "settings": {"toy": {"kde": {"estimator": "ocnn.methods.kde:KDE", "settings": {"random_state": 0}}}},
        "environments": [{"experiment": "toy", "backend": None, "versions": {"python": "3.11"}, "fits": 2}],
    }


def test_scores_that_are_not_finite_leave_no_curve_and_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    write(tmp_path / "0.parquet", [np.nan] * 4)
    collected = collect([fit(0)], f"{tmp_path}/{{seed}}.parquet", "none")
    assert list(collected.shapes.columns) == HISTORIES.names
    assert collected.shapes.empty


def environment(fits: int, backend: str | None = None, experiment: str = "toy", **versions: str) -> dict[str, Any]:
    return {"experiment": experiment, "backend": backend, "versions": versions, "fits": fits}


def test_versions_that_changed_are_named_and_nothing_else() -> None:
    known = [
        environment(20, "tensorflow", python="3.11", keras="3.15.1"),
        environment(4, "jax", python="3.11", keras="3.15.2", jax="0.7"),
        environment(3, None, python="3.11", keras="3.15.2", jax="0.7"),
        environment(9, None, "other", python="3.12"),
    ]
    assert changed_versions(known, ["toy"]) == (
        "Not all fits were made with the same versions: keras 3.15.1 (20 fits), 3.15.2 (7 fits);"
        " jax 0.7 (7 fits), none (20 fits); backend jax (4 fits), tensorflow (20 fits)."
    )
    assert "python 3.11 (27 fits), 3.12 (9 fits)" in changed_versions(known, ["toy", "other"])
    # A method without a network has no backend, which is no other one.
    assert changed_versions([environment(1, "tensorflow", keras="3"), environment(1, None, keras="3")], ["toy"]) == ""
    assert changed_versions(known, ["other"]) == ""
    assert changed_versions([], []) == ""


def test_which_samples_each_evaluation_has() -> None:
    """A set of three normals and two anomalies, of which two normals and an anomaly are fitted."""
    rows = pd.DataFrame(
        {
            "evaluation": ["train"] * 5 + ["test"] * 2,
            "part": ["train", "test", "test", "train", "train", "test", "test"],
            "sample": range(7),
            "is_anomaly": [False, False, False, True, True, True, True],
            "fitted": [True, False, True, True, False, False, False],
            "tuned_on": [False] * 6 + [True],
        }
    )
    found = {name: part["sample"].tolist() for name, part in evaluations(rows).items()}
    assert found == {"test": [1, 5], "train": [0, 1, 2, 3, 4], "held_out": [1, 3, 4]}
    assert list(found) == list(EVALUATIONS)
    assert set(evaluations(rows.assign(fitted=rows["evaluation"] == "train"))) == {"test", "train"}
