"""Bridges at wire level: one as the contract describes it, and ours with its ledger.

Both take orders, send them to the broker, report what the broker tells, and send heartbeats and snapshots. The
contract's bridge remembers nothing over its end and executes whatever it is given. Ours keeps a ledger, asks the broker
before it sends an order that it gets again, and repeats a report until the desk has answered it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Protocol

from tests.lying.broker import ACCOUNT, TRADED, Broker, SentOrder, Unordered
from tests.lying.channels import Channel

ASK_EVERY, HEARTBEAT_EVERY, REPEAT_AFTER = timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=3)
OnAnswer = Callable[[int, Any], None]


class Line(Protocol):
    """How a bridge reaches the desk. ``on_answer`` is called only when the answer arrives."""

    def sends(self, channel: Channel, method: str, path: str, body: dict[str, Any], on_answer: OnAnswer) -> None: ...


@dataclass
class Report:
    """A report on its way; ``is_settled`` once the desk has answered."""

    tag: str
    body: dict[str, Any]
    sent_at: datetime | None = None
    is_settled: bool = False


@dataclass
class FillToTell:
    """A fill that no order caused, until the desk has answered it."""

    body: dict[str, Any]
    sent_at: datetime | None = None
    is_settled: bool = False


@dataclass
class Ledger:
    """What a bridge knows: the orders it was given, its reports in order, and what was filled without an order."""

    instance: str
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    fills: list[FillToTell] = field(default_factory=list)
    fills_seen: int = 0


class BridgeModel:
    """What both bridges do. ``is_up`` false means that its process is dead."""

    is_ours = False
    owner = "bridge"

    def __init__(self, line: Line, broker: Broker, rng: Random, env: str, name: str = "first") -> None:
        self.line, self.broker, self.env, self.name = line, broker, env, name
        self.is_up, self.is_linked = True, True
        self.snapshot_every = rng.choice([2.0, 2.0, 3.0])
        self.lists_flat_contracts = self.is_ours or rng.random() < 0.6
        self._rng = rng
        self._starts = 0
        self._due: dict[str, datetime] = {}
        self.begins_anew()

    def begins_anew(self) -> None:
        """Start with an empty ledger."""
        self._starts += 1
        self.ledger = Ledger(f"{self.name}-ledger-{self._starts}", fills_seen=len(self.broker.unordered))

    def comes_back(self, *, with_ledger: bool) -> None:
        """Start the process again."""
        self.is_up = True
        if not (with_ledger and self.is_ours):
            self.begins_anew()
        for tag in list(self.ledger.tickets):
            self.hears_of(tag)

    def step(self, now: datetime) -> None:
        """Do what is due: heartbeat, snapshot, question for orders, reports."""
        if not self.is_up:
            return
        if self._is_due("heartbeat", HEARTBEAT_EVERY.total_seconds(), now):
            self.line.sends("heartbeat", "POST", "/api/bridge/heartbeat", self.heartbeat(), _ignore)
        self._reports(now)
        if self._is_due("ask", ASK_EVERY.total_seconds(), now) and self.is_linked:
            self._asks(now)
        if self._is_due("snapshot", self.snapshot_every * self._rng.uniform(0.98, 1.02), now):
            self.line.sends("snapshot", "POST", "/api/rithmic/pnl-snapshot", self._snapshot(now), _ignore)

    def _is_due(self, what: str, every: float, now: datetime) -> bool:
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + timedelta(seconds=every)
        return True

    # -- orders ---------------------------------------------------------------------------------------------------

    def _asks(self, now: datetime) -> None:
        path = f"/api/orders/pending?owner={self.owner}"
        if self.is_ours:
            path += f"&instance={self.ledger.instance}"

        def takes(status: int, answer: Any) -> None:
            if status == 200 and self.is_up:
                for ticket in answer["orders"]:
                    self._takes(ticket, now)
                for tag in answer.get("cancels", ()) if self.is_ours else ():
                    self.broker.cancel(tag)

        self.line.sends("claim", "GET", path, {}, takes)

    def _takes(self, ticket: dict[str, Any], now: datetime) -> None:
        self.ledger.tickets[ticket["id"]] = ticket
        self.submits(ticket, now)

    def submits(self, ticket: dict[str, Any], now: datetime) -> None:
        """Send the order to the broker."""
        stop = ticket.get("stop_points")
        order = SentOrder(
            tag=ticket["id"],
            contract=ticket["asset"],
            qty=ticket["qty"] * (1 if ticket["side"] == "BUY" else -1),
            is_exit=ticket["kind"] == "EXIT",
            reduce_only=self.is_ours and ticket["kind"] == "EXIT",
            stop_points=None if stop is None else Decimal(str(stop)),
        )
        self.broker.submit(order, now)

    # -- reports --------------------------------------------------------------------------------------------------

    def hears_of(self, tag: str) -> None:
        """Take the broker's word on an order: a report for everything that is new in it."""
        order, ticket = self.broker.orders.get(tag), self.ledger.tickets.get(tag)
        if order is None or ticket is None or not self.is_up or not self.is_linked:
            return
        if order.end != "REJECTED":
            self._puts(tag, "working", "WORKING", {})
        filled = 0
        for fill in order.fills:
            filled += abs(fill.qty)
            extra = {"fill_price": float(fill.price), "qty": abs(fill.qty), "cum_qty": filled, "exec_id": fill.exec_id}
            self._puts(tag, fill.exec_id, "FILLED" if filled >= ticket["qty"] else "PARTIALLY_FILLED", extra)
        if order.end in ("REJECTED", "CANCELLED"):
            self._puts(tag, "end", order.end, {"cum_qty": filled} if filled else {})

    def _puts(self, tag: str, occasion: str, status: str, extra: dict[str, Any]) -> None:
        if (tag, occasion) in self.ledger.told:
            return
        self.ledger.told.add((tag, occasion))
        named = {"symbol": TRADED, **extra} if self.is_ours else extra
        self.ledger.reports.append(Report(tag, {"status": status, "extra": named}))

    def _reports(self, now: datetime) -> None:
        """Send what was not sent. Ours repeats what was not answered, and keeps the order of one order's reports."""
        waiting: set[str] = set()
        for report in self.ledger.reports:
            if report.is_settled or report.tag in waiting:
                continue
            if report.sent_at is None or (self.is_ours and now >= report.sent_at + REPEAT_AFTER):
                report.sent_at = now
                self._sends(report)
            if self.is_ours and not report.is_settled:
                waiting.add(report.tag)

    def _sends(self, report: Report) -> None:
        def settles(status: int, answer: Any) -> None:
            report.is_settled = status < 500

        self.line.sends("report", "POST", f"/api/orders/{report.tag}/execution-report", report.body, settles)
        report.is_settled = report.is_settled or not self.is_ours

    # -- what it tells of itself and the account ------------------------------------------------------------------

    def heartbeat(self) -> dict[str, Any]:
        linked = self.is_linked
        return {"tsConnected": linked, "mdConnected": linked, "repoOk": True, "account": ACCOUNT, "tradeRoute": "sim"}

    def _snapshot(self, now: datetime) -> dict[str, Any]:
        rows = [
            {"symbol": symbol, "position": held.position, "openPnl": float(held.open_pnl(self.broker.price))}
            | ({"avgPrice": float(held.average)} if held.position else {})
            | ({"lastFillPrice": float(held.last_fill)} if held.last_fill is not None and self.is_ours else {})
            for symbol, held in self.broker.held.items()
            if held.position or self.lists_flat_contracts
        ]
        return {
            "realized": float(self.broker.realized),
            "unrealized": float(self.broker.open_pnl),
            "accountBalance": float(self.broker.equity),
            "symbols": rows if self.is_linked else [],
        }


