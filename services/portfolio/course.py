"""The course of the accounts: samples of their equity, thinned as they come. Pure.

A sample a minute is kept for each day; a year has half a million. So the points get rarer whenever there are too many:
of each account the last one in so many seconds stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from services.projections.equity import SAMPLE_SECONDS, PnlSample
from wire.portfolio import EquityPoint, HistorySource
from wire.types import Env, Instant

MOST_POINTS = 4_000

Series = tuple[HistorySource, str | None, Env]


class NamedFrom(Struct, frozen=True):
    """From an instant on an environment's account had this name; None when nobody told or kept it."""

    at: Instant
    account: str | None


class Course:
    """The points of a question, of one account or of all, and which account was named when."""

    def __init__(self, account: str | None = None) -> None:
        """Keep the points of an account; of every one without a name."""
        self._wanted = account
        self._kept: list[tuple[HistorySource, PnlSample]] = []
        self._last: dict[Series, tuple[int, int]] = {}  # of each series: its last stretch of time, and the place of it
        self._names: dict[Env, list[NamedFrom]] = {}
        self.every_seconds = SAMPLE_SECONDS

    def add(
        self,
        samples: Iterable[PnlSample],
        source: HistorySource = "desk",
        is_asked: Callable[[Instant], bool] = lambda at: True,
    ) -> None:
        """Take in samples, oldest first; points are those whose time is asked for.

        Only those of the desk say which account it had, also by a sample from before what is asked for.
        """
        for sample in samples:
            if source == "desk":
                self._name(sample)
            if is_asked(sample.at) and self._wanted in (None, sample.account):
                self._put(source, sample)
                if len(self._kept) > MOST_POINTS:
                    self._thin()

    @property
    def points(self) -> tuple[EquityPoint, ...]:
        """The points, oldest first."""
        return tuple(_point(source, sample) for source, sample in sorted(self._kept, key=lambda kept: kept[1].at))

    def account_at(self, env: Env, at: Instant) -> str | None:
        """Return the account that the last sample of an environment up to an instant named, None without one."""
        told = [named.account for named in self._names.get(env, ()) if named.at <= at]
        return told[-1] if told else None

    def _name(self, sample: PnlSample) -> None:
        names = self._names.get(sample.env)
        if names is None:
            self._names[sample.env] = [NamedFrom(sample.at, sample.account)]
        elif names[-1].account != sample.account:
            names.append(NamedFrom(sample.at, sample.account))

    def _put(self, source: HistorySource, sample: PnlSample) -> None:
        """Keep a sample in place of the one before it in the same stretch of time."""
        series = (source, sample.account, sample.env)
        stretch = int(sample.at.timestamp()) // self.every_seconds
        last = self._last.get(series)
        if last is not None and last[0] == stretch:
            self._kept[last[1]] = (source, sample)
            return
        self._last[series] = (stretch, len(self._kept))
        self._kept.append((source, sample))

    def _thin(self) -> None:
        kept, self._kept, self._last = self._kept, [], {}
        self.every_seconds *= 2
        for source, sample in kept:
            self._put(source, sample)


def _point(source: HistorySource, sample: PnlSample) -> EquityPoint:
    return EquityPoint(
        at=sample.at,
        account=sample.account,
        env=sample.env,
        source=source,
        equity_usd=sample.equity,
        realized_pnl_usd=sample.realized_pnl,
        open_pnl_usd=sample.open_pnl,
    )
