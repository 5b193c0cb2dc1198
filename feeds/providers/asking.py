"""Calls to a server that gives bars: bounded in time and size, patient where it is asked to wait, silent about keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from feeds.providers.provider import ProviderFailed
from wire.hosts import is_private

Shape = TypeVar("Shape")

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
TRIES = 5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 65.0  # the free plans count by the minute
LARGEST_ANSWER = 64 << 20
USER_AGENT = "lockstep"
WORTH_ANOTHER_TRY = {429, 500, 502, 503, 504}


class Asker:
    """One server, asked one question at a time. ``headers`` may hold a key: no message of a failure has them."""

    def __init__(
        self,
        name: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask the server at `url`; ``pause`` waits between two tries."""
        self._name = name
        self._pause = pause
        host = urlsplit(url).hostname or ""
        self._client = httpx.Client(
            base_url=url,
            headers={"User-Agent": USER_AGENT, **(headers or {})},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=not is_private(host),
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, str | int], shape: type[Shape]) -> Shape:
        """Return an answer in the shape that it must have. Raises `ProviderFailed`."""
        for attempt in range(1, TRIES + 1):
            status, body, wait = self._ask(path, query)
            if status == HTTPStatus.OK:
                return self._read(body, shape)
            if status not in WORTH_ANOTHER_TRY and status != 0:
                raise self._refused(status)
            if attempt < TRIES:
                self._pause(min(wait or FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise ProviderFailed("rate_limited", f"{self._name} answered {TRIES} times that it is asked too often.")
        raise ProviderFailed("unreachable", f"{self._name} did not answer in {TRIES} tries.")

    def _ask(self, path: str, query: Mapping[str, str | int]) -> tuple[int, bytes, float | None]:
        """Return status, body and for how long the server wants to be left alone; status 0 without an answer."""
        try:
            with self._client.stream("GET", path, params=dict(query) or None) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise ProviderFailed("bad_answer", f"{self._name} answered more than {LARGEST_ANSWER} bytes.")
                return answer.status_code, bytes(body), _seconds(answer.headers.get("Retry-After"))
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, b"", None  # its text may have the address that was asked

    def _read(self, body: bytes, shape: type[Shape]) -> Shape:
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.DecodeError as wrong:
            raise ProviderFailed("bad_answer", f"{self._name} answered what is no page of bars: {wrong}.") from wrong

    def _refused(self, status: int) -> ProviderFailed:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return ProviderFailed(
                "unauthorized", f"{self._name} refused the key, or its plan has no such bars ({status}).", True
            )
        return ProviderFailed("bad_answer", f"{self._name} answered {status}.")


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
