"""Sums of any portfolio: parts add up to the whole, and what is not known is never a number."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.portfolio.groups import group_of
from services.portfolio.totals import AccountTold, totals_of
from wire.portfolio import PortfolioPosition, PositionSide
from wire.types import Env

CENTS = st.none() | st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents) / 100)
WORTH = st.none() | st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)
NAMES = ("value_usd", "net_usd", "open_pnl_usd", "risk_usd")


@st.composite
def positions(draw: st.DrawFn) -> PortfolioPosition:
    symbol = draw(st.sampled_from(("ES", "NQ", "GC", "AAPL")))
    sides: tuple[PositionSide, ...] = ("long", "short")
    envs: tuple[Env | None, ...] = ("DEMO", "LIVE", None)
    return PortfolioPosition(
        id="x",
        account=draw(st.sampled_from(("A", "B", None))),
        env=draw(st.sampled_from(envs)),
        source="manual",
        symbol=symbol,
        contract=None,
        group=group_of(symbol),
        side=draw(st.sampled_from(sides)),
        qty=Decimal(1),
        avg_price=None,
        price=None,
        price_ts=None,
        price_code=None,
        point_value=None,
        value_usd=draw(WORTH),
        open_pnl_usd=draw(CENTS),
        stop_price=None,
        risk_usd=draw(WORTH),
        risk_code=None,
        opened_ts=None,
        note="",
        simulated=False,
        uncounted=draw(st.sampled_from((None, None, "held_at_broker"))),
        broker_position=None,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(positions(), max_size=8), st.dictionaries(st.sampled_from(("DEMO", "LIVE")), st.just(Decimal("12.34"))))
def test_parts_add_up_to_the_whole(held: list[PortfolioPosition], realized: dict[Env, Decimal]) -> None:
    totals = totals_of(held, [AccountTold("A", "DEMO", "desk", Decimal(50_000))], realized)
    counted = [one for one in held if one.uncounted is None]
    assert totals.positions == len(counted)
    for parts in (totals.accounts, totals.envs, totals.groups, totals.assets):
        assert sum(part.positions for part in parts) == totals.positions
        for name in NAMES:
            known = [getattr(part, name) for part in parts]
            whole = getattr(totals, name)
            assert (whole is None) is (None in known)
            assert whole is None or whole == sum(known)
    assert (totals.open_pnl_usd is None) is any(one.open_pnl_usd is None for one in counted)
    told = [account.realized_today_usd for account in totals.accounts]
    assert sum(amount for amount in told if amount is not None) == totals.realized_today_usd == sum(realized.values())
