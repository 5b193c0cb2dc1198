"""A truthful bridge of the simulated broker at wire level: claims, reports, fills, heartbeats, snapshots."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.angry.account import Account, Execution
from tests.angry.desk import AngryDesk

INSTANCE, NAME = "angry-ledger", "SIM-1"
HEARTBEAT_EVERY, IDLE_SNAPSHOT, BUSY_SNAPSHOT = (timedelta(seconds=s) for s in (5, 10, 2))


class PaperBridge:
    """Claims what is queued and tells what the broker did. ``silent_until`` is when its process runs again."""

    def __init__(self, account: Account, desk: AngryDesk, env: str) -> None:
        self.account, self.desk, self.env = account, desk, env
        self.silent_until: datetime | None = None
        self._heartbeat_at: datetime | None = None
        self._snapshot_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """Do what is due; return whether a snapshot was sent."""
        if self.silent_until is not None and now < self.silent_until:
            return False
        self.silent_until = None
        if self._heartbeat_at is None or now >= self._heartbeat_at + HEARTBEAT_EVERY:
            self._heartbeat_at = now
            self.desk.calls("POST", "/api/bridge/heartbeat", self.heartbeat())
        self._reports()
        if self.desk.desk.orders:
            self._claims(now)
            self.account.passes_time(now)
            self._reports()
        every = IDLE_SNAPSHOT if self.account.is_flat else BUSY_SNAPSHOT
        if self._snapshot_at is not None and now < self._snapshot_at + every:
            return False
        self._snapshot_at = now
        self.desk.calls("POST", "/api/rithmic/pnl-snapshot", self._snapshot(now))
        return True

    def _claims(self, now: datetime) -> None:
        status, answer = self.desk.calls("GET", f"/api/orders/pending?owner=bridge&instance={INSTANCE}")
        if status == 200:
            for ticket in answer["orders"]:
                if not ticket.get("redelivered"):
                    self.account.submit(ticket, now)
            for tag in answer.get("cancels", ()):
                self.account.cancel(tag)

    def _reports(self) -> None:
        while self.account.told:
            tag, status, execution, filled = self.account.told.pop(0)
            if tag is None and execution is not None:
                self._tells_stop(execution)
                continue
            extra: dict[str, Any] = {}
            if execution is not None:
                extra = {"fill_price": float(execution.price), "qty": abs(execution.qty), "cum_qty": filled}
                extra |= {"exec_id": execution.exec_id, "commission": float(execution.fee)}
            body = {"status": status, "extra": extra}
            self.desk.calls("POST", f"/api/orders/{tag}/execution-report", body)

    def _tells_stop(self, execution: Execution) -> None:
        fill = {
            "exec_id": execution.exec_id,
            "ts": execution.at.isoformat(),
            "symbol": execution.contract,
            "side": "BUY" if execution.qty > 0 else "SELL",
            "qty": abs(execution.qty),
            "price": float(execution.price),
            "kind": "STOP",
            "commission": float(execution.fee),
        }
        body = {"instance": INSTANCE, "env": self.env, "account": NAME, "fills": [fill]}
        self.desk.calls("POST", "/api/bridge/fills", body)

    def heartbeat(self) -> dict[str, Any]:
        linked = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": NAME, "tradeRoute": "sim"}
        return linked | {"instance": INSTANCE, "env": self.env, "envs": ["DEMO", "LIVE"], "killSwitch": False}

    def _snapshot(self, now: datetime) -> dict[str, Any]:
        account = self.account
        rows, stops = [], []
        for symbol, held in account.held.items():
            row = {"symbol": symbol, "position": held.position, "openPnl": float(account.pnl_of(symbol))}
            rows.append(row | ({"avgPrice": float(held.average)} if held.position else {}))
            if held.position and held.stop is not None:
                side = "SELL" if held.position > 0 else "BUY"
                stop = {"contract": symbol, "side": side, "qty": abs(held.position), "price": float(held.stop)}
                stops.append(stop)
        return {
            "realized": float(account.realized),
            "unrealized": float(account.open_pnl),
            "accountBalance": float(account.equity),
            "symbols": rows,
            "stops": stops,
            "env": self.env,
            "account": NAME,
            "as_of": now.isoformat(),
            "instance": INSTANCE,
        }
