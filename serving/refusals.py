"""What the front answers by itself, where the application is not asked. The form is that of every error."""

from __future__ import annotations

from typing import NamedTuple


class FrontRefusal(NamedTuple):
    """A status line's end, the error's code and title (routes/http/error_codes.py), and why."""

    status: str
    code: str
    title: str
    detail: str
    more_headers: str = ""

    def as_bytes(self) -> bytes:
        """Return the whole answer. It ends the connection."""
        body = (
            f'{{"ok":false,"error":"{self.detail}","code":"{self.code}","title":"{self.title}",'
            f'"detail":"{self.detail}","facts":{{}}}}'
        ).encode()
        head = (
            f"HTTP/1.1 {self.status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Cache-Control: no-store\r\n{self.more_headers}Connection: close\r\n\r\n"
        )
        return head.encode() + body


def _invalid(status: str, detail: str) -> FrontRefusal:
    return FrontRefusal(status, "request_invalid", "REQUEST INVALID", detail)


def _too_large(status: str, detail: str) -> FrontRefusal:
    return FrontRefusal(status, "too_large", "TOO LARGE", detail)


MALFORMED = _invalid("400 Bad Request", "this is no HTTP request")
HOST_UNCLEAR = _invalid("400 Bad Request", "the header Host must be sent once")
UNMET = _invalid("417 Expectation Failed", "Expect was not 100-continue")
SLOW = FrontRefusal("408 Request Timeout", "too_slow", "TOO SLOW", "the request was not whole within 5 s")
URL_LONG = _too_large("414 URI Too Long", "the address is longer than 4,094 bytes")
HEAD_LONG = _too_large("431 Request Header Fields Too Large", "the headers are longer than 8 KiB, or more than 100")
BODY_LONG = _too_large("413 Content Too Large", "the chunks around the body are longer than it may be")
BUSY = FrontRefusal(
    "503 Service Unavailable",
    "too_busy",
    "TOO BUSY",
    "too many requests of this kind wait, try again in 1 s",
    "Retry-After: 1\r\n",
)
FAULT = FrontRefusal("500 Internal Server Error", "fault", "FAULT", "the request failed, see the log")
EVERY = (MALFORMED, HOST_UNCLEAR, UNMET, SLOW, URL_LONG, HEAD_LONG, BODY_LONG, BUSY, FAULT)
