"""Whatever a firm's profile says: nothing is allowed with it that is refused without it (SPEC 5.9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.engine.decide import decide
from services.engine.model.commands import AnyCommand, ConfigureDesk, EnterMarket, ExitPosition, PlacePreOrder, ScaleIn
from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown
from services.engine.model.replies import Refusal
from services.engine.model.state import Desk
from services.engine.rules.beliefs import limit_usd, nearest, start_of
from services.engine.rules.contract_caps import caps_left
from services.engine.rules.firm_floor import floor_of
from services.engine.rules.firm_limits import allowed_lots, firm_is_open, left_of_firm
from services.engine.rules.firm_tighter import tighter_firm
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from tests.support.trader import Trader
from wire.types import Side

USD = st.integers(1, 60_000).map(Decimal)
STARTS = st.sampled_from([None, Decimal(25_000), Decimal(50_000), Decimal(51_000), Decimal(100_000)])
CLOCKS = st.sampled_from(["09:30", "15:00", "16:10", "16:59", "18:00", "18:30"])
SIDES: tuple[Side, ...] = ("BUY", "SELL")
ACTS: tuple[AnyCommand, ...] = (
    EnterMarket("ES", "SCALP", "6pt", "BUY"),
    EnterMarket("ES", "SCALP", "9pt", "SELL", override=True, override_reason="because"),
    PlacePreOrder("ES", "SCALP", "6pt", "BUY"),
    ScaleIn("ES"),
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[ScalingStep, ...]:
    profits = [0, *sorted(draw(st.sets(st.integers(1, 9_000), max_size=3)))]
    numbers = sorted(draw(st.lists(st.integers(1, 20), min_size=len(profits), max_size=len(profits))))
    return tuple(ScalingStep(Decimal(one), Decimal(two)) for one, two in zip(profits, numbers, strict=True))


@st.composite
def firms(draw: st.DrawFn) -> Firm:
    start = draw(STARTS)
    follows: Any = draw(st.sampled_from(["end_of_day", "real_time"]))
    trailing = TrailingDrawdown(draw(USD), follows, draw(st.none() | st.sampled_from([Decimal(0), Decimal(100)])))
    return Firm(
        name="any",
        account="one",
        start_balance=start,
        daily_loss=draw(st.none() | USD),
        drawdown=None if start is None else draw(st.none() | st.just(trailing)),
        scaling=draw(st.just(()) | plans()),
        micros_count_full=draw(st.booleans()),
        flat_by=draw(st.none() | CLOCKS),
        opens_at=draw(st.none() | CLOCKS),
    )


def lived(trader: Trader, steps: list[tuple[str, int]]) -> Trader:
    """Let a day pass: balances, prices, entries, fills, exits, restarts, evenings."""
    for what, number in steps:
        order = trader.order
        match what:
            case "balance":
                trader.later(3).broker_says(Decimal(50_000 + 25 * number))
            case "again":
                equity = trader.desk.live.equity
                trader.later(2).broker_says(equity if equity is not None else 50_000)
            case "price":
                trader.later(1).hears(Decimal("5250") + Decimal(number) / 4)
            case "enter":
                trader.later(301).with_structure("green").enters("BUY")
            case "fill" if order is not None:
                trader.later(1).filled_at(Decimal("5250"))
            case "exit" if trader.asset.trade is not None:
                trader.exits(force=True)
            case "restart":
                trader.restarts()
            case "evening":
                trader.later(9 * 3600).ticks()
    return trader


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["balance", "balance", "again", "price", "price", "enter", "fill", "exit", "restart", "evening"]
        ),
        st.integers(-60, 60),
    ),
    max_size=14,
)


def test_these_days_have_acts_that_pass_and_acts_that_only_the_firm_refuses() -> None:
    firm = Firm("any", "one", daily_loss=Decimal(500))
    fresh = Trader(firm=firm).broker_says(50_000).with_structure("green")
    assert not isinstance(decide(fresh.desk, ACTS[0], fresh.now).answer, Refusal)
    lost = fresh.later(3).broker_says(49_600).later(301).broker_says(49_520).with_structure("green")
    assert isinstance(decide(lost.desk, ACTS[0], lost.now).answer, Refusal)
    assert not isinstance(decide(without(lost.desk), ACTS[0], lost.now).answer, Refusal)


def without(desk: Desk) -> Desk:
    return replace(desk, rules=replace(desk.rules, firm=None), wanted=replace(desk.wanted, firm=None))


@settings(max_examples=150, deadline=None)
@given(firms(), STEPS)
def test_no_act_is_allowed_with_a_firm_that_is_refused_without_it(firm: Firm, steps: list[tuple[str, int]]) -> None:
    trader = lived(Trader(firm=firm), steps).later(301).with_structure("green")
    desk, now = trader.desk, trader.now
    bare = without(desk)
    for act in ACTS:
        kept = decide(desk, act, now).answer
        assert isinstance(kept, Refusal) or not isinstance(decide(bare, act, now).answer, Refusal)
    for side in SIDES:
        entry = EntryRequest(desk.assets["ES"], side, is_attempt=True)
        closed = {rung.gate for rung in ladder(desk, entry, now) if not rung.is_open}
        assert {rung.gate for rung in ladder(bare, entry, now) if not rung.is_open} <= closed


@settings(max_examples=150, deadline=None)
@given(firms(), STEPS)
def test_an_exit_passes_with_any_firm(firm: Firm, steps: list[tuple[str, int]]) -> None:
    trader = lived(Trader(firm=firm), steps)
    asked = ExitPosition("ES", force=True)
    kept, bare = decide(trader.desk, asked, trader.now), decide(without(trader.desk), asked, trader.now)
    assert isinstance(kept.answer, Refusal) is isinstance(bare.answer, Refusal)


@settings(max_examples=150, deadline=None)
@given(firms(), STEPS)
def test_the_day_never_ends_later_with_a_firm(firm: Firm, steps: list[tuple[str, int]]) -> None:
    desk = lived(Trader(firm=firm), steps).desk
    limit, own = nearest(desk), limit_usd(desk)
    assert (limit is None) is (own is None) is (start_of(desk) is None)
    if limit is not None and own is not None:
        assert limit.usd > 0
        assert limit.result >= -own
    if nearest(without(desk)) is not None:
        assert nearest(without(desk)).of == "daily_stop"  # type: ignore[union-attr]


@settings(max_examples=100, deadline=None)
@given(firms(), STEPS)
def test_the_floor_never_falls(firm: Firm, steps: list[tuple[str, int]]) -> None:
    trader = Trader(firm=firm)
    floor = floor_of(trader.desk, firm)
    for step in steps:
        lived(trader, [step])
        after = floor_of(trader.desk, firm)
        assert (floor is None) is (after is None)
        if floor is not None and after is not None:
            assert after >= floor
        floor = after


def room(trader: Trader) -> int | None:
    """Return how many contracts of the asset in hand the firm still allows, None when it limits none."""
    caps = caps_left(trader.desk, trader.asset.symbol, trader.asset.contract, trader.now)
    return next((cap.fits for cap in caps if cap.cap == "firm"), None)


@settings(max_examples=200, deadline=None)
@given(firms(), firms(), STEPS)
def test_a_change_of_firm_loosens_nothing_today(before: Firm, after: Firm, steps: list[tuple[str, int]]) -> None:
    trader = lived(Trader(firm=before), steps)
    known = trader.desk.rules.firm
    left, contracts = left_of_firm(trader.desk, trader.now), room(trader)
    shut = not firm_is_open(trader.desk, None, trader.now).is_open
    trader.asks(ConfigureDesk(replace(trader.desk.configured, firm=after)))
    assert known == before
    now_left, now_contracts = left_of_firm(trader.desk, trader.now), room(trader)
    assert left is None or (now_left is not None and now_left <= left)
    assert contracts is None or (now_contracts is not None and now_contracts <= contracts)
    assert not shut or not firm_is_open(trader.desk, None, trader.now).is_open


@settings(max_examples=300, deadline=None)
@given(st.none() | firms(), st.none() | firms())
def test_the_tighter_of_two_firms_is_as_tight_as_today_s(one: Firm | None, other: Firm | None) -> None:
    kept = tighter_firm(one, other)
    assert (kept is None) is (one is None and other is None)
    assert tighter_firm(one, one) == one
    if kept is not None and one is not None:
        assert tighter_firm(one, kept) == kept
        assert one.daily_loss is None or (kept.daily_loss is not None and kept.daily_loss <= one.daily_loss)


@settings(max_examples=100, deadline=None)
@given(plans(), STEPS)
def test_a_plan_never_allows_more_than_its_last_step(
    plan: tuple[ScalingStep, ...], steps: list[tuple[str, int]]
) -> None:
    firm = Firm("any", "one", Decimal(50_000), scaling=plan)
    allowed = allowed_lots(lived(Trader(firm=firm), steps).desk, firm)
    assert allowed is not None
    assert plan[0].contracts <= allowed <= plan[-1].contracts
