"""Small builders for stories: New York times, contracts, the operator's settings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from services.engine.model.commands import ToggledExit
from services.engine.model.settings import Rules
from services.engine.model.window import SessionHours
from wire.types import Color, Contract, Stream

NEW_YORK = ZoneInfo("America/New_York")
TUESDAY = "2026-11-17"

CONTRACTS = {
    "ES": Contract("MESZ6", "CME", tick_size=Decimal("0.25"), point_value=Decimal(5), unit=Decimal(1)),
    "NQ": Contract("MNQZ6", "CME", tick_size=Decimal("0.25"), point_value=Decimal(2), unit=Decimal(4)),
    "YM": Contract("MYMZ6", "CBOT", tick_size=Decimal(1), point_value=Decimal("0.5"), unit=Decimal(8)),
    "CL": Contract("MCLF7", "NYMEX", tick_size=Decimal("0.01"), point_value=Decimal(100), unit=Decimal("0.02")),
    "EURUSD": Contract(
        "EURUSD", "OTC", tick_size=Decimal("0.00001"), point_value=Decimal(10_000), unit=Decimal("0.0001")
    ),
    "RTY": Contract("M2KZ6", "CME", tick_size=Decimal("0.1"), point_value=Decimal(5), unit=Decimal("0.6")),
    "GC": Contract("MGCZ6", "COMEX", tick_size=Decimal("0.1"), point_value=Decimal(10), unit=Decimal("0.8")),
    "XAUUSD": Contract("XAUUSD", "OTC", tick_size=Decimal("0.01"), point_value=Decimal(10), unit=Decimal("0.8")),
    "GBPUSD": Contract(
        "GBPUSD", "OTC", tick_size=Decimal("0.00001"), point_value=Decimal(10_000), unit=Decimal("0.0001")
    ),
}

STREAM_OF_POINTS = {
    1: Stream.ONE,
    2.5: Stream.TWO_HALF,
    4: Stream.FOUR,
    6: Stream.MAIN,
    8: Stream.HIGH,
    12: Stream.MACRO,
}

WITH: dict[str, Color] = {"BUY": "green", "SELL": "red"}
AGAINST: dict[str, Color] = {"BUY": "red", "SELL": "green"}
TOGGLES: dict[str, ToggledExit] = {
    "high_next_bar": "high_next_bar_exit_enabled",
    "main_flip": "main_flip_exit_enabled",
    "four_pt_invalidation": "four_pt_invalidation_enabled",
}
OPPOSITE = {"green": "red", "red": "green", "BUY": "SELL", "SELL": "BUY"}


def new_york(day: str, clock: str) -> datetime:
    """Return the instant of the New York time ``clock`` on ``day``."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), NEW_YORK).astimezone(UTC)


def rules_for(*assets: str, **settings: Any) -> Rules:
    """Return the default rules for these assets, with some settings changed; ``contracts`` replaces the usual ones."""
    contracts = settings.pop("contracts", None) or {asset: CONTRACTS[asset] for asset in assets}
    return Rules(contracts=contracts, **settings)


def always_open(assets: Iterable[str], now: datetime) -> dict[str, tuple[SessionHours, ...]]:
    """Return sessions in which every market trades at any time: stories and tests of processes run at any hour."""
    return dict.fromkeys(assets, (SessionHours(now - timedelta(days=7), now + timedelta(days=3650)),))


def exactly(number: object) -> Decimal | None:
    """Return a story's price or amount as an exact Decimal."""
    return None if number is None else Decimal(str(number))
