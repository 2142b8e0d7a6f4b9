"""What a configuration file can hold and no run can use: one clear line each, and never a traceback."""

import datetime
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import yaml

from ocnn.config.checks import load
from ocnn.config.schema import shared_parameters
from ocnn.data import Dataset
from ocnn.data.digits import read as read_digits
from ocnn.errors import ConfigError
from ocnn.methods.base import AnomalyDetector
from tests.config.configurations import MINIMAL, changed, faults
from tests.conftest import ROOT

#: For configurations here to name.
ONE = Dataset("same", tuple("0123456789"), read_digits)
OTHER = Dataset("same", tuple("9876543210"), read_digits)
NAMED_AS_AN_ATTACK = Dataset("zeros-10-heldout", tuple("0123456789"), read_digits)
HAS_ADVERSARIAL = Dataset("odd", ("adversarial", "b"), read_digits)
OWN_FILE = Dataset("own", ("a", "b"), read_digits, files=("no/such/file.csv",))
PRESENT_FILE = Dataset("own", ("a", "b"), read_digits, files=(Path("README.md"),))
FREE_NAMES = Dataset("x{y}z", ("T-shirt/top", "None"), read_digits)
HERE = "tests.config.test_refusals"


class Mean(AnomalyDetector):
    """A method of a user's own that takes what it declares."""

    shared_settings: ClassVar[dict[str, str]] = {"share": "contamination", "rounds": "pretrain_epochs", "salt": "seed"}

    def __init__(self, share: float = 0.1, rounds: Any = (), salt: int = 0, network: Any = "auto") -> None:
        self.share = share
        self.rounds = rounds
        self.salt = salt
        self.network = network


class Unseeded(AnomalyDetector):
    """A method that declares nothing."""

    def __init__(self, random_state: Any = None, batch_size: int = 7) -> None:
        self.random_state = random_state
        self.batch_size = batch_size


class Misdeclared(Unseeded):
    """A method that asks for what there is not."""

    shared_settings: ClassVar[dict[str, str]] = {"batch_size": "batchsize"}


def test_codes_for_a_method_with_a_network() -> None:
    assert faults(changed("methods.ocnn.input", "codes")) == [
        "methods.ocnn.input: codes are for methods without a network; this one trains its own"
    ]


@pytest.mark.parametrize("network", ["none", {"kind": "none"}])
def test_codes_where_there_is_no_autoencoder(network: Any) -> None:
    content = changed("experiments.digits.network", network, changed("methods.kde", {"input": "codes"}))
    assert faults({**content, "methods": {"kde": {"input": "codes"}}}) == [
        "experiments.digits.network: of the kind none gives no codes for kde to work on"
    ]
    # A method that the experiment leaves out needs none.
    methods = {"kde": {"input": "codes"}, "iforest": {}}
    load(changed("experiments.digits.methods", ["iforest"], {**content, "methods": methods}))


@pytest.mark.parametrize("path", ["methods.ocnn.network", "experiments.rows.settings.ocnn.network"])
def test_a_method_s_own_network_of_images_for_rows(path: str) -> None:
    rows = {"rows": {"dataset": "synthetic", "contamination": 0}}
    content = changed("methods.ocnn.nu", 0.1, changed("experiments", rows))
    content = changed(path, "lenet-mnist", content)
    assert faults(content) == [f"{path}: of the kind lenet takes images, and synthetic holds none"]


@pytest.mark.parametrize("path", ["methods.ocnn.autoencoder", "experiments.digits.settings.ocnn.autoencoder"])
def test_an_autoencoder_that_cannot_be_read(path: str, tmp_path: Path) -> None:
    absent, wrong = tmp_path / "absent.npz", tmp_path / "wrong.npz"
    assert faults(changed(path, str(absent))) == [f"{path}: there is no file {absent}"]
    wrong.write_text("no arrays")
    (fault,) = faults(changed(path, str(wrong)))
    assert fault.startswith(f"{path}: {wrong} does not hold whole arrays (")
    assert "Delete" not in fault
    # What is not run needs no files.
    other = {"other": {"dataset": "synthetic", "contamination": 0, "methods": ["kde"]}}
    content = changed("experiments.digits.settings.ocnn.autoencoder", str(absent))
    load({**content, "experiments": {**content["experiments"], **other}, "run": ["other"]})


