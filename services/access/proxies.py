"""Notice that ``TRUSTED_PROXIES`` does not fit the way on which requests come."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Literal

import structlog
from msgspec import Struct

log = structlog.get_logger(__name__)

SENTENCES = {
    "unread": (
        "TRUSTED_PROXIES is 0, but a proxy at {peer} sends X-Forwarded-For: all callers count as that one address, "
        "and https is not seen. Set it to the number of proxies"
    ),
    "missing": (
        "TRUSTED_PROXIES is {trusted}, but a request from {peer} came with fewer addresses in X-Forwarded-For: "
        "who reaches the desk directly can claim any address. Close that way, or set it to the number of proxies"
    ),
}


class Sign(Struct, frozen=True):
    """The last request that did not fit the setting, and when it came."""

    sentence: str
    at: datetime


class ProxySigns:
    """What requests say about the setting. ``trusted`` is its value. The first sign of a process is logged."""

    def __init__(self, trusted: int) -> None:
        self._trusted = trusted
        self.last: Sign | None = None

    def look(self, peer: str, forwarded: str | None) -> None:
        """Compare one request with the setting: the address of its connection, and its X-Forwarded-For."""
        if self._trusted == 0 and forwarded is not None and _is_near(peer):
            self._note("unread", peer)
        elif self._trusted > (len(forwarded.split(",")) if forwarded else 0):
            self._note("missing", peer)

    def _note(self, kind: Literal["unread", "missing"], peer: str) -> None:
        sentence = SENTENCES[kind].format(peer=peer, trusted=self._trusted)
        if self.last is None:
            log.warning("TRUSTED_PROXIES looks wrong", detail=sentence)
        self.last = Sign(sentence, datetime.now(UTC))


def _is_near(peer: str) -> bool:
    """Return whether a proxy may be there: on this machine, or in its network. A stranger's header says nothing."""
    with suppress(ValueError):
        return ip_address(peer.partition("%")[0]).is_private
    return not peer  # a socket file has no address
