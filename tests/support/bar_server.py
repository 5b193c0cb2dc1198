"""A server of bars on a free port: answers over HTTP as a test says, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, field


class Asked(Struct, frozen=True):
    """One request: its path, its query and its headers."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Answered(Struct, frozen=True):
    """One answer. ``body`` is written as JSON, text as it is; status 0 breaks the connection without an answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class BarServer:
    """The address of the server and all that it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []


@contextmanager
def bar_server(answer: Callable[[Asked], Answered]) -> Iterator[BarServer]:
    """Serve answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(parts.path, query, dict(self.headers.items()))
            server.asked.append(asked)
            answered = answer(asked)
            if answered.status == 0:
                self.connection.close()
                return
            body = (answered.body if isinstance(answered.body, str) else json.dumps(answered.body)).encode()
            self.send_response(answered.status)
            for name, value in {**answered.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the test reads what was asked."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = BarServer(f"http://127.0.0.1:{http.server_port}")
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
