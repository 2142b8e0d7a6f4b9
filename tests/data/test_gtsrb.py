"""GTSRB: the crop's orientation, the zip archives and their faults, and the real archives."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocnn.data import load_dataset
from ocnn.data.archives import check_available
from ocnn.data.formats.zip import MAXIMUM_SIZE, open_zip
from ocnn.data.gtsrb import CLASSES, COLUMNS, crop, decode_ppm, read_test, read_training
from ocnn.data.splits import class_sizes
from ocnn.errors import DataError

BASE = "GTSRB/Final_Training/Images"
FOURTEEN = f"{BASE}/00014"


def ppm(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PPM")
    return file.getvalue()


def annotations(rows: list[tuple[str, int, int, int, int, int, int, int]]) -> bytes:
    return "\n".join([";".join(COLUMNS), *(";".join(map(str, row)) for row in rows)]).encode() + b"\n"


def sign() -> np.ndarray:
    """A frame 40 wide and 30 high, region columns 4 to 36 and rows 6 to 26: red left, green right, dark below."""
    frame = np.full((30, 40, 3), 255, np.uint8)
    frame[6:16, 4:20], frame[6:16, 20:36] = (200, 0, 0), (0, 200, 0)
    frame[16:26, 4:20], frame[16:26, 20:36] = (100, 0, 0), (0, 100, 0)
    return frame


SIGN = ("sign.ppm", 40, 30, 4, 6, 36, 26)


def training(changes: Mapping[str, bytes | None] | None = None) -> dict[str, bytes]:
    """The members of a training archive with one image a class; a change to None leaves a member out."""
    members: dict[str, bytes] = {}
    for label in range(len(CLASSES)):
        folder = f"{BASE}/{label:05d}"
        members[f"{folder}/sign.ppm"] = ppm(sign())
        members[f"{folder}/GT-{label:05d}.csv"] = annotations([(*SIGN, label)])
    changed: dict[str, bytes | None] = {**members, **(changes or {})}
    return {name: content for name, content in changed.items() if content is not None}


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_x_is_the_column_and_y_the_row() -> None:
    image = crop(sign(), 4, 6, 36, 26).astype(int)
    assert image.shape == (32, 32, 3)
    # Away from the edges between the four fields each is of its own colour, and no white border is left.
    np.testing.assert_allclose(image[4, 4], (200, 0, 0), atol=2)
    np.testing.assert_allclose(image[4, 28], (0, 200, 0), atol=2)
    np.testing.assert_allclose(image[28, 4], (100, 0, 0), atol=2)
    np.testing.assert_allclose(image[28, 28], (0, 100, 0), atol=2)
    assert image[..., 2].max() <= 2


def test_a_region_of_the_final_size_is_cut_out_unchanged() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    np.testing.assert_array_equal(crop(frame, 7, 3, 39, 35), frame[3:35, 7:39])


def test_a_large_region_is_averaged_and_not_sampled() -> None:
    """A checkerboard of single pixels becomes grey; every eighth pixel of it would be black or white."""
    board = np.indices((256, 256)).sum(axis=0) % 2 * 255
    image = crop(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), 0, 0, 256, 256)
    assert np.abs(image[4:-4, 4:-4].astype(int) - 127).max() < 3


@pytest.mark.parametrize(
    "roi",
    [(4, 6, 41, 26), (4, 6, 36, 31), (-1, 6, 36, 26), (4, -1, 36, 26), (20, 6, 20, 26), (36, 26, 4, 6)],
)
def test_a_region_outside_the_frame(roi: tuple[int, int, int, int]) -> None:
    with pytest.raises(DataError, match="not within the image of 40 × 30"):
        crop(sign(), *roi)


def test_the_archives(tmp_path: Path) -> None:
    second = {
        f"{FOURTEEN}/other.ppm": ppm(sign()[:, ::-1]),
        f"{FOURTEEN}/GT-00014.csv": annotations([(*SIGN, 14), ("other.ppm", 40, 30, 4, 6, 36, 26, 14)]),
    }
    images, labels = read_training(write_zip(tmp_path / "train.zip", training(second)))
    assert images.shape == (44, 32, 32, 3)
    np.testing.assert_array_equal(labels, np.sort([*range(43), 14]))
    # In the order of the annotations, so that the mirrored one is the second of its class.
    assert images[14, 4, 4, 0] > images[15, 4, 4, 0] + 100
    base = "GTSRB/Final_Test/Images"
    test = write_zip(
        tmp_path / "test.zip", {f"{base}/00000.ppm": ppm(sign()), f"{base}/00001.ppm": ppm(sign()[:, ::-1])}
    )
    rows = [("00001.ppm", 40, 30, 4, 6, 36, 26, 3), ("00000.ppm", 40, 30, 4, 6, 36, 26, 42)]
    images, labels = read_test(test, write_zip(tmp_path / "gt.zip", {"GT-final_test.csv": annotations(rows)}))
    np.testing.assert_array_equal(labels, [3, 42])
    assert images[0, 4, 4, 1] > images[1, 4, 4, 1] + 100


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({f"{FOURTEEN}/sign.ppm": None, f"{FOURTEEN}/GT-00014.csv": None}, "lacks the classes 00014"),
        ({f"{FOURTEEN}/GT-00014.csv": None}, f"lacks {FOURTEEN}/GT-00014.csv"),
        ({f"{FOURTEEN}/sign.ppm": None}, f"lacks {FOURTEEN}/sign.ppm"),
        ({f"{FOURTEEN}/GT-00014.csv": annotations([])}, "not of class 14 alone"),
        ({f"{FOURTEEN}/GT-00014.csv": annotations([(*SIGN, 13)])}, "not of class 14 alone"),
        ({f"{FOURTEEN}/GT-00014.csv": annotations([(*SIGN, 43)])}, "is not one of 0 to 42"),
        ({f"{FOURTEEN}/GT-00014.csv": b"a;b\n1;2\n"}, "expected"),
        ({f"{FOURTEEN}/GT-00014.csv": annotations([(*SIGN, 14)]).replace(b";36;", b";x;")}, "damaged annotations"),
        ({f"{FOURTEEN}/GT-00014.csv": annotations([("sign.ppm", 40, 30, 4, 6, 36, 46, 14)])}, "sign.ppm: the region"),
        ({f"{FOURTEEN}/sign.ppm": ppm(sign())[:-900]}, "sign.ppm: damaged image"),
        ({f"{FOURTEEN}/sign.ppm": b""}, "sign.ppm: damaged image"),
        ({f"{FOURTEEN}/sign.ppm": b"P6 90000 90000 255\n"}, "sign.ppm: "),
        ({f"{FOURTEEN}/sign.ppm": ppm(sign()[..., 0])}, "no colour photograph"),
        ({f"{FOURTEEN}/new.ppm": ppm(sign())}, "new.ppm is not in the annotations"),
        ({"../outside.ppm": b"x"}, "leads out of"),
        ({f"{BASE}/..\\..\\outside.ppm": b"x"}, "leads out of"),
        ({"/etc/passwd": b"x"}, "leads out of"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_a_faulty_training_archive_is_refused(tmp_path: Path, changes: dict[str, bytes | None], message: str) -> None:
    path = write_zip(tmp_path / "train.zip", training(changes))
    with pytest.raises(DataError, match=r"train\.zip") as error:
        read_training(path)
    assert message in str(error.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["train.zip"]


def test_a_member_that_is_there_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        file.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a", b"2")
    with pytest.raises(DataError, match="holds the member a twice"), open_zip(tmp_path / "z.zip"):
        pass


def test_a_member_that_would_fill_the_memory(tmp_path: Path) -> None:
    write_zip(tmp_path / "z.zip", {"a": bytes(MAXIMUM_SIZE + 1)})
    assert (tmp_path / "z.zip").stat().st_size < 2**16
    with open_zip(tmp_path / "z.zip") as archive, pytest.raises(DataError, match="too large"):
        archive.read("a")


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"no archive" * 100]
)
def test_what_is_no_zip_archive(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = write_zip(tmp_path / "train.zip", training())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="corrupt or truncated archive"):
        read_training(path)


def test_the_real_archives(mirror: Path) -> None:
    dataset = load_dataset("gtsrb")
    assert check_available("gtsrb", dataset.archives, mirror) == []
    arrays = dataset.load({archive.name: mirror / "gtsrb" / archive.name for archive in dataset.archives})
    stop = dataset.classes.index("stop")
    assert stop == 14
    sizes = class_sizes(dataset.classes, arrays.train_labels, arrays.test_labels)
    assert dataset.sizes == {"stop": sizes["stop"]}
    # A stop sign is red, and its letters make the middle lighter than the parts above and below.
    mean = arrays.train[arrays.train_labels == stop].mean(axis=0)
    assert mean[8:24, 8:24, 0].mean() > 1.5 * mean[8:24, 8:24, 1].mean()
    assert mean[14:18, 6:26].mean() > mean[6:9, 10:22].mean()
    assert mean[14:18, 6:26].mean() > mean[23:26, 10:22].mean()


def test_an_image_larger_than_any_photograph_is_refused() -> None:
    """Of 1,024 pixels at most a side, as it says itself."""
    assert decode_ppm(b"P6 1024 1 255\n" + bytes(3 * 1024)).shape == (1, 1024, 3)
    for size in (b"1025 1", b"1 1025"):
        with pytest.raises(DataError, match="no colour photograph"):
            decode_ppm(b"P6 " + size + b" 255\n" + bytes(3 * 1025))
    with pytest.raises(DataError, match="no colour photograph"):
        decode_ppm(b"P5 2 1 255\n" + bytes(2))
