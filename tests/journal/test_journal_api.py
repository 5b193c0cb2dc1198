"""The trader's journal over real HTTP: trades, figures, calendar, the day, notes, the spreadsheet."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.journal.gate_groups import GATE_GROUPINGS
from services.projections.entry_gates import GatesAtEntry
from tests.support.desk_process import QUICK, DeskProcess, OperatorCaller, error_of, eventually

pytestmark = pytest.mark.processes

MES_POINT = 5
DANGEROUS = '=HYPERLINK("http://x","y")'
WHY = "the 4pt already turned"

WON_BEFORE_THE_BALANCE = -10.02  # percent of the daily stop: 100 USD were won before the day's first balance (5.6)


def trades_once(desk: DeskProcess, won: float, by_force: bool = False, **more: Any) -> str:
    """Go in at 5250 and out so many points later, or at once ``by_force``; return the trade's id."""
    operator, bridge, alerts = desk.operator(), desk.bridge(), desk.tradingview()
    alerts.opens_the_ladder()
    entered = operator.enters_when_the_candle_allows(**more)
    bridge.fills(entered, 5250)
    if not by_force:
        alerts.brick(6, "green")
    left = operator.post("/api/exit", json={"asset": "ES", "force": by_force})
    bridge.fills(left.json()["order"], 5250 + won)
    eventually(lambda: not operator.state()["global"]["five_min_trade_lock_active"])
    entry_id: str = entered["id"]
    return entry_id


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("journal"), **QUICK, STOP_POINTS="10") as desk:
        yield desk


@pytest.fixture(scope="module")
def traded(desk: DeskProcess) -> list[str]:
    """Three trades: won, lost against the zone, won as a SCALP; and what was refused between."""
    operator, bridge = desk.operator(), desk.bridge()
    ids = [trades_once(desk, 4)]
    bridge.snapshots(50_020)
    ids.append(trades_once(desk, 2, by_force=True, direction="SELL", entry_override=True, override_reason=WHY))
    assert operator.enters(entry_override=True, direction="BUY", override_reason="again").json()["gate"] == "tempo"
    assert operator.enters("NQ").json()["gate"] == "heartbeat"
    ids.append(trades_once(desk, 1, trade_mode="SCALP"))
    return ids


@pytest.fixture(scope="module")
def operator(desk: DeskProcess, traded: list[str]) -> OperatorCaller:
    return desk.operator()


