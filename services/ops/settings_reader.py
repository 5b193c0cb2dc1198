"""Typed reading of the environment. It collects faults and goes on, so that one start reports all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from werkzeug.security import check_password_hash

from services.engine.model.rule_setting import RuleSetting
from services.engine.model.settings import RULE_SETTINGS, Rules
from services.engine.rules.day_clock import hours_fault
from services.market.instruments import TRADABLE

SHORTEST_SECRET = 8
MIB = 2**20
MEMORY_OF_A_CHECK = 128 * MIB
"""The most that one look at a password may take: it is part of the memory a desk promises to stay within."""

BUILT_BY = ("tradingview", "desk")
"""Who builds the bricks of an asset: TradingView's script, or the desk of the prices that it hears."""

PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "change_me", "secret", "password", "default", "example", "placeholder", "your-secret"}
)


class Settings:
    """Typed access to the environment; ``faults`` collects a sentence for each wrong setting."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def optional(self, name: str) -> str | None:
        return self.text(name) or None

    def names_with(self, prefix: str) -> list[str]:
        """Return the names of the variables that are set and begin so."""
        return sorted(name for name in self._environ if name.startswith(prefix) and self.text(name))

    def secret(self, name: str) -> str:
        """Return a secret; it is a fault when unset, too short or a placeholder."""
        value = self.text(name)
        if not value:
            self.faults.append(f"{name} is not set")
        elif value.lower() in PLACEHOLDERS or len(value) < SHORTEST_SECRET:
            self.faults.append(f"{name} must be {SHORTEST_SECRET} characters or more and no placeholder")
        return value

    def password(self, name: str) -> str | None:
        """Return an optional secret, None when unset; a short one or a placeholder is a fault."""
        return self.secret(name) if self.text(name) else None

    def password_hash(self, name: str) -> str | None:
        """Return a password hash, None when unset; a hash of an unknown kind is a fault."""
        value = self.optional(name)
        if value is not None and not is_password_hash(value):
            self.faults.append(f"{name} was no argon2, scrypt or pbkdf2 hash (`flask desk hash-password` makes one)")
        elif value is not None and (needs := memory_of_check(value)) > MEMORY_OF_A_CHECK:
            most = MEMORY_OF_A_CHECK // MIB
            self.faults.append(f"{name} needs {needs // MIB} MiB to check a password, at most {most} are allowed")
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        raw = self.text(name, str(default))
        try:
            value = int(raw)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            self.faults.append(f"{name} was {raw!r}, it must be a whole number from {low} to {high}")
        return value

    def decimal(self, name: str, default: str, above: str, most: str) -> Decimal:
        """Return a number above ``above`` and at most ``most``."""
        raw = self.text(name, default)
        try:
            value = Decimal(raw)
        except InvalidOperation:
            value = Decimal("NaN")
        if value.is_nan() or not Decimal(above) < value <= Decimal(most):
            self.faults.append(f"{name} was {raw!r}, it must be a number above {above} and at most {most}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        raw = self.text(name, "1" if default else "0").lower()
        if raw not in {"0", "1", "true", "false", "yes", "no"}:
            self.faults.append(f"{name} was {raw!r}, it must be 1 or 0")
        return raw in {"1", "true", "yes"}

    def one_of(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in choices:
            self.faults.append(f"{name} was {value!r}, it must be one of {', '.join(choices)}")
        return value


def bricks_by_desk(settings: Settings, assets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the assets whose bricks the desk builds: ``BRICKS``, or the asset's own ``BRICKS_<ASSET>``.

    A variable of an asset that nobody knows is a fault: it was meant for another one.
    """
    usual = settings.one_of("BRICKS", BUILT_BY[0], BUILT_BY)
    for name in settings.names_with("BRICKS_"):
        if name.removeprefix("BRICKS_") not in TRADABLE:
            settings.faults.append(f"{name} names no asset: known are {', '.join(TRADABLE)}")
    return tuple(asset for asset in assets if settings.one_of(f"BRICKS_{asset}", usual, BUILT_BY) == "desk")


def rules_of(settings: Settings) -> Rules:
    """Read every rule that the environment may set; faults go to ``settings.faults``."""
    rules = {row.rule: _rule_of(settings, row, row.variable) for row in RULE_SETTINGS if row.variable is not None}
    candle = rules["candle_seconds"]
    if candle > 0 and 3600 % candle:
        settings.faults.append(f"CANDLE_SECONDS was {candle}, it must divide an hour")
    return Rules(contracts={}, **rules)


def _rule_of(settings: Settings, row: RuleSetting, variable: str) -> Any:
    if row.may_be_off and not settings.text(variable):
        return None
    match row.kind:
        case "whole":
            return settings.number(variable, row.default, row.low, row.high)
        case "decimal":
            return settings.decimal(variable, str(row.default), str(row.low), str(row.high))
        case "flag":
            return settings.flag(variable, row.default)
        case "choice":
            return settings.one_of(variable, "", row.choices) if settings.text(variable) else None
        case "clock":
            return _clock(settings, variable, row.default)
        case "hours":
            return _hours(settings, variable)


def _hours(settings: Settings, name: str) -> str | None:
    hours = settings.optional(name)
    fault = None if hours is None else hours_fault(hours)
    if fault is not None:
        settings.faults.append(f"{name} was {hours!r:.100}, {fault}")
        return None
    return hours


def _clock(settings: Settings, name: str, default: str) -> str:
    """Read a New York wall-clock time; 01:00 to 03:00 is a fault, because daylight saving time skips or repeats it."""
    raw = settings.text(name, default)
    try:
        at = datetime.strptime(raw, "%H:%M").time()  # noqa: DTZ007 - a wall-clock time has no zone
    except ValueError:
        settings.faults.append(f"{name} was {raw!r}, it must be a New York time such as 18:00")
        return default
    if 1 <= at.hour < 3:
        settings.faults.append(f"{name} was {raw!r}, it must not lie between 01:00 and 03:00")
    return f"{at:%H:%M}"


def memory_of_check(hashed: str) -> int:
    """Return how many bytes it takes to check a password against this hash, 0 where it is next to nothing."""
    if hashed.startswith("$argon2"):
        return extract_parameters(hashed).memory_cost * 1024
    if hashed.startswith("scrypt:"):
        n, r, _ = (int(number) for number in hashed.split("$")[0].split(":")[1:])
        return 128 * n * r
    return 0


def is_password_hash(text: str) -> bool:
    """Return whether the text is a hash that a password can be checked against."""
    if text.startswith("$argon2"):
        try:
            extract_parameters(text)
        except InvalidHashError:
            return False
        return True
    try:
        check_password_hash(text, "")
    except ValueError:
        return False
    return text.startswith(("scrypt:", "pbkdf2:"))
