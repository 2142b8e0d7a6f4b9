"""What is written from the configuration's model, and that JSON schema and loader accept the same."""

import json
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from numpy.typing import NDArray

from ocnn.config.__main__ import json_schema, meaning, products, sections
from ocnn.config.checks import load
from ocnn.config.schema import Config
from ocnn.errors import ConfigError
from tests.config.configurations import MINIMAL, SHIPPED, changed, faults, shipped
from tests.conftest import ROOT
from tests.fuzz.test_configuration import CONFIG, VALUES, edited, places

WHOLE = Draft202012Validator(json_schema())
OVERLAY = Draft202012Validator(json_schema(whole=False))


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_files_are_in_step_with_the_model() -> None:
    """If not, `python -m ocnn.config` writes them."""
    for path, text in products().items():
        assert path.read_text(encoding="utf-8") == text, path


def test_every_key_is_described() -> None:
    reference = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    commented = (ROOT / "config" / "all_keys.yaml").read_text(encoding="utf-8")
    for section in sections(Config):
        for key, field in section.model_fields.items():
            assert f"| `{key}` | {meaning(field)} |" in reference
            assert f"{key}:" in commented


def test_the_commented_configuration_can_be_run() -> None:
    content = yaml.safe_load((ROOT / "config" / "all_keys.yaml").read_text(encoding="utf-8"))
    assert WHOLE.is_valid(content)
    block = load(content).experiments["digits"]
    assert block.contamination == 1 / 11
    assert block.model_fields_set == {"dataset", "contamination"}


def test_snakemake_takes_the_schema() -> None:
    from snakemake.exceptions import WorkflowError
    from snakemake.utils import validate

    path = str(ROOT / "workflow" / "schemas" / "config.schema.json")
    content = shipped("paper")
    validate(content, path)
    assert content["experiments"]["mnist"]["holdout"] == 0.1
    assert load(content) == load(shipped("paper"))
    with pytest.raises(WorkflowError):
        validate({"sedes": 3}, path, set_default=False)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_valid(name: str) -> None:
    content = shipped(name)
    assert list(WHOLE.iter_errors(content)) == []
    # What needs no file; tests/config/test_tables.py has the others.
    load({**content, "run": ["breast_cancer"]} if name == "tables" else content)


@pytest.mark.parametrize("name", ["config", "paper", "reduced"])
def test_whoever_scores_fitted_samples_as_test_samples_says_so(name: str) -> None:
    """Of the data sets that need no archive: a reader of the results sees it with them."""
    config = load(shipped(name))
    repeating = {
        experiment
        for experiment, block in config.experiments.items()
        if block.attack is None and not (dataset := config.dataset(experiment)).archives
        for arrays in [dataset.load({})]
        if np.isin(_rows(arrays.train), _rows(arrays.test)).mean() > 0.5
    }
    assert repeating == {"synthetic"}
    for experiment in repeating:
        assert "scored on all 200, these among them" in config.experiments[experiment].remark


def _rows(samples: NDArray[Any]) -> NDArray[np.void]:
    """Each sample's bytes as one value: (n, …) → (n,)."""
    flat = np.ascontiguousarray(samples).reshape(len(samples), -1)
    return flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()


@pytest.mark.parametrize("name", ["part", "reduced", "released_reduced"])
def test_an_overlay_is_valid_but_not_whole(name: str) -> None:
    content = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert OVERLAY.is_valid(content)
    assert not WHOLE.is_valid(content)
    assert not OVERLAY.is_valid({**content, "sedes": 3})


