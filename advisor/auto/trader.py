"""Follows closed bars: makes one decision of each, and lets the shadow trades go on. Everything runs on one loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from advisor.auto.barriers import followed
from advisor.auto.book import BAR_SECONDS, RR_CONFIG, TIMEFRAME, Decision, Trade, id_of, next_minute, opened
from advisor.auto.policy import Considered, Situation, Verdict, decide, mode_of
from advisor.auto.store import AutoStore, Configured
from advisor.bars import Window
from advisor.ml.bars import BarsRefused, Series
from advisor.models.history import LATE_SECONDS, MINUTE, SETTLES_SECONDS
from services.market.instruments import instrument_for
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway
from wire.auto_trade import AutoTradeConfig, Result
from wire.encoding import encode
from wire.ml_engine import MlTimeframe, RrConfig, SignalResponse
from wire.state import LiveDocument
from wire.types import Instant

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
LOOK_FOR_PROPOSALS_SECONDS = 10
UNSETTLED_SECONDS = 60
"""How long after its time a proposal whose answer was lost is looked for."""

LATE_BAR_SECONDS = 60
"""A bar that is seen later after its end opens nothing: what its signal says is of a market that has gone on."""

Clock = Callable[[], Instant]


class Bars(Protocol):
    """Closed bars and their minutes: `History`. Both raise `ServiceRefused`."""

    async def closed(self, symbol: str, timeframe: MlTimeframe) -> Series:
        """Return the closed bars that are known, oldest first."""

    async def window(self, symbol: str) -> Window:
        """Return the closed minutes that are known, oldest first, and until when they are."""


class Signals(Protocol):
    """What a model says after bars: `MlEngine`."""

    def signal_after(self, series: Series, rr: RrConfig) -> SignalResponse:
        """Return the better side. Raises `ServiceRefused`."""


class Desk(Protocol):
    """Reads the desk: `DeskReader`."""

    async def state(self) -> LiveDocument:
        """Return the desk as it is now. Raises `DeskAway`."""


class Proposals(Protocol):
    """Looks for proposals at the desk: `Proposer`."""

    async def found(self, decision: Decision) -> str | None:
        """Return the id of the proposal of a decision, None when the desk has none. Raises `DeskAway`."""


class AutoTrader:
    """The policy at work. It asks the desk, and never tells it anything."""

    def __init__(
        self, store: AutoStore, bars: Bars, signals: Signals, desk: Desk, proposals: Proposals, clock: Clock
    ) -> None:
        """Decide upon `bars` by `signals`; keep everything in `store`."""
        self._store = store
        self._bars = bars
        self._signals = signals
        self._desk = desk
        self._clock = clock
        self._proposals = proposals
        self._looked_for_proposals_at = 0
        self._decided: dict[str, int] = {}

    async def run(self) -> None:
        """Look until the task is cancelled."""
        while True:
            try:
                await self.look()
            except ServiceRefused as refused:
                logger.debug("auto-trade waits", reason=refused.code)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Take in what has happened since the last time. Raises `ServiceRefused` while the file cannot be used."""
        now = int(self._clock().timestamp())
        await self._settle_proposals(now)
        self._store.expire(now)
        for trade in self._store.open_trades():
            await self._follow(trade, now)
        configured = self._store.configured()
        if configured is None or not configured.config.enabled:
            return
        for symbol in configured.config.symbols:
            try:
                window = await self._bars.window(symbol)
                series = await self._bars.closed(symbol, TIMEFRAME)
            except ServiceRefused as refused:
                logger.debug("no bar to decide upon", symbol=symbol, reason=refused.code)
                continue
            await self._decide_newest(series, window, configured)

    async def _settle_proposals(self, now: int) -> None:
        """Find the proposals whose answer was lost, until a minute after their time."""
        lost = self._store.unsettled(now - UNSETTLED_SECONDS)
        if not lost or now - self._looked_for_proposals_at < LOOK_FOR_PROPOSALS_SECONDS:
            return
        self._looked_for_proposals_at = now
        for decision in lost:
            try:
                proposal = await self._proposals.found(decision)
            except DeskAway as away:
                logger.debug("nobody says whether it was proposed", decision=decision.id, why=away.why)
                return
            if proposal is not None:
                self._store.settle(decision.id, "proposed", proposal=proposal)
                logger.info("a proposal whose answer was lost is at the desk", id=decision.id, proposal=proposal)

    # -- shadow trades ------------------------------------------------------------------------------------------

    async def _follow(self, trade: Trade, now: int) -> None:
        try:
            window = await self._bars.window(trade.symbol)
            known = followed(trade, window.minutes, window.known_until, now)
        except (ServiceRefused, BarsRefused) as error:
            logger.debug("a shadow trade waits for bars", decision=trade.decision, reason=str(error))
            return
        if known != trade:
            self._store.update(known)

    # -- decisions ----------------------------------------------------------------------------------------------

    async def _decide_newest(self, series: Series, window: Window, configured: Configured) -> None:
        """Decide upon the newest bar, unless it is old, was decided, or ended before the configuration was made.

        While feeds has not answered since its end, its last minutes may be missing: it waits, and is late in the end.
        """
        if not len(series) or self._decided.get(series.symbol) == series.starts[-1]:
            return
        bar, symbol = series.starts[-1], series.symbol
        age = self._clock().timestamp() - (bar + BAR_SECONDS)
        if age > BAR_SECONDS + LATE_SECONDS or bar + BAR_SECONDS < configured.since:
            return
        if age <= LATE_BAR_SECONDS and not is_whole(window, bar + BAR_SECONDS):
            return
        if not self._store.is_decided(symbol, bar):
            signal, desk = self._signal(series), await self._state()
            if self._store.configured() != configured:
                return  # it was switched off meanwhile, or has other limits: the next look goes by those
            self._decide(series, configured.config, signal, desk, is_late=age > LATE_BAR_SECONDS)
        self._decided[symbol] = bar

    def _decide(
        self,
        series: Series,
        config: AutoTradeConfig,
        signal: SignalResponse | ServiceRefused,
        desk: LiveDocument | None,
        *,
        is_late: bool,
    ) -> None:
        symbol, bar = series.symbol, series.starts[-1]
        situation = Situation(
            symbol=symbol,
            ends_at=bar + BAR_SECONDS,
            entry_bar=bar + BAR_SECONDS,
            config=config,
            holds_one=self._store.holds_one(symbol),
            taken=self.taken_on_day_of(bar + BAR_SECONDS),
        )
        considered = Considered(situation=situation, is_late=is_late, signal=signal, desk=desk)
        verdict = decide(considered)
        decision = self._decision(considered, verdict)
        trade = None
        if decision.result == "pending" and verdict.action != "HOLD":
            trade = opened(decision, verdict.action, next_minute(decision.decided_at))
        if self._store.add(decision, trade):
            logger.info("decided", symbol=symbol, action=decision.action, reason=decision.reason, id=decision.id)

    def _decision(self, considered: Considered, verdict: Verdict) -> Decision:
        situation, desk = considered.situation, considered.desk
        symbol, ends_at, config = situation.symbol, situation.ends_at, situation.config
        signal = considered.signal if isinstance(considered.signal, SignalResponse) else None
        result = first_result(verdict, config)
        return Decision(
            id=id_of(symbol, ends_at - BAR_SECONDS),
            symbol=symbol,
            bar=ends_at - BAR_SECONDS,
            decided_at=int(self._clock().timestamp()),
            action=verdict.action,
            confidence=None if signal is None else str(signal.confidence_score),
            reason=verdict.reason,
            reasoning=verdict.reasoning,
            signal=None if signal is None else encode(signal).decode(),
            blocked_by=verdict.blocked_by,
            mode=mode_of(config),
            env=None if desk is None else desk.desk.env,
            day=day_of(symbol, ends_at),
            result=result,
            confirm_until=ends_at + BAR_SECONDS if result == "awaiting" else None,
            risk=verdict.risk,
            quantity=verdict.quantity,
        )

    def taken_on_day_of(self, second: int) -> int:
        """Return how many trades are taken on the day of an instant: each market has its own trade date."""
        return sum(day == day_of(other, second) for other, day in self._store.taken(_earliest_day(second)))

    def _signal(self, series: Series) -> SignalResponse | ServiceRefused:
        try:
            return self._signals.signal_after(series, RR_CONFIG)
        except ServiceRefused as refused:
            return refused
        except (ValueError, ArithmeticError, LookupError):
            logger.exception("a signal could not be made", symbol=series.symbol)  # other symbols go on
            return ServiceRefused("internal_error", "it could not be made, see the log of the advisor")

    async def _state(self) -> LiveDocument | None:
        try:
            return await self._desk.state()
        except DeskAway as away:
            logger.warning("the desk does not answer auto-trade", why=away.why)
            return None


def is_whole(window: Window, ends_at: int) -> bool:
    """Return whether all minutes of a bar are there that will come: the last one, or feeds has none of it."""
    has_last = bool(window.minutes) and window.minutes[-1].t >= ends_at - MINUTE
    return has_last or window.known_until >= ends_at + SETTLES_SECONDS


def first_result(verdict: Verdict, config: AutoTradeConfig) -> Result | None:
    """Return what becomes of a decision at once. In LIVE nothing goes on without being confirmed."""
    if verdict.action == "HOLD":
        return None
    if verdict.blocked_by is not None:
        return "blocked"
    return "awaiting" if config.require_confirmation or not config.paper_trading else "pending"


def day_of(symbol: str, second: int) -> int:
    """Return the ordinal of the trade date of an instant by the calendar of a symbol."""
    return instrument_for(symbol).calendar.trade_date(datetime.fromtimestamp(second, UTC)).toordinal()


def _earliest_day(second: int) -> int:
    """Return the earliest trade date that may run in a market then: none lags behind UTC by more than a day."""
    return datetime.fromtimestamp(second, UTC).toordinal() - 1
