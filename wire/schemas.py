"""JSON Schemas of what the programs answer, from the Structs of ``wire``. Decimals are written as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

Json = dict[str, Any]

REFERENCE = "#/components/schemas/"
DECIMAL_IN_TEXT = {"type": "string", "format": "decimal"}  # msgspec's schema of a Decimal; the programs write numbers


def schemas_of_answers(structs: Iterable[type[Struct]]) -> tuple[Json, dict[type, Json]]:
    """Return the named schemas of answers, and a reference to the schema of each Struct."""
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    references, named = msgspec.json.schema_components(ordered, ref_template=REFERENCE + "{name}")
    written = {name: _as_written(schema) for name, schema in named.items()}
    return without_titles(written), dict(zip(ordered, references, strict=True))


def _as_written(schema: Any) -> Any:
    """Correct a schema to what the encoder writes: decimals as numbers, and also fields that have a default."""
    if isinstance(schema, list):
        return [_as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if DECIMAL_IN_TEXT.items() <= schema.items():
        return {**{name: value for name, value in schema.items() if name != "format"}, "type": "number"}
    written = {name: _as_written(inner) for name, inner in schema.items()}
    if "properties" in schema:
        fields = schema["properties"]
        needed = {*schema.get("required", ()), *(name for name, field in fields.items() if "default" in field)}
        written["properties"] = {name: _without_default(field) for name, field in written["properties"].items()}
        written["required"] = [name for name in fields if name in needed]
    return written


def _without_default(field: Json) -> Json:
    return {name: value for name, value in field.items() if name != "default"}


def without_titles(schema: Any) -> Any:
    """Drop the titles that only repeat a field's name."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: without_titles(inner) for name, inner in schema.items() if name != "title" or isinstance(inner, dict)}
