"""The scripts in benchmarks/ still run: on tiny sizes, which measure nothing."""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import forms, memory, precision
from benchmarks._data import Samples, draw, kind, read, require
from benchmarks._limits import Layer, encoder_layers, trained
from benchmarks._measure import Cost, positive
from benchmarks._record import Record, earlier_fits
from benchmarks.autoencoder import DECAYS, DECODERS, decoder_of_code_as_image, summarise
from benchmarks.growth import against_ours, expected, exponent
from benchmarks.history import over_commits, page, read_records
from benchmarks.latent_search import PLAIN, steps_and_rate
from benchmarks.latent_search import summary as summarise_search
from benchmarks.representation import asked
from benchmarks.shallow import difference
from benchmarks.startup import imports
from benchmarks.suite import METHODS, make_config
from benchmarks.training import compare, make_case
from ocnn.config.checks import load
from ocnn.data.mnist import MNIST, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from ocnn.methods import OneClassNNRadial
from ocnn.networks.shapes import NETWORKS
from ocnn.report.provenance import commit
from tests.conftest import ROOT

SCRIPTS = {
    "autoencoder": "--normals 0 --seeds 1 --times 1",
    "attack": "--images 2 --steps 3 --repeats 1 --widths 4 4",
    "checksums": "--every 100 --repeats 1",
    "growth": "--methods ocsvm kde --rows 100 200 --features 3",
    "false_alarms": "--methods knn ocsvm --splits 2 --folds 2",
    "forms": "--normals 3",
    "latent_search": "--data digits --normals 3 --seeds 2 --widths 4 --epochs 1 --steps 6 --faster 3:0.05 --tols 0.5"
    " --every 20",
    "memory": "--rows 2000 --features 4",
    "precision": "--normals 0 --methods dcae --seeds 1",
    "representation": "--normals 3 --seeds 1 --hidden 8 --iterations 0 1",
    "shallow": "--train 60 --test 100 --repeats 2",
    "startup": "--methods kde --repeats 1",
    "suite": "--methods kde ocsvm --share 0.01 --every 40",
    "throughput": "--parts fits plan nothing --numbers 2 --cores 1 --config config/config.yaml --seeds 1 --profile",
    "training": "--networks lenet-mnist --methods deep_svdd --images 70 --passes 1 --repeats 1",
    "gpu": f"--backend {'jax' if find_spec('jax') else 'tensorflow'} --experiments mnist --methods deep_svdd anogan"
    " --images 20 --passes 1",
}
NEEDS = {"precision": "jax", "training": "torch"}
#: Scripts that measure detection, and the data sets of which they need the archives.
DETECTION = {
    "autoencoder": ("mnist", "cifar10"),
    "forms": ("mnist",),
    "latent_search": ("mnist",),
    "precision": ("mnist",),
    "representation": ("mnist",),
}
#: Of so many images of MNIST one is kept here.
EVERY = 40


def write_idx(path: Path, values: np.ndarray) -> None:
    """An archive of MNIST."""
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes(), 1))


