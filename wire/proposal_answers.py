"""The answers of ``/api/proposals`` and ``GET /api/journal/proposals``."""

from __future__ import annotations

from typing import Annotated

from wire.answers import OkAnswer, VersionAnswer
from wire.proposals import ProposalRow, ProposalTrace
from wire.types import says


class ProposalAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The proposal as it was opened."""

    proposal: ProposalRow


class ProposalsAnswer(OkAnswer, frozen=True, kw_only=True):
    """The open proposals in the order of the assets; with ``status=all`` then those that have ended, newest first."""

    proposals: tuple[ProposalRow, ...]


class ProposalTracesAnswer(OkAnswer, frozen=True, kw_only=True):
    """The proposals that were opened on these trading days and have ended, newest first."""

    proposals: tuple[ProposalTrace, ...]
    truncated: Annotated[bool, says("there are more than were asked for")]
