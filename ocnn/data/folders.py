"""Folders of pictures of the user's own as data sets, by settings alone."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocnn.data.archives import digest
from ocnn.data.dataset import Arrays, Dataset
from ocnn.data.formats.picture import SUFFIXES, check_picture, read_picture
from ocnn.data.labels import Normal, check_tested, classes_of, listed, normal_groups, split_parts
from ocnn.data.preprocessing import to_unit_interval
from ocnn.data.splits import class_sizes
from ocnn.errors import DataError

PARTS = ("train", "test")
#: What MVTec AD has beside its pictures: masks of the defects.
NO_CLASSES = ("ground_truth",)
#: So many bytes of pictures are decoded while planning, in a second or two; of more, the headers alone are read.
CHEAP = 2**25
#: Values of all pictures, of 4 bytes each once they are normalised.
MOST_VALUES = 2**30
#: So many pictures that cannot be decoded are named.
NAMED = 3


@dataclass(frozen=True)
class Folder:
    """The settings of a folder of pictures.

    Attributes:
        name: of the data set.
        folder: its path. It holds either the folders `train` and `test`, each with a folder per class, as MVTec AD has
            them; or a folder per class.
        normal: `all`, each class in turn; or the groups of classes that are each in turn the normal one, by name. Each
            class in no group is one of anomalies. `none`: there are no labels, and all pictures below `folder` are the
            training part, or those below `train`, where that and `test` are there.
        size: height and width to which each picture is brought.
        channels: 1 or 3, likewise.
        leave_out: folders that are no classes.
        test_share: share of the pictures that make the test part where none is given, drawn stratified by class.
        split_seed: decides which these are.
    """

    name: str
    folder: str
    normal: Normal
    size: tuple[int, int]
    channels: int = 3
    leave_out: tuple[str, ...] = NO_CLASSES
    test_share: float = 0.4
    split_seed: int = 0


@dataclass(frozen=True)
class Picture:
    """A file of a folder: the part and the class that its place says, either may be empty, and its time and size."""

    path: Path
    part: str
    label: str
    stamp: tuple[int, int]


def folder_dataset(*, normal: Any, size: Any, leave_out: Sequence[str] = NO_CLASSES, **settings: Any) -> Dataset:
    """Make a data set of a folder of pictures.

    The pictures of small folders are decoded here, so that whatever is wrong with one is said before it is used; of
    larger ones the headers are read.

    Args:
        normal: `all`, `none`, a list of classes that are normal together, or a mapping of names to such lists.
        size: height and width, or one number for both.
        leave_out, settings: the other fields of `Folder`.

    Raises:
        DataError: what is wrong with the folder or does not fit the settings.
    """
    folder = _folder(normal, size, leave_out, settings)
    return _dataset(folder, _pictures(folder))


def picture_names(
    *, normal: Any, size: Any, leave_out: Sequence[str] = NO_CLASSES, **settings: Any
) -> dict[str, list[str]]:
    """Name the pictures of a folder without labels by their paths in it.

    Args:
        normal, size, leave_out, settings: of `folder_dataset`.

    Returns:
        The names by part, `train` and `test`, in the order of the arrays.
    """
    folder = _folder(normal, size, leave_out, settings)
    names: dict[str, list[str]] = {part: [] for part in PARTS}
    for picture in _pictures(folder):
        path = os.fsencode(picture.path.relative_to(folder.folder))
        names[picture.part or "train"].append(path.decode("utf-8", "replace"))
    return names


def _folder(normal: Any, size: Any, leave_out: Sequence[str], settings: Mapping[str, Any]) -> Folder:
    height, width = (size, size) if isinstance(size, int) else size
    return Folder(normal=normal_groups(normal), size=(height, width), leave_out=tuple(leave_out), **settings)


def _pictures(folder: Folder) -> tuple[Picture, ...]:
    """The pictures of a folder, by part, class and path."""
    root = Path(folder.folder)
    if not root.is_dir():
        raise DataError(f"there is no folder {root}")
    classes = _folders(root)
    unknown = [name for name in folder.leave_out if name not in classes and name not in NO_CLASSES]
    in_parts = set(PARTS) <= set(classes)
    alone = sorted(name for name in classes if name.lower() in PARTS and name not in folder.leave_out)
    if alone and not in_parts and folder.normal != "none":
        raise DataError(
            f"{root} holds {listed(alone)}; both `train` and `test` are needed, in small letters, or neither"
        )
    split_off = not in_parts and folder.normal != "none"
    if not split_off and (folder.test_share, folder.split_seed) != (Folder.test_share, Folder.split_seed):
        raise DataError(
            "`test_share` and `split_seed` decide which pictures are split off as the test part, and none are here,"
            f" {'as the folder `test` is that part' if in_parts else 'without labels'}; leave them out"
        )
    if in_parts:
        unknown = [name for name in unknown if not any((root / part / name).is_dir() for part in PARTS)]
        others = [name for name in classes if name not in (*PARTS, *folder.leave_out)]
        if others:
            raise DataError(f"{root} holds {listed(others)} beside `train` and `test`; put that into `leave_out`")
    if unknown:
        raise DataError(f"{root} has no folder {unknown[0]!r} for `leave_out`; its folders are {listed(classes)}")
    places = [(part, root / part) for part in PARTS] if in_parts else [("", root)]
    found = [picture for part, place in places for picture in _of_part(folder, part, place)]
    if not found:
        raise DataError(f"{root} holds no picture; read are {', '.join(SUFFIXES)}")
    return tuple(found)


def _of_part(folder: Folder, part: str, place: Path) -> list[Picture]:
    if folder.normal == "none":
        return _below(place, part, "", folder.leave_out)
    classes = [name for name in _folders(place) if name not in folder.leave_out]
    loose = [path.name for path in _files(place) if path.suffix.lower() in SUFFIXES]
    if loose:
        raise DataError(
            f"{place} holds {len(loose)} pictures outside of any class's folder, first {loose[0]!r}; where there are no"
            " labels, `normal: none` says so"
        )
    if not classes:
        raise DataError(f"{place} has no folder of a class; where there are no labels, `normal: none` says so")
    found = []
    for name in classes:
        own = _below(place / name, part, name, ())
        if not own:
            raise DataError(f"{place / name} holds no picture; put it into `leave_out`, or remove it")
        found += own
    return found


def _folders(place: Path) -> list[str]:
    return sorted(path.name for path in _visible(place) if path.is_dir())


def _files(place: Path) -> list[Path]:
    return sorted(path for path in _visible(place) if not path.is_dir())


def _visible(place: Path) -> list[Path]:
    """What a folder holds, but for what systems leave there: hidden files, and thumbnails of Windows."""
    try:
        return [path for path in place.iterdir() if not path.name.startswith(".") and path.name != "Thumbs.db"]
    except OSError as error:
        raise DataError(f"{place} cannot be looked into: {os.strerror(error.errno or 0)}") from error


def _below(place: Path, part: str, label: str, leave_out: Sequence[str]) -> list[Picture]:
    """The pictures in a folder and in those below it, which are no links, by their paths."""
    found, strange, waiting = [], [], [place]
    while waiting:
        here = waiting.pop()
        for path in _visible(here):
            if path.is_dir():
                if path.name not in leave_out and not path.is_symlink():
                    waiting.append(path)
            elif path.suffix.lower() not in SUFFIXES:
                strange.append(path)
            else:
                try:
                    status = path.stat()
                except OSError as error:
                    raise DataError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from error
                found.append(Picture(path, part, label, (status.st_mtime_ns, status.st_size)))
    if strange:
        raise DataError(
            f"{place} holds {len(strange)} files of other kinds, first {min(strange)}; read are"
            f" {', '.join(SUFFIXES)}; convert those that are pictures, and move the others elsewhere"
        )
    return sorted(found, key=lambda picture: picture.path)


@cache
def _dataset(folder: Folder, pictures: tuple[Picture, ...]) -> Dataset:
    """The data set of a folder with these pictures."""
    _check_size(folder, len(pictures))
    train, test, classes, normal, codes = _arranged(folder, pictures)
    small = sum(picture.stamp[1] for picture in pictures) <= CHEAP
    check: Callable[[Path], Any] = partial(read_picture, size=folder.size, channels=folder.channels)
    _each(folder, pictures, check if small else check_picture)
    content = hashlib.sha256()
    for picture in pictures:
        content.update(os.fsencode(f"{picture.part}\n{picture.label}\n{digest(picture.path)}\n"))
    dataset = Dataset(
        name=folder.name,
        classes=classes,
        read=partial(_read, folder),
        anomaly_classes=classes[len(normal) :],
        has_test=bool(len(test)),
        sizes=class_sizes(classes, codes[train], codes[test]),
        # One digest for all: a job's command could not hold those of thousands of files.
        settings={
            "content": content.hexdigest(),
            **{key: getattr(folder, key) for key in ("normal", "size", "channels", "test_share", "split_seed")},
        },
    )
    if folder.normal != "none":
        check_tested(folder.folder, "picture", dataset.sizes, normal)
    return dataset


def _check_size(folder: Folder, count: int) -> None:
    values = count * folder.size[0] * folder.size[1] * folder.channels
    if values > MOST_VALUES:
        height, width = folder.size
        raise DataError(
            f"{folder.folder}: {count:,} pictures of {height} × {width} × {folder.channels} are {values:,} values, more"
            f" than the {MOST_VALUES:,} that are kept in memory at once; choose a smaller `size`"
        )


def _arranged(
    folder: Folder, pictures: Sequence[Picture]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...], tuple[str, ...], NDArray[np.int64]]:
    """Indices of the pictures of either part, all classes, the normal ones of them, and the codes of all pictures."""
    labels = np.array([picture.label for picture in pictures], object)
    classes, normal, codes = classes_of(folder.folder, "picture", folder.normal, labels)
    places = np.arange(len(pictures))
    if pictures[0].part:
        in_test = np.array([picture.part == "test" for picture in pictures])
        if in_test.all() or not in_test.any():
            empty = PARTS[0] if in_test.all() else PARTS[1]
            raise DataError(f"{Path(folder.folder, empty)} holds no picture; read are {', '.join(SUFFIXES)}")
        return places[~in_test], places[in_test], classes, normal, codes
    if folder.normal == "none":
        return places, places[:0], classes, normal, codes
    remedy = "give the folders `train` and `test`"
    split = split_parts(folder.folder, "picture", labels, folder.test_share, folder.split_seed, remedy)
    return *split, classes, normal, codes


def _each(folder: Folder, pictures: Sequence[Picture], what: Callable[[Path], Any]) -> list[Any]:
    """Do something with each picture; those with which it cannot be done are counted, and the first few named."""
    done, faults = [], []
    for picture in pictures:
        try:
            done.append(what(picture.path))
        except DataError as error:
            faults.append(str(error))
    if faults:
        named = "; ".join(faults[:NAMED]) + (f"; and {len(faults) - NAMED} more" if len(faults) > NAMED else "")
        raise DataError(f"{folder.folder}: {len(faults)} of {len(pictures)} pictures cannot be used: {named}")
    return done


def _read(folder: Folder, archives: Mapping[str, Path]) -> Arrays:
    pictures = _pictures(folder)
    train, test, _, _, codes = _arranged(folder, pictures)
    decoded = _each(folder, pictures, partial(read_picture, size=folder.size, channels=folder.channels))
    if any(pixels.dtype != np.uint8 for pixels in decoded):
        decoded = [to_unit_interval(pixels) for pixels in decoded]
    pixels = np.stack(decoded)
    return Arrays(pixels[train], codes[train], pixels[test], codes[test])
