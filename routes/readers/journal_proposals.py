"""The trace of proposals in the journal: how each ended, and what would have become of it."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import ConfigDict, Field

from routes.http.describing import answers
from routes.http.guards import GuardedCalls
from routes.http.parsing import AskedNumber, asks
from routes.http.replies import app_services, fresh, reply
from routes.readers.journal import Asked, Day, roll
from services.engine.model.trading_day import trading_day_of
from services.journal.trades import FIRST_DAY, LAST_DAY, span_of
from services.projections.proposals import ended_proposals
from services.views.proposal_view import trace_view
from wire.proposal_answers import ProposalTracesAnswer

journal_proposals = GuardedCalls("journal_proposals", __name__, "journal_reader")

LONGEST_PAGE = 500


class TracesAsked(Asked):
    """The trading days on which the proposals were opened, both included, and how many at most."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    from_: Day = Field(default=FIRST_DAY, alias="from")
    to: Day = LAST_DAY
    limit: Annotated[AskedNumber, Field(ge=1, le=LONGEST_PAGE)] = 100


@journal_proposals.get("/api/journal/proposals")
@answers(ProposalTracesAnswer, errors=(503,))
@asks(TracesAsked)
def show_traces(query: TracesAsked) -> Response:
    """Return the proposals that have ended, newest first, with what would have become of each."""
    rolls_at = roll()
    since, until = span_of(query.from_, query.to, rolls_at)
    found = ended_proposals(app_services().manager.store, query.limit + 1, since, until)
    of_the_days = [
        kept for kept in found if query.from_ <= trading_day_of(kept.proposal.created_at, rolls_at) <= query.to
    ]
    rows = tuple(trace_view(kept) for kept in of_the_days[: query.limit])
    return fresh(reply(ProposalTracesAnswer(proposals=rows, truncated=len(found) > query.limit)))
