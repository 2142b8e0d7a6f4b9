"""What cannot work is refused in one clear error before any job, and the real archives do work."""

import gzip
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.conftest import CONFIG, MEASURED, TRAINING, Checkout

PUBLISHED = str(ROOT / "config" / "published" / "table3.csv")
MNIST: dict[str, Any] = {
    "methods": {"iforest": {}, "deep_svdd": TRAINING},
    "experiments": {
        "mnist": {
            "dataset": "mnist",
            "normal_classes": [0],
            "contamination": 1 / 101,
            "network": "lenet-mnist",
            "autoencoder": {"epochs": [1], "learning_rates": [0.001]},
            "published": "mnist",
        }
    },
    "published": {"auc": [PUBLISHED]},
}
FILES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


@pytest.fixture
def mnist(checkout: Checkout) -> Checkout:
    checkout.configure(MNIST)
    return checkout


def refused(checkout: Checkout, kept: bool = False, **environment: str) -> str:
    """The output of a run that fails, without a traceback, a result, or an archive but those that may be kept."""
    run = checkout.run(**environment)
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert "Traceback" not in output
    assert not list(checkout.folder.glob("results/**/*.parquet"))
    assert kept or not list(checkout.folder.glob("resources/**/*.gz"))
    return output


def test_a_mistyped_configuration(checkout: Checkout) -> None:
    checkout.configure({"sedes": 3, "methods": {"kde": {}}, "experiments": {"digits": {"dataset": "digitz"}}})
    output = refused(checkout)
    assert "sedes: unknown key; did you mean 'seeds'?" in output
    assert "experiments.digits.contamination: field required" in output
    assert "experiments.digits.dataset: no data set 'digitz'; did you mean 'digits'?" in output
    assert not (checkout.folder / "results").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Config file must be given as JSON or YAML with keys at top level."),
        ("methods:\nexperiments:\n", "methods: must be a mapping of keys to values (got None)"),
    ],
)
def test_a_configuration_without_content(content: str, message: str, checkout: Checkout) -> None:
    (checkout.folder / "config" / "config.yaml").write_text(content)
    assert message in refused(checkout)


def test_a_file_where_the_folder_of_results_is_to_be(checkout: Checkout) -> None:
    (checkout.folder / "notes.txt").write_text("mine")
    checkout.configure({**CONFIG, "results": "notes.txt/results"})
    output = refused(checkout)
    assert f"{checkout.folder}/notes.txt is no folder. Mend that, or name another folder" in output
    assert "Job stats" not in output
    assert (checkout.folder / "notes.txt").read_text() == "mine"


def test_offline_without_a_mirror(mnist: Checkout) -> None:
    """The servers are replaced by a closed port, so that the test is the same with and without a network."""
    path = mnist.folder / "ocnn" / "data" / "mnist.py"
    path.write_text(path.read_text().replace("SERVERS = (", 'SERVERS = ("http://127.0.0.1:9/",)\n_UNUSED = ('))
    output = refused(mnist)
    assert f"The data set mnist lacks {', '.join(FILES)}, and none of their servers answers" in output
    assert "OCNN_MIRROR" in output


def test_a_mirror_without_the_archives(mnist: Checkout, tmp_path: Path) -> None:
    output = refused(mnist, OCNN_MIRROR=str(tmp_path / "empty"))
    assert f"The mirror {tmp_path}/empty/mnist lacks {', '.join(FILES)}" in output


