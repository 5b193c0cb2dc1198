"""A fake desk on loopback that speaks the bridge's real wire, with faults on demand.

It behaves as the real desk does (SPEC 8.2, 8.3): an order goes to one owner and is handed out again until it is
reported, a repeated report is a duplicate, final states never change.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

SECRET = "a-secret-of-the-desk"
FINAL = ("FILLED", "REJECTED", "CANCELLED")
STREAM_HEARTBEAT_SECONDS = 0.5
PATIENCE_SECONDS = 60.0  # longest wait on a busy machine; this is no promise of the bridge

Fault = str | int
ValueT = TypeVar("ValueT")
"""An HTTP status to answer with; "cut" drops the link unread, "cut after" drops it once the request took effect."""


class DeskServer(ThreadingHTTPServer):
    """The fake desk; use as a context manager. `at` calls back when a request took effect, before the answer."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), DeskHandler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.changed = threading.Condition(threading.RLock())
        self.orders: dict[str, dict[str, Any]] = {}
        self.owner_of: dict[str, str] = {}
        self.reports: list[tuple[str, str, dict[str, Any]]] = []
        self.applied: list[tuple[str, str, dict[str, Any]]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.snapshots: list[tuple[float, dict[str, Any]]] = []
        self.quotes: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, deque[Fault]] = {"pending": deque(), "report": deque(), "stream": deque()}
        self.refused_reports: dict[str, int] = {}
        self.always_redeliver = False
        self.cancels: list[str] = []
        self.stops: list[dict[str, Any]] = []
        self.takes_fills = True
        self.refused_fills: dict[str, str] = {}
        self.takes_ticks = True
        self.ticks: list[dict[str, Any]] = []
        self.asked_for_ticks = 0
        self.broker_fills: list[dict[str, Any]] = []
        self.at: Callable[[str, str], None] = lambda _what, _order_id: None
        self.tells_time = True
        self.is_away = False
        self.polls_waiting = 0
        self.waits_at_most = 25.0  # seconds that a poll without an order is held
        self._numbers = 0

    def __enter__(self) -> "DeskServer":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def goes_away(self) -> None:
        """Stop as in a power failure: nothing listens, and no pending answer arrives."""
        self.is_away = True
        self.shutdown()  # the loop still holds the socket while it looks for connections: the port would stay taken
        self.socket.close()

    def comes_back(self) -> "DeskServer":
        """Return a new server on the same address with the same state."""
        successor = DeskServer(self.server_address[1])
        for memory in ("orders", "owner_of", "applied", "quotes"):
            setattr(successor, memory, getattr(self, memory))
        successor._numbers = self._numbers
        return successor

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken pipes: the tests kill the bridge."""

    # For tests ---------------------------------------------------------------------------------------------

    def queues(self, side: str = "BUY", qty: int = 5, **terms: Any) -> str:
        """Queue an order as the real desk would and return its id."""
        with self.changed:
            self._numbers += 1
            order_id: str = terms.pop("id", f"order-{self._numbers:04}")
            now = datetime.now(UTC)
            order = {
                "id": order_id, "client_order_id": order_id, "asset": "MESZ6", "exchange": "CME", "root": "ES",
                "side": side, "qty": qty, "mode": "A", "env": "DEMO", "kind": "ENTRY", "stop_points": 15.0,
                "created_at": now.isoformat(), "expires_at": (now + timedelta(minutes=30)).isoformat(),
                "source": "operator", "tick_size": 0.25, "point_size": 1, "point_value": 5,
            }  # fmt: skip
            self.orders[order_id] = order | terms
            self.changed.notify_all()
            return order_id

    def queues_exit(self, side: str = "SELL", qty: int = 5, **terms: Any) -> str:
        """Queue an exit, without expiry and stop."""
        return self.queues(side, qty, **({"kind": "EXIT", "expires_at": None, "stop_points": None} | terms))

    def quotes_price(self, price: float, symbol: str = "MESZ6") -> None:
        """Publish a last price to current and later listeners."""
        with self.changed:
            quote = {"asset": "ES", "symbol": symbol, "price": price, "ts": datetime.now(UTC).isoformat()}
            self.quotes[symbol] = quote
            self.changed.notify_all()

    def fails(self, what: str, *faults: Fault) -> None:
        """Let the next calls of `what` (pending, report, stream) fail in these ways, one after the other."""
        self.faults[what].extend(faults)

    def waits_until(self, condition: Callable[[], ValueT], seconds: float = PATIENCE_SECONDS) -> ValueT:
        """Wait until `condition` holds and return its value; fail the test when it does not."""
        with self.changed:
            value = self.changed.wait_for(condition, seconds)
        assert value, f"still not so after {seconds} s; applied: {self.applied[-6:]}"
        return value

    def waits_for(self, order_id: str, status: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until the order was reported with `status`; return the report's details."""
        found = self.waits_until(
            lambda: [extra for oid, said, extra in self.applied if (oid, said) == (order_id, status)], seconds
        )
        return found[0]

    def statuses(self, order_id: str) -> list[str]:
        """Return the reported statuses of the order, without duplicates."""
        return [status for oid, status, _ in self.applied if oid == order_id]

    def fills(self) -> list[tuple[str, str, int, float]]:
        """Return every fill once: order, execution, signed contracts, price."""
        return [
            (oid, extra["exec_id"], extra["qty"] * (1 if extra["side"] == "BUY" else -1), extra["fill_price"])
            for oid, status, extra in self.applied
            if status in ("FILLED", "PARTIALLY_FILLED")
        ]

    def final_status(self, order_id: str) -> str | None:
        """Return the order's final state, None while it is open."""
        return next((status for status in reversed(self.statuses(order_id)) if status in FINAL), None)

    # For the bridge ----------------------------------------------------------------------------------------

    def hand_out(self, owner: str, limit: int, wait_seconds: float) -> list[dict[str, Any]]:
        """Claim orders for `owner`; orders it claimed before and never reported are returned again."""
        with self.changed:
            self.polls_waiting += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._claimable(owner), min(wait_seconds, self.waits_at_most))
            self.polls_waiting -= 1
            handed = []
            for order_id in self._claimable(owner)[:limit]:
                again = order_id in self.owner_of
                self.owner_of[order_id] = owner
                handed.append(self.orders[order_id] | {"redelivered": again})
            return handed

    def apply_report(self, order_id: str, report: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Apply a report as in SPEC 8.3."""
        status, extra = report["status"], report["extra"]
        with self.changed:
            self.reports.append((order_id, status, extra))
            self.changed.notify_all()
            if order_id not in self.orders or order_id in self.refused_reports:
                code = self.refused_reports.get(order_id, 404)
                return code, {"ok": False, "error": "unknown order" if code == 404 else "order is final"}
            if self._is_known(order_id, status, extra):
                return 200, {"ok": True, "duplicate": True}
            if self.final_status(order_id) is not None:
                return 409, {"ok": False, "error": "order is final"}
            self.applied.append((order_id, status, extra))
            return 200, {"ok": True}

    def _claimable(self, owner: str) -> list[str]:
        reported = set() if self.always_redeliver else {order_id for order_id, _, _ in self.applied}
        return [oid for oid in self.orders if self.owner_of.get(oid, owner) == owner and oid not in reported]

    def _is_known(self, order_id: str, status: str, extra: dict[str, Any]) -> bool:
        if "exec_id" in extra:
            return extra["exec_id"] in [known.get("exec_id") for oid, _, known in self.applied if oid == order_id]
        return status in self.statuses(order_id)


class DeskHandler(BaseHTTPRequestHandler):
    """The endpoints that the bridge calls."""

    server: DeskServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if not self._is_welcome():
            return
        if url.path == "/api/stream":
            self._stream()
        elif not self._goes_wrong("pending"):
            orders = self.server.hand_out(asked["owner"], int(asked["limit"]), float(asked["wait"]))
            self.server.at("claimed", orders[0]["id"] if orders else "")
            beside: dict[str, list[Any]] = {"cancels": self.server.cancels, "stops": self.server.stops}
            self._answer(
                200, {"ok": True, "orders": orders} | {name: list(what) for name, what in beside.items() if what}
            )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._is_welcome():
            return
        parts = self.path.strip("/").split("/")
        if parts[-1] == "execution-report":
            self._take_report(parts[2], body)
        elif self.path == "/api/bridge/heartbeat" and body["secret"] == SECRET:
            with self.server.changed:
                self.server.heartbeats.append(body)
                self.server.changed.notify_all()
            self._answer(200, {"ok": True})
        elif self.path == "/api/rithmic/pnl-snapshot" and body["secret"] == SECRET:
            with self.server.changed:
                self.server.snapshots.append((time.monotonic(), body))
                self.server.changed.notify_all()
            self._answer(200, {"ok": True})
        elif self.path == "/api/bridge/ticks":
            self._take_ticks(body)
        elif self.path == "/api/bridge/fills" and self.server.takes_fills:
            self._take_fills(body)
        else:
            self._answer(404, {"ok": False, "error": "no such path"})

    def _take_ticks(self, body: dict[str, Any]) -> None:
        with self.server.changed:
            self.server.asked_for_ticks += 1
            if self.server.takes_ticks:
                self.server.ticks.append(body)
            self.server.changed.notify_all()
        known = {"ok": True, "taken": len(body["ticks"]), "repeated": 0, "left_out": {}}
        self._answer(*((200, known) if self.server.takes_ticks else (404, {"ok": False, "error": "no such path"})))

    def _take_fills(self, body: dict[str, Any]) -> None:
        """Take fills as in SPEC 8.3."""
        known = {fill["exec_id"] for report in self.server.broker_fills for fill in report["fills"]}
        again = sum(fill["exec_id"] in known for fill in body["fills"])
        refused = [
            {"exec_id": fill["exec_id"], "code": self.server.refused_fills[fill["exec_id"]]}
            for fill in body["fills"]
            if fill["exec_id"] in self.server.refused_fills
        ]
        taken = len(body["fills"]) - again - len(refused)
        with self.server.changed:
            self.server.broker_fills.append(body)
            self.server.changed.notify_all()
        self._answer(200, {"ok": True, "taken": taken, "duplicates": again, "refused": refused})

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test output readable."""

    def _take_report(self, order_id: str, body: dict[str, Any]) -> None:
        fault = self.server.faults["report"].popleft() if self.server.faults["report"] else None
        if fault == "cut after":
            self.server.apply_report(order_id, body)
        if fault is not None:
            self._fail(fault)
            return
        code, answer = self.server.apply_report(order_id, body)
        self.server.at(body["status"], order_id)
        self._answer(code, answer)

    def _stream(self) -> None:
        if self._goes_wrong("stream"):
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent: dict[str, dict[str, Any]] = {}

        def news() -> dict[str, dict[str, Any]]:
            return {symbol: quote for symbol, quote in self.server.quotes.items() if sent.get(symbol) is not quote}

        with suppress(OSError):
            while not (self.server.faults["stream"] or self.server.is_away):
                self._chunk(b": hb\n\n")
                with self.server.changed:
                    self.server.changed.wait_for(news, STREAM_HEARTBEAT_SECONDS)
                    fresh = news()
                sent |= fresh
                for quote in fresh.values():
                    self._chunk(f"event: quote\ndata: {json.dumps(quote)}\n\n".encode())
        self.close_connection = True

    def _chunk(self, text: bytes) -> None:
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")

    def _is_welcome(self) -> bool:
        if self.server.is_away:
            self._fail("cut")
            return False
        if self.headers.get("X-Bridge-Secret") == SECRET:
            return True
        self._answer(401, {"ok": False, "error": "wrong secret"})
        return False

    def _goes_wrong(self, what: str) -> bool:
        if not self.server.faults[what]:
            return False
        self._fail(self.server.faults[what].popleft())
        return True

    def _fail(self, fault: Fault) -> None:
        if isinstance(fault, int):
            self._answer(fault, {"ok": False, "error": "a fault of the test"})
        else:
            self.close_connection = True
            self.connection.close()

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        if self.server.is_away:
            self._fail("cut")
            return
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if self.server.tells_time:
            self.send_header("X-Desk-Time", datetime.now(UTC).isoformat())
        self.end_headers()
        self.wfile.write(text)
