"""The account's equity and PnL over a trading day: one sample a minute, one bounded record per day."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.state import Desk
from services.engine.model.trading_day import trading_day_of
from services.projections.projection import Decided, Projection, decoded
from services.stores.records import Kind, Record
from services.stores.store import Store
from wire.types import Env, Instant, Usd

ACCOUNT_DAYS = Kind("pnl_snapshots", is_replaced=True)
SAMPLE_SECONDS = 60
SAMPLES_AT_MOST = 24 * 60 + 60  # a day whose clock was set back has 25 hours


class PnlSample(Struct, frozen=True, array_like=True):
    """The account of ``env`` at one instant, in USD. Equity includes the open PnL.

    ``account`` is its name as the bridge told it; None when it was not told, and in samples of earlier programs.
    """

    at: Instant
    env: Env
    equity: Usd
    realized_pnl: Usd | None
    open_pnl: Usd | None
    account: str | None = None


class PnlDay(Struct, frozen=True):
    """The samples of one trading day, DEMO and LIVE in one list. ``schema`` counts the forms of this record."""

    trading_day: str
    samples: tuple[PnlSample, ...] = ()
    schema: int = 1


def day_name(desk: Desk) -> str:
    """Return the id of the record of the desk's current day."""
    return desk.day.trading_day.isoformat()


def account_records(decided: Decided) -> Iterator[Record]:
    """Yield the day's record with one more sample, once a minute."""
    desk = decided.decision.desk
    kept = decided.carried.get(ACCOUNT_DAYS.name)
    if kept is not None and kept.id != day_name(desk):
        kept = None
    if kept is not None and _has_sampled(kept.at, desk):
        return  # the body of a day is long: decode it only when a minute has passed
    day = with_sample(None if kept is None else _read(kept), desk)
    if day is not None:
        yield account_record(day)


def _has_sampled(sampled_at: Instant, desk: Desk) -> bool:
    snapshot_at = desk.live.snapshot_at
    return snapshot_at is None or _minute(sampled_at) >= _minute(snapshot_at)


def with_sample(day: PnlDay | None, desk: Desk) -> PnlDay | None:
    """Return the day with the last snapshot added, at most one a minute; None when there is nothing to add.

    A snapshot from before the roll is not a sample of the new trading day (SPEC 5.5).
    """
    live = desk.live
    name = day_name(desk)
    if live.equity is None or live.snapshot_at is None:
        return None
    if trading_day_of(live.snapshot_at, desk.rules.day_roll) != desk.day.trading_day:
        return None
    if day is None or day.trading_day != name:
        day = PnlDay(name)
    if day.samples and _minute(day.samples[-1].at) >= _minute(live.snapshot_at):
        return None
    sample = PnlSample(live.snapshot_at, desk.env, live.equity, live.realized_pnl, live.open_pnl, account_of(desk))
    return replace(day, samples=(*day.samples, sample)[-SAMPLES_AT_MOST:])


def account_of(desk: Desk) -> str | None:
    """Return whose account the desk's environment has, by the bridge's word; None when it names none.

    That is whose balance is believed, else the one that the heartbeats name: they keep the last name even when another
    environment is chosen, so one of a bridge that executes the other environment names none.
    """
    live = desk.live
    believed = live.beliefs.believed
    if believed is not None and believed.account is not None:
        return believed.account
    return live.account if live.env in (None, desk.env) else None


def _minute(at: Instant) -> int:
    return int(at.timestamp()) // SAMPLE_SECONDS


# -- as stored ------------------------------------------------------------------------------------------------------


def account_record(day: PnlDay) -> Record:
    """Return the record of a day. The record's time is that of its last sample."""
    return Record(ACCOUNT_DAYS, day.trading_day, day.samples[-1].at, msgspec.json.encode(day))


def account_day(store: Store, trading_day: str) -> PnlDay | None:
    """Return the samples of a trading day (``2026-11-20``), None when nothing was stored.

    Raises StoreDown, StoreUnreadable.
    """
    record = store.record(ACCOUNT_DAYS, trading_day)
    return None if record is None else _read(record)


def account_days(store: Store, first_day: str, last_day: str) -> list[PnlDay]:
    """Return the samples of these trading days, both included, oldest first. Raises StoreDown, StoreUnreadable."""
    return [_read(record) for record in store.records_by_id(ACCOUNT_DAYS, first_day, last_day)]


def account_day_before(store: Store, until: Instant) -> PnlDay | None:
    """Return the samples of the newest trading day whose last one came before an instant, None without one.

    Raises StoreDown, StoreUnreadable.
    """
    newest = store.newest_records(ACCOUNT_DAYS, 1, until=until)
    return _read(newest[0]) if newest else None


def _current_day(store: Store, desk: Desk) -> Record | None:
    """Return the record to which the next sample is added.

    It is built again from its samples, because older programs stored it with another time.
    """
    day = account_day(store, day_name(desk))
    return account_record(day) if day is not None and day.samples else None


def _read(record: Record) -> PnlDay:
    return decoded(record, PnlDay, f"the account's course of {record.id}")


PROJECTION = Projection(ACCOUNT_DAYS, account_records, carry=_current_day)