def asked(operator: OperatorCaller, path: str, **query: Any) -> Any:
    answer = operator.get(f"/api/journal/{path}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


# -- an empty desk --------------------------------------------------------------------------------------------------


def test_a_desk_without_a_trade_answers_with_nulls(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator = desk.operator()
        statistics = asked(operator, "statistics")
        assert statistics["figures"]["trades"] == 0
        assert statistics["figures"]["win_rate"] is None
        assert (statistics["curve"], statistics["deepest_fall_usd"], statistics["truncated"]) == ([], None, False)
        assert asked(operator, "trades") == {"ok": True, "trades": [], "next": None}
        assert asked(operator, "calendar")["days"] == []
        day = asked(operator, "day")
        assert (day["samples"], day["overrides"], day["blocked_by_gate"]) == ([], [], {})
        assert operator.get("/api/journal/trades.csv").text.count("\r\n") == 1


# -- trades ---------------------------------------------------------------------------------------------------------


def test_trades_come_newest_first_with_what_only_the_journal_knows(operator: OperatorCaller, traded: list[str]) -> None:
    trades = asked(operator, "trades")["trades"]
    assert [trade["id"] for trade in trades] == traded[::-1]
    newest = trades[0]
    assert (newest["pnl_points"], newest["stop_points"], newest["r"]) == (1, 10, 0.1)
    assert [trade["target_points"] for trade in trades] == [15, None, None], "only the SCALP has a take-profit"
    assert (newest["note"], newest["tags"], newest["noted_at"]) == ("", [], None)
    assert newest["trading_day"] == operator.state()["global"]["trading_day"]
    assert newest["held_s"] > 0
    shown = {name: newest[name] for name in operator.state()["history"][0]}
    assert shown == operator.state()["history"][0]


def test_a_trade_tells_how_the_gates_stood_at_its_entry(operator: OperatorCaller, traded: list[str]) -> None:
    third, second, first = (trade["gates_at_entry"] for trade in asked(operator, "trades")["trades"])
    assert [gates["trade_of_day"] for gates in (first, second, third)] == [1, 2, 3]
    used = [gates["daily_stop_used_pct"] for gates in (first, second, third)]
    assert used == [None, WON_BEFORE_THE_BALANCE, WON_BEFORE_THE_BALANCE]
    assert first["since_cooldown_s"] is None
    assert 0 < second["since_cooldown_s"] < 60
    for gates in (first, second, third):
        assert (gates["two_half"], gates["tempo_armed_by"], gates["entered_by"]) == ("neutral", "6pt brick", "click")
        assert 0 <= gates["tempo_age_s"] < 60
        assert 0 <= gates["candle_second"] < 1  # QUICK: a candle is a second long


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({"mode": "SCALP"}, [2]),
        ({"mode": "RUNNER"}, [1, 0]),
        ({"env": "LIVE"}, []),
        ({"asset": "es"}, [2, 1, 0]),
        ({"asset": "NQ"}, []),
        ({"side": "SELL"}, [1]),
        ({"reason": "manual"}, [2, 1, 0]),
        ({"reason": "structure"}, []),
        ({"tag": "nobody-wrote-this"}, []),
        ({"day": "2020-01-06"}, []),
        ({"last_day": "2020-01-06"}, []),
        ({"first_day": "2020-01-06"}, [2, 1, 0]),
    ],
)
def test_a_filter_holds_for_trades_figures_and_the_sheet(
    operator: OperatorCaller, traded: list[str], query: dict[str, str], places: list[Any]
) -> None:
    wanted = [traded[place] for place in places]
    assert [trade["id"] for trade in asked(operator, "trades", **query)["trades"]] == wanted
    statistics = asked(operator, "statistics", **query)
    assert statistics["figures"]["trades"] == len(wanted)
    assert [point["trade_id"] for point in statistics["curve"]] == wanted[::-1]
    sheet = csv.DictReader(io.StringIO(operator.get("/api/journal/trades.csv", params=query).text))
    assert [row["id"] for row in sheet] == wanted


def test_pages_follow_each_other(operator: OperatorCaller, traded: list[str]) -> None:
    found: list[str] = []
    before: dict[str, str] = {}
    for _ in range(5):
        page = asked(operator, "trades", limit=1, **before)
        found += [trade["id"] for trade in page["trades"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert found == traded[::-1]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "many"},
        {"before": "yesterday"},
        {"before": "1-"},
        {"before": "9" * 40 + "-a"},
        {"day": "2026-02-30"},
        {"day": "20261120"},
        {"day": "1700000000"},
        {"day": "0001-01-01"},
        {"day": "9999-12-31"},
        {"day": "2026-11-20", "first_day": "2026-11-20"},
        {"mode": "scalp"},
        {"env": "PAPER"},
        {"tag": "No Such Tag"},
        {"tag": "x" * 25},
        {"asset": ""},
        {"assset": "ES"},
    ],
)
def test_a_query_that_cannot_be_read_is_named(operator: OperatorCaller, query: dict[str, str]) -> None:
    error_of(operator.get("/api/journal/trades", params=query), 400)


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "1999-01", "2026-11-01", "next"])
def test_a_month_that_is_none_is_refused(operator: OperatorCaller, month: str) -> None:
    assert error_of(operator.get("/api/journal/calendar", params={"month": month}), 400).startswith("month")


# -- figures --------------------------------------------------------------------------------------------------------


def test_figures_are_of_the_trades(operator: OperatorCaller) -> None:
    statistics = asked(operator, "statistics")
    figures = statistics["figures"]
    assert (figures["trades"], figures["wins"], figures["losses"]) == (3, 2, 1)
    assert (figures["points"], figures["usd"]) == (3, 3 * 5 * MES_POINT)
    assert (figures["expectancy_points"], figures["profit_factor"]) == (1, 2.5)
    assert (figures["trades_with_r"], figures["expectancy_r"]) == (3, 0.1)
    assert statistics["deepest_fall_usd"] == 2 * 5 * MES_POINT
    assert [point["usd"] for point in statistics["curve"]] == [100, 50, 75]
    groups = statistics["groups"]
    disciplines = {group["name"]: group["trades"] for group in groups["discipline"]}
    assert disciplines == {"by the rules": 2, "override and forced exit": 1}
    assert {group["name"]: group["trades"] for group in groups["mode"]} == {"RUNNER": 2, "SCALP": 1}
    assert statistics["blocked_by_gate"]["heartbeat"] == 1
    assert statistics["blocked_by_gate"]["tempo"] == 1


