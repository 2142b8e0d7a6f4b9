"""Folders of pictures as data sets: what a small one becomes, and what is said of those that cannot be used."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ocnn.data import Dataset, folders
from ocnn.data.folders import folder_dataset, picture_names
from ocnn.data.formats.picture import read_picture
from ocnn.errors import DataError
from ocnn.steps.jobs import describe

SCREWS = {"train/good": 4, "test/good": 2, "test/scratch": 2, "test/bent": 1}
PLAIN = {"good": 10, "scratch": 5}


def draw(path: Path, level: int = 100, mode: str = "RGB", size: tuple[int, int] = (6, 4), **options: Any) -> Path:
    """A picture of one level of grey; `size` is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = Image.new("L", size, level)
    (grey if mode == "L" else grey.convert(mode)).save(path, **options)
    return path


def screws(folder: Path, counts: dict[str, int] = SCREWS) -> Path:
    """Pictures, each of a level of its own, counted from 0 in the order of the folders' names and then of theirs."""
    level = 0
    for place in sorted(counts, key=lambda place: (not place.startswith("train"), place)):
        for number in range(counts[place]):
            draw(folder / "screws" / place / f"{number:03}.png", level)
            level += 1
    return folder / "screws"


def dataset(root: Path, **settings: Any) -> Dataset:
    return folder_dataset(**{"name": "screws", "folder": str(root), "normal": ["good"], "size": 4, **settings})


def levels(samples: Any) -> list[int]:
    """The level of each sample, which has no other."""
    assert samples.min(axis=(1, 2, 3)).tolist() == samples.max(axis=(1, 2, 3)).tolist()
    return [int(level) for level in samples[:, 0, 0, 0]]


def test_a_folder_as_mvtec_has_it(tmp_path: Path) -> None:
    root = screws(tmp_path)
    draw(root / "ground_truth" / "scratch" / "000_mask.png")
    (root / "license.txt").write_text("free")
    (root / "train" / "good" / ".DS_Store").write_text("")
    found = dataset(root, size=[4, 6])
    assert found.classes == ("good", "bent", "scratch")
    assert found.normal_classes == ("good",)
    assert found.sizes == {"good": (4, 2), "bent": (0, 1), "scratch": (0, 2)}
    assert (found.images, found.has_test) == (True, True)
    arrays = found.load({})
    assert arrays.train.shape == (4, 4, 6, 3)
    assert arrays.train.dtype == np.uint8
    assert (levels(arrays.train), levels(arrays.test)) == ([0, 1, 2, 3], [4, 5, 6, 7, 8])
    assert (arrays.train_labels.tolist(), arrays.test_labels.tolist()) == ([0] * 4, [1, 0, 0, 2, 2])


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    root = screws(tmp_path, PLAIN)
    found = dataset(root, channels=1)
    assert found.sizes == {"good": (6, 4), "scratch": (3, 2)}
    arrays = found.load({})
    assert sorted(levels(arrays.train) + levels(arrays.test)) == list(range(15))
    assert [int(level >= 10) for level in levels(arrays.test)] == arrays.test_labels.tolist()
    again, other = dataset(root, channels=1, split_seed=0), dataset(root, channels=1, split_seed=1)
    assert again is found
    assert levels(other.load({}).test) != levels(arrays.test)
    assert dataset(root, test_share=0.2).sizes == {"good": (8, 2), "scratch": (4, 1)}
    assert dataset(root, normal="all").normal_classes == ("good", "scratch")


