"""Opens a proposal at the desk, and looks whether it is there.

Opening it is the one call by which auto-trade tells the desk anything, and in LIVE alone.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import Struct

from advisor.auto.book import Decision
from advisor.auto.rows import instant_of, signal_in
from sidecar.web import DeskAway, EventsGone
from wire.auto_trade import ProposalBody
from wire.encoding import encode
from wire.types import Instant, Side

PROPOSALS = "/api/proposals"
ANSWER_SECONDS = 4.0
SOURCE = "auto-trade"
LONGEST_REASON = 300
MADE = {200, 201}
BUSY = 429
LONGEST_PAGE = 500
NEVER_ARRIVED = {"unreachable", "refused"}


class Exchanging(Protocol):
    """Calls web: `sidecar.web.WebClient`."""

    async def get(self, path: str, answer_seconds: float = ..., **query: str | int) -> bytes:
        """Return the body of an answer. Raises `DeskAway`, `EventsGone`."""

    async def exchange(
        self, method: str, path: str, body: bytes | None = ..., answer_seconds: float = ..., **headers: str
    ) -> tuple[int, bytes]:
        """Return status and body of an answer. Raises `DeskAway`."""


class NotSent(DeskAway):
    """This call has reached nobody who could have made the proposal."""


class ProposalRefused(Exception):
    """The desk refuses the proposal; ``code`` says why."""

    def __init__(self, code: str) -> None:
        """Name the code of the desk."""
        super().__init__(f"the desk refuses the proposal: {code}")
        self.code = code


class _Proposal(Struct):
    id: str


class _Listed(Struct):
    """What is read of a row of the desk's list."""

    id: str
    asset: str
    direction: Side
    valid_until: Instant
    source: str
    proposer: str
    created_at: Instant


class _List(Struct):
    proposals: list[_Listed]


class _Made(Struct):
    proposal: _Proposal


class _Refused(Struct):
    code: str


class Proposer:
    """Proposes decisions. The same decision twice is one proposal: its id is the key."""

    def __init__(self, web: Exchanging) -> None:
        """Call `web`."""
        self._web = web

    async def found(self, decision: Decision) -> str | None:
        """Return the id of the proposal of a decision when the desk has it, open or ended; None when it has none.

        Raises `DeskAway` also when the list does not reach back to when the decision was made: it proves nothing.
        """
        try:
            body = await self._web.get(PROPOSALS, ANSWER_SECONDS, status="all", limit=LONGEST_PAGE)
        except EventsGone as error:
            raise DeskAway("failing", "web answers its list of proposals with 410") from error
        try:
            rows = msgspec.json.decode(body, type=_List).proposals
        except msgspec.DecodeError as error:
            raise DeskAway("failing", "web's list of proposals cannot be read") from error
        wanted = (SOURCE, "service", decision.symbol, decision.action, decision.confirm_until)
        for row in rows:
            if (row.source, row.proposer, row.asset, row.direction, row.valid_until.timestamp()) == wanted:
                return row.id
        if len(rows) >= LONGEST_PAGE and min(row.created_at for row in rows).timestamp() >= decision.decided_at:
            raise DeskAway("failing", "web's list of proposals is longer than a page")
        return None

    async def propose(self, decision: Decision) -> str:
        """Return the id of the proposal. Raises `ProposalRefused`, `NotSent`; `DeskAway` when nobody knows of it."""
        try:
            status, body = await self._web.exchange(
                "POST", PROPOSALS, encode(body_of(decision)), ANSWER_SECONDS, Idempotency_Key=decision.id
            )
        except DeskAway as away:
            if away.why in NEVER_ARRIVED:
                raise NotSent(away.why, str(away)) from away
            raise
        if status == BUSY:
            raise NotSent("failing", "web takes no further call now, and has not looked at the proposal")
        try:
            if status in MADE:
                return msgspec.json.decode(body, type=_Made).proposal.id
            code = msgspec.json.decode(body, type=_Refused).code
        except msgspec.DecodeError as error:
            raise DeskAway("failing", f"web answers a proposal with {status} and what cannot be read") from error
        raise ProposalRefused(code)


def body_of(decision: Decision) -> ProposalBody:
    """Return what is proposed: the signal's trade, for as long as the decision may be confirmed."""
    if decision.signal is None or decision.action == "HOLD" or decision.confirm_until is None:
        raise ValueError(f"{decision.id} was no trade")
    signal = signal_in(decision.signal)
    return ProposalBody(
        asset=decision.symbol,
        direction=decision.action,
        entry=signal.entry_price,
        stop=signal.stop_loss,
        target=signal.take_profit,
        valid_until=instant_of(decision.confirm_until),
        source=SOURCE,
        reason=decision.reasoning[:LONGEST_REASON],
    )
