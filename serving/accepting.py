"""Accept connections a few at a time, so that a crowd at the entrance takes neither the loop nor the last file."""

from __future__ import annotations

import asyncio
import errno
import socket
from functools import partial
from typing import Any

from serving.connection import Connection
from serving.front import Front
from serving.limits import ACCEPTED_AT_ONCE, KERNEL_BYTES

OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
NOBODY_NOW = (BlockingIOError, InterruptedError, ConnectionAbortedError)
TRY_AGAIN_SECONDS = 0.02


class Entrance:
    """One listening socket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listening: socket.socket, front: Front) -> None:
        self._loop = loop
        self._listening = listening
        self._front = front
        self._is_closed = False
        self._coming: set[asyncio.Task[Any]] = set()
        self._open()

    def close(self) -> None:
        """Accept nobody any more."""
        self._is_closed = True
        self._loop.remove_reader(self._listening.fileno())
        self._listening.close()

    def _open(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listening.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, caller = self._listening.accept()
            except NOBODY_NOW:
                return
            except OSError as error:
                if error.errno not in OUT_OF_FILES:
                    raise
                self._wait_for_a_file()
                return
            if isinstance(caller, tuple) and not self._front.connections.admits(caller[0]):
                accepted.close()
            else:
                self._let_in(accepted)

    def _let_in(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        coming = self._loop.create_task(self._loop.connect_accepted_socket(partial(Connection, self._front), accepted))
        self._coming.add(coming)
        coming.add_done_callback(self._is_in)

    def _is_in(self, coming: asyncio.Task[Any]) -> None:
        self._coming.discard(coming)
        if not coming.cancelled():
            coming.exception()  # whoever hung up at once is nobody's fault

    def _wait_for_a_file(self) -> None:
        """Every file is taken: cut a stranger, and look again when it has gone."""
        self._front.connections.make_room()
        self._loop.remove_reader(self._listening.fileno())
        self._loop.call_later(TRY_AGAIN_SECONDS, self._open)
