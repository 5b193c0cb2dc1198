"""What was sent to MetaApi, stored before it was sent: a name that was used is looked up, and never sent again."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from advisor.mt4.file import Mt4File
from advisor.mt4.metaapi_models import ClosingSent
from advisor.mt4.result_codes import Outcome
from sidecar.problems import ServiceRefused
from wire.encoding import encode

logger = structlog.get_logger(__name__)
WHOLE, PARTIAL = "POSITION_CLOSE_ID", "POSITION_PARTIAL"
ALPHABET = string.ascii_letters + string.digits
OWN_LETTERS = 7
LONGEST = 26
"""Of comment and client id together: MetaApi keeps both in the comment of MetaTrader
(https://metaapi.cloud/docs/client/clientIdUsage/)."""

LONGEST_NAMED = LONGEST - OWN_LETTERS - len("LS__")
CLOSINGS = "client_id, account, request, sent_at, outcome, name, closed, remaining"
UNTOLD_FOR = timedelta(minutes=10)
"""So long the next closing without a name, of the same lots, is taken for the call that was not answered."""

KEPT = timedelta(days=90)
"""What became of a request is forgotten then; what nobody knows never is."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sent(Struct, frozen=True, kw_only=True):
    """A request that was sent, or was about to be."""

    client_id: str
    account: str
    request: str
    sent_at: datetime
    outcome: Outcome
    order_id: str | None
    position_id: str | None


class Closing(Struct, frozen=True, kw_only=True):
    """A closing that was sent. ``closed`` and ``remaining`` are lots, null while nobody knows them."""

    client_id: str
    account: str
    request: ClosingSent
    sent_at: datetime
    outcome: Outcome
    name: str | None
    closed: Decimal | None
    remaining: Decimal | None


def client_id_of(symbol: str, key: str | None) -> str:
    """Return ``LS_<symbol>_<7 letters>``: always the same for a caller's `key`, by chance without one."""
    plain = "".join(letter for letter in symbol if letter.isascii() and letter.isalnum())[:LONGEST_NAMED]
    if key is None:
        own = "".join(secrets.choice(ALPHABET) for _ in range(OWN_LETTERS))
    else:
        number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest())
        own = ""
        for _ in range(OWN_LETTERS):
            number, letter = divmod(number, len(ALPHABET))
            own += ALPHABET[letter]
    return f"LS_{plain}_{own}"


