"""Where the data of an experiment come from: files that are found, data sets that can be loaded, or what keeps them."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ocnn.config.schema import Config
from ocnn.config.validation import Validated, nearest, values_of
from ocnn.data import DATASETS, load_dataset
from ocnn.data.adversarial import ADVERSARIAL
from ocnn.data.dataset import Dataset
from ocnn.errors import DataError, ResultError
from ocnn.storage.parquet import ADVICE

#: Keys of data of one's own that are paths.
PLACES = ("file", "test_file", "folder")


def located(read: Validated, files: Sequence[Path]) -> Validated:
    """Return the configuration with the paths at which the files of tables, and the folders of pictures, are.

    A path begins at the folder of the last configuration file that states it, or at the working directory where none
    does, as on the command line; where there is no such file, at the mirror.
    """
    if not read.config.datasets:
        return read
    contents = [(file, values_of(file)) for file in reversed(files)]
    mirror = read.config.mirror_folder()
    datasets = {}
    for name, block in read.config.datasets.items():
        found = {}
        for key in PLACES:
            path = getattr(block, key, None)
            if path is not None:
                stating = (file.parent for file, content in contents if _states(content, path, "datasets", name, key))
                here = Path(os.path.normpath(Path.cwd() / next(stating, Path()) / path))
                # From the working directory, where the file is below it: a move of the whole folder changes nothing.
                here = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here
                places = [here, *([mirror / path] if mirror else [])]
                found[key] = str(next((place for place in places if _is_there(key, place)), places[0]))
        datasets[name] = block.model_copy(update=found)
    return replace(read, config=read.config.model_copy(update={"datasets": datasets}))


def _is_there(key: str, place: str | Path) -> bool:
    return Path(place).is_dir() if key == "folder" else Path(place).is_file()


def _states(content: Any, value: Any, *keys: str, depth: int = 3) -> bool:
    """Whether a file has this value at these keys of the whole, or of what another's workflow gives this one of it."""
    if not isinstance(content, Mapping):
        return False
    found: Any = content
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found == value or (
        depth > 0 and any(_states(inner, value, *keys, depth=depth - 1) for inner in content.values())
    )


def _is_run(config: Config, dataset: str) -> bool:
    """Whether an experiment on this data set is to be run."""
    return any(
        block.dataset == dataset and (config.run == "all" or name in config.run)
        for name, block in config.experiments.items()
    )


def dataset_or_fault(read: Validated, path: str, name: str) -> Dataset | str | None:
    """Return the data set of a name, what is wrong with it, or None where nothing can be known of it."""
    config = read.config
    if name in config.datasets:
        block = config.datasets[name]
        stated = {key: place for key in PLACES if (place := getattr(block, key, None))}
        absent = [
            f"{'folder' if key == 'folder' else 'file'} {place}"
            for key, place in stated.items()
            if not _is_there(key, place)
        ]
        # What is not run needs no files, as it needs no archives.
        if not read.knows(("datasets",), name) or (absent and not _is_run(config, name)):
            return None
        if absent:
            elsewhere = "nor has the mirror one" if config.mirror_folder() else "and no mirror is named that has one"
            return f"datasets.{name}: there is no {absent[0]}, {elsewhere}"
        try:
            return config.source(name)
        except DataError as error:
            return f"datasets.{name}: {error}"
    if ":" not in name and name not in DATASETS:
        return f"{path}: no data set {name!r}{nearest(name, dict.fromkeys([*config.datasets, *DATASETS]))}"
    try:
        dataset = load_dataset(name)
    except AssertionError:
        return f"{path}: {name} is no ocnn.data.Dataset"
    except DataError as error:
        return f"{path}: {error}"
    except Exception as error:  # importing a module of the user's can raise anything
        return f"{path}: {name} cannot be imported ({error})"
    missing = [str(file) for file in dataset.files if not Path(file).is_file()]
    return f"{path}: {name} reads {missing[0]}, which is no file" if missing else dataset


def read_or_fault(path: Path, reader: Callable[[Path], Any]) -> tuple[Any, str | None]:
    """Return what a file of results or arrays that the user names holds, and what keeps it from being read, or None."""
    if not path.is_file():
        return None, f"there is no file {path}"
    try:
        return reader(path), None
    except ResultError as error:
        # What the user names is the result of something else, and not to be deleted.
        return None, str(error).removesuffix(ADVICE).rstrip()


def source_of(read: Validated, name: str) -> Dataset | None:
    """Return the data set of an experiment, if all that decides it is known and right."""
    config, block = read.config, read.config.experiments[name]
    if not read.knows(("experiments", name), "dataset", "attack") or (block.dataset is None) == (block.attack is None):
        return None
    if block.attack is None:
        source = dataset_or_fault(read, "", str(block.dataset))
        return source if isinstance(source, Dataset) else None
    attack = config.attacks.get(block.attack)
    if attack is None or not read.knows(("attacks", block.attack), "dataset", "attacked_class"):
        return None
    attacked = dataset_or_fault(read, "", attack.dataset)
    if (
        not isinstance(attacked, Dataset)
        or attack.attacked_class not in attacked.classes
        or attack.attacked_class == ADVERSARIAL
    ):
        return None
    return config.dataset(name)
