"""What is wrong with a request, in a sentence for people: the validator's own words are for programmers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

WAS_AT_MOST = 60  # characters of what was sent
WHOLE, NUMBER, TEXT = "must be a whole number", "must be a number", "must be a text"
SENTENCES: Mapping[str, str] = {  # the validator's type of fault -> how it is told; its context fills the gaps
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
TELLS_NO_INPUT = ("missing", "string_too_long", "too_long", "said")


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return the field and the reason of the first thing wrong."""
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    tells_input = bool(fault["loc"]) and fault["type"] not in TELLS_NO_INPUT
    was = f", was {repr(fault['input'])[:WAS_AT_MOST]}" if tells_input else ""
    return field, f"{_sentence(fault)}{was}"


def _sentence(fault: ErrorDetails) -> str:
    """Say it as the table does; what the table does not know, as the validator does."""
    facts: dict[str, Any] = {**fault.get("ctx", {}), "length": len(str(fault["input"]))}
    if fault["type"] == "value_error":  # a rule of ours: its own words, without the validator's before them
        return str(facts["error"])
    said = SENTENCES.get(fault["type"])
    return said.format_map(facts) if said else fault["msg"]
