"""What callers may tell auto-trade: its configuration, and yes or no to a decision that waits.

A yes is a shadow trade in paper mode. In LIVE it is a proposal at the desk: there the operator's click decides, and
all gates with it. The desk is asked anew for every yes. That a proposal is asked for is stored before it is sent: from
then on the same yes asks for the same proposal, and neither a gate nor a no can make the record say that there is none.
"""

from __future__ import annotations

from typing import NoReturn

import structlog
from msgspec.structs import replace

from advisor.auto.book import BAR_SECONDS, RR_CONFIG, TIMEFRAME, Decision, Trade, next_minute, opened
from advisor.auto.configuration import checked, on_the_desk
from advisor.auto.policy import Situation, fresh_price, frozen_by, is_over, limits_of, mode_of
from advisor.auto.proposing import NotSent, ProposalRefused, Proposer
from advisor.auto.results import results_of
from advisor.auto.rows import last_of, row_of, signal_in
from advisor.auto.store import AutoStore, Configured
from advisor.auto.trader import AutoTrader, Clock, Desk
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from sidecar.web import DeskAway
from wire.auto_trade import AutoResults, AutoStatus, AutoTradeBody, AutoTradeConfig, DecisionRow, Result
from wire.state import LiveDocument
from wire.types import Side

logger = structlog.get_logger(__name__)

CONFIRMED = frozenset({"pending", "tp", "sl", "timeout", "unknown", "proposed"})


