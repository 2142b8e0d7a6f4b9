"""The types of the configuration, checked so that a fault hides no other: what is wrong is noted and taken out."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from ocnn.config.own_data import own_data
from ocnn.config.schema import Config
from ocnn.errors import ConfigError

KeyPath = tuple[str, ...]

#: What takes the place of a required value that is wrong or missing; a key that is not required has its default.
STAND_INS: dict[str, Any] = {
    "contamination": 0.1,
    "dataset": "",
    "attacked_class": "",
    "file": "unknown",
    "folder": "unknown",
    "size": 32,
    "normal": "all",
}
#: Parts whose keys are names, which stay known when what they stand for is wrong.
NAMED = ("methods", "datasets", "attacks", "experiments")
#: An anchor within itself has no depth, and anchors of anchors make a list of few lines too large to be held.
MOST_LEVELS, MOST_VALUES = 20, 200_000
#: pydantic's words for these kinds of fault are about Python.
WORDS = {
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be a text",
    "too_short": "must have at least one item",
    "too_long": "must have at most {max_length} items",
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
    """Check keys and types.

    Raises:
        ConfigError: not a mapping, so that there is nothing to check, or one without an end.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"The configuration must be a mapping of keys to values, got {_shown(content)}.")
    faults: list[str] = []
    refused: set[KeyPath] = set()
    rest = _Copy(faults, refused).of(content, ())
    while True:
        try:
            return Validated(Config.model_validate(rest), faults, refused)
        except ValidationError as error:
            # A list whose items are all refused is too short only thereby.
            found = [
                (_path_to_key(rest, fault), fault)
                for fault in error.errors()
                if not (fault["type"] == "too_short" and fault["input"])
            ]
        for path, fault in found:
            if fault["type"] == "extra_forbidden":
                refused |= _meant(rest, path)
        # What is missing because it was taken out, or is misspelt, has been said already.
        faults += [
            _describe(rest, fault) for path, fault in found if not any(path[: len(known)] == known for known in refused)
        ]
        for path, fault in found:
            _take_out(rest, path, unknown=fault["type"] == "extra_forbidden")
        refused |= {path for path, _ in found}


def values_of(file: Path) -> Any:
    """What a configuration file holds; None if it cannot be read, which Snakemake says that reads it first."""
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None


def repeated_keys(file: Path) -> list[str]:
    """The keys that stand twice in a mapping of a configuration file, a line each."""
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return []  # Snakemake, which reads it first, says what is wrong with it
    faults, waiting, seen = [], [(root, "")], set()
    while waiting:
        node, path = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(item, path) for item in node.value]
            continue
        keys: set[str] = set()
        for key, value in node.value:
            name = f"{path}.{key.value}" if path else str(key.value)
            if name in keys:
                faults.append(f"{name}: stands twice in one mapping of {file}, line {key.start_mark.line + 1}")
            keys.add(name)
            waiting.append((value, name))
    return faults


def nearest(name: Any, known: Iterable[Any]) -> str:
    """The end of a sentence on an unknown name: the known one that resembles it, or all of them."""
    names = [str(item) for item in known]
    near = _close(str(name), names)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}" if names else "; none is known"


def _close(name: str, known: Iterable[str]) -> list[str]:
    """The known name that resembles this one most, if one does."""
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)


class _Copy:
    """A copy of what the files held, of texts, numbers, truth values, lists and mappings with texts for keys alone.

    What is none of these is left out, and noted as a fault. An anchor in YAML makes one object stand in several places;
    in the copy there are as many, which change one by one.
    """

    def __init__(self, faults: list[str], refused: set[KeyPath]) -> None:
        self.faults, self.refused, self.values = faults, refused, 0

    def of(self, value: Any, path: KeyPath) -> Any:
        self.values += 1
        if len(path) > MOST_LEVELS or self.values > MOST_VALUES:
            raise ConfigError(
                f"The configuration cannot be used: {'.'.join(path[:5])[:100]} holds itself, or more than a"
                f" configuration can hold ({MOST_LEVELS} levels, {MOST_VALUES:,} values); look at the anchors there."
            )
        if isinstance(value, Mapping):
            copied = {}
            for key, item in value.items():
                if not isinstance(key, str):
                    self._refuse((*path, _shown(key)), "a key must be a text; write it in quotes")
                elif fault := _text_fault(key):
                    self._refuse((*path, ascii(key)), fault)
                else:
                    copied[str(key)] = self.of(item, (*path, key))
                    if (*path, key) in self.refused:
                        del copied[key]
            return copied
        if isinstance(value, list | tuple):
            items = [self.of(item, (*path, str(place))) for place, item in enumerate(value)]
            if any((*path, str(place)) in self.refused for place in range(len(items))):
                self.refused.add(path)  # the whole list is unknown
            return items
        if isinstance(value, str):
            fault = _text_fault(value)
        elif isinstance(value, int) and abs(value) >= 10**18:
            fault = "must be a number of at most 18 digits"
        elif value is None or isinstance(value, bool | int | float):
            fault = None
        else:
            fault = f"must be a text, a number, true, false, a list or a mapping; a {type(value).__name__} in quotes"
        if fault is None:
            return value
        self._refuse(path, fault)
        return None

    def _refuse(self, path: KeyPath, fault: str) -> None:
        self.faults.append(f"{'.'.join(path)}: {fault}")
        self.refused.add(path)


def _text_fault(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a character (a surrogate) alone, which no file can hold"
    return None


def _shown(value: Any) -> str:
    """The value as a message shows it: a long one by its beginning."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # too many digits, or a list within itself
        text = f"a {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:200]} …"


def _path_to_key(content: Any, fault: Any) -> KeyPath:
    """The path of the key that a fault is about; within a list the list's, which is taken out whole."""
    path: list[str] = []
    for part in fault["loc"]:
        if not isinstance(content, dict):
            break
        path.append(str(part))
        content = content.get(part)
    return tuple(path)


def _section(content: Any, path: KeyPath) -> Any:
    """The section in which the key at this path of the content stands."""
    section: Any = Config
    for place, part in enumerate(path[:-1]):
        content = content[part]
        if path[:place] == ("datasets",):
            section = own_data(content)
        else:
            # Below a mapping of names to sections a part is a name.
            section = (
                section.model_fields[part].annotation if hasattr(section, "model_fields") else get_args(section)[1]
            )
    return section


def _meant(content: dict[str, Any], path: KeyPath) -> set[KeyPath]:
    """The path of the key that an unknown one was to be, of which nothing else is known then."""
    section = _section(content, path)
    for part in path[:-1]:
        content = content[part]
    return {(*path[:-1], key) for key in _close(path[-1], section.model_fields) if key not in content}


def _take_out(content: dict[str, Any], path: KeyPath, *, unknown: bool) -> None:
    *parents, last = path
    for part in parents:
        content = content[part]
    if len(path) == 2 and path[0] in NAMED:
        content[last] = {}  # its name stays known
    elif len(path) == 3 and path[0] in NAMED and last in STAND_INS and not unknown:
        content[last] = STAND_INS[last]
    else:
        content.pop(last, None)


def _describe(content: Any, fault: Any) -> str:
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        keys = tuple(str(part) for part in fault["loc"])
        return f"{path}: unknown key{nearest(keys[-1], _section(content, keys).model_fields)}"
    if fault["type"] == "missing":
        return f"{path}: field required"
    words = fault["msg"][0].lower() + fault["msg"][1:]
    if fault["type"] in WORDS:
        words = WORDS[fault["type"]].format(**fault.get("ctx", {}))
    return f"{path}: {words} (got {_shown(fault['input'])})"
