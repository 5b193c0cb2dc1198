"""A fake target of notices: an HTTP server on loopback for apprise's ``json://``, with faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token-that-nobody-may-see"


class NoticeTarget(ThreadingHTTPServer):
    """Keeps every received message. ``fault``: None, ``"hang"``, or a status to answer with."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.fault: str | int | None = None
        self.messages: list[dict[str, Any]] = []
        self.refused = 0
        self.changed = threading.Condition()
        self.leaving = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return url_of(self.server_port)

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def waits_for(self, is_true: Callable[[NoticeTarget], Any], seconds: float = 60.0) -> None:
        with self.changed:
            came = self.changed.wait_for(lambda: is_true(self), seconds)
        assert came, f"not within {seconds} s; arrived: {self.titles}, refused: {self.refused}"

    def leave(self) -> None:
        """Refuse connections from now on."""
        self.leaving.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken pipes: the tests kill the sender."""


class Handler(BaseHTTPRequestHandler):
    server: NoticeTarget

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.fault
        if fault == "hang":
            with self.server.changed:
                self.server.refused += 1
                self.server.changed.notify_all()
            self.server.leaving.wait(60)
            return
        with self.server.changed:
            if isinstance(fault, int):
                self.server.refused += 1
            else:
                self.server.messages.append({**body, "arrived": time.time()})
            self.server.changed.notify_all()
        self.send_response(fault if isinstance(fault, int) else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test output readable."""


def url_of(port: int) -> str:
    return f"json://user:{TOKEN}@127.0.0.1:{port}/{TOKEN}/"
