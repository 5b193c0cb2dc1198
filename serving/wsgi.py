"""Call a WSGI application for a request that was read whole (PEP 3333)."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from serving.later import KEY, Later

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
Headers = list[tuple[bytes, bytes]]
JOINED_BY = {"cookie": "; "}
HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade"})


@dataclass(frozen=True)
class Answer:
    """What the application answered. ``closes`` asks to end the connection after it."""

    status: int
    headers: Headers
    body: bytes
    later: Later
    closes: bool


def environ_of(scope: Any, body: bytes, length: int) -> dict[str, Any]:
    """Return the environ of a request. ``length`` is what the caller announced: more than the body when it was cut."""
    server = scope["server"] or ("", None)
    client = scope["client"] or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogatepass").decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        _add_header(environ, raw_name.decode("latin-1"), raw_value.decode("latin-1"))
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    if "_" in name or name in ("content-length", "transfer-encoding"):
        return  # an underscore would pass for a hyphen; the length is known by now
    key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
    if key in environ:
        value = f"{environ[key]}{JOINED_BY.get(name, ',')}{value}"
    environ[key] = value


def call(application: WSGIApplication, environ: dict[str, Any], later: Later) -> Answer:
    """Call the application in this thread and return its whole answer."""
    environ = {**environ, KEY: later}
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Any:
        begun[:] = [(status, headers)]
        return _write

    parts = application(environ, start_response)
    try:
        body = _joined(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    status, headers = begun[0]
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    closes = any(name == b"connection" and value.lower() == b"close" for name, value in raw)
    return Answer(int(status[:3]), [row for row in raw if row[0] not in HOP_BY_HOP], body, later, closes)


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)


def _write(_: bytes) -> None:
    raise NotImplementedError("this server does not offer WSGI's write()")
