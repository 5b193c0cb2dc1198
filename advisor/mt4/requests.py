"""What the callers' own names stand for, and what they were answered: empty while nobody knows it. Of trades on the
desk's route there is also the body, which is sent again as it was.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from advisor.mt4.file import Mt4File
from advisor.mt4.prices import utc_now

KEPT = 2_000
"""Names of one kind and one caller; those without an answer are kept as long as they have none."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OF_KEY = re.compile(r"([0-9a-f]{8})\.[0-9a-f]{32}")
"""A name that `sidecar.mt4_keys` has made: its first part is of the key."""


class Kept(Struct, frozen=True):
    """What is stored of a name."""

    request: str
    answer: str
    body: str | None
    kept_at: datetime


class RequestBook:
    """The names of one kind, in the advisor's file. Every call raises `ServiceRefused` (503) while that fails."""

    def __init__(self, file: Mt4File, kind: str, clock: Callable[[], datetime] = utc_now) -> None:
        """Keep them in `file`. Names of another `kind` are others."""
        self._file = file
        self._kind = kind
        self._clock = clock

    def find(self, name: str) -> Kept | None:
        """Return what is stored of a name, None for a new one."""
        with self._file.reading() as file:
            row = file.execute(
                "SELECT request, answer, body, kept_at FROM mt4_requests WHERE name = ?", (_key_of(self._kind, name),)
            ).fetchone()
        if row is None:
            return None
        return Kept(str(row[0]), str(row[1]), row[2], EPOCH + timedelta(microseconds=row[3]))

    def keep(self, name: str, asked: str, body: str | None = None) -> None:
        """Store what is about to be sent."""
        with self._file.writing() as file:
            at = (self._clock() - EPOCH) // timedelta(microseconds=1)
            file.execute(
                "INSERT INTO mt4_requests (name, request, answer, owner, body, kept_at) VALUES (?, ?, '', ?, ?, ?)",
                (_key_of(self._kind, name), asked, owner_of(self._kind, name), body, at),
            )

    def answers(self, name: str, answer: str) -> None:
        """Store what a name was answered; the oldest of its owner are forgotten."""
        with self._file.writing() as file:
            row = (answer, _key_of(self._kind, name))
            file.execute("UPDATE mt4_requests SET answer = ? WHERE name = ?", row)
            forget_oldest(file, owner_of(self._kind, name))

    def forget(self, name: str) -> None:
        """Forget a name of which nothing was done: it may be used again."""
        with self._file.writing() as file:
            file.execute("DELETE FROM mt4_requests WHERE name = ?", (_key_of(self._kind, name),))


def keep_answered(file: sqlite3.Connection, kind: str, name: str, asked: str, answer: str) -> None:
    """Store a name and its answer within a transaction that does what was asked."""
    owner = owner_of(kind, name)
    values = (_key_of(kind, name), asked, answer, owner)
    file.execute("INSERT INTO mt4_requests (name, request, answer, owner) VALUES (?, ?, ?, ?)", values)
    forget_oldest(file, owner)


def forget_oldest(file: sqlite3.Connection, owner: str) -> None:
    """Forget the oldest answered names of an owner: those of others do not push them out."""
    file.execute(
        "DELETE FROM mt4_requests WHERE owner = ? AND answer <> '' AND number <= (SELECT number FROM mt4_requests"
        " WHERE owner = ? AND answer <> '' ORDER BY number DESC LIMIT 1 OFFSET ?)",
        (owner, owner, KEPT),
    )


def owner_of(kind: str, name: str) -> str:
    """Return whose names are counted together: those of one kind and one key, or of the programs of the desk."""
    found = OF_KEY.fullmatch(name)
    return f"{kind}:{'desk' if found is None else found[1]}"


def _key_of(kind: str, name: str) -> str:
    return f"{kind}:{name}" if kind else name
