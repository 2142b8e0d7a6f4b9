"""MNIST (LeCun et al.): 60,000 training and 10,000 test images of handwritten digits, 28 × 28 grey pixels."""

from collections.abc import Mapping
from pathlib import Path

from ocnn.data.archives import Archive
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.formats.idx import read_idx

SERVERS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"
SHA256 = {
    TRAIN_IMAGES: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    TRAIN_LABELS: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    TEST_IMAGES: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    TEST_LABELS: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
#: Training and test images of each digit.
SIZES = (
    (5923, 980),
    (6742, 1135),
    (5958, 1032),
    (6131, 1010),
    (5842, 982),
    (5421, 892),
    (5918, 958),
    (6265, 1028),
    (5851, 974),
    (5949, 1009),
)


def read(archives: Mapping[str, Path]) -> Arrays:
    """Read the four IDX files; images (n, 28, 28, 1) uint8."""
    return Arrays(
        train=read_idx(archives[TRAIN_IMAGES], (60_000, 28, 28))[..., None],
        train_labels=read_idx(archives[TRAIN_LABELS], (60_000,)),
        test=read_idx(archives[TEST_IMAGES], (10_000, 28, 28))[..., None],
        test_labels=read_idx(archives[TEST_LABELS], (10_000,)),
    )


MNIST = Dataset(
    name="mnist",
    classes=tuple("0123456789"),
    read=read,
    archives=tuple(
        Archive(name, tuple(server + name for server in SERVERS), sha256) for name, sha256 in SHA256.items()
    ),
    sizes=dict(zip("0123456789", SIZES, strict=True)),
)
