"""Calls to MetaApi over HTTP: one account, one token, two hosts (https://metaapi.cloud/docs/client/restApi/).

The token is a header of each request and nowhere else: no address, no log line and no exception has it. What leaves
open whether a trade was made (a time-out, a break, 5xx) is `OutcomeUnknown`, and never sent again.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from advisor.mt4.metaapi_models import (
    MetaAccount,
    MetaCandle,
    MetaDeal,
    MetaError,
    MetaOrder,
    MetaPosition,
    MetaPrice,
    MetaTrade,
    MetaTradeResponse,
)
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from wire.encoding import encode
from wire.mt4 import Mt4Timeframe

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
TRADE_SECONDS = 20.0
CANDLES_SECONDS = 25.0
LONGEST_RETRY_SECONDS = 3_600
Shape = TypeVar("Shape")
MOST_ROWS = 1_000
"""Of a page."""

MOST_PAGES = 20
MOST_BYTES = 8 * 1024 * 1024
LONGEST_WORD = 60
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, LATE, TOO_MANY, FAILING = 401, 403, 404, 408, 429, 500


class OutcomeUnknown(Exception):
    """Nobody knows whether a trade was made. ``code`` says why."""

    def __init__(self, code: str) -> None:
        """Name the code."""
        super().__init__(code)
        self.code = code


class TradeRefused(Exception):
    """A trade was not made. ``code`` says why."""

    def __init__(self, code: str) -> None:
        """Name the code."""
        super().__init__(code)
        self.code = code


class AnswerTooLong(Exception):
    """An answer has more bytes than any that is documented."""


class Timeouts(Struct, frozen=True):
    """How long a whole answer is waited for, in seconds."""

    read: float = READ_SECONDS
    trade: float = TRADE_SECONDS
    candles: float = CANDLES_SECONDS


class MetaApiClient:
    """One account at MetaApi. Reading raises `ServiceRefused`."""

    def __init__(
        self,
        url: str,
        candles_url: str,
        account_id: str,
        token: str,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call `url`, for candles `candles_url`, with this token."""
        self._path = f"/users/current/accounts/{quote(account_id, safe='')}"
        self._timeouts = timeouts or Timeouts()
        self._clock = clock
        self._blocked_until = 0.0
        self._trading = _client(url, token)
        self._market = _client(candles_url, token)

    async def close(self) -> None:
        """Close every connection."""
        await self._trading.aclose()
        await self._market.aclose()

    # -- reading ------------------------------------------------------------------------------------------------

    async def account(self) -> MetaAccount:
        """Return the account."""
        return await self._read(self._trading, "/account-information", MetaAccount)

    async def positions(self) -> list[MetaPosition]:
        """Return what is open."""
        return await self._read(self._trading, "/positions", list[MetaPosition])

    async def orders(self) -> list[MetaOrder]:
        """Return what rests."""
        return await self._read(self._trading, "/orders", list[MetaOrder])

    async def history_orders(self, first: datetime, last: datetime) -> list[MetaOrder]:
        """Return orders that ended within a time."""
        path = f"/history-orders/time/{_instant(first)}/{_instant(last)}"
        return await self._read_pages(path, MetaOrder)

    async def history_deals(self, first: datetime, last: datetime) -> list[MetaDeal]:
        """Return the fills of a time."""
        path = f"/history-deals/time/{_instant(first)}/{_instant(last)}"
        return await self._read_pages(path, MetaDeal)

    async def price(self, symbol: str) -> MetaPrice:
        """Return the newest price."""
        return await self._read(self._trading, f"/symbols/{quote(symbol, safe='')}/current-price", MetaPrice)

    async def candles(self, symbol: str, timeframe: Mt4Timeframe, limit: int) -> list[MetaCandle]:
        """Return the newest candles. They are at a host of their own, and may take long."""
        path = f"/historical-market-data/symbols/{quote(symbol, safe='')}/timeframes/{timeframe}/candles"
        seconds = self._timeouts.candles
        return await self._read(self._market, path, list[MetaCandle], seconds=seconds, limit=limit)

    async def _read_pages(self, path: str, shape: type[Shape]) -> list[Shape]:
        """Return every row of a time. Raises `ServiceRefused` when there are too many: a part of them is not them."""
        rows: list[Shape] = []
        for _ in range(MOST_PAGES):
            page = await self._read(self._trading, path, list[shape], offset=len(rows), limit=MOST_ROWS)  # type: ignore[valid-type]
            rows += page
            if len(page) < MOST_ROWS:
                return rows
        raise _away(f"MetaApi tells more than {MOST_PAGES * MOST_ROWS} rows of that time")

    async def _read(
        self, client: httpx.AsyncClient, path: str, shape: type[Shape], seconds: float | None = None, **query: int
    ) -> Shape:
        self._refuse_too_soon()
        request = client.build_request("GET", self._path + path, params=query)
        try:
            answer = await _answer_to(client, request, seconds or self._timeouts.read)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, AnswerTooLong) as error:
            raise _away(f"MetaApi does not answer: {type(error).__name__}") from None
        if answer.status_code != httpx.codes.OK:
            raise self._refusal(answer)
        try:
            told = msgspec.json.decode(answer.content, type=shape)
        except UNREADABLE as error:
            raise _away(f"MetaApi answers what is not documented: {str(error)[:200]}") from None
        if not _is_finite(told):
            raise _away("MetaApi answers what is no number")
        return told

    # -- trading ------------------------------------------------------------------------------------------------

    async def trade(self, request: MetaTrade) -> MetaTradeResponse:
        """Send a trade, once. Raises `TradeRefused`, `OutcomeUnknown`, and `ServiceRefused` when it was not sent."""
        headers = {"Content-Type": "application/json"}
        sent = self._trading.build_request("POST", self._path + "/trade", content=encode(request), headers=headers)
        try:
            answer = await _answer_to(self._trading, sent, self._timeouts.trade)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _away(f"MetaApi does not answer, nothing was sent: {type(error).__name__}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, AnswerTooLong) as error:
            raise OutcomeUnknown(type(error).__name__) from None
        if answer.status_code >= FAILING or answer.status_code == LATE or answer.is_redirect:
            raise OutcomeUnknown(f"http_{answer.status_code}")
        if answer.status_code in (UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY):
            raise self._refusal(answer)
        if not answer.is_success:
            raise TradeRefused(_error_in(answer).error[:LONGEST_WORD] or f"http_{answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=MetaTradeResponse)
        except UNREADABLE:
            raise OutcomeUnknown("unreadable") from None

    # -- refusals -----------------------------------------------------------------------------------------------

    def _refuse_too_soon(self) -> None:
        """Ask nothing while MetaApi has said that it is asked too much."""
        left = self._blocked_until - self._clock()
        if left > 0:
            raise ServiceRefused("rate_limit_exceeded", "MetaApi is asked too often", math.ceil(left))

    def _refusal(self, answer: httpx.Response) -> ServiceRefused:
        match answer.status_code:
            case 401 | 403:
                return ServiceRefused("token_refused", "MetaApi refuses the token, or it does not open this account")
            case 404:
                return ServiceRefused("unknown_account", "MetaApi knows no such account, or none by that symbol")
            case 429:
                seconds = _retry_seconds(answer)
                self._blocked_until = self._clock() + seconds
                return ServiceRefused("rate_limit_exceeded", "MetaApi is asked too often", seconds)
            case status:
                return _away(f"MetaApi answers {status}: the account may not be connected to its broker")


def _client(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        headers={"auth-token": token, "Accept": "application/json"},
        follow_redirects=False,  # the token goes to this host alone
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else True,
    )


async def _answer_to(client: httpx.AsyncClient, request: httpx.Request, seconds: float) -> httpx.Response:
    """Return a whole answer within `seconds`: httpx counts for each piece alone, and one that drips has no end.

    Raises what httpx raises, `TimeoutError`, and `AnswerTooLong`.
    """
    request.extensions["timeout"] = httpx.Timeout(seconds, connect=CONNECT_SECONDS).as_dict()
    async with asyncio.timeout(seconds):
        answer = await client.send(request, stream=True)
        try:
            content = bytearray()
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > MOST_BYTES:
                    raise AnswerTooLong
        finally:
            await answer.aclose()
    wait = answer.headers.get("Retry-After")
    headers = {} if wait is None else {"Retry-After": wait}
    return httpx.Response(answer.status_code, headers=headers, content=bytes(content))


def _is_finite(told: Any) -> bool:
    """Return whether every number of an answer is one: a decimal may be spelled ``NaN``."""
    if isinstance(told, list):
        return all(_is_finite(one) for one in told)
    fields = (getattr(told, name) for name in told.__struct_fields__) if isinstance(told, Struct) else (told,)
    return all(not isinstance(one, Decimal) or one.is_finite() for one in fields)


def _away(sentence: str) -> ServiceRefused:
    return ServiceRefused("mt4_away", sentence, RETRY_SECONDS)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error_in(answer: httpx.Response) -> MetaError:
    try:
        return msgspec.json.decode(answer.content, type=MetaError)
    except UNREADABLE:
        return MetaError()


def _retry_seconds(answer: httpx.Response) -> int:
    """Return how long MetaApi asks to wait: its header, else the time in its body, else a usual while."""
    header = answer.headers.get("Retry-After", "")
    if header.isascii() and header.isdigit() and len(header) < 9:
        return min(max(1, int(header)), LONGEST_RETRY_SECONDS)
    until = _error_in(answer).metadata.recommended_retry_time
    if until is None or until.tzinfo is None:
        return RETRY_SECONDS
    return min(max(1, math.ceil((until - datetime.now(UTC)).total_seconds())), LONGEST_RETRY_SECONDS)
