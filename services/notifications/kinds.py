"""What a person is told on the phone: the ordered table of kinds.

Pure: a decision goes in, notices come out. The words are ``services/notifications/texts.py``'s; whether and when they
are sent is ``services/notifications/delivery.py``'s business.
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
    OrderEnded,
    OrderQueued,
    TradeClosed,
    TradeConsumed,
    TradeOpened,
)
from services.engine.model.state import Desk
from services.notifications import texts as words
from services.notifications.texts import Level, Scene, Teller, Words, clock, lock_ends
from wire.types import Instant

TITLE_AT_MOST = 90
BODY_AT_MOST = 400
TIMED_LOCKS = {"cooldown": "Cooldown is over", "candle": "The candle is free"}


class Notice(Struct, frozen=True):
    """One message to a person. With a ``slot`` it is an announcement that a newer one of that slot replaces."""

    kind: str
    title: str
    body: str
    level: Level
    due_at: Instant
    slot: str | None = None


class Kind(Struct, frozen=True):
    """One kind of notice; ``NOTIFY_KINDS`` switches it by its name."""

    name: str
    is_on: bool
    tells: Mapping[type[AnyEvent], Teller]
    when: str


class Notifying(Struct, frozen=True):
    """What is to be told: the kinds that are on, and to how many targets each notice goes."""

    kinds: frozenset[str]
    targets: int


class UnknownKinds(ValueError):
    """NOTIFY_KINDS could not be understood; the sentence says what would be right."""


def _alerts(kind: str) -> Mapping[type[AnyEvent], Teller]:
    """Let the kind carry the alerts whose rows in ``rules/alerts.py`` name it."""
    return {AlertRaised: partial(words.alert_told, kind=kind)}


LOCKS_BEGIN: Mapping[type[AnyEvent], Teller] = {
    CooldownStarted: words.cooldown_started,
    EntryAccepted: words.candle_taken,
    TradeOpened: words.exit_locked,
    TradeConsumed: words.slot_consumed,
}
LOCKS_END: Mapping[type[AnyEvent], Teller] = {InitialExitLockReleased: words.exit_unlocked, DayRolled: words.day_opened}

KINDS = (  # the order in which one event's notices go out
    Kind("entry_filled", True, {OrderEnded: words.entry_ended}, "an entry or scale-in filled"),
    Kind("exit_filled", True, {TradeClosed: words.trade_closed}, "a trade is flat, with its result"),
    Kind("gate_blocked", False, {EntryBlocked: words.entry_blocked}, "a gate refused an entry"),
    Kind("exit_blocked", False, {ExitBlocked: words.exit_blocked}, "the initial exit lock refused your exit"),
    Kind("lock_started", False, LOCKS_BEGIN, "cooldown, candle, initial exit lock or trade limit begins"),
    Kind("lock_ended", False, LOCKS_END, "one of them, or a daily stop, is over"),
    Kind("daily_warning", True, {DayWarned: words.day_warned}, "50, 70 or 85 % of the daily stop are used"),
    Kind("daily_stop", True, {DailyStopTriggered: words.day_stopped}, "the daily stop triggered"),
    Kind("exit_unclaimed", True, _alerts("exit_unclaimed"), "no bridge took an exit for 10 s"),
    Kind("exit_refused", True, _alerts("exit_refused"), "the broker refused an exit"),
    Kind("order_rejected", True, _alerts("order_rejected"), "the broker refused an entry or scale-in"),
    Kind("entry_expired", True, _alerts("entry_expired"), "no bridge took an entry in time"),
    Kind("override_used", True, {EntryAccepted: words.override_taken}, "an entry skipped the zone gate"),
    Kind("exit_forced", True, {OrderQueued: words.exit_forced}, "you broke the initial exit lock"),
    Kind(
        "tradingview_silent",
        True,
        {FeedLost: words.tradingview_lost, FeedReturned: words.tradingview_back},
        "TradingView fell silent for an asset, or is back",
    ),
    Kind(
        "bridge_silent",
        True,
        {FeedLost: words.bridge_lost, FeedReturned: words.bridge_back},
        "the bridge fell silent, or is back",
    ),
    Kind("reconciliation", True, _alerts("reconciliation"), "desk and broker held different positions"),
    Kind("env_switched", True, {EnvSwitched: words.env_switched}, "DEMO became LIVE or back"),
    Kind(words.OTHER_ALERTS, True, {AlertRaised: words.other_alert}, "any other warning of the desk"),
)
KIND_NAMES = tuple(kind.name for kind in KINDS)
MAY_BE_TOLD = tuple({event for kind in KINDS for event in kind.tells})
"""The events of which a person may be told. A lock's end is announced with the event that began the lock."""


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
    """Tell a decision: what happened, and when the locks it set will end."""
    scene = Scene(before, decision.desk, {order.id: order for order in decision.orders}, now)
    for event in decision.events:
        for kind in KINDS:
            teller = kind.tells.get(type(event)) if kind.name in kinds else None
            told = teller(event, scene) if teller is not None else None
            if told is not None:
                yield _notice(scene, kind.name, told, now)
    for slot, ends_at in changed_locks(before, decision.desk).items():
        if "lock_ended" in kinds and ends_at is not None and ends_at > now:
            body = f"At {clock(ends_at)} New York."
            yield _notice(scene, "lock_ended", (TIMED_LOCKS[slot], body, "info"), ends_at, slot)


def changed_locks(before: Desk, desk: Desk) -> dict[str, Instant | None]:
    """Return the timed locks whose end moved: an end announced earlier is no longer true."""
    old = lock_ends(before)
    new = lock_ends(desk)
    return {slot: new.get(slot) for slot in TIMED_LOCKS if old.get(slot) != new.get(slot)}


def _notice(scene: Scene, kind: str, told: Words, due_at: Instant, slot: str | None = None) -> Notice:
    headline, body, level = told
    title = _one_line(f"[{scene.desk.env}] {headline}", TITLE_AT_MOST)
    return Notice(kind, title, _one_line(body, BODY_AT_MOST), level, due_at, slot)


def _one_line(text: str, at_most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= at_most else f"{line[: at_most - 1]}…"
