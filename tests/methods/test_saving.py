"""Detectors in files: the same scores in another process, and nothing runs that a file says."""

import ast
import json
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ocnn.errors import ResultError
from ocnn.methods import KNN, METHODS, IForest, OneClassNNRadial
from ocnn.methods import saving as module
from ocnn.methods.conformal import ConformalDetector
from ocnn.methods.saving import load, save
from ocnn.methods.wrapped import WrappedDetector
from ocnn.networks.saved import SavedNetwork, load_network
from tests.methods.test_estimators import make

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", METHODS)
def test_a_pipeline_gives_the_same_scores_again(name: str, tmp_path: Path) -> None:
    pipeline = make_pipeline(StandardScaler(), make(name)).fit(X)
    save(pipeline, tmp_path / "detector")
    again = load(tmp_path / "detector")
    np.testing.assert_array_equal(again.score_samples(X), pipeline.score_samples(X))
    np.testing.assert_array_equal(again.predict(X), pipeline.predict(X))
    assert again[-1].get_params() == pipeline[-1].get_params()
    assert again[-1].diagnosis_ == pipeline[-1].diagnosis_


@pytest.mark.parametrize("name", [pytest.param("deep_svdd", marks=pytest.mark.long), "iforest"])
def test_another_process_gives_the_same_scores(name: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(0.2, 0.8, (30, 8, 8, 1)).astype("float32")
    network = {"network": {"kind": "lenet", "widths": [4, 2], "code": 8}} if name == "deep_svdd" else {}
    model = make(name, **network).fit(images)
    save(model, tmp_path / "detector")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy as np\nfrom ocnn.methods.saving import load\n"
        "model = load(sys.argv[1] + '/detector')\n"
        "np.save(sys.argv[1] + '/scores.npy', model.score_samples(np.load(sys.argv[1] + '/images.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), model.score_samples(images))


def test_what_is_put_around_a_detector_is_saved_with_it(tmp_path: Path) -> None:
    calibrated = ConformalDetector(KNN(), random_state=0).fit(X)
    save(calibrated, tmp_path / "calibrated")
    np.testing.assert_array_equal(load(tmp_path / "calibrated").p_values(X), calibrated.p_values(X))
    wrapped = WrappedDetector(EllipticEnvelope(random_state=0)).fit(X)
    save(wrapped, tmp_path / "wrapped")
    np.testing.assert_array_equal(load(tmp_path / "wrapped").score_samples(X), wrapped.score_samples(X))


@pytest.mark.parametrize("selected", [{"dtype_exclude": np.number}, {"dtype_include": object}])
def test_a_pipeline_that_encodes_and_imputes_needs_no_trust(selected: dict[str, Any], tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=np.array([*"xy"] * 20, object))
    frame.loc[3, "a"] = np.nan
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = (OneHotEncoder(sparse_output=False), make_column_selector(**selected))
    columns = make_column_transformer((numbers, ["a", "b", "c"]), texts)
    pipeline = make_pipeline(columns, KNN()).fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(pipeline, tmp_path / "detector")
    np.testing.assert_array_equal(load(tmp_path / "detector").score_samples(frame), pipeline.score_samples(frame))


def test_what_needs_trust_is_said_when_it_is_saved(tmp_path: Path) -> None:
    """scikit-learn follows the links of a `KDTree` without a look, so that one is not built of any file."""
    with_tree = WrappedDetector(LocalOutlierFactor(n_neighbors=5, novelty=True)).fit(X)
    with pytest.warns(
        UserWarning, match=r"can be read with load\(…, trusted=\(.*_kd_tree\.KDTree'\)\) alone"
    ) as warned:
        save(with_tree, tmp_path / "tree")
    with pytest.raises(ResultError, match=r"_kd_tree\.KDTree, which no detector here is made of"):
        load(tmp_path / "tree")
    named = ast.literal_eval(str(warned[0].message).partition("trusted=")[2].removesuffix(") alone."))
    np.testing.assert_array_equal(load(tmp_path / "tree", trusted=named).score_samples(X), with_tree.score_samples(X))
    brute = WrappedDetector(LocalOutlierFactor(n_neighbors=5, novelty=True, algorithm="brute")).fit(X)
    save(brute, tmp_path / "brute")
    np.testing.assert_array_equal(load(tmp_path / "brute").score_samples(X), brute.score_samples(X))


def test_a_file_that_names_a_foreign_type_is_refused_unless_it_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "detector"
    skops.io.dump({"versions": {}, "detector": [subprocess.run]}, path)
    with pytest.raises(ResultError, match=r"names subprocess\.run, which no detector"):
        load(path)
    assert load(path, trusted=("subprocess.run",)) == [subprocess.run]


def test_other_versions_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = OneClassNNRadial(random_state=0).fit(X)
    with monkeypatch.context() as patched:
        patched.setattr(module, "version", lambda name: "0.1" if name == "numpy" else "1")
        save(model, tmp_path / "detector")
    with pytest.warns(UserWarning, match=r"other versions.*numpy 0\.1 → "):
        load(tmp_path / "detector")


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the description in a file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    description = json.loads(parts["schema.json"])
    change(description)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, "schema.json": json.dumps(description).encode()}.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", None])
