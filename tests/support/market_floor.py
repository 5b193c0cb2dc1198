"""A desk with feeds beside it, keys for them, and clients of the market WebSocket that share no code with feeds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Self

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services.access.keys import make_key, stored
from services.stores.sqlite.store import SqliteStore
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, SERVICE_SECRET, DeskProcess, eventually
from tests.support.feeds_process import FeedsProcess
from wire.keys import SERVICE_HEADER, Scope

PATH = "/ws/market/v1"
ALL_SCOPES: tuple[Scope, ...] = ("ws:connect", "prices:read", "states:read", "alerts:read", "candles:read")
CONTRACT = "MESM4"


class MarketFloor:
    """One desk, one feeds with the market port, and what a test does with them."""

    def __init__(self, folder: Path, **feeds_settings: str) -> None:
        self.desk = DeskProcess(folder / "desk", **QUICK)
        self.feeds = FeedsProcess(self.desk, folder / "feeds", ("market",), **feeds_settings)
        self._sequence = count(1)
        self._steps = count(1)
        self._key_ids: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.desk.start()
        self.feeds.start().hears_web()
        self._alerts = self.desk.tradingview()
        return self

    def __exit__(self, *_: object) -> None:
        self.feeds.kill()
        self.desk.hang_up()
        self.desk.kill()

    # -- keys ---------------------------------------------------------------------------------------------------

    def key(self, *scopes: Scope, account: str | None = None) -> str:
        """Make a key as `flask desk keys add` does, with every scope of the market feed unless some are named."""
        return self.keys(1, *scopes, account=account)[0]

    def keys(self, number: int, *scopes: Scope, account: str | None = None) -> list[str]:
        """Make several keys of the same kind."""
        made = [make_key("a test's key", scopes or ALL_SCOPES, datetime.now(UTC), account) for _ in range(number)]
        with self._store() as store:
            for key, token in made:
                store.put_api_key(stored(key))
                self._key_ids[token] = key.id
        eventually(lambda: self._is_known(made[-1][1]))  # web reads its keys about once a second
        return [token for _, token in made]

    def _is_known(self, token: str) -> bool:
        headers = {SERVICE_HEADER: SERVICE_SECRET}
        answer = self.desk.stranger().post("/api/keys/check", json={"token": token}, headers=headers)
        return bool(answer.json()["active"])

    def revoke(self, token: str) -> None:
        with self._store() as store:
            assert store.revoke_api_key(self._key_ids[token])

    def rescope(self, token: str, *scopes: Scope) -> None:
        """Give a key other scopes."""
        with self._store() as store:
            [kept] = [one for one in store.api_keys() if one.id == self._key_ids[token]]
            document = json.loads(kept.body)
            store.put_api_key(type(kept)(kept.id, json.dumps({**document, "scopes": list(scopes)}).encode()))

    @contextmanager
    def _store(self) -> Iterator[SqliteStore]:
        store = SqliteStore(self.desk.database)
        try:
            yield store
        finally:
            store.close()

    def health_when(self, *, is_up: bool) -> dict[str, Any] | None:
        """Return the health of feeds once web is up, or away; None before."""
        health = self.feeds.health()
        return health if health["web"]["is_up"] is is_up else None

    # -- the market ---------------------------------------------------------------------------------------------

    def heartbeat(self, asset: str = "ES") -> float:
        """Send a price as TradingView's heartbeat does, a tick above the last one; return it."""
        price = {"ES": 5000.0, "NQ": 17_500.0}[asset] + next(self._steps) / 4
        answer = self._alerts.heartbeat(price, asset=asset)
        assert answer.status_code == 200, answer.text
        return price

    def ticks(self, *prices: float | Decimal, symbol: str = CONTRACT, size: int | None = 1, **more: Any) -> None:
        """Send trades at these prices, all at the present second."""
        now = datetime.now(UTC).isoformat()
        rows = [
            {"ts": now, "price": float(price), "seq": next(self._sequence), "size": size, **more} for price in prices
        ]
        answer = self.desk.bridge().post("/api/bridge/ticks", json={"symbol": symbol, "ticks": rows})
        assert answer.status_code == 200, answer.text

    # -- clients ------------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return self.feeds.url("market", "ws") + PATH

    def connects(self, token: str | None, **options: Any) -> Client:
        """Open a WebSocket with a key, as the contract's sample does."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        asked = {**CLIENT_OPTIONS, "additional_headers": headers, **options}
        return Client(connect(asked.pop("uri", self.address), **asked))

    def get(self, path: str, token: str | None, **options: Any) -> requests.Response:
        """Call the REST half."""
        headers = {} if token is None else {"X-API-Key": token}
        headers |= options.pop("headers", {})
        url = f"{self.feeds.url()}{path}"
        return requests.request(options.pop("method", "GET"), url, headers=headers, timeout=PATIENCE_SECONDS, **options)


CLIENT_OPTIONS: dict[str, Any] = {
    "proxy": None,
    "compression": None,
    "open_timeout": PATIENCE_SECONDS,
    "legacy": True,  # a connection that the test closes itself
}


class Client:
    """One client of the market WebSocket, by the library `websockets`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def sends(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def hears(self, within: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Return the next message."""
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=within))
        return message

    def hears_of(self, kind: str, within: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Return the data of the next message of a type; others are passed over."""
        while True:
            message = self.hears(within)
            if message["type"] == kind:
                data: dict[str, Any] = message["data"]
                return data

    def subscribes(self, *topics: dict[str, Any], op: str = "subscribe") -> dict[str, Any]:
        """Ask for topics and return what was acknowledged."""
        self.sends({"op": op, "topics": list(topics)})
        return self.hears_of("subscribed" if op == "subscribe" else "unsubscribed")

    def closed_with(self, within: float = PATIENCE_SECONDS) -> int:
        """Read until the server closes; return the code that was on the wire."""
        received = None
        try:
            while True:
                self.connection.recv(timeout=within)
        except ConnectionClosed as closed:
            received = closed.rcvd
        assert received is not None, "the connection ended without a close frame"
        return received.code


def quotes(*symbols: str) -> dict[str, Any]:
    return {"channel": "quotes", "symbols": list(symbols)}


def states(*symbols: str) -> dict[str, Any]:
    return {"channel": "states", "symbols": list(symbols)}


IN_FORCE = {"channel": "alerts.in_force"}
BREAKS = {"channel": "alerts.simultaneous_breaks"}
