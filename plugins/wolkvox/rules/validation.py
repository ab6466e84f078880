"""Check a file's values with a model: each mistake with its line and what to write. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from wolkvox.rules.mistakes import Mistake, Place, Unreadable, shortened
from wolkvox.rules.yaml_lines import Document

_REMEDY = "remedy"
_NONE: Mapping[str, Any] = {}

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)  # no other keys, and no values of other types

Model = TypeVar("Model", bound=BaseModel)


def remedy(message: str) -> PydanticCustomError:
    """What a validator raises to say in its own words what is wrong and what to do."""
    return PydanticCustomError(_REMEDY, message)


def validated(
    model: type[Model], document: Document, place: Place, values: Mapping[str, Any], defaults: Mapping[str, Any] = _NONE
) -> Model:
    """
    Check the values that stand at a place of a file.

    :param defaults: of keys without a value, besides the model's own
    :raises Unreadable: with every mistake
    """
    try:
        return model.model_validate({**defaults, **{key: value for key, value in values.items() if value is not None}})
    except ValidationError as error:
        mistakes = [
            _mistake(model, document, place, one)
            for one in error.errors(include_url=False)
            if one["type"] != "default_factory_not_called"  # it wants a key that is wrong itself
        ]
    raise Unreadable(mistakes)


def _mistake(model: type[BaseModel], document: Document, above: Place, error: Any) -> Mistake:
    place = [part for part in error["loc"] if part != "[key]"]
    return document.mistake((*above, *map(str, place)), _message(model, place, error))


def _message(model: type[BaseModel], place: Sequence[str | int], error: Any) -> str:
    """What to do about a value, or about a key that there isn't or that is missing."""
    owner, wanted = _owner(model, place)
    if error["type"] == _REMEDY:
        return str(error["msg"])
    if error["type"] == "extra_forbidden":
        close = get_close_matches(str(place[-1]), owner.model_fields, 1)
        meant = f"did you mean {close[0]}?" if close else "leave it out."
        return f"there is no such key: {meant} The keys are {', '.join(owner.model_fields)}."
    if error["type"] == "missing":
        return f"it is missing: give {wanted}."
    why = str(error.get("ctx", {}).get("error", ""))
    return f"{shortened(error['input'])} can't be used{f' ({why})' if why else ''}: give {wanted}."


def _owner(model: type[BaseModel], place: Sequence[str | int]) -> tuple[type[BaseModel], str]:
    """The model that a key belongs to, and the description of the nearest key that has one."""
    wanted = ""
    for part in place:
        if (field := model.model_fields.get(str(part))) is not None:
            wanted = field.description or ""
            kinds = (field.annotation, *get_args(field.annotation))
            model = next((one for one in kinds if isinstance(one, type(BaseModel))), model)
    return model, wanted
