"""Ticks of a bridge: which of them are published as quotes, whatever the desk decides by them.

A tick counts once: by ``seq``, which grows with each tick that a sender sends of a contract. A counter that begins anew
with later ticks is that of a sender that was started anew. The sender first heard of a contract keeps it for as long as
it is heard, so that two that tell of the same market are not both published.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.price_readings import PriceWatch
from services.engine.model.state import Asset
from services.engine.rules.prices import judged
from services.market.session import trade_date
from wire.bridge import QuoteEvent, Tick, TicksReport
from wire.types import Contract, Instant, Price, TickRefusal

OLDEST = timedelta(seconds=60)
AHEAD = timedelta(seconds=5)  # a clock of a bridge may be so far ahead: such a tick counts as of now
SENDER_KEEPS = timedelta(seconds=5)
NO_SEQ = -1


class Sender(Struct):
    """Who sends the ticks of a contract: its newest ``seq`` and time, and when it was last heard.

    ``is_gapped``: ticks may be missing since the last that was published.
    """

    name: str | None
    seq: int
    newest: Instant | None
    heard_at: Instant
    is_gapped: bool = True


class Prices(Struct):
    """The prices that were published of a contract on a trade date; the next one is judged by them."""

    day: date
    watch: PriceWatch


class TicksTaken(Struct, frozen=True):
    """What became of a report: the quotes to publish, how many came before, how many are left out and why."""

    quotes: tuple[QuoteEvent, ...] = ()
    repeated: int = 0
    left_out: dict[TickRefusal, int] = {}


class TickBook:
    """The senders of ticks and the prices last published. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._senders: dict[str, Sender] = {}
        self._prices: dict[str, Prices] = {}

    def take(self, report: TicksReport, asset: Asset, contract: Contract, now: Instant) -> TicksTaken:
        """Return what of a report is published. ``contract`` is the asset's, which the report names."""
        with self._lock:
            sender = self._sender_of(report, contract.symbol, now)
            if sender is None:
                return TicksTaken(left_out={"other_sender": len(report.ticks)} if report.ticks else {})
            sender.is_gapped = sender.is_gapped or report.gap
            quotes: list[QuoteEvent] = []
            repeated = 0
            left_out: Counter[TickRefusal] = Counter()
            for tick in report.ticks:
                if _is_repeated(sender, tick):
                    repeated += 1
                    continue
                sender.seq = tick.seq
                refusal = _refusal_of_time(tick, now) or self._refusal_of_price(tick, asset, contract, now)
                if refusal is not None:
                    left_out[refusal] += 1
                    sender.is_gapped = True
                    continue
                sender.newest = tick.ts if sender.newest is None else max(sender.newest, tick.ts)
                quotes.append(_quote(tick, asset, contract, report, now, after_gap=sender.is_gapped))
                sender.is_gapped = False
            return TicksTaken(tuple(quotes), repeated, dict(left_out))

    def _sender_of(self, report: TicksReport, symbol: str, now: Instant) -> Sender | None:
        """Return the sender of a report, None while another one is heard of that contract."""
        known = self._senders.get(symbol)
        if known is not None and known.name != report.instance:
            if now < known.heard_at + SENDER_KEEPS:
                return None
            known = Sender(report.instance, NO_SEQ, known.newest, now)
        known = known or Sender(report.instance, NO_SEQ, None, now)
        known.heard_at = now
        self._senders[symbol] = known
        return known

    def _refusal_of_price(self, tick: Tick, asset: Asset, contract: Contract, now: Instant) -> TickRefusal | None:
        """Judge a price by those before it, as the desk judges heartbeats (SPEC 3): a far one needs a second."""
        if not is_on_tick(tick.price, contract):
            return "off_tick"
        today = trade_date(now)
        known = self._prices.get(contract.symbol) or Prices(today, asset.live.watch)
        watch = known.watch if known.day == today else replace(known.watch, low=None, high=None)
        judgement = judged(replace(asset, live=replace(asset.live, watch=watch)), tick.price, min(tick.ts, now))
        self._prices[contract.symbol] = Prices(today, judgement.watch)
        if judgement.is_good:
            return None
        return "impossible_price" if judgement.verdict == "refused" else "suspect_price"


def is_on_tick(price: Price, contract: Contract) -> bool:
    """Return whether the contract can trade at the price: a whole number of its ticks."""
    return price % contract.tick_size == 0


def _is_repeated(sender: Sender, tick: Tick) -> bool:
    """Return whether the tick was heard before: its ``seq`` is no new one, and neither is its time."""
    if sender.newest is None:
        return tick.seq <= sender.seq
    if sender.seq == NO_SEQ:  # a new sender: what it tells of the time before may have been told by the one before it
        return tick.ts < sender.newest
    return tick.seq <= sender.seq and tick.ts <= sender.newest


def _refusal_of_time(tick: Tick, now: Instant) -> TickRefusal | None:
    if tick.ts > now + AHEAD:
        return "future"
    return "late" if tick.ts < now - OLDEST else None


def _quote(
    tick: Tick, asset: Asset, contract: Contract, report: TicksReport, now: Instant, *, after_gap: bool
) -> QuoteEvent:
    bid, ask = _best_prices(tick, contract)
    return QuoteEvent(
        symbol=contract.symbol,
        price=tick.price,
        ts=min(tick.ts, now),
        asset=asset.symbol,
        bid=bid,
        ask=ask,
        size=tick.size,
        seq=tick.seq,
        source="ticks",
        simulated=report.simulated,
        after_gap=after_gap,
    )


def _best_prices(tick: Tick, contract: Contract) -> tuple[Decimal | None, Decimal | None]:
    """Return bid and ask; both are unknown where they cross or are no price of the contract."""
    told = [price for price in (tick.bid, tick.ask) if price is not None]
    is_crossed = tick.bid is not None and tick.ask is not None and tick.bid > tick.ask
    is_price = all(is_on_tick(price, contract) and (price > 0) == (tick.price > 0) for price in told)
    return (tick.bid, tick.ask) if is_price and not is_crossed else (None, None)


def newest_of_each(quotes: Sequence[QuoteEvent]) -> tuple[QuoteEvent, ...]:
    """Return the last quote of each contract."""
    return tuple({quote.symbol: quote for quote in quotes}.values())
