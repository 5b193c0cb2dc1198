"""What a person is told on the phone: every kind, its words, and silence when it is switched off."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from services.engine.decide import Decision
from services.engine.model.alert import Alert, AlertLevel
from services.engine.model.commands import AnyCommand, ConsumeTrade, ExitPosition, SetLimits, SwitchEnv
from services.engine.model.events import AlertRaised
from services.notifications.kinds import KIND_NAMES, KINDS, Notice, UnknownKinds, chosen_kinds, notices_of
from tests.support.builders import new_york
from tests.support.paths import REPOSITORY
from tests.support.trader import Trader

EVERY_KIND = frozenset(KIND_NAMES)
HOW_TO = REPOSITORY / "docs" / "how-to" / "notifications.md"


class ToldTrader(Trader):
    """A trader with a phone."""

    def __init__(self, kinds: frozenset[str] = EVERY_KIND, **terms: Any) -> None:
        self.kinds = kinds
        self.notices: list[Notice] = []
        super().__init__(**terms)

    def _asks_aside(self, command: AnyCommand) -> Decision:
        before = self.desk
        answer = super()._asks_aside(command)
        for decision in self.decisions[-2:]:
            self.notices += notices_of(before, decision, self.now, self.kinds)
            before = decision.desk
        return answer

    def told_of(self, kind: str) -> list[tuple[str, str]]:
        return [(notice.title, notice.body) for notice in self.notices if notice.kind == kind]

    def announced(self, slot: Any) -> list[tuple[str, datetime]]:
        return [(notice.title, notice.due_at) for notice in self.notices if notice.slot == slot]


def in_a_trade(trader: Trader) -> Trader:
    return trader.hears(5250).is_long()


STORIES = {
    "entry_filled": (
        in_a_trade,
        "[DEMO] ES long 5 @ 5250.25",
        "Holding long 5 MESZ6 from 5250.25. Stop 5235.25 risks $375.00.",
    ),
    "entry_filled in part": (
        lambda t: t.with_structure("red").enters("SELL").partly_filled(2, 5250).cancelled(),
        "[DEMO] ES short 2 @ 5250.00",
        "2 of 5 filled. Holding short 2",
    ),
    "exit_filled": (
        lambda t: in_a_trade(t).bricks(6, "green").exits().filled_at(5252),
        "[DEMO] ES closed +$43.75",
        "Long 5 MESZ6, 5250.25 → 5252.00, +1.75 pts by manual. 1 of 6 entries used.",
    ),
    "exit_filled at a loss": (
        lambda t: in_a_trade(t).exits(force=True).filled_at(5246.25),
        "[DEMO] ES closed -$100.00",
        "-4.00 pts by manual",
    ),
    "gate_blocked": (
        lambda t: t.trades_once().bricks(6, "green").enters("BUY"),
        "[DEMO] ES long blocked: cooldown",
        "POST-EXIT COOLDOWN ACTIVE (03:00 remaining)",
    ),
    "exit_blocked": (lambda t: in_a_trade(t).exits(), "[DEMO] ES exit blocked", "The initial exit lock holds."),
    "lock_started": (
        lambda t: t.trades_once(),
        "[DEMO] Cooldown until 09:34:10",
        "No entries in any asset until then.",
    ),
    "lock_started by an entry": (
        lambda t: t.with_structure("green").enters("BUY"),
        "[DEMO] Candle used until 09:35:00",
        "One entry per candle",
    ),
    "lock_started for the exit": (in_a_trade, "[DEMO] ES exit locked", "Until the next 6pt brick."),
    "lock_started by hand": (
        lambda t: [t.asks(ConsumeTrade()) for _ in range(6)],
        "[DEMO] Trade limit reached",
        "6 of 6 entries used today.",
    ),
    "lock_ended": (
        lambda t: in_a_trade(t).bricks(6, "green"),
        "[DEMO] ES exit unlocked",
        "A 6pt brick closed.",
    ),
    "lock_ended with the day": (
        lambda t: t.broker_says(50_000).loses(48_000).at("18:00:00").ticks(),
        "[DEMO] New trading day: daily stop over",
        "Trading day 2026-11-18 has begun.",
    ),
    "daily_warning": (
        lambda t: t.broker_says(50_000).broker_says(49_300),
        "[DEMO] 70% of the daily stop used",
        "Day -$700.00, drawdown 1.40% of 2%.",
    ),
    "daily_stop": (
        lambda t: t.broker_says(50_000).loses(48_990),
        "[DEMO] DAILY STOP",
        "Day -$1,010.00, drawdown 2.02% reached the 2% limit. Flattening; no entries until 18:00:00 New York.",
    ),
    "exit_unclaimed": (
        lambda t: in_a_trade(t).exits(force=True).later(10).ticks(),
        "[DEMO] ES exit unclaimed",
        "No bridge took the manual exit of MESZ6 for 10 s. Holding long 5",
    ),
    "exit_refused": (
        lambda t: in_a_trade(t).exits(force=True).rejected("closed market"),
        "[DEMO] ES exit refused",
        "(closed market); next try in 1 s. Holding long 5",
    ),
    "order_rejected": (
        lambda t: t.with_structure("green").enters("BUY").rejected("no margin"),
        "[DEMO] ES order rejected",
        "BUY 5 MESZ6 (no margin).",
    ),
    "entry_expired": (
        lambda t: t.with_structure("green").enters("BUY").later(30).ticks(),
        "[DEMO] ES entry expired",
        "Not claimed by a bridge within 30 s.",
    ),
    "override_used": (
        lambda t: t.with_structure("green").enters("SELL", override=True),
        "[DEMO] ES short: override used",
        "Entered past the zone gate",
    ),
    "exit_forced": (
        lambda t: in_a_trade(t).exits(force=True),
        "[DEMO] ES exit forced",
        "The initial exit lock was broken. Holding long 5",
    ),
    "exit_forced by a program": (
        lambda t: in_a_trade(t).asks(ExitPosition("ES", force=True, by="service")).rejected().later(1).ticks(),
        "[DEMO] ES exit by a program",
        "A program beside the desk asked for it; the lock held. Holding long 5",
    ),
    "tradingview_silent": (
        lambda t: in_a_trade(t).goes_silent().later(600).ticks(),
        "[DEMO] ES TradingView silent",
        "No heartbeat for 10 min: no entries. Holding long 5",
    ),
    "tradingview_silent and back": (
        lambda t: t.goes_silent().later(600).ticks().hears(5250).ticks(),
        "[DEMO] ES TradingView is back",
        "Heartbeats arrive again.",
    ),
    "feed": (
        lambda t: in_a_trade(t).brick(8, "green", close=5250).brick(8, "green", close=5290),
        "[DEMO] ES stream gapped",
        "The last 8pt brick does not continue the one before: the next one must. Holding long 5",
    ),
    "feed and whole again": (
        lambda t: t.brick(8, "green", close=5250).brick(8, "green", close=5290).later(60).brick(8, "green", close=5298),
        "[DEMO] ES stream whole again",
        "Entries are possible again as far as this goes.",
    ),
    "bridge_silent": (
        lambda t: in_a_trade(t.hears_bridge()).later(60).ticks(),
        "[DEMO] Bridge silent",
        "Orders are not executed. Holding long 5 MESZ6",
    ),
    "bridge_silent and back": (
        lambda t: t.hears_bridge().later(60).ticks().hears_bridge().ticks(),
        "[DEMO] Bridge is back",
        "Orders are executed again.",
    ),
    "reconciliation": (
        lambda t: in_a_trade(t).later(5).broker_says(position=0).later(3).broker_says(position=0),
        "[DEMO] ES reconcile",
        "The desk held 5 MESZ6, the broker 0: followed the broker.",
    ),
    "env_switched": (
        lambda t: t.hears_bridge().asks(SwitchEnv("LIVE")),
        "[LIVE] The desk trades LIVE now",
        "Switched by the operator.",
    ),
    "alert": (
        lambda t: t.with_structure("green").enters("BUY").reports("FILLED", 5250, qty=99, exec_id="x"),
        "[DEMO] ES overfill",
        "MESZ6 order was 5, 99 are filled: booked. Holding long 99 MESZ6 from 5250.00.",
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_kind_is_told_in_a_traders_words(name: str) -> None:
    story, title, body = STORIES[name]
    trader = ToldTrader()
    story(trader)
    told = trader.told_of(name.split()[0])
    assert any(head == title and body in text for head, text in told), told
    assert all(len(notice.title) <= 90 and len(notice.body) <= 400 for notice in trader.notices)


@pytest.mark.parametrize("name", STORIES)
def test_a_kind_that_is_off_is_silent_and_no_other_speaks_for_it(name: str) -> None:
    kind, story = name.split()[0], STORIES[name][0]
    everything, without = ToldTrader(), ToldTrader(kinds=EVERY_KIND - {kind})
    story(everything)
    story(without)
    assert everything.told_of(kind)
    assert [n for n in everything.notices if n.kind != kind] == without.notices


def test_a_program_s_exit_that_is_tried_again_is_told_once() -> None:
    trader = in_a_trade(ToldTrader())
    assert isinstance(trader, ToldTrader)
    trader.asks(ExitPosition("ES", force=True, by="service")).rejected().later(1).ticks()
    assert [title for title, _ in trader.told_of("exit_forced")] == ["[DEMO] ES exit by a program"]


def test_every_kind_has_its_story_and_its_line_in_the_how_to() -> None:
    assert {name.split()[0] for name in STORIES} == EVERY_KIND
    rows = re.findall(r"^\| `(\w+)` \| (on|off) \| (.+) \|$", HOW_TO.read_text("utf-8"), re.MULTILINE)
    assert rows == [(kind.name, "on" if kind.is_on else "off", kind.when) for kind in KINDS]


def test_an_alert_that_nobody_knows_yet_is_told_and_one_that_only_informs_is_not() -> None:
    trader = ToldTrader()
    times_told: dict[AlertLevel, int] = {"critical": 1, "info": 0}
    for level, told in times_told.items():
        event = AlertRaised(Alert(trader.now, "brand_new", level, "NEW THING — it happened\nnow"))
        assert trader.answer is not None
        decision = Decision(trader.desk, trader.answer, (event,))
        notices = list(notices_of(trader.desk, decision, trader.now, EVERY_KIND))
        assert [(n.title, n.body) for n in notices] == [("[DEMO] New thing", "It happened now.")] * told


# -- the end of a lock that only the clock ends ----------------------------------------------------------------------


def test_a_cooldown_announces_its_own_end() -> None:
    trader = ToldTrader().trades_once()
    assert trader.announced("cooldown") == [("[DEMO] Cooldown is over", new_york("2026-11-17", "09:34:10"))]
    assert trader.announced("candle") == [("[DEMO] The candle is free", new_york("2026-11-17", "09:35:00"))]


def test_a_lock_that_changes_nothing_announces_nothing_again() -> None:
    trader = ToldTrader().trades_once().bricks(6, "green", "red").bricks(4, "red").later(400).ticks()
    assert len(trader.announced("cooldown")) == len(trader.announced("candle")) == 1


def test_no_cooldown_no_announcement() -> None:
    trader = ToldTrader(cooldown_seconds=0).trades_once()
    assert trader.announced("cooldown") == []
    assert not [title for title, _ in trader.told_of("lock_started") if "Cooldown" in title]


def test_a_longer_candle_moves_the_announcement() -> None:
    trader = ToldTrader().with_structure("green").enters("BUY").asks(SetLimits({"candle_seconds": Decimal(900)}))
    assert [due for _, due in trader.announced("candle")] == [
        new_york("2026-11-17", "09:35:00"),
        new_york("2026-11-17", "09:45:00"),
    ]


# -- NOTIFY_KINDS ----------------------------------------------------------------------------------------------------

DEFAULTS = frozenset(kind.name for kind in KINDS if kind.is_on)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", DEFAULTS),
        ("+gate_blocked,-entry_filled", (DEFAULTS | {"gate_blocked"}) - {"entry_filled"}),
        (" -alert  +lock_ended ", (DEFAULTS | {"lock_ended"}) - {"alert"}),
        ("daily_stop, exit_filled", {"daily_stop", "exit_filled"}),
    ],
)
def test_kinds_are_chosen_by_changes_or_by_a_list(text: str, kinds: set[str] | frozenset[str]) -> None:
    assert chosen_kinds(text) == kinds


def test_gates_and_locks_are_off_by_default() -> None:
    off = EVERY_KIND - DEFAULTS
    assert off == {"gate_blocked", "exit_blocked", "lock_started", "lock_ended"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("+gates", "no kind is called gates; there are entry_filled"),
        ("daily_stop,+alert", "not both"),
        ("+", "no kind is called"),
    ],
)
def test_a_wrong_name_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UnknownKinds, match=re.escape(sentence)):
        chosen_kinds(text)
