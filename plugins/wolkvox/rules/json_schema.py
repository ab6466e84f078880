"""JSON schemas of the files that people write: editors offer keys by them, and mark most mistakes. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from wolkvox.rules.operation import NAME, Entry
from wolkvox.rules.protection import Protection

_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
_TEMPLATES: dict[str, Any] = {"^x-": {}}  # keys that are only there to be merged by others
_NOTHING = {"type": "null"}


def operations_schema() -> dict[str, Any]:
    """The schema of ``operations.yaml``."""
    entry = _schema(Entry)
    definitions = {**entry.pop("$defs"), "Entry": entry}
    del entry["required"]  # these have a default of each entry's own
    return {
        **_DIALECT,
        "title": "operations.yaml",
        "type": "object",
        "patternProperties": {**_TEMPLATES, f"^{NAME}$": {"anyOf": [{"$ref": "#/$defs/Entry"}, _NOTHING]}},
        "additionalProperties": False,
        "$defs": definitions,
    }


def protection_schema() -> dict[str, Any]:
    """The schema of a file of protection rules."""
    return {**_DIALECT, **_schema(Protection), "patternProperties": _TEMPLATES}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema, in which a key that has a default may stand without a value."""
    schema = model.model_json_schema()
    for key, value in schema["properties"].items():
        if key not in schema.get("required", ()):
            schema["properties"][key] = {"description": value.pop("description"), "anyOf": [value, _NOTHING]}
    return schema
