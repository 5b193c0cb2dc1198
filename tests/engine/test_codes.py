"""What the desk refuses and warns of has a code, a title, a detail and facts; the sentence is made of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.replies import Refusal
from services.engine.model.wording import DASH, Explanation, facts_of, parts_of, sentence_of
from services.engine.rules.alerts import ALERTS, explanation_of
from services.engine.rules.feed_words import CODES
from services.engine.rules.refusals import REFUSALS, TABLE
from services.engine.rules.verdicts import TITLES
from services.notifications.kinds import KIND_NAMES
from services.stores.codec.documents import read_answer, write_answer
from tests.support.narrow import known, of_type
from tests.support.paths import REPOSITORY
from tests.support.trader import Trader
from wire.types import OrderStatus, RefusalCode


def calls_of(name: str) -> Iterator[ast.Call]:
    """Yield every call of a function or method of that name in the services."""
    for path in (REPOSITORY / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and name == getattr(node.func, "id", getattr(node.func, "attr", None)):
                yield node


def codes_of(name: str) -> set[str]:
    return {ast.literal_eval(call.args[0]) for call in calls_of(name) if isinstance(call.args[0], ast.Constant)}


# -- the tables -----------------------------------------------------------------------------------------------------


def test_every_refusal_has_one_row_and_every_row_is_used() -> None:
    assert [rule.code for rule in TABLE] == list(REFUSALS)
    assert set(REFUSALS) == set(get_args(RefusalCode)) == codes_of("refuse") | {"gate_closed"}


def test_every_title_that_is_given_is_in_its_row() -> None:
    refused = [call.args for call in calls_of("refuse") if len(call.args) > 2]
    given = {(ast.literal_eval(code), ast.literal_eval(title)) for code, _, title, *_ in refused}
    assert given
    assert all(title in REFUSALS[code].titles for code, title in given)
    assert all(title in {usual for _, usual in given} for rule in TABLE for title in rule.titles[1:])


def test_every_code_of_a_closed_gate_is_used() -> None:
    assert codes_of("closed") | set(CODES.values()) == set(TITLES)


def test_no_title_holds_what_parts_it_from_its_detail() -> None:
    titles = [*TITLES.values(), *(rule.title for rule in ALERTS.values()), *(t for rule in TABLE for t in rule.titles)]
    assert not [title for title in titles if DASH in title]


def test_every_alert_that_is_told_names_a_kind_of_notice() -> None:
    assert {rule.notice for rule in ALERTS.values()} - {None} <= set(KIND_NAMES)


def test_an_alert_ends_by_events_if_and_only_if_it_lasts() -> None:
    lasting = {rule.code for rule in ALERTS.values() if rule.ended_by}
    assert lasting == {rule.code for rule in ALERTS.values() if rule.ends != "it does not last"}
    trader = Trader().with_structure("green").enters("BUY").rejected()
    assert ALERTS["order_rejected"].is_over(trader.last_alert, trader.desk) is None


# -- composing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (("NO ZONE", "waiting for a brick", None), "NO ZONE — waiting for a brick"),
        (("POST-EXIT COOLDOWN ACTIVE", "", 180), "POST-EXIT COOLDOWN ACTIVE (03:00 remaining)"),
        (("5 MIN LOCK ACTIVE", "used", 1), "5 MIN LOCK ACTIVE — used (00:01 remaining)"),
        (("", "target was 500", None), "target was 500"),
        (("DAILY STOP", "", None), "DAILY STOP"),
    ],
)
def test_a_sentence_is_made_of_title_detail_and_time_left(parts: tuple[str, str, int | None], sentence: str) -> None:
    assert sentence_of(*parts) == sentence


def test_a_stored_sentence_is_taken_apart_as_it_was_made() -> None:
    for title, detail in (("RECONCILE", "the desk held 5 — the broker 0"), ("DAILY STOP", "")):
        assert parts_of(sentence_of(title, detail)) == (title, detail)


def test_facts_are_numbers_instants_and_names_as_json_has_them() -> None:
    at = datetime(2026, 11, 17, 14, 30, tzinfo=UTC)
    facts = facts_of(
        {"qty": 5, "pct": Decimal("1.40"), "limit": Decimal("2.0"), "at": at, "day": date(2026, 11, 17)}
        | {"status": OrderStatus.REJECTED, "used": True, "unknown": None, "huge": Decimal("1E+30")}
    )
    assert msgspec.json.decode(msgspec.json.encode(facts)) == facts
    assert facts == {
        "qty": 5,
        "pct": 1.4,
        "limit": 2,
        "at": "2026-11-17T14:30:00Z",
        "day": "2026-11-17",
        "status": "REJECTED",
        "used": True,
        "huge": 1e30,
    }


def test_a_fact_that_is_neither_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="it must be a number"):
        facts_of({"positions": [1, 2]})


# -- what the trader is told ------------------------------------------------------------------------------------------


def test_a_closed_gate_refuses_in_its_own_words_and_counts_down_beside_them() -> None:
    refusal = Trader().trades_once().later(57).bricks(6, "green").enters("BUY").refusal
    assert (refusal.code, refusal.gate, refusal.title) == ("gate_closed", "cooldown", "POST-EXIT COOLDOWN ACTIVE")
    assert (refusal.detail, refusal.facts) == ("", {"lock": "POST-EXIT COOLDOWN", "remaining_s": 123})
    assert refusal.retry_after_s == 123
    first = next(rung for rung in refusal.ladder if not rung.is_open)
    assert (first.code, first.title, first.facts) == ("cooldown", refusal.title, refusal.facts)


def test_an_open_gate_says_nothing() -> None:
    rung = Trader().trades_once().bricks(6, "green").enters("BUY").refusal.ladder[0]
    assert (rung.is_open, rung.code, rung.title, rung.detail, rung.facts) == (True, None, None, None, {})


REFUSED: dict[RefusalCode, Callable[[Trader], Trader]] = {
    "exit_locked": lambda t: t.is_long().exits(),
    "nothing_to_exit": lambda t: t.exits(),
    "already_waiting": lambda t: t.with_structure("green").preorders("BUY").preorders("BUY"),
    "direction_required": lambda t: t.preorders(),
    "unknown_order": lambda t: t.asks(ReportExecution("0" * 32, OrderStatus.FILLED)),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_is_its_rows_title_with_a_detail(code: RefusalCode) -> None:
    refusal = REFUSED[code](Trader()).refusal
    rule = REFUSALS[code]
    assert refusal.code == code
    assert refusal.title in rule.titles
    assert refusal.sentence == sentence_of(known(refusal.title) if rule.is_led else "", known(refusal.detail))


def test_a_refusal_comes_back_from_the_store_as_it_was() -> None:
    refusal = Trader().trades_once().bricks(6, "green").enters("BUY").refusal
    assert read_answer(write_answer(refusal)) == refusal


def test_an_answer_that_an_earlier_program_kept_has_its_sentence_alone() -> None:
    kept = (
        b'{"type":"Refusal","code":"gate_closed","sentence":"NO ZONE \xe2\x80\x94 waiting","gate":"zone",'
        b'"retry_after_s":null,"ladder":[{"gate":"zone","is_open":false,"sentence":"NO ZONE \xe2\x80\x94 waiting",'
        b'"reopens_at":null,"reopens":"8pt or 12pt brick"}]}'
    )
    refusal = of_type(Refusal, read_answer(kept))
    assert (refusal.sentence, refusal.title, refusal.detail, refusal.facts) == ("NO ZONE — waiting", None, None, {})
    assert refusal.ladder[0].title is None


def test_an_alert_keeps_its_facts_and_shows_its_parts() -> None:
    trader = Trader().is_long().exits(force=True).rejected("closed market")
    alert = trader.last_alert
    facts = of_type(dict, alert.facts)
    assert explanation_of(alert) == Explanation(
        "exit_refused",
        "EXIT REFUSED",
        "manual exit of 5 MESZ6 was REJECTED (closed market); next try in 1 s",
        facts,
    )
    assert facts | {"order_id": ""} == {
        "order_id": "",
        "source": "manual",
        "qty": 5,
        "symbol": "MESZ6",
        "status": "REJECTED",
        "reason": "closed market",
        "retry_at": "2026-11-17T14:31:11Z",
    }
    assert trader.replays_equal()


def test_what_the_broker_held_is_a_fact() -> None:
    trader = Trader().hears(5250).is_long().later(5).broker_says(position=-3).later(3).broker_says(position=-3)
    assert trader.last_alert.facts == {"desk_position": 5, "broker_position": -3, "symbol": "MESZ6", "followed": True}
    assert trader.last_alert.level == "critical"
