"""What a translated script runs on: ``na``, types, the built-ins that our script uses, and one bar after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from tests.support.pine.statements import translate

LARGEST_STRING = 40_960
DECIMALS = Decimal("1e-10")  # of str.tostring without a format
ONCE = "alert.freq_once_per_bar_close"


class PineError(Exception):
    """The script stopped itself, or did what stops a script on TradingView."""


class NotAvailable:
    """Pine's ``na``: it makes every sum ``na`` and every comparison false, and it is no bool."""

    def _na(self, _other: object) -> NotAvailable:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _na

    def _false(self, _other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _false

    def __eq__(self, _other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        raise PineError("na is no bool")

    def __neg__(self) -> NotAvailable:
        return self

    def __repr__(self) -> str:
        return "na"


NA = NotAvailable()


class Symbol(Struct, frozen=True):
    """The chart that the script is on."""

    ticker: str = "ES1!"
    prefix: str | NotAvailable = "CME_MINI"
    mintick: float = 0.25
    timeframe: str = "1"
    is_standard: bool = True


class Bar(Struct, frozen=True):
    """One run of the script: a bar as it is now. Times are milliseconds of the epoch."""

    time: int
    ohlc: tuple[float, float, float, float] | tuple[NotAvailable, ...]
    volume: float | NotAvailable = NA
    now: int = 0
    is_confirmed: bool = True
    is_realtime: bool = True


class Alert(Struct, frozen=True):
    """One call of ``alert()``."""

    message: str


class PineScript:
    """A script on a chart. ``inputs`` are found by the first word of their titles.

    Raises PineUnknown for a script that cannot be translated. There is no rollback: what the script does to its state
    on a bar that is not confirmed stays, so a test sees it.
    """

    def __init__(self, source: str, symbol: Symbol | None = None, inputs: Mapping[str, object] | None = None) -> None:
        self._symbol = symbol or Symbol()
        self._inputs = dict(inputs or {})
        self._alerts: list[Alert] = []
        self._is_first = True
        self._variables: dict[str, Any] = dict.fromkeys(VARIABLES, NA)
        self.globals: dict[str, Any] = {}
        built_in = self._built_in()
        translated = translate(source, built_in.keys() | {"na"}, VARIABLES)
        space: dict[str, Any] = {
            "_b": {**built_in, "na": NA, "na()": _is_na},
            "_v": self._variables,
            "_g": self.globals,
            "_bool": _bool,
            "_value": _value,
            "_array": _array,
            "_like": _like,
            "_typed": self._typed,
            "_type": self._type,
        }
        exec(compile(translated.definitions, "definitions", "exec"), space)  # noqa: S102 - our own translation
        self._each_bar = compile(translated.each_bar, "each bar", "exec")
        self._space = space

    def run(self, bar: Bar) -> list[Alert]:
        """Run the script on a bar and return its alerts. Raises PineError where it stops."""
        opened, high, low, closed = bar.ohlc
        self._variables.update(
            {
                "open": opened,
                "high": high,
                "low": low,
                "close": closed,
                "volume": bar.volume,
                "time": bar.time,
                "timenow": bar.now,
                "timeframe.period": self._symbol.timeframe,
                "syminfo.ticker": self._symbol.ticker,
                "syminfo.prefix": self._symbol.prefix,
                "syminfo.mintick": self._symbol.mintick,
                "chart.is_standard": self._symbol.is_standard,
                "barstate.isfirst": self._is_first,
                "barstate.isconfirmed": bar.is_confirmed,
                "barstate.isrealtime": bar.is_realtime,
                "display.none": "display.none",
                ONCE: ONCE,
            }
        )
        self._alerts.clear()
        exec(self._each_bar, self._space)  # noqa: S102 - our own translation
        self._is_first = False
        return list(self._alerts)

    def _built_in(self) -> dict[str, Callable[..., Any]]:
        return {
            "indicator": _nothing,
            "plot": _nothing,
            "runtime.error": _stop,
            "alert": self._alert,
            "input.string": self._input,
            "input.float": self._input,
            "math.floor": _floor,
            "math.ceil": _ceil,
            "math.round": _round,
            "math.abs": _abs,
            "str.tostring": _to_string,
            "str.tonumber": float,
            "str.replace_all": str.replace,
            "array.from": _array_from,
            "array.push": list.append,
            "array.size": len,
            "array.join": _join,
        }

    def _input(self, default: object, title: str, confirm: bool = False, display: str = "") -> object:
        label = title
        return self._inputs.get(label.split()[0].rstrip(":"), default)

    def _alert(self, message: str, frequency: str) -> None:
        if frequency != ONCE or not isinstance(message, str) or len(message) > LARGEST_STRING:
            raise PineError(f"no alert: {frequency}, {len(message)} characters")
        if self._alerts:
            raise PineError("a second alert on one bar")
        if self._variables["barstate.isconfirmed"] and self._variables["barstate.isrealtime"]:
            self._alerts.append(Alert(message))

    def _type(self, name: str, fields: list[tuple[str, str, Any]]) -> type:
        """Make a user-defined type; its objects keep the declared types of their fields."""
        kinds = {field: kind for field, kind, _ in fields}
        typed = self._typed

        def __init__(self: Any, *given: Any, **named: Any) -> None:
            values = {field: value for field, _, value in fields}
            values.update(zip(kinds, given, strict=False), **named)
            if len(given) > len(kinds):
                raise PineError(f"{name} has {len(kinds)} fields")
            for field, value in values.items():
                setattr(self, field, value)

        def __setattr__(self: Any, field: str, value: Any) -> None:
            if field not in kinds:
                raise PineError(f"{name} has no field {field}")
            object.__setattr__(self, field, typed(kinds[field], value))

        return type(name, (), {"__init__": __init__, "__setattr__": __setattr__})

    def _typed(self, kind: str, value: Any) -> Any:
        """Return a value that has the declared type. Raises PineError for another."""
        if kind == "bool" or value is NA:
            return _bool(value) if kind == "bool" else value
        if kind.startswith("array<"):
            is_right = isinstance(value, list)
        elif kind in PYTHON_TYPES:
            is_right = isinstance(value, PYTHON_TYPES[kind]) and not isinstance(value, bool)
        else:
            is_right = isinstance(value, self.globals[kind])
        if not is_right:
            raise PineError(f"{value!r} is no {kind}")
        return value


PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "string": str}
VARIABLES = frozenset(
    {
        *("open", "high", "low", "close", "volume", "time", "timenow", "timeframe.period", "syminfo.ticker"),
        *("syminfo.prefix", "syminfo.mintick", "chart.is_standard", "barstate.isfirst", "barstate.isconfirmed"),
        *("barstate.isrealtime", "display.none", ONCE),
    }
)


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise PineError(f"{value!r} is no bool")
    return value


def _value(value: Any) -> Any:
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PineError(f"{value!r} is no array")
    return value


def _like(before: Any, value: Any) -> Any:
    """Return the new value of a variable. Raises PineError when a whole number or a text becomes another kind."""
    if before is not NA and value is not NA and type(before) is not type(value) and not isinstance(before, float):
        raise PineError(f"{before!r} became {value!r}")
    return value


def _is_na(value: object) -> bool:
    return value is NA or (isinstance(value, float) and math.isnan(value))


def _floor(value: Any) -> Any:
    return NA if _is_na(value) else math.floor(value)


def _ceil(value: Any) -> Any:
    return NA if _is_na(value) else math.ceil(value)


def _abs(value: Any) -> Any:
    return NA if _is_na(value) else abs(value)


def _round(value: Any, precision: int | None = None) -> Any:
    """Round to the nearest, ties up."""
    if _is_na(value):
        return NA
    return math.floor(value + 0.5) if precision is None else math.floor(value * 10**precision + 0.5) / 10**precision


def _to_string(value: Any) -> str:
    """Write a number as ``#.##########``: ten decimals at most, no zeros behind them, no separators."""
    if _is_na(value):
        return "NaN"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PineError(f"{value!r} is no number")
    text = f"{Decimal(repr(value)).quantize(DECIMALS):f}"
    return text.rstrip("0").rstrip(".")


def _array_from(*values: Any) -> list[Any]:
    return list(values)


def _join(values: list[str], separator: str) -> str:
    return separator.join(values)


def _nothing(*_given: object, **_named: object) -> None:
    """Draw nothing."""


def _stop(message: str) -> None:
    raise PineError(message)
