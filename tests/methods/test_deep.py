"""The deep methods train what they should, from where they should."""

import json
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocnn.errors import ResultError
from ocnn.methods import DCAE, RCAE, DeepSVDD, OneClassNN, OneClassNNReleased, SoftDeepSVDD
from ocnn.methods.sphere import away_from_zero
from ocnn.networks.losses import nu_quantile
from ocnn.networks.models import build_autoencoder
from ocnn.networks.saved import SavedNetwork
from ocnn.networks.shapes import resolve
from ocnn.networks.weights import save_weights
from ocnn.storage.arrays import write_arrays
from tests.conftest import QUICK, QUICK_PRETRAINED, ROOT

NETWORK = {"kind": "lenet", "widths": [4, 2], "code": 6, "kernel": 3}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Images of one blurred bar, so that there is something to learn."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 0.1, (64, 8, 8, 1))
    images[:, 2:5, 1:7] += rng.uniform(0.5, 0.8, (64, 1, 1, 1))
    return images.astype("float32")


@pytest.fixture(scope="module")
def pretrained(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> tuple[DCAE, Path]:
    """An autoencoder and the file that it was saved to."""
    path = tmp_path_factory.mktemp("autoencoder") / "a.npz"
    dcae = DCAE(network=NETWORK, **{**QUICK, "epochs": (20,)}).fit(images)
    dcae.save_autoencoder(path)
    return dcae, path


def weights(model: Any) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in model.trainable_variables]


def test_the_autoencoder_learns(images: np.ndarray) -> None:
    dcae = DCAE(network=NETWORK, **{**QUICK, "epochs": (20, 10), "learning_rates": (1e-2, 1e-3)}).fit(images)
    loss = dcae.history_["loss"]
    assert len(loss) == 30
    assert loss[-1] < 0.5 * loss[0]
    reconstruction = np.asarray(dcae.autoencoder_(images[:5], training=False))
    expected = -((images[:5] - reconstruction) ** 2).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(dcae.score_samples(images[:5]), expected, rtol=1e-5)


