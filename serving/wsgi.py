"""Call a WSGI application for a request that was read whole (PEP 3333)."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from serving.later import KEY, Later
from serving.reading import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
JOINED_BY = {"HTTP_COOKIE": "; "}
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"})
WITHOUT_BODY = frozenset({"204", "304"})
NOT_IN_ENVIRON = frozenset({b"content-length", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Place:
    """The two ends of a connection."""

    address: str = ""
    port: int = 0
    own_address: str = ""
    own_port: int = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered. ``head`` ends with the last header's line; ``closes`` ends the connection."""

    status: str
    head: bytes
    body: bytes
    closes: bool = False
    length: str | None = None
    """Of the body that HEAD leaves out."""


def target_of(request: Request) -> tuple[str, str, str | None]:
    """Return path, query and, where the target names one, the host. Path and query are as they were sent."""
    target = request.target.decode("latin-1")
    if target.startswith("/"):
        path, _, query = target.partition("#")[0].partition("?")
        return path, query, None
    whole = urlsplit(target)
    return whole.path or "/", whole.query, whole.netloc or None


def environ_of(request: Request, place: Place) -> dict[str, Any]:
    """Return the environ of a request."""
    path, query, host = target_of(request)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") if "%" in path else path,
        "RAW_URI": request.target.decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": place.own_address,
        "SERVER_PORT": str(place.own_port),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "REMOTE_ADDR": place.address,
        "REMOTE_PORT": str(place.port),
        "CONTENT_LENGTH": str(request.length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in request.headers:
        if raw_name not in NOT_IN_ENVIRON and b"_" not in raw_name:  # it would pass for a hyphen
            _add_header(environ, raw_name.decode("latin-1"), raw_value.decode("latin-1"))
    if host is not None:
        environ["HTTP_HOST"] = host
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
    if key in environ:
        value = f"{environ[key]}{JOINED_BY.get(key, ',')}{value}"
    environ[key] = value


def call(application: WSGIApplication, environ: dict[str, Any], later: Later) -> Answer:
    """Call the application in this thread and return its whole answer."""
    environ[KEY] = later
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /) -> Any:
        begun[:] = [(status, headers)]
        return _write

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        _close(parts)
    status, headers = begun[0]
    return _answer(status, headers, body)


def _answer(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    lines = [f"HTTP/1.1 {status}\r\n"]
    length, closes = None, False
    for name, value in headers:
        lowered = name.lower()
        if lowered not in HOP_BY_HOP:
            lines.append(f"{name}: {value}\r\n")
        elif lowered == "content-length":
            length = value
        elif lowered == "connection":
            closes = value.lower() == "close"
    if status[:3] in WITHOUT_BODY:
        body = b""
    return Answer(status, "".join(lines).encode("latin-1"), body, closes, length)


def _close(parts: Iterable[bytes]) -> None:
    close = getattr(parts, "close", None)
    if close is not None:
        close()


def _write(_: bytes) -> None:
    raise NotImplementedError("this server does not offer WSGI's write()")
