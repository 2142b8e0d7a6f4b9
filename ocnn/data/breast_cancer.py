"""scikit-learn's breast cancer data: 569 tumours, 30 numbers each; no download. Source: UCI, diagnostic Wisconsin."""

from collections.abc import Mapping
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from ocnn.data.dataset import Arrays, Dataset

TEST_SHARE = 0.4


def read(archives: Mapping[str, Path]) -> Arrays:
    """Samples (n, 30); a fixed stratified split, the same for every seed of an experiment."""
    X, y = load_breast_cancer(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(X, y, test_size=TEST_SHARE, stratify=y, random_state=0)
    return Arrays(train, train_labels, test, test_labels)


BREAST_CANCER = Dataset(
    name="breast_cancer",
    classes=("malignant", "benign"),
    read=read,
    images=False,
    anomaly_classes=("malignant",),
    sizes={"malignant": (127, 85), "benign": (214, 143)},
    scaling="standard",
)
