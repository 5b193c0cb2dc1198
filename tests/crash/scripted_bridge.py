"""A bridge without a broker: what it does with an order is drawn by lot, what it has said it remembers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from tests.crash.books import Note
from tests.crash.load import PRICES, SWING_TICKS, TICKS, Actor, Floor
from tests.support.desk_process import BRIDGE_SECRET

START_BALANCE = 50_000
INSTANCE = "scripted-ledger"  # a bridge that names its ledger gets what it has claimed again
BEAT = {"tsConnected": True, "account": "SCRIPT", "instance": INSTANCE}


class ScriptedBridge(Actor):
    """A bridge that speaks HTTP by a script: claims, working, partial fills, fills and refusals, some of it twice.

    It forgets nothing, so what it has reported is what the desk must hold.
    """

    pace_seconds = 0.02
    owner = "scripted"

    def __init__(self, floor: Floor, seed: str) -> None:
        super().__init__(floor, "bridge", seed, **{"X-Bridge-Secret": BRIDGE_SECRET})
        self.positions: dict[str, int] = {}
        self.filled: dict[str, int] = {}
        self.ended: set[str] = set()
        self.balance = START_BALANCE
        self._account_due = self._beat_due = 0.0

    def turn(self) -> None:
        now = time.monotonic()
        if now >= self._beat_due:
            self._beat_due = now + 1.0
            self._tells_plainly("beat", "/api/bridge/heartbeat", dict(BEAT))
        wait = self.dice.choice((0, 0, 0, 1))
        said = self._claims(wait)
        for order in said:
            self._works(order)
        if now >= self._account_due:
            self._account_due = now + 0.3
            self.tells_account()

    def tells_account(self, *, again: bool = False) -> Note:
        held = [{"symbol": name, "position": size} for name, size in sorted(self.positions.items())]
        realized = self.balance - START_BALANCE
        said = {"as_of": datetime.now(UTC).isoformat(), "instance": INSTANCE}
        body = {"realized": realized, "unrealized": 0, "accountBalance": self.balance, "symbols": held, **said}
        return self._tells_plainly("snapshot", "/api/rithmic/pnl-snapshot", body, again=again)

    def _tells_plainly(self, kind: str, path: str, body: object, *, again: bool = False) -> Note:
        return self.tells(self.books.open(kind, str(self.books.number(kind))), path, body, good=(200,), again=again)

    def _claims(self, wait: int) -> list[dict[str, Any]]:
        path = f"/api/orders/pending?owner={self.owner}&instance={INSTANCE}&limit=20&wait={wait}"
        status, answer = self._call("claim", "GET", path, None, {})
        if status == 200:
            self.floor.killer.happens("answered", "claim")
        return answer["orders"] if status == 200 else []

    def _works(self, order: dict[str, Any]) -> None:
        name, known = order["id"], self.books.handed_over.get(order["id"])
        if known is not None and not order["redelivered"]:
            self.books.surprise(f"order {name} was handed out twice as if it were new")
        if known not in (None, order["client_order_id"]):
            self.books.surprise(f"order {name} had the client ids {known} and {order['client_order_id']}")
        self.books.handed_over[name] = order["client_order_id"]
        if name in self.ended:
            self.books.surprise(f"order {name} was handed out after it was final")
            return
        if known is None and self.dice.random() < 0.3:
            return  # it waits until it is handed out again, perhaps by the next process
        self._plays(order)

    def _plays(self, order: dict[str, Any]) -> None:
        price = PRICES[order["root"]] + self.dice.randint(-SWING_TICKS, SWING_TICKS) * TICKS[order["root"]]
        if self.dice.random() < 0.7:
            self._reports(order, "WORKING")
        if self.dice.random() < 0.12:
            self.ended.add(order["id"])
            self._reports(order, "REJECTED", reason="the script says no")
            return
        while (left := order["qty"] - self.filled.get(order["id"], 0)) > 0:
            qty = left if self.dice.random() < 0.6 else self.dice.randint(1, left)
            self._fills(order, qty, price, is_last=qty == left)
        self.ended.add(order["id"])

    def _fills(self, order: dict[str, Any], qty: int, price: float, *, is_last: bool) -> None:
        exec_id = f"exec-{self.books.number('exec')}"
        extra = {"exec_id": exec_id, "qty": qty, "fill_price": price}
        sign = 1 if order["side"] == "BUY" else -1
        self.filled[order["id"]] = self.filled.get(order["id"], 0) + qty
        self.positions[order["asset"]] = self.positions.get(order["asset"], 0) + sign * qty
        note = self._reports(order, "FILLED" if is_last else "PARTIALLY_FILLED", **extra)
        note.facts |= {"order": order["id"], "qty": qty, "side": order["side"], "asset": order["root"]}

    def _reports(self, order: dict[str, Any], status: str, **extra: Any) -> Note:
        kind = "fill" if "exec_id" in extra else "report"
        note = self.books.open(kind, extra.get("exec_id", f"{order['id']} {status}"), order["root"])
        path, body = f"/api/orders/{order['id']}/execution-report", {"status": status, "extra": extra}
        self.tells(note, path, body, good=(200,), again=True)
        if self.dice.random() < 0.1:
            again, answer = self._call("read", "POST", path, body, {})
            if again == 200 and not answer.get("duplicate"):
                self.books.surprise(f"the report {note.name} was taken twice")
        return note
