"""scikit-learn's digits: 1,797 real images of 8 × 8 grey pixels; no download. Source: UCI optical digits, test part."""

from collections.abc import Mapping
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from ocnn.data.dataset import Arrays, Dataset

TEST_SHARE = 0.4
PIXEL_MAXIMUM = 16.0
#: Training and test images of each digit.
SIZES = ((107, 71), (109, 73), (106, 71), (110, 73), (109, 72), (109, 73), (109, 72), (107, 72), (104, 70), (108, 72))


def read(archives: Mapping[str, Path]) -> Arrays:
    """Images (n, 8, 8, 1) float32 in [0, 1]; a fixed stratified split, the same for every seed of an experiment."""
    digits = load_digits()
    images = (digits.images / PIXEL_MAXIMUM).astype("float32")[..., None]
    train, test, train_labels, test_labels = train_test_split(
        images, digits.target, test_size=TEST_SHARE, stratify=digits.target, random_state=0
    )
    return Arrays(train, train_labels, test, test_labels)


DIGITS = Dataset(
    name="digits", classes=tuple("0123456789"), read=read, sizes=dict(zip("0123456789", SIZES, strict=True))
)
