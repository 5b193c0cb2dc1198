"""Which column of a header is the time, which are the prices: one table of the names that programs write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from services.market.price_files.options import Unrecognised, say, shown

ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(  # the first name that a header has is the one
    {
        "time": (
            *("time utc", "ts event", "window start", "unix", "unix timestamp", "unix time", "epoch", "open time"),
            *("opentime", "open timestamp", "timestamp utc", "datetime utc", "date utc", "date (utc)", "gmt time"),
            *("timestamp", "datetime", "date time", "local time", "date/time", "time", "date", "ts", "t"),
        ),
        "date": ("date", "dtyyyymmdd", "day"),
        "clock": ("time", "timestamp", "time of day"),
        "open": ("open", "o", "open price", "opening price"),
        "high": ("high", "h", "high price", "max"),
        "low": ("low", "l", "low price", "min"),
        "close": ("close", "c", "close price", "last", "closing price"),
        "price": ("price", "last", "last price", "trade price", "p"),
        "bid": ("bid", "bid price", "bid px 00"),
        "size": ("size", "volume", "vol", "qty", "quantity", "amount", "last size", "v"),
        "volume": (
            "volume",
            "vol",
            "v",
            "real volume",
            "volume btc",
            "volume eth",
            "volume (btc)",
            "volume (eth)",
            "volume (contracts)",
        ),
        "counted": ("tickvol", "tick volume", "tickvolume"),
        "symbol": ("symbol", "ticker", "raw symbol", "instrument", "instrument id"),
        "simulated": ("simulated", "is simulated"),
        "source": ("source",),
        "action": ("action",),
        "ups": ("up",),
        "downs": ("down",),
        "trades": ("numberoftrades", "number of trades", "# of trades", "num trades"),
    }
)
BAR_PRICES = ("open", "high", "low", "close")
SEPARATORS = re.compile(r"[\s_\-\u00a0]+")
SAYS_UTC = re.compile(r"\b(?:utc|gmt)\b")

Columns = Mapping[str, int]


def plain_name(name: str) -> str:
    """Return a column's name as the table has it: ``<TICK_VOL>`` is ``tick vol``."""
    return SEPARATORS.sub(" ", name.strip().strip('"<>[]').strip().lower())


def columns_of(names: Iterable[str]) -> Columns:
    """Return the place of each role that a header names. Raises Unrecognised for a name that a role has twice."""
    plain = [plain_name(name) for name in names]
    found: dict[str, int] = {}
    for role, known in ROLES.items():
        chosen = next((name for name in known if name in plain), None)
        if chosen is None:
            continue
        if plain.count(chosen) > 1 and role not in ("volume", "size", "counted"):
            raise Unrecognised(f"the header names {shown(chosen)} twice: name the columns by {say('columns')}", 1)
        found[role] = plain.index(chosen)
    return found


def says_utc(name: str) -> bool:
    """Return whether a column's name says that its times are UTC."""
    return SAYS_UTC.search(plain_name(name)) is not None


def holds_bars(columns: Columns) -> bool:
    """Return whether a header has all four prices of a bar."""
    return all(role in columns for role in BAR_PRICES)
