"""Stays connected to a feed as its contract asks: wait 1 s, then twice as long each time, 60 s at most.

A connection that was replaced by a newer one (4409) is not opened again, nor is one whose key does not do (4401, 4403).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
FINAL_CODES = {
    4401: "the key is missing or unknown",
    4403: "the key lacks a scope",
    4409: "a newer connection took over",
}

Message = dict[str, Any]


async def stay_connected(
    url: Callable[[], str],
    hear: Callable[[Message], Awaitable[None]],
    headers: dict[str, str] | None = None,
    hello: Message | None = None,
) -> None:
    """Call ``hear`` with each message until the server says that this program is not wanted.

    ``url`` is asked before each try. ``hello`` is sent after each connection.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            socket = await connect(url(), additional_headers=headers)
        except (OSError, WebSocketException) as error:
            print(f"{error}, trying again in {wait:.0f} s", file=sys.stderr)
        else:
            wait = FIRST_WAIT_SECONDS
            async with socket:
                code = await _listen(socket, hear, hello)
            if code in FINAL_CODES:
                print(f"not connecting again: {FINAL_CODES[code]}", file=sys.stderr)
                return
            print(f"closed with {code}, trying again in {wait:.0f} s", file=sys.stderr)
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT_SECONDS)


async def _listen(socket: ClientConnection, hear: Callable[[Message], Awaitable[None]], hello: Message | None) -> int:
    """Hear until the connection ends; return its close code. What ``hear`` raises is no end of a connection."""
    is_greeted = hello is None
    while True:
        try:
            if not is_greeted:
                await socket.send(json.dumps(hello))
                is_greeted = True
            heard = await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006
        await hear(json.loads(heard))
