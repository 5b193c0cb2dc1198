"""``WS :52000/connect``: one STRATEGY_SIGNAL for every change of the position, and no other message.

Contract: docs/reference/contracts/engine-signals.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import Struct
from msgspec.structs import replace

from feeds.desk import DeskPicture
from feeds.hub import Part
from feeds.signal_store import TOO_OLD, Seat, SignalStore, StoredSignal
from feeds.signals import Told, hear, tell_late, tell_ripe
from feeds.store import FeedsStore
from sidecar.keys import KeyDoor
from sidecar.local_sockets import LocalChannel, LocalClient
from sidecar.mailbox import Letter
from sidecar.use import Use
from wire.events import EventRow

logger = structlog.get_logger(__name__)


class SignalLetter(Letter, frozen=True):
    """One signal for one listener."""

    signal_id: int = 0


class Seated(Struct, frozen=True):
    """A listener's seat, what it missed, and the last signal that was sent before it took the seat."""

    seat: Seat
    missed: list[StoredSignal]
    sent_id: int


class SignalChannel(LocalChannel, Part):
    """The listeners of the engine socket."""

    query_names = frozenset({"client", "since_id"})

    def __init__(
        self,
        use: Use,
        keys: KeyDoor | None,
        store: FeedsStore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Await the listeners of before."""
        super().__init__(use, "signals:read", keys)
        self._clock = clock
        self._signals = SignalStore(store, clock())
        self._seats: dict[LocalClient, Seated] = {}
        self._desk_now: str | None = None
        self._ahead = timedelta()
        self._sent_id = self._signals.newest_id()

    # -- what the desk tells ----------------------------------------------------------------------------------------

    def on_desk(self, desk: DeskPicture) -> None:
        """Note the desk's environment, and by how much feeds' clock is ahead of the desk's."""
        told_now = None if desk.document is None else desk.document.get("now")
        if isinstance(told_now, str) and told_now != self._desk_now:
            self._desk_now = told_now
            self._ahead = self._clock() - datetime.fromisoformat(told_now)
        env = desk.settings.get("env")
        if env in ("DEMO", "LIVE") and env != self._signals.pending().env:
            self._signals.keep(replace(self._signals.pending(), env=env), (), self._clock(), self._oldest())

    def on_fact(self, event: EventRow) -> None:
        """Store the signals that are due, in the transaction of the event."""
        before = self._signals.pending()
        self._keep(before, hear(before, event, self._clock()))

    def on_facts_stored(self) -> None:
        """Send what the page made due."""
        before = self._signals.pending()
        self._keep(before, tell_ripe(before))
        self._send_new()

    def on_second(self, now: datetime) -> None:
        """Send what has waited for the end of its order long enough."""
        before = self._signals.pending()
        self._keep(before, tell_late(before, self._clock()))
        self._send_new()

    def _keep(self, before: object, told: Told) -> None:
        pending, signals = told
        if pending != before:
            self._signals.keep(pending, signals, self._clock(), self._oldest())

    def _oldest(self) -> datetime:
        """Return the desk's time before which nothing is told as new."""
        return self._clock() - self._ahead - TOO_OLD

    # -- listeners --------------------------------------------------------------------------------------------------

    def _send_new(self) -> None:
        for signal in self._signals.after(self._sent_id, self._oldest()):
            self.send_to_all(_letter(signal))
            self._sent_id = signal.id

    def refusal_of(self, query: Mapping[str, str]) -> str | None:
        """Refuse an id that cannot be read: without it, the listener would not be told what it missed."""
        since_id = query.get("since_id")
        if since_id is not None and _number(since_id) is None:
            return f"since_id must be the id of a signal, was {since_id!r:.40}"
        return super().refusal_of(query)

    def expect(self, client: LocalClient) -> None:
        """Give the listener its seat before it knows that it is connected: a kill right after that forgets nobody."""
        self._send_new()
        since_id = _number(client.query.get("since_id"))
        seat, missed = self._signals.welcome(client.name, since_id, self._clock(), self._oldest())
        self._seats[client] = Seated(seat, missed, self._sent_id)
        client.on_sent = lambda letter: self._note_told(seat, letter)

    def welcome(self, client: LocalClient) -> None:
        """Tell the listener what it has missed, and what came while it was accepted."""
        self._send_new()
        seated = self._seats[client]
        for signal in (*seated.missed, *self._signals.after(seated.sent_id, self._oldest())):
            client.send(_letter(signal))

    def farewell(self, client: LocalClient) -> None:
        """Await the listener for a while."""
        seated = self._seats.pop(client, None)
        if seated is not None:
            self._signals.leave(seated.seat, self._clock())

    def _note_told(self, seat: Seat, letter: Letter) -> None:
        if isinstance(letter, SignalLetter):
            self._signals.note_told(seat, letter.signal_id, self._clock())


def _letter(signal: StoredSignal) -> SignalLetter:
    return SignalLetter("STRATEGY_SIGNAL", signal.body.encode(), signal_id=signal.id)


def _number(text: str | None) -> int | None:
    """Return the id that a listener names; what is no number names none."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    return int(text)
