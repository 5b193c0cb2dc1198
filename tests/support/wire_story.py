"""A recorded day at one desk: every answer and every message of the stream, equal in each run.

The test moves the clock; values that differ between runs (ids, versions, the process's name) are replaced.
``.venv/bin/python -m tests.support.wire_story`` records it again, after an intended change of the wire.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from routes.http.replies import AppServices
from services.live.listeners import Listener
from services.ops.config import Config
from services.views.patches import changes
from services.views.state_view import live_document
from tests.support.builders import TUESDAY, new_york
from tests.support.heard import chunks_of
from tests.support.paths import FIXTURES
from wire.encoding import encode
from wire.types import Instant

RECORDED = FIXTURES / "wire"
PATIENCE_SECONDS = 60.0
SETTINGS = {
    "TV_WEBHOOK_SECRET": "a-webhook-secret",
    "BRIDGE_HEARTBEAT_SECRET": "a-bridge-secret",
    "FLASK_SECRET_KEY": "a-flask-secret",
    "DASHBOARD_PASSWORD": "a-password",
    "CANDLE_SECONDS": "300",
}
BRICKS = {1: "small", 2.5: "two_half", 4: "", 6: "main", 8: "high", 12: "macro"}
ID = re.compile(r"\b[0-9a-f]{32}\b")
LAST_PRICE, BRICKS_SENT, MESSAGES_SENT = 5252, 9, 27
VARIES, VARIES_IN_A_BRICK = ("version", "writer", "request_id"), ("ts",)
Story = dict[str, list[dict[str, Any]]]


class Clock:
    """The desk's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = new_york(TUESDAY, "09:31:10")

    def __call__(self) -> Instant:
        return self.now


