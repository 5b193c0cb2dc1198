"""Flat records of the journal, one kind per table: rows, trades, refusals, orders.

A record maps columns to values: text, whole numbers, Decimals, aware UTC instants, booleans, None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct

from services.engine.model.events import AnyEvent, EntryBlocked, OrderEnded, OrderQueued, OrderReported
from services.engine.model.trade_events import closed_trades
from services.stores.codec import documents
from services.stores.store import JournalRow, StoreUnreadable

ColumnKind = Literal["text", "whole", "exact", "instant", "flag"]
Record = dict[str, Any]


class Table(Struct, frozen=True):
    """One table that can be exported: its columns in order, and the function that makes records from journal rows."""

    name: str
    columns: dict[str, ColumnKind]
    records: Callable[[Iterable[JournalRow]], Iterator[Record]]


def _journal(rows: Iterable[JournalRow]) -> Iterator[Record]:
    for row in rows:
        event_names = [event.kind_name() for event in _events(row)]
        yield {
            "sequence": row.sequence,
            "at": row.at,
            "origin": row.origin,
            "kind": row.kind,
            "asset": row.asset,
            "told": " ".join(event_names),
            "command": row.command.decode(),
            "events": row.events.decode(),
            "observed": None if row.observed is None else row.observed.decode(),
            "schema": row.schema,
        }


def _trades(rows: Iterable[JournalRow]) -> Iterator[Record]:
    """Yield each closed trade once, in its latest form."""
    latest: dict[str, Record] = {}
    for row in rows:
        for trade in closed_trades(_events(row)):
            latest[trade.id] = {"sequence": row.sequence, **msgspec.structs.asdict(trade)}
    yield from latest.values()


def _refusals(rows: Iterable[JournalRow]) -> Iterator[Record]:
    for row in rows:
        for event in _events(row):
            if isinstance(event, EntryBlocked):
                yield {
                    "sequence": row.sequence,
                    "at": row.at,
                    "asset": event.asset,
                    "direction": event.direction,
                    "price": event.price,
                    "gate": event.gate,
                    "sentence": event.sentence,
                    "override": event.override,
                }


def _orders(rows: Iterable[JournalRow]) -> Iterator[Record]:
    """Yield each order once, when it has ended. Orders still open at the end come last, without an end."""
    still_open: dict[str, Record] = {}
    for row in rows:
        for event in _events(row):
            if isinstance(event, OrderQueued):
                still_open[event.order_id] = _queued(row, event)
            elif isinstance(event, OrderReported) and event.order_id in still_open:
                _fill(still_open[event.order_id], event)
            elif isinstance(event, OrderEnded) and event.order_id in still_open:
                record = still_open.pop(event.order_id)
                yield _priced({**record, "status": event.status.value, "ended_at": row.at, "reason": event.reason})
    yield from map(_priced, still_open.values())


def _queued(row: JournalRow, event: OrderQueued) -> Record:
    return {
        "id": event.order_id,
        "queued_at": row.at,
        "kind": event.kind,
        "asset": event.asset,
        "side": event.side,
        "qty": event.qty,
        "source": event.source,
        "forced": event.forced,
        "by": event.by,
        "status": "OPEN",
        "filled_qty": 0,
        "notional": Decimal(0),
        "ended_at": None,
        "reason": None,
    }


def _fill(record: Record, event: OrderReported) -> None:
    if event.qty and event.price is not None:
        record["filled_qty"] += event.qty
        record["notional"] += event.qty * event.price


def _priced(record: Record) -> Record:
    filled = record["filled_qty"]
    return {**record, "price": record["notional"] / filled if filled else None}


def _events(row: JournalRow) -> tuple[AnyEvent, ...]:
    try:
        return documents.read_events(row.events)
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"row {row.sequence} ({row.kind}): its events could not be read: {error}") from error


TABLES = {
    table.name: table
    for table in (
        Table(
            "journal",
            {
                "sequence": "whole",
                "at": "instant",
                "origin": "text",
                "kind": "text",
                "asset": "text",
                "told": "text",
                "command": "text",
                "events": "text",
                "observed": "text",
                "schema": "whole",
            },
            _journal,
        ),
        Table(
            "trades",
            {
                "sequence": "whole",
                "id": "text",
                "asset": "text",
                "contract": "text",
                "side": "text",
                "size": "whole",
                "entry_price": "exact",
                "exit_price": "exact",
                "entry_ts": "instant",
                "exit_ts": "instant",
                "pnl_points": "exact",
                "pnl_usd": "exact",
                "commission_usd": "exact",
                "commission_known": "flag",
                "pnl_net_usd": "exact",
                "risk_usd": "exact",
                "r": "exact",
                "mae_points": "exact",
                "mfe_points": "exact",
                "mae_usd": "exact",
                "mfe_usd": "exact",
                "mode": "text",
                "zone": "text",
                "reason": "text",
                "env": "text",
                "override": "flag",
                "forced_exit": "flag",
                "unit": "exact",
                "exit_by": "text",
            },
            _trades,
        ),
        Table(
            "refusals",
            {
                "sequence": "whole",
                "at": "instant",
                "asset": "text",
                "direction": "text",
                "price": "exact",
                "gate": "text",
                "sentence": "text",
                "override": "flag",
            },
            _refusals,
        ),
        Table(
            "orders",
            {
                "id": "text",
                "queued_at": "instant",
                "kind": "text",
                "asset": "text",
                "side": "text",
                "qty": "whole",
                "source": "text",
                "forced": "flag",
                "by": "text",
                "status": "text",
                "filled_qty": "whole",
                "price": "exact",
                "ended_at": "instant",
                "reason": "text",
            },
            _orders,
        ),
    )
}
