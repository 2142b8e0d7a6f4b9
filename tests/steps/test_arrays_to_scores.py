"""The steps from archives to scores, called with data made by hand: known answers."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from ocnn.attacks import boundary
from ocnn.attacks.boundary import Attack
from ocnn.attacks.records import RECORD
from ocnn.data import preprocessing
from ocnn.data.archives import Archive
from ocnn.data.dataset import ARRAY_FILES, Arrays, Dataset
from ocnn.data.samples import load_samples
from ocnn.data.splits import Split, draw_split, read_split, write_split
from ocnn.errors import DataError, ResultError
from ocnn.methods import OCSVM, IForest
from ocnn.methods.base import AnomalyDetector
from ocnn.methods.diagnosis import Diagnosis
from ocnn.results.scores import Fit, read_scores
from ocnn.steps.attacks import attack_images, verify_attack
from ocnn.steps.fit import fit_method
from ocnn.steps.images import prepare_adversarial_images, prepare_images, prepare_pixels
from ocnn.steps.split import make_split
from ocnn.storage.arrays import open_array, read_arrays, write_npy_files
from ocnn.storage.json_files import read_json
from ocnn.storage.parquet import read_table

IDENTITY: dict[str, Any] = {"experiment": "toy", "normal": "b", "method": "own", "seed": 5}
RECIPE = {"code": "0", "settings": {}, "inputs": {}}
CLASSES = ("a", "b", "c")


def stored(folder: Path, train: Any, train_labels: Any, test: Any, test_labels: Any) -> list[Path]:
    """Files of arrays."""
    values = dict(zip(ARRAY_FILES, (train, train_labels, test, test_labels), strict=False))
    paths = [folder / name for name in ARRAY_FILES]
    write_npy_files(paths, {name: np.asarray(array) for name, array in values.items()}, RECIPE)
    return paths


def constant(values: Any) -> np.ndarray:
    """Images (n, 2, 2, 1) whose left half is of these values; the right half is one greater."""
    left = np.asarray(values, np.float32)[:, None, None, None]
    return np.concatenate([np.repeat(left, 2, axis=1), np.repeat(left + 1, 2, axis=1)], axis=2)


def arguments(normal: str, **changes: Any) -> dict[str, Any]:
    settings = {"contamination": 0.25, "holdout": 0.5, "seed": 3, "scaling": "pixels", "encoded": 0, "training_set": {}}
    return {"dataset": "toys", "classes": CLASSES, "normal": normal, "recipe": RECIPE, **settings, **changes}


@pytest.fixture
def arrays(tmp_path: Path) -> list[Path]:
    """Training images of class b from 2 to 4 + 1, those of the others below and above; and a test part beyond."""
    train = constant([-50.0, 2.0, 3.0, 4.0, 90.0, 2.5, 3.5, -9.0])
    return stored(tmp_path, train, [0, 1, 1, 1, 2, 1, 1, 0], constant([500.0, -500, 1, 2, 3, 4]), [1, 1, 0, 2, 1, 0])


def test_the_constants_of_a_split_are_those_of_its_normal_training_images(arrays: list[Path], tmp_path: Path) -> None:
    """Neither another class's nor the test part's, nor those of the anomalies that were drawn."""
    make_split(arrays, tmp_path / "split.parquet", **arguments("b"))
    split = read_split(tmp_path / "split.parquet")
    assert (split.shift, split.scale) == (2.0, 3.0)
    drawn = {"contamination": 0.25, "holdout": 0.5, "seed": 3}
    train_labels, test_labels = (np.asarray(open_array(path)) for path in (arrays[1], arrays[3]))
    expected = draw_split(train_labels, test_labels, CLASSES, "b", **drawn)  # type: ignore[arg-type]
    assert split.samples.astype(str).equals(expected.astype(str))
    # A third of the five normal samples, 1.67, is the nearest to a quarter of all.
    assert split.part("train")["is_anomaly"].sum() == 2
    make_split(arrays, tmp_path / "raw.parquet", **arguments("b", scaling="none"))
    raw = read_split(tmp_path / "raw.parquet")
    assert (raw.shift, raw.scale) == (None, None)


@pytest.mark.parametrize("scaling", ["standard", "robust", "min-max", "none"])
def test_a_column_far_from_zero_keeps_its_values(scaling: str, tmp_path: Path) -> None:
    """Seconds since 1970, a minute apart and some far earlier, are to a method what seconds from any day are."""
    seconds = 60.0 * np.random.default_rng(0).permutation(200) + np.repeat([0.0, 1e6], [20, 180])
    labels = np.arange(200) % 2

    def scaled(offset: float) -> np.ndarray:
        table = (offset + seconds)[:, None]
        source = Dataset("toy", ("a", "b"), lambda files: Arrays(table, labels, table, labels), images=False)
        paths = [tmp_path / str(offset) / name for name in ARRAY_FILES]
        prepare_images(source, paths, recipe=RECIPE)
        path = tmp_path / str(offset) / "split.parquet"
        make_split(paths, path, **arguments("b", scaling=scaling, classes=("a", "b"), holdout=0))
        split = read_split(path)
        return load_samples(split, paths, split.part("test"))

    near, far = scaled(0), scaled(1.7e9)
    assert (near.dtype, far.dtype) == (np.float32, np.float64)
    assert len(np.unique(far)) == len(np.unique(seconds))
    # What is near is rounded to float32; by whole seconds not at all.
    tolerance = 0.0 if scaling == "none" else 1e-6
    expected = near.astype(np.float64) + (1.7e9 if scaling == "none" else 0)
    np.testing.assert_allclose(far, expected, rtol=tolerance, atol=tolerance)


def test_images_of_one_colour_cannot_be_scaled(tmp_path: Path) -> None:
    paths = stored(
        tmp_path, np.ones((4, 2, 2, 1), np.float32), [0, 0, 1, 1], np.zeros((0, 2, 2, 1), np.float32), np.zeros(0, int)
    )
    with pytest.raises(DataError, match="toys: all training images of class 'a' are of one constant colour"):
        make_split(paths, tmp_path / "split.parquet", **arguments("a", contamination=0, holdout=0, classes=("a", "b")))


class Brightness(AnomalyDetector):
    """Scores minus the brightness, its threshold at −1: what `fit_method` makes of that can be told by hand."""

    reported: ClassVar[tuple[str, ...]] = ("brightest_",)

    def __init__(self, factor: float = 1.0, autoencoder: str | None = None) -> None:
        self.factor = factor
        self.autoencoder = autoencoder

    def _fit(self, X: Any) -> None:
        self.offset_ = -1.0
        self.brightest_ = float(X.max())
        self.history_ = {"loss": [1.0, float("nan"), float("-inf")]}

    def _score_samples(self, X: Any) -> Any:
        return -self.factor * X.reshape(len(X), -1).mean(axis=1)


class Reporting(Brightness):
    """The same, which says what it found in other types; what cannot be stated is no reason to lose its fit."""

    reported: ClassVar[tuple[str, ...]] = (
        "index_",
        "share_",
        "vector_",
        "image_",
        "pair_",
        "by_name_",
        "never_set_",
        "self_",
        "long_",
    )
    told: ClassVar[dict[str, Any]] = {
        "index_": np.int64(3),
        "share_": np.float32(np.nan),
        "vector_": np.array([1.0, np.inf]),
        "image_": np.zeros((1, 2), np.float32),
        "pair_": (np.bool_(True), None),
        "by_name_": {1: np.str_("one"), "b": np.array(2)},
        "self_": object(),
        "long_": np.zeros(2**15),
    }
    history: ClassVar[Any] = {
        "loss": np.array([1.0, np.nan], np.float32),
        "r": (np.int64(2), 3),
        "image": np.eye(2),
        "x": "text",
    }

    def _fit(self, X: Any) -> Any:
        super()._fit(X)
        for name, value in self.told.items():
            setattr(self, name, value)
        self.history_ = self.history
        return self

    def _score_samples(self, X: Any) -> Any:
        return [round(float(score)) for score in super()._score_samples(X)]


class Listing(Reporting):
    history = ((1.0, 2.0),)


def brightness_of(
    arrays: list[Path], folder: Path, method: Any = Brightness, **encoder: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows and the metadata of the score file of `Brightness`, fitted to the clean split of class b."""
    make_split(arrays, folder / "split.parquet", **arguments("b", contamination=0))
    fit_method(
        method,
        folder / "split.parquet",
        arrays,
        folder / "scores.parquet",
        settings={"factor": 3.0},
        identity=IDENTITY,
        recipe=RECIPE,
        autoencoder=Path("a.npz"),
        **encoder,
    )
    return read_scores(folder / "scores.parquet", Fit(**IDENTITY))