def test_what_is_no_detector_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "detector"
    if content is None:
        skops.io.dump(LinearRegression(), path)
    else:
        path.write_bytes(content)
    with pytest.raises(ResultError, match="damaged, or no file of a detector"):
        load(path)
    with pytest.raises(ResultError, match="cannot be read: No such file"):
        load(tmp_path / "nothing")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "detector"
    save(OneClassNNRadial(random_state=0).fit(X), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultError, match="damaged"):
        load(path)
    path.write_bytes(whole)
    rewritten(path, lambda description: description.update(content=[]))
    with pytest.raises(ResultError, match="damaged"):
        load(path)


@pytest.mark.parametrize(
    ("module_name", "name", "registered"),
    [("builtins", "eval", None), ("keras.layers", "Lambda", None), ("keras.layers", "Dense", "other>Dense")],
)
def test_a_network_of_unknown_parts_is_not_built(module_name: str, name: str, registered: str | None) -> None:
    layer: dict[str, Any] = {"module": module_name, "class_name": name, "config": {}, "registered_name": registered}
    model = {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"layers": [layer]}}
    with pytest.raises(ResultError, match=rf"names {module_name}\.{name}"):
        load_network(SavedNetwork(json.dumps(model), []))


def test_a_network_with_weights_of_another_is_refused() -> None:
    state: Any = make("deep_svdd").fit(X).__getstate__()
    saved = state["encoder_"]
    assert isinstance(saved, SavedNetwork)
    with pytest.raises(ResultError, match="cannot be read"):
        load_network(SavedNetwork(saved.description, saved.weights[:-1]))
    with pytest.raises(ResultError, match="cannot be read"):
        load_network(SavedNetwork("{", saved.weights))


def test_a_tree_that_leads_out_of_itself_is_refused() -> None:
    forest = IForest(n_estimators=2, random_state=0).fit(X)
    state: Any = forest.__getstate__()
    tree = forest.forest_.estimators_[0].tree_
    # A copy: what it gives is a view of the tree itself.
    inside = {**tree.__getstate__(), "nodes": tree.__getstate__()["nodes"].copy()}
    beyond = len(inside["nodes"])
    for field, value in (("left_child", 10**6), ("left_child", beyond), ("left_child", 0), ("feature", 3)):
        nodes = inside["nodes"].copy()
        nodes[field][0] = value
        tree.__setstate__({**inside, "nodes": nodes})
        with pytest.raises(ValueError, match="leads out of itself"):
            IForest().__setstate__(state)
    tree.__setstate__(inside)
    IForest().__setstate__(state)
