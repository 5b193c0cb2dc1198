"""The account over one trading day: a sample a minute, kept as one bounded document per day."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.state import Desk
from services.engine.model.trading_day import trading_day_of
from wire.types import Env, Instant, Usd

SAMPLE_SECONDS = 60
SAMPLES_AT_MOST = 24 * 60 + 60  # a day whose clock was set back has 25 hours


class PnlSample(Struct, frozen=True, array_like=True):
    """What the account of ``env`` held at an instant, in USD; equity includes the open PnL."""

    at: Instant
    env: Env
    equity: Usd
    realized_pnl: Usd | None
    open_pnl: Usd | None


class PnlDay(Struct, frozen=True):
    """The account over one trading day, DEMO and LIVE in one list. ``schema`` is this document's own."""

    trading_day: str
    samples: tuple[PnlSample, ...] = ()
    schema: int = 1


_days = msgspec.json.Decoder(PnlDay)


def day_name(desk: Desk) -> str:
    """Return the name of the desk's present document."""
    return desk.day.trading_day.isoformat()


def with_sample(day: PnlDay | None, desk: Desk) -> PnlDay | None:
    """Add what the last snapshot said, once a minute; None when there is nothing to add.

    A snapshot from before the roll is no sample of the new trading day (SPEC 5.5).
    """
    live, name = desk.live, day_name(desk)
    if live.equity is None or live.snapshot_at is None:
        return None
    if trading_day_of(live.snapshot_at, desk.rules.day_roll) != desk.day.trading_day:
        return None
    if day is None or day.trading_day != name:
        day = PnlDay(name)
    if day.samples and _minute(day.samples[-1].at) >= _minute(live.snapshot_at):
        return None
    sample = PnlSample(live.snapshot_at, desk.env, live.equity, live.realized_pnl, live.open_pnl)
    return replace(day, samples=(*day.samples, sample)[-SAMPLES_AT_MOST:])


def write_pnl_day(day: PnlDay) -> bytes:
    return msgspec.json.encode(day)


def read_pnl_day(body: bytes) -> PnlDay:
    return _days.decode(body)


def _minute(at: Instant) -> int:
    return int(at.timestamp()) // SAMPLE_SECONDS
