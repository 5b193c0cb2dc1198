"""JSON Schemas as the wire has them: of answers from the Structs of ``wire``, of bodies from the models that parse.

Decimals are answered as numbers, and taken as numbers or as digits in a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

Json = dict[str, Any]

REFERENCE = "#/components/schemas/"
DECIMAL_IN_TEXT = {"type": "string", "format": "decimal"}  # how msgspec describes a Decimal; this app writes numbers


class BodySchema(GenerateJsonSchema):
    """JSON Schema of a request body."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Json:
        """Describe a decimal with its bounds."""
        words = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        bounds = {word: _plain(schema[name]) for name, word in words.items() if name in schema}  # type: ignore[literal-required]
        return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "description": "the same in digits"}]}


def _plain(number: Any) -> int | float:
    return int(number) if number == int(number) else float(number)


def schemas_of_bodies(models: Iterable[type[BaseModel]]) -> tuple[Json, dict[type, Json]]:
    """Return the named schemas of request bodies, and a reference to each model's own."""
    references, whole = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=REFERENCE + "{model}",
        schema_generator=BodySchema,
    )
    return without_titles(whole.get("$defs", {})), {model: schema for (model, _), schema in references.items()}


def schemas_of_answers(structs: Iterable[type[Struct]]) -> tuple[Json, dict[type, Json]]:
    """Return the named schemas of answers, and a reference to each Struct's own."""
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    references, named = msgspec.json.schema_components(ordered, ref_template=REFERENCE + "{name}")
    written = {name: _as_written(schema) for name, schema in named.items()}
    return without_titles(written), dict(zip(ordered, references, strict=True))


def _as_written(schema: Any) -> Any:
    """Say what the encoder does: decimals are numbers, and a field with a default is written all the same."""
    if isinstance(schema, list):
        return [_as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if DECIMAL_IN_TEXT.items() <= schema.items():
        return {**{name: said for name, said in schema.items() if name != "format"}, "type": "number"}
    written = {name: _as_written(inner) for name, inner in schema.items()}
    if "properties" in schema:
        fields = schema["properties"]
        needed = {*schema.get("required", ()), *(name for name, field in fields.items() if "default" in field)}
        written["properties"] = {name: _without_default(field) for name, field in written["properties"].items()}
        written["required"] = [name for name in fields if name in needed]
    return written


def _without_default(field: Json) -> Json:
    return {name: said for name, said in field.items() if name != "default"}


def without_titles(schema: Any) -> Any:
    """Drop the titles that only repeat a field's name."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: without_titles(inner) for name, inner in schema.items() if name != "title" or isinstance(inner, dict)}
