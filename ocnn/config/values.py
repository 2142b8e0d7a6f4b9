"""The types of the configuration's values, beyond pydantic's own."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, WrapValidator
from pydantic_core import PydanticCustomError


def _typed(value: Any) -> Any:
    """Texts that are numbers or truth values, as these: `--config` and YAML's 1e-4 arrive as text."""
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_typed(item) for item in value]
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value


def _number(value: Any) -> Any:
    """Refuses truth values, which Python takes for 0 and 1: YAML reads `yes` and `on` as such."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "must be a number")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise PydanticCustomError("whole_number", "must be a whole number")
    return value


def _expected(kind: str) -> WrapValidator:
    """One message for a value that may be of several types; pydantic's own says of each type what is lacking."""

    def validate(value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise PydanticCustomError("expected", "must be {kind}", {"kind": kind}) from error

    return WrapValidator(validate)


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
#: Within what arrays hold.
Whole = Annotated[int, BeforeValidator(_whole), Field(gt=-(10**18), lt=10**18)]
Count = Annotated[Whole, Field(ge=1)]
Seed = Annotated[Whole, Field(ge=0, lt=2**32)]
ClassName = Annotated[str | int, BeforeValidator(_whole), _expected("the name of a class")]
Settings = Annotated[dict[str, Any], BeforeValidator(_typed)]
NetworkFields = Annotated[
    str | dict[str, Any], BeforeValidator(_typed), _expected("the name of a network, or a mapping of its fields")
]
Seeds = Annotated[Whole | list[Whole], _expected("a number of seeds, or a list of whole numbers")]
AttackSteps = Annotated[
    Annotated[Whole, Field(ge=0)] | Annotated[list[Annotated[Whole, Field(ge=0)]], Field(min_length=1)],
    _expected("a whole number ≥ 0, or a list of them"),
]
Names = Annotated[
    Literal["all"] | Annotated[list[str], Field(min_length=1)], _expected("a list of at least one name, or all")
]
ClassNames = Annotated[
    Literal["all"] | Annotated[list[ClassName], Field(min_length=1)], _expected("a list of at least one class, or all")
]
