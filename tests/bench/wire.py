"""A lean HTTP/1.1 client on a raw socket, so that the client costs little of the machine it measures."""

from __future__ import annotations

import json
import socket
import time


class Wire:
    """One keep-alive connection. Bodies are JSON, answers must carry Content-Length."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", **(headers or {})}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._buffer = b""

    def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Send one request and return status and body."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(payload)}\r\n\r\n"
        self._socket.sendall(head.encode() + payload)
        return self._answer()

    def timed(self, method: str, path: str, body: object = None) -> float:
        """Return how many seconds a call took that must succeed."""
        began = time.perf_counter()
        status, answer = self.call(method, path, body)
        took = time.perf_counter() - began
        if status not in (200, 201):
            raise RuntimeError(f"{path} answered {status}: {answer[:200]!r}")
        return took

    def _answer(self) -> tuple[int, bytes]:
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._receive()
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        while len(rest) < length:
            rest += self._receive()
        self._buffer = rest[length:]
        return int(head.split(b" ", 2)[1]), rest[:length]

    def _receive(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        return chunk

    def close(self) -> None:
        self._socket.close()


def brick(secret: str, bar_id: str, color: str = "green") -> dict[str, str]:
    return {"secret": secret, "asset": "ES", "color": color, "bar_id": bar_id}
