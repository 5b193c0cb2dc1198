"""Programs that use the local feeds of a real feeds process, over TCP, with libraries that share nothing with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Self

import websocket

from tests.support.desk_process import PATIENCE_SECONDS, BridgeCaller, DeskProcess, OperatorCaller
from tests.support.feeds_process import FeedsProcess
from tests.support.narrow import known

Message = dict[str, Any]

POLL_SECONDS = 0.25
LONGEST_READ_SECONDS = 5.0  # below the server's pings, which the library answers without returning


class Listener:
    """A program on one socket (library websocket-client). It reads when it is asked to."""

    def __init__(self, url: str, *headers: str, origin: str | None = None, host: str | None = None) -> None:
        self.url = url
        self.heard: list[dict[str, Any]] = []
        self.socket = websocket.create_connection(
            url,
            timeout=PATIENCE_SECONDS,
            header=list(headers),
            origin=origin,
            host=host,
            suppress_origin=origin is None,
        )

    def hears(
        self, within: float = PATIENCE_SECONDS, where: Callable[[Message], Any] = bool, **fields: Any
    ) -> dict[str, Any]:
        """Return the next message with these values, for which ``where`` is true; ``heard`` has the others, too."""
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            message = self.reads(left)
            if message is None or any(message.get(name) != value for name, value in fields.items()):
                continue
            if where(message):
                return message
        raise AssertionError(f"nothing with {fields} came within {within} s, only {self.heard[-3:]}")

    def reads(self, within: float) -> dict[str, Any] | None:
        """Return the next message, None when none comes in time."""
        deadline = time.monotonic() + within
        while True:
            self.socket.settimeout(min(max(deadline - time.monotonic(), 0.001), LONGEST_READ_SECONDS))
            try:
                text = self.socket.recv()
                break
            except websocket.WebSocketTimeoutException:
                if time.monotonic() >= deadline:
                    return None
        message: dict[str, Any] = json.loads(text)
        self.heard.append(message)
        return message

    def hears_nothing(self, within: float = POLL_SECONDS) -> bool:
        """Return whether nothing comes for so long."""
        return self.reads(within) is None

    def close_code(self) -> int | None:
        """Read until the server closes; return its code."""
        while True:
            opcode, body = self.socket.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(body[:2], "big") if len(body) >= 2 else None

    def leaves(self) -> None:
        self.socket.close()

    def dies(self) -> None:
        """End the connection without a word, as a killed program does."""
        known(self.socket.sock).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def refused_with(url: str, *headers: str, **more: Any) -> int:
    """Return the HTTP status with which a handshake is refused."""
    try:
        Listener(url, *headers, **more).leaves()
    except websocket.WebSocketBadStatusException as refusal:
        status: int = refusal.status_code
        return status
    raise AssertionError(f"{url} was not refused")


class Trading:
    """The operator, the bridge and TradingView of a quick desk, who change the position."""

    def __init__(self, desk: DeskProcess, feeds: FeedsProcess | None = None) -> None:
        self.desk = desk
        self.feeds = feeds
        self.operator: OperatorCaller = desk.operator()
        self.bridge: BridgeCaller = desk.bridge()
        self.market = desk.tradingview()

    def queues_entry(self, **more: Any) -> dict[str, Any]:
        """Open the ladder and ask for an entry of 6pt size."""
        self.market.opens_the_ladder()
        return self.operator.enters_when_the_candle_allows(**more)

    def enters(self, price: float = 5250.25, **more: Any) -> dict[str, Any]:
        """Enter and be filled at this price."""
        order = self.queues_entry(**more)
        self.bridge.fills(order, price)
        return order

    def exits(self, price: float = 5251.25) -> dict[str, Any]:
        """Ask for the exit of everything, past the initial exit lock, and be filled."""
        order = self.queues_exit()
        self.bridge.fills(order, price)
        return order

    def queues_exit(self) -> dict[str, Any]:
        answer = self.operator.post("/api/exit", json={"asset": "ES", "force": True})
        assert answer.status_code in (200, 201), answer.text
        order: dict[str, Any] = answer.json()["order"]
        return order
