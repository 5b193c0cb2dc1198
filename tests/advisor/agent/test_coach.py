"""The coach over many days: what it says, with n and interval, what it keeps silent about, and when it gives advice.

The journal's answers are made of invented trades by web's own figures; each statement is counted again from the trades.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict

from advisor.agent.desk_reader import DeskReader
from advisor.agent.explanations import explained
from advisor.agent.grounding import invented_numbers
from advisor.agent.groups import CHOSEN
from advisor.agent.rules import word
from advisor.agent.toolbox import Toolbox
from services.journal.statistics import GROUPINGS, figures_of, groups_of
from services.journal.trades import JournalTrade
from services.projections.notes import Note
from tests.advisor.agent.second_opinion import NEW_YORK, Json
from tests.advisor.agent.slow_intervals import student, wilson_end
from tests.advisor.agent.support import (
    NoModels,
    RecordedWeb,
    as_json,
    by_path,
    closed_long,
    numbers_without_a_fact,
    run,
    toolbox,
)
from tests.data.explain_states import FOLDER
from wire.journal import FiguresRow, GroupRow, StatisticsAnswer

OPEN = datetime(2026, 6, 1, 14, 30, tzinfo=UTC)
STATE = json.loads((FOLDER / "open_with_the_structure.json").read_text("utf-8"))["state"]


def a_trade(number: int, points: float, at: datetime, **more: Any) -> JournalTrade:
    """Return a long trade of 5 MES with a stop of 15 points, entered at that moment."""
    made = Decimal(str(round(points * 4) / 4))
    trade = closed_long(number, made, at, **more)
    return JournalTrade(trade, at.astimezone(NEW_YORK).date(), Decimal(15), Note("", ("make-9000",)))


def month(seed: int, count: int, lift_of_hour: dict[int, float]) -> list[JournalTrade]:
    """Return trades at 9 to 15 o'clock of many days; some hours are made better or worse."""
    dice = random.Random(seed)
    trades = []
    for number in range(count):
        hour = 9 + number % 7
        day = datetime(2026, 6, 1, tzinfo=NEW_YORK) + timedelta(days=number // 7)
        at = day.replace(hour=hour, minute=dice.randrange(50)).astimezone(UTC)
        points = dice.gauss(lift_of_hour.get(hour, 0.0), 6)
        trades.append(a_trade(number, points, at, override=number % 9 == 0))
    return trades


def journal_answer(trades: Sequence[JournalTrade], **more: Any) -> StatisticsAnswer:
    """Return what web answers of these trades."""
    return StatisticsAnswer(
        env="DEMO",
        truncated=more.get("truncated", False),
        figures=FiguresRow(**asdict(figures_of(trades))),
        deepest_fall_usd=None,
        curve=(),
        groups={
            by: tuple(GroupRow(name=group.name, **asdict(group.figures)) for group in groups_of(trades, by))
            for by in GROUPINGS
        },
        blocked_by_gate=more.get("blocked", {"cooldown": 7, "tempo": 3, "initial_exit_lock": 2}),
    )


def coached(trades: Sequence[JournalTrade], **more: Any) -> Json:
    tools = toolbox(state=STATE, statistics=journal_answer(trades, **more))
    return as_json(run(explained(tools, "coach")))


def by_code(answer: Json, code: str) -> list[Json]:
    return [statement for statement in answer["statements"] if statement["code"] == code]


# -- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 19])
def test_below_twenty_trades_nothing_is_said_of_them(count: int) -> None:
    answer = coached(month(1, count, {}))
    (only,) = answer["statements"]
    assert (only["code"], only["n"], only["low"], only["high"]) == ("too_few_trades", count, None, None)
    assert "all" in answer["silent"]
    assert all(group["mean_r"] is None and group["win_share"] is None for group in found_groups(answer))


def test_a_group_below_twenty_is_listed_as_silent_and_has_no_figures_for_anybody() -> None:
    answer = coached(month(1, 120, {}))  # 17 or 18 trades of each hour
    hours = [group for group in found_groups(answer) if group["by"] == "hour"]
    assert {f"hour:{group['name']}" for group in hours} <= set(answer["silent"])
    assert all(group["missing"] == "under_20_trades" and group["win_share"] is None for group in hours)
    assert not any(statement["facts"].get("by") == "hour" for statement in answer["statements"])


def found_groups(answer: Json) -> list[Json]:
    groups: list[Json] = answer["tools"][0]["result"]["groups"]
    return groups


# -- what is said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_every_statement_is_counted_again_from_the_trades(seed: int) -> None:
    trades = month(seed, 400, {10: -4, 14: 3})
    answer = coached(trades)
    (share,) = by_code(answer, "win_share")
    wins = sum(entry.trade.pnl_points > 0 for entry in trades)
    assert (share["n"], share["facts"]["wins"]) == (400, wins)
    assert (share["low"], share["high"]) == pytest.approx(
        (wilson_end(wins, 400, -1), wilson_end(wins, 400, 1)), abs=6e-5
    )
    (dollars,) = by_code(answer, "mean_usd")
    mean, low, high = student([float(entry.trade.pnl_usd) for entry in trades])
    assert (dollars["facts"]["mean_usd"], dollars["low"], dollars["high"]) == pytest.approx(
        (mean, low, high), abs=0.006
    )
    base = statistics.fmean(float(entry.r or 0) for entry in trades)
    groups = [s for code in ("group_above", "group_below", "group_alike") for s in by_code(answer, code)]
    assert len(groups) >= 10
    for statement in groups:
        facts = statement["facts"]
        values = [float(entry.r or 0) for entry in trades if facts["name"] in names(facts["by"], entry)]
        mean, low, high = student(values)
        assert statement["n"] == len(values) >= 20
        assert (facts["mean_r"], facts["low"], facts["high"]) == pytest.approx((mean, low, high), abs=6e-5)
        differs = "below" if high < base else "above" if low > base else "alike"
        assert statement["code"] == f"group_{differs}"
        assert facts["base_r"] == pytest.approx(base, abs=6e-5)


def names(by: str, entry: JournalTrade) -> list[str]:
    """Return the groups of a trade, said again in other words than web's."""
    at = entry.trade.entry_ts.astimezone(NEW_YORK)
    if by == "hour":
        return [f"{at:%H}"]
    if by == "part_of_day":
        return ["morning" if 6 <= at.hour < 12 else "afternoon" if 12 <= at.hour < 18 else "night"]
    if by == "weekday":
        return [f"{entry.trading_day:%A}"]
    if by == "discipline":
        return ["override" if entry.trade.override else "by the rules"]
    facts: dict[str, str] = {"zone": entry.trade.zone, "mode": entry.trade.mode, "asset": entry.trade.asset}
    return [facts[by]]


def test_no_sentence_has_a_number_that_the_journal_did_not_give() -> None:
    tools = toolbox(state=STATE, statistics=journal_answer(month(3, 700, {10: -6})))
    answer = run(explained(tools, "coach"))
    for statement in answer.statements:
        assert invented_numbers(statement.text, answer.tools) == ()
        assert numbers_without_a_fact(statement) == ()


def test_a_bad_hour_is_found_and_advice_follows_for_it_alone() -> None:
    answer = coached(month(3, 700, {10: -6}))
    below = by_code(answer, "group_below")
    assert ("hour", "10") in {(s["facts"]["by"], s["facts"]["name"]) for s in below}
    advised = {(s["facts"]["by"], s["facts"]["name"]) for s in by_code(answer, "consider")}
    assert ("hour", "10") in advised
    assert advised == {(s["facts"]["by"], s["facts"]["name"]) for s in below if s["facts"]["by"] in CHOSEN}
    assert all(s["high"] < s["facts"]["base_r"] for s in by_code(answer, "consider"))
    assert all(s["n"] >= 20 and s["low"] is not None for s in by_code(answer, "consider"))


def test_what_nobody_chooses_before_the_entry_is_told_and_no_advice_follows() -> None:
    dice = random.Random(4)
    trades = [
        a_trade(number, dice.gauss(-6 if number % 2 else 3, 4), OPEN + timedelta(days=number % 60), zone=zone)
        for number in range(240)
        for zone in [("FREE" if number % 2 else "NORMAL")]
    ]
    answer = coached(trades)
    assert ("zone", "FREE") in {(s["facts"]["by"], s["facts"]["name"]) for s in by_code(answer, "group_below")}
    assert "zone" not in {s["facts"]["by"] for s in by_code(answer, "consider")}


def test_trades_of_pure_chance_get_little_advice_and_the_number_of_looks_is_told() -> None:
    advised = compared = 0
    for seed in range(10):
        answer = coached(month(100 + seed, 350, {}))
        (looks,) = by_code(answer, "by_chance")
        compared += looks["facts"]["compared"]
        advised += len(by_code(answer, "consider"))
    assert advised <= compared * 0.05  # an interval of 95 % errs on one of its two sides one time in forty


def test_the_trader_who_has_no_stops_hears_of_shares_and_dollars_alone() -> None:
    trades = [JournalTrade(entry.trade, entry.trading_day, None, entry.note) for entry in month(5, 60, {})]
    answer = coached(trades)
    assert [s["code"] for s in answer["statements"]] == ["win_share", "mean_usd", "refused"]
    assert all(group["missing"] in ("unknown_risk", "under_20_trades") for group in found_groups(answer))


def test_a_group_that_holds_every_trade_is_compared_with_nothing() -> None:
    groups = found_groups(coached(month(6, 200, {})))
    assert not {group["by"] for group in groups} & {"zone", "mode", "asset"}
    assert all(group["trades"] < 200 for group in groups)


def test_who_asks_for_one_grouping_hears_which_of_its_groups_are_too_small() -> None:
    tools = toolbox(state=STATE, statistics=journal_answer(month(1, 42, {})))
    result = run(tools.call("journal_statistics", {"by": "part_of_day"}))
    text = word("am I better in the morning", [result])
    assert "Nothing is said of trades entered in the morning (06:00 to 12:00 New York time): fewer than 20" in text
    assert "Your 24 trades entered in the afternoon" in text
    assert "hour" not in text
    assert invented_numbers(text, [result]) == ()


def test_neither_tags_nor_exit_reasons_are_groups_of_the_coach() -> None:
    answer = coached(month(6, 200, {}))
    assert "9000" not in str(answer)
    assert not {group["by"] for group in found_groups(answer)} & {"tag", "reason", "zone_gate"}


def test_what_the_gates_refused_is_counted_without_locked_exits() -> None:
    (refused,) = by_code(coached(month(7, 60, {})), "refused")
    assert (refused["n"], refused["facts"]["by_cooldown"], refused["facts"]["by_tempo"]) == (10, 7, 3)


def test_the_newest_five_thousand_are_called_the_newest() -> None:
    assert "newest" in by_code(coached(month(8, 60, {}), truncated=True), "win_share")[0]["text"]
    assert "newest" not in by_code(coached(month(8, 60, {})), "win_share")[0]["text"]


def test_the_coach_asks_for_the_desks_own_environment_and_the_named_days() -> None:
    web = RecordedWeb(by_path({"state": STATE, "statistics": journal_answer(month(1, 30, {}))}))
    answer = run(explained(Toolbox(DeskReader(web), NoModels()), "coach", asset="es1!", day="2026-11-13"))
    assert (answer.asset, answer.day) == ("ES", "2026-11-13")
    assert web.asked[-1][1] == {"env": "DEMO", "asset": "ES", "last_day": str(date(2026, 11, 13))}
