"""The types of the configuration's values, beyond pydantic's own, with what JSON schema can say of each."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from ocnn.data.labels import text_of
from ocnn.networks.shapes import KINDS, NETWORKS

#: Seeds beyond it do not fit the 32-bit integers of score files.
MOST_SEED = 2**31 - 1
#: A larger number of seeds is a seed, meant to be used alone.
MOST_SEEDS = 10_000
WHOLE_TEXT = "[-+]?[0-9]{1,18}"
NUMBER_TEXT = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"
FRACTION_TEXT = "[0-9]{1,18} */ *[0-9]{1,18}"
FLAG_TEXT = "([Tt]rue|TRUE|[Ff]alse|FALSE)"
#: Snakemake takes braces for wildcards; of a path's control characters none survives a shell and a log.
PATH_TEXT = r"[^{}\x00-\x1f\x7f]*[^{}\x00-\x1f\x7f\s][^{}\x00-\x1f\x7f]*"
#: Parts of file names, which the rules must be able to take apart.
NAME_TEXT = "[A-Za-z0-9][A-Za-z0-9_]{0,99}"

#: Bounds, which pydantic leaves under its own names where a validator stands before the number.
JSON_WORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


@dataclass(frozen=True)
class Or:
    """In JSON schema: also a value of another kind, of which a validator makes one of the type."""

    type: str
    pattern: str | None = None

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        schema = {JSON_WORDS.get(word, word): value for word, value in handler(core).items()}
        other = {"type": self.type, "pattern": self.pattern}
        return {"anyOf": [schema, {word: value for word, value in other.items() if value}]}


def _or_text(pattern: str) -> Or:
    """A text in place of a number or a truth value: so `--config` gives it, and YAML 1e-4."""
    return Or("string", f"^{pattern}$")


def _fault(message: str) -> PydanticCustomError:
    # Braces would be taken for places to fill in.
    return PydanticCustomError("value", "{message}", {"message": message})


def _expected(kind: str) -> WrapValidator:
    """One message for a value that may be of several types; pydantic's own says of each type what is lacking."""

    def validate(value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise _fault(f"must be {kind}") from error

    return WrapValidator(validate)


def _one_or_several(one: Any, several: Any) -> WrapValidator:
    """Check a list as one and anything else as the one value, so that a fault is told of what was meant."""
    single, listed = TypeAdapter(one), TypeAdapter(several)
    return WrapValidator(lambda value, _: (listed if isinstance(value, list) else single).validate_python(value))


def typed(value: Any) -> Any:
    """The value with texts that are numbers or truth values as these, at any depth."""
    if isinstance(value, Mapping):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [typed(item) for item in value]
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(FLAG_TEXT, text):
            return text.lower() == "true"
        for pattern, kind in ((WHOLE_TEXT, int), (NUMBER_TEXT, float)):
            if re.fullmatch(pattern, text):
                return kind(text)
    return value


def _number(value: Any) -> Any:
    """Refuse truth values, which Python takes for 0 and 1: YAML reads `yes` and `on` as such."""
    if isinstance(value, bool):
        raise _fault("must be a number")
    return float(value) if isinstance(value, str) and re.fullmatch(NUMBER_TEXT, value) else value


def _fraction(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(FRACTION_TEXT, value):
        above, below = map(int, value.split("/"))
        if below == 0:
            raise _fault("must be a fraction whose denominator is not 0")
        return float(Fraction(above, below))
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(WHOLE_TEXT, value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _fault("must be a whole number")
    return value


def _flag(value: Any) -> Any:
    return value.lower() == "true" if isinstance(value, str) and re.fullmatch(FLAG_TEXT, value) else value


def _class_name(value: Any) -> Any:
    """A class's name; YAML reads that of a digit as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _different(values: Any) -> Any:
    """Refuse a list in which something stands twice."""
    if isinstance(values, list):
        twice = [value for place, value in enumerate(values) if value in values[:place]]
        if twice:
            raise _fault(f"{twice[0]!r} is listed twice")
    return values


def _seeds(seeds: int | list[int]) -> int | list[int]:
    if isinstance(seeds, int):
        if seeds > MOST_SEEDS:
            raise _fault(f"{seeds} seeds are more than {MOST_SEEDS:,}; this one seed alone would be [{seeds}]")
        if seeds < 1:
            raise _fault("at least one seed is needed")
    elif not seeds or min(seeds) < 0 or max(seeds) > MOST_SEED or len(set(seeds)) < len(seeds):
        raise _fault("seeds must be different whole numbers ≥ 0 and < 2³¹, at least one")
    return seeds


def _path(value: str) -> str:
    if not re.fullmatch(PATH_TEXT, value):
        raise _fault("must be a path: not blank, and without braces, line breaks and other control characters")
    if max(len(os.fsencode(part)) for part in value.split("/")) > 255:
        raise _fault("must be a path whose parts have at most 255 bytes each")
    return value


def _folder(value: str) -> str:
    """The path as Snakemake is to see it, without what it would warn of, as a slash at its end."""
    if value.startswith("~"):
        raise _fault("must be a path written out: ~ is not replaced by your home folder")
    if Path.cwd().is_relative_to(os.path.realpath(value)):
        raise _fault("must be a folder of its own, not the one in which the workflow runs or one above it")
    return os.path.normpath(value)


def _whole_schema(minimum: int, maximum: int) -> dict[str, Any]:
    text = {"type": "string", "pattern": f"^{WHOLE_TEXT}$"}
    return {"anyOf": [{"type": "integer", "minimum": minimum, "maximum": maximum}, text]}


#: Of a list: at least one item, and each once.
_ONCE = Field(min_length=1, json_schema_extra={"uniqueItems": True})

Number = Annotated[float, Field(strict=True, allow_inf_nan=False), BeforeValidator(_number), _or_text(NUMBER_TEXT)]
#: A part of 1, also as a fraction: 1/101.
Share = Annotated[Number, BeforeValidator(_fraction), _or_text(FRACTION_TEXT)]
_Contamination = Annotated[Share, Field(ge=0, le=0.5)]
_Contaminations = Annotated[list[_Contamination], _ONCE]
Contamination = Annotated[
    _Contamination | _Contaminations, _one_or_several(_Contamination, _Contaminations), AfterValidator(_different)
]
Whole = Annotated[int, Field(strict=True), BeforeValidator(_whole), _or_text(WHOLE_TEXT)]
Count = Annotated[Whole, Field(ge=1)]
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_flag), _or_text(FLAG_TEXT)]
Seed = Annotated[Whole, Field(ge=0, le=MOST_SEED)]
#: Kernels of widths beyond it take gigabytes, and so does a schedule of more epochs than 100,000.
Widths = Annotated[tuple[Annotated[Whole, Field(ge=1, le=4096)], ...], Field(min_length=1, max_length=10)]
Epochs = Annotated[Whole, Field(ge=0, le=100_000)]
PathText = Annotated[str, AfterValidator(_path), Field(json_schema_extra={"pattern": f"^{PATH_TEXT}$"})]
Folder = Annotated[PathText, AfterValidator(_folder)]
ClassName = Annotated[
    str,
    BeforeValidator(_class_name),
    _expected("the name of a class"),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Settings = Annotated[dict[str, Any], BeforeValidator(typed)]
NetworkFields = Annotated[
    str | dict[str, Any],
    BeforeValidator(typed),
    _expected("the name of a network, or a mapping of its fields"),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["auto", *NETWORKS]},
                {
                    "type": "object",
                    "properties": {
                        "kind": {"enum": list(KINDS)},
                        "widths": {"type": "array", "items": _whole_schema(1, MOST_SEED)},
                        "code": _whole_schema(1, MOST_SEED),
                        "kernel": _whole_schema(1, MOST_SEED),
                    },
                    "required": ["kind"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Seeds = Annotated[
    Whole | list[Whole],
    _expected("a number of seeds, or a list of whole numbers"),
    AfterValidator(_seeds),
    WithJsonSchema(
        {
            "anyOf": [
                *_whole_schema(1, MOST_SEEDS)["anyOf"],
                {"type": "array", "items": _whole_schema(0, MOST_SEED), "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
#: Each thousand of steps is a job that waits for the one before; Snakemake plans a chain of a thousand.
Steps = Annotated[Whole, Field(ge=0, le=1_000_000)]
AttackSteps = Annotated[
    Steps | Annotated[list[Steps], _ONCE],
    _expected("a whole number from 0 to 1,000,000, or a list of them"),
    AfterValidator(_different),
]


Names = Annotated[
    Literal["all"] | Annotated[list[str], _ONCE],
    _expected("a list of at least one name, or all"),
    AfterValidator(_different),
]
ClassNames = Annotated[
    Literal["all"] | Annotated[list[ClassName], _ONCE],
    _expected("a list of at least one class, or all"),
    AfterValidator(_different),
]


def _value(value: Any) -> Any:
    """A value of a label as a text."""
    return text_of(value) if isinstance(value, bool | int | float) else value


def _size(value: Any) -> Any:
    """Height and width; one number stands for both."""
    return value if isinstance(value, list | tuple) else [value, value]


Side = Annotated[Whole, Field(ge=2, le=4096)]
PictureSize = Annotated[
    tuple[Side, Side],
    BeforeValidator(_size),
    _expected("a whole number from 2 to 4,096, or a list of two, height and width"),
    WithJsonSchema(
        {
            "anyOf": [
                *_whole_schema(2, 4096)["anyOf"],
                {"type": "array", "items": _whole_schema(2, 4096), "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]
LabelValue = Annotated[str, BeforeValidator(_value), WithJsonSchema({"type": ["string", "number", "boolean"]})]
LabelValues = Annotated[list[LabelValue], _ONCE]
NormalValues = Annotated[
    Literal["all", "none"] | LabelValues | Annotated[dict[str, LabelValues], Field(min_length=1)],
    _expected("a list of at least one value, a mapping of names to such lists, all, or none"),
    AfterValidator(_different),
]
_ColumnList = Annotated[
    list[Annotated[str, BeforeValidator(_class_name), WithJsonSchema({"type": ["string", "integer"]})]],
    Field(json_schema_extra={"uniqueItems": True}),
]
Columns = Annotated[_ColumnList, _expected("a list of columns"), AfterValidator(_different)]
HeaderLine = Annotated[Literal["auto"] | Flag, _expected("true, false, or auto")]
CategoricalColumns = Annotated[
    Literal["auto"] | _ColumnList, _expected("a list of columns, or auto"), AfterValidator(_different)
]


class Section(BaseModel):
    """A part of the configuration; a key that it does not know is an error. The text below a key describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
