"""What a source of past bars is asked for, whatever it is.

A provider waits for disks and servers: it is called in the child process of a sync job, never on the loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from feeds.bars.types import Bar

ProviderHealth = Literal["ok", "off", "error"]
MOST_NAMED = 100  # rows and files that were left out and are named one by one; all are counted


class ProviderStatus(Struct, frozen=True):
    """How a provider is. ``last_t`` is the newest minute it gave in this process (epoch seconds), None before any.

    ``reason`` is a code, None where all is well: ``no_folder``, ``no_key``, ``unauthorized``, ``rate_limited``,
    ``unreachable``, ``bad_answer``, ``unreadable``, ``not_chosen``.
    """

    name: str
    status: ProviderHealth
    last_t: int | None = None
    reason: str | None = None


class LeftOut(Struct, frozen=True):
    """One thing that a provider did not give: a row of a file, a whole file (no ``line``), a bar of an answer.

    ``place`` names the file or the call, never its folder or a key. ``reason`` is a sentence for the operator.
    """

    place: str
    line: int | None
    reason: str


class ProviderReport(Struct, frozen=True):
    """What the newest call of ``bars`` left out: how many in all, and the first of them."""

    left_out: int = 0
    named: tuple[LeftOut, ...] = ()


class ProviderFailed(Exception):
    """A provider cannot give its bars. ``code`` is a ``reason`` of `ProviderStatus`, the message a sentence.

    ``is_permanent`` says that asking again changes nothing before somebody changes a setting.
    """

    def __init__(self, code: str, sentence: str, is_permanent: bool = False) -> None:
        """Name the code and the sentence; neither holds a key."""
        super().__init__(sentence)
        self.code = code
        self.is_permanent = is_permanent


class Provider(Protocol):
    """A source of one-minute bars. Every method may be called again; none changes the source."""

    @property
    def name(self) -> str:
        """The provider's name in ``/health``: ``tapes``, ``folder``, ``massive``, ``crypto``."""

    def status(self) -> ProviderStatus:
        """Return how the provider is. It asks no server and reads no file."""

    def covers(self, symbol: str) -> bool:
        """Return whether it may have bars of an asset (``ES``, ``XAUUSD``)."""

    def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        """Yield the minutes that start at or after ``start`` and before ``end``, in lists of bounded length.

        Ascending where the source is; blocking. Raises `ProviderFailed` when the source does not answer: what was
        yielded before stands.
        """

    def report(self) -> ProviderReport:
        """Return what the newest call of `bars` left out, and why."""


class Reporting:
    """Counts what one call of ``bars`` leaves out, and names the first of it."""

    def __init__(self) -> None:
        """Begin with nothing left out."""
        self._count = 0
        self._named: list[LeftOut] = []

    def begin(self) -> None:
        """Forget what an earlier call left out."""
        self._count = 0
        self._named = []

    def leave_out(self, place: str, line: int | None, reason: str, count: int = 1) -> None:
        """Count something that is not given; the first `MOST_NAMED` are named."""
        self._count += count
        if len(self._named) < MOST_NAMED:
            self._named.append(LeftOut(place, line, reason))

    def report(self) -> ProviderReport:
        """Return what was counted."""
        return ProviderReport(self._count, tuple(self._named))
