"""The portfolio adds up: the whole is the sum of its accounts, and both are what the journal says, in either store."""

from __future__ import annotations

import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from services.desk.manager import StateManager
from services.journal.days import day_of
from services.journal.trades import span_of
from services.portfolio.external import External, Noted, external_record, id_of, taken_out
from services.portfolio.history import Span, history_of
from services.portfolio.totals import AccountTold, totals_of
from services.portfolio.whole import portfolio_of
from services.projections.equity import PnlDay, PnlSample, account_record
from services.stores.firestore.store import FirestoreStore
from services.stores.sqlite.store import SqliteStore
from services.stores.store import NotTheWriter, StoreError
from tests.support.builders import TUESDAY, rules_for
from tests.support.desk_process import eventually
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from wire.portfolio import PortfolioAnswer, PortfolioHistoryAnswer
from wire.types import Env

GOLD = Noted("GC", "MGCZ6", Decimal(10), "short", Decimal(3), Decimal("2400.5"), "elsewhere", "a hedge")
MORE_NQ = Noted("NQ", "MNQZ6", Decimal(2), "long", Decimal(4), Decimal("18000.25"), "elsewhere")


@pytest.fixture(params=["sqlite", "firestore"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredTrader]:
    """A trader of two markets whose desk is kept in either store."""
    opens = None
    if request.param == "firestore":
        host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
        opens = partial(FirestoreStore, project, emulator_host=host)
    trader = StoredTrader(
        tmp_path / "desk.sqlite", at="09:31:10", assets=("ES", "NQ"), opens=opens, cooldown_seconds=60
    )
    yield trader
    trader.stops()


def notes(trader: StoredTrader, noted: Noted) -> External:
    position = External(id_of(noted.contract), noted, trader.now, "{}")
    trader.manager.keep_records([external_record(position)])
    return position


def holds(trader: StoredTrader) -> PortfolioAnswer:
    return portfolio_of(trader.manager.store, trader.desk, trader.now)


def went(trader: StoredTrader, account: str | None = None) -> PortfolioHistoryAnswer:
    day = date.fromisoformat(TUESDAY)
    return history_of(trader.manager.store, trader.desk, Span(*span_of(day, day, "18:00"), account))


def has_traded(trader: StoredTrader) -> StoredTrader:
    """Win one, lose one, add to the third, hold it; and hold something elsewhere."""
    trader.broker_says(50_000, account="DEMO-1")
    trader.is_long(5250).later(seconds=60).bricks(6, "green").exits().filled_at("5253.25")
    trader.later(seconds=400).broker_says("50081.25", account="DEMO-1")
    trader.is_long("5251.75").later(seconds=60).bricks(6, "green").exits().filled_at(5250)
    trader.later(seconds=400).broker_says("50037.5", account="DEMO-1").is_long(5250)
    trader.later(seconds=60).bricks(6, "green").hears("5255.5").scales_in().filled_at("5255.5")
    trader.later(seconds=5).hears("5257.75")
    notes(trader, GOLD)
    notes(trader, MORE_NQ)
    return trader


def test_the_whole_is_the_sum_of_its_accounts_and_the_journal(anywhere: StoredTrader) -> None:
    trader = has_traded(anywhere)
    trader.turns_to("NQ").hears("18010.5").turns_to("ES").broker_says("50090", account="DEMO-1")
    told = holds(trader)
    totals = told.totals
    desk = next(one for one in told.positions if one.source == "desk")
    other = next(one for one in told.positions if one.contract == "MNQZ6")
    assert (desk.qty, desk.avg_price, desk.point_value) == (Decimal(10), Decimal("5252.75"), Decimal(5))
    assert (desk.value_usd, desk.open_pnl_usd) == (Decimal("262887.50"), Decimal("250.00"))
    assert (other.value_usd, other.open_pnl_usd) == (Decimal("144084.00"), Decimal("82.00"))
    day = day_of(trader.manager.store, date.fromisoformat(TUESDAY), "18:00", None)
    assert totals.realized_today_usd == day.figures.usd == Decimal("37.5")
    assert sum(known(account.realized_today_usd) for account in totals.accounts if account.env) == day.figures.usd
    assert sum(account.positions for account in totals.accounts) == totals.positions == 3
    for parts in (totals.accounts, totals.envs, totals.groups, totals.assets):
        assert sum(part.positions for part in parts) == totals.positions
        assert sum(part.unpriced for part in parts) == totals.unpriced
    assert totals.open_pnl_usd is None, "nobody knows the price of gold here, so nobody knows the whole"
    indices = next(group for group in totals.groups if group.group == "us_index")
    assert (indices.open_pnl_usd, indices.net_usd) == (Decimal("332.00"), Decimal("406971.50"))
    assert indices.symbols == ("ES", "NQ")


def test_accounts_add_up_to_the_cent_once_everything_has_a_price(anywhere: StoredTrader) -> None:
    trader = has_traded(anywhere)
    gold = External(id_of(GOLD.contract), GOLD, trader.now, "{}")
    trader.manager.keep_records([external_record(taken_out(gold, trader.now))])
    totals = holds(trader.turns_to("NQ").hears("18010.5").turns_to("ES")).totals
    names = ("value_usd", "net_usd", "open_pnl_usd")
    for parts in (totals.accounts, totals.envs, totals.groups, totals.assets):
        assert [sum(getattr(part, name) for part in parts) for name in names] == [
            getattr(totals, name) for name in names
        ]
    assert totals.open_pnl_usd == Decimal("332.00")


def test_the_past_adds_up_to_the_journal_and_outlives_a_restart(anywhere: StoredTrader) -> None:
    trader = has_traded(anywhere)
    trader.exits().filled_at(5260).later(seconds=60).broker_says("50155", account="DEMO-1").bricks(6, "green")
    before = went(trader)
    results: dict[str, Decimal] = defaultdict(Decimal)
    for fill in before.fills:
        results[known(fill.trade_id)] += known(fill.amount_usd)
    assert results == {trade.id: trade.pnl_usd for trade in trader.trades_closed}
    assert sum(results.values()) == holds(trader).totals.realized_today_usd
    assert [point.equity_usd for point in before.points] == [
        Decimal(balance) for balance in ("50000", "50081.25", "50037.5", "50155")
    ]
    assert {point.account for point in before.points} == {fill.account for fill in before.fills} == {"DEMO-1"}
    assert [(change.change, change.contract) for change in before.external] == [("added", "MGCZ6"), ("added", "MNQZ6")]
    trader.restarts()
    assert went(trader) == before
    assert [one.id for one in holds(trader).positions] == [id_of("MGCZ6"), id_of("MNQZ6")]


def test_a_fill_carries_the_account_that_was_named_last_however_many_days_were_silent(anywhere: StoredTrader) -> None:
    trader = anywhere
    friday = PnlSample(trader.now - timedelta(days=4), "DEMO", Decimal(50_000), None, None, "DEMO-1")
    trader.manager.keep_records([account_record(PnlDay("2026-11-13", (friday,)))])
    trader.is_long(5250)
    for account in (None, "DEMO-1"):
        told = went(trader, account)
        assert (told.points, [fill.account for fill in told.fills]) == ((), ["DEMO-1"])
    assert went(trader, "another").fills == ()


def test_the_past_of_one_account_holds_nothing_of_another(anywhere: StoredTrader) -> None:
    trader = has_traded(anywhere)
    assert went(trader, "DEMO-1").points == went(trader).points
    assert (went(trader, "DEMO-1").external, went(trader, "nobody").points, went(trader, "nobody").fills) == (
        (),
        (),
        (),
    )
    assert len(went(trader, "elsewhere").external) == 2


def test_what_was_taken_out_is_gone_and_its_past_stays(anywhere: StoredTrader) -> None:
    trader = anywhere
    held = notes(trader, GOLD)
    gone = taken_out(held, trader.later(seconds=30).now)
    trader.manager.keep_records([external_record(gone)])
    assert holds(trader.restarts()).positions == ()
    changes = went(trader).external
    assert [(change.change, change.at) for change in changes] == [
        ("added", held.added_at),
        ("removed", held.added_at + timedelta(seconds=30)),
    ]


def test_a_noted_position_changes_no_gate_no_lock_and_no_journal_row(anywhere: StoredTrader) -> None:
    trader = anywhere.with_structure("green")
    sequence, desk = trader.desk.sequence, trader.desk
    notes(trader, MORE_NQ)
    assert (trader.desk.sequence, trader.desk) == (sequence, desk)
    assert trader.gate_for("BUY", "ES") is None


def test_the_journal_of_the_other_environment_is_an_account_without_a_name(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite").broker_says(50_000, account="DEMO-1")
    trader.is_long(5250).later(seconds=60).bricks(6, "green").exits().filled_at(5252).later(seconds=60)
    trader.hears_bridge(account="LIVE-1").switches_to("LIVE")
    assert trader.desk.env == "LIVE", trader.answer
    totals = holds(trader).totals
    trader.stops()
    realized: dict[Env | None, Decimal | None] = {one.env: one.realized_today_usd for one in totals.accounts}
    assert realized == {"LIVE": Decimal(0), "DEMO": Decimal(50)}
    assert totals.realized_today_usd == Decimal(50)


def test_a_standby_shows_what_was_noted_and_notes_nothing(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    standby = StateManager(SqliteStore(trader.path), lambda now: rules_for("ES"), lambda: trader.now)
    held = notes(trader, GOLD)
    assert not standby.is_writer
    assert [one.id for one in portfolio_of(standby.store, standby.snapshot.desk, trader.now).positions] == [held.id]
    with pytest.raises(NotTheWriter):
        standby.keep_records([external_record(taken_out(held, trader.now))])
    assert [one.id for one in holds(trader).positions] == [held.id]
    standby.stop()
    trader.stops()


def test_a_store_that_does_not_answer_notes_nothing_and_the_next_commit_goes_on(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    gold = External(id_of(GOLD.contract), GOLD, trader.now, "{}")
    blocker = sqlite3.connect(trader.path, timeout=0, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError):
        trader.manager.keep_records([external_record(gold)])
    blocker.execute("ROLLBACK")
    blocker.close()
    eventually(lambda: trader.manager.snapshot.store == "up")
    assert holds(trader).positions == ()
    assert [one.id for one in (notes(trader, GOLD),)] == [
        one.id for one in holds(trader.with_structure("green")).positions
    ]
    trader.stops()


def test_two_accounts_of_one_name_have_no_equity_that_is_one_of_theirs() -> None:
    told = [AccountTold("A1", "DEMO", "desk", Decimal(50_000)), AccountTold("A1", "DEMO", "mt4", Decimal(10_000))]
    (account,) = totals_of([], told, {}).accounts
    assert (account.sources, account.equity_usd) == (("desk", "mt4"), None)
