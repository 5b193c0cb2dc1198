"""Rules named and checked as the settings name and check them: ``COOLDOWN_SECONDS=300``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.engine.model.settings import Rules
from services.ops.config import ConfigError, Settings, rules_of

FIELDS = {"TRADING_DAY_ROLL": "day_roll"}  # every other setting is called like its rule


class _Noting(Settings):
    """The settings that notes which names are asked for."""

    def __init__(self, environ: dict[str, str]) -> None:
        super().__init__(environ)
        self.asked: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        self.asked.append(name)
        return super().text(name, default)


def rules_named(pairs: Iterable[str]) -> dict[str, Any]:
    """Return rule names and values of ``NAME=VALUE`` pairs. Raises ConfigError with one sentence."""
    environ: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not value:
            raise ConfigError(f"{pair!r} must look like COOLDOWN_SECONDS=300")
        environ[name.upper()] = value
    settings = _Noting(environ)
    rules = rules_of(settings)
    known = list(dict.fromkeys(settings.asked))
    unknown = [name for name in environ if name not in known]
    if unknown:
        raise ConfigError(f"{', '.join(unknown)} is no rule; these are: {', '.join(known)}")
    if settings.faults:
        raise ConfigError("; ".join(settings.faults))
    fields = {name: FIELDS.get(name, name.lower()) for name in environ}
    return {field: getattr(rules, field) for field in fields.values() if field in Rules.__struct_fields__}
