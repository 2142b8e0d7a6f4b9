"""The types of the configuration, checked so that a fault hides no other: what is wrong is noted and taken out."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ocnn.config.schema import (
    Attack,
    Autoencoder,
    Classifier,
    Config,
    Experiment,
    Published,
    Section,
    Training,
    Verdicts,
)
from ocnn.errors import ConfigError

KeyPath = tuple[str, ...]

#: What takes the place of a required value that is wrong or missing; a key that is not required has its default.
STAND_INS: dict[str, Any] = {"contamination": 0.1, "dataset": "", "attacked_class": ""}
#: Sections by their key, and those that a user names by where they stand.
SECTIONS: dict[str, type[Section]] = {
    "classifier": Classifier,
    "training": Training,
    "autoencoder": Autoencoder,
    "published": Published,
    "verdicts": Verdicts,
}
NAMED_SECTIONS: dict[str, type[Section]] = {"attacks": Attack, "experiments": Experiment}
#: pydantic's words for these kinds of fault are about Python.
WORDS = {
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be a text",
}


@dataclass(frozen=True)
class Validated:
    """A configuration as far as its types are right.

    config: with the default, or a stand-in, of each value that is not.
    faults: what is wrong, with its key's path.
    refused: the paths of the keys whose value is thereby unknown.
    """

    config: Config
    faults: list[str]
    refused: set[KeyPath]

    def knows(self, block: KeyPath, *keys: str) -> bool:
        """Whether the values of these keys of a block are the user's own, with all that they hold."""
        return not any(
            all(a == b for a, b in zip((*block, key), path, strict=False)) for key in keys for path in self.refused
        )


def validate(content: Any) -> Validated:
    """Checks keys and types.

    Raises:
        ConfigError: not a mapping, so that there is nothing to check.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"The configuration must be a mapping of keys to values, got {content!r}.")
    rest = _copy(content)
    faults: list[str] = []
    refused: set[KeyPath] = set()
    while True:
        try:
            return Validated(Config.model_validate(rest), faults, refused)
        except ValidationError as error:
            found = [(_path_to_key(rest, fault), fault) for fault in error.errors()]
        for path, fault in found:
            if fault["type"] == "extra_forbidden":
                refused |= _meant(rest, path)
        # What is missing because it was taken out, or is misspelt, has been said already.
        faults += [
            _describe(fault) for path, fault in found if not any(path[: len(known)] == known for known in refused)
        ]
        for path, fault in found:
            _take_out(rest, path, unknown=fault["type"] == "extra_forbidden")
        refused |= {path for path, _ in found}


def nearest(name: Any, known: Iterable[Any]) -> str:
    """The end of a sentence on an unknown name: the known one that resembles it, or all of them."""
    names = [str(item) for item in known]
    near = _close(str(name), names)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}" if names else "; none is known"


def _close(name: str, known: Iterable[str]) -> list[str]:
    """The known name that resembles this one most, if one does."""
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)


def _copy(value: Any) -> Any:
    """A copy whose keys are texts; an anchor in YAML makes one object stand in several places, which change at once."""
    if isinstance(value, Mapping):
        return {str(key): _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _path_to_key(content: Any, fault: Any) -> KeyPath:
    """The path of the key that a fault is about; within a list the list's, which is taken out whole."""
    path: list[str] = []
    for part in fault["loc"]:
        if not isinstance(content, dict):
            break
        path.append(str(part))
        content = content.get(part)
    return tuple(path)


def _section(path: KeyPath) -> type[Section]:
    """The section in which the key at this path stands."""
    if len(path) == 1:
        return Config
    return NAMED_SECTIONS[path[0]] if len(path) == 3 and path[0] in NAMED_SECTIONS else SECTIONS[path[-2]]


def _meant(content: dict[str, Any], path: KeyPath) -> set[KeyPath]:
    """The path of the key that an unknown one was to be, of which nothing else is known then."""
    for part in path[:-1]:
        content = content[part]
    return {(*path[:-1], key) for key in _close(path[-1], _section(path).model_fields) if key not in content}


def _take_out(content: dict[str, Any], path: KeyPath, *, unknown: bool) -> None:
    *parents, last = path
    for part in parents:
        content = content[part]
    if len(path) == 2 and path[0] in ("methods", *NAMED_SECTIONS):
        content[last] = {}  # its name stays known
    elif len(path) == 3 and path[0] in NAMED_SECTIONS and last in STAND_INS and not unknown:
        content[last] = STAND_INS[last]
    else:
        content.pop(last, None)


def _describe(fault: Any) -> str:
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        keys = tuple(str(part) for part in fault["loc"])
        return f"{path}: unknown key{nearest(keys[-1], _section(keys).model_fields)}"
    if fault["type"] == "missing":
        return f"{path}: field required"
    words = WORDS.get(fault["type"], fault["msg"][0].lower() + fault["msg"][1:])
    return f"{path}: {words} (got {fault['input']!r})"