def test_an_unknown_input() -> None:
    (fault,) = faults(changed("methods.kde", {"input": "code"}))
    assert fault == "methods.kde.input: input should be 'data' or 'codes' (got 'code')"


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("OCNN_MIRROR", raising=False)


def with_methods(**methods: Any) -> dict[str, Any]:
    return {**MINIMAL, "methods": {**MINIMAL["methods"], **methods}}


def test_a_method_gets_what_it_declares() -> None:
    config = load(with_methods(mean={"estimator": f"{HERE}:Mean"}, unseeded={"estimator": f"{HERE}:Unseeded"}))
    assert config.settings("digits", "mean", 3) == {"share": 0.1, "rounds": [250, 100], "salt": 3}
    assert config.settings("digits", "unseeded", 3) == {"random_state": 3}
    assert dict(shared_parameters(Mean)) == Mean.shared_settings


def test_its_own_settings_come_before_the_shared_ones() -> None:
    config = load(with_methods(mean={"estimator": f"{HERE}:Mean", "share": 0.2}))
    assert config.settings("digits", "mean", 3)["share"] == 0.2
    found = faults(with_methods(mean={"estimator": f"{HERE}:Mean", "salt": 3}))
    assert found == ["methods.mean.salt: is what the seeds are for; see seeds"]


def test_a_method_that_declares_what_there_is_not() -> None:
    (found,) = faults(with_methods(odd={"estimator": f"{HERE}:Misdeclared"}))
    assert found == "methods.odd: declares the shared setting 'batchsize'; did you mean 'batch_size'?"


@pytest.mark.parametrize("folder", ["results", "archives"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "must be a path: not blank"),
        (" ", "must be a path: not blank"),
        ("a{b", "without braces"),
        ("a\nb", "line breaks"),
        ("a\0", "control characters"),
        ("/", "must be a folder of its own"),
        (".", "must be a folder of its own"),
        ("..", "must be a folder of its own"),
        ("results/..", "must be a folder of its own"),
        (str(ROOT), "must be a folder of its own"),
        ("~/results", "~ is not replaced"),
        ("x" * 256, "at most 255 bytes"),
        (None, "must be a text"),
    ],
)
def test_what_is_no_folder(folder: str, value: Any, message: str) -> None:
    (found,) = faults(changed(folder, value))
    assert found.startswith(f"{folder}: ")
    assert message in found


@pytest.mark.parametrize(
    ("results", "archives"), [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "./a/"), ("a/../b", "b"), ("/x/y", "/x")]
)
def test_folders_within_each_other(results: str, archives: str) -> None:
    (found,) = faults({**MINIMAL, "results": results, "archives": archives})
    assert found.startswith("archives: ")
    assert "must not lie within each other" in found


def test_folders_beside_each_other() -> None:
    config = load({**MINIMAL, "results": "./a b/", "archives": "a", "mirror": "~/a"})
    assert (config.results, config.archives) == ("a b", "a")
    assert str(Path("~/a").expanduser()) == str(config.mirror_folder())


def test_a_mirror_is_not_copied_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = faults({**MINIMAL, "mirror": "./resources"})
    assert found.startswith("mirror: resources is the folder that the archives are copied to")
    monkeypatch.setenv("OCNN_MIRROR", str(ROOT / "resources"))
    assert len(faults(MINIMAL)) == 1