@pytest.fixture(scope="session")
def drawn_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror whose MNIST is made of drawn images, each `EVERY` times; it states the checksums itself."""
    mirror = tmp_path_factory.mktemp("mirror")
    folder = mirror / "mnist"
    folder.mkdir()
    arrays = draw(60_000 // EVERY, 10_000 // EVERY)
    parts = {
        TRAIN_IMAGES: np.round(255 * arrays.train[..., 0]),
        TRAIN_LABELS: arrays.train_labels,
        TEST_IMAGES: np.round(255 * arrays.test[..., 0]),
        TEST_LABELS: arrays.test_labels,
    }
    for name, values in parts.items():
        write_idx(folder / name, np.repeat(values, EVERY, axis=0))
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in parts]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return mirror


@pytest.mark.parametrize("mirror", [None, "", "empty"])
@pytest.mark.parametrize(("script", "data"), [(script, data) for script in DETECTION for data in DETECTION[script]])
def test_detection_is_not_measured_on_drawn_images(
    script: str, data: str, mirror: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if mirror is None:
        monkeypatch.delenv("OCNN_MIRROR", raising=False)
    else:
        monkeypatch.setenv("OCNN_MIRROR", mirror)
    monkeypatch.setattr(sys, "argv", [script, "--data", data])
    message = f"empty/{data} lacks" if mirror else f"OCNN_MIRROR is not set: it must name a folder with {data}/"
    with pytest.raises(SystemExit, match=message):
        import_module(f"benchmarks.{script}").main()


def test_what_needs_no_archive_is_not_asked_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCNN_MIRROR", raising=False)
    require("digits")


def test_archives_are_those_of_the_mirror_and_verified(drawn_mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCNN_MIRROR", str(drawn_mirror))
    require("mnist")
    assert kind() == "MNIST"
    monkeypatch.setenv("BENCHMARKS_EVERY", str(EVERY))
    images = read({}).train
    # Of drawn images these would be of float32 in [0, 1].
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, np.round(255 * draw(60_000 // EVERY, 10_000 // EVERY).train))


def test_images_of_another_archive_are_refused(
    drawn_mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(drawn_mirror, tmp_path, dirs_exist_ok=True)
    (tmp_path / "mnist" / "SHA256SUMS").unlink()
    monkeypatch.setenv("OCNN_MIRROR", str(tmp_path))
    with pytest.raises(SystemExit, match="is not the expected archive") as refused:
        require("mnist")
    assert str(refused.value).count("is not the expected archive") == len(MNIST.archives)


def test_drawn_images_are_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCNN_MIRROR", raising=False)
    assert kind() == "drawn images"
    monkeypatch.setenv("OCNN_MIRROR", str(tmp_path))
    assert kind() == "drawn images"


def test_fits_of_other_settings_in_the_file_are_not_taken_for_those_asked_for() -> None:
    row = {"trained": "landmarks", "iterations": 0, "normal": "3", "seed": 0, "AUC": 1.0}
    others: list[dict[str, Any]] = [
        {"data": "mnist"},
        {"hidden": 64},
        {"rate": 1e-5},
        {"iterations": 5},
        {"normal": "8"},
        {"seed": 1},
    ]
    table = pd.DataFrame([{"data": "digits", "hidden": 8, "rate": 1e-3, **row, **other} for other in [{}, *others]])
    arguments = argparse.Namespace(data="digits", hidden=8, rate=1e-3, iterations=[0, 1])
    assert asked(table, arguments, [("3", 0)]).index.tolist() == [0]


@pytest.mark.parametrize("text", ["0", "-1", "x"])
def test_counts_are_positive(text: str) -> None:
    with pytest.raises((argparse.ArgumentTypeError, ValueError)):
        positive(text)
    assert positive("1") == 1


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_runs_prints_its_table_and_keeps_it(script: str, drawn_mirror: Path, tmp_path: Path) -> None:
    package = NEEDS.get(script)
    if package is not None and find_spec(package) is None:
        pytest.skip(f"benchmarks.{script} needs {package}")
    environment = {key: value for key, value in os.environ.items() if key != "OCNN_MIRROR"}
    environment |= {"BENCHMARKS_EVERY": str(EVERY), "BENCHMARKS_RECORDS": str(tmp_path)}
    if script in DETECTION:
        environment["OCNN_MIRROR"] = str(drawn_mirror)
    if package == "jax":
        environment["KERAS_BACKEND"] = "jax"
    run = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{script}", *SCRIPTS[script].split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "|" in run.stdout
    (record,) = tmp_path.glob(f"{script}/*.json")
    assert json.loads(record.read_text())["tables"]
    read_records(tmp_path)


def test_a_search_that_stops_is_set_beside_the_plain_one() -> None:
    columns = ["search", "normal", "seed", "AUC", "rank correlation", "loss", "seconds"]
    rows: list[tuple[Any, ...]] = [
        (PLAIN, "0", 0, 90, 1, 10, 8),
        (PLAIN, "0", 1, 92, 1, 10, 8),
        (PLAIN, "8", 0, 70, 1, 20, 4),
        (PLAIN, "8", 1, 74, 1, 20, 4),
    ]
    rows += [("tol 0.1", normal, seed, auc + 1 - 3 * seed, 0.9 - seed / 10, 1.5 * loss, seconds / 2)
             for _, normal, seed, auc, _, loss, seconds in rows]  # fmt: skip
    plain, stopped = summarise_search(pd.DataFrame(rows, columns=columns))
    # Deviations of two values: their difference over √2.
    spread = np.sqrt((2**2 / 2 + 4**2 / 2) / 2)
    known = {
        "search": PLAIN,
        "fits": 4,
        "AUC": 81.5,
        "AUC - plain": 0,
        "largest difference": 0,
        "deviation of seeds": spread,
    }
    assert plain == pytest.approx({**known, "rank correlation": 1, "loss / plain": 1, "seconds / plain": 1})
    changed = {"search": "tol 0.1", "AUC": 81, "AUC - plain": -0.5, "largest difference": 2, "rank correlation": 0.8}
    assert stopped == pytest.approx({**known, **changed, "loss / plain": 1.5, "seconds / plain": 0.5})


def test_forms_are_ranked_over_tasks() -> None:
    """By hand: the first is better on one task and worse on the other; seeds are averaged."""
    rows = [("a", "x", 90.0, True), ("a", "x", 92.0, False), ("a", "y", 50.0, True), ("b", "x", 80.0, True)]
    rows += [("b", "y", 60.0, True)]
    found = forms.summarise(pd.DataFrame(rows, columns=["form", "task", "AUC", "converged"]))
    a = {"form": "a", "x": 91.0, "y": 50.0, "mean": 70.5, "mean rank": 1.5, "converged": "2 of 3"}
    assert found == [a, {"form": "b", "x": 80.0, "y": 60.0, "mean": 70.0, "mean rank": 1.5, "converged": "2 of 2"}]


@pytest.mark.parametrize("name", ["radial", "radial, all samples"])
def test_hidden_units_of_a_form_are_those_of_the_estimator(name: str) -> None:
    """Where all samples are landmarks, no draw decides: the units made here rank as the estimator's do."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(60, 3)), rng.normal(size=(40, 3))
    known, converged = forms.FORMS[name](train, test, 0)
    found, settled = forms.units(lambda squared: np.exp(-squared))(train, test, 1)
    assert converged
    assert settled
    np.testing.assert_allclose(found, known, rtol=1e-2)