def test_a_folder_without_labels(tmp_path: Path) -> None:
    for number, place in enumerate(("b.png", "a.png", "deep/er/c.png")):
        draw(tmp_path / "all" / place, number)
    settings: dict[str, Any] = {"name": "all", "folder": str(tmp_path / "all"), "normal": "none", "size": 4}
    found = folder_dataset(**settings)
    assert (found.normal_classes, found.has_test) == (("unlabelled",), False)
    assert found.sizes == {"unlabelled": (3, 0), "anomaly": (0, 0)}
    arrays = found.load({})
    assert (levels(arrays.train), len(arrays.test)) == ([1, 0, 2], 0)
    assert picture_names(**settings) == {"train": ["a.png", "b.png", "deep/er/c.png"], "test": []}
    draw(tmp_path / "all" / "train" / "x.png")
    draw(tmp_path / "all" / "test" / "y.png")
    with pytest.raises(DataError, match="holds 'deep' beside `train` and `test`; put that into `leave_out`"):
        folder_dataset(**settings)
    settings["leave_out"] = ["deep"]
    assert folder_dataset(**settings).sizes["unlabelled"] == (1, 1)
    assert picture_names(**settings) == {"train": ["train/x.png"], "test": ["test/y.png"]}


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *(("RGB", suffix) for suffix in ("png", "jpg", "jpeg", "ppm", "bmp", "PNG")),
        *((mode, "png") for mode in ("L", "LA", "P", "RGBA", "I;16")),
        *((mode, "jpg") for mode in ("L", "CMYK")),
        *(("L", suffix) for suffix in ("pgm", "pnm", "bmp")),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_modes_and_formats(mode: str, suffix: str, channels: int, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    if mode == "I;16":
        Image.fromarray(np.full((4, 6), 100 * 257, np.uint16)).save(path)
    else:
        draw(path, 100, mode)
    pixels = read_picture(path, (5, 3), channels)
    assert pixels.shape == (5, 3, channels)
    expected = 100 / 255 if mode == "I;16" else 100
    np.testing.assert_allclose(pixels, expected, atol=0 if mode != "CMYK" and "jp" not in suffix else 1, rtol=1e-6)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    """Pillow's own conversion to eight bits makes 255 of all that is above; the levels here differ by less than one."""
    values = np.array([[1000, 1001], [1002, 65535]], np.uint16)
    for suffix in ("png", "pgm"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(values).save(path)
        pixels = read_picture(path, (2, 2), 1)
        assert pixels.dtype == np.float32
        np.testing.assert_allclose(pixels[..., 0], values / 65535, rtol=1e-6)
    # A largest value of its own, as microscopes write it.
    (tmp_path / "b.pgm").write_bytes(b"P5 2 1 4095\n" + np.array([4095, 0], ">u2").tobytes())
    np.testing.assert_array_equal(read_picture(tmp_path / "b.pgm", (1, 2), 1)[..., 0], [[1, 0]])


def test_deep_and_other_pictures_together(tmp_path: Path) -> None:
    root = screws(tmp_path)
    Image.fromarray(np.full((4, 6), 32768, np.uint16)).save(root / "train" / "good" / "deep.png")
    arrays = dataset(root).load({})
    assert arrays.train.dtype == arrays.test.dtype == np.float32
    np.testing.assert_allclose(arrays.train[:, 0, 0, 0], [0, 1 / 255, 2 / 255, 3 / 255, 32768 / 65535], rtol=1e-6)


def test_a_picture_lies_as_its_exif_data_say(tmp_path: Path) -> None:
    """Of six by four pixels, the left half black; turned clockwise by a quarter, its upper half is."""
    values = np.zeros((4, 6, 3), np.uint8)
    values[:, 3:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    for suffix in ("png", "jpg"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(values).save(path, exif=exif, quality=100)
        turned = read_picture(path, (6, 4), 1)[..., 0]
        np.testing.assert_allclose(turned, np.repeat([[0], [255]], 3, axis=0).repeat(4, axis=1), atol=3)


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    """Whatever colour stands under it: half of it shows half of that."""
    values = np.full((1, 3, 4), 100, np.uint8)
    values[0, :, 3] = [0, 255, 51]
    Image.fromarray(values).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", (1, 3), 1)[0, :, 0], [255, 100, 224])
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    palette.putpalette([10, 10, 10, 20, 20, 20])
    palette.save(tmp_path / "p.png", transparency=0)
    np.testing.assert_array_equal(read_picture(tmp_path / "p.png", (1, 2), 3)[0, :, 0], [255, 20])


def test_of_several_pictures_in_a_jpeg_file_the_first(tmp_path: Path) -> None:
    """Telephones add a second one, for brightness."""
    first, second = (Image.new("RGB", (6, 4), (level,) * 3) for level in (50, 200))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    with Image.open(tmp_path / "a.jpg") as both:
        assert (both.format, getattr(both, "n_frames", 1)) == ("MPO", 2)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.jpg", (2, 3), 1), np.full((2, 3, 1), 50))


def test_shrinking_averages(tmp_path: Path) -> None:
    """A chessboard of single pixels becomes grey; without averaging it would stay black or white."""
    board = 255 * (np.indices((64, 64)).sum(axis=0) % 2).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", (8, 8), 1), 127.5, atol=3)


def described(root: Path, **settings: Any) -> dict[str, Any]:
    return describe(dataset(root, **settings))


def test_content_counts_and_time_does_not(tmp_path: Path) -> None:
    root = screws(tmp_path)
    before = described(root)
    path = root / "test" / "scratch" / "000.png"
    os.utime(path, (0, 0))
    path.rename(path.with_name("0000.png"))
    assert described(root) == before
    draw(root / "test" / "scratch" / "0000.png", 7 + 100)
    edited = described(root)
    draw(root / "test" / "scratch" / "zzz.png", 9)
    added = described(root)
    (root / "test" / "scratch" / "zzz.png").unlink()
    assert before != edited != added
    assert described(root) == edited
    # The same pictures in another class.
    (root / "test" / "scratch").rename(root / "test" / "split")
    assert described(root)["settings"]["content"] != edited["settings"]["content"]
    assert described(root, size=5)["settings"] != described(root)["settings"]


def test_many_pictures_are_looked_at_by_their_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong beyond them, the job that reads them says."""
    monkeypatch.setattr(folders, "CHEAP", 0)
    root = screws(tmp_path)
    path = root / "train" / "good" / "001.png"
    path.write_bytes(path.read_bytes()[:-30])
    found = dataset(root)
    with pytest.raises(DataError, match=r"1 of 9 pictures cannot be used: .*good/001.png cannot be decoded: "):
        found.load({})
    path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 of 9 pictures cannot be used: .*it is none of PNG"):
        dataset(root)


def test_a_part_of_a_picture_that_states_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow asks for what a PNG's chunk states; where memory is short that is no OSError, as fuzzing found."""
    path = tmp_path / "a.png"
    path.write_bytes(saved("PNG"))

    def short(*arguments: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", short)
    with pytest.raises(DataError, match=r"a.png cannot be decoded: a part of it states more bytes"):
        read_picture(path, (2, 2), 1)


def test_all_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    root = screws(tmp_path)
    for number in range(4):
        (root / "train" / "good" / f"{number:03}.png").write_bytes(b"no picture")
    with pytest.raises(
        DataError, match=r"4 of 9 pictures cannot be used: .*/000.png.*/001.png.*/002.png.*; and 1 more$"
    ):
        dataset(root)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG file of grey, all black."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def saved(form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (6, 4), (1, 2, 3)).save(file, form, **options)
    return file.getvalue()


def animation() -> bytes:
    frames = [Image.new("L", (4, 4), level) for level in (0, 100)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


#: What a file in `train/good` holds, and what is said of it.
PICTURES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "cannot be decoded: it is none of PNG, JPEG"),
    "text": (b"a picture", "cannot be decoded: it is none of PNG, JPEG"),
    "GIF by another name": (saved("GIF"), "cannot be decoded: it is none of PNG, JPEG"),
    "TIFF by another name": (saved("TIFF"), "cannot be decoded: it is none of PNG, JPEG"),
    "WebP by another name": (saved("WEBP"), "cannot be decoded: it is none of PNG, JPEG"),
    "cut PNG": (saved("PNG")[:-30], "cannot be decoded"),
    "cut JPEG": (saved("JPEG")[:-200], "cannot be decoded: .*[Tt]runcated"),
    "cut BMP": (saved("BMP")[:-20], "cannot be decoded: .*truncated"),
    "cut PPM": (saved("PPM")[:-20], "cannot be decoded: .*truncated"),
    "header of a PNG": (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
    "header of a JPEG": (b"\xff\xd8\xff\xe0", "cannot be decoded"),
    "a wrong checksum": (saved("PNG").replace(b"IDAT", b"IDAX"), "cannot be decoded"),
    "no pixels": (png(4, 4), "cannot be decoded"),
    "no size": (png(0, 4), "cannot be decoded"),
    "a bomb": (png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(1000)))), "cannot be decoded: .*exceeds limit"),
    "a smaller bomb": (
        png(9000, 9000, chunk(b"IDAT", zlib.compress(bytes(9001 * 9000)))),
        "9000 × 9000 pixels, more than 67,108,864; make it smaller",
    ),
    "a bomb of few pixels": (
        png(6000, 6000, chunk(b"IDAT", zlib.compress(bytes(6001 * 6000)))),
        "takes 36,000,000 bytes in memory, far more than its own; make it smaller",
    ),
    "a bomb of text": (
        png(4, 4, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7))), chunk(b"IDAT", zlib.compress(bytes(20)))),
        "cannot be decoded: .*[Dd]ecompressed",
    ),
    "an animation": (animation(), "is an animation; give its pictures one by one"),
    "floats": (b"Pf\n2 1\n-1.0\n" + bytes(8), "holds floats, of which nobody knows the range"),
}


