"""The ordered table of the kinds of notices, and the pure function that makes notices from a decision.

``services/notifications/texts.py`` writes the texts, ``services/notifications/delivery.py`` sends them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from msgspec import Struct

from services.engine.decide import Decision
from services.engine.model.events import (
    AlertRaised,
    AnyEvent,
    CooldownStarted,
    DailyStopTriggered,
    DayRolled,
    DayWarned,
    EntryAccepted,
    EntryBlocked,
    EnvSwitched,
    ExitBlocked,
    FeedLost,
    FeedReturned,
    InitialExitLockReleased,
    LimitsChanged,
    OrderEnded,
    OrderQueued,
    TradeConsumed,
)
from services.engine.model.feed_events import FeedFaultEnded
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, TradeOpened
from services.notifications import texts
from services.notifications.texts import Level, Scene, Text, TextBuilder, clock, lock_ends
from wire.types import Instant

TITLE_AT_MOST = 90
BODY_AT_MOST = 400
TIMED_LOCKS = {"cooldown": "Cooldown is over", "candle": "The candle is free"}


class Notice(Struct, frozen=True):
    """One message to a person. A notice with a ``slot`` announces a lock's end; a newer one of the slot replaces it."""

    kind: str
    title: str
    body: str
    level: Level
    due_at: Instant
    slot: str | None = None


class Kind(Struct, frozen=True):
    """One kind of notice. ``NOTIFY_KINDS`` switches it by its name; ``is_on`` is the default."""

    name: str
    is_on: bool
    builders: Mapping[type[AnyEvent], TextBuilder]
    when: str


class Notifying(Struct, frozen=True):
    """The kinds of notices that are on, and the number of targets that each notice goes to."""

    kinds: frozenset[str]
    targets: int


class UnknownKinds(ValueError):
    """NOTIFY_KINDS could not be understood. The sentence says what would be right."""


def _alerts(kind: str) -> Mapping[type[AnyEvent], TextBuilder]:
    """Return the builder for the alerts whose rows in ``rules/alerts.py`` name this kind."""
    return {AlertRaised: partial(texts.alert_raised, kind=kind)}


LOCKS_BEGIN: Mapping[type[AnyEvent], TextBuilder] = {
    CooldownStarted: texts.cooldown_started,
    EntryAccepted: texts.candle_taken,
    TradeOpened: texts.exit_locked,
    TradeConsumed: texts.slot_consumed,
}
LOCKS_END: Mapping[type[AnyEvent], TextBuilder] = {
    InitialExitLockReleased: texts.exit_unlocked,
    DayRolled: texts.day_opened,
}

KINDS = (  # the order in which the notices of one event are sent
    Kind("entry_filled", True, {OrderEnded: texts.entry_ended}, "an entry or scale-in filled"),
    Kind("exit_filled", True, {TradeClosed: texts.trade_closed}, "a trade is flat, with its result"),
    Kind("gate_blocked", False, {EntryBlocked: texts.entry_blocked}, "a gate refused an entry"),
    Kind("exit_blocked", False, {ExitBlocked: texts.exit_blocked}, "the initial exit lock refused your exit"),
    Kind("lock_started", False, LOCKS_BEGIN, "cooldown, candle, initial exit lock or trade limit begins"),
    Kind("lock_ended", False, LOCKS_END, "one of them, or a daily stop, is over"),
    Kind("daily_warning", True, {DayWarned: texts.day_warned}, "50, 70 or 85 % of the daily stop are used"),
    Kind("daily_stop", True, {DailyStopTriggered: texts.day_stopped}, "the daily stop triggered"),
    Kind("exit_unclaimed", True, _alerts("exit_unclaimed"), "no bridge took an exit for 10 s"),
    Kind("exit_refused", True, _alerts("exit_refused"), "the broker refused an exit"),
    Kind("order_rejected", True, _alerts("order_rejected"), "the broker refused an entry or scale-in"),
    Kind("entry_expired", True, _alerts("entry_expired"), "no bridge took an entry in time"),
    Kind("override_used", True, {EntryAccepted: texts.override_taken}, "an entry skipped the zone gate"),
    Kind(
        "exit_forced", True, {OrderQueued: texts.exit_forced}, "you, or a program for you, broke the initial exit lock"
    ),
    Kind(
        "tradingview_silent",
        True,
        {FeedLost: texts.tradingview_lost, FeedReturned: texts.tradingview_back},
        "TradingView fell silent for an asset, or is back",
    ),
    Kind(
        "bridge_silent",
        True,
        {FeedLost: texts.bridge_lost, FeedReturned: texts.bridge_back},
        "the bridge fell silent, or is back",
    ),
    Kind(
        "feed",
        True,
        {**_alerts("feed"), FeedFaultEnded: texts.feed_whole_again},
        "bricks of an asset may be missing, late or of another contract, or they are whole again",
    ),
    Kind("reconciliation", True, _alerts("reconciliation"), "desk and broker held different positions"),
    Kind("env_switched", True, {EnvSwitched: texts.env_switched}, "DEMO became LIVE or back"),
    Kind(texts.OTHER_ALERTS, True, {AlertRaised: texts.other_alert}, "any other warning of the desk"),
)
KIND_NAMES = tuple(kind.name for kind in KINDS)
NOTIFIED_EVENTS = (*{event for kind in KINDS for event in kind.builders}, LimitsChanged)
"""The events that may cause a notice. The end of a lock is announced with the event that began or extended the lock."""


