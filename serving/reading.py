"""Read requests from the bytes of one connection: each whole, within the limits, or refused.

The grammar is that of llhttp (RFC 9112, strict). What it leaves open is decided here: one Host, a known version, no
header whose name could be mistaken for another's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

import httptools

from serving import refusals
from serving.limits import BODY_BYTES, CHUNKED_BYTES, HEAD_BYTES, HEADERS_AT_MOST, PIPELINED_AT_MOST, URL_BYTES
from serving.refusals import FrontRefusal

CONTINUE = b"100-continue"
VERSIONS = frozenset({"1.0", "1.1"})


class Stage(Enum):
    """Where in a request the reader is."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


@dataclass(slots=True)
class Request:
    """One whole request. ``length`` is what was announced: more than the body where that was too long to be kept."""

    target: bytes = b""
    method: str = ""
    version: str = "1.1"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    length: int = 0
    keeps_alive: bool = False


class _Over(Exception):
    """Nothing more of this connection is read."""


class RequestReader:
    """Reads the requests of one connection.

    Once ``is_over`` nothing more is read: ``refusal`` says why, where the caller must be told.
    """

    __slots__ = (
        "_body",
        "_expects",
        "_hosts",
        "_is_chunked",
        "_parser",
        "_request",
        "_stage_bytes",
        "_whole",
        "body_bytes",
        "is_over",
        "refusal",
        "stage",
        "steps",
        "wants_continue",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._whole: list[Request] = []
        self._request = Request()
        self._body: list[bytes] = []
        self._hosts = 0
        self._expects = b""
        self._stage_bytes = 0
        self._is_chunked = False
        self.body_bytes = 0
        self.stage = Stage.BETWEEN
        self.steps = 0
        """Grows with every stage that is reached, so that its deadline can be set anew."""

        self.is_over = False
        self.refusal: FrontRefusal | None = None
        self.wants_continue = False
        """The caller waits for `100 Continue` before it sends the body."""

    def feed(self, sent: bytes) -> list[Request]:
        """Read on, and return the requests that are whole now."""
        if self.is_over or self._parser is None:
            return []
        steps_before = self.steps
        self._whole = []
        try:
            self._parser.feed_data(sent)
        except httptools.HttpParserUpgrade:
            self._end_after_last()
        except httptools.HttpParserError:
            if not self.is_over:
                self._end(refusals.MALFORMED)
        else:
            self._weigh(len(sent), is_same_stage=self.steps == steps_before)
        return self._whole

    def close(self) -> None:
        """Let the parser go; it and this reader hold each other."""
        self._parser = None

    # -- what the parser calls, in this order -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self.is_over or len(self._whole) >= PIPELINED_AT_MOST:
            self.is_over = True
            raise _Over
        self._request = Request()
        self._body = []
        self._hosts = 0
        self._expects = b""
        self.body_bytes = 0
        self._is_chunked = False
        self.wants_continue = False
        self._reach(Stage.HEAD)

    def on_url(self, part: bytes) -> None:
        """Take a part of the request's target."""
        request = self._request
        request.target += part
        if len(request.target) > URL_BYTES:
            self._refuse(refusals.URL_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. One behind a body in chunks (a trailer) is dropped: nobody here knows what to do with it."""
        if self.stage is Stage.BODY:
            return
        name = name.lower()
        headers = self._request.headers
        headers.append((name, value))
        self._stage_bytes += len(name) + len(value) + 4
        if self._stage_bytes > HEAD_BYTES or len(headers) > HEADERS_AT_MOST:
            self._refuse(refusals.HEAD_LONG)
        if name == b"host":
            self._hosts += 1
        elif name == b"content-length":
            self._request.length = int(value) if value.isdigit() else 0
        elif name == b"transfer-encoding":
            self._is_chunked = True
        elif name == b"expect":
            self._expects = value.lower()

    def on_headers_complete(self) -> None:
        """Judge the head. A body that is announced as too long is not read: the application refuses its length."""
        request, parser = self._request, self._parser
        if parser is None:
            raise _Over
        request.method = parser.get_method().decode("ascii")
        request.version = parser.get_http_version()
        request.keeps_alive = request.version == "1.1" and parser.should_keep_alive()
        if request.version not in VERSIONS:
            self._refuse(refusals.MALFORMED)
        if self._hosts > 1 or (request.version == "1.1" and not self._hosts):
            self._refuse(refusals.HOST_UNCLEAR)
        if self._expects and self._expects != CONTINUE:
            self._refuse(refusals.UNMET)
        if request.length > BODY_BYTES:
            self._cut_body(request.length)
        self.wants_continue = bool(self._expects) and request.version == "1.1"
        self._reach(Stage.BODY)

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self.body_bytes += len(part)
        if self.body_bytes > BODY_BYTES:
            self._cut_body(self.body_bytes)
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Finish the request."""
        request = self._request
        request.body = b"".join(self._body)
        request.length = len(request.body)
        self._body = []
        self.body_bytes = 0
        self.wants_continue = False
        self._whole.append(request)
        self._reach(Stage.BETWEEN)
        if not request.keeps_alive:
            self.is_over = True  # what follows is nobody's request

    # -- limits -------------------------------------------------------------------------------------------------

    def _reach(self, stage: Stage) -> None:
        self.stage = stage
        self.steps += 1
        self._stage_bytes = 0

    def _weigh(self, sent: int, *, is_same_stage: bool) -> None:
        """Bound what the parser holds of a part that has not ended: one endless header, the wrapping of chunks."""
        if not is_same_stage:
            return
        self._stage_bytes += sent
        if self.stage is Stage.HEAD and self._stage_bytes > 2 * HEAD_BYTES:
            self._end(refusals.HEAD_LONG)
        elif self.stage is Stage.BODY and self._stage_bytes > CHUNKED_BYTES:
            self._end(refusals.BODY_LONG)

    def _refuse(self, refusal: FrontRefusal) -> None:
        self._end(refusal)
        raise _Over

    def _cut_body(self, length: int) -> None:
        """Hand the request on without its body."""
        request = self._request
        request.length = length
        request.keeps_alive = False
        self._body = []
        self._whole.append(request)
        self.is_over = True
        raise _Over

    def _end(self, refusal: FrontRefusal) -> None:
        self.is_over = True
        self.refusal = refusal

    def _end_after_last(self) -> None:
        """Another protocol was asked for: it is not spoken here, and what follows would be in it."""
        self.is_over = True
        if self._whole:
            self._whole[-1].keeps_alive = False
        else:
            self.refusal = refusals.MALFORMED
