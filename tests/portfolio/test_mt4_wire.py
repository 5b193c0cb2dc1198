"""What the agent port really says of MT4, field by field of its wire, is what the portfolio reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from services.portfolio.mt4 import book_of, fills_of
from services.portfolio.mt4_course import sample_of
from tests.support.narrow import known
from wire.encoding import encode
from wire.mt4 import AccountKind, AccountState, DealRow, DealsAnswer, PositionRow, PositionsAnswer, StatusAnswer

NOON = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
HELD = PositionRow(
    id="1000001",
    symbol="XAUUSD",
    type="SELL",
    volume=Decimal("0.2"),
    contract_size=Decimal(100),
    open_price=Decimal("4081.5"),
    current_price=Decimal("4080.25"),
    stop_loss=Decimal("4090"),
    take_profit=None,
    profit=Decimal("25.00"),
    swap=Decimal(0),
    open_time=NOON,
    comment="",
    simulated=False,
)
CLOSED = DealRow(
    id="2",
    position_id="1000001",
    symbol="XAUUSD",
    side="BUY",
    entry="out",
    volume=Decimal("0.2"),
    price=Decimal("4080.25"),
    profit=Decimal("25.00"),
    reason="close",
    time=NOON,
    simulated=False,
)


def status(kind: AccountKind = "paper", equity: Decimal | None = Decimal("10025.00")) -> bytes:
    account = AccountState(
        id="paper",
        login=None,
        server="paper",
        platform="mt4",
        balance=Decimal(10_000),
        equity=equity,
        margin=Decimal("81.61"),
        free_margin=None,
        profit=Decimal("25.00"),
        currency="USD",
        leverage=100,
        kind=kind,
        real=False,
    )
    return encode(StatusAnswer(connected=True, account=account, route="paper"))


def test_a_position_of_the_wire_is_one_of_the_portfolio() -> None:
    told = encode(PositionsAnswer(success=True, positions=(HELD,), account="paper", kind="paper"))
    book = book_of(status(), told)
    (position,) = book.positions
    assert (position.symbol, position.group, position.side) == ("XAUUSD", "gold", "short")
    assert (position.point_value, position.value_usd) == (Decimal(100), Decimal("81605.00"))
    assert (position.open_pnl_usd, position.risk_usd) == (Decimal("25.00"), Decimal("170.00"))
    assert known(book.account).equity_usd == Decimal(10_025)


def test_a_deal_of_the_wire_is_a_fill() -> None:
    told = encode(DealsAnswer(success=True, deals=(CLOSED,), account="paper", kind="paper"))
    (fill,) = fills_of(status(), told, NOON, NOON + timedelta(seconds=1))
    assert (fill.kind, fill.realized_usd, fill.qty, fill.trade_id) == (
        *("EXIT", Decimal("25.00"), Decimal("0.2")),
        "1000001",
    )


def test_a_status_of_the_wire_is_a_sample_and_the_desks_own_account_is_none() -> None:
    assert known(sample_of(status(), NOON)).equity == Decimal(10_025)
    assert sample_of(status(kind="desk"), NOON) is None
    nothing = encode(StatusAnswer(connected=False, account=None, route="paper"))
    assert (sample_of(nothing, NOON), book_of(nothing, None).is_connected) == (None, False)