def test_trades_are_grouped_by_how_the_gates_stood(operator: OperatorCaller) -> None:
    groups = asked(operator, "statistics")["groups"]
    told = {by: [(group["name"], group["trades"], group["usd"]) for group in groups[by]] for by in GATE_GROUPINGS}
    assert told["trade_of_day"] == [("1", 1, 100), ("2", 1, -50), ("3", 1, 25)]
    assert told["daily_stop_used"] == [("below 50 %", 2, -25), ("unknown", 1, 100)]
    assert told["after_cooldown"] == [("first of the day", 1, 100), ("within 5 min", 2, -25)]
    assert told["zone_gate"] == [("NORMAL", 2, 125), ("skipped by override", 1, -50)]
    assert all(sum(count for _, count, _ in of_gate) == 3 for of_gate in told.values())


def test_the_sheet_tells_the_gates_behind_what_it_always_had(operator: OperatorCaller) -> None:
    text = operator.get("/api/journal/trades.csv").text
    columns = text.splitlines()[0].split(",")
    assert columns[columns.index("id") + 1 :] == list(GatesAtEntry.__struct_fields__)
    third, _, first = csv.DictReader(io.StringIO(text))
    assert (third["trade_of_day"], float(third["daily_stop_used_pct"]), third["entered_by"]) == (
        *("3", WON_BEFORE_THE_BALANCE, "click"),
    )
    assert (first["trade_of_day"], first["daily_stop_used_pct"], first["since_cooldown_s"]) == ("1", "", "")


# -- calendar and day -----------------------------------------------------------------------------------------------


def test_the_calendar_shows_the_day_and_its_refusals(operator: OperatorCaller) -> None:
    today = operator.state()["global"]["trading_day"]
    month = asked(operator, "calendar", month=today[:7])
    assert (month["month"], month["truncated"]) == (today[:7], False)
    [day] = month["days"]
    assert (day["day"], day["trades"], day["wins"], day["usd"]) == (today, 3, 2, 75)
    assert day["overrides"] == 1
    assert day["blocked"] >= 2
    assert asked(operator, "calendar", month="2020-02")["days"] == []
    assert asked(operator, "calendar", month=today[:7], env="LIVE")["days"][0]["trades"] == 0
    assert asked(operator, "calendar") == month


def test_the_day_tells_course_refusals_overrides_and_forced_exits(operator: OperatorCaller, traded: list[str]) -> None:
    today = operator.state()["global"]["trading_day"]
    day = asked(operator, "day", day=today)
    assert day["samples"][0]["equity"] == 50_020
    assert day["figures"]["trades"] == 3
    taken, refused = sorted(day["overrides"], key=lambda one: one["at"])
    assert (taken["reason"], taken["gate"], taken["order_id"], taken["direction"]) == (WHY, None, traded[1], "SELL")
    assert (refused["reason"], refused["gate"], refused["order_id"]) == ("again", "tempo", None)
    assert day["blocked_by_gate"]["heartbeat"] == 1
    assert {row["gate"] for row in day["blocked"]} >= {"heartbeat", "tempo"}
    assert [trade["id"] for trade in day["forced_exits"]] == [traded[1]]
    assert asked(operator, "day", day="2020-01-06")["samples"] == []


def test_who_has_the_samples_asks_for_those_that_came_after(operator: OperatorCaller) -> None:
    whole = asked(operator, "day")
    [first, *later] = whole["samples"]
    assert asked(operator, "day", samples_after=first["at"])["samples"] == later
    assert asked(operator, "day", samples_after=whole["samples"][-1]["at"]) == {**whole, "samples": []}
    error_of(operator.get("/api/journal/day", params={"samples_after": "yesterday"}), 400)


def tried_at(operator: OperatorCaller) -> str | None:
    at: str | None = operator.state()["global"]["last_try_ts"]
    return at


