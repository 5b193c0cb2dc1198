"""The desk as the journal's own words make it: plain JSON, plain sums, nothing of the engine.

The gate auditor follows tokens, candle and cooldown (and finds entries that a closed gate let through); this adds
orders, fills, positions, counters and limits, and counts what must be in the journal once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from services.stores.store import JournalRow
from tests.support.gate_auditor import Auditor

FINAL = ("FILLED", "REJECTED", "CANCELLED", "EXPIRED")


@dataclass
class Told:
    """An order as the journal tells of it."""

    asset: str
    kind: str
    side: str
    qty: int
    filled: int = 0
    status: str = "PENDING"


class Oracle(Auditor):
    """Reads the journal row by row. ``findings`` is what was wrong with the journal itself."""

    def __init__(self, cooldown_seconds: int, candle_seconds: int) -> None:
        super().__init__(cooldown_seconds, candle_seconds)
        self.sequence = 0
        self.digest = blake2b(digest_size=16)
        self.counted: dict[str, Counter[str]] = {}
        self.first_at: dict[tuple[str, str], datetime] = {}
        self.orders: dict[str, Told] = {}
        self.positions: Counter[str] = Counter()
        self.trades_taken = 0
        self.is_stopped = False
        self.limit_pct: Decimal | None = None
        self.writers: list[str] = []
        self._closed_in_row: list[str] = []

    def follow(self, rows: Iterable[JournalRow]) -> Oracle:
        for row in rows:
            if row.sequence != self.sequence + 1:
                self.findings.append(f"row {row.sequence} follows row {self.sequence}")
            self.sequence = row.sequence
            self.digest.update(b"%d %s %s %s" % (row.sequence, row.at.isoformat().encode(), row.command, row.events))
            self._count_command(row)
            self.read(row)
            self._audit_closed(row)
        return self

    def count(self, what: str) -> Counter[str]:
        return self.counted.setdefault(what, Counter())

    @property
    def open_orders(self) -> dict[str, Told]:
        return {name: told for name, told in self.orders.items() if told.status not in FINAL}

    @property
    def cooldown_until(self) -> datetime | None:
        return self.closed_at + self.cooldown if self.closed_at else None

    @property
    def candle_until(self) -> datetime | None:
        if self.candle_used is None:
            return None
        return datetime.fromtimestamp((self.candle_used + 1) * self.candle_seconds, UTC)

    def _audit_closed(self, row: JournalRow) -> None:
        """Find a trade that was closed in this row though its fills, all told by now, leave contracts."""
        for asset in self._closed_in_row:
            if held := self.positions[asset]:
                self.findings.append(f"row {row.sequence}: {asset} was closed though its fills leave {held}")
        self._closed_in_row.clear()

    # -- commands -------------------------------------------------------------------------------------------

    def _count_command(self, row: JournalRow) -> None:
        command = msgspec.json.decode(row.command)
        match row.kind:
            case "CloseBrick":
                self._name(row, "brick", command["bar_id"])
                self.count("close")[f"{command['bar_id']} {float(command['close'])}"] += 1
            case "SetPointsTarget":
                self._name(row, "target", f"{float(command['target']):g}")
            case "SetLimits":
                self._name(row, "limit", f"{float(command['limits']['daily_stop_limit_pct']):g}")
            case "ToggleExit":
                self.count("toggle " + command["exit"])[command["asset"]] += 1
            case _:
                self.count("command")[row.kind] += 1

    def _name(self, row: JournalRow, what: str, name: str) -> None:
        self.count(what)[name] += 1
        self.first_at.setdefault((what, name), row.at)

    # -- events ---------------------------------------------------------------------------------------------

    def on_EntryAccepted(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        super().on_EntryAccepted(row, command, event)
        self.count("accepted")[event["order_id"]] += 1
        self.count("entered by " + row.kind)[event["order_id"]] += 1

    def on_PreOrderPlaced(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.count("command")["a pre-order placed"] += 1

    def on_OrderQueued(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        super().on_OrderQueued(row, command, event)
        self.count("queued")[event["order_id"]] += 1
        self.orders[event["order_id"]] = Told(event["asset"], event["kind"], event["side"], event["qty"])

    def on_OrderClaimed(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.count("claimed")[event["order_id"]] += 1
        self.orders[event["order_id"]].status = "CLAIMED"

    def on_OrderReported(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        told, qty = self.orders[event["order_id"]], event.get("qty", 0)
        if event.get("exec_id"):
            self._name(row, "exec", event["exec_id"])
        told.filled += qty
        self.positions[told.asset] += qty if told.side == "BUY" else -qty
        if event["status"] not in FINAL:
            told.status = "PARTIALLY_FILLED" if told.filled else event["status"]

    def on_OrderEnded(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        super().on_OrderEnded(row, command, event)
        self.count("ended")[event["order_id"]] += 1
        told = self.orders[event["order_id"]]
        told.status = event["status"]
        if told.filled != event["filled_qty"]:
            self.findings.append(f"row {row.sequence}: {event['order_id']} filled {told.filled} by its reports")

    def on_TradeOpened(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        super().on_TradeOpened(row, command, event)
        if event.get("adopted"):
            self.findings.append(f"row {row.sequence}: a position of {event['asset']} was adopted that nobody opened")
        self.trades_taken += 1

    def on_TradeClosed(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        super().on_TradeClosed(row, command, event)
        self.count("closed")[event["id"]] += 1
        self._closed_in_row.append(event["asset"])

    def on_TradeConsumed(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.trades_taken += 1

    def on_LimitsChanged(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        if "daily_stop_limit_pct" in event["now"]:
            self.limit_pct = Decimal(event["now"]["daily_stop_limit_pct"])

    def on_DailyStopTriggered(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.is_stopped = True

    def on_DayRolled(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.trades_taken, self.is_stopped = 0, False

    def on_DeskTakenOver(self, row: JournalRow, command: dict[str, Any], event: dict[str, Any]) -> None:
        self.writers.append(event["writer"])


def differences(oracle: Oracle, desk: dict[str, Any], assets: dict[str, dict[str, Any]]) -> list[str]:
    """Compare with the stored documents: ``desk`` is ``_global``'s, ``assets`` by symbol, both as plain JSON."""
    locks, day = desk.get("locks", {}), desk["day"]
    expected: dict[str, tuple[Any, Any]] = {
        "sequence": (oracle.sequence, desk["sequence"]),
        "trades taken": (oracle.trades_taken, day.get("trades_taken", 0)),
        "daily stop": (oracle.is_stopped, day.get("daily_stop_at") is not None),
        "cooldown": (oracle.cooldown_until, _instant(locks.get("cooldown_until"))),
        "candle": (oracle.candle_until, _instant(locks.get("candle_until"))),
    }
    if oracle.limit_pct is not None:
        expected["limit"] = (oracle.limit_pct, Decimal(desk["rules"]["daily_stop_limit_pct"]))
    for symbol, asset in assets.items():
        trade, books = asset.get("trade"), oracle.of(symbol)
        held = (1 if trade["side"] == "BUY" else -1) * trade["quantity"] if trade else 0
        expected[f"position of {symbol}"] = (oracle.positions[symbol], held)
        expected[f"token of {symbol}"] = (books.token, asset.get("tempo", {}).get("ready", False))
        expected[f"flip right of {symbol}"] = (books.flip_may_rearm, asset["tempo"].get("flip_may_rearm", False))
    return [
        f"{what}: the journal makes {mine}, stored is {its}" for what, (mine, its) in expected.items() if mine != its
    ]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