@pytest.mark.parametrize("what", PICTURES)
def test_pictures_that_cannot_be_used(what: str, tmp_path: Path) -> None:
    content, message = PICTURES[what]
    root = screws(tmp_path)
    (root / "train" / "good" / "new.png").write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        dataset(root)
    text = str(error.value)
    assert "1 of 10 pictures cannot be used" in text
    assert text.count("new.png") == 1
    assert "\n" not in text


def place(name: str) -> Callable[[Path], Any]:
    return lambda root: draw(root / name)


def write(name: str, text: str = "") -> Callable[[Path], Any]:
    return lambda root: (root / name).write_text(text)


def make(name: str) -> Callable[[Path], Any]:
    return lambda root: (root / name).mkdir(parents=True)


def nothing(root: Path) -> None:
    pass


def linked(root: Path) -> None:
    (root / "train" / "good" / "z.png").symlink_to(root / "nowhere.png")


#: The folders that are there, what else is done to them, the settings, and what is said.
FOLDERS: dict[str, tuple[dict[str, int], Callable[[Path], Any], dict[str, Any], str]] = {
    "no folder": (SCREWS, nothing, {"folder": "/nowhere/screws"}, "there is no folder /nowhere/screws"),
    "no such class": (SCREWS, nothing, {"normal": ["god"]}, "no picture has the value 'god' of `normal`; there are"),
    "a class twice": (SCREWS, nothing, {"normal": {"a": ["good"], "b": ["good"]}}, "has the value 'good' twice"),
    "a group's name": (SCREWS, nothing, {"normal": {"bent": ["good"]}}, "calls a group 'bent', which is a value of"),
    "all normal": ({"train/good": 2, "test/good": 2}, nothing, {}, "every picture is normal; without an anomaly"),
    "no anomaly in the test": (
        {"train/good": 2, "train/bent": 1, "test/good": 2},
        nothing,
        {},
        "no picture of the test part is anomalous where 'good' is normal",
    ),
    "no normal picture in the test": (
        {"train/good": 2, "test/bent": 2},
        nothing,
        {},
        "no picture of the test part is normal where 'good' is normal",
    ),
    "another folder": (SCREWS, place("more/good/a.png"), {}, "holds 'more' beside `train` and `test`; put that into"),
    "nothing to leave out": (
        PLAIN,
        nothing,
        {"leave_out": ["bad"]},
        "has no folder 'bad' for `leave_out`; its folders",
    ),
    "all left out": (
        PLAIN,
        nothing,
        {"leave_out": ["good", "scratch"]},
        "has no folder of a class; where there are no",
    ),
    "loose pictures": (
        PLAIN,
        place("a.png"),
        {},
        "holds 1 pictures outside of any class's folder, first 'a.png'; where",
    ),
    "loose pictures of a part": (SCREWS, place("train/a.png"), {}, "train holds 1 pictures outside of any class's"),
    "pictures alone": ({"": 3}, nothing, {}, "holds 3 pictures outside of any class's folder"),
    "nothing": ({}, make("."), {}, "has no folder of a class; where there are no labels, `normal: none`"),
    "nothing without labels": ({}, make("."), {"normal": "none"}, r"holds no picture; read are \.png, \.jpg"),
    "an empty class": (SCREWS, make("test/hole"), {}, "test/hole holds no picture; put it into `leave_out`, or"),
    "an empty part": ({"train/good": 2}, make("test"), {"normal": "none"}, "test holds no picture"),
    "no picture's suffix": (
        SCREWS,
        write("train/good/a.tif"),
        {},
        r"holds 1 files of other kinds, first .*a\.tif",
    ),
    "a part alone": ({"train/good": 2}, nothing, {}, "holds 'train'; both `train` and `test` are needed, in small"),
    "parts in capitals": (
        {"Train/good": 2, "Test/good": 2, "Test/bent": 2},
        nothing,
        {},
        "holds 'Test', 'Train'; both `train` and `test` are needed, in small letters, or neither",
    ),
    "a share that is not split off": (SCREWS, nothing, {"test_share": 0.3}, "`test_share` .* as the folder `test` is"),
    "a seed that decides nothing": (SCREWS, nothing, {"split_seed": 3}, "`test_share` .* as the folder `test` is that"),
    "a share without labels": (PLAIN, nothing, {"normal": "none", "test_share": 0.3}, "`split_seed` .* without labels"),
    "a class of one": ({"good": 9, "bent": 1}, nothing, {}, "one picture alone has the label 'bent', which cannot be"),
    "too few": ({"good": 2, "bent": 2}, nothing, {"test_share": 0.1}, "is too small for a `test_share` of 0.1"),
    "too many values": (
        SCREWS,
        nothing,
        {"size": 8000},
        "9 pictures of 8000 × 8000 × 3 are 1,728,000,000 values, more",
    ),
    "a broken link": (SCREWS, linked, {}, "z.png cannot be read: No such file"),
    "no name": (SCREWS, nothing, {"name": "a\nb"}, "A data set cannot be called"),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_folders_that_cannot_be_used(what: str, tmp_path: Path) -> None:
    counts, change, settings, message = FOLDERS[what]
    root = screws(tmp_path, counts)
    change(root)
    with pytest.raises(DataError, match=message) as error:
        dataset(root, **settings)
    assert "\n" not in str(error.value)
