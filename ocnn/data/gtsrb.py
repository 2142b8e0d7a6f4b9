"""GTSRB (Stallkamp et al. 2012): traffic signs of 43 classes, photographs of 15 to 250 pixels in colour.

Each frame has about a tenth of border around the sign; cropped to the annotated region of interest and resized to
32 × 32 pixels. Read straight from the three zip archives.
"""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ocnn.data.archives import Archive
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.formats.zip import ZipArchive, open_zip
from ocnn.errors import DataError

TRAIN_IMAGES = "GTSRB_Final_Training_Images.zip"
TEST_IMAGES = "GTSRB_Final_Test_Images.zip"
TEST_LABELS = "GTSRB_Final_Test_GT.zip"
SERVER = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
#: The publisher states no SHA-256; these MD5s are what the common loaders of the data set agree on.
MD5 = {
    TRAIN_IMAGES: "f33fd80ac59bff73c82d25ab499e03a3",
    TEST_IMAGES: "c7e4e6327067d32654124b0fe9e82185",
    TEST_LABELS: "fe31e9c9270bbcd7b84b7f21a9d9d9e5",
}
#: A reduced edition in the same layout, as some mirrors have it: all stop signs, up to 300 training images of each
#: other class, 3,870 test images; frames already reduced to 32 × 32, so that crops are blurrier than the official ones.
REDUCED_SHA256 = {
    TRAIN_IMAGES: "ffcefb8a7c9ef411f73b707a8aa7da36981aa94b110f62992e008fc89dda938a",
    TEST_IMAGES: "3e757feb4c0c4b68ee6f6292b84d8679b4675e11632fef3f32e8db78d6acb4cd",
    TEST_LABELS: "c3f0e4aa6035f4b4e6e890c5b5792b0a4a5a8bfb63dabb7e55801e357959d3c6",
}
CLASSES = tuple(
    """
    speed_20 speed_30 speed_50 speed_60 speed_70 speed_80 speed_80_end speed_100 speed_120 no_overtaking
    no_overtaking_lorries priority_at_crossing priority_road give_way stop no_traffic no_lorries no_entry danger
    bend_left bend_right bends bumps slippery road_narrows construction signals pedestrians children bicycles ice
    animals restrictions_end turn_right turn_left straight_on straight_or_right straight_or_left keep_right keep_left
    roundabout overtaking_end overtaking_lorries_end
    """.split()  # noqa: SIM905  (a list would take as many lines as names)
)
SIDE = 32
COLUMNS = ["Filename", "Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId"]
#: Width and height of a frame; the largest official one has 266 pixels. Guards against images made to fill the memory.
MAXIMUM_SIDE = 1024
#: Bytes of a table of annotations; the largest official one has 0.4 MB.
MAXIMUM_ANNOTATIONS = 2**21


