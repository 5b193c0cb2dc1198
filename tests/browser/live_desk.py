"""A real web process, with a market that speaks webhooks and a bridge that speaks the bridge's calls.

For the browser's stories and the screenshots: nothing of web is imported, everything goes over HTTP.
"""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from tests.support.desk_process import PASSWORD, DeskProcess, eventually

__all__ = ["PASSWORD", "LiveDesk"]


class LiveDesk(DeskProcess):
    """Web with its store in ``folder``, as a context manager; ``settings`` are environment variables."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, **{"TZ": "UTC", "ASSETS": "ES", "CONTRACTS": "ES=MESZ4", **settings})
        self._market, self._bridge = self.tradingview(), self.bridge()

    def freezes(self) -> None:
        """Stop answering without closing a single connection: what a dead network looks like."""
        self.signal(signal.SIGSTOP)

    def thaws(self) -> None:
        self.signal(signal.SIGCONT)

    # -- the market -------------------------------------------------------------------------------------------

    def hears_price(self, price: float, asset: str = "ES", **more: Any) -> None:
        _good(self._market.heartbeat(price, asset=asset, timestamp=time.time(), **more))

    def hears_brick(self, size: str, color: str, asset: str = "ES", **more: Any) -> None:
        """Close a brick now: ``size`` in points, as text."""
        _good(self._market.brick(float(size), color, asset=asset, bar_id=datetime.now(UTC).isoformat(), **more))

    def hears_stack(self, colors: dict[str, str], asset: str = "ES", **more: Any) -> None:
        for size, color in colors.items():
            self.hears_brick(size, color, asset, **more)

    # -- the bridge -------------------------------------------------------------------------------------------

    def bridge_beats(self) -> None:
        """Send a heartbeat of a bridge that executes the orders of both environments (SPEC 8.5)."""
        body = {
            "tsConnected": True,
            "mdConnected": True,
            "repoOk": True,
            "account": "DEMO-1",
            "tradeRoute": "PAPER",
            "envs": ["DEMO", "LIVE"],
        }
        _good(self._bridge.post("/api/bridge/heartbeat", json=body))

    def bridge_reports_account(
        self,
        equity: float,
        realized: float,
        *positions: tuple[str, int, float],
        stops: tuple[tuple[str, str, int, float], ...] | None = None,
    ) -> None:
        """Send a snapshot of this moment.

        A position is ``(contract, signed contracts, open USD)``, a resting stop ``(contract, side, contracts, price)``.
        """
        held = [{"symbol": name, "position": size, "openPnl": pnl} for name, size, pnl in positions]
        unrealized = sum(pnl for _, _, pnl in positions)
        money = {"realized": realized, "unrealized": unrealized, "accountBalance": equity}
        body = {**money, "symbols": held, "as_of": datetime.now(UTC).isoformat()}
        if stops is not None:
            body["stops"] = [{"contract": c, "side": side, "qty": qty, "price": price} for c, side, qty, price in stops]
        _good(self._bridge.post("/api/rithmic/pnl-snapshot", json=body))

    def bridge_claims(self) -> dict[str, Any]:
        """Claim the next order; fails when none comes in time."""
        claimed: list[dict[str, Any]] = eventually(lambda: self._bridge.claims(wait=25))
        return claimed[0]

    def bridge_fills(self, order: dict[str, Any], price: float) -> None:
        said = {"fill_price": price, "qty": order["qty"], "exec_id": f"fill-{order['id']}"}
        _good(self._bridge.reports(order["id"], "FILLED", **said))


def _good(answer: requests.Response) -> None:
    answer.raise_for_status()
