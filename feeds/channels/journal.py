"""``GET :8082/api/journal``: the trades of the trading day as a bare JSON array, for spreadsheets and trading journals.

Contract: docs/reference/contracts/local-feeds.md. Closed trades come from web's journal, open ones from its state.
While web is away the answer is 503, never an empty list. Errors are ``{"ok": false, "error"}``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.desk import DeskPicture
from feeds.journal_rows import closed_setup, is_complete, open_setups, sheet_of
from services.market.instruments import INSTRUMENTS
from sidecar.keys import KeyDoor, key_in
from sidecar.use import Use
from sidecar.web import ANSWER_SECONDS, DeskAway, WebClient
from wire.encoding import encode
from wire.journal import TradesAnswer
from wire.keys import Scope
from wire.local_feeds import JournalFault, TradeSetup

SCOPE: Scope = "journal:read"
MOST_ROWS = 5_000
ROWS_OF_A_PAGE = 500
TRUNCATED_HEADER = "X-Truncated"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)
JSON = "application/json"
FAULTS = {404: "this feed has no such address", 405: "this feed is only read: GET"}

_documents = msgspec.json.Decoder(dict[str, Any])
_trades = msgspec.json.Decoder(TradesAnswer)
Answers = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """A request that is answered with an error; the message is its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Asked(Struct, frozen=True, kw_only=True):
    """What a caller wants: trades that closed from ``first`` to ``last``, None without a bound."""

    first: date | None
    last: date | None
    symbol: str | None
    as_sheet: bool
    only_complete: bool


class JournalFeed:
    """The journal of web, for programs on this machine."""

    def __init__(self, use: Use, keys: KeyDoor | None, web: WebClient, most_rows: int = MOST_ROWS) -> None:
        """Answer from `web`; ``keys`` is None unless LOCAL_FEEDS_REQUIRE_KEY asks for keys."""
        self._use = use
        self._keys = keys
        self._web = web
        self._most_rows = most_rows

    def routes(self) -> list[Route]:
        """Return the routes of this feed."""
        return [
            Route("/api/journal", self._guarded(self.show_trades), methods=["GET"]),
            Route("/api/journal/statistics", self._guarded(self.show_statistics), methods=["GET"]),
        ]

    async def show_trades(self, request: Request) -> Response:
        """Answer trades, those still open first, then the newest first."""
        asked = read_query(request, "format", "only")
        rows, is_cut = await self._rows(asked)
        headers = {TRUNCATED_HEADER: str(self._most_rows)} if is_cut else {}
        if asked.as_sheet:
            headers["Content-Disposition"] = 'attachment; filename="lockstep-journal.csv"'
            return Response(sheet_of(rows), headers=headers, media_type="text/csv")
        return Response(encode(rows), headers=headers, media_type=JSON)

    async def show_statistics(self, request: Request) -> Response:
        """Answer the figures of web's journal for the selected trades."""
        asked = read_query(request)
        filters = filters_of(asked, await self._desk())
        return Response(await self._web.get("/api/journal/statistics", ANSWER_SECONDS, **filters), media_type=JSON)

    # -- trades ---------------------------------------------------------------------------------------------------

    async def _desk(self) -> DeskPicture:
        """Return the desk as web says it now: the stream may be a moment behind what a caller has just done."""
        desk = DeskPicture()
        try:
            desk.take(_documents.decode(await self._web.get("/api/state")))
        except msgspec.MsgspecError as error:
            raise DeskAway("failing", f"the state cannot be read: {error}") from error
        if desk.trading_day is None:
            raise DeskAway("failing", "the state names no trading day")
        return desk

    async def _rows(self, asked: Asked) -> tuple[list[TradeSetup], bool]:
        """Return the rows, and whether there are more than may be sent. Raises `DeskAway`."""
        desk = await self._desk()
        wanted = open_rows(asked, desk)
        open_ids = {row.id for row in wanted}
        following: str | None = None
        while True:
            page = await self._page(filters_of(asked, desk), following)
            closed = [closed_setup(trade) for trade in page.trades]
            ended = open_ids & {row.id for row in closed}  # closed since the state was read
            wanted = [row for row in wanted if row.closed_at is not None or row.id not in ended]
            wanted += [row for row in closed if is_complete(row) or not asked.only_complete]
            following = page.next
            if len(wanted) > self._most_rows or following is None:
                return wanted[: self._most_rows], len(wanted) > self._most_rows

    async def _page(self, filters: dict[str, str], before: str | None) -> TradesAnswer:
        more = {} if before is None else {"before": before}
        query = {**filters, **more, "limit": str(ROWS_OF_A_PAGE)}
        answer = await self._web.get("/api/journal/trades", ANSWER_SECONDS, **query)
        try:
            return _trades.decode(answer)
        except msgspec.MsgspecError as error:
            raise DeskAway("failing", f"the journal cannot be read: {error}") from error

    # -- guard and errors -----------------------------------------------------------------------------------------

    def _guarded(self, answer: Answers) -> Answers:
        async def answer_guarded(request: Request) -> Response:
            try:
                await self._admit(request)
                response = await answer(request)
            except Refused as error:
                return fault(error.status, str(error))
            except DeskAway:
                return fault(503, "the desk is away: ask again")
            response.headers["Cache-Control"] = "no-store"
            self._use.note_sent()
            return response

        return answer_guarded

    async def _admit(self, request: Request) -> None:
        if self._keys is None:
            return
        token = key_in(request.headers)
        check = None if token is None else await self._keys.check(token)
        if check is None:
            raise Refused(401, "an API key is needed")
        if SCOPE not in check.scopes:
            raise Refused(403, f"this feed needs an API key with the scope {SCOPE}")


