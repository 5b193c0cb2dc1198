"""The MT4 account's equity, a sample every five minutes, one bounded record a day, as the desk's own course is kept.

MT4 tells no past equity, so what was not sampled is not known. The writer keeps the samples beside the journal; no
decision reads them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from services.portfolio.mt4 import Status, told_by
from services.projections.equity import PnlDay, PnlSample
from services.projections.projection import decoded
from services.stores.records import Kind, Record
from services.stores.store import Store
from wire.types import Instant

MT4_DAYS = Kind("mt4_days", is_replaced=True)
SAMPLE_EVERY = timedelta(minutes=5)
REMEMBERED_FOR = timedelta(days=7)
"""An account that was heard in this time still holds what it holds, whether or not it is connected now."""


def sample_of(status: bytes, at: Instant) -> PnlSample | None:
    """Return the sample that an answer of MT4 gives, None without an account in dollars or without its equity.

    Raises ValueError for an answer that is none.
    """
    told = told_by(msgspec.json.decode(status, type=Status).account)
    if told is None or told.env is None or told.equity_usd is None:
        return None
    return PnlSample(at, told.env, told.equity_usd, None, None, told.account)


def mt4_day_record(store: Store, sample: PnlSample) -> Record | None:
    """Return the day's record with one more sample, None when the last one is too new. Raises StoreError."""
    day = _day_of(sample.at)
    kept = store.record(MT4_DAYS, day)
    known = PnlDay(day) if kept is None else _read(kept)
    if known.samples and sample.at - known.samples[-1].at < SAMPLE_EVERY:
        return None
    return Record(MT4_DAYS, day, sample.at, msgspec.json.encode(replace(known, samples=(*known.samples, sample))))


def last_heard(store: Store, now: Instant) -> PnlSample | None:
    """Return the last sample of the last week, None without one. Raises StoreDown, StoreUnreadable."""
    newest = store.newest_records(MT4_DAYS, 1, now - REMEMBERED_FOR)
    return _read(newest[0]).samples[-1] if newest else None


def mt4_days(store: Store, first: Instant, last: Instant) -> list[PnlDay]:
    """Return the days of a span, oldest first. Raises StoreDown, StoreUnreadable."""
    return [_read(record) for record in store.records_by_id(MT4_DAYS, _day_of(first), _day_of(last))]


def _day_of(at: datetime) -> str:
    return at.date().isoformat()


def _read(record: Record) -> PnlDay:
    return decoded(record, PnlDay, f"the MT4 account's course of {record.id}")
