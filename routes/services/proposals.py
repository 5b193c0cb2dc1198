"""Proposals of programs: opened and withdrawn here. The operator takes one by a click, in ``routes/operator``."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routes.http.describing import answers, takes_header
from routes.http.guards import caller_key, guarded_by
from routes.http.idempotency import LONGEST_KEY, idempotency_key
from routes.http.parsing import AskedNumber, AssetBody, ExactMoment, Money, accepts, asks
from routes.http.replies import answer, app_services, fresh, reply
from routes.services import service_calls
from services.engine.model.proposal_commands import OpenProposal, WithdrawProposal
from services.engine.model.replies import ProposalTaken
from services.engine.rules.proposals import size_of
from services.projections.proposals import ended_proposals
from services.views.proposal_view import ended_view, proposal_view
from wire.answers import VersionAnswer
from wire.proposal_answers import ProposalAnswer, ProposalsAnswer
from wire.types import Proposer

proposals = service_calls("proposals", __name__)

LONGEST_PAGE = 500
LONGEST_REASON = 300
MARKS_ON_A_LETTER = 2  # more of them stack into the lines above and below
UNSEEN = re.compile(  # printable for Python, and drawn as nothing (default-ignorable in Unicode, and the blank Braille)
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
SOURCE = r"^[a-z0-9_.:-]{1,40}$"


def _readable(text: str) -> str:
    """Return the text in its composed form. It stands above the price of a click: nothing in it may hide or overlap."""
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable() or not text.strip() or len(text) > LONGEST_REASON:
        raise ValueError(f"must be one line of printable text of at most {LONGEST_REASON} characters")
    if UNSEEN.search(text):
        raise ValueError("must not have characters that nobody can see")
    marks = "".join("M" if unicodedata.category(letter).startswith("M") else "." for letter in text)
    if "M" * (MARKS_ON_A_LETTER + 1) in marks:
        raise ValueError(f"must have at most {MARKS_ON_A_LETTER} marks on a letter")
    return text


Source = Annotated[str, Field(pattern=SOURCE, examples=["auto"])]


class ProposalBody(AssetBody):
    """``POST /api/proposals``: an entry that a program suggests."""

    direction: Literal["BUY", "SELL"]
    entry: Money = Field(description="a price on the asset's tick grid, like stop and target", examples=[5250.25])
    stop: Money = Field(description="on the losing side of entry, no further away than the desk's own stop")
    target: Money | None = Field(default=None, description="on the winning side of entry")
    valid_until: ExactMoment = Field(
        description="ahead of the desk's time, by 4 h at most", examples=["2026-01-15T14:30:00Z"]
    )
    source: Source = Field(description="the name that the program gives itself")
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), AfterValidator(_readable)] = Field(
        description="why, in one line for the operator"
    )


class ProposalsAsked(BaseModel):
    """Which proposals, and how many at most."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "all"] = "open"
    limit: Annotated[AskedNumber, Field(ge=1, le=LONGEST_PAGE)] = 100


class WithdrawAsked(BaseModel):
    """Whose proposal it is: the ``source`` that it was opened with."""

    model_config = ConfigDict(extra="forbid")

    source: Source


@proposals.post("/api/proposals")
@guarded_by("proposer")
@answers(ProposalAnswer, 201, errors=(409, 422))
@takes_header("Idempotency-Key", "the same key of the same caller answers the first result again for 24 h", LONGEST_KEY)
@accepts(ProposalBody)
def open_proposal(body: ProposalBody) -> Response:
    """Show the operator an entry; it changes no gate, no lock and no order, and ends at `valid_until`."""
    command = OpenProposal(
        asset=body.asset,
        direction=body.direction,
        entry=body.entry,
        stop=body.stop,
        target=body.target,
        valid_until=body.valid_until,
        source=body.source,
        reason=body.reason,
        proposer=_proposer(),
        key=_key_id(),
    )
    outcome = app_services().manager.submit(command, _own_key())
    taken = outcome.answer
    if not isinstance(taken, ProposalTaken):
        return answer(outcome, VersionAnswer(version=outcome.version))
    row = proposal_view(taken.proposal, taken.size)
    return reply(ProposalAnswer(version=outcome.version, proposal=row), 201)


@proposals.get("/api/proposals")
@guarded_by("proposals_reader")
@answers(ProposalsAnswer, errors=(503,))
@asks(ProposalsAsked)
def show_proposals(query: ProposalsAsked) -> Response:
    """Return the open proposals, and with `status=all` those that have ended, newest first."""
    manager = app_services().manager
    desk = manager.snapshot.desk
    held = (asset.proposal for asset in desk.assets.values())
    rows = [proposal_view(proposal, size_of(proposal, desk.rules)) for proposal in held if proposal is not None]
    if query.status == "all" and len(rows) < query.limit:
        rows += [ended_view(kept) for kept in ended_proposals(manager.store, query.limit - len(rows))]
    return fresh(reply(ProposalsAnswer(proposals=tuple(rows[: query.limit]))))


@proposals.delete("/api/proposals/<proposal_id>")
@guarded_by("proposer")
@answers(VersionAnswer, errors=(409,))
@asks(WithdrawAsked)
def withdraw_proposal(query: WithdrawAsked, proposal_id: str) -> Response:
    """Withdraw an open proposal. Only the kind of caller and the source that opened it may."""
    outcome = app_services().manager.submit(WithdrawProposal(proposal_id, query.source, _proposer()))
    return answer(outcome, VersionAnswer(version=outcome.version))


def _proposer() -> Proposer:
    return "service" if caller_key() is None else "key"


def _key_id() -> str | None:
    key = caller_key()
    return None if key is None else key.id


def _own_key() -> str | None:
    """Return the caller's Idempotency-Key as its own: no program may use up the key of the operator's click."""
    key = idempotency_key()
    caller = caller_key()
    return None if key is None else f"proposal of {'a service' if caller is None else caller.id}: {key}"
