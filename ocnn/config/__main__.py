"""Write what describes the configuration, from the descriptions in its model.

    python -m ocnn.config

These are the reference in `config/README.md`, the JSON schemas in `workflow/schemas` (of a whole configuration, and of
one that is laid over another) and `config/all_keys.yaml`.
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ocnn.config.schema import Config

ROOT = Path(__file__).resolve().parents[2]
#: Of the README, what is between these lines is written here.
BEGIN, END = "<!-- Written by `python -m ocnn.config` from ocnn/config/. -->", "<!-- The end of it. -->"
#: What of a schema an overlay need not have, since the configuration under it does.
WHOLE = ("required", "minProperties")
#: Types of JSON schema in words.
KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}
#: Names for what the user names, in the commented configuration.
NAMES = {"methods": "kde", "attacks": "threes", "experiments": "digits"}
OWN_DATA = {"Table": "my table", "ImageFolder": "my pictures"}


def main() -> None:
    """Write all of it."""
    for path, text in products().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def products() -> dict[Path, str]:
    """The files and what they are to hold."""
    readme = ROOT / "config" / "README.md"
    head, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    tail = rest.split(END)[1]
    return {
        readme: "".join([head, BEGIN, "\n\n", *map(_table, sections(Config)), END, tail]),
        ROOT / "config" / "all_keys.yaml": "\n".join(_commented()) + "\n",
        **{
            ROOT / "workflow" / "schemas" / f"{name}.schema.json": json.dumps(content, indent=1, ensure_ascii=False)
            + "\n"
            for name, content in (("config", json_schema()), ("overlay", json_schema(whole=False)))
        },
    }


def json_schema(*, whole: bool = True) -> dict[str, Any]:
    """The JSON schema of a configuration, or of one that is laid over another and so may leave out what is required."""

    def kept(schema: Any) -> Any:
        if isinstance(schema, list):
            return [kept(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if not whole and any("required" in branch for branch in schema.get("anyOf", [])):
            schema = {key: value for key, value in schema.items() if key != "anyOf"}
        return {
            key: " ".join(value.split()) if key == "description" and isinstance(value, str) else kept(value)
            for key, value in schema.items()
            # A title that pydantic makes of a key's name says nothing.
            if not (key == "title" and isinstance(value, str)) and (whole or key not in WHOLE)
        }

    title = {"title": Config.model_config["title"]} if whole else {"title": "Overlay on a configuration of ocnn"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **title, **kept(Config.model_json_schema())}


def _sections(field: FieldInfo) -> tuple[list[type[BaseModel]], bool]:
    """The sections of which a key stands for one, if it does, and whether it is a mapping of names to such."""
    named = getattr(field.annotation, "__origin__", None) is dict
    kind = get_args(field.annotation)[1] if named else field.annotation
    kind = get_args(kind)[0] if get_args(kind) and not isinstance(kind, type) else kind
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    found = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return found, named and bool(found)


def sections(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A section and those below it."""
    yield section
    for field in section.model_fields.values():
        for inner in _sections(field)[0]:
            yield from sections(inner)


def meaning(field: FieldInfo) -> str:
    """The description of a key, on one line."""
    return " ".join(str(field.description).split())


def _flow(value: Any) -> str:
    """The value as YAML on one line."""
    if isinstance(value, tuple):
        value = list(value)
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n").removesuffix("\n...")


def _table(section: type[BaseModel]) -> str:
    """The keys of a section as a table in Markdown."""
    lines = [f"## {section.__name__.removesuffix('Block')}", "", str(section.__doc__), ""]
    lines += ["| key | meaning | values | default |", "|---|---|---|---|"]
    properties = json_schema()
    if section is not Config:
        properties = properties["$defs"][section.__name__]
    for key, field in section.model_fields.items():
        inner, _ = _sections(field)
        names = " or ".join(kind.__name__.removesuffix("Block") for kind in inner)
        values = f"see {names}" if inner else _values(properties["properties"][key])
        if field.is_required() or key in properties.get("required", ()):
            default = "required"
        elif isinstance(field.default, BaseModel):
            default = "its defaults"
        else:
            default = f"`{_flow(field.default)}`" if field.default not in (None, "", {}, []) else "none"
        lines.append(f"| `{key}` | {meaning(field)} | {values} | {default} |")
    return "\n".join(lines) + "\n\n"


def _values(schema: dict[str, Any], plural: str = "") -> str:
    """What values a key may have, in words."""
    if "enum" in schema:
        # Of many, as networks are, the description says where they are listed.
        return " or ".join(f"`{value}`" for value in schema["enum"]) if len(schema["enum"]) < 4 else "name"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        # A text in place of a number is for the command line.
        numbers = any(branch.get("type") in ("integer", "number", "boolean") for branch in schema["anyOf"])
        kinds = [
            _values(branch, plural)
            for branch in schema["anyOf"]
            if branch.get("type") != "null" and not (branch.get("type") == "string" and "pattern" in branch and numbers)
        ]
        return " or ".join(dict.fromkeys(kinds))
    if schema["type"] == "array":
        return f"list of {_values(schema['items'], 's')}"
    if not isinstance(schema["type"], str):
        return " or ".join(_values({"type": kind}, plural) for kind in schema["type"])
    if schema["type"] == "string" and "pattern" in schema:
        return ("fraction" if "/" in schema["pattern"] else "path") + plural
    words = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
    bounds = [f"{sign} {schema[word]:,}" for word, sign in words if word in schema]
    return " ".join([KINDS[schema["type"]] + plural, " and ".join(bounds)]).strip()


def _commented() -> Iterator[str]:
    """The lines of a configuration with every key: a key with a default as a comment, the others with an example."""
    yield "# yaml-language-server: $schema=../workflow/schemas/config.schema.json"
    yield "# Every key of the configuration. What is a comment shows the default; the names of the blocks are examples."
    yield "# Written by `python -m ocnn.config`."
    yield from _keys(Config)


def _keys(section: type[BaseModel], *, as_they_are: bool = False) -> Iterator[str]:
    """The lines of a section, each key after its description.

    Args:
        section: the section.
        as_they_are: leaves keys with a default without a mark of their own, where the whole section is a comment.
    """
    for key, field in section.model_fields.items():
        inner, named = _sections(field)
        yield ""
        text = meaning(field)
        yield from (f"# {line}" for line in textwrap.wrap(f"{text[0].upper()}{text[1:]}.", 110))
        mark = "" if as_they_are or field.examples or (key in NAMES and named) else "# "
        if not inner:
            yield f"{mark}{key}: {_flow(field.examples[0] if field.examples else field.default)}"
            continue
        yield f"{mark}{key}:"
        for kind in inner:
            if named:
                yield f"{mark}  {NAMES.get(key) or OWN_DATA[kind.__name__]}:"
            for line in _keys(kind, as_they_are=as_they_are or bool(mark)):
                yield f"{mark}{'  ' * (1 + named)}{line}".rstrip()


if __name__ == "__main__":
    main()
