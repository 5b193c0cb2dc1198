"""One connection of the market WebSocket: its messages in order, what waits for it, and how it ends."""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import UTC, datetime

from msgspec import Struct, field

from feeds.channels.topics import (
    BREAKS,
    IN_FORCE,
    QUOTES,
    STATES,
    RequestUnreadable,
    Subscriptions,
    TopicsRequest,
    read_request,
)
from feeds.envelope import enveloped
from sidecar.mailbox import Letter, Mailbox, MailboxFull
from sidecar.sockets import FeedSocket
from sidecar.use import Use
from wire.encoding import encode
from wire.keys import KeyCheck
from wire.market import MarketError

MALFORMED_IN_A_ROW = 3
OPS = 60
OPS_SECONDS = 10.0

UNKNOWN_KEY = 4401
NOT_ENTITLED = 4403
REPLACED = 4409
MALFORMED = 1007
TOO_MANY_OPS = 1008
COME_BACK_LATER = 1013
REASONS = {
    UNKNOWN_KEY: "no API key, or an unknown one",
    NOT_ENTITLED: "the key has no scope ws:connect",
    REPLACED: "replaced by a new connection of this account",
    MALFORMED: "three malformed messages in a row",
    TOO_MANY_OPS: "too many requests",
    COME_BACK_LATER: "try again later",
}


class MarketCounts(Struct):
    """What the market WebSocket counts for the metrics."""

    conflated: int = 0
    closes: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)


class MarketSocket:
    """One open connection. Nothing here waits: what cannot be written now waits in the mailbox."""

    def __init__(self, wire: FeedSocket, check: KeyCheck, use: Use, counts: MarketCounts) -> None:
        """Belong to the account of `check`."""
        self.wire = wire
        self.account = str(check.account)
        self.scopes = frozenset(check.scopes)
        self.subscriptions = Subscriptions()
        self._use = use
        self._counts = counts
        self._mailbox = Mailbox()
        self._sequence = 0
        self._malformed = 0
        self._ops: deque[float] = deque(maxlen=OPS)
        wire.on_writable = self._go_on

    def push(self, letter: Letter) -> None:
        """Send an event, or let it wait for a slow reader. Close 1013 when alerts alone are too many."""
        if not self.wire.is_open:
            return
        if self.wire.is_writable and not len(self._mailbox):
            self._send(letter)
            return
        before = self._mailbox.conflated
        try:
            self._mailbox.put(letter)
        except MailboxFull:
            self.close(COME_BACK_LATER)
        self._counts.conflated += self._mailbox.conflated - before

    def forget_unwanted(self) -> None:
        """Drop what waits of subscriptions that have ended."""
        self._mailbox.keep(self._is_wanted)

    def _is_wanted(self, letter: Letter) -> bool:
        match letter.type, letter.subject:
            case "quote", (_, str(symbol)):
                return self.subscriptions.hears(QUOTES, symbol)
            case "state", (_, str(symbol)):
                return self.subscriptions.hears(STATES, symbol)
            case "alert.in_force", _:
                return self.subscriptions.hears(IN_FORCE)
            case "alert.simultaneous_break", _:
                return self.subscriptions.hears(BREAKS)
            case _:
                return True

    def close(self, code: int) -> None:
        """Close with a code. Nothing happens when it is closing already."""
        self.wire.close_with(code, REASONS[code])

    def read(self, text: str | None) -> TopicsRequest | None:
        """Read a message of the client, None for one that was answered with an error or ended the connection."""
        if self._is_flooding():
            self.close(TOO_MANY_OPS)
            return None
        try:
            request = read_request(text)
        except RequestUnreadable as error:
            self._malformed += 1
            self.push(Letter("error", encode(MarketError(code=error.code, message=str(error)))))
            if self._malformed >= MALFORMED_IN_A_ROW:
                self.close(MALFORMED)
            return None
        self._malformed = 0
        return request

    def _is_flooding(self) -> bool:
        now = time.monotonic()
        is_full = len(self._ops) == OPS and now - self._ops[0] < OPS_SECONDS
        self._ops.append(now)
        return is_full

    def _go_on(self) -> None:
        """Send what waits, as far as the reader takes it."""
        while len(self._mailbox) and self.wire.is_writable and self.wire.is_open:
            self._send(self._mailbox.take())

    def _send(self, letter: Letter) -> None:
        self._sequence += 1
        self.wire.write_text(enveloped(letter.type, self._sequence, letter.body, datetime.now(UTC)))
        self._use.note_sent()