class Ear:
    """Collects the stream's messages except changes in a thread: each kind in order, of quotes only the last."""

    def __init__(self, listener: Listener) -> None:
        self.heard: dict[str, list[Any]] = {"state": [], "log": [], "brick": [], "quote": []}
        self._listener = listener
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for chunk in chunks_of(self._listener):
            for said in filter(None, chunk.decode().split("\n\n")):
                event, data = re.search(r"^event: (\w+)$", said, re.M), re.search(r"^data: (.*)$", said, re.M)
                assert event is not None
                assert data is not None
                if event[1] in self.heard:
                    self.heard[event[1]].append(json.loads(data[1]))

    def hears(self, price: float, bricks: int, lines: int) -> list[dict[str, Any]]:
        """Wait for the last price, so many bricks and so many lines; return the messages."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._has_heard(price, bricks, lines):
            assert time.monotonic() < deadline, {kind: len(said) for kind, said in self.heard.items()}
            time.sleep(0.01)
        said = {**self.heard, "quote": self.heard["quote"][-1:]}
        return [{"event": event, "data": data} for event, every in said.items() for data in every]

    def _has_heard(self, price: float, bricks: int, lines: int) -> bool:
        quotes = self.heard["quote"]
        is_last = bool(quotes) and quotes[-1]["price"] == price
        return is_last and len(self.heard["brick"]) == bricks and len(self.heard["log"]) == lines


class Day:
    """One desk, its callers and their answers."""

    def __init__(self, client: FlaskClient, parts: AppServices, clock: Clock) -> None:
        self._client, self._parts, self._clock = client, parts, clock
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.ear = Ear(parts.broadcaster.listen())
        self._document = live_document(parts.manager.snapshot, clock.now)

    def asks(self, chapter: str, call: str, body: Any = None, **headers: str) -> Any:
        """Make one call a second after the last one; record its answer and the change sent to listeners."""
        self._clock.now += timedelta(seconds=1)
        method, path = call.split()
        answer = self._client.open(path, method=method, json=body, headers=headers)
        said = answer.get_json()
        self.answers.setdefault(chapter, []).append({"call": call, "status": answer.status_code, "body": said})
        before, self._document = self._document, live_document(self._parts.manager.snapshot, self._clock.now)
        change = json.loads(encode(changes(before, self._document)))
        self.answers.setdefault("changes", []).append({"call": call, "patch": change})
        return said

    def bridge(self, chapter: str, call: str, body: Any = None) -> Any:
        return self.asks(chapter, call, body, **{"X-Bridge-Secret": SETTINGS["BRIDGE_HEARTBEAT_SECRET"]})

    def brick(self, size: float, color: str, **more: Any) -> Any:
        path = f"/tv_renko_{BRICKS[size]}".rstrip("_")
        return self.webhook(path, color=color, **more)

    def webhook(self, path: str, **fields: Any) -> Any:
        body = {"secret": SETTINGS["TV_WEBHOOK_SECRET"], "asset": "ES", **fields}
        return self.asks("webhooks", f"POST {path}", body)

    def waits(self, seconds: float) -> None:
        self._clock.now += timedelta(seconds=seconds)


@contextmanager
def desk_of(folder: Path) -> Iterator[Day]:
    """Open a desk on an empty store; an operator is logged in."""
    clock = Clock()
    app = create_app(Config.from_env({**SETTINGS, "SQLITE_PATH": str(folder / "desk.sqlite")}), clock)
    try:
        client = app.test_client()
        assert client.post("/api/login", json={"password": SETTINGS["DASHBOARD_PASSWORD"]}).status_code == 200
        yield Day(client, app.extensions["lockstep"], clock)
    finally:
        app.extensions["lockstep.close"]()


def told(folder: Path) -> Story:
    """Play the day and return the recording, by chapter."""
    with desk_of(folder) as day:
        for chapter in CHAPTERS:
            chapter(day)
        heard = day.ear.hears(LAST_PRICE, BRICKS_SENT, MESSAGES_SENT)
        return _repeatable({**day.answers, "stream": heard})


def _the_desk_wakes(day: Day) -> None:
    day.asks("state", "GET /api/state")
    day.webhook("/tv_heartbeat", price=5250.25)
    for size in (1, 2.5, 4, 8, 12, 6):
        day.brick(size, "green", bar_id=f"first-{size}", close=5250)
    day.brick(6, "green", bar_id="first-6", close=5250)
    day.webhook("/tv_level_exit")
    day.webhook("/tv_renko", color="purple")
    day.asks("operator", "GET /api/dead-letters")
    connected = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "U1", "tradeRoute": "paper"}
    day.bridge("bridge", "POST /api/bridge/heartbeat", connected)
    day.bridge("bridge", "POST /api/rithmic/pnl-snapshot", {"realized": 0, "unrealized": 0, "accountBalance": 50000})


def _entries_wait(day: Day) -> None:
    for call in ("intent", "intent/cancel"):
        day.asks("operator", f"POST /api/{call}", {"asset": "ES"})
    entry = {"asset": "ES", "trade_mode": "SCALP"}
    day.asks("orders", "POST /api/orders", {**entry, "order_type": "preorder", "direction": "BUY"})
    day.asks("operator", "POST /api/preorder/cancel", {"asset": "ES"})
    day.asks("orders", "POST /api/orders", {**entry, "direction": "SELL"})
    day.asks("orders", "POST /api/orders", {"asset": "ES"})


def _a_trade_is_taken(day: Day) -> None:
    taken = day.asks("orders", "POST /api/orders", {"asset": "ES", "trade_mode": "SCALP"})
    day.asks("state", "GET /api/state")
    day.bridge("bridge", "GET /api/orders/pending")
    _is_filled(day, taken["order"], 5250.25)
    day.asks("state", "GET /api/state")


def _is_filled(day: Day, order: dict[str, Any], price: float) -> None:
    report = f"POST /api/orders/{order['id']}/execution-report"
    day.bridge("bridge", report, {"status": "WORKING"})
    filled = {"status": "FILLED", "extra": {"fill_price": price, "qty": order["qty"], "exec_id": order["kind"]}}
    day.bridge("bridge", report, filled)
    day.bridge("bridge", report, filled)


def _it_is_managed(day: Day) -> None:
    es = {"asset": "ES"}
    day.brick(2.5, "red", bar_id="second-2.5", close=5245)
    day.asks("controls", "POST /api/protect", {**es, "enabled": True, "threshold": -2})
    day.asks("controls", "POST /api/points-take-profit", {**es, "enabled": True, "target": 15})
    day.asks("controls", "POST /api/take-profit", {**es, "tp_target": 3})
    for toggle in ("high-next-bar-exit", "main-flip-exit", "four-pt-invalidation", "auto-exit", "two-half-tp-lock"):
        day.asks("controls", f"POST /api/{toggle}", es)
    day.asks("controls", "POST /api/scale-in", es)
    day.asks("controls", "POST /api/env", {"env": "LIVE"})
    day.asks("controls", "POST /api/limits", {"max_trades_per_day": 9, "cooldown_seconds": 30})
    day.asks("controls", "POST /api/trade-limit/consume", {})
    day.webhook("/tv_heartbeat", price=5251.5)
    day.asks("state", "GET /api/state")


def _it_is_left(day: Day) -> None:
    left = day.asks("controls", "POST /api/exit", {"asset": "ES", "force": True})
    day.asks("controls", "POST /api/exit-all", {"force": True})
    day.bridge("bridge", "GET /api/orders/pending?owner=bridge")
    _is_filled(day, left["order"], 5252)
    day.asks("orders", "POST /api/orders", {"asset": "ES", "trade_mode": "RUNNER"})
    day.asks("state", "GET /api/state")


def _another_is_left_by_all(day: Day) -> None:
    day.waits(400)
    day.webhook("/tv_heartbeat", price=LAST_PRICE)
    day.brick(6, "green", bar_id="third-6", close=5256)
    bridge = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "U1", "tradeRoute": "paper"}
    day.bridge("bridge", "POST /api/bridge/heartbeat", bridge)
    taken = day.asks("orders", "POST /api/orders", {"asset": "ES", "trade_mode": "RUNNER"})
    day.bridge("bridge", "GET /api/orders/pending")
    _is_filled(day, taken["order"], 5252.25)
    day.asks("controls", "POST /api/exit-all", {})
    day.asks("controls", "POST /api/exit-all", {"force": True})
    day.brick(4, "red", bar_id="fourth-4", close=5242)


def _the_day_is_read(day: Day) -> None:
    trades = day.asks("journal", "GET /api/journal/trades")
    trade = trades["trades"][0]["id"]
    day.asks("journal", f"POST /api/journal/trades/{trade}/note", {"note": "early", "tags": ["rushed"]})
    for call in ("statistics", "calendar", "day", f"trades/{trade}/bricks", "trades/nobody/bricks"):
        day.asks("journal", f"GET /api/journal/{call}")
    day.asks("readers", "GET /api/bricks?asset=ES&size=6")
    for call in ("/healthz", "/readyz", "/api/auth/status", "/api/bricks", "/api/nowhere"):
        day.asks("readers", f"GET {call}")
    day.asks("readers", "POST /api/setup/webhook-secret", {"password": SETTINGS["DASHBOARD_PASSWORD"]})
    day.asks("state", "GET /api/state")


CHAPTERS: tuple[Callable[[Day], None], ...] = (
    _the_desk_wakes,
    _entries_wait,
    _a_trade_is_taken,
    _it_is_managed,
    _it_is_left,
    _another_is_left_by_all,
    _the_day_is_read,
)


# -- repeatable values -----------------------------------------------------------------------------------------------


def _repeatable(story: Story) -> Story:
    """Number ids in order of appearance; leave out versions and the process's name."""
    text = json.dumps(story)
    numbers = {found: f"id-{place}" for place, found in enumerate(dict.fromkeys(ID.findall(text)), 1)}
    named: Story = json.loads(ID.sub(lambda found: numbers[found[0]], text))
    varied: Story = _without_what_varies(named)
    return varied


def _without_what_varies(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_what_varies(item) for item in part]
    if not isinstance(part, dict):
        return part
    inner = {name: _without_what_varies(value) for name, value in part.items()}
    varies = VARIES_IN_A_BRICK if {"n", "color"} <= set(part) else VARIES
    return {**inner, **{name: f"a {name}" for name in varies if name in inner}}


def record() -> None:
    """Record the day again and write the file."""
    with tempfile.TemporaryDirectory() as folder:
        for chapter, said in told(Path(folder)).items():
            text = json.dumps(said, indent=1, ensure_ascii=False, sort_keys=True)
            (RECORDED / f"{chapter}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    record()
