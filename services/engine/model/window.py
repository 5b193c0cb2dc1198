"""What the gate ``window`` looks at: the markets' hours, the news, the week, losing trades, the lockout (SPEC 5.9)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from wire.types import Env, Instant, Usd

LockoutUntil = Literal["session", "day", "week"]


class SessionHours(Struct, frozen=True):
    """One session of a market: it trades from ``opens`` until just before ``closes``."""

    opens: Instant
    closes: Instant


class NewsTime(Struct, frozen=True):
    """One news time of the operator's file, with the minutes around it: no entry from ``begins`` to ``ends``."""

    begins: Instant
    ends: Instant
    title: str


class MarketFacts(Struct, frozen=True):
    """What the program around the engine knows of markets and news; the engine reads no calendar and no file.

    ``sessions`` are by asset the running session and those that follow, oldest first. ``news_fault`` says why the news
    file cannot be read, None when it can or when there is none.
    """

    sessions: dict[str, tuple[SessionHours, ...]] = field(default_factory=dict)
    news: tuple[NewsTime, ...] = ()
    news_fault: str | None = None


class Lockout(Struct, frozen=True):
    """The operator has locked entries until ``ends_at``. Nothing takes it back."""

    until: LockoutUntil
    since: Instant
    ends_at: Instant


class LossRun(Struct, frozen=True):
    """Losing trades in a row. ``last_at`` is when the last one closed; the pauses that it began end at the instants.

    ``in_live``: one of them was LIVE, so only a winner in LIVE ends the run.
    """

    count: int = 0
    last_at: Instant | None = None
    streak_until: Instant | None = None
    cooldown_until: Instant | None = None
    in_live: bool = False


class Week(Struct, frozen=True):
    """The week's books since Sunday's roll: entries of both environments, net results and start equity by environment.

    ``started_with`` is the start equity of the day on which the first trade of the week closed, USD.
    """

    begins: Instant | None = None
    entries: int = 0
    net_usd: dict[Env, Usd] = field(default_factory=dict)
    started_with: dict[Env, Usd] = field(default_factory=dict)
