"""Says what is wrong with a request in a sentence for people: the validator's messages are for programmers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.ops.logs import blackout

WAS_AT_MOST = 60  # characters shown of a wrong value
WHOLE = "must be a whole number"
NUMBER = "must be a number"
TEXT = "must be a text"
SENTENCES: Mapping[str, str] = {  # the validator's error type -> our sentence; its context fills the fields
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), WHOLE),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "float_type", "float_parsing", "is_instance_of"), NUMBER),
    "finite_number": "must be a number that is not infinite",
    "decimal_max_places": "must have at most {decimal_places} decimals",
    "bool_type": "must be true or false",
    "string_type": TEXT,
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "Input should be an object",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters, has {length}",
    "too_long": "must have at most {max_length} entries, has {actual_length}",
    "string_pattern_mismatch": "is not written as it is asked for",
}
HIDES_INPUT = ("missing", "string_too_long", "too_long", "own_sentence")


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return the field and the reason of the first error."""
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    shows_input = bool(fault["loc"]) and fault["type"] not in HIDES_INPUT
    was = f", was {blackout.masked(repr(fault['input']))[:WAS_AT_MOST]}" if shows_input else ""
    return blackout.masked(field), f"{blackout.masked(_sentence(fault))}{was}"


def _sentence(fault: ErrorDetails) -> str:
    """Return the table's sentence, or the validator's message when the table has none."""
    facts: dict[str, Any] = {**fault.get("ctx", {}), "length": len(str(fault["input"]))}
    if fault["type"] == "value_error":  # a rule of ours: its message without the validator's prefix
        return str(facts["error"])
    sentence = SENTENCES.get(fault["type"])
    return sentence.format_map(facts) if sentence else fault["msg"]
