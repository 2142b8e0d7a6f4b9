"""CIFAR-10 (Krizhevsky 2009): 50,000 training and 10,000 test images, 32 × 32 pixels in colour.

The binary version: unlike the Python one it holds no pickle, reading which could run code.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ocnn.data.archives import Archive
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.formats.tar import read_members
from ocnn.errors import DataError

NAME = "cifar-10-binary.tar.gz"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FOLDER = "cifar-10-batches-bin"
SHA256 = {
    f"{FOLDER}/data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    f"{FOLDER}/data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    f"{FOLDER}/data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    f"{FOLDER}/data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    f"{FOLDER}/data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    f"{FOLDER}/test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
RECORDS = 10_000
SIDE, CHANNELS = 32, 3


def parse_batch(content: bytes, name: str, records: int = RECORDS) -> tuple[np.ndarray, np.ndarray]:
    """Split a batch into images (records, 32, 32, 3) uint8 and labels (records,) int64.

    A record is a byte with the label and 3 × 1024 bytes: the red plane, the green, the blue, each row by row.

    Raises:
        DataError: another size, or a label that is no class; `name` is for the message.
    """
    size = 1 + CHANNELS * SIDE * SIDE
    if len(content) != records * size:
        raise DataError(f"{name}: {len(content)} bytes, expected {records} records of {size}.")
    rows = np.frombuffer(content, np.uint8).reshape(records, size)
    labels = rows[:, 0].astype(np.int64)
    if records and labels.max() >= len(CLASSES):
        raise DataError(f"{name}: record {int(labels.argmax())} has the label {labels.max()}; 0 to 9 are classes.")
    planes = rows[:, 1:].reshape(records, CHANNELS, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def read(archives: Mapping[str, Path]) -> Arrays:
    """Read the five training batches, in order, and the test batch."""
    members = read_members(archives[NAME], SHA256)
    batches = [parse_batch(content, f"{archives[NAME]}, {name}") for name, content in members.items()]
    images, labels = zip(*batches, strict=True)
    return Arrays(np.concatenate(images[:-1]), np.concatenate(labels[:-1]), images[-1], labels[-1])


CIFAR10 = Dataset(
    name="cifar10",
    classes=CLASSES,
    read=read,
    archives=(
        Archive(
            NAME,
            (f"https://www.cs.toronto.edu/~kriz/{NAME}", f"https://cave.cs.toronto.edu/kriz/{NAME}"),
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            members=SHA256,
        ),
    ),
    sizes=dict.fromkeys(CLASSES, (5000, 1000)),
)