def crop(frame: np.ndarray, x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    """The region of interest of a frame, resized to (32, 32, 3) uint8 by Lanczos resampling.

    Args:
        frame: (height, width, 3) uint8.
        x1, y1, x2, y2: the region's corners: columns x1 to x2 and rows y1 to y2, the latter ones excluded, which
            leaves equal borders on both sides of an official frame.

    Raises:
        DataError: the region is empty, or not within the frame.
    """
    from PIL import Image

    height, width = frame.shape[:2]
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise DataError(
            f"the region of interest, columns {x1} to {x2} and rows {y1} to {y2}, is not within the image of"
            f" {width} × {height} pixels"
        )
    region = Image.fromarray(frame).crop((x1, y1, x2, y2))
    return np.asarray(region.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def decode_ppm(content: bytes) -> np.ndarray:
    """The pixels (height, width, 3) uint8 of a binary PPM image.

    Raises:
        DataError: not one, or truncated.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PPM"]) as image:
            if image.mode != "RGB" or not all(0 < side <= MAXIMUM_SIDE for side in image.size):
                raise DataError(f"an image of {image.size} pixels and mode {image.mode} is no colour photograph")
            return np.asarray(image)
    except DataError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(f"damaged image ({error})") from error


def read_annotations(content: bytes, name: str) -> pd.DataFrame:
    """Read the table of an annotation file, columns `COLUMNS`; `name` is for the message.

    Raises:
        DataError: other columns, values that are no whole numbers, a class that there is not, or an image that is there
            twice.
    """
    header, *rows = content.splitlines() or [b""]
    if header != ";".join(COLUMNS).encode():
        raise DataError(f"{name} has columns {header[:200]!r}; expected {COLUMNS}.")
    # Of rows of other lengths pandas would make columns by the million.
    if any(row and row.count(b";") != len(COLUMNS) - 1 for row in rows):
        raise DataError(f"{name}: damaged annotations (each row must have {len(COLUMNS)} fields).")
    try:
        table = pd.read_csv(
            io.BytesIO(content),
            sep=";",
            quoting=csv.QUOTE_NONE,
            dtype={**dict.fromkeys(COLUMNS, np.int64), "Filename": str},
        )
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        raise DataError(f"{name}: damaged annotations ({str(error)[:200]}).") from error
    if not table["ClassId"].between(0, len(CLASSES) - 1).all():
        raise DataError(f"{name}: class {table['ClassId'].max()} or {table['ClassId'].min()} is not one of 0 to 42.")
    # Images are read row by row: one named again and again would fill the memory.
    if table["Filename"].isna().any() or table["Filename"].duplicated().any():
        raise DataError(f"{name}: a row names no image, or one that another row names, too.")
    return table


def _read_images(archive: ZipArchive, folder: str, annotations: pd.DataFrame) -> np.ndarray:
    """The images (n, 32, 32, 3) uint8 that the annotations name, in their order; every image must be annotated."""
    stored = {name for name in archive.names if name.startswith(f"{folder}/") and name.endswith(".ppm")}
    annotated = {f"{folder}/{name}" for name in annotations["Filename"]}
    if unknown := stored - annotated:
        raise DataError(f"{archive.path}: {min(unknown)} is not in the annotations.")
    if missing := annotated - stored:
        raise DataError(f"{archive.path} lacks {min(missing)}.")
    images = np.empty((len(annotations), SIDE, SIDE, 3), np.uint8)
    rows = annotations[["Filename", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2"]].itertuples(index=False, name=None)
    for number, (filename, *corners) in enumerate(rows):
        name = f"{folder}/{filename}"
        try:
            images[number] = crop(decode_ppm(archive.read(name)), *corners)
        except DataError as error:
            text = str(error)
            raise DataError(text if name in text else f"{archive.path}: {name}: {text}.") from error
    return images


def read_training(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) uint8 and labels (n,) of the training archive, class by class.

    Raises:
        DataError: a class or its annotations are missing, or anything is damaged.
    """
    images, labels = [], []
    with open_zip(path) as archive:
        base = "GTSRB/Final_Training/Images"
        present = {PurePosixPath(name).parts[3] for name in archive.names if re.match(rf"{base}/\d{{5}}/", name)}
        missing = [f"{label:05d}" for label in range(len(CLASSES)) if f"{label:05d}" not in present]
        if missing:
            raise DataError(f"{path} lacks the classes {', '.join(missing)} of {base}.")
        for label in range(len(CLASSES)):
            folder = f"{base}/{label:05d}"
            content = archive.read(f"{folder}/GT-{label:05d}.csv", MAXIMUM_ANNOTATIONS)
            table = read_annotations(content, f"{path}, {folder}")
            if not len(table) or (table["ClassId"] != label).any():
                raise DataError(f"{path}: the annotations in {folder} are not of class {label} alone.")
            images.append(_read_images(archive, folder, table))
            labels.append(table["ClassId"].to_numpy())
    return np.concatenate(images), np.concatenate(labels)


def read_test(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) uint8 and labels (n,) of the test archive and its later published annotations."""
    with open_zip(labels_path) as archive:
        name = "GT-final_test.csv"
        table = read_annotations(archive.read(name, MAXIMUM_ANNOTATIONS), f"{labels_path}, {name}")
    with open_zip(images_path) as archive:
        return _read_images(archive, "GTSRB/Final_Test/Images", table), table["ClassId"].to_numpy()


def read(archives: Mapping[str, Path]) -> Arrays:
    """Read training and test part; images (n, 32, 32, 3) uint8."""
    train, train_labels = read_training(archives[TRAIN_IMAGES])
    test, test_labels = read_test(archives[TEST_IMAGES], archives[TEST_LABELS])
    return Arrays(train, train_labels, test, test_labels)


GTSRB = Dataset(
    name="gtsrb",
    classes=CLASSES,
    read=read,
    archives=tuple(
        Archive(name, (SERVER + name,), f"md5:{md5}", editions=(REDUCED_SHA256[name],)) for name, md5 in MD5.items()
    ),
    # Of the other classes the editions have different numbers.
    sizes={"stop": (780, 270)},
)
