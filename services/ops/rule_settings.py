"""Reads rules from ``NAME=VALUE`` pairs such as ``COOLDOWN_SECONDS=300``, with the names and ranges of the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.engine.model.settings import RULE_SETTINGS
from services.ops.config import ConfigError
from services.ops.settings_reader import Settings, rules_of

RULES_BY_VARIABLE = {row.variable: row.rule for row in RULE_SETTINGS if row.variable is not None}


def rules_named(pairs: Iterable[str]) -> dict[str, Any]:
    """Return rule names and values of ``NAME=VALUE`` pairs. Raises ConfigError with one sentence."""
    environ: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not value:
            raise ConfigError(f"{pair!r} must look like COOLDOWN_SECONDS=300")
        environ[name.upper()] = value
    unknown = [name for name in environ if name not in RULES_BY_VARIABLE]
    if unknown:
        raise ConfigError(f"{', '.join(unknown)} is no rule; these are: {', '.join(RULES_BY_VARIABLE)}")
    settings = Settings(environ)
    rules = rules_of(settings)
    if settings.faults:
        raise ConfigError("; ".join(settings.faults))
    return {RULES_BY_VARIABLE[name]: getattr(rules, RULES_BY_VARIABLE[name]) for name in environ}
