"""Stands before a real web and writes down every call that passes: who asked for what, with which verb."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Recorder:
    """The address of the proxy, and the calls that passed. The answer to one that is in ``loses`` never arrives."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[tuple[str, str]] = []
        self.loses: set[tuple[str, str]] = set()


@contextmanager
def recorded_calls(target: str) -> Iterator[Recorder]:
    """Pass calls on to a server until the block ends."""
    place = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing: the test reads the calls."""

        def pass_on(self) -> None:
            call = self.command, urlsplit(self.path).path
            recorder.calls.append(call)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = HTTPConnection(str(place.hostname), place.port, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name != "Connection"}
            connection.request(self.command, self.path, body or None, headers | {"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if call in recorder.loses:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = pass_on

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