def test_a_fixed_bias_is_another_share_of_outliers() -> None:
    """With r = 1 the same w, but for its length, as with a free r and the ν that the solution has."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(60, 3)), rng.normal(size=(40, 3))
    scores, converged = forms.fixed_bias(train, test, 0)
    assert converged
    best = max(
        float(np.corrcoef(scores, OneClassNNRadial(nu=nu).fit(train).score_samples(test))[0, 1])
        for nu in np.linspace(0.05, 1, 20)
    )
    assert best > 0.999


def test_a_search_is_told_by_its_steps_and_its_rate() -> None:
    assert steps_and_rate("250:0.05") == (250, 0.05)


def test_differences_between_precisions_are_set_beside_the_spread_of_the_seeds() -> None:
    columns = ["method", "policy", "normal", "seed", "AUC", "seconds"]
    rows: list[tuple[Any, ...]] = [
        ("dcae", "float32", "0", 0, 90, 8),
        ("dcae", "float32", "0", 1, 92, 8),
        ("dcae", "float32", "8", 0, 70, 4),
        ("dcae", "float32", "8", 1, 74, 4),
        ("anogan", "float32", "0", 0, 60, 3),
    ]
    rows += [(method, "mixed_bfloat16", normal, seed, auc + 1 - 3 * seed, seconds / 2)
             for method, _, normal, seed, auc, seconds in rows]  # fmt: skip
    several, single = precision.summary(pd.DataFrame(rows, columns=columns))
    # The differences are 1, −2, 1, −2; deviations of two values are their difference over √2.
    expected = {"method": "dcae", "fits": 4, "AUC float32": 81.5, "AUC bfloat16": 81, "mean difference": -0.5}
    spreads = {"deviation of differences": np.sqrt(3), "deviation of seeds": np.sqrt((2**2 / 2 + 4**2 / 2) / 2)}
    assert several == pytest.approx({**expected, **spreads, "seconds float32 / bfloat16": 2})
    # A single fit has no spread.
    expected = {"method": "anogan", "fits": 1, "AUC float32": 60, "AUC bfloat16": 61, "mean difference": 1}
    nothing = dict.fromkeys(spreads, np.nan)
    assert single == pytest.approx({**expected, **nothing, "seconds float32 / bfloat16": 2}, nan_ok=True)


def test_a_backend_that_does_not_mix_precisions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["precision", "--data", "digits"])
    monkeypatch.setattr("keras.config.backend", lambda: "tensorflow")
    with pytest.raises(SystemExit, match="KERAS_BACKEND must be jax"):
        precision.main()


def test_outputs_in_bfloat16_are_scored_in_float32() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    convert = precision.as_float32(lambda x: x)
    found = convert(np.array([1.5], bfloat16))
    assert found.dtype == np.float32
    assert found.tolist() == [1.5]
    assert convert(np.array([1])).dtype == np.int64


def test_memory_is_what_has_no_file_behind_it(tmp_path: Path) -> None:
    size = 2**26
    (tmp_path / "file").write_bytes(bytes(size))
    before = memory.anonymous(os.getpid())
    mapped = np.memmap(tmp_path / "file", np.uint8, "r")
    assert mapped.sum() == 0
    assert memory.anonymous(os.getpid()) - before < size / 2**20 / 4
    held = np.ones(size, np.uint8)
    assert memory.anonymous(os.getpid()) - before == pytest.approx(size / 2**20, rel=0.25)
    del held, mapped
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert memory.anonymous(ended.pid) == 0


def test_every_part_whose_memory_is_measured_does_its_work(tmp_path: Path) -> None:
    memory.prepare(tmp_path, 50, 3, "float64")
    drawn = np.load(tmp_path / memory.MAP)
    mean, deviation = drawn.mean(axis=0), drawn.std(axis=0)
    np.testing.assert_allclose(memory.constants(tmp_path, {})(), [mean, deviation])
    np.testing.assert_allclose(memory.job(tmp_path, {})(), (drawn - mean) / deviation)
    (tmp_path / memory.SPLIT).unlink()
    assert memory.get_ready("split", tmp_path, {}) == os.getpid()
    memory.run()
    assert (tmp_path / memory.SPLIT).is_file()


def kept(folder: Path, commit: str, minute: int, rows: list[dict[str, Any]], script: str = "some") -> None:
    """A record as of another commit and minute."""
    record = Record(f"/x/{script}.py", {"repeats": 3, "methods": ["kde", "knn"], "output": None, "loud": False}, folder)
    record.about |= {"commit": commit, "date": f"2026-01-02T03:{minute:02}:00+00:00", "machine": "2 cores of a <kind>"}
    record.path = record.path.with_name(f"{minute}-{commit}.json")
    record.keep(rows, by=["method"], followed=["ours / theirs"])


def test_a_record_holds_what_was_measured_and_on_what(tmp_path: Path) -> None:
    record = Record("/x/some.py", {"folder": Path("a"), "numbers": (1, np.int64(2))}, tmp_path)
    record.keep([{"what": "a", "ratio": np.float64(0.5), "range": "0.4 - 0.6"}], by=["what"], followed=["ratio"])
    record.keep([{"what": "b"}], by=["what"])
    (path,) = tmp_path.glob("some/*.json")
    found = json.loads(path.read_text())
    assert found["arguments"] == {"folder": "a", "numbers": [1, 2]}
    assert found["commit"] == commit()
    assert "core" in found["machine"]
    first, second = found["tables"]
    assert first == {
        "rows": [{"what": "a", "ratio": 0.5, "range": "0.4 - 0.6"}],
        "by": ["what"],
        "followed": ["ratio"],
    }
    assert second == {"rows": [{"what": "b"}], "by": ["what"], "followed": []}


@pytest.mark.parametrize(
    ("content", "message"),
    [("normal,AUC\n0,90\n", "has no column seed"), ("", "is no table"), ("a\0\xff", "has no column")],
)
def test_a_file_of_other_fits_is_refused_in_a_sentence(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "fits.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit, match=message):
        earlier_fits(path, ["normal", "seed"])


def test_fits_that_were_kept_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "fits.csv"
    assert earlier_fits(None, ["normal", "seed"]).empty
    assert list(earlier_fits(path, ["normal", "seed"])) == ["normal", "seed"]
    path.write_text("normal,seed,AUC\n0,1,90.5\n")
    assert earlier_fits(path, ["normal", "seed"]).to_dict("records") == [{"normal": "0", "seed": 1, "AUC": 90.5}]


def test_the_page_has_a_row_per_number_and_a_column_per_commit(tmp_path: Path) -> None:
    # The later commit was measured twice; its kde has no number the first time.
    kept(
        tmp_path,
        "bbbb",
        20,
        [{"method": "kde", "ours / theirs": "out of memory"}, {"method": "knn", "ours / theirs": 3}],
    )
    kept(tmp_path, "bbbb", 30, [{"method": "kde", "ours / theirs": 0.25}, {"method": "knn", "ours / theirs": 1}])
    kept(tmp_path, "aaaa", 10, [{"method": "kde", "ours / theirs": 0.5}])
    kept(tmp_path, "aaaa", 10, [{"method": "kde", "ours / theirs": 7.0}], "other")
    records = read_records(tmp_path)
    wide = over_commits(records[records["script"] == "some"])
    assert list(wide.columns) == ["2026-01-02 aaaa", "2026-01-02 bbbb"]
    assert list(wide.index) == [("kde", "ours / theirs"), ("knn", "ours / theirs")]
    assert wide.to_numpy() == pytest.approx(np.array([[0.5, 0.25], [np.nan, 2]]), nan_ok=True)
    text = page(records)
    assert "4 records of 2 scripts" in text
    assert "python -m benchmarks.some --repeats 3 --methods kde knn</code>, 2 cores of a &lt;kind&gt;" in text
    # Of two commits there is a figure; of one there is none.
    assert text.count("<svg") == 1


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "x.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"x\.json is no record of a benchmark"):
        read_records(tmp_path)


def test_ratios_of_growth_are_to_ours_at_as_many_rows() -> None:
    lines = [
        {"side": "ours", "rows": 10, "CPU s": 2.0},
        {"side": "ours", "rows": 100, "CPU s": "out of memory"},
        {"side": "PyOD", "rows": 10, "CPU s": 3.0},
        {"side": "PyOD", "rows": 100, "CPU s": 5.0},
    ]
    ratios = [line["/ ours, CPU s"] for line in against_ours(lines)]
    assert ratios == pytest.approx([1.0, np.nan, 1.5, np.nan], nan_ok=True)


def test_the_exponent_of_growth_is_that_of_the_last_two_sizes() -> None:
    assert exponent([10, 100, 1000], [7.0, 2.0, 200.0]) == pytest.approx(2)
    assert np.isnan(exponent([10], [7.0]))
    assert np.isnan(exponent([10, 100], [0.0, 7.0]))
    assert expected([10], [7.0], 20) == 14
    assert expected([10, 20], [1.0, 4.0], 40) == pytest.approx(16)


@pytest.mark.parametrize(("name", "shape"), [("lenet-mnist", (28, 28, 1)), ("lenet-cifar10", (32, 32, 3))])
def test_the_decoder_of_the_code_as_an_image_is_deep_svdds(name: str, shape: tuple[int, ...]) -> None:
    """The kernels of its code: 2 → 4 → 8 → 1 channels on MNIST, 8 → 128 → 64 → 32 → 3 on CIFAR-10; nothing dense."""
    decoder = decoder_of_code_as_image(NETWORKS[name], shape)
    channels = {"lenet-mnist": [2, 4, 8, 1], "lenet-cifar10": [8, 128, 64, 32, 3]}[name]
    kernels = [tuple(kernel.shape) for kernel in decoder.trainable_variables]
    assert kernels == [(5, 5, *pair) for pair in pairwise(channels)]
    assert decoder.output_shape[1:] == shape


def test_differences_are_paired_within_a_schedule() -> None:
    """The digits differ by far more than the decays do."""
    rows = [
        {"epochs": epochs, "decay": decay, "decoder": DECODERS[0], "normal": normal, "seed": 0, "dcae": base + gain}
        | {"knn": 90.0, "error": 0.0, "weights": 0.0, "code": 0.0}
        for epochs, normal, base in ((1, "0", 99.0), (1, "5", 70.0), (3, "0", 80.0))
        for decay, gain in ((DECAYS[0], 0.0), (DECAYS[1], 1.0 if normal == "0" else 2.0))
    ]
    first, second, _, longer = summarise(pd.DataFrame(rows))
    assert (first["fits"], first["dcae"], first["dcae − first"]) == (2, 84.5, 0)
    assert (second["dcae − first"], longer["dcae − first"]) == (1.5, 1.0)
    # The two differences are 1 and 2; Student's quantile for one degree of freedom is 12.706.
    assert second["± (95 %), dcae"] == pytest.approx(12.706 * np.sqrt(0.5) / np.sqrt(2), rel=1e-3)


def test_the_multiplications_of_the_mnist_encoder() -> None:
    first, second, code = encoder_layers(NETWORKS["lenet-mnist"], (28, 28, 1))
    assert first.products == 28 * 28 * 8 * 25
    assert second.products == 14 * 14 * 4 * 25 * 8
    assert code.products == 7 * 7 * 4 * 32


def test_a_training_step_multiplies_three_times_but_for_the_first_layer() -> None:
    """Forward, by the weights and by the inputs; the samples themselves need no gradient."""
    layers = [Layer(products=10, moved=1), Layer(products=100, moved=1)]
    assert trained(layers).operations == 2 * (3 * 110 - 10)
    assert trained(layers, weights=False, inputs=True).operations == 2 * 2 * 110


def test_the_ratio_that_counts_is_to_the_fastest_of_the_others() -> None:
    seconds = {"ours": [3.0, 2.0, 9.0], "PyTorch": [6.0, 8.0, 6.0], "compiled": [2.0, 4.0, 5.0]}
    row = compare({side: [Cost(0, s) for s in several] for side, several in seconds.items()}, "cpu")
    assert (row["ours s"], row["PyTorch s"], row["compiled s"]) == (3, 6, 4)
    assert (row["ours / PyTorch"], row["ours / best"], row["best"]) == (0.5, 0.75, "compiled")
    assert row["from - to"] == "0.50 - 1.80"


@pytest.mark.parametrize("change", ["the choice", "a score"])
def test_a_contestant_that_computes_something_else_does_not_count(change: str) -> None:
    labels, scores = np.array([1, 1, -1]), np.array([0.3, 0.2, 0.1])
    samples = Samples(np.zeros((3, 1)), labels, np.zeros((3, 1)), labels, np.arange(1))
    other = (2.0, scores, scores) if change == "the choice" else (1.0, scores, scores + np.array([0, 0, 1e-3]))
    same = (1.0, scores, scores + 1e-12)
    results = {"ours": (1.0, scores, scores), "same": same, "other": other}
    assert 0 < difference("kde", "same", results, samples) < 1e-11
    with pytest.raises(SystemExit, match="kde: chosen"):
        difference("kde", "other", results, samples)


@pytest.mark.parametrize(("method", "nu"), [("soft_deep_svdd", 0.1), ("ocnn", 1 / 101), ("ocnn_released", 1 / 101)])
def test_both_sides_train_with_a_number_for_nu(method: str, nu: float) -> None:
    """The configuration may leave ν to the share of anomalies, which PyTorch's side does not know."""
    assert make_case("lenet-mnist", method, 10, 1).settings["nu"] == pytest.approx(nu)


def test_imports_are_summed_by_package() -> None:
    lines = ("     2000 |       9000 | numpy", "     1000 |       1000 |   numpy.linalg", "     3000 |       3000 | a")
    found = imports("".join(f"import time: {line}\n" for line in lines))
    assert [(row["package"], row["s"]) for row in found] == [("all", 0.006), ("numpy", 0.003), ("a", 0.003)]


def test_the_suite_of_all_methods_has_a_configuration_that_can_be_run() -> None:
    assert list(load(make_config(list(METHODS), 0.02)).methods) == list(METHODS)