@pytest.mark.long
def test_a_tampered_archive(mnist: Checkout, tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "mnist"
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).write_bytes(gzip.compress(b"something else"))
    output = refused(mnist, OCNN_MIRROR=str(folder.parent))
    assert output.count("is not the expected archive: its SHA-256 is") == len(FILES)
    # A mirror that states these checksums itself is believed, and the reader then says what is wrong inside.
    sums = "".join(f"{hashlib.sha256((folder / file).read_bytes()).hexdigest()}  {file}\n" for file in FILES)
    (folder / "SHA256SUMS").write_text(sums)
    output = refused(mnist, kept=True, OCNN_MIRROR=str(folder.parent))
    assert "error: resources/mnist/train-images-idx3-ubyte.gz: truncated, 14 bytes of a 16-byte header" in output
    # What is changed after it was accepted is refused before it is parsed, and fetched again once it is deleted.
    kept = mnist.folder / "resources" / "mnist" / "train-images-idx3-ubyte.gz"
    kept.write_bytes(gzip.compress(b"changed"))
    output = refused(mnist, kept=True, OCNN_MIRROR=str(folder.parent))
    assert (
        "error: resources/mnist/train-images-idx3-ubyte.gz has changed since it was fetched: its SHA-256 is" in output
    )
    assert "Delete it to have it fetched again." in output
    kept.unlink()
    assert mnist.planned() == {"archive": 1, "images": 1, "split": 1, "autoencoder": 1, "fit": 2}
    (kept.parent / "t10k-labels-idx1-ubyte.gz.sha256").unlink()
    assert mnist.planned()["archive"] == 2


def test_too_few_samples_for_the_contamination(checkout: Checkout) -> None:
    """Found before any job, as the sizes of the classes are known."""
    config = {"methods": {"kde": {}}, "experiments": {"toy": {"dataset": "synthetic", "contamination": 0.5}}}
    checkout.configure(config)
    output = refused(checkout)
    message = "A contamination of 0.5 asks for 190 anomalies beside the 190 samples of class 'normal'"
    assert f"experiments.toy.contamination: {message}" in output
    assert not (checkout.folder / "results").exists()


@pytest.mark.long
def test_real_mnist_from_the_mirror(mnist: Checkout, mirror: Path) -> None:
    mnist.succeed(OCNN_MIRROR=str(mirror))
    metrics = pd.read_parquet(mnist.folder / "results" / "metrics.parquet")
    rows = {(row["method"], row["evaluation"]): row for row in metrics.to_dict("records")}
    assert rows["iforest", "test"]["samples"] == 10_000
    assert rows["iforest", "train"]["samples"] == 5923 + 59
    assert rows["iforest", "train"]["anomalies"] == 59
    # Far from chance after three epochs already, and the same direction for both kinds of method.
    assert rows["iforest", "test"]["auc"] > 0.85
    assert rows["deep_svdd", "test"]["auc"] > 0.85
    table = (mnist.folder / "results" / "tables" / "table3.md").read_text()
    assert "95.32 ± 1.2" in table
    shutil.rmtree(mnist.folder / "results" / "images")


def test_real_cifar10_from_the_mirror(checkout: Checkout, mirror: Path) -> None:
    block = {"dataset": "cifar10", "normal_classes": ["automobile"], "contamination": 1 / 11, "published": "cifar10"}
    checkout.configure(
        {"methods": {"iforest": {}}, "experiments": {"cifar10": block}, "published": {"auc": [PUBLISHED]}}
    )
    # Beside what is measured, the figure of colour images; the other tables and figures are as those of MNIST.
    checkout.succeed(MEASURED, "results/figures/in_class/cifar10/iforest.png", OCNN_MIRROR=str(mirror))
    rows = pd.read_parquet(checkout.folder / "results" / "metrics.parquet").set_index("evaluation")
    assert (rows.loc["test", "samples"], rows.loc["test", "anomalies"]) == (10_000, 9_000)
    assert (rows.loc["train", "samples"], rows.loc["train", "anomalies"]) == (5_500, 500)
    shutil.rmtree(checkout.folder / "results" / "images")
    shutil.rmtree(checkout.folder / "resources")


def test_config_files_on_the_command_line_replace_the_default(checkout: Checkout) -> None:
    """Two given files are merged with each other, not with config/config.yaml."""
    whole = {
        "methods": {"kde": {}, "iforest": {}},
        "experiments": {"toy": {"dataset": "synthetic", "contamination": 0}},
    }
    (checkout.folder / "whole.yaml").write_text(yaml.safe_dump(whole))
    (checkout.folder / "part.yaml").write_text(yaml.safe_dump({"experiments": {"toy": {"methods": ["iforest"]}}}))
    assert checkout.planned("--configfile", "whole.yaml", "part.yaml") == {"images": 1, "split": 1, "fit": 1}
