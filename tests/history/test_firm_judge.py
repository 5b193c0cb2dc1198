"""Would this week have passed? The stored course and trades, judged by a firm's rules and worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from msgspec.structs import replace

from cli import create_cli
from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown
from services.engine.model.trade_events import TradeClosed
from services.history.firm_judge import Day, Judged, judge
from services.projections.equity import PnlSample
from tests.support.builders import new_york
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, TV_SECRET
from tests.support.stored_trader import StoredTrader

MONDAY = date(2026, 11, 16)
FIRM = Firm(
    name="example",
    account="50k",
    start_balance=Decimal(50_000),
    daily_loss=Decimal(1000),
    drawdown=TrailingDrawdown(Decimal(2000), "end_of_day", Decimal(0)),
    scaling=(ScalingStep(Decimal(0), Decimal(2)), ScalingStep(Decimal(1500), Decimal(3))),
    flat_by="16:10",
    opens_at="18:00",
    consistency_pct=Decimal(50),
)


def days(*courses: tuple[int, ...]) -> list[Day]:
    """Return trading days from Monday on, each with a sample a minute from 10:00."""
    made = []
    for number, course in enumerate(courses):
        day = MONDAY + timedelta(days=number)
        begin = new_york(day.isoformat(), "10:00")
        made.append(
            Day(
                day,
                tuple(
                    PnlSample(begin + timedelta(minutes=minute), "LIVE", Decimal(equity), None, None, "A")
                    for minute, equity in enumerate(course)
                ),
            )
        )
    return made


def trade(entry: str, left: str, size: int = 1, **more: Any) -> TradeClosed:
    """Return a closed trade of full-size contracts; times are New York ones of November 2026, ``16 10:00``."""
    day, clock = entry.split()
    until, at = left.split()
    closed = TradeClosed(
        id=entry,
        asset="ES",
        contract="ESZ6",
        side="BUY",
        size=size,
        entry_price=Decimal(5250),
        exit_price=Decimal(5251),
        entry_ts=new_york(f"2026-11-{day}", clock),
        exit_ts=new_york(f"2026-11-{until}", at),
        pnl_points=Decimal(1),
        pnl_usd=Decimal(50),
        mae_points=Decimal(0),
        mfe_points=Decimal(1),
        mode="SCALP",
        zone="NORMAL",
        reason="manual",
        env="LIVE",
    )
    return replace(closed, **more)


def judged(rule: str, told: list[Day], trades: list[TradeClosed] | None = None, firm: Firm = FIRM) -> Judged:
    return next(row for row in judge(firm, told, trades or [], "18:00") if row.rule == rule)


@pytest.mark.parametrize(
    ("course", "outcome", "detail"),
    [
        ((50_000, 49_001, 49_900), "passed", "at most 999.00 of 1000.00 USD lost, on 2026-11-16"),
        ((50_000, 49_000, 49_900), "broken", "1000.00 USD lost, 1000.00 end the day"),
        ((50_000, 48_800, 49_900), "broken", "1200.00 USD lost, 1000.00 end the day"),
    ],
)
def test_the_daily_loss(course: tuple[int, ...], outcome: str, detail: str) -> None:
    told = judged("daily_loss", days(course))
    assert (told.outcome, told.detail) == (outcome, detail)
    if outcome == "broken":
        assert told.at == new_york("2026-11-16", "10:01")


def test_the_daily_loss_is_counted_from_each_day_s_start() -> None:
    assert judged("daily_loss", days((50_000, 49_100), (49_100, 48_200), (48_200, 47_300))).outcome == "passed"
    assert judged("daily_loss", days((50_000, 49_100), (49_100, 48_100))).at == new_york("2026-11-17", "10:01")


@pytest.mark.parametrize(
    ("courses", "outcome", "detail"),
    [
        (((50_000, 50_500), (50_500, 48_501)), "passed", "at least 1.00 USD above the floor, now 48500.00"),
        (((50_000, 50_500), (50_500, 48_500)), "broken", "48500.00 USD at a floor of 48500.00, 0.00 below it"),
        (((50_000, 51_900, 50_000), (50_000, 48_001)), "passed", "at least 1.00 USD above the floor, now 48000.00"),
        (((50_000, 53_000), (53_000, 50_001)), "passed", "at least 1.00 USD above the floor, now 50000.00"),
        (((50_000, 53_000), (53_000, 49_900)), "broken", "49900.00 USD at a floor of 50000.00, 100.00 below it"),
    ],
)
def test_the_drawdown_by_the_end_of_a_day(courses: tuple[tuple[int, ...], ...], outcome: str, detail: str) -> None:
    told = judged("trailing_drawdown", days(*courses))
    assert (told.outcome, told.detail) == (outcome, detail)


@pytest.mark.parametrize(
    ("course", "outcome", "detail"),
    [
        ((50_000, 50_800, 48_801), "passed", "at least 1.00 USD above the floor, now 48800.00"),
        ((50_000, 50_800, 48_800), "broken", "48800.00 USD at a floor of 48800.00, 0.00 below it"),
        ((50_000, 55_000, 50_101), "passed", "at least 1.00 USD above the floor, now 50100.00"),
        ((50_000, 55_000, 50_000), "broken", "50000.00 USD at a floor of 50100.00, 100.00 below it"),
    ],
)
def test_the_drawdown_in_real_time(course: tuple[int, ...], outcome: str, detail: str) -> None:
    firm = replace(FIRM, drawdown=TrailingDrawdown(Decimal(2000), "real_time", Decimal(100)))
    told = judged("trailing_drawdown", days(course), firm=firm)
    assert (told.outcome, told.detail) == (outcome, detail)


def test_contracts_of_trades_at_one_time_count_together() -> None:
    apart = [trade("16 10:00", "16 10:10", 2), trade("16 10:10", "16 10:20", 2)]
    assert judged("contracts", days((50_000,)), apart).detail == "at most 2 held"
    together = [trade("16 10:00", "16 10:10", 2), trade("16 10:09", "16 10:20", 1)]
    told = judged("contracts", days((50_000,)), together)
    assert (told.outcome, told.detail) == ("broken", "3 held, 2 allowed")
    assert told.at == new_york("2026-11-16", "10:09")
    assert judged("contracts", days((51_501,)), together).outcome == "passed"
    assert judged("contracts", [], together).outcome == "broken"  # an unknown profit leaves the first step


def test_micros_count_as_the_firm_counts_them() -> None:
    micros = [trade("16 10:00", "16 10:10", 20, contract="MESZ6")]
    assert judged("contracts", days((50_000,)), micros).detail == "at most 2 held"
    assert judged("contracts", days((50_000,)), micros, replace(FIRM, micros_count_full=True)).outcome == "broken"


@pytest.mark.parametrize(
    ("entry", "left", "detail"),
    [
        ("16 16:00", "16 16:10", None),
        ("16 16:00", "16 16:10:30", "ESZ6 held 30 s after 16:10 New York"),
        ("16 16:10", "16 16:20", "ESZ6 entered after 16:10 New York"),
        ("16 18:00", "17 16:10", None),
        ("16 18:00", "17 18:10", "ESZ6 held 7200 s after 16:10 New York"),
    ],
)
def test_the_flat_time(entry: str, left: str, detail: str | None) -> None:
    told = judged("flat_time", [], [trade(entry, left)])
    assert told.outcome == ("passed" if detail is None else "broken")
    assert detail in (None, told.detail)


@pytest.mark.parametrize(
    ("courses", "outcome", "detail"),
    [
        (((50_000, 50_500), (50_500, 51_000)), "passed", "won 500.00 of 1000.00 USD, 50.0 of 50 percent"),
        (((50_000, 50_501), (50_501, 51_000)), "not met", "won 501.00 of 1000.00 USD, 50.1 of 50 percent"),
        (((50_000, 49_900),), "unknown", "-100.00 USD won in these days: a share of it says nothing"),
    ],
)
def test_the_best_day_s_share(courses: tuple[tuple[int, ...], ...], outcome: str, detail: str) -> None:
    told = judged("consistency", days(*courses))
    assert told.outcome == outcome
    assert detail in told.detail


def test_what_the_profile_does_not_say_is_unknown_and_none_is_none() -> None:
    bare = Firm("example", "50k", Decimal(50_000), unlimited=("daily_loss",))
    outcomes = {row.rule: row.outcome for row in judge(bare, days((50_000, 10_000)), [], "18:00")}
    assert outcomes.pop("daily_loss") == "no limit"
    assert set(outcomes.values()) == {"unknown"}


def test_without_a_stored_balance_nothing_is_passed() -> None:
    outcomes = {row.rule: row.outcome for row in judge(FIRM, [], [], "18:00")}
    assert {outcomes[rule] for rule in ("daily_loss", "trailing_drawdown", "consistency")} == {"unknown"}


# -- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = StoredTrader(tmp_path / "desk.sqlite", on="2026-11-16")
    yield trader
    trader.stops()


@pytest.fixture
def flask(trader: StoredTrader, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    secrets = {"TV_WEBHOOK_SECRET": TV_SECRET, "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "FLASK_SECRET_KEY": FLASK_KEY}
    for name, value in {**secrets, "STORE": "sqlite", "SQLITE_PATH": str(trader.path)}.items():
        monkeypatch.setenv(name, value)
    runner = create_cli().test_cli_runner()
    return lambda *words: runner.invoke(args=["desk", "firm", "replay", *words])


def week(trader: StoredTrader, *ends: int) -> None:
    """Trade five micros on Monday, then end each day with a balance."""
    trader.broker_says(50_000).is_long("5250.25").bricks(6, "green").later(60)
    trader.exits().filled_at("5252.50").broker_says("50056.25")
    for number, balance in enumerate(ends):
        day = (MONDAY + timedelta(days=number)).isoformat()
        trader.at("12:00:00", on=day).broker_says(balance).later(61).broker_says(balance).ticks()


def test_a_week_that_passes(trader: StoredTrader, flask: Callable[..., Result]) -> None:
    week(trader, 50_400, 50_200, 50_700)
    answer = flask("topstep:50k")
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert lines[0] == "topstep:50k, 2026-11-16 to 2026-11-18, 3 days"
    assert "contracts          passed: at most 5 held" in lines
    assert lines[-1] == "These days: no rule that is known was broken; not met: best day's share"


def test_a_week_that_breaks_a_rule_says_which_when_and_by_how_much(
    trader: StoredTrader, flask: Callable[..., Result]
) -> None:
    week(trader, 50_400, 50_200)
    trader.later(120).broker_says(49_900).later(120).broker_says(49_700).later(120).broker_says(49_500)
    trader.later(120).broker_says(49_300).later(120).broker_says(49_150).later(61).broker_says(49_150).ticks()
    answer = flask("topstep:50k", "--from", "2026-11-17", "--to", "2026-11-17")
    assert answer.exit_code == 1, answer.output
    broken = next(line for line in answer.output.splitlines() if line.startswith("daily loss"))
    assert "broken at 2026-11-17 12:" in broken
    assert "1050.00 USD lost, 1000.00 end the day" in broken
    assert "broken: daily loss" in answer.output


def test_a_profile_that_is_not_there_is_named(flask: Callable[..., Result]) -> None:
    answer = flask("nobody:50k")
    assert answer.exit_code == 1
    assert "no firm is called 'nobody'" in answer.output


def test_a_store_that_is_not_there_ends_with_2(flask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_PATH", "/nowhere/desk.sqlite")
    assert flask("topstep:50k").exit_code == 2