def open_rows(asked: Asked, desk: DeskPicture) -> list[TradeSetup]:
    """Return the rows of open trades that a caller wants: they belong to the present trading day."""
    today = desk.trading_day
    if today is None or (asked.first and today < asked.first) or (asked.last and today > asked.last):
        return []
    rows = [row for row in open_setups(desk) if asked.symbol in (None, row.symbol)]
    return [row for row in rows if is_complete(row) or not asked.only_complete]


def filters_of(asked: Asked, desk: DeskPicture) -> dict[str, str]:
    """Return the query for web's journal. Without any day it is the trading day."""
    first, last = asked.first, asked.last
    if first is None and last is None:
        first = last = desk.trading_day
    named = {"first_day": first, "last_day": last, "asset": asked.symbol}
    return {name: str(value) for name, value in named.items() if value is not None}


def read_query(request: Request, *more: Literal["format", "only"]) -> Asked:
    """Read the parameters of a request. Raises `Refused`, also for an unknown name: ignored it would mislead."""
    known = {"from", "to", "symbol", *more}
    query = request.query_params
    for name in query:
        if name not in known:
            raise Refused(400, f"{name[:40]!r} is no parameter of this call: there are {', '.join(sorted(known))}")
        if len(query.getlist(name)) > 1:
            raise Refused(400, f"{name} was named twice")
    first, last = _day(query.get("from"), "from"), _day(query.get("to"), "to")
    if first is not None and last is not None and first > last:
        raise Refused(400, "from must not be after to")
    return Asked(
        first=first,
        last=last,
        symbol=_symbol(query.get("symbol")),
        as_sheet=_choice(query.get("format"), "format", ("json", "csv")) == "csv",
        only_complete=_choice(query.get("only"), "only", ("complete", "all")) == "complete",
    )


def _day(text: str | None, name: str) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise Refused(400, f"{name} must be a day like 2026-11-20, was {text[:20]!r}")
    return day


def _symbol(text: str | None) -> str | None:
    if text is None:
        return None
    symbol = text.upper()
    if symbol not in INSTRUMENTS:
        raise Refused(400, f"symbol {text[:20]!r} is not known: there are {', '.join(INSTRUMENTS)}")
    return symbol


def _choice(text: str | None, name: str, choices: tuple[str, ...]) -> str | None:
    if text is not None and text not in choices:
        raise Refused(400, f"{name} must be {' or '.join(choices)}, was {text[:20]!r}")
    return text


def fault(status: int, sentence: str) -> Response:
    """Return an error in this feed's dialect."""
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if status == 503 else {})
    return Response(encode(JournalFault(sentence)), status, headers, media_type=JSON)


async def show_fault(_request: Request, error: Exception) -> Response:
    """Answer what no route takes, in this feed's dialect."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    response = fault(status, FAULTS.get(status, "the request cannot be answered"))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