ATTACK = {"zeros": {"dataset": "digits", "attacked_class": 0, "images": 9}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("experiments.attacked.steps", 999_999_999_999_999),
        ("experiments.attacked.steps", [10, 1_000_001]),
        ("attacks.zeros.images", 100_001),
        ("attacks.zeros.segment", 1_000_001),
        ("attacks.zeros.seed", 2**31),
        ("attacks.zeros.classifier.seed", 2**31),
        ("attacks.zeros.classifier.epochs", 100_001),
        ("attacks.zeros.classifier.widths", [4097]),
        ("attacks.zeros.classifier.widths", [8] * 11),
        ("attacks.zeros.classifier.batch_size", 1_000_001),
        ("experiments.digits.seeds", [2**31]),
        ("experiments.digits.seeds", 2**31),
        ("experiments.digits.training.batch_size", 1_000_001),
        ("experiments.digits.autoencoder.epochs", [100_001, 1]),
        ("seeds", [2**31]),
        ("threads", 1025),
        ("gpus", 1025),
        ("methods.ocnn.hidden", 10**18),
        ("methods.ocnn.hidden", 16**5000),
    ],
    ids=lambda value: str(value) if not isinstance(value, int) or value < 10**20 else "huge",
)
def test_what_no_machine_can_make(path: str, value: Any) -> None:
    experiments = {**MINIMAL["experiments"], "attacked": {"attack": "zeros", "steps": 10, "contamination": 0}}
    experiments["attacked"]["methods"] = ["kde"]
    content = {**MINIMAL, "attacks": ATTACK, "experiments": experiments}
    load(content)
    (found,) = faults(changed(path, value, content))
    assert found.startswith(path)


def test_more_fits_than_can_be_planned() -> None:
    content = {**MINIMAL, "seeds": 5_000}
    assert len(load(content).seeds_of("digits")) == 5_000
    with pytest.raises(ConfigError, match=r"asks for 100,020 fits; more than 100,000 cannot be planned"):
        load({**MINIMAL, "seeds": 5_001})


def test_the_largest_seed_fits_a_score_file() -> None:
    assert load({**MINIMAL, "seeds": [2**31 - 1]}).seeds_of("digits") == [np.iinfo(np.int32).max]


@pytest.mark.parametrize(
    "text",
    ["methods: &a {kde: *a}", "experiments: &a [1, *a]", "seeds: &a [*a]", "&a {methods: {kde: {x: {y: *a}}}}"],
)
def test_an_anchor_within_itself(text: str) -> None:
    with pytest.raises(ConfigError, match="holds itself, or more than a configuration can hold"):
        load(yaml.safe_load(text))


def test_anchors_of_anchors() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(ConfigError, match="holds itself, or more than a configuration can hold"):
        load(yaml.safe_load("\n".join(lines)))


def test_deep_nesting() -> None:
    content: Any = 3
    for _ in range(sys.getrecursionlimit() * 2):
        content = {"methods": content}
    with pytest.raises(ConfigError, match="20 levels"):
        load(content)


@pytest.mark.parametrize("key", [5, True, None, 1.5, datetime.date(2026, 1, 1), (1, 2)])
def test_a_key_is_a_text(key: Any) -> None:
    found = faults({**MINIMAL, key: 3})
    assert found == [f"{key!r}: a key must be a text; write it in quotes"]
    found = faults(with_methods(**{"kde": {key: 3}}))
    assert found == [f"methods.kde.{key!r}: a key must be a text; write it in quotes"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (datetime.date(2026, 1, 1), "a date in quotes"),
        (b"bytes", "a bytes in quotes"),
        ({"a"}, "a set in quotes"),
        ("\ud800", "half of a character"),
        (10**18, "at most 18 digits"),
    ],
    ids=ascii,
)
def test_values_that_no_job_can_be_given(value: Any, message: str) -> None:
    (found,) = faults(changed("experiments.digits.settings.kde.bandwidths", [1, value]))
    assert found.startswith("experiments.digits.settings.kde.bandwidths.1: ")
    assert message in found
    (found,) = faults(changed("experiments.digits.remark", value))
    assert found.startswith("experiments.digits.remark: ")