class SentBook:
    """The requests, in the advisor's file."""

    def __init__(self, file: Mt4File, clock: Callable[[], datetime]) -> None:
        """Keep them in `file`."""
        self._file = file
        self._clock = clock
        self.under_way: set[str] = set()
        """What is being sent now, of every connection: connecting anew does not forget it."""

        self._late: list[tuple[str, tuple[Any, ...]]] = []
        """Changes that the file did not take: tried again before anything is read of it."""

    def find(self, client_id: str) -> Sent | None:
        """Return what was sent by this name, None when nothing was."""
        with self._file.reading() as file:
            row = file.execute(
                "SELECT account, request, sent_at, outcome, order_id, position_id FROM mt4_sent WHERE client_id = ?",
                (client_id,),
            ).fetchone()
        if row is None:
            return None
        account, request, sent_at, outcome, order_id, position_id = row
        return Sent(
            client_id=client_id,
            account=account,
            request=request,
            sent_at=EPOCH + timedelta(microseconds=sent_at),
            outcome=outcome or "unknown",
            order_id=order_id,
            position_id=position_id,
        )

    def now(self) -> datetime:
        """Return the time by which requests are stored."""
        return self._clock()

    def begin(self, client_id: str, account: str, request: str, name: str | None = None) -> datetime:
        """Store a request that is about to be sent, with its caller's name, and return when that was."""
        now = self._clock()
        with self._file.writing() as file:
            file.execute("DELETE FROM mt4_sent WHERE outcome IS NOT NULL AND sent_at < ?", (_microseconds(now - KEPT),))
            file.execute(
                "INSERT INTO mt4_sent (client_id, account, request, sent_at, name) VALUES (?, ?, ?, ?, ?)",
                (client_id, account, request, _microseconds(now), name),
            )
        return now

    def end(
        self, client_id: str, outcome: Outcome, order_id: str | None = None, position_id: str | None = None
    ) -> None:
        """Store what became of it; what nobody knows stays open."""
        if outcome == "unknown":
            return
        name = ", name = NULL" if outcome == "refused" else ""  # what was refused was not done: the name is free
        self._change(
            f"UPDATE mt4_sent SET outcome = ?, order_id = ?, position_id = ?, ended_at = ?{name} WHERE client_id = ?",  # noqa: S608
            (outcome, order_id, position_id, _microseconds(self._clock()), client_id),
        )

    def forget(self, client_id: str) -> None:
        """Forget a request that was not sent after all: it may be sent another time."""
        self._change("DELETE FROM mt4_sent WHERE client_id = ?", (client_id,))

    # -- closings -----------------------------------------------------------------------------------------------

    def open_closings(self, account: str) -> list[Closing]:
        """Return the closings of an account that nobody knows the outcome of, oldest first; not those under way."""
        found = self._closings("outcome IS NULL AND account = ? ORDER BY sent_at", account)
        return [one for one in found if one.client_id not in self.under_way]

    def open_parts(self, account: str, position_id: str) -> list[Closing]:
        """Return the closings in part of a position that nobody knows the outcome of."""
        found = self._closings("outcome IS NULL AND account = ?", account)
        return [one for one in found if one.request.action_type == PARTIAL and one.request.position_id == position_id]

    def named(self, name: str) -> Closing | None:
        """Return the closing of a caller's own name, None for a new one."""
        return next(iter(self._closings("name = ?", name)), None)

    def closing(self, client_id: str) -> Closing | None:
        """Return a closing, None when it was forgotten."""
        return next(iter(self._closings("client_id = ?", client_id)), None)

    def untold(self, account: str, position_id: str, volume: Decimal) -> Closing | None:
        """Return a part that was closed without a name and that nobody has heard of, if that was found lately."""
        after = _microseconds(self._clock() - UNTOLD_FOR)
        found = self._closings("account = ? AND untold = 1 AND name IS NULL AND ended_at >= ?", account, after)
        is_it = (one for one in found if (one.request.position_id, one.request.asked) == (position_id, volume))
        return next((one for one in is_it if one.outcome == "done"), None)

    def closes(self, client_id: str, closed: Decimal | None, remaining: Decimal | None, *, is_told: bool) -> None:
        """Store that a closing was done, with what nobody knows as null."""
        self._change(
            "UPDATE mt4_sent SET outcome = 'done', closed = ?, remaining = ?, ended_at = ?, untold = ?"
            " WHERE client_id = ?",
            (_text(closed), _text(remaining), _microseconds(self._clock()), int(not is_told), client_id),
        )

    def was_not_done(self, client_id: str) -> None:
        """Store that a closing was not done after all. Its name is answered so once."""
        values = _microseconds(self._clock()), client_id
        self._change("UPDATE mt4_sent SET outcome = 'refused', ended_at = ? WHERE client_id = ?", values)

    def tells(self, client_id: str) -> None:
        """Note that what became of a closing without a name is told to somebody."""
        self._change("UPDATE mt4_sent SET untold = 0 WHERE client_id = ?", (client_id,))

    def frees(self, client_id: str) -> None:
        """Let the name of a closing that was not done be used again."""
        self._change("UPDATE mt4_sent SET name = NULL WHERE client_id = ?", (client_id,))

    def notes_held(self, client_id: str, request: ClosingSent) -> None:
        """Store what a position was seen to hold after a closing of it whose outcome nobody knows."""
        self._change("UPDATE mt4_sent SET request = ? WHERE client_id = ?", (encode(request).decode(), client_id))

    def _closings(self, which: str, *values: Any) -> list[Closing]:
        """Return closings. Of other requests ``action_type`` says that they are none."""
        self._catch_up()
        with self._file.reading() as file:
            rows = file.execute(f"SELECT {CLOSINGS} FROM mt4_sent WHERE {which}", values).fetchall()  # noqa: S608
        return [one for one in map(_closing_of, rows) if one.request.action_type in (WHOLE, PARTIAL)]

    def _change(self, statement: str, values: tuple[str | int | None, ...]) -> None:
        """Change what is stored of a request that was sent. A file that fails changes nothing of what was done.

        It is stored as soon as the file can be used. Until then, and after a restart, the request is one that nobody
        knows, and that is looked up and never sent again: the safe side.
        """
        self._late.append((statement, values))
        self._catch_up()

    def _catch_up(self) -> None:
        if not self._late:
            return
        try:
            with self._file.writing() as file:
                for statement, values in self._late:
                    file.execute(statement, values)
        except ServiceRefused as refused:
            logger.error("what became of a trade cannot be stored now: it stays open", reason=str(refused))
        else:
            self._late.clear()


def _closing_of(row: tuple[Any, ...]) -> Closing:
    client_id, account, request, sent_at, outcome, name, closed, remaining = row
    return Closing(
        client_id=client_id,
        account=account,
        request=msgspec.json.decode(request, type=ClosingSent),
        sent_at=EPOCH + timedelta(microseconds=sent_at),
        outcome=outcome or "unknown",
        name=name,
        closed=None if closed is None else Decimal(closed),
        remaining=None if remaining is None else Decimal(remaining),
    )


def _text(lots: Decimal | None) -> str | None:
    return None if lots is None else f"{lots:f}"


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)
