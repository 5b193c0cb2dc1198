"""A stand-in for MetaApi at two ports, as it has two hosts: trading, and candles.

It speaks the documented REST models (https://metaapi.cloud/docs/client/): one account of MetaTrader 4 with hedging
positions, resting orders and a history. A trade does what it is told to: any result code, executed or not, an HTTP
error, silence, or a cut line.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.fakes.metaapi_models import (
    account_information,
    candle,
    deal,
    error,
    history_order,
    order,
    position,
    price,
    trade_response,
)

TOKEN = "metaapi-token-0123456789-of-nobody"
ACCOUNT = "865d3a4d-3803-486d-bdf3-a85679d9fad2"
SUCCESS = 10_009
LONGEST_SILENCE_SECONDS = 30.0


class Planned:
    """What the next trade does: ``code`` is answered, unless ``http``, silence or a cut comes instead."""

    def __init__(
        self,
        code: int = SUCCESS,
        text: str | None = None,
        *,
        executes: bool | None = None,
        http: int | None = None,
        silent: bool = False,
        cut: bool = False,
        drips: bool = False,
        raw: bytes | None = None,
        shown_after: int = 0,
    ) -> None:
        self.code = code
        self.text = text
        self.executes = code in (0, 10_008, 10_009, 10_010) if executes is None else executes
        self.http = http
        self.silent = silent
        self.cut = cut
        self.drips = drips
        """The answer begins, and has no end: a byte now and then."""

        self.raw = raw
        """The body of an answer of 200, or of ``http``, in place of the model."""

        self.shown_after = shown_after
        """How many readings later what was done is seen."""


class MetaApiServer:
    """MetaApi for one account."""

    def __init__(self, account_type: str = "ACCOUNT_TRADE_MODE_DEMO", **account: Any) -> None:
        self.account = account_information(type=account_type, **account)
        self.positions: list[dict[str, Any]] = []
        self.unseen: list[dict[str, Any]] = []
        """Positions that the broker has, and the terminal does not show: it has not synchronized."""

        self.orders: list[dict[str, Any]] = []
        self.deals: list[dict[str, Any]] = []
        self.ended: list[dict[str, Any]] = []
        self.planned: deque[Planned] = deque()
        self.failing: deque[tuple[int, dict[str, str], Any]] = deque()
        """Answers to readings instead of what was asked: status, headers, body."""

        self.trades: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        """Host and path of every call."""

        self.renumbers = False
        """What remains after a closing in part is a new position, as in MetaTrader 4."""

        self.keeps_names = True
        """A fill that closes shows the client id of its request."""

        self.redirects_to: str | None = None
        self.let_go = threading.Event()
        self.arrived = threading.Event()
        self._hidden: list[tuple[int, Any]] = []
        self._lock = threading.RLock()
        self._ticket = 46_648_000
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), self._handler(host)) for host in ("trading", "candles")]

    @property
    def url(self) -> str:
        """Where trading is."""
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def candles_url(self) -> str:
        """Where candles are."""
        return f"http://127.0.0.1:{self._servers[1].server_address[1]}"

    def __enter__(self) -> Self:
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    # -- what a test plans --------------------------------------------------------------------------------------

    def plans(self, *planned: Planned) -> None:
        """Let the next trades do this, one after the other."""
        self.planned.extend(planned)

    def holds(self, volume: float = 0.1, symbol: str = "EURUSD", **more: Any) -> str:
        """Open a position beforehand, and return its id."""
        with self._lock:
            self._ticket += 1
            self.positions.append(position(id=str(self._ticket), symbol=symbol, volume=volume, **more))
            return str(self._ticket)

    def of_client(self, client_id: str) -> list[dict[str, Any]]:
        """Return every position that a client id has opened, also the closed ones."""
        return [one for one in self.deals if one.get("clientId") == client_id and one["entryType"] == "DEAL_ENTRY_IN"]

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self, host: str, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Return status and body of a reading; of a history the page that the query names."""
        base = f"/users/current/accounts/{ACCOUNT}"
        if not path.startswith(base):
            return 404, error("NotFoundError", "Trading account not found")
        rest = path.removeprefix(base)
        if host == "candles":
            return self._read_candles(rest)
        with self._lock:
            self._show_hidden()
            status, body = self._read_account(rest)
        if rest.startswith("/history-"):
            first = int(query.get("offset", "0"))
            body = body[first : first + int(query.get("limit", "1000"))]
        return status, body

    def _read_account(self, rest: str) -> tuple[int, Any]:
        whole = {
            "/account-information": self.account,
            "/positions": self.positions,
            "/orders": self.orders,
        }
        if rest in whole:
            return 200, whole[rest]
        if rest.startswith("/history-deals/time/"):
            return 200, self.deals
        if rest.startswith("/history-orders/time/"):
            return 200, self.ended
        if rest.startswith("/symbols/") and rest.endswith("/current-price"):
            symbol = unquote(rest.split("/")[2])
            return (200, price(symbol)) if symbol == "EURUSD" else (404, error("NotFoundError", "no such symbol"))
        return 404, error("NotFoundError", f"no {rest}")

    def _read_candles(self, rest: str) -> tuple[int, Any]:
        parts = rest.split("/")
        if parts[1:3] != ["historical-market-data", "symbols"] or parts[3] != "EURUSD":
            return 404, error("NotFoundError", "no such symbol")
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        return 200, [candle("EURUSD", parts[5], hour - timedelta(hours=back)) for back in (2, 1, 0)]

    def _show_hidden(self) -> None:
        still: list[tuple[int, Any]] = []
        for left, act in self._hidden:
            if left <= 0:
                act()
            else:
                still.append((left - 1, act))
        self._hidden = still

    # -- trading ------------------------------------------------------------------------------------------------

    def trade(self, body: dict[str, Any]) -> tuple[int, Any] | Planned | None:
        """Do what is planned; None drops the line without an answer, a plan drips."""
        with self._lock:
            self.trades.append(body)
            planned = self.planned.popleft() if self.planned else self._usual(body)
            self._ticket += 1
            ticket = str(self._ticket)
            if planned.executes:
                if planned.shown_after:
                    self._hidden.append((planned.shown_after, lambda: self.execute(body, ticket, planned)))
                else:
                    self.execute(body, ticket, planned)
        self.arrived.set()
        if planned.silent:
            self.let_go.wait(LONGEST_SILENCE_SECONDS)
            return None
        if planned.cut:
            return None
        if planned.drips:
            return planned
        if planned.raw is not None:
            return planned.http or 200, planned.raw
        if planned.http is not None:
            return planned.http, error("InternalError", "as planned")
        return 200, trade_response(planned.code, planned.text, ticket, body.get("positionId", ticket))

    def _usual(self, body: dict[str, Any]) -> Planned:
        """Return what is done without a plan: a ticket that is not held is refused."""
        is_closing = body["actionType"] in ("POSITION_CLOSE_ID", "POSITION_PARTIAL")
        is_held = body.get("positionId") in {one["id"] for one in (*self.positions, *self.unseen)}
        return Planned(4_108) if is_closing and not is_held else Planned()

    def execute(self, body: dict[str, Any], ticket: str, planned: Planned) -> None:
        """Do what a trade says."""
        action = body["actionType"]
        if action == "ORDER_CANCEL":
            self.orders = [one for one in self.orders if one["id"] != body["orderId"]]
            self.ended.append(history_order(body["orderId"], "ORDER_STATE_CANCELED"))
        elif action in ("POSITION_CLOSE_ID", "POSITION_PARTIAL"):
            self._close(body, planned)
        elif action in ("ORDER_TYPE_BUY", "ORDER_TYPE_SELL"):
            side = action.removeprefix("ORDER_TYPE_")
            opened = position(
                id=ticket,
                symbol=body["symbol"],
                volume=body["volume"],
                type=f"POSITION_TYPE_{side}",
                clientId=body.get("clientId"),
            )
            self.positions.append(opened)
            self.deals.append(deal(ticket, f"DEAL_TYPE_{side}", "DEAL_ENTRY_IN", body, ticket))
        else:
            self.orders.append(order(ticket, action, body))

    def _close(self, body: dict[str, Any], planned: Planned) -> None:
        held = next((one for one in (*self.positions, *self.unseen) if one["id"] == body["positionId"]), None)
        if held is None:
            return
        volume = min(body.get("volume", held["volume"]), held["volume"])
        if planned.code == 10_010:
            volume /= 2
        held["volume"] = round(held["volume"] - volume, 2)
        self._ticket += 1
        told = body if self.keeps_names else {**body, "clientId": None}
        self.deals.append(
            deal(str(self._ticket), "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", {**told, "volume": volume}, held["id"])
        )
        if held["volume"] <= 0:
            (self.positions if held in self.positions else self.unseen).remove(held)
        elif self.renumbers:
            held["id"] = str(self._ticket)

    # -- HTTP ---------------------------------------------------------------------------------------------------

    def _handler(self, host: str) -> type[Handler]:
        return type("HostHandler", (Handler,), {"broker": self, "host": host})


class Handler(BaseHTTPRequestHandler):
    """One connection to a host of the stand-in."""

    broker: MetaApiServer
    host: str

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.broker.asked.append((self.host, path))
        if self.broker.redirects_to is not None:
            self._send(302, {}, {"Location": self.broker.redirects_to + path})
        elif self.headers.get("auth-token") != TOKEN:
            self._send(401, error("UnauthorizedError", "Authorization token invalid"))
        elif self.broker.failing:
            status, headers, body = self.broker.failing.popleft()
            self._send(status, body, headers)
        else:
            self._send(*self.broker.read(self.host, path, query))

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.broker.asked.append((self.host, path))
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("auth-token") != TOKEN:
            self._send(401, error("UnauthorizedError", "Authorization token invalid"))
            return
        answer = self.broker.trade(body)
        if answer is None:
            self.close_connection = True
            return
        if isinstance(answer, Planned):
            self._drip()
            return
        self._send(*answer)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        with suppress(BrokenPipeError, ConnectionResetError):
            while not self.broker.let_go.wait(0.05):
                self.wfile.write(b"1\r\n \r\n")

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return
