"""Ports that a program binds itself. A taken port is a log line and ``degraded``; it is tried again every 5 s."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog
import uvicorn
from starlette.types import ASGIApp

from sidecar.sockets import FeedHttp, FeedSocket
from sidecar.use import Use

logger = structlog.get_logger(__name__)

LOOPBACKS = ("127.0.0.1", "::1")
TRY_AGAIN_SECONDS = 5.0
BACKLOG = 1_024
SEND_BUFFER_BYTES = 131_072
"""What the system keeps for a slow reader: old prices that it will still read, and memory of the machine."""

LONGEST_MESSAGE_BYTES = 65_536
PING_SECONDS = 20.0
SECONDS_TO_STOP = 2
NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class PortTaken(Exception):
    """An address cannot be bound; the message is the system's reason."""


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: a program has one handler for all of its ports."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """One port of a program, on one or more addresses, serving one application."""

    def __init__(self, use: Use, hosts: Sequence[str], app: ASGIApp, ping_seconds: float = PING_SECONDS) -> None:
        """Serve `app` at the port of `use` on every address of `hosts`; a port of 0 is off."""
        self._ping_seconds = ping_seconds
        self.use = use
        self._hosts = tuple(hosts)
        self._app = app
        self.server: uvicorn.Server | None = None
        """The server while the port is bound."""

        self._is_stopping = asyncio.Event()

    async def run(self) -> None:
        """Bind and serve until ``stop``; try again while the port is taken."""
        if not self.use.port:
            return
        while not self._is_stopping.is_set():
            try:
                sockets = bind(self._hosts, self.use.port)
            except PortTaken as error:
                await self._wait_for_the_port(error)
                continue
            await self._serve(sockets)

    def stop(self) -> None:
        """Close the port and every connection of it."""
        self._is_stopping.set()
        if self.server is not None:
            self.server.should_exit = True

    async def _serve(self, sockets: list[socket.socket]) -> None:
        self.server = _Server(_server_config(self._app, self._ping_seconds))
        if self._is_stopping.is_set():
            self.server.should_exit = True
        self.use.state = "listening"
        logger.info("a port listens", feed=self.use.name, port=self.use.port, hosts=list(self._hosts))
        try:
            await self.server.serve(sockets=sockets)
        finally:
            self.use.state = "off"

    async def _wait_for_the_port(self, error: PortTaken) -> None:
        if self.use.state != "taken":
            self.use.state = "taken"
            logger.warning(
                "a port is taken: what it serves is off until it is free",
                feed=self.use.name,
                port=self.use.port,
                reason=str(error),
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_stopping.wait(), TRY_AGAIN_SECONDS)


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Return listening sockets for all of these addresses. Raises `PortTaken`; then none of them is bound.

    An address family that the machine does not have is left out when another one is there.
    """
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            bound.append(_bound(family, host, port))
        except OSError as error:
            if error.errno in NO_SUCH_ADDRESS and len(hosts) > 1:
                missing = error
                continue
            for one in bound:
                one.close()
            raise PortTaken(f"{host}: {error.strerror}") from error
    if not bound:
        raise PortTaken(f"{hosts[0]}: {missing.strerror if missing else 'no address'}")
    return bound


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # accepted connections inherit it
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.setblocking(False)
        one.bind((host, port))
        one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one


def _server_config(app: ASGIApp, ping_seconds: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=FeedHttp,
        ws=FeedSocket,
        ws_max_size=LONGEST_MESSAGE_BYTES,
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=ping_seconds,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=SECONDS_TO_STOP,
        backlog=BACKLOG,
    )
