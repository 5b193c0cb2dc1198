"""A provider's server that gives its minutes in two pages, and the second one only when a test lets it go."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SECOND_PAGE = "/second"
LONGEST_WAIT_SECONDS = 120


class BarsServer:
    """Answers as Massive does for a pair: `count` minutes from `begins` on, half of them in each page."""

    def __init__(self, begins: datetime, count: int) -> None:
        self.let_go = threading.Event()
        """Set: the second page is given at once."""

        self.refuses = False
        self._rows = [
            {
                "t": (int(begins.timestamp()) + 60 * n) * 1_000,
                "o": 2000 + n,
                "h": 2001 + n,
                "l": 1999 + n,
                "c": 2000 + n,
            }
            for n in range(count)
        ]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def page(self, path: str) -> dict[str, Any]:
        half = len(self._rows) // 2
        if path.startswith(SECOND_PAGE):
            self.let_go.wait(LONGEST_WAIT_SECONDS)
            return {"results": self._rows[half:]}
        return {"results": self._rows[:half], "next_url": self.url + SECOND_PAGE}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if server.refuses:
                    self.send_error(403)
                    return
                body = json.dumps(server.page(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    return  # who asked was killed

            def log_message(self, *_: object) -> None:
                return

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
