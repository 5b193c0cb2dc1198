"""Audits a journal: decides again, with simple code of its own, whether each entry was allowed.

It reads commands and events as plain JSON and shares no code with the engine, so that it finds a fault in a gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.stores.store import JournalRow


class Books:
    """The state of one asset, computed from the journal alone."""

    def __init__(self) -> None:
        self.high = self.macro = "neutral"
        self.four = "neutral"
        self.token = False
        self.flip_may_rearm = False
        self.main_bricks_in_trade = 0
        self.open_order: str | None = None
        self.position = 0
        self.mismatch = False
        self.faults: set[tuple[str, str | None]] = set()


def audit(rows: Iterable[JournalRow], cooldown_seconds: int, candle_seconds: int) -> tuple[list[str], int]:
    """Return a sentence for each wrong decision, and the number of accepted entries."""
    auditor = Auditor(cooldown_seconds, candle_seconds)
    for row in rows:
        auditor.read(row)
    return auditor.findings, auditor.entries


class Auditor:
    """Walks the journal once."""

    def __init__(self, cooldown_seconds: int, candle_seconds: int) -> None:
        self.cooldown = timedelta(seconds=cooldown_seconds)
        self.candle_seconds = candle_seconds
        self.findings: list[str] = []
        self.entries = 0
        self.books: dict[str, Books] = {}
        self.closed_at: datetime | None = None
        self.candle_used: int | None = None

    def read(self, row: JournalRow) -> None:
        command = msgspec.json.decode(row.command)
        for event in msgspec.json.decode(row.events):
            note = getattr(self, f"on_{event['type']}", None)
            if note is not None:
                note(row, command, event)

    def of(self, asset: str) -> Books:
        return self.books.setdefault(asset, Books())

    def on_EntryAccepted(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.entries += 1
        books, direction = self.of(event["asset"]), event["direction"]
        structure = {"greengreen": "BUY", "redred": "SELL"}.get(books.high + books.macro)
        zone_known = "neutral" not in (books.high, books.macro)
        checks = {
            "cooldown": self.closed_at is None or row.at >= self.closed_at + self.cooldown,
            "candle_lock": self.candle_used != self._candle(row.at),
            "pending_order": books.open_order in (None, event["order_id"]),
            "position": books.position == 0,
            "tempo": books.token,
            "zone": event.get("override", False) or (zone_known and structure in (None, direction)),
            "reconcile": not books.mismatch,
            "feed": not books.faults,
        }
        self.findings += [f"row {row.sequence}: {name} was closed" for name, is_open in checks.items() if not is_open]
        books.token = books.flip_may_rearm = False
        self.candle_used = self._candle(row.at)

    def on_EntryReturned(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.of(event["asset"]).token = True
        if event["candle_returned"]:
            self.candle_used = None

    def on_BrickApplied(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        books, stream, color = self.of(event["asset"]), event["stream"], event["color"]
        if stream in ("high", "macro"):
            setattr(books, stream, color)
        elif event.get("adopted", False):
            books.four = color if stream == "four" else books.four
        elif stream == "main":
            books.token = True
            books.main_bricks_in_trade += books.position != 0
        elif stream == "four":
            if books.four not in ("neutral", color) and books.position == 0 and books.flip_may_rearm:
                books.token = True
            books.four = color

    def on_OrderQueued(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        books = self.of(event["asset"])
        if books.open_order is not None:
            self.findings.append(f"row {row.sequence}: two open orders for {event['asset']}")
        books.open_order = event["order_id"]

    def on_OrderEnded(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.of(event["asset"]).open_order = None

    def on_TradeOpened(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        books = self.of(event["asset"])
        books.position = event["qty"] if event["side"] == "BUY" else -event["qty"]
        books.main_bricks_in_trade = 0

    def on_TradeClosed(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        books = self.of(event["asset"])
        books.position = 0
        books.token = False  # spent at flat (SPEC 5.7)
        books.flip_may_rearm = books.main_bricks_in_trade > 0
        self.closed_at = row.at

    def on_PositionDisagreed(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.of(event["asset"]).mismatch = True

    def on_PositionAgreed(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.of(event["asset"]).mismatch = False

    def on_FeedFaultFound(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        if event["kind"] != "silent":  # silence counts in LIVE only
            self.of(event["asset"]).faults.add((event["kind"], event.get("stream")))

    def on_FeedFaultEnded(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.of(event["asset"]).faults.discard((event["kind"], event.get("stream")))

    def _candle(self, at: datetime) -> int:
        return int(at.timestamp()) // self.candle_seconds