@pytest.mark.parametrize("name", [*SHIPPED])
def test_each_file_names_its_schema(name: str) -> None:
    first = (ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    schema = "overlay" if name in ("part", "reduced", "released_reduced") else "config"
    assert first == f"# yaml-language-server: $schema=../workflow/schemas/{schema}.schema.json"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sedes", 3),
        ("experiments.digits.contaminatoin", 0.1),
        ("experiments.digits.network.width", [8]),
        ("experiments.digits.network", "lenet-digit"),
        ("experiments.digits.network", {"widths": [8]}),
        ("experiments.digits.contamination", 0.51),
        ("experiments.digits.contamination", -0.1),
        ("experiments.digits.contamination", "1:101"),
        ("experiments.digits.contamination", True),
        ("experiments.digits.contamination", []),
        ("experiments.digits.contamination", [0.1, 0.1]),
        ("experiments.digits.contamination", [0.1, 0.51]),
        ("experiments.digits.holdout", 1),
        ("experiments.digits.steps", 10),
        ("experiments.digits.held_out", False),
        ("experiments.digits.attack", "zeros"),
        ("experiments.digits.dataset", None),
        ("experiments.digits.normal_classes", []),
        ("experiments.digits.normal_classes", [1.5]),
        ("experiments.digits.normal_classes", [3, 3]),
        ("experiments.digits.methods", "kde"),
        ("experiments.digits.training.batch_size", 0),
        ("experiments.digits.training.weight_decay", None),
        ("experiments.digits.autoencoder.epochs", []),
        ("experiments.digits.autoencoder.epochs", [10**6]),
        ("experiments.digits.autoencoder.learning_rates", [0]),
        ("experiments.digits.settings", {"kde": 3}),
        ("experiments.two words", MINIMAL["experiments"]["digits"]),
        ("experiments.digits", None),
        ("experiments", {}),
        ("methods", {}),
        ("methods.kde", [1]),
        ("methods.ocnn.estimator", 3),
        ("seeds", 0),
        ("seeds", True),
        ("seeds", []),
        ("seeds", [0, 0]),
        ("seeds", [2**31]),
        ("seeds", 10_001),
        ("seeds", "many"),
        ("threads", 0),
        ("threads", 1025),
        ("gpus", -1),
        ("run", []),
        ("results", ""),
        ("results", " "),
        ("results", "a{b}"),
        ("results", "a\nb"),
        ("archives", "a\0"),
        ("mirror", 3),
        ("published.auc", "table3.csv"),
        ("references", ["lab.csv"]),
        ("verdicts.alpha", 0.5),
        ("verdicts.margin", "wide"),
        ("datasets.toy", {"file": "a.csv"}),
        ("datasets.toy", {"file": "a.csv", "normal": "good"}),
        ("datasets.toy", {"file": "a.csv", "normal": []}),
        ("datasets.toy", {"file": "a.csv", "normal": ["good"], "scaling": "z"}),
        ("datasets.toy", {"file": "a.csv", "normal": ["good"], "categorical": "all"}),
        ("datasets.toy", {"file": "a.csv", "normal": ["good"], "leave_out": [1.5]}),
    ],
    ids=str,
)
def test_neither_loader_nor_schema_takes_it(path: str, value: Any) -> None:
    content = changed(path, value)
    assert faults(content)
    assert not WHOLE.is_valid(content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seeds", "3"),
        ("seeds", ["3", 4]),
        ("threads", "2"),
        ("experiments.digits.contamination", "1e-1"),
        ("experiments.digits.contamination", "1 / 11"),
        ("experiments.digits.contamination", 0.5),
        ("experiments.digits.contamination", ["1/101", "0.05", 0.1]),
        ("experiments.digits.holdout", "1/10"),
        ("experiments.digits.normal_classes", [3, "8"]),
        ("experiments.digits.network", {"kind": "lenet", "widths": ["8"], "code": 4}),
        ("experiments.digits.attack", None),
        ("experiments.digits.seeds", None),
        ("experiments.digits.steps", None),
        ("experiments.digits.held_out", True),
        ("methods.kde", {"bandwidths": ["1e-1"]}),
        ("results", "a b/é"),
        ("verdicts.alpha", "0.1"),
    ],
    ids=str,
)
def test_loader_and_schema_take_it(path: str, value: Any) -> None:
    content = changed(path, value)
    load(content)
    assert list(WHOLE.iter_errors(content)) == []


@settings(max_examples=40, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(places(CONFIG)), st.sampled_from(["set", "delete", "append"]), VALUES),
        min_size=1,
        max_size=2,
    )
)
def test_what_the_loader_takes_the_schema_takes(edits: list[Any]) -> None:
    content = edited(edits)
    try:
        load(content)
    except ConfigError:
        assume(False)
    assert list(WHOLE.iter_errors(content)) == []


def test_the_schema_is_json() -> None:
    text = (ROOT / "workflow" / "schemas" / "config.schema.json").read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(text))