def chosen_kinds(text: str) -> frozenset[str]:
    """Read ``NOTIFY_KINDS``: changes to the defaults (``+gate_blocked,-entry_filled``) or a whole list.

    Raises UnknownKinds.
    """
    names = [word for word in re.split(r"[\s,]+", text) if word]
    signed = [word for word in names if word[0] in "+-"]
    unknown = sorted({word.lstrip("+-") for word in names} - set(KIND_NAMES))
    if unknown:
        raise UnknownKinds(f"no kind is called {', '.join(unknown)}; there are {', '.join(KIND_NAMES)}")
    if signed and len(signed) < len(names):
        raise UnknownKinds("it must be a list of kinds, or changes that all begin with + or -, not both")
    if names and not signed:
        return frozenset(names)
    added = {word[1:] for word in signed if word[0] == "+"}
    removed = {word[1:] for word in signed if word[0] == "-"}
    return frozenset(({kind.name for kind in KINDS if kind.is_on} | added) - removed)


def notices_of(before: Desk, decision: Decision, now: Instant, kinds: frozenset[str]) -> Iterator[Notice]:
    """Yield the notices of a decision: what happened, and when the locks that it set will end."""
    scene = Scene(before, decision.desk, {order.id: order for order in decision.orders}, now)
    for event in decision.events:
        for kind in KINDS:
            build = kind.builders.get(type(event)) if kind.name in kinds else None
            text = build(event, scene) if build is not None else None
            if text is not None:
                yield _notice(scene, kind.name, text, now)
    for slot, ends_at in changed_locks(before, decision.desk).items():
        if "lock_ended" in kinds and ends_at is not None and ends_at > now:
            body = f"At {clock(ends_at)} New York."
            yield _notice(scene, "lock_ended", (TIMED_LOCKS[slot], body, "info"), ends_at, slot)


def changed_locks(before: Desk, desk: Desk) -> dict[str, Instant | None]:
    """Return the timed locks whose end changed. An end that was announced earlier is then wrong."""
    old = lock_ends(before)
    new = lock_ends(desk)
    return {slot: new.get(slot) for slot in TIMED_LOCKS if old.get(slot) != new.get(slot)}


def _notice(scene: Scene, kind: str, text: Text, due_at: Instant, slot: str | None = None) -> Notice:
    headline, body, level = text
    title = _one_line(f"[{scene.desk.env}] {headline}", TITLE_AT_MOST)
    return Notice(kind, title, _one_line(body, BODY_AT_MOST), level, due_at, slot)


def _one_line(text: str, at_most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= at_most else f"{line[: at_most - 1]}…"