def test_the_score_file_of_a_fit_by_hand(arrays: list[Path], tmp_path: Path) -> None:
    """Images are scaled by the split, scores less the threshold and higher for anomalies, in training and test part."""
    rows, stated = brightness_of(arrays, tmp_path)
    # Mean v + ½ of each image, scaled from [2, 5] to [0, 1], times 3, less the threshold of 1.
    train, test = (np.array(values) + 0.5 - 2 - 1 for values in ([2, 3, 4, 2.5, 3.5], [500, -500, 1, 2, 3, 4]))
    np.testing.assert_allclose(rows["anomaly_score"], [*train, *test], rtol=1e-5, atol=1e-6)
    assert rows["evaluation"].tolist() == ["train"] * 5 + ["test"] * 6
    assert rows["sample"].tolist() == [1, 2, 3, 5, 6, *range(6)]
    assert rows["is_anomaly"].tolist() == [False] * 5 + [False, False, True, True, False, True]
    assert not rows["tuned_on"].any()
    assert stated["chosen"] == {"brightest_": pytest.approx(1.0)}
    assert stated["history"] == {"loss": [1.0, "nan", "-inf"]}
    assert stated["settings"] == {"factor": 3.0}
    assert stated["estimator"].endswith("test_arrays_to_scores:Brightness")
    assert (stated["backend"], stated["recipe"]) == (None, RECIPE)
    assert stated["versions"]["numpy"] == np.__version__
    assert {"python", "threads", "processor"} <= set(stated["versions"])


