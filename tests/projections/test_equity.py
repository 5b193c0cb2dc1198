"""The account's day: a sample a minute, each under the trading day in which it was taken (SPEC 5.5)."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from services.engine.model.bridge_commands import TakeSnapshot
from services.engine.model.state import Desk
from services.projections.equity import ACCOUNT_DAYS, PnlDay, account_day, account_of, day_name, with_sample
from tests.support.builders import new_york
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from tests.support.trader import Trader

TUESDAY, WEDNESDAY, FRIDAY, MONDAY = "2026-11-17", "2026-11-18", "2026-11-20", "2026-11-23"


def account(trader: Trader, equity: Any) -> Desk:
    """Let the bridge say what the account holds, and return the desk."""
    return trader.asks(TakeSnapshot(balance=Decimal(equity))).desk


def taken(day: PnlDay) -> list[tuple[datetime, Decimal]]:
    return [(sample.at, sample.equity) for sample in day.samples]


def test_a_snapshot_is_sampled_once_a_minute() -> None:
    trader = Trader(at="12:25:10")
    day = known(with_sample(None, account(trader, 50_000)))
    assert (day.trading_day, taken(day)) == (TUESDAY, [(new_york(TUESDAY, "12:25:10"), Decimal(50_000))])
    assert with_sample(day, account(trader.at("12:25:50"), Decimal(50_010))) is None
    assert with_sample(day, trader.at("12:40").ticks().desk) is None
    day = known(with_sample(day, account(trader.at("12:41"), Decimal(50_020))))
    assert [equity for _, equity in taken(day)] == [50_000, 50_020]


def test_yesterdays_last_snapshot_is_no_sample_of_today() -> None:
    trader = Trader(at="12:25:10")
    yesterday = known(with_sample(None, account(trader, 50_000)))
    desk = trader.at("18:00:01").ticks().desk
    assert day_name(desk) == WEDNESDAY
    assert desk.live.equity == 50_000
    assert with_sample(yesterday, desk) is None
    assert with_sample(None, desk) is None
    today = known(with_sample(yesterday, account(trader.at("18:00:20"), Decimal(50_200))))
    assert (today.trading_day, taken(today)) == (WEDNESDAY, [(new_york(TUESDAY, "18:00:20"), Decimal(50_200))])


def test_the_last_second_before_the_roll_is_still_the_old_day() -> None:
    trader = Trader(at="17:59:59")
    day = known(with_sample(None, account(trader, 50_000)))
    assert day.trading_day == TUESDAY
    assert with_sample(day, trader.at("18:00:00").ticks().desk) is None


def test_the_weekend_belongs_to_monday_and_friday_does_not() -> None:
    trader = Trader(at="16:00", on=FRIDAY)
    account(trader, 50_000)
    desk = trader.at("18:30").ticks().desk
    assert (day_name(desk), with_sample(None, desk)) == (MONDAY, None)
    day = known(with_sample(None, account(trader.at("11:00", "2026-11-21"), Decimal(50_100))))
    assert (day.trading_day, [equity for _, equity in taken(day)]) == (MONDAY, [Decimal(50_100)])


def test_another_roll_is_asked_for_the_day() -> None:
    trader = Trader(at="12:25", day_roll="12:00")
    day = known(with_sample(None, account(trader, 50_000)))
    assert day.trading_day == WEDNESDAY


def test_a_restart_goes_on_with_the_days_samples(tmp_path: Path) -> None:
    """A sample is stored with the commit that comes next: here with a brick. Within a minute there is only one."""
    trader = StoredTrader(tmp_path / "desk.sqlite", at="12:25:10").broker_says(50_000).bricks(6, "green")
    trader.restarts().at("12:25:40").broker_says(50_010).bricks(6, "green")
    trader.at("12:26:00").broker_says(50_020).bricks(6, "green")
    record = known(trader.manager.store.record(ACCOUNT_DAYS, TUESDAY))
    day = known(account_day(trader.manager.store, TUESDAY))
    trader.stops()
    assert taken(day) == [
        (new_york(TUESDAY, "12:25:10"), Decimal(50_000)),
        (new_york(TUESDAY, "12:26:00"), Decimal(50_020)),
    ]
    assert record.at == new_york(TUESDAY, "12:26:00")


def test_a_sample_names_the_account_whose_balance_is_believed() -> None:
    trader = Trader(at="12:25").broker_says(50_000, account="DEMO-1").hears_bridge(account="DEMO-2")
    assert known(with_sample(None, trader.desk)).samples[-1].account == "DEMO-1"


def test_before_a_balance_the_heartbeats_name_the_account_unless_it_is_the_other_environments() -> None:
    assert account_of(Trader().desk) is None
    assert account_of(Trader().hears_bridge(account="DEMO-2", env="DEMO").desk) == "DEMO-2"
    assert account_of(Trader().hears_bridge(account="LIVE-1", env="LIVE").desk) is None


def test_a_sample_of_an_earlier_program_has_no_account() -> None:
    body = b'{"trading_day":"2026-11-17","samples":[["2026-11-17T17:25:00Z","DEMO","50000",null,null]],"schema":1}'
    (sample,) = msgspec.json.decode(body, type=PnlDay).samples
    assert (sample.equity, sample.account) == (Decimal(50_000), None)
