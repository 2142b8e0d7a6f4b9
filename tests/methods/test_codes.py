"""The autoencoder as a transformer: other methods work on its codes."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from ocnn.methods import DCAE, KDE, OCSVM
from tests.conftest import QUICK, draw_blobs

LINEAR = {"kind": "dense", "widths": (), "code": 3}
LENET = {"kind": "lenet", "widths": [4, 2], "code": 8, "kernel": 3}


def test_codes_of_a_linear_encoder_are_its_product(tmp_path: Path) -> None:
    train, test, _ = draw_blobs()
    dcae = DCAE(**QUICK, network=LINEAR).fit(train)
    kernel = dcae.autoencoder_.get_layer("encoder").get_weights()[0]
    assert kernel.shape == (10, 3)
    codes = dcae.transform(test)
    np.testing.assert_allclose(codes, test @ kernel, rtol=1e-5, atol=1e-6)
    assert list(dcae.get_feature_names_out()) == ["dcae0", "dcae1", "dcae2"]
    # From its file, the same codes without a training.
    dcae.save_autoencoder(tmp_path / "weights.npz")
    restored = DCAE(network=LINEAR, autoencoder=tmp_path / "weights.npz").fit(train)
    np.testing.assert_array_equal(restored.transform(test), codes)
    with pytest.raises(NotFittedError):
        DCAE().transform(test)


def test_any_detector_works_on_codes_in_a_pipeline() -> None:
    """Of images, which most detectors do not take; ours and scikit-learn's."""
    images = np.random.default_rng(0).uniform(0.2, 0.8, (30, 8, 8, 1)).astype("float32")
    dcae = DCAE(**QUICK, network=LENET)
    codes = dcae.fit(images).transform(images)
    assert codes.shape == (30, 8)
    for detector in (KDE(), OCSVM(), IsolationForest(random_state=0)):
        found = make_pipeline(dcae, detector).fit(images).decision_function(images[:7])
        np.testing.assert_allclose(found, detector.fit(codes).decision_function(codes[:7]), rtol=1e-4, atol=1e-6)
