"""Proposals as the desk takes and lists them (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import UNSET, Struct, UnsetType

from wire.mt4 import ProposalBrief
from wire.types import AwareTime, Price, Side

EXACT_TO = timedelta(milliseconds=1)


class Proposal(Struct, frozen=True, kw_only=True):
    """The body of ``POST /api/proposals``."""

    asset: str
    direction: Side
    entry: Price
    stop: Price
    target: Price | UnsetType = UNSET
    valid_until: AwareTime
    source: str
    reason: str


class ListedProposal(ProposalBrief, frozen=True, kw_only=True):
    """A row of ``GET /api/proposals``, as far as it is read."""

    source: str
    entry: Price


class Listed(Struct, frozen=True):
    """The answer of ``GET /api/proposals``."""

    proposals: tuple[ListedProposal, ...]


def made_by(body: bytes, rows: Sequence[ListedProposal]) -> ProposalBrief | None:
    """Return the row that was made by a body, None when none was: no two of them end at the same instant."""
    sent = msgspec.json.decode(body, type=Proposal)
    for row in rows:
        is_same = (row.asset, row.direction, row.source) == (sent.asset, sent.direction, sent.source)
        if is_same and row.entry == sent.entry and abs(row.valid_until - sent.valid_until) < EXACT_TO:
            return ProposalBrief(**{name: getattr(row, name) for name in ProposalBrief.__struct_fields__})
    return None