@pytest.mark.parametrize("method", [Reporting, Listing])
def test_whatever_a_method_says_of_its_fit_is_stated_or_said_to_be_left_out(
    method: Any, arrays: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(UserWarning, match="must return a Diagnosis or None: its result is ignored"):
        rows, stated = brightness_of(arrays, tmp_path, method)
    # The true ones, rounded.
    exact = brightness_of(arrays, tmp_path)[0]["anomaly_score"]
    assert np.abs(rows["anomaly_score"] - exact).max() <= 0.5 + 1e-6
    assert (rows["anomaly_score"] % 1 == 0).all()
    assert stated["diagnosis"]["status"] == "converged"
    assert stated["chosen"] == {
        "index_": 3,
        "share_": "nan",
        "vector_": [1.0, "inf"],
        "image_": [[0.0, 0.0]],
        "pair_": [True, None],
        "by_name_": {"1": "one", "b": 2},
    }
    left_out = {line.split()[6].rstrip(":") for line in capsys.readouterr().out.splitlines() if "does not" in line}
    if method is Listing:
        assert stated["history"] == {}
        assert left_out == {"never_set_", "self_", "long_", "history_"}
    else:
        assert stated["history"] == {"loss": [1.0, "nan"], "r": [2.0, 3.0]}
        assert left_out == {"never_set_", "self_", "long_", "image", "x"}


class Doubled:
    """Codes: twice each pixel, and the autoencoder that it was given, whose training was stopped."""

    diagnosis_ = Diagnosis("limit", "few epochs")

    def __init__(self, network: str, autoencoder: str) -> None:
        assert (network, autoencoder) == ("small", "a.npz")

    def fit(self, X: Any) -> "Doubled":
        return self

    def transform(self, X: Any) -> Any:
        return 2 * X.reshape(len(X), -1)


def test_a_method_on_codes_sees_codes_of_both_parts(arrays: list[Path], tmp_path: Path) -> None:
    """They are those of the scaled images, and the method itself is given no autoencoder."""
    rows, stated = brightness_of(arrays, tmp_path, encoder=Doubled, encoder_settings={"network": "small"})
    train, test = (2 * (np.array(values) + 0.5 - 2) - 1 for values in ([2, 3, 4, 2.5, 3.5], [500, -500, 1, 2, 3, 4]))
    np.testing.assert_allclose(rows["anomaly_score"], [*train, *test], rtol=1e-5, atol=1e-6)
    assert stated["backend"] == "tensorflow"
    assert stated["diagnosis"]["status"] == "limit"
    assert stated["diagnosis"]["reason"].endswith("; its encoder: limit, few epochs")


@pytest.mark.parametrize("has_test", [True, False])
def test_a_method_tunes_on_the_held_out_samples_with_their_labels(has_test: bool, tmp_path: Path) -> None:
    """The γ is the best of the grid, not the worst, on just these samples; they are marked."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(120, 2)).astype("float32")
    points[80:] *= 3
    labels = np.repeat([1, 0], [80, 40])
    train, test = (np.r_[0:50], np.r_[50:120]) if has_test else (np.arange(120), np.arange(0))
    paths = stored(tmp_path, points[train], labels[train], points[test], labels[test])
    settings = {"contamination": 0 if has_test else 1 / 3, "holdout": 0.5, "scaling": "none", "classes": ("a", "b")}
    make_split(paths, tmp_path / "split.parquet", **arguments("b", **settings))
    grid = [1e-3, 0.3, 30.0]
    fit_method(
        OCSVM,
        tmp_path / "split.parquet",
        paths,
        tmp_path / "scores.parquet",
        settings={"gamma": grid},
        identity=IDENTITY,
        recipe=RECIPE,
    )
    rows, stated = read_scores(tmp_path / "scores.parquet")
    samples = read_split(tmp_path / "split.parquet").samples
    assert rows["tuned_on"].tolist() == samples["holdout"].tolist()
    part = "test" if has_test else "train"
    held = samples[samples["holdout"]]
    assert set(held["evaluation"]) == {part}
    X_train = points[train][samples.loc[samples["evaluation"] == "train", "sample"]]
    X_held = points[test if has_test else train][held["sample"]]
    model = OCSVM(gamma=grid).fit(X_train, X_holdout=X_held, y_holdout=np.where(held["is_anomaly"], -1, 1))
    assert model.holdout_auc_ is not None
    assert len({round(auc, 3) for auc in model.holdout_auc_}) == 3
    assert stated["chosen"] == {"gamma_": grid[int(np.argmax(model.holdout_auc_))]}
    expected = -model.decision_function(X_train)
    np.testing.assert_allclose(rows.loc[rows["evaluation"] == "train", "anomaly_score"], expected, atol=1e-9)
    # A method that tunes on nothing sees no label.
    fit_method(
        IForest,
        tmp_path / "split.parquet",
        paths,
        tmp_path / "forest.parquet",
        settings={"random_state": 1},
        identity=IDENTITY,
        recipe=RECIPE,
    )
    rows, _ = read_scores(tmp_path / "forest.parquet")
    assert not rows["tuned_on"].any()
    expected = (
        -IsolationForest(random_state=1, max_samples=min(256, len(X_train))).fit(X_train).decision_function(X_train)
    )
    np.testing.assert_allclose(rows.loc[rows["evaluation"] == "train", "anomaly_score"], expected)


def toy(*, images: bool = True) -> Dataset:
    """Two classes of images of bytes, or of rows."""
    pixels = np.array([[0, 51], [102, 255]], np.uint8).reshape(1, 2, 2, 1)
    samples = np.concatenate([pixels, 255 - pixels, pixels // 2]) if images else np.array([[1.0, 2], [3, 4], [5, 9]])
    return Dataset(
        name="toys",
        classes=("a", "b"),
        read=lambda archives: Arrays(samples, np.array([0, 1, 0]), samples[:1], np.array([1])),
        images=images,
    )


def test_images_are_contrast_normalised_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0, 0.2, 0.4, 1: mean 0.4, mean absolute deviation 0.3; in blocks of two images, the last one short."""
    monkeypatch.setattr(preprocessing, "BLOCK", 2)
    paths = [tmp_path / name for name in ARRAY_FILES]
    prepare_images(toy(), paths, recipe=RECIPE)
    by_hand = np.array([-4, -2, 0, 6]) / 3
    found = [np.asarray(open_array(path)) for path in paths[:4]]
    np.testing.assert_allclose(found[0].reshape(3, 4)[:2], [by_hand, -by_hand], atol=1e-6)
    np.testing.assert_allclose(np.abs(found[0][2]).mean(), 1, rtol=1e-6)
    np.testing.assert_allclose(found[2].ravel(), by_hand, atol=1e-6)
    assert (found[1].tolist(), found[3].tolist()) == ([0, 1, 0], [1])
    prepare_images(toy(images=False), paths, recipe=RECIPE)
    assert np.asarray(open_array(paths[0])).tolist() == [[1, 2], [3, 4], [5, 9]]


def test_an_archive_that_has_changed_is_not_read(tmp_path: Path) -> None:
    archive = tmp_path / "toys.bin"
    archive.write_bytes(b"toys")
    archive.with_name("toys.bin.sha256").write_text(f"{hashlib.sha256(b'toys').hexdigest()}  toys.bin\n")
    source = replace(toy(), archives=(Archive("toys.bin", (), ""),))
    paths = [tmp_path / name for name in ARRAY_FILES]
    prepare_images(source, paths, archives=[archive], recipe=RECIPE)
    archive.write_bytes(b"tops")
    with pytest.raises(DataError, match=r"toys\.bin has changed since it was fetched"):
        prepare_images(source, paths, archives=[archive], recipe=RECIPE)


def test_pixels_for_an_attack_are_in_0_to_1_and_nothing_else(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ARRAY_FILES]
    prepare_pixels(toy(), paths, recipe=RECIPE)
    np.testing.assert_allclose(np.asarray(open_array(paths[0]))[0].ravel(), [0, 0.2, 0.4, 1])


def two_classes() -> Dataset:
    return Dataset(name="halves", classes=("dark", "bright"), read=lambda archives: Arrays([], [], [], []))


@pytest.fixture
def attacked(tmp_path: Path) -> dict[str, Any]:
    """A classifier, saved as it is at first, and pixels of two classes, the attacked one's at 1, 2 and 4."""
    from ocnn.networks.models.classifier import build_classifier
    from ocnn.networks.training import seeded
    from ocnn.networks.weights import save_weights

    images = np.random.default_rng(0).uniform(0, 0.2, (5, 2, 2, 1)).astype("float32")
    images[[0, 3]] += 0.8
    labels = np.array([1, 0, 0, 1, 0])
    with seeded(0):
        model = build_classifier((2,), 2, (2, 2, 1))
    pixels = stored(tmp_path, images, labels, images, labels)
    save_weights(model, tmp_path / "weights.npz")
    return {
        "source": two_classes(),
        "pixels": pixels,
        "weights": tmp_path / "weights.npz",
        "widths": (2,),
        "attacked_class": "dark",
        "recipe": RECIPE,
    }


def empty_attack(steps: int) -> Attack:
    ones = np.full(3, 0.01)
    images = np.random.default_rng(1).uniform(0.4, 1, (3, 2, 2, 1)).astype("float32")
    return Attack(images, np.array([2, 0, 1]), np.array([7, 8]), ones, ones, steps, 2.5)


def test_an_attack_starts_once_and_then_makes_the_steps_that_are_missing(
    attacked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all steps again; with the images of the class, its label and the seed."""
    calls: list[tuple[Any, ...]] = []
    test = np.asarray(open_array(attacked["pixels"][2]))

    def start(model: Any, originals: Any, label: int, *, count: int, seed: int) -> Attack:
        np.testing.assert_array_equal(originals, test[[1, 2, 4]])
        kernel = model.get_weights()[0]
        assert any(np.array_equal(kernel, values) for values in read_arrays(attacked["weights"]).values())
        calls.append(("start", label, count, seed))
        return empty_attack(0)

    def advance(model: Any, originals: Any, label: int, attack: Attack, *, steps: int, seed: int) -> Attack:
        np.testing.assert_array_equal(originals, test[[1, 2, 4]])
        calls.append(("advance", label, attack.steps, steps, seed))
        return empty_attack(attack.steps + steps)

    monkeypatch.setattr(boundary, "start", start)
    monkeypatch.setattr(boundary, "advance", advance)
    files = [tmp_path / f"steps-{steps}.npz" for steps in (0, 30, 100)]
    for previous, file, steps in zip([None, *files], files, (0, 30, 100), strict=False):
        attack_images(**attacked, attack=file, previous=previous, images=3, seed=9, steps=steps)
    assert calls == [("start", 0, 3, 9), ("advance", 0, 0, 30, 9), ("advance", 0, 30, 70, 9)]
    assert boundary.read_attack(files[2]).steps == 100


def test_the_record_of_an_attack_by_hand(
    attacked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources by their index in the test part, both labels by the classifier, the distance in pixels."""
    from ocnn.networks import training

    monkeypatch.setattr(
        training, "apply", lambda model, images: np.stack([1 - images.mean((1, 2, 3)), images.mean((1, 2, 3))], axis=1)
    )
    test = np.asarray(open_array(attacked["pixels"][2]))
    sources = np.array([1, 2, 4])[[2, 0, 1]]
    images = np.clip(test[sources] + np.array([0.6, 0.7, 0.8], "float32")[:, None, None, None], 0, 1)
    attack = Attack(images, np.array([2, 0, 1]), np.array([7, 8]), np.ones(3), np.ones(3), 100, 2.5)
    boundary.write_attack(tmp_path / "attack.npz", attack)
    verify_attack(**attacked, attack=tmp_path / "attack.npz", record=tmp_path / "record.parquet")
    rows, stated = read_table(tmp_path / "record.parquet", RECORD, ("recipe",))
    assert stated["recipe"] == RECIPE
    assert rows["source"].tolist() == [4, 1, 2]
    assert (set(rows["label"]), set(rows["before"]), set(rows["after"])) == ({"dark"}, {"dark"}, {"bright"})
    np.testing.assert_allclose(rows["l2"], np.sqrt(((images - test[sources]) ** 2).sum(axis=(1, 2, 3))), rtol=1e-5)
    assert (set(rows["steps"]), set(rows["seconds"]), set(rows["replaced"])) == ({100}, {2.5}, {2})
    # An image that the classifier takes for dark still is no attack.
    images[1] = test[sources[1]] + 0.01
    boundary.write_attack(tmp_path / "attack.npz", attack)
    with pytest.raises(ResultError, match="image 1, made from 0, is correctly classified"):
        verify_attack(**attacked, attack=tmp_path / "attack.npz", record=tmp_path / "record.parquet")


def test_the_arrays_of_an_attacked_class(attacked: dict[str, Any], tmp_path: Path) -> None:
    """Normal training images; in the test part the class's own, then the adversarial ones; contrast-normalised."""
    boundary.write_attack(tmp_path / "attack.npz", empty_attack(10))
    (tmp_path / "out").mkdir()
    paths = [tmp_path / "out" / name for name in ARRAY_FILES]
    prepare_adversarial_images(
        attacked["source"],
        attacked["pixels"],
        tmp_path / "attack.npz",
        paths,
        attacked={"attacked_class": "dark", "name": "toy", "held_out": True, "images": 3},
        recipe=RECIPE,
    )
    train, train_labels, test, test_labels = (np.asarray(open_array(path)) for path in paths[:4])
    pixels = np.asarray(open_array(attacked["pixels"][2]))[[1, 2, 4]]
    expected = np.concatenate([pixels, empty_attack(10).images]).astype(float)
    expected -= expected.mean(axis=(1, 2, 3), keepdims=True)
    expected /= np.abs(expected).mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(train, expected[:3], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(test, expected, rtol=1e-4, atol=1e-5)
    assert (train_labels.tolist(), test_labels.tolist()) == ([0] * 3, [0] * 3 + [1] * 3)


def test_the_classifier_s_record_and_its_least_accuracy(
    attacked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of five test images right: all dark ones, none of the bright."""
    from ocnn.networks import training
    from ocnn.steps.classifier import fit_classifier

    monkeypatch.setattr(training, "apply", lambda model, images: np.tile([1.0, 0.0], (len(images), 1)))
    settings = {"widths": (2,), "epochs": 1, "learning_rate": 1e-3, "batch_size": 4, "seed": 0, "recipe": RECIPE}
    files = {"weights": tmp_path / "new.npz", "record": tmp_path / "record.json"}
    fit_classifier(attacked["source"], attacked["pixels"], **files, **settings, minimum_accuracy=0.6)  # type: ignore[arg-type]
    assert read_json(files["record"]) == {
        "accuracy": 0.6,
        "samples": 5,
        "classes": {"dark": 1.0, "bright": 0.0},
        "recipe": RECIPE,
    }
    assert files["weights"].is_file()
    with pytest.raises(ResultError, match=r"halves is right for 60\.0% of the test part, but minimum_accuracy is 61"):
        fit_classifier(attacked["source"], attacked["pixels"], **files, **settings, minimum_accuracy=0.61)  # type: ignore[arg-type]


def test_an_autoencoder_is_trained_on_the_training_part_and_saved(arrays: list[Path], tmp_path: Path) -> None:
    """What `DCAE` makes of the same samples, scaled."""
    from ocnn.methods import DCAE
    from ocnn.steps.pretrain import pretrain

    make_split(arrays, tmp_path / "split.parquet", **arguments("b"))
    network = {"kind": "dense", "widths": [3], "code": 2}
    settings: dict[str, Any] = {
        "network": network,
        "epochs": (2,),
        "learning_rates": (1e-2,),
        "batch_size": 4,
        "random_state": 0,
    }
    pretrain(tmp_path / "split.parquet", arrays, tmp_path / "a.npz", settings=settings, recipe=RECIPE)
    split = read_split(tmp_path / "split.parquet")
    X = (np.asarray(open_array(arrays[0]))[split.part("train")["sample"]] - 2) / 3
    direct = DCAE(**settings).fit(X)
    saved = DCAE(network=network, autoencoder=tmp_path / "a.npz").fit(X)
    np.testing.assert_allclose(saved.score_samples(X), direct.score_samples(X), rtol=1e-4)


def test_a_split_without_a_test_part_scores_its_training_set_alone(tmp_path: Path) -> None:
    points = np.arange(12, dtype="float32").reshape(6, 2)
    paths = stored(tmp_path, points, np.array([0] * 4 + [1] * 2), points[:0], np.zeros(0, np.int64))
    drawn = draw_split(
        np.array([0] * 4 + [1] * 2), np.zeros(0, np.int64), ("a", "b"), "a", contamination=1 / 3, holdout=0, seed=0
    )
    write_split(tmp_path / "split.parquet", Split(drawn), {})
    fit_method(
        Brightness,
        tmp_path / "split.parquet",
        paths,
        tmp_path / "scores.parquet",
        settings={},
        identity=IDENTITY,
        recipe=RECIPE,
    )
    rows, _ = read_scores(tmp_path / "scores.parquet")
    np.testing.assert_allclose(rows["anomaly_score"], points.mean(axis=1) - 1)
    assert rows["is_anomaly"].tolist() == [False] * 4 + [True] * 2


def test_samples_that_are_not_fitted_are_scored_in_their_place(arrays: list[Path], tmp_path: Path) -> None:
    """Class b: 5 training and 3 test images. The brightest fitted one is known, and every image has its own score."""
    rule = {"test_normals": "fitted", "order": "normals_first", "validation_split": 0.25}
    settings = {"contamination": 1 / 5, "holdout": 0, "scaling": "none", "training_set": rule}
    make_split(arrays, tmp_path / "split.parquet", **arguments("b", **settings))
    fit_method(
        Brightness,
        tmp_path / "split.parquet",
        arrays,
        tmp_path / "scores.parquet",
        settings={},
        identity=IDENTITY,
        recipe=RECIPE,
    )
    rows, stated = read_scores(tmp_path / "scores.parquet")
    assert rows["part"].tolist() == ["train"] * 5 + ["test"] * 3 + ["train"] * 2 + ["test"] * 3
    assert rows["evaluation"].tolist() == ["train"] * 10 + ["test"] * 3
    assert rows["fitted"].tolist() == [True] * 7 + [False] * 6
    left = {"train": [-50.0, 2.0, 3.0, 4.0, 90.0, 2.5, 3.5, -9.0], "test": [500.0, -500, 1, 2, 3, 4]}
    expected = [left[part][sample] + 0.5 - 1 for part, sample in zip(rows["part"], rows["sample"], strict=True)]
    np.testing.assert_allclose(rows["anomaly_score"], expected, rtol=1e-5)
    brightest = max(value for value, fitted in zip(expected, rows["fitted"], strict=True) if fitted) + 1.5
    assert stated["chosen"] == {"brightest_": pytest.approx(brightest)}


def test_scaling_is_learned_from_fitted_normals_of_both_parts(arrays: list[Path], tmp_path: Path) -> None:
    rule = {"test_normals": "fitted"}
    make_split(arrays, tmp_path / "split.parquet", **arguments("b", holdout=0, training_set=rule))
    split = read_split(tmp_path / "split.parquet")
    assert (split.shift, split.scale) == (-500, 1001)