def test_the_state_says_when_a_rule_was_tried_last(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator = desk.operator()
        assert tried_at(operator) is None
        assert operator.enters("NQ").status_code == 409
        blocked_at = asked(operator, "day")["blocked"][0]["at"]
        assert tried_at(operator) == blocked_at
        trades_once(desk, 2)  # by the book: no try
        assert tried_at(operator) == blocked_at
        trades_once(desk, 2, by_force=True, direction="SELL", entry_override=True, override_reason=WHY)
        overridden_at = tried_at(operator)
        assert overridden_at > blocked_at
        assert tried_at(desk.restart().operator()) == overridden_at


# -- notes ----------------------------------------------------------------------------------------------------------


def test_a_note_is_written_read_filtered_by_its_tags_and_replaced(
    desk: DeskProcess, operator: OperatorCaller, traded: list[str]
) -> None:
    path = f"/api/journal/trades/{traded[0]}/note"
    first = operator.post(path, json={"note": DANGEROUS, "tags": ["fomo", "news-day", "fomo"]})
    assert first.status_code == 200, first.text
    assert first.json()["trade"]["tags"] == ["fomo", "news-day"]
    assert first.json()["version"] > 0
    assert [trade["id"] for trade in asked(operator, "trades", tag="fomo")["trades"]] == [traded[0]]
    assert [group["name"] for group in asked(operator, "statistics")["groups"]["tag"]] == ["fomo", "news-day"]
    sheet = list(csv.DictReader(io.StringIO(operator.get("/api/journal/trades.csv").text)))
    assert sheet[2]["note"] == "'" + DANGEROUS
    assert sheet[2]["tags"] == "fomo news-day"
    assert sheet[1]["pnl_usd"] == "-50"
    assert operator.post(path, json={"note": "calm", "tags": []}).status_code == 200
    trade = asked(operator, "trades")["trades"][2]
    assert (trade["note"], trade["tags"]) == ("calm", [])
    assert asked(operator, "trades", tag="fomo")["trades"] == []
    kinds = [kind for (kind,) in desk.rows("SELECT kind FROM journal WHERE kind = 'NoteTrade'")]
    assert len(kinds) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"note": "x" * 2001},
        {"tags": ["a"] * 9},
        {"tags": ["Fomo"]},
        {"tags": ["x" * 25]},
        {"tags": [""]},
        {"tags": "fomo"},
        {"note": 5},
        {"more": "x"},
    ],
)
def test_a_note_that_is_too_long_or_no_note_is_refused(
    operator: OperatorCaller, traded: list[str], body: dict[str, Any]
) -> None:
    error_of(operator.post(f"/api/journal/trades/{traded[0]}/note", json=body), 400)


@pytest.mark.parametrize("trade_id", ["0" * 32, "nobody", "..", "x" * 300])
def test_a_note_on_a_trade_that_is_not_there_is_refused(operator: OperatorCaller, trade_id: str) -> None:
    error_of(operator.post(f"/api/journal/trades/{trade_id}/note", json={"note": "x"}), 404)


def test_notes_outlast_a_restart(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        trade_id = trades_once(desk, 3)
        path = f"/api/journal/trades/{trade_id}/note"
        assert desk.operator().post(path, json={"note": "kept", "tags": ["plan"]}).status_code == 200
        desk.restart()
        [trade] = asked(desk.operator(), "trades", tag="plan")["trades"]
        assert (trade["id"], trade["note"]) == (trade_id, "kept")


# -- reasons of an override -----------------------------------------------------------------------------------------


def test_a_reason_needs_an_override_and_is_bounded(operator: OperatorCaller) -> None:
    assert "override_reason" in error_of(operator.enters(override_reason="why"), 400)
    asks: dict[str, Any] = {"direction": "BUY", "entry_override": True}
    error_of(operator.enters(**asks, override_reason="x" * 301), 400)
    assert operator.enters(**asks, override_reason="x" * 300).status_code in (201, 409)


# -- the door -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["trades", "trades.csv", "statistics", "calendar", "day"])
def test_a_stranger_reads_nothing(desk: DeskProcess, path: str) -> None:
    error_of(desk.stranger().get(f"/api/journal/{path}"), 401)


def test_the_sheet_is_a_download(operator: OperatorCaller) -> None:
    answer = operator.get("/api/journal/trades.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'attachment; filename="lockstep-trades\.csv"', answer.headers["Content-Disposition"])
    assert answer.text.splitlines()[0].startswith("trading_day,exit_ts,entry_ts,asset")
