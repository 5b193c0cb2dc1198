"""The desk as an MT4 account, for ``MT4_ROUTE=desk``: what it holds is shown, a trade becomes a proposal, and closing
is the desk's own exit, which no lock stops (SPEC 3, 4).

No order is made here: the operator clicks, the desk decides. The size is the desk's own, so a volume is not obeyed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec
import structlog
from msgspec import UNSET, Struct

from advisor.agent.desk_reader import DeskReader
from advisor.mt4.asked import OrderAsked
from advisor.mt4.desk_proposals import Listed, Proposal, made_by
from advisor.mt4.desk_views import is_of_another_contract, lots_of, position_id_of, position_rows, state_of
from advisor.mt4.prices import FRESH_SECONDS, FeedsPrices, Quote, tick_of, utc_now
from advisor.mt4.requests import RequestBook
from advisor.mt4.sides import refuse_wrong_sides
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from sidecar.queries import known_symbol
from sidecar.web import DeskAway
from wire.asset import AssetState
from wire.encoding import encode
from wire.mt4 import (
    AccountKind,
    AccountState,
    CloseAnswer,
    DealRow,
    Mt4Candle,
    Mt4Tick,
    Mt4Timeframe,
    OrderRow,
    PositionRow,
    ProposalBrief,
    TradeAnswer,
    UnknownClosing,
)
from wire.state import LiveDocument
from wire.types import Price

DESK = "desk"
PROPOSALS, EXIT = "/api/proposals", "/api/exit"
SOURCE = "mt4"
REASON = "an MT4 trade call"
VALID_FOR = timedelta(minutes=15)
FRESH = timedelta(seconds=FRESH_SECONDS)
ANSWER_SECONDS = 5.0
MADE = (200, 201)
NOT_REACHED = ("unreachable", "refused")
REFUSED = ("trade_refused", "invalid_parameter")
TOO_MANY = 429
MOST_PROPOSALS = 500
ALL_PROPOSALS = f"{PROPOSALS}?status=all&limit={MOST_PROPOSALS}"
SENT_AGAIN_WITHIN = timedelta(minutes=1)
"""What was kept longer ago than this is looked up at the desk before it is sent: its price is of another time."""

logger = structlog.get_logger(__name__)


class Exchanging(Protocol):
    """Calls web: `sidecar.web.WebClient`."""

    async def exchange(
        self, method: str, path: str, body: bytes | None = ..., answer_seconds: float = ..., **headers: str
    ) -> tuple[int, bytes]:
        """Return status and body of an answer. Raises `DeskAway`."""


class _Made(Struct):
    proposal: ProposalBrief


class _Refused(Struct):
    code: str = ""
    error: str = ""


class DeskAccount:
    """The desk, as the programs beside it see it."""

    kind: AccountKind = "desk"
    id = DESK

    def __init__(
        self,
        desk: DeskReader,
        web: Exchanging,
        prices: FeedsPrices,
        requests: RequestBook,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Read `desk`, call `web`; ticks and candles are those of feeds. `requests` knows the names of orders."""
        self._requests = requests
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._desk = desk
        self._web = web
        self._prices = prices
        self._clock = clock

    # -- reading ------------------------------------------------------------------------------------------------

    async def connect(self) -> AccountState:
        """Return how the desk is. Raises `ServiceRefused` (503) while it does not answer."""
        return await self.status()

    async def disconnect(self) -> None:
        """Nothing is to be let go."""

    async def left(self) -> None:
        """Nothing is closed: there is no connection."""

    async def status(self) -> AccountState:
        """Return the desk's account, as the bridge tells it."""
        return state_of(await self._state())

    async def positions(self) -> tuple[PositionRow, ...]:
        """Return what the desk holds; a position's id is its trade's."""
        return position_rows(await self._state())

    async def orders(self) -> tuple[OrderRow, ...]:
        """Return nothing: no order rests on this route."""
        await self._state()
        return ()

    async def deals(self, limit: int) -> tuple[DealRow, ...]:
        """Refuse: the desk's fills are in its own journal."""
        raise ServiceRefused("not_available", f"the desk keeps its {limit} newest fills in its own journal")

    async def tick(self, symbol: str) -> Mt4Tick:
        """Return the newest price of an asset of the desk."""
        asset = await self._asset(symbol)
        quote: Quote | None = await self._prices.newest(asset.symbol, simulated=asset.simulated)
        if quote is None or not quote.is_fresh(self._clock()):
            raise ServiceRefused("no_price", f"no fresh price of {asset.symbol} is known", RETRY_SECONDS)
        return tick_of(quote)

    async def candles(self, symbol: str, timeframe: Mt4Timeframe, limit: int) -> tuple[Mt4Candle, ...]:
        """Return candles of an asset of the desk."""
        asset = await self._asset(symbol)
        return await self._prices.candles(asset.symbol, timeframe, limit, simulated=asset.simulated)

    async def _state(self) -> LiveDocument:
        try:
            return await self._desk.state()
        except DeskAway as error:
            raise _away() from error

    async def _asset(self, symbol: str) -> AssetState:
        """Return the asset that a symbol names. One that names another delivery than the desk trades is none of it."""
        assets = (await self._state()).assets
        asset = assets[known_symbol(symbol, assets)]
        if is_of_another_contract(symbol, asset, self._clock().date()):
            raise ServiceRefused("unknown_symbol", f"{symbol.strip()[:40]!r} is not the contract of {asset.symbol}")
        return asset

    # -- acts ---------------------------------------------------------------------------------------------------

    async def trade(self, order: OrderAsked) -> TradeAnswer:
        """Propose a market order to the operator."""
        if not order.is_market:
            raise ServiceRefused(
                "trade_refused", f"{order.action} does not rest at the desk: BUY and SELL do", reason="resting_action"
            )
        if order.stop_loss is None:
            raise ServiceRefused("invalid_parameter", "stop_loss is missing: a proposal needs its stop")
        if order.key is None:
            return proposed(await self._propose(encode(await self._proposal(order, order.stop_loss)), None))
        async with self._turns.setdefault(order.key, asyncio.Lock()):
            return proposed(await self._propose_named(order, order.stop_loss, order.key))

    async def _propose_named(self, order: OrderAsked, stop: Price, key: str) -> ProposalBrief:
        """Propose what was proposed before by this name. What the desk has not made asks for a price anew."""
        kept = await self._kept(order, key)
        if isinstance(kept, ProposalBrief):
            return kept
        body = encode(await self._proposal(order, stop)) if kept is None else kept
        if kept is None:
            self._requests.keep(key, encode(order).decode(), body.decode())
        try:
            made = await self._propose(body, key)
        except ServiceRefused as refused:
            # the desk answers a proposal that it has made by its name, so its refusal says that it has made none
            if refused.code in REFUSED or (kept is None and refused.code != "unknown_outcome"):
                self._requests.forget(key)
            raise
        self._answers(key, made)
        return made

    async def _kept(self, order: OrderAsked, key: str) -> ProposalBrief | bytes | None:
        """Return what a name has become, what is to be sent again by it, or None for a new one.

        What was kept some time ago and not answered may never have been sent: the desk is asked before its price is
        proposed. Raises `ServiceRefused`: 409 for the name of another order, 503 while nobody knows.
        """
        kept = self._requests.find(key)
        if kept is None:
            return None
        if kept.request != encode(order).decode():
            raise ServiceRefused("trade_refused", "this Idempotency-Key named another order", reason="key_reused")
        if kept.answer:
            return msgspec.json.decode(kept.answer, type=ProposalBrief)
        body = (kept.body or "").encode()
        if self._clock() - kept.kept_at < SENT_AGAIN_WITHIN:
            return body
        found = await self._made_before(body)
        if found is None:
            self._requests.forget(key)
        else:
            self._answers(key, found)
        return found

    async def _made_before(self, body: bytes) -> ProposalBrief | None:
        """Return the desk's proposal of a body, None without one. Raises `ServiceRefused` while it is not sure."""
        try:
            status, answer = await self._web.exchange("GET", ALL_PROPOSALS, None, ANSWER_SECONDS)
            rows = msgspec.json.decode(answer, type=Listed).proposals if status in MADE else None
        except (DeskAway, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _unknown("the proposal") from error
        found = None if rows is None else made_by(body, rows)
        if found is None and (rows is None or len(rows) >= MOST_PROPOSALS):
            raise _unknown("the proposal")
        return found

    def _answers(self, key: str, made: ProposalBrief) -> None:
        """Store what a name has become. A file that fails changes nothing of it: the desk knows the name, too."""
        try:
            self._requests.answers(key, encode(made).decode())
        except ServiceRefused as refused:
            logger.error("what became of a proposal cannot be stored", reason=str(refused))

    async def _proposal(self, order: OrderAsked, stop: Price) -> Proposal:
        """Return what is proposed: an entry at the desk's own price, which must be fresh."""
        asset = await self._asset(order.symbol)
        price, at, now = asset.last_price, asset.price_ts, self._clock()
        if price is None or at is None or now - at > FRESH:
            raise ServiceRefused("no_price", f"the desk knows no fresh price of {asset.symbol}", RETRY_SECONDS)
        refuse_wrong_sides(order, price, price)
        return Proposal(
            asset=asset.symbol,
            direction=order.side,
            entry=price,
            stop=stop,
            target=UNSET if order.take_profit is None else order.take_profit,
            valid_until=now + VALID_FOR,
            source=SOURCE,
            reason=order.comment.strip() or REASON,
        )

    async def _propose(self, body: bytes, key: str | None) -> ProposalBrief:
        headers = {} if key is None else {"Idempotency_Key": key}
        status, answer = await self._call(PROPOSALS, body, **headers)
        if status not in MADE:
            raise _refusal(status, answer)
        try:
            return msgspec.json.decode(answer, type=_Made).proposal
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _unknown("the proposal") from None

    async def close(self, position_id: str, volume: Decimal | None, name: str | None = None) -> CloseAnswer:
        """Exit a trade of the desk, all of it: the desk has no partial exit. Sent again, it ends no later trade, so
        that a `name` needs nothing more.
        """
        assets = (await self._state()).assets.values()
        asset = next((one for one in assets if one.position and position_id_of(one) == position_id), None)
        if asset is None:
            raise ServiceRefused("unknown_position", f"the desk holds no position {position_id}")
        held = lots_of(asset)
        if volume is not None and volume != held:
            raise ServiceRefused(
                "trade_refused", f"the desk exits all of its {held:f} lots, or nothing", reason="partial_close"
            )
        meant = {} if asset.trade is None else {"trade": asset.trade.id}
        status, answer = await self._call(EXIT, encode({"asset": asset.symbol, "force": True, **meant}))
        if status not in MADE:
            raise _refusal(status, answer)
        return CloseAnswer(success=True, position_id=position_id, closed_volume=None, remaining_volume=None, price=None)

    def unknown(self) -> tuple[UnknownClosing, ...]:
        """Return nothing: what became of an exit is in the desk's own journal."""
        return ()

    async def cancel(self, order_id: str) -> None:
        """Refuse: no order rests on this route."""
        raise ServiceRefused("unknown_order", f"no order {order_id} rests: on the desk's route none does")

    async def _call(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        try:
            return await self._web.exchange("POST", path, body, ANSWER_SECONDS, **headers)
        except DeskAway as error:
            if error.why in NOT_REACHED:
                raise _away() from error
            raise _unknown("the call") from error


def proposed(proposal: ProposalBrief) -> TradeAnswer:
    """Return the answer to an order that has become a proposal: nothing is traded."""
    return TradeAnswer(success=False, order_id=None, position_id=None, price=None, proposal=proposal)


def _refusal(status: int, body: bytes) -> ServiceRefused:
    """Return what the desk refused. Its code is the reason."""
    try:
        told = msgspec.json.decode(body, type=_Refused)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = _Refused()
    sentence = told.error or f"the desk answers {status}"
    if status == TOO_MANY:
        raise ServiceRefused("web_away", sentence, RETRY_SECONDS)  # it has not looked at the call
    if status == 400:
        return ServiceRefused("invalid_parameter", sentence, reason=told.code or "http_400")
    return ServiceRefused("trade_refused", sentence, reason=told.code or f"http_{status}")


def _away() -> ServiceRefused:
    return ServiceRefused("web_away", "the desk does not answer, or refuses the advisor", RETRY_SECONDS)


def _unknown(what: str) -> ServiceRefused:
    return ServiceRefused(
        "unknown_outcome", f"nobody knows what became of {what}: look at the desk first", reason="desk_silent"
    )