class ContractBridge(BridgeModel):
    """A bridge that knows nothing but the contract: no instance, no ledger, no environment, no time of its data."""

    def _takes(self, ticket: dict[str, Any], now: datetime) -> None:
        """Execute what is given, also a second time, and report that execution like the first."""
        self.ledger.told = {(tag, occasion) for tag, occasion in self.ledger.told if tag != ticket["id"]}
        super()._takes(ticket, now)


class OurBridge(BridgeModel):
    """Our bridge: it looks an order that it gets again up at the broker, and never sends one that has expired.

    It tells what was filled without an order: the stop's fill, and what was traded by hand.
    """

    is_ours = True

    def step(self, now: datetime) -> None:
        super().step(now)
        if self.is_up and self.is_linked:
            self._tells_fills(now)

    def _tells_fills(self, now: datetime) -> None:
        for unordered in self.broker.unordered[self.ledger.fills_seen :]:
            self.ledger.fills.append(FillToTell(_fill_body(unordered)))
        self.ledger.fills_seen = len(self.broker.unordered)
        waiting = [fill for fill in self.ledger.fills if not fill.is_settled]
        if not waiting or (waiting[0].sent_at is not None and now < waiting[0].sent_at + REPEAT_AFTER):
            return
        for fill in waiting:
            fill.sent_at = now

        def settles(status: int, answer: Any) -> None:
            for fill in waiting:
                fill.is_settled = status < 500

        named = {"instance": self.ledger.instance, "env": self.env, "account": ACCOUNT}
        body = {**named, "fills": [fill.body for fill in waiting]}
        self.line.sends("fill", "POST", "/api/bridge/fills", body, settles)

    def _takes(self, ticket: dict[str, Any], now: datetime) -> None:
        tag = ticket["id"]
        is_known = tag in self.ledger.tickets
        self.ledger.tickets[tag] = ticket
        if is_known:
            self._tells_again(tag)
        elif tag in self.broker.orders:
            self.hears_of(tag)
        elif ticket["kind"] != "EXIT" and now >= datetime.fromisoformat(ticket["expires_at"]):
            self._puts(tag, "end", "CANCELLED", {"reason": "expired before submit"})
        else:
            self.submits(ticket, now)

    def _tells_again(self, tag: str) -> None:
        for report in self.ledger.reports:
            if report.tag == tag:
                report.is_settled, report.sent_at = False, None

    def heartbeat(self) -> dict[str, Any]:
        more = {"instance": self.ledger.instance, "env": self.env, "envs": ["DEMO", "LIVE"], "killSwitch": False}
        return {**super().heartbeat(), **more}

    def _snapshot(self, now: datetime) -> dict[str, Any]:
        stops = [
            {"contract": symbol, "side": "SELL" if held.position > 0 else "BUY", "qty": abs(held.position)}
            | {"price": float(held.stop)}
            for symbol, held in self.broker.held.items()
            if held.stop is not None
        ]
        more = {"env": self.env, "account": ACCOUNT, "as_of": now.isoformat(), "instance": self.ledger.instance}
        return {**super()._snapshot(now), **more, "stops": stops if self.is_linked else []}


def _fill_body(unordered: Unordered) -> dict[str, Any]:
    return {
        "exec_id": unordered.exec_id,
        "ts": unordered.at.isoformat(),
        "symbol": unordered.contract,
        "side": "BUY" if unordered.qty > 0 else "SELL",
        "qty": abs(unordered.qty),
        "price": float(unordered.price),
        "kind": unordered.kind,
    }


def _ignore(status: int, answer: Any) -> None:
    """Do nothing with the answer."""