@pytest.mark.parametrize("remark", ["{", "a {remark} in {{braces}}", "%", "<b>", "\t", "'\"$(x)`", "é" * 1000])
def test_a_remark_is_free_text(remark: str) -> None:
    assert load(changed("experiments.digits.remark", remark)).experiments["digits"].remark == remark


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seeds: 1\nseeds: 2\n", ["seeds: stands twice in one mapping of {file}, line 2"]),
        ("methods:\n  kde: {cv: 3,\n    cv: 5}\n", ["methods.kde.cv: stands twice in one mapping of {file}, line 3"]),
        ('{"seeds": 1, "seeds": 2}', ["seeds: stands twice in one mapping of {file}, line 1"]),
        ("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: [{x: 1}, {x: 2}]\n", []),
        ("a: &a {x: *a}\n", []),
        ("a: [\n", []),
        ("a" * 3, []),
        ("", []),
    ],
)
def test_a_key_that_stands_twice(text: str, found: list[str], tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    expected = [line.format(file=file) for line in found]
    if expected:
        with pytest.raises(ConfigError) as error:
            load(MINIMAL, [file])
        assert [line.strip() for line in str(error.value).splitlines()[1:]] == expected
    else:
        load(MINIMAL, [file, tmp_path / "none.yaml"])


def experiments(**datasets: str) -> dict[str, Any]:
    blocks = {name: {"dataset": path, "contamination": 0} for name, path in datasets.items()}
    return {"methods": {"kde": {}}, "experiments": blocks}


def test_two_data_sets_of_one_name() -> None:
    found = faults(experiments(first=f"{HERE}:ONE", second=f"{HERE}:OTHER"))
    assert found == [
        f"experiments.second.dataset: {HERE}:OTHER has the name 'same', as that of experiments.first.dataset has;"
        " rename one of them"
    ]
    load(experiments(first=f"{HERE}:ONE", second=f"{HERE}:ONE"))
    load(experiments(first="digits", second="ocnn.data.digits:DIGITS"))


def test_an_attacked_data_set_of_the_same_name() -> None:
    content = experiments(first=f"{HERE}:ONE")
    content["attacks"] = {"zeros": {"dataset": f"{HERE}:OTHER", "attacked_class": 0}}
    (found,) = faults(content)
    assert found.startswith("attacks.zeros.dataset: ")


def test_a_data_set_named_as_adversarial_images() -> None:
    content = experiments(first=f"{HERE}:NAMED_AS_AN_ATTACK")
    content["attacks"] = ATTACK
    content["experiments"]["second"] = {"attack": "zeros", "steps": [5, 10], "contamination": 0}
    (found,) = faults(content)
    assert found.startswith("experiments.second_10.attack: its images are called 'zeros-10-heldout'")


def test_a_class_called_adversarial_cannot_be_attacked() -> None:
    content = experiments(first=f"{HERE}:HAS_ADVERSARIAL")
    content["attacks"] = {"odd": {"dataset": f"{HERE}:HAS_ADVERSARIAL", "attacked_class": "adversarial"}}
    content["experiments"]["second"] = {"attack": "odd", "steps": 5, "contamination": 0}
    (found,) = faults(content)
    assert found.startswith("attacks.odd.attacked_class: a class 'adversarial' cannot be attacked")


def test_a_file_of_the_users_own_that_is_missing() -> None:
    (found,) = faults(experiments(first=f"{HERE}:OWN_FILE"))
    assert found == f"experiments.first.dataset: {HERE}:OWN_FILE reads no/such/file.csv, which is no file"
    load(experiments(first=f"{HERE}:PRESENT_FILE"))


def test_nobody_is_told_to_delete_the_results_of_another_run(tmp_path: Path) -> None:
    (tmp_path / "before.parquet").write_text("a,b")
    (found,) = faults({**MINIMAL, "compare": str(tmp_path / "before.parquet")})
    assert found.startswith(f"compare: {tmp_path}/before.parquet is damaged or of another kind: ")
    assert found.endswith("it does not begin as a Parquet file.")


def test_classes_of_any_name_can_be_normal() -> None:
    content = experiments(first=f"{HERE}:FREE_NAMES")
    content["experiments"]["first"]["normal_classes"] = ["None", "T-shirt/top"]
    assert load(content).normal_classes("first") == ["None", "T-shirt/top"]


def test_a_data_set_that_cannot_be_is_refused_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one_class.py").write_text(
        "from ocnn.data import Dataset\nDATA = Dataset('toy', 'ab', lambda archives: None)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = faults(experiments(first="one_class:DATA"))
    assert found.startswith("experiments.first.dataset: Data set 'toy': classes must be a tuple")
