"""The MT4 account in the portfolio: what its answers say, and nothing that they do not prove."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.portfolio.mt4 import NotOneAccount, book_of, fills_of
from services.portfolio.mt4_course import last_heard, mt4_day_record, mt4_days, sample_of
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from wire.portfolio import PortfolioPosition

NOON = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
ACCOUNT = {"id": "paper-1", "equity": 10_150.0, "currency": "USD", "real": False, "kind": "paper", "balance": 10_000.0}
POSITION = {
    "id": "pos123",
    "symbol": "EURUSD",
    "type": "BUY",
    "volume": 0.1,
    "open_price": 1.1,
    "current_price": 1.105,
    "stop_loss": 1.095,
    "take_profit": 1.11,
    "profit": 50.0,
    "swap": -0.5,
    "open_time": "2026-11-17T10:00:00Z",
}


def status(**more: Any) -> bytes:
    return msgspec.json.encode({"connected": True, "account": {**ACCOUNT, **more}, "route": "paper"})


def holds(*positions: dict[str, Any], account: str = "paper-1") -> bytes:
    return msgspec.json.encode({"success": True, "positions": positions, "account": account, "kind": "paper"})


def only(told: bytes = b"", **more: Any) -> PortfolioPosition:
    (position,) = book_of(told or status(), holds({**POSITION, **more})).positions
    return position


def test_a_position_is_worth_what_its_own_profit_proves() -> None:
    position = only()
    assert (position.symbol, position.side, position.qty, position.group) == (
        "EURUSD",
        "long",
        Decimal("0.1"),
        "usd_pairs",
    )
    assert (position.point_value, position.value_usd) == (Decimal(100_000), Decimal("11050.00"))
    assert (position.open_pnl_usd, position.risk_usd) == (Decimal("50.00"), Decimal("50.00"))
    assert (position.account, position.env, position.source) == ("paper-1", "DEMO", "mt4")


def test_a_short_position_is_proven_alike() -> None:
    position = only(type="SELL", profit=-50.0, stop_loss=1.115)
    assert (position.side, position.point_value, position.risk_usd) == ("short", Decimal(100_000), Decimal("150.00"))


def test_a_size_that_is_told_needs_no_proof() -> None:
    assert only(contract_size=10_000, profit=0.0).value_usd == Decimal("1105.00")


@pytest.mark.parametrize(
    ("more", "price_code", "risk_code"),
    [
        ({"profit": 37.5}, "unknown_size", "unknown_size"),
        ({"current_price": 1.1, "profit": 0.0}, "unknown_size", "unknown_size"),
        ({"current_price": None, "profit": None}, "no_price", "unknown_size"),
        ({"stop_loss": None}, None, "no_stop"),
        ({"stop_loss": 0}, None, "no_stop"),
    ],
)
def test_what_is_not_proven_is_null(more: dict[str, Any], price_code: str | None, risk_code: str) -> None:
    position = only(**more)
    assert (position.price_code, position.risk_code, position.risk_usd) == (price_code, risk_code, None)
    assert (position.value_usd is None) is (price_code is not None)


def test_money_of_another_currency_is_no_dollars() -> None:
    told = status(currency="EUR")
    assert (only(told).open_pnl_usd, only(told).price_code) == (None, "other_currency")
    account = book_of(told, holds()).account
    assert account is not None
    assert account.equity_usd is None


def test_what_was_opened_at_invented_prices_says_so() -> None:
    assert [only(simulated=told).simulated for told in (True, False)] == [True, False]


def test_the_equity_is_the_accounts() -> None:
    account = known(book_of(status(), holds()).account)
    assert (account.account, account.env, account.equity_usd) == ("paper-1", "DEMO", Decimal(10_150))


def test_a_real_account_is_live() -> None:
    assert only(status(real=True)).env == "LIVE"


def test_the_desks_own_account_is_not_counted_a_second_time() -> None:
    assert book_of(status(kind="desk"), holds(POSITION)).positions == ()


def test_nothing_connected_is_nothing_held() -> None:
    nothing = msgspec.json.encode({"connected": False, "account": None, "route": "paper"})
    assert (book_of(nothing, None).account, book_of(nothing, None).is_connected) == (None, False)


@pytest.mark.parametrize(
    "positions",
    [
        None,
        b"",
        b"[]",
        b'{"positions": 3, "account": "paper-1"}',
        holds({**POSITION, "volume": "much"}),
        holds({**POSITION, "type": "BUY_LIMIT"}),
    ],
)
def test_an_answer_that_says_something_else_is_not_used(positions: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        book_of(status(), positions)


def test_two_answers_of_two_accounts_are_not_one() -> None:
    with pytest.raises(NotOneAccount):
        book_of(status(), holds(account="another"))


# -- its past -------------------------------------------------------------------------------------------------------

OPENED = {"id": "1", "symbol": "EURUSD", "side": "BUY", "entry": "in", "volume": 0.1, "price": 1.1, "profit": None}
CLOSED = {**OPENED, "id": "2", "side": "SELL", "entry": "out", "price": 1.105, "profit": 50.0, "position_id": "pos123"}
HOUR = timedelta(hours=1)


def deals(*told: dict[str, Any], account: str = "paper-1") -> bytes:
    return msgspec.json.encode({"success": True, "deals": told, "account": account, "kind": "paper"})


def test_its_fills_are_told_with_what_each_realized() -> None:
    told = deals({**CLOSED, "time": NOON + HOUR}, {**OPENED, "time": NOON})
    opened, closed = fills_of(status(), told, NOON, NOON + 2 * HOUR)
    assert (opened.kind, opened.side, opened.realized_usd, opened.trade_id) == ("ENTRY", "BUY", None, None)
    assert (closed.kind, closed.realized_usd, closed.trade_id) == ("EXIT", Decimal("50.00"), "pos123")
    assert (closed.account, closed.env, closed.amount_usd) == ("paper-1", "DEMO", None)
    assert fills_of(status(), told, NOON, NOON + HOUR) == (opened,)
    assert fills_of(status(kind="desk"), told, NOON, NOON + 2 * HOUR) == ()
    assert fills_of(status(currency="EUR"), told, NOON, NOON + 2 * HOUR)[1].realized_usd is None


def test_fills_of_another_account_are_not_its() -> None:
    with pytest.raises(NotOneAccount):
        fills_of(status(), deals(account="another"), NOON, NOON + HOUR)


@pytest.mark.parametrize(
    "told",
    [
        msgspec.json.encode({"connected": False, "account": None}),
        status(kind="desk"),
        status(currency="EUR"),
        status(equity=None),
    ],
)
def test_what_is_no_equity_in_dollars_is_no_sample(told: bytes) -> None:
    assert sample_of(told, NOON) is None


def test_samples_are_five_minutes_apart_and_outlive_a_restart(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    for minute in range(12):
        sample = known(sample_of(status(equity=10_000 + minute), NOON + timedelta(minutes=minute)))
        record = mt4_day_record(trader.manager.store, sample)
        assert (record is None) is (minute % 5 != 0)
        if record is not None:
            trader.manager.keep_records([record])
    (day,) = mt4_days(trader.restarts().manager.store, NOON, NOON + HOUR)
    lately, long_after = (last_heard(trader.manager.store, NOON + timedelta(days=days)) for days in (6, 8))
    assert (known(lately).equity, long_after) == (Decimal(10_010), None)
    trader.stops()
    assert [sample.equity for sample in day.samples] == [10_000, 10_005, 10_010]
    assert {sample.account for sample in day.samples} == {"paper-1"}
