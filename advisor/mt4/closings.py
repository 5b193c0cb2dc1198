"""Closings that their callers have named: the same name again is answered as it was, and nothing is closed by it.

The paper account keeps a name with what it did, an account at MetaApi with what it sent; the desk's are kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import structlog
from msgspec import Struct

from advisor.mt4.account import Mt4Account
from advisor.mt4.requests import RequestBook
from advisor.mt4.sent import SentBook
from sidecar.problems import ServiceRefused
from wire.encoding import encode
from wire.mt4 import CloseAnswer

logger = structlog.get_logger(__name__)
CLOSE = "close"
"""The kind of these names."""


class _Asked(Struct, frozen=True):
    """What a name stands for."""

    account: str
    position_id: str
    volume: Decimal | None


def asked_of(account: str, position_id: str, volume: Decimal | None) -> str:
    """Return what a name of a closing stands for, as it is stored."""
    return encode(_Asked(account, position_id, volume)).decode()


class NamedClosings:
    """The names. One whose outcome nobody knows stays that, and is never sent again."""

    def __init__(self, names: RequestBook, sent: SentBook) -> None:
        """Keep those of the desk in `names`; `sent` has those of accounts at MetaApi."""
        self._names = names
        self._sent = sent
        self._under_way: dict[str, str] = {}

    async def close(self, account: Mt4Account, position_id: str, volume: Decimal | None, name: str) -> CloseAnswer:
        """Close, once for each name. Raises `ServiceRefused`; 409 for the name of another closing."""
        asked = asked_of(account.id, position_id, volume)
        under_way = self._under_way.get(name)
        if under_way is not None:
            if under_way != asked:
                raise _reused()
            raise ServiceRefused("unknown_outcome", "the closing of this name is under way: wait", reason="under_way")
        before = self._known(account, name, asked, is_whole=volume is None)
        if before is not None:
            return before
        self._under_way[name] = asked
        try:
            if account.kind == "desk":
                return await self._close_desk(account, position_id, volume, name, asked)
            return await account.close(position_id, volume, name)
        finally:
            del self._under_way[name]

    def _known(self, account: Mt4Account, name: str, asked: str, *, is_whole: bool) -> CloseAnswer | None:
        """Return what a name was answered. All of a position is closed also while the names cannot be read."""
        try:
            before = self._names.find(name)
            if before is None:
                if account.kind != "metaapi" and self._sent.named(name) is not None:
                    raise _reused()
                return None
        except ServiceRefused as refused:
            if refused.code == "not_available" and is_whole:
                return None
            raise
        return answered(before.request, before.answer, asked)

    async def _close_desk(
        self, account: Mt4Account, position_id: str, volume: Decimal | None, name: str, asked: str
    ) -> CloseAnswer:
        """Exit a trade of the desk: all of it, and that trade alone, so that twice is once."""
        self._stores(lambda: self._names.keep(name, asked))
        try:
            answer = await account.close(position_id, volume)
        except ServiceRefused as refused:
            if refused.code != "unknown_outcome":
                self._stores(lambda: self._names.forget(name))  # nothing was closed
            raise
        self._stores(lambda: self._names.answers(name, encode(answer).decode()))
        return answer

    def _stores(self, act: Callable[[], None]) -> None:
        """Store something of a name. A file that fails keeps no position from closing, and changes nothing of it."""
        try:
            act()
        except ServiceRefused as refused:
            logger.error("the name of a closing cannot be stored", reason=str(refused))


def answered(request: str, answer: str, asked: str) -> CloseAnswer:
    """Return what a name was answered. Raises `ServiceRefused`: 409 for another closing, 503 while nobody knows."""
    if request != asked:
        raise _reused()
    if not answer:
        raise ServiceRefused(
            "unknown_outcome",
            "a closing of this name was sent, and nobody knows what became of it: look at the account first",
            reason="sent_before",
        )
    return msgspec.json.decode(answer, type=CloseAnswer)


def _reused() -> ServiceRefused:
    return ServiceRefused("trade_refused", "this Idempotency-Key named another closing", reason="key_reused")
