"""The paper's synthetic data (§5.1): 190 normals ~ N(0, 2²) and 10 anomalies ~ N(0, 10²) in 512 dimensions.

Training is on the normals, scoring on all 200, as in the paper: so the test part repeats the training samples.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ocnn.data.dataset import Arrays, Dataset

NORMALS, NORMAL_SCALE = 190, 2.0
ANOMALIES, ANOMALY_SCALE = 10, 10.0
DIMENSION = 512


def read(archives: Mapping[str, Path]) -> Arrays:
    """Samples (n, 512) float32, drawn once from a fixed state: an experiment's seed does not change the data."""
    rng = np.random.default_rng(0)
    normals = rng.normal(0.0, NORMAL_SCALE, (NORMALS, DIMENSION))
    anomalies = rng.normal(0.0, ANOMALY_SCALE, (ANOMALIES, DIMENSION))
    samples = np.concatenate([normals, anomalies]).astype("float32")
    labels = np.repeat([0, 1], [NORMALS, ANOMALIES])
    return Arrays(samples[:NORMALS], labels[:NORMALS], samples, labels)


SYNTHETIC = Dataset(
    name="synthetic",
    classes=("normal", "anomaly"),
    read=read,
    images=False,
    anomaly_classes=("anomaly",),
    sizes={"normal": (NORMALS, NORMALS), "anomaly": (0, ANOMALIES)},
)
