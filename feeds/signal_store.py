"""The stored signals, who was told which, and what still waits (tables of ``schema.sql``).

A signal is stored in the transaction that takes in its event, and sent after the commit. What was sent is noted after
the sending: a kill between the two sends it again under the same id, it never loses it.

A listener has a seat: a name, and the last signal it was told. Whoever comes back under its name is told what happened
meanwhile: within ``WAITS`` all of it, later what has not waited longer than that. All seats count as left at the moment
when feeds are started again. Nothing older than ``TOO_OLD`` is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from feeds.signals import PendingFills
from feeds.store import FeedsStore
from wire.encoding import encode
from wire.signals import StrategySignal

WAITS = timedelta(seconds=30)
TOO_OLD = timedelta(minutes=5)
MOST_SEATS = 256

_pending = msgspec.json.Decoder(PendingFills)


class StoredSignal(Struct, frozen=True):
    """One signal as it is sent."""

    id: int
    body: str


class Seat(Struct, frozen=True):
    """The place of a listener that is connected."""

    id: int
    name: str


class _LeftSeat(Struct, frozen=True):
    id: int
    told_id: int
    left_at: str


class SignalStore:
    """What is stored of the signals. Instants are of feeds' clock where they say ``now``, else of the desk's."""

    def __init__(self, store: FeedsStore, now: datetime) -> None:
        """Await every listener of before: the port opens now."""
        self._store = store
        with store.transaction() as connection:
            connection.execute("UPDATE signal_seats SET left_at = ? WHERE left_at IS NULL", (_text(now),))

    # -- taking in ----------------------------------------------------------------------------------------------

    def pending(self) -> PendingFills:
        """Return the fills that no signal has told yet."""
        found = self._store.rows("SELECT body FROM pending_fills")
        return _pending.decode(found[0][0]) if found else PendingFills()

    def keep(self, pending: PendingFills, signals: Iterable[StrategySignal], now: datetime, oldest: datetime) -> None:
        """Store the pending and new signals; those that the desk recorded before ``oldest`` are never told."""
        waits_until = _text(now + WAITS)
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pending_fills (one, body) VALUES (1, ?)", (encode(pending).decode(),)
            )
            for signal in signals:
                if signal.ts >= oldest:
                    connection.execute(
                        "INSERT INTO signals (id, at, waits_until, body) VALUES (?, ?, ?, ?)",
                        (signal.id, _text(signal.ts), waits_until, encode(signal).decode()),
                    )

    # -- telling ------------------------------------------------------------------------------------------------

    def after(self, told_id: int, oldest: datetime) -> list[StoredSignal]:
        """Return the signals with an id above ``told_id``, oldest first, none from before ``oldest``."""
        sql = "SELECT id, body FROM signals WHERE id > ? AND at >= ? ORDER BY id"
        return [StoredSignal(*row) for row in self._store.rows(sql, (told_id, _text(oldest)))]

    def welcome(
        self, name: str, since_id: int | None, now: datetime, oldest: datetime
    ) -> tuple[Seat, list[StoredSignal]]:
        """Give a listener its seat, and return what it is told first.

        With ``since_id`` it says itself what it was told last. Without, it is told what its seat missed; somebody new
        is told what nobody has heard and what still waits for a first listener.
        """
        with self._store.transaction():
            seat = self._seat_left_by(name, now)
            if since_id is not None:
                told_id = since_id if since_id <= self.newest_id() else 0  # an id of another file says nothing here
                signals = self.after(told_id, oldest)
            elif seat is None:
                signals = self._waiting("told_at IS NULL", 0, now, oldest)
            elif seat.left_at > _text(now - WAITS):
                signals = self.after(seat.told_id, oldest)
            else:
                signals = self._waiting("id > ?", seat.told_id, now, oldest)
            told_id = signals[0].id - 1 if signals else self.newest_id()
            return self._sit_down(name, seat, told_id, now), signals

    def _waiting(self, which: str, told_id: int, now: datetime, oldest: datetime) -> list[StoredSignal]:
        sql = f"SELECT id, body FROM signals WHERE {which} AND waits_until > ? AND at >= ? ORDER BY id"  # noqa: S608 - ours
        given = ((told_id,) if "?" in which else ()) + (_text(now), _text(oldest))
        return [StoredSignal(*row) for row in self._store.rows(sql, given)]

    def newest_id(self) -> int:
        """Return the id of the newest signal, 0 before the first."""
        return self.pending().last_id

    def note_told(self, seat: Seat, signal_id: int, now: datetime) -> None:
        """Note that the listener on this seat was sent the signal."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE signals SET told_at = ? WHERE id = ? AND told_at IS NULL", (_text(now), signal_id)
            )
            connection.execute("UPDATE signal_seats SET told_id = max(told_id, ?) WHERE id = ?", (signal_id, seat.id))

    # -- seats --------------------------------------------------------------------------------------------------

    def leave(self, seat: Seat, now: datetime) -> None:
        """Note that the listener has left; it is awaited for a while."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE signal_seats SET left_at = ? WHERE id = ?", (_text(now), seat.id))

    def _seat_left_by(self, name: str, now: datetime) -> _LeftSeat | None:
        """Return the seat that a listener of this name left, None when none is awaited.

        When several of one name left, nobody can say which of them comes: all of them are told from the earliest on. So
        a signal may come twice to one of them, under the same id, and none is missed.
        """
        sql = "SELECT id, told_id, left_at FROM signal_seats WHERE name = ? AND left_at > ? ORDER BY told_id, id"
        found = [_LeftSeat(*row) for row in self._store.rows(sql, (name, _text(now - TOO_OLD)))]
        if not found:
            return None
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE signal_seats SET told_id = ? WHERE id = ?", [(found[0].told_id, other.id) for other in found]
            )
        return found[0]

    def _sit_down(self, name: str, left: _LeftSeat | None, told_id: int, now: datetime) -> Seat:
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM signal_seats WHERE left_at <= ?", (_text(now - TOO_OLD),))
            if left is not None:
                connection.execute(
                    "UPDATE signal_seats SET told_id = ?, left_at = NULL WHERE id = ?", (told_id, left.id)
                )
                return Seat(left.id, name)
            taken = connection.execute("INSERT INTO signal_seats (name, told_id) VALUES (?, ?)", (name, told_id))
            number = taken.lastrowid or 0
            connection.execute("DELETE FROM signal_seats WHERE left_at IS NOT NULL AND id <= ?", (number - MOST_SEATS,))
            return Seat(number, name)


def _text(at: datetime) -> str:
    """Return an instant as text whose order is that of time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
