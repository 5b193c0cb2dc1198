"""A real web process, with a market that speaks webhooks and a bridge that speaks the bridge's calls.

For the browser's stories and the screenshots: nothing of web is imported, everything goes over HTTP.
"""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.processes import SECRETS, Web

PASSWORD = SECRETS["DASHBOARD_PASSWORD"]
ANSWER_SECONDS = 30
BRICK_PATHS = {
    "1": "tv_renko_one",
    "2.5": "tv_renko_two_half",
    "4": "tv_renko",
    "6": "tv_renko_main",
    "8": "tv_renko_high",
    "12": "tv_renko_macro",
}


class LiveDesk(Web):
    """Web with its store in ``folder``, as a context manager; ``settings`` are environment variables."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, **{"TZ": "UTC", "ASSETS": "ES", "CONTRACTS": "ES=MESZ6", **settings})
        self._outside = requests.Session()  # TradingView and the bridge
        self._outside.trust_env = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outside.close()  # an idle connection would hold the process for seconds
        self.kill()  # nothing of it is looked at again, and a stopped one (`freezes`) would not go politely

    def freezes(self) -> None:
        """Stop answering without closing a single connection: what a dead network looks like."""
        self.signal(signal.SIGSTOP)

    def thaws(self) -> None:
        self.signal(signal.SIGCONT)

    # -- the market -------------------------------------------------------------------------------------------

    def hears_price(self, price: float, asset: str = "ES", **more: Any) -> None:
        self._hears("tv_heartbeat", symbol=asset, price=price, timestamp=time.time(), **more)

    def hears_brick(self, size: str, color: str, asset: str = "ES", **more: Any) -> None:
        """Close a brick now: ``size`` in points, as text."""
        self._hears(BRICK_PATHS[size], asset=asset, color=color, bar_id=datetime.now(UTC).isoformat(), **more)

    def hears_stack(self, colors: dict[str, str], asset: str = "ES", **more: Any) -> None:
        for size, color in colors.items():
            self.hears_brick(size, color, asset, **more)

    def _hears(self, path: str, **fields: Any) -> None:
        self.webhook(path, self._outside, **fields).raise_for_status()

    # -- the bridge -------------------------------------------------------------------------------------------

    def bridge_beats(self) -> None:
        body = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "DEMO-1", "tradeRoute": "PAPER"}
        self._as_bridge("POST", "/api/bridge/heartbeat", body)

    def bridge_reports_account(self, equity: float, realized: float, *positions: tuple[str, int, float]) -> None:
        """Send a snapshot; a position is ``(contract, signed contracts, open USD)``."""
        held = [{"symbol": name, "position": size, "openPnl": pnl} for name, size, pnl in positions]
        unrealized = sum(pnl for _, _, pnl in positions)
        body = {"realized": realized, "unrealized": unrealized, "accountBalance": equity, "symbols": held}
        self._as_bridge("POST", "/api/rithmic/pnl-snapshot", body)

    def bridge_claims(self) -> dict[str, Any]:
        """Claim the next order; fails when none comes in time."""
        orders = self._as_bridge("GET", "/api/orders/pending?wait=5", None)["orders"]
        assert orders, "no order came to the bridge"
        order: dict[str, Any] = orders[0]
        return order

    def bridge_fills(self, order: dict[str, Any], price: float) -> None:
        extra = {"fill_price": price, "qty": order["qty"], "exec_id": f"fill-{order['id']}"}
        path = f"/api/orders/{order['id']}/execution-report"
        self._as_bridge("POST", path, {"status": "FILLED", "extra": extra})

    def _as_bridge(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"X-Bridge-Secret": self.env["BRIDGE_HEARTBEAT_SECRET"]}
        answer = self._outside.request(method, self.url + path, json=body, headers=headers, timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said