def test_scores_of_many_samples_need_no_second_array_of_them() -> None:
    """The reconstruction of a thousand at a time; as numbers those of all at once."""
    X = np.random.default_rng(0).normal(size=(20_500, 60)).astype("float32")
    model = DCAE(network={"kind": "dense", "widths": [8], "code": 4}, **QUICK).fit(X[:200])
    tracemalloc.start()
    scores = model.score_samples(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 2
    whole = np.asarray(model.autoencoder_(X, training=False))
    np.testing.assert_allclose(scores, -np.square(X - whole, dtype=np.float64).sum(axis=1), rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(("rate", "status"), [(1e-2, "limit"), (1e-9, "converged"), (1e30, "diverged")])
def test_dcae_takes_a_saved_autoencoder_as_it_is(rate: float, status: str, images: np.ndarray, tmp_path: Path) -> None:
    """With how its training ended: in the workflow that is all that the row `dcae` has been trained."""
    trained = DCAE(network=NETWORK, **{**QUICK, "epochs": (20,), "learning_rates": (rate,)})
    with np.errstate(all="ignore"):
        trained.fit(images)
    assert trained.diagnosis_.status == status
    trained.save_autoencoder(tmp_path / "a.npz")
    again = DCAE(network=NETWORK, autoencoder=tmp_path / "a.npz", epochs=(10**6,), learning_rates=(1.0,)).fit(images)
    np.testing.assert_array_equal(again.score_samples(images), trained.score_samples(images))
    np.testing.assert_array_equal(again.history_["loss"], trained.history_["loss"])
    assert again.diagnosis_ == trained.diagnosis_


@pytest.mark.usefixtures("eagerly")
def test_of_weights_without_a_history_dcae_says_that_it_has_no_iterations(
    images: np.ndarray, pretrained: tuple[DCAE, Path], tmp_path: Path
) -> None:
    save_weights(pretrained[0].autoencoder_, tmp_path / "a.npz")
    dcae = DCAE(network=NETWORK, autoencoder=tmp_path / "a.npz").fit(images)
    assert (dcae.history_, dcae.diagnosis_.reason) == ({}, "the fit has no iterations of its own")


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("method", [DeepSVDD, SoftDeepSVDD, OneClassNN, OneClassNNReleased])
def test_methods_start_from_the_saved_encoder_and_train_all_of_it(
    method: Any, images: np.ndarray, pretrained: tuple[DCAE, Path]
) -> None:
    """With a learning rate of nothing the encoder is the saved one; with a real one every kernel moves."""
    dcae, path = pretrained
    start = weights(dcae.autoencoder_.get_layer("encoder"))
    settings = {**QUICK_PRETRAINED, "network": NETWORK, "autoencoder": path}
    still = method(**{**settings, "learning_rates": (1e-12,)}).fit(images)
    for found, expected in zip(weights(still.encoder_)[:3], start, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    moved = method(**{**settings, "learning_rates": (1e-2,)}).fit(images)
    for found, expected in zip(weights(moved.encoder_)[:3], start, strict=True):
        assert np.abs(found - expected).max() > 1e-3


def test_deep_svdd_centre_is_the_mean_code_in_inference_mode(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    dcae, path = pretrained
    codes = np.asarray(dcae.autoencoder_.get_layer("encoder")(images, training=False))
    svdd = DeepSVDD(network=NETWORK, autoencoder=path, **{**QUICK, "epochs": (25,)}).fit(images)
    np.testing.assert_allclose(svdd.center_, away_from_zero(codes.mean(axis=0)), rtol=1e-5)
    assert svdd.history_["loss"][-1] < svdd.history_["loss"][0]
    final = np.asarray(svdd.encoder_(images, training=False))
    expected = -np.square(final - svdd.center_, dtype=np.float64).sum(axis=1)
    np.testing.assert_allclose(svdd.score_samples(images), expected, rtol=1e-12)


def test_a_head_comes_behind_the_centre(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    """As released: the centre is the encoder's, the distance that of a dense layer with a bias, and it is trained."""
    dcae, path = pretrained
    codes = np.asarray(dcae.autoencoder_.get_layer("encoder")(images, training=False))
    settings = {**QUICK, "network": NETWORK, "autoencoder": path, "epochs": (25,), "weight_decay": 0.0}
    svdd = DeepSVDD(head=True, **settings).fit(images)
    np.testing.assert_allclose(svdd.center_, away_from_zero(codes.mean(axis=0)), rtol=1e-5)
    head = svdd.encoder_.get_layer("head")
    assert [tuple(weight.shape) for weight in head.weights] == [(6, 6), (6,)]
    assert np.abs(np.asarray(head.bias)).min() > 0
    outputs = np.asarray(svdd.encoder_.get_layer("encoder")(images, training=False)) @ np.asarray(head.kernel)
    distances = np.square(outputs + np.asarray(head.bias) - svdd.center_).sum(axis=1)
    np.testing.assert_allclose(svdd.score_samples(images), -distances, rtol=1e-3, atol=1e-6)
    assert svdd.history_["loss"][-1] < svdd.history_["loss"][0]


def test_soft_deep_svdd_radius(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    """Zero until the warm-up is over, then the quantile, so that a share ν of the training samples lies outside."""
    settings = {**QUICK, "network": NETWORK, "autoencoder": pretrained[1], "epochs": (8,)}
    soft = SoftDeepSVDD(nu=0.25, warm_up=4, **settings).fit(images)
    assert soft.history_["radius"][:3] == [0, 0, 0]
    assert min(soft.history_["radius"][3:]) > 0
    assert soft.radius_ == pytest.approx(soft.history_["radius"][-1], rel=1e-5)
    assert (soft.predict(images) == -1).mean() == pytest.approx(0.25, abs=1 / len(images))
    distances = ((np.asarray(soft.encoder_(images, training=False)) - soft.center_) ** 2).sum(axis=1)
    np.testing.assert_allclose(soft.decision_function(images), soft.radius_**2 - distances, rtol=1e-3, atol=1e-6)
    hard = DeepSVDD(**settings).fit(images)
    assert np.abs(hard.score_samples(images) - soft.score_samples(images)).max() > 1e-6


def test_released_ocnn_has_a_linear_layer_on_the_codes(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    model = OneClassNNReleased(hidden=5, network=NETWORK, autoencoder=pretrained[1], **{**QUICK, "epochs": (25,)})
    model.fit(images)
    assert [tuple(kernel.shape) for kernel in model.encoder_.trainable_variables][-1] == (6, 5)
    assert model.center_.shape == (5,)
    assert model.history_["loss"][-1] < model.history_["loss"][0]


def test_a_frozen_encoder_stays_as_pretrained(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    dcae, path = pretrained
    settings = {**QUICK, "network": NETWORK, "autoencoder": path, "learning_rates": (1e-2,)}
    model = OneClassNN(train_encoder=False, **settings).fit(images)
    expected = dcae.autoencoder_.get_layer("encoder")
    for found, start in zip(model.encoder_.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(start))


def test_centred_codes_are_those_less_their_mean(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    """Of the encoder as pretrained, on the training set; it stays fixed while the encoder moves."""
    dcae, path = pretrained
    codes = np.asarray(dcae.autoencoder_.get_layer("encoder")(images, training=False))
    settings = {**QUICK, "network": NETWORK, "autoencoder": path, "learning_rates": (1e-2,)}
    model = OneClassNN(center_codes=True, **settings).fit(images)
    V, w = weights(model.head_)
    moved = np.asarray(model.encoder_(images, training=False))
    expected = (moved - codes.mean(axis=0)) @ V @ w[:, 0]
    np.testing.assert_allclose(model.score_samples(images), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.long
def test_unit_norm_bounds_what_diverges_without() -> None:
    """On data on which plain Eq. 3 runs off: the outputs are at most ‖w‖, the objective at least −½."""
    X = np.random.default_rng(0).normal(100, 1, (64, 6))
    settings: dict[str, Any] = {"network": "none", "epochs": (200,), "learning_rates": (1e-2,), "random_state": 0}
    model = OneClassNN(unit_norm=True, **settings).fit(X)
    assert model.diagnosis_.status != "diverged"
    assert min(model.history_["objective"]) >= -0.5
    assert np.abs(model.score_samples(X)).max() <= model.history_["w_norm"][-1] * (1 + 1e-5)
    np.testing.assert_allclose(model.score_samples(10 * X), model.score_samples(X), rtol=1e-4)


def test_away_from_zero() -> None:
    found = away_from_zero(np.array([0.05, -0.05, 0.0, 0.3, -0.1, -2.0]))
    np.testing.assert_allclose(found, [0.1, -0.1, 0.1, 0.3, -0.1, -2.0], rtol=1e-6)


@pytest.mark.usefixtures("eagerly")
def test_ocnn_r_is_the_quantile_over_the_whole_training_set(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    model = OneClassNN(network=NETWORK, autoencoder=pretrained[1], nu=0.25, **{**QUICK, "epochs": (3,)}).fit(images)
    y = model.score_samples(images)
    assert model.r_ == pytest.approx(nu_quantile(y, 0.25), rel=1e-5)
    # A quarter of the samples lie strictly below, the quantile itself at zero.
    assert (model.decision_function(images) < -1e-6).sum() < 0.25 * len(images) <= (y <= model.r_ + 1e-6).sum()
    assert all(len(values) == 3 for values in model.history_.values())
    head = {weight.path.split("/")[-2]: weight.shape for weight in model.head_.trainable_variables}
    assert {name: tuple(shape) for name, shape in head.items()} == {"V": (6, 32), "w": (32, 1)}


@pytest.mark.usefixtures("eagerly")
def test_ocnn_objective_is_eq_3(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    """The recorded objective, in plain NumPy, from the final weights and the final r."""
    model = OneClassNN(network=NETWORK, autoencoder=pretrained[1], nu=0.25, **{**QUICK, "epochs": (2,)}).fit(images)
    V, w = weights(model.head_)
    y = np.asarray(model.encoder_(images, training=False)) @ V @ w[:, 0]
    expected = 0.5 * (w**2).sum() + 0.5 * (V**2).sum() + np.maximum(0, model.r_ - y).mean() / 0.25 - model.r_
    assert model.history_["objective"][-1] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(model.score_samples(images), y, rtol=1e-3, atol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_the_first_epoch_of_ocnn_has_an_r_of_a_tenth() -> None:
    """Of weights that stand still: Eq. 3 by hand, at outputs some of which are below r and some above."""
    X = np.random.default_rng(0).normal(0, 1, (64, 6)).astype("float32")
    settings = {**QUICK, "network": "none", "weight_decay": 0, "batch_size": 64, "learning_rates": (1e-12,)}
    model = OneClassNN(nu=0.25, **settings).fit(X)
    V, w = weights(model.head_)
    y = X @ V @ w[:, 0]
    assert 0 < (y < 0.1).sum() < 64
    expected = 0.5 * (w**2).sum() + 0.5 * (V**2).sum() + np.maximum(0, 0.1 - y).mean() / 0.25 - 0.1
    assert model.history_["loss"] == [pytest.approx(expected, rel=1e-4)]
    # One sample alone has a score, too.
    np.testing.assert_allclose(model.score_samples(X[:1]), y[:1], rtol=1e-4)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_the_hidden_layer_of_ocnn_has_the_activation(activation: str) -> None:
    X = np.random.default_rng(0).normal(0, 1, (40, 6)).astype("float32")
    model = OneClassNN(activation=activation, **{**QUICK, "network": "none"}).fit(X)
    V, w = weights(model.head_)
    hidden = X @ V
    g = 1 / (1 + np.exp(-hidden)) if activation == "sigmoid" else np.maximum(0, hidden)
    np.testing.assert_allclose(model.score_samples(X), g @ w[:, 0], rtol=1e-3, atol=1e-5)


def test_ocnn_regulariser_has_a_gradient() -> None:
    """Of samples next to the origin only the norms are left to minimise: both must fall."""
    samples = np.random.default_rng(0).normal(0, 1e-3, (64, 6))
    model = OneClassNN(network="none", epochs=(40,), learning_rates=(1e-2,), tol=0, random_state=0).fit(samples)
    for name in ("w_norm", "V_norm"):
        assert model.history_[name][-1] < 0.8 * model.history_[name][0]


def test_linear_ocnn_diverges_on_data_far_from_the_origin_and_stops() -> None:
    """All samples at distance 100 in one direction: the margin outgrows the norms, and the objective has no minimum."""
    X = np.random.default_rng(0).normal(100, 1, (64, 6))
    model = OneClassNN(network="none", epochs=(200,), learning_rates=(1e-2,), random_state=0).fit(X)
    assert model.diagnosis_.status == "diverged"
    assert model.history_["objective"][-1] < 0
    assert len(model.history_["objective"]) < 200
    bounded = OneClassNN(network="none", activation="sigmoid", epochs=(30,), learning_rates=(1e-2,), random_state=0)
    assert bounded.fit(X).diagnosis_.status != "diverged"


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"not an archive",
        lambda whole: whole[:2000],
        lambda whole: whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:],
        lambda whole: whole[:-22] + bytes(12) + whole[-10:],
    ],
    ids=["empty", "foreign", "truncated", "flipped bit", "no end"],
)
def test_a_damaged_autoencoder_is_refused(
    damage: Callable[[bytes], bytes], images: np.ndarray, pretrained: tuple[DCAE, Path], tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(damage(pretrained[1].read_bytes()))
    with pytest.raises(ResultError, match=r"a\.npz does not hold whole arrays .*Delete it to have it remade"):
        DeepSVDD(network=NETWORK, autoencoder=path, **QUICK).fit(images)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: [],
        lambda weights: weights[:-1],
        lambda weights: [*weights, weights[0]],
        lambda weights: weights[::-1],
        lambda weights: [weight.astype(np.float64) for weight in weights],
    ],
    ids=["none", "fewer", "more", "other shapes", "other type"],
)
def test_weights_of_another_network_are_refused(
    change: Callable[[list[np.ndarray]], list[np.ndarray]],
    images: np.ndarray,
    pretrained: tuple[DCAE, Path],
    tmp_path: Path,
) -> None:
    changed = change(pretrained[0].autoencoder_.get_weights())
    write_arrays(tmp_path / "a.npz", {f"weight_{n}": weight for n, weight in enumerate(changed)})
    with pytest.raises(ResultError, match=r"a\.npz does not hold the weights of this network"):
        DeepSVDD(network=NETWORK, autoencoder=tmp_path / "a.npz", **QUICK).fit(images)


def test_the_same_weights_are_the_same_bytes(pretrained: tuple[DCAE, Path], tmp_path: Path) -> None:
    dcae, path = pretrained
    dcae.save_autoencoder(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("eagerly")
def test_a_method_is_pickled_with_the_networks_it_has() -> None:
    """Once fitted they are plain data in its state, and no objects of Keras; after unpickling they are networks."""
    X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    model = DCAE(network={"kind": "dense", "widths": [3], "code": 2}, **QUICK)
    for fitted in (False, True):
        if fitted:
            model.fit(X)
        kinds = {type(value) for value in model.__getstate__().values()}
        assert (SavedNetwork in kinds) == fitted
        assert not any(kind.__module__.startswith("keras") for kind in kinds)
        copy = pickle.loads(pickle.dumps(model))
        assert vars(copy).keys() == vars(model).keys()
        assert copy.get_params() == model.get_params()
    np.testing.assert_array_equal(copy.score_samples(X), model.score_samples(X))


def test_the_codes_of_an_autoencoder(images: np.ndarray, pretrained: tuple[DCAE, Path]) -> None:
    dcae, _ = pretrained
    codes = dcae.transform(images)
    np.testing.assert_allclose(codes, np.asarray(dcae.autoencoder_.get_layer("encoder")(images)), rtol=1e-5)
    assert codes.dtype == np.float32
    assert list(dcae.get_feature_names_out()) == [f"dcae{n}" for n in range(6)]
    assert dcae.__sklearn_tags__().transformer_tags.preserves_dtype == ["float32"]
    # The error over all pixels, in float64.
    difference = images - np.asarray(dcae.autoencoder_(images))
    expected = -np.square(difference, dtype=np.float64).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(dcae.score_samples(images), expected, rtol=1e-12)


def test_an_autoencoder_of_its_own_is_trained_as_the_method_says(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[dict[str, Any]] = []

    def build_or_train(self: DCAE, X: np.ndarray) -> None:
        assert X is images
        trained.append(self.get_params())
        self.autoencoder_ = build_autoencoder(resolve(NETWORK, (8, 8, 1)), (8, 8, 1))

    monkeypatch.setattr(DCAE, "build_or_train", build_or_train)
    told: dict[str, Any] = {"network": NETWORK, "autoencoder": "a.npz", "batch_size": 7, "weight_decay": 0.25}
    told |= {"verbose": 1}
    method = DeepSVDD(pretrain_epochs=(3, 4), pretrain_learning_rates=(0.5, 0.25), **told)
    assert method._pretrained_encoder(images).output_shape == (None, 6)
    expected = {**told, "epochs": (3, 4), "learning_rates": (0.5, 0.25)}
    assert trained == [{**DCAE().get_params(), **expected}]
    # Without a network there is nothing to train: the features are the code.
    identity = DeepSVDD(network="none")._pretrained_encoder(images[:, :, 0, 0])
    np.testing.assert_array_equal(np.asarray(identity(images[:, :, 0, 0])), images[:, :, 0, 0])
    assert len(trained) == 1


@pytest.mark.long
def test_a_fitted_method_is_unpickled_in_a_process_that_knows_nothing_of_its_networks(tmp_path: Path) -> None:
    X = np.random.default_rng(0).random((12, 12, 8, 1), dtype=np.float32)
    network = {"kind": "lenet", "widths": [3, 2], "code": 4}
    model = DCAE(network=network, epochs=(1,), learning_rates=(1e-3,), random_state=0).fit(X)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps((model, X)))
    program = (
        f"import pickle; model, X = pickle.load(open({str(path)!r}, 'rb')); print(model.score_samples(X).tolist())"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    np.testing.assert_array_equal(json.loads(run.stdout.splitlines()[-1]), model.score_samples(X))


@pytest.mark.long
def test_one_sample_more_than_whole_batches_changes_little() -> None:
    """Batch statistics of that one sample alone would ruin the moving statistics, and every score with them."""
    X = np.random.default_rng(0).normal(size=(65, 3)) @ np.random.default_rng(1).normal(size=(3, 16))
    settings = {**QUICK, "network": "dense", "epochs": (40,)}
    whole, more = (-DCAE(**settings).fit(X[:n]).score_samples(X[:64]).mean() for n in (64, 65))
    assert more == pytest.approx(whole, rel=0.3)


DECAYED = [DCAE, RCAE, DeepSVDD, SoftDeepSVDD, OneClassNN, OneClassNNReleased]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("method", DECAYED)
def test_the_loss_holds_the_weight_decay_of_the_network(method: Any, tmp_path: Path) -> None:
    """With weights that stand still: the first losses with λ and without differ by (λ/2) Σ‖W‖²."""
    X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
    network = {"kind": "dense", "widths": [5], "code": 3}
    DCAE(network=network, **QUICK).fit(X).save_autoencoder(tmp_path / "a.npz")
    settings = {**QUICK, "network": network, "learning_rates": (1e-12,), "batch_size": 64}
    if method is DCAE:
        settings["learning_rates"] = (1e-9,)
    else:
        settings["autoencoder"] = tmp_path / "a.npz"
    if method is RCAE:
        settings |= {"iterations": 1, "lam": 0}
    without, decayed = (method(weight_decay=decay, **settings).fit(X) for decay in (0, 0.5))
    decays = decayed.autoencoder_ if hasattr(decayed, "autoencoder_") else decayed.encoder_
    expected = 0.25 * sum(float((w**2).sum()) for w in weights(decays))
    assert decayed.history_["loss"][0] - without.history_["loss"][0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("nu", [0.1, 0.25])
def test_the_released_loss_is_that_of_r_a_tenth_and_of_nu(nu: float) -> None:
    """Of weights that stand still, the loss of the only epoch in NumPy."""
    X = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
    settings = {**QUICK, "network": "none", "weight_decay": 0, "learning_rates": (1e-12,)}
    model = OneClassNNReleased(nu=nu, hidden=3, **settings).fit(X)
    excess = np.maximum(0, (X @ weights(model.encoder_)[0] - model.center_) ** 2 - 0.1**2)
    assert model.history_["loss"] == [pytest.approx((0.1**2 + excess.sum(axis=1).mean()) / nu, rel=1e-4)]


@pytest.mark.long
@pytest.mark.parametrize("threads", [1, 4])
def test_a_forked_process_scores_or_says_why_not(threads: int, tmp_path: Path) -> None:
    """1,500 samples, more than go at once: with one thread the same bits, with several, or to train, one sentence."""
    program = f"""
import os
from ocnn.steps.runtime import use_threads
use_threads({threads})
import numpy as np
from ocnn.methods import AnoGAN, DCAE
X = np.random.default_rng(0).normal(size=(1500, 6))
quick = dict(epochs=(1,), learning_rates=(1e-3,), random_state=0)
model = DCAE(network=dict(kind="dense", widths=[4], code=2), **quick).fit(X[:50])
gan = AnoGAN(latent=2, widths=(4,), steps=1, **quick).fit(X[:50])
expected = model.score_samples(X)
def attempt(work):
    try:
        return "same" if work().tobytes() == expected.tobytes() else "other"
    except RuntimeError as error:
        return str(error)
if os.fork() == 0:
    for work in (lambda: model.score_samples(X), lambda: gan.score_samples(X), lambda: model.fit(X).training_scores_):
        print(attempt(work), flush=True)
    os._exit(0)
os.wait()
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    lines = run.stdout.splitlines()
    assert len(lines) == 3, run.stderr
    assert all("This process was forked from one that had used a network" in line for line in lines[threads == 1 :])
    assert threads > 1 or lines[0] == "same"
