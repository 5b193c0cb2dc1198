"""The commands about proposals (SPEC 4). The click that takes one is an ``EnterMarket`` that names it."""

from __future__ import annotations

from typing import ClassVar

from services.engine.model.command import Command, Origin
from wire.types import Instant, Price, Proposer, Side


class OpenProposal(Command, frozen=True, tag="OpenProposal"):
    """A program suggests an entry. ``proposer`` is the kind of caller, ``source`` the name that it gives itself.

    ``key`` is the id of the API key that it came with, None of a program beside web.
    """

    origin: ClassVar[Origin] = "service"
    asset: str
    direction: Side
    entry: Price
    stop: Price
    valid_until: Instant
    source: str
    reason: str
    proposer: Proposer
    target: Price | None = None
    key: str | None = None


class WithdrawProposal(Command, frozen=True, tag="WithdrawProposal"):
    """The program that opened a proposal takes it back."""

    origin: ClassVar[Origin] = "service"
    proposal: str
    source: str
    proposer: Proposer


class DismissProposal(Command, frozen=True, tag="DismissProposal"):
    """The operator puts a proposal aside."""

    origin: ClassVar[Origin] = "operator"
    proposal: str


OfProposals = OpenProposal | WithdrawProposal | DismissProposal
