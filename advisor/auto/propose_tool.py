"""The one tool that tells the desk something: it proposes an entry, which only the operator's click makes.

It is there for an assistant alone that was given an API key of scope ``agent:trade``, and is called with that key: the
desk itself checks it, and says at the row who proposed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from advisor.agent.offered import schema_of
from advisor.agent.providers.provider import ToolOffered
from advisor.agent.sources import Clock, ToolRefused
from advisor.auto.proposing import MADE, PROPOSALS, Exchanging
from sidecar.keys import KeyDoor
from sidecar.web import DeskAway
from wire.auto_trade import ProposalBody
from wire.encoding import encode
from wire.keys import Scope

NAME = "propose_trade"
SCOPE: Scope = "agent:trade"
SOURCE = "assistant"
DESCRIPTION = (
    "Show the operator an entry with its stop; it orders nothing. The operator's click decides, and every gate of the "
    "desk with it. One proposal of an asset is open at a time."
)


class AskedProposal(Struct, frozen=True, forbid_unknown_fields=True):
    """What is proposed. Prices are on the asset's tick grid; the stop is no further away than the desk's own."""

    asset: str
    direction: Literal["BUY", "SELL"]
    entry: float
    stop: float
    reason: Annotated[str, Meta(min_length=1, max_length=300)]
    target: float | None = None
    minutes: Annotated[int, Meta(ge=1, le=240)] = 15


class Answered(Struct, frozen=True):
    """The desk's answer, and whether the proposal is made."""

    body: bytes
    is_made: bool


class ProposeTool:
    """Proposes with the key of an assistant."""

    offered = ToolOffered(NAME, DESCRIPTION, schema_of(AskedProposal))

    def __init__(self, web: Exchanging, keys: KeyDoor, key: str, clock: Clock) -> None:
        """Call `web`, which knows no secret, with `key`; ask `keys` what it opens."""
        self._web = web
        self._keys = keys
        self._key = key
        self._clock = clock

    async def is_there(self) -> bool:
        """Return whether the key has the scope now. While nobody can say so it has not."""
        try:
            check = await self._keys.check(self._key)
        except DeskAway:
            return False
        return check is not None and SCOPE in check.scopes

    async def call(self, arguments: dict[str, Any]) -> Answered:
        """Return what the desk says. Raises `ToolRefused` for wrong arguments, `DeskAway` without an answer.

        A refusal of the desk is what it says, too: it names the field or the code.
        """
        try:
            asked = msgspec.convert(arguments, AskedProposal)
        except msgspec.ValidationError as error:
            raise ToolRefused("invalid_arguments", f"{NAME}: {error}") from error
        body = encode(body_of(asked, self._clock()))
        status, said = await self._web.exchange("POST", PROPOSALS, body, X_API_Key=self._key)
        return Answered(said, status in MADE)


def body_of(asked: AskedProposal, now: datetime) -> ProposalBody:
    """Return what is sent to the desk."""
    return ProposalBody(
        asset=asked.asset,
        direction=asked.direction,
        entry=Decimal(repr(asked.entry)),
        stop=Decimal(repr(asked.stop)),
        target=None if asked.target is None else Decimal(repr(asked.target)),
        valid_until=(now + timedelta(minutes=asked.minutes)).astimezone(UTC),
        source=SOURCE,
        reason=asked.reason,
    )
