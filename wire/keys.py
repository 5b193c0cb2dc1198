"""API keys as programs beside web see them: their scopes, and the answer of ``POST /api/keys/check``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from msgspec import Struct

from wire.answers import OkAnswer
from wire.types import AwareTime, says

SERVICE_HEADER = "X-Service-Secret"
"""The header in which the programs beside web show ``SERVICE_SECRET``."""

KEY_PREFIX = "lk_"
"""Every text of a key begins with it."""

Scope = Literal[
    "state:read",
    "metrics:read",
    "ws:connect",
    "prices:read",
    "states:read",
    "alerts:read",
    "candles:read",
    "journal:read",
    "events:read",
    "signals:read",
    "data:sync",
    "agent:chat",
    "agent:trade",
    "mt4:read",
    "mt4:trade",
]
SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        "state:read": "the state, its stream, events and bricks; the portfolio, and proposals",
        "metrics:read": "the figures of /metrics",
        "ws:connect": "the market WebSocket",
        "prices:read": "last prices and quotes",
        "states:read": "states and setups of TheStrat",
        "alerts:read": "alerts of TheStrat",
        "candles:read": "candles and bricks",
        "journal:read": "the journal and its statistics",
        "events:read": "committed events",
        "signals:read": "signals of strategies and of the advisor",
        "data:sync": "fetching of bars from a provider",
        "agent:chat": "the agent's answers and explanations",
        "agent:trade": "proposals, and the agent's shadow trading",
        "mt4:read": "the MT4 account: status, positions, prices",
        "mt4:trade": "connecting, trading and closing at the MT4 account",
    }
)
"""Each scope and what it opens.

None of them enters a trade at the desk. `mt4:trade` exits one by force where ``MT4_ROUTE=desk``.
"""

if frozenset(SCOPES) != frozenset(get_args(Scope)):
    raise TypeError("SCOPES must name each scope once")


class KeyCheck(OkAnswer, frozen=True, kw_only=True):
    """Whether a key opens anything, and what. A key that is unknown, revoked or malformed is not active."""

    active: bool
    id: Annotated[str | None, says("null when not active")] = None
    account: Annotated[str | None, says("whose sockets push out each other; null when not active")] = None
    scopes: Annotated[tuple[str, ...], says("may hold some that only a newer program knows")] = ()


class KeyChecks(OkAnswer, frozen=True, kw_only=True):
    """What each of several keys opens, in the order in which they were asked about."""

    keys: tuple[KeyCheck, ...]
    edition: Annotated[str | None, says("while it stays the same no key was made, changed or revoked")] = None


class KeyRow(Struct, frozen=True, kw_only=True):
    """A key that holds, without its secret."""

    id: str
    name: str
    account: str
    scopes: tuple[str, ...]
    created_at: AwareTime


class KeysAnswer(OkAnswer, frozen=True, kw_only=True):
    """The keys that hold, oldest first."""

    keys: tuple[KeyRow, ...]
    unreadable: Annotated[tuple[str, ...], says("ids of stored keys that open nothing: of a newer program, or damaged")]


class KeyMade(OkAnswer, frozen=True, kw_only=True):
    """A new key. Its text is never shown again."""

    key: KeyRow
    token: str
