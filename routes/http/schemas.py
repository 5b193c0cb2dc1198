"""JSON Schemas of the wire: of answers from the Structs of ``wire``, of bodies from the models that parse them.

Answers write decimals as numbers; bodies may hold them as numbers or as digits in a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from wire.schemas import DECIMAL_IN_TEXT, REFERENCE, Json, schemas_of_answers, without_titles

__all__ = ["BodySchema", "schemas_of_answers", "schemas_of_bodies", "without_titles"]


class BodySchema(GenerateJsonSchema):
    """JSON Schema of a request body."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Json:
        """Describe a decimal with its bounds."""
        words = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        bounds = {word: _plain(schema[name]) for name, word in words.items() if name in schema}  # type: ignore[literal-required]
        return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "description": "the same in digits"}]}


def _plain(number: Any) -> int | float:
    return int(number) if number == int(number) else float(number)


def schemas_of_bodies(models: Iterable[type[BaseModel] | type[Struct]]) -> tuple[Json, dict[type, Json]]:
    """Return the named schemas of request bodies, and a reference to the schema of each model."""
    ordered = sorted(models, key=lambda model: model.__name__)
    told, references = _schemas_of_structs([model for model in ordered if issubclass(model, Struct)])
    named, others = _schemas_of_models([model for model in ordered if issubclass(model, BaseModel)])
    return {**told, **named}, {**references, **others}


def _schemas_of_structs(structs: list[type[Struct]]) -> tuple[Json, dict[type, Json]]:
    """Return the schemas of bodies that are read strictly: a decimal is a number, and no field may be misspelt."""
    references, named = msgspec.json.schema_components(structs, ref_template=REFERENCE + "{name}")
    return without_titles(_with_numbers(named)), dict(zip(structs, references, strict=True))


def _with_numbers(schema: Any) -> Any:
    """Describe a decimal as the number that it is in a body."""
    if isinstance(schema, list):
        return [_with_numbers(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if DECIMAL_IN_TEXT.items() <= schema.items():
        return {**{name: value for name, value in schema.items() if name != "format"}, "type": "number"}
    return {name: _with_numbers(inner) for name, inner in schema.items()}


def _schemas_of_models(models: list[type[BaseModel]]) -> tuple[Json, dict[type, Json]]:
    references, whole = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=REFERENCE + "{model}",
        schema_generator=BodySchema,
    )
    return without_titles(whole.get("$defs", {})), {model: schema for (model, _), schema in references.items()}
