"""A real desk as a process, with a market that speaks webhooks and a bridge that speaks the bridge's calls.

For the browser's stories and the screenshots: nothing of web is imported, everything goes over HTTP.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "a-password-for-tests"
TRADINGVIEW_SECRET = "tradingview-secret-for-tests"
BRIDGE_SECRET = "bridge-secret-for-tests"
START_WITHIN_SECONDS = 15.0
BRICK_PATHS = {
    "1": "/tv_renko_one",
    "2.5": "/tv_renko_two_half",
    "4": "/tv_renko",
    "6": "/tv_renko_main",
    "8": "/tv_renko_high",
    "12": "/tv_renko_macro",
}


class LiveDesk:
    """Web as a process of its own in ``folder``; use it as a context manager.

    ``settings`` are environment variables on top of the tests' own; an empty one unsets it.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._http = requests.Session()
        self._http.trust_env = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start web and wait until it answers. Raises RuntimeError with its log when it does not."""
        log = self.folder / "web.log"
        command = [sys.executable, "-m", "gunicorn", "app:app"]
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, cwd=PROJECT, env=self._environment(), stdout=out, stderr=out)
        gives_up_at = time.monotonic() + START_WITHIN_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > gives_up_at:
                raise RuntimeError(f"web did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop web as the system would; kill it when it stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _environment(self) -> dict[str, str]:
        wanted = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "TZ": "UTC",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SQLITE_PATH": str(self.folder / "desk.sqlite"),
            "TV_WEBHOOK_SECRET": TRADINGVIEW_SECRET,
            "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET,
            "DASHBOARD_PASSWORD": PASSWORD,
            "FLASK_SECRET_KEY": "a-key-that-is-only-for-these-tests-0123456789",
            "ASSETS": "ES",
            "CONTRACTS": "ES=MESZ6",
            **self._settings,
        }
        return {name: value for name, value in wanted.items() if value}

    def _answers(self) -> bool:
        try:
            return self._http.get(f"{self.url}/api/auth/status", timeout=2).ok
        except requests.ConnectionError:
            return False

    # -- the market -------------------------------------------------------------------------------------------

    def hears_price(self, price: float, asset: str = "ES", **more: Any) -> None:
        self._webhook("/tv_heartbeat", symbol=asset, price=price, timestamp=time.time(), **more)

    def hears_brick(self, size: str, color: str, asset: str = "ES", close: float | None = None, **more: Any) -> None:
        """Close a brick now: ``size`` in points, as text."""
        moment = datetime.now(UTC).isoformat()
        closing = {} if close is None else {"close": close}
        self._webhook(BRICK_PATHS[size], asset=asset, color=color, bar_id=moment, **closing, **more)

    def hears_stack(self, colors: dict[str, str], asset: str = "ES", **more: Any) -> None:
        for size, color in colors.items():
            self.hears_brick(size, color, asset, **more)

    def _webhook(self, path: str, **fields: Any) -> None:
        answer = self._http.post(self.url + path, json={"secret": TRADINGVIEW_SECRET, **fields}, timeout=5)
        answer.raise_for_status()

    # -- the bridge -------------------------------------------------------------------------------------------

    def bridge_beats(self) -> None:
        body = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "DEMO-1", "tradeRoute": "PAPER"}
        self._as_bridge("POST", "/api/bridge/heartbeat", body)

    def bridge_reports_account(self, equity: float, realized: float = 0.0, positions: list[Any] | None = None) -> None:
        """Send a snapshot; a position is ``(contract, signed contracts, open USD)``."""
        held = [{"symbol": name, "position": size, "openPnl": pnl} for name, size, pnl in positions or []]
        unrealized = sum(entry["openPnl"] for entry in held)
        body = {"realized": realized, "unrealized": unrealized, "accountBalance": equity, "symbols": held}
        self._as_bridge("POST", "/api/rithmic/pnl-snapshot", body)

    def bridge_claims(self, wait_seconds: int = 5) -> dict[str, Any]:
        """Claim the next order; fails when none comes in time."""
        orders = self._as_bridge("GET", f"/api/orders/pending?wait={wait_seconds}", None)["orders"]
        assert orders, "no order came to the bridge"
        order: dict[str, Any] = orders[0]
        return order

    def bridge_fills(self, order: dict[str, Any], price: float) -> None:
        extra = {"fill_price": price, "qty": order["qty"], "exec_id": f"fill-{order['id']}"}
        self.bridge_reports(order, "FILLED", extra)

    def bridge_reports(self, order: dict[str, Any], status: str, extra: dict[str, Any] | None = None) -> None:
        path = f"/api/orders/{order['id']}/execution-report"
        self._as_bridge("POST", path, {"status": status, "extra": extra or {}})

    def _as_bridge(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = self._http.request(
            method, self.url + path, json=body, headers={"X-Bridge-Secret": BRIDGE_SECRET}, timeout=30
        )
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