class AutoControl:
    """Every call raises `ServiceRefused`; what is refused changes nothing, unless it says so."""

    def __init__(self, store: AutoStore, trader: AutoTrader, desk: Desk, proposer: Proposer, clock: Clock) -> None:
        """Control `trader`; ask `desk`, and propose by `proposer` in LIVE."""
        self._store = store
        self._trader = trader
        self._desk = desk
        self._proposer = proposer
        self._clock = clock
        self._results: tuple[int, AutoResults] | None = None
        self._arrivals = 0
        self._stored_arrival = 0
        self._asked_again: set[str] = set()
        """The decisions whose proposal was asked for twice: that one call reached nobody says nothing of the other."""

    # -- configuration ------------------------------------------------------------------------------------------

    def arrival(self) -> int:
        """Number a call to `configure` as it arrives, before anything is waited for."""
        self._arrivals += 1
        return self._arrivals

    async def configure(self, body: AutoTradeBody, arrival: int) -> AutoTradeConfig:
        """Store a configuration. Off is always possible; on needs a desk that answers.

        The word that came last counts: one that waited for the desk while a later one was stored is refused (409).
        """
        config = checked(body)
        if config.enabled:
            on_the_desk(config, await self._state())
        if arrival < self._stored_arrival:
            raise ServiceRefused("already_decided", "a configuration that came after this one is stored")
        before = self._store.configured()
        goes_on = before is not None and before.config.enabled and config.enabled
        self._store.configure(Configured(config, before.since if before is not None and goes_on else self._now()))
        self._stored_arrival = arrival
        logger.info("auto-trade is configured", enabled=config.enabled, mode=mode_of(config))
        return config

    def status(self) -> AutoStatus:
        """Return how auto-trade is."""
        configured = self._store.configured()
        newest = self._store.decisions(1)
        now = self._now()
        return AutoStatus(
            enabled=configured is not None and configured.config.enabled,
            mode="paper" if configured is None else mode_of(configured.config),
            trades_today=self._trader.taken_on_day_of(now),
            last_decision=last_of(newest[0]) if newest else None,
            timeframe=TIMEFRAME,
            rr_config=RR_CONFIG,
            config=None if configured is None else configured.config,
            awaiting=sum(now < (one.confirm_until or 0) for one in self._store.awaiting()),
            results=self._all_results(),
        )

    def decisions(self, limit: int, symbol: str | None) -> tuple[DecisionRow, ...]:
        """Return the newest decisions, newest first."""
        found = self._store.decisions(limit, symbol)
        trades = self._store.trades_of([one.id for one in found])
        return tuple(row_of(one, trades.get(one.id)) for one in found)

    def _all_results(self) -> AutoResults:
        if self._results is None or self._results[0] != self._store.edition:
            edition = self._store.edition
            self._results = edition, results_of(self._store.trades())
        return self._results[1]

    # -- yes and no ---------------------------------------------------------------------------------------------

    async def confirm(self, name: str) -> DecisionRow:
        """Say yes. Saying it again answers the same. A gate that has closed meanwhile ends the decision (409).

        Said again of a proposal whose answer was lost it looks for that one, and makes it once.
        """
        decision = self._known(name)
        if decision.result in CONFIRMED and decision.confirm_until is not None:
            return self._row(name)
        if decision.result != "proposing":
            self._must_wait(decision)
        desk = await self._state()
        if frozen_by(desk) is not None:
            raise ServiceRefused("web_away", "the desk takes no decision now", RETRY_SECONDS)
        if decision.result == "proposing":
            return await self._propose_again(name, desk)
        decision = self._known(name)
        self._must_wait(decision)
        if decision.mode == "proposals":
            self._allowed(decision, desk, decision.ends_at)
            self._entry_must_be_ahead(decision, desk)
            self._end(decision, "proposing")
            return await self._propose(decision, is_first=True)
        begins = next_minute(self._now())
        quantity = self._allowed(decision, desk, begins // BAR_SECONDS * BAR_SECONDS)
        trade = opened(replace(decision, quantity=quantity), side_of(decision), begins)
        self._end(decision, "pending", trade=trade)
        return self._row(name)

    def reject(self, name: str) -> DecisionRow:
        """Say no. Saying it again answers the same."""
        decision = self._known(name)
        if decision.result != "rejected":
            self._must_wait(decision)
            self._end(decision, "rejected")
        return self._row(name)

    async def _propose(self, decision: Decision, *, is_first: bool) -> DecisionRow:
        """Open the proposal. Without an answer the decision stays `proposing`.

        When the first call has surely reached nobody, and no other was sent meanwhile, it waits for a yes as before.
        """
        if not is_first:
            self._asked_again.add(decision.id)
        try:
            proposal = await self._proposer.propose(decision)
        except ProposalRefused as refused:
            self._store.settle(decision.id, "blocked", blocked_by=refused.code)
            raise ServiceRefused("proposal_refused", f"{refused}; the decision has ended") from refused
        except NotSent as away:
            if is_first and decision.id not in self._asked_again:
                self._store.wait_again(decision.id)
            raise ServiceRefused(
                "web_away", "the desk did not take the proposal: confirm again", RETRY_SECONDS
            ) from away
        except DeskAway as away:
            raise ServiceRefused(
                "web_away", "the desk did not answer the proposal: confirm again, it is made once", RETRY_SECONDS
            ) from away
        self._store.settle(decision.id, "proposed", proposal=proposal)
        self._asked_again.discard(decision.id)
        return self._row(decision.id)

    async def _propose_again(self, name: str, desk: LiveDocument) -> DecisionRow:
        """Look for a proposal whose answer was lost, and ask for it under its name once more.

        Where it is found no gate is asked: it may have been taken, which closes them. Where the desk has none it would
        be made now, so what refuses it now refuses it. That ends nothing: the first call may still be on its way.
        """
        await self.settle(self._known(name))
        decision = self._known(name)
        if decision.result != "proposing":
            return self._row(name)
        configured = self._store.configured()
        if configured is None or is_off(configured, decision) or desk.desk.env != "LIVE":
            raise ServiceRefused(
                "blocked", "auto-trade is off or the desk is not LIVE: its proposals tell whether this one was opened"
            )
        self._allowed(decision, desk, decision.ends_at)
        self._entry_must_be_ahead(decision, desk)
        return await self._propose(decision, is_first=False)

    async def settle(self, decision: Decision) -> None:
        """Record a proposal that the desk has although nobody was told. Raises `ServiceRefused`."""
        try:
            proposal = await self._proposer.found(decision)
        except DeskAway as away:
            raise ServiceRefused(
                "web_away", "the desk does not say whether it has the proposal", RETRY_SECONDS
            ) from away
        if proposal is not None:
            self._store.settle(decision.id, "proposed", proposal=proposal)

    def _entry_must_be_ahead(self, decision: Decision, desk: LiveDocument) -> None:
        """Ask for a fresh price, which must not have reached the signal's stop or target: a click buys at the market.

        Ends a decision whose entry is past, and raises.
        """
        price = fresh_price(desk, decision.symbol)
        if price is None:
            raise ServiceRefused("no_price", f"the desk knows no fresh price of {decision.symbol}", RETRY_SECONDS)
        if decision.signal is not None and is_over(signal_in(decision.signal), price):
            self._block(decision, "setup_over")

    def _allowed(self, decision: Decision, desk: LiveDocument, entry_bar: int) -> int:
        """Return how many contracts may be traded now. Ends a decision that may not be any more, and raises."""
        configured = self._store.configured()
        if configured is None or decision.risk is None:
            raise ServiceRefused("not_available", "auto-trade was not configured")
        situation = Situation(
            symbol=decision.symbol,
            ends_at=decision.ends_at,
            entry_bar=entry_bar,
            config=configured.config,
            holds_one=self._store.holds_one(decision.symbol),
            taken=self._trader.taken_on_day_of(decision.ends_at) - 1,  # it has a place itself
        )
        limits = limits_of(situation, desk, side_of(decision), decision.risk)
        blocked_by = "configuration" if is_off(configured, decision) else limits.blocked_by
        if blocked_by is not None:
            self._block(decision, blocked_by)
        return limits.quantity

    def _block(self, decision: Decision, blocked_by: str) -> NoReturn:
        """End a decision that may not be a trade any more, and raise. One that may have been proposed goes on."""
        if decision.result == "proposing":
            raise ServiceRefused("blocked", f"{blocked_by} keeps it from being proposed now")
        self._end(decision, "blocked", blocked_by=blocked_by)
        raise ServiceRefused("blocked", f"{blocked_by} keeps it from being a trade; the decision has ended")

    # -- the store ----------------------------------------------------------------------------------------------

    def _known(self, name: str) -> Decision:
        """Return a decision, expired when its time is over."""
        self._store.expire(self._now())
        decision = self._store.decision(name)
        if decision is None:
            raise ServiceRefused("unknown_decision", f"{name[:40]!r} is no decision")
        return decision

    def _must_wait(self, decision: Decision) -> None:
        if decision.result == "expired":
            raise ServiceRefused("expired", "nobody confirmed it in time")
        if decision.result == "proposing":
            raise ServiceRefused(
                "already_decided", "its proposal was asked for: confirm again to learn what became of it"
            )
        if decision.result != "awaiting":
            said = "it was a HOLD" if decision.result is None else f"it is {decision.result}"
            raise ServiceRefused("already_decided", f"it does not wait for an answer: {said}")

    def _end(
        self,
        decision: Decision,
        result: Result,
        trade: Trade | None = None,
        blocked_by: str | None = None,
    ) -> None:
        """End the wait; somebody else may have ended it while the desk was asked, and that stands."""
        if not self._store.end_awaiting(decision.id, result, trade=trade, blocked_by=blocked_by):
            raise ServiceRefused("already_decided", "it has been answered meanwhile")

    def _row(self, name: str) -> DecisionRow:
        return row_of(self._known(name), self._store.trades_of([name]).get(name))

    async def _state(self) -> LiveDocument:
        try:
            return await self._desk.state()
        except DeskAway as away:
            raise ServiceRefused("web_away", "the desk does not answer", RETRY_SECONDS) from away

    def _now(self) -> int:
        return int(self._clock().timestamp())


def is_off(configured: Configured, decision: Decision) -> bool:
    """Return whether a decision belongs to what is switched off now, or to another mode."""
    return not configured.config.enabled or mode_of(configured.config) != decision.mode


def side_of(decision: Decision) -> Side:
    """Return the side of a decision that is a trade."""
    if decision.action == "HOLD":
        raise ValueError(f"{decision.id} was no trade")
    return decision.action
