"""Contrast normalisation and scaling on images made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ocnn.data.preprocessing import (
    PIXELS,
    global_contrast_normalization_l1,
    merged_features,
    rescale,
    scaling_constants,
    to_unit_interval,
)

gcn = global_contrast_normalization_l1


def test_gcn_by_hand() -> None:
    # mean 2.5, deviations ∓1.5 ∓0.5, mean absolute deviation 1
    image = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    np.testing.assert_allclose(gcn(image).ravel(), [-1.5, -0.5, 0.5, 1.5])


def test_gcn_takes_its_means_over_all_channels() -> None:
    """Two flat channels of 0 and 1: normalised channel by channel they would both vanish."""
    image = np.stack([np.zeros((3, 3)), np.ones((3, 3))], axis=-1)[None]
    result = gcn(image)
    np.testing.assert_allclose(result[..., 0], -1)
    np.testing.assert_allclose(result[..., 1], 1)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1 / 3, 0.7])
def test_an_image_of_constant_colour_becomes_zero(value: float) -> None:
    """Also where the mean of equal numbers is not quite that number."""
    assert (gcn(np.full((2, 7, 7, 3), value, np.float32)) == 0).all()
    assert (gcn(np.full((2, 7, 7, 3), value, np.float64)) == 0).all()


@given(arrays(np.float64, (3, 4, 4, 2), elements=st.floats(0, 1, width=32)))
def test_gcn_properties(images: np.ndarray) -> None:
    result = gcn(images)
    assert result.dtype == np.float32
    for image, one in zip(images, result, strict=True):
        np.testing.assert_array_equal(gcn(image[None])[0], one)
        if image.min() < image.max():
            assert one.astype(np.float64).mean() == pytest.approx(0, abs=1e-5)
            assert np.abs(one.astype(np.float64)).mean() == pytest.approx(1, rel=1e-5)
        else:
            assert (one == 0).all()


def test_min_max_leaves_what_lies_outside() -> None:
    shift, scale = scaling_constants(PIXELS, np.array([[-1.0, 0.5], [3.0, 0.0]]))
    scaled = rescale(np.array([-2.0, -1.0, 0.0, 3.0, 5.0], np.float32), shift, scale)
    np.testing.assert_allclose(scaled, [-0.25, 0, 0.25, 1, 1.5])
    assert scaled.dtype == np.float32


def test_bytes_are_divided_and_floats_taken_as_they_are() -> None:
    np.testing.assert_allclose(to_unit_interval(np.array([0, 51, 255], np.uint8)), [0, 0.2, 1])
    np.testing.assert_allclose(to_unit_interval(np.array([0, 0.2, 1])), [0, 0.2, 1])


def test_features_whose_values_a_conversion_merges_are_counted_from_1() -> None:
    """Of the second feature half of the values are left, of the third two of three; the first keeps its own."""
    given = np.array([[0.0, 1.0, 1.0], [1.0, 1.0 + 1e-12, 2.0], [2.0, 1.0, 2.0 + 1e-12]])
    assert merged_features(given, given.astype(np.float32)).tolist() == [2]


def test_all_features_are_scaled_unless_it_is_said() -> None:
    shift, scale = scaling_constants("standard", np.array([[0.0, 1.0], [4.0, 3.0]]))
    assert (shift, scale) == ((2, 2), (2, 1))
    assert scaling_constants("standard", np.array([[0.0, 1.0], [4.0, 3.0]]), 1) == ((2, 0), (2, 1))
