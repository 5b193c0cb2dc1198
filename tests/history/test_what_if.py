"""What other rules would have done, in stories whose outcome is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.model.commands import ExitPosition
from services.engine.model.events import EntryAccepted
from services.history.display import show_what_if
from services.history.other_desk import OtherDesk
from services.history.recomputing import command_of, decide_again, opened_by, with_observed
from services.history.what_if import Allowed, Refused
from services.ops.rule_settings import rules_named
from services.stores.codec import documents
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader


@pytest.fixture(params=[15, pytest.param(40, marks=pytest.mark.soak)])
def examples(request: pytest.FixtureRequest) -> settings:
    return settings(max_examples=request.param)


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    yield trader
    trader.stops()


def won(trader: StoredTrader, points: float, at: str) -> StoredTrader:
    """Have one whole trade that ends ``points`` above its entry, flat at that time."""
    trader.with_structure("green").enters("BUY").filled_at(5250)
    assert trader.refused_by is None
    trader.bricks(6, "green").at(at).exits().filled_at(5250 + points)
    return trader


def test_a_longer_cooldown_refuses_the_next_entry_and_tells_what_it_made(trader: StoredTrader) -> None:
    won(trader, 2, at="09:32:00")
    trader.at("09:35:20")  # 200 s after flat
    won(trader, -3, at="09:36:00")
    found = trader.under("COOLDOWN_SECONDS=300")
    (refused,) = found.refused
    assert (refused.asset, refused.direction, refused.gate) == ("ES", "BUY", "cooldown")
    assert "COOLDOWN" in refused.sentence
    made = known(refused.made)
    assert (made.pnl_points, made.pnl_usd) == (Decimal(-3), Decimal(-75))
    assert (found.refused_made, found.all_made, found.entries) == (Decimal(-75), Decimal(-25), 2)
    assert found.allowed == ()


def test_a_blocked_click_would_have_been_allowed_and_its_result_is_unknown(trader: StoredTrader) -> None:
    won(trader, 2, at="09:34:30")
    trader.at("09:36:10").with_structure("green").enters("BUY")  # 100 s after flat, in a new candle
    assert trader.refused_by == "cooldown"
    trader.at("09:38:00").enters("BUY").filled_at(5250)
    assert trader.refused_by is None
    trader.bricks(6, "green").exits().filled_at(5251)
    found = trader.under("COOLDOWN_SECONDS=60")
    (allowed,) = found.allowed
    assert (allowed.asset, allowed.direction, allowed.gate) == ("ES", "BUY", "cooldown")
    assert found.refused == ()  # its token and candle came back: the entry after it is as it was


def test_a_click_on_a_proposal_is_an_entry_like_any_other(trader: StoredTrader) -> None:
    trader.with_structure("green").hears(5250).hears_proposal().clicks_proposal().filled_at(5250)
    trader.bricks(6, "green").at("09:32:00").exits().filled_at(5252)
    trader.at("09:35:20").with_structure("green").hears_proposal().clicks_proposal()
    assert trader.refused_by is None
    tighter = trader.under("STOP_POINTS=5")  # which would not have shown a proposal whose stop is 10 points away
    assert (tighter.entries, tighter.refused, tighter.allowed) == (2, (), ())
    (refused,) = trader.under("COOLDOWN_SECONDS=300").refused
    assert refused.gate == "cooldown"


def test_a_program_s_exit_of_a_trade_is_that_of_its_twin(trader: StoredTrader) -> None:
    won(trader, 2, at="09:32:00")
    trader.at("09:35:20")
    won(trader, -3, at="09:36:00")  # refused on the other desk, so that its next trade has another id
    trader.at("09:45:10").with_structure("green").enters("BUY").filled_at(5250)
    real = trader.trade.id
    trader.asks(ExitPosition("ES", force=True, by="service", trade=real))
    with trader.history() as history:
        key = documents.read_desk(known(history.store.load())).id_key
        first = next(history.rows(0))
        before = opened_by(command_of(first), first, key)
        other = OtherDesk(before, {"cooldown_seconds": 300})
        for step in decide_again(history.rows(0), None, key):
            other.follow(command_of(step.row), with_observed(before, step.row), step)
            before = step.desk
    assert known(other.desk.assets["ES"].trade).id == other.twin_of(real) != real
    assert known(other.desk.open_exit("ES")).by == "service"


def test_two_trades_a_day_refuse_the_third(trader: StoredTrader) -> None:
    for number, points in enumerate((1, 2, 5)):
        trader.at(f"{10 + number}:01:00")
        won(trader, points, at=f"{10 + number}:04:00")
    found = trader.under("MAX_TRADES_PER_DAY=2")
    (refused,) = found.refused
    assert (refused.gate, known(refused.made).pnl_usd) == ("trade_limit", Decimal(125))


def test_a_refused_trade_counts_for_nothing_afterwards(trader: StoredTrader) -> None:
    """Its cooldown, its candle and its slot of the day are free for what came later."""
    won(trader, 1, at="10:01:00")
    trader.at("10:05:10")  # 250 s after flat: refused under 300
    won(trader, -1, at="10:06:00")
    trader.at("10:10:00")  # 240 s after the refused one's end, 540 s after the first's
    won(trader, 2, at="10:11:00")
    found = trader.under("COOLDOWN_SECONDS=300", "MAX_TRADES_PER_DAY=2")
    assert [(entry.sequence, entry.gate) for entry in found.refused] == [(found.refused[0].sequence, "cooldown")]
    assert known(found.refused[0].made).pnl_points == -1


def test_the_candle_of_a_refused_entry_is_free(trader: StoredTrader) -> None:
    won(trader, 1, at="10:01:00")
    trader.at("10:05:10")
    won(trader, 1, at="10:05:40")
    trader.at("10:08:50").bricks(6, "green").enters("BUY")
    assert trader.refused_by == "candle_lock"
    found = trader.under("COOLDOWN_SECONDS=300")
    assert [entry.gate for entry in found.refused] == ["cooldown"]
    assert [entry.gate for entry in found.allowed] == ["candle_lock"]


def test_the_brokers_positions_of_a_refused_trade_are_not_adopted(trader: StoredTrader) -> None:
    won(trader, 2, at="09:32:00")
    trader.at("09:35:20").with_structure("green").enters("BUY").filled_at(5250)
    for _ in range(4):
        trader.later(seconds=3).broker_says(balance=50_000)
    trader.bricks(6, "green").exits().filled_at(5251)
    trader.later(seconds=3).broker_says(balance=50_000, position=5)  # the broker is late
    trader.later(seconds=3).broker_says(balance=50_000).later(seconds=3).broker_says(balance=50_000)
    trader.at("09:45:00")
    won(trader, 1, at="09:46:00")
    found = trader.under("COOLDOWN_SECONDS=300")
    assert [entry.gate for entry in found.refused] == ["cooldown"]


def test_a_tighter_daily_stop_refuses_what_followed_and_flattens_nothing_twice(trader: StoredTrader) -> None:
    trader.broker_says(balance=50_000)
    won(trader, -15, at="09:32:00")
    trader.broker_says(balance=49_400)  # 1.2 %
    trader.at("09:40:00")
    won(trader, 4, at="09:41:00")
    found = trader.under("DAILY_STOP_LIMIT_PCT=1")
    (refused,) = found.refused
    assert (refused.gate, known(refused.made).pnl_usd) == ("daily_stop", Decimal(100))
    assert [entry.gate for entry in trader.under("DAILY_STOP_LIMIT_PCT=1.5").refused] == ["risk"]  # 150 USD are left
    assert trader.under("DAILY_STOP_LIMIT_PCT=2").refused == ()


def test_a_snapshot_that_left_no_row_still_reaches_the_tighter_stop(trader: StoredTrader) -> None:
    trader.broker_says(balance=50_000)
    trader.later(seconds=5).broker_says(balance=49_400)
    trader.later(seconds=5).broker_says(balance=49_400)
    trader.at("09:40:00")
    won(trader, 4, at="09:41:00")
    assert [entry.gate for entry in trader.under("DAILY_STOP_LIMIT_PCT=1").refused] == ["daily_stop"]


def test_a_looser_daily_stop_would_have_allowed_more(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite", daily_stop_limit_pct=Decimal(1))
    trader.broker_says(balance=50_000)
    trader.later(seconds=5).broker_says(balance=49_400)
    trader.at("09:40:00").with_structure("green").enters("BUY")
    assert trader.refused_by == "daily_stop"
    found = trader.under("DAILY_STOP_LIMIT_PCT=2")
    trader.stops()
    assert [entry.gate for entry in found.allowed] == ["daily_stop"]


def test_the_account_of_the_other_desk_did_not_lose_what_was_refused(trader: StoredTrader) -> None:
    """The loss of a refused trade does not bring the other desk's daily stop."""
    trader.broker_says(balance=50_000)
    won(trader, 1, at="09:32:00")
    trader.broker_says(balance=50_025)
    trader.at("09:35:20")
    won(trader, -24, at="09:36:00")  # -600 USD: 1.2 %
    trader.broker_says(balance=49_425)
    trader.at("09:50:00")
    won(trader, 2, at="09:51:00")
    found = trader.under("COOLDOWN_SECONDS=300", "DAILY_STOP_LIMIT_PCT=1")
    assert [(entry.gate, known(entry.made).pnl_points) for entry in found.refused] == [("cooldown", Decimal(-24))]


def test_a_preorder_that_would_not_have_been_taken_is_refused_where_it_fired(trader: StoredTrader) -> None:
    won(trader, 2, at="09:32:00")
    trader.at("09:35:20").with_zone("green", "green").preorders("BUY")
    assert trader.refused_by is None
    trader.bricks(6, "green").filled_at(5250).bricks(6, "green").exits().filled_at(5251)
    (refused,) = trader.under("COOLDOWN_SECONDS=300").refused
    assert (refused.gate, known(refused.made).pnl_points) == ("cooldown", Decimal(1))


def test_smaller_entries_are_filled_by_their_share(trader: StoredTrader) -> None:
    trader.with_structure("green").enters("BUY").partly_filled(2, 5250).partly_filled(3, 5250)
    trader.later(seconds=3).broker_says(balance=50_000).later(seconds=3).broker_says(balance=50_000)
    trader.bricks(6, "green").exits().filled_at(5251)
    trader.later(seconds=3).broker_says().later(seconds=3).broker_says()
    trader.at("09:50:00")
    won(trader, 1, at="09:51:00")
    found = trader.under("ENTRY_QTY_6PT=3")
    assert (found.refused, found.allowed) == ((), ())


def test_a_shorter_life_of_orders_loses_the_entry_that_was_claimed_late(trader: StoredTrader) -> None:
    trader.with_structure("green").enters("BUY").later(seconds=20).filled_at(5250)
    trader.bricks(6, "green").exits().filled_at(5252)
    (refused,) = trader.under("ENTRY_TTL_SECONDS=10").refused
    assert (refused.gate, known(refused.made).pnl_points) == ("entry_ttl", Decimal(2))
    assert trader.under("ENTRY_TTL_SECONDS=25").refused == ()


def test_a_stop_at_the_broker_ends_the_trade_on_both_desks(trader: StoredTrader) -> None:
    trader.with_structure("green").enters("BUY").filled_at(5250)
    for _ in range(2):
        trader.later(seconds=3).broker_says(position=0, last_fill_price=5235)
    assert trader.position == 0
    trader.at("09:45:00")
    won(trader, 1, at="09:46:00")
    found = trader.under("POINTS_TP_TARGET=30", "ENTRY_QTY_6PT=2")
    assert (found.refused, found.allowed) == ((), ())


def test_a_target_that_was_not_reached_ends_where_the_trade_really_ended(trader: StoredTrader) -> None:
    trader.with_structure("green").enters("BUY").filled_at(5250)
    trader.later(seconds=5).hears(5266).filled_at(5266)
    assert trader.position == 0
    trader.at("09:45:00")
    won(trader, 1, at="09:46:00")
    found = trader.under("POINTS_TP_TARGET=40")
    assert (found.refused, found.allowed) == ((), ())


def test_a_day_is_told_alone_with_the_day_before_as_run_up(trader: StoredTrader) -> None:
    won(trader, 2, at="09:32:00")
    trader.keeps_snapshot()
    trader.at("09:35:20")
    won(trader, -3, at="09:36:00")
    trader.at("09:31:00", on="2026-11-18")
    won(trader, 2, at="09:32:00")
    trader.at("09:35:20", on="2026-11-18")
    won(trader, -4, at="09:36:00")
    found = trader.under("COOLDOWN_SECONDS=300", day="2026-11-18")
    assert [known(entry.made).pnl_points for entry in found.refused] == [-4]
    found = trader.under("COOLDOWN_SECONDS=300", day="2026-11-17")
    assert [known(entry.made).pnl_points for entry in found.refused] == [-3]


def test_a_change_in_the_page_stays_under_the_other_rule(trader: StoredTrader) -> None:
    trader.limits(cooldown_seconds=240)
    won(trader, 2, at="09:32:00")
    trader.at("09:36:10")  # 250 s after flat
    won(trader, -3, at="09:37:00")
    assert trader.under("COOLDOWN_SECONDS=200").refused == ()
    assert [entry.gate for entry in trader.under("COOLDOWN_SECONDS=300").refused] == ["cooldown"]


def test_the_table_names_gate_sentence_and_result(trader: StoredTrader, capsys: pytest.CaptureFixture[str]) -> None:
    won(trader, 2, at="09:32:00")
    trader.at("09:35:20")
    won(trader, -3, at="09:36:00")
    trader.at("09:38:00").bricks(6, "green").enters("BUY")
    assert trader.refused_by == "cooldown"
    show_what_if(trader.under("COOLDOWN_SECONDS=300"))
    told = capsys.readouterr().out
    row = next(line for line in told.splitlines() if "refused by cooldown (POST-EXIT COOLDOWN ACTIVE" in line)
    for part in ("2026-11-17 09:35:20", "ES", "BUY", "-3.00", "-75.00 USD"):
        assert part in row
    assert "2 entries were taken in" in told
    assert "2 trades closed and made -25.00 USD." in told
    assert "1 of them would have been refused; 1 closed and made -75.00 USD together." in told
    allowed = next(line for line in told.splitlines() if "allowed; it was refused by cooldown (" in line)
    assert allowed.count("unknown") == 2
    assert "1 refused ones would have been allowed, their result is unknown." in told


DEEDS = (
    *("arm", "enter", "fill", "free", "go", "later", "hour", "snap", "trade", "trade", "trade", "trade"),
    *("brick6", "brick8", "brick8r", "brick4r", "sell", "part", "reject", "exit", "force", "preorder", "intent"),
    *("scale", "flat", "day", "level", "exit_all", "price", "far", "limit", "nq"),
)
STEPS = st.lists(st.sampled_from(DEEDS), min_size=20, max_size=60)


def goes(trader: StoredTrader) -> StoredTrader | None:
    """Enter a while later, and have it filled if the desk lets it through."""
    trader.later(seconds=100).with_structure("green").enters("BUY")
    order = trader.order
    return trader.filled_at(5250) if order is not None and order.kind == "ENTRY" else None


def ends(trader: StoredTrader) -> StoredTrader | None:
    trader.bricks(6, "green").exits()
    order = trader.order
    return trader.filled_at(5250 + len(trader.decisions) % 7 - 4) if order is not None else None


def plays(trader: StoredTrader, step: str) -> None:
    """Take one step of a tape that nobody has thought through."""
    order = trader.order
    deeds: dict[str, Callable[[], object]] = {
        "brick6": lambda: trader.bricks(6, "green"),
        "brick8": lambda: trader.bricks(8, "green"),
        "brick8r": lambda: trader.bricks(8, "red"),
        "arm": lambda: trader.with_structure("green"),
        "go": lambda: goes(trader),
        "trade": lambda: goes(trader) and ends(trader),
        "free": lambda: trader.brick(8, "red").brick(12, "green"),
        "brick4r": lambda: trader.bricks(4, "red", "green"),
        "enter": lambda: trader.enters("BUY"),
        "sell": lambda: trader.enters("SELL", override=True),
        "fill": lambda: trader.filled_at(5250) if order else None,
        "part": lambda: trader.partly_filled(1, 5251) if order and order.remaining > 1 else None,
        "reject": lambda: trader.rejected() if order else None,
        "exit": lambda: trader.exits(),
        "force": lambda: trader.exits(force=True),
        "exit_all": lambda: trader.exits_all(force=True),
        "preorder": lambda: trader.preorders("BUY"),
        "intent": lambda: trader.intends(),
        "scale": lambda: trader.scales_in(),
        "snap": lambda: trader.later(seconds=3).broker_says(balance=50_000 - len(trader.decisions)),
        "flat": lambda: trader.later(seconds=3).broker_says(position=0, last_fill_price=5249),
        "later": lambda: trader.later(seconds=61),
        "hour": lambda: trader.later(seconds=3600),
        "day": lambda: trader.later(seconds=86_400),
        "level": lambda: trader.touches_level(),
        "price": lambda: trader.hears(5250 + len(trader.decisions) % 9),
        "far": lambda: trader.hears(5250 + 30 * (-1) ** len(trader.decisions)),
        "limit": lambda: trader.limits(max_trades_per_day=4),
        "nq": lambda: trader.turns_to("NQ" if trader.asset_in_hand == "ES" else "ES"),
    }
    deeds[step]()


def a_tape(folder: Path, steps: list[str]) -> StoredTrader:
    trader = StoredTrader(folder / "desk.sqlite", assets=("ES", "NQ"))
    try:
        for step in steps:
            plays(trader, step)
    finally:
        trader.stops()
    return trader


def test_the_rules_in_force_change_nothing(tmp_path_factory: pytest.TempPathFactory, examples: settings) -> None:
    @examples
    @given(steps=STEPS)
    def check(steps: list[str]) -> None:
        trader = a_tape(tmp_path_factory.mktemp("tape"), steps)
        found = trader.under("COOLDOWN_SECONDS=180", "POINTS_TP_TARGET=15", "STOP_POINTS=15")
        assert (found.refused, found.allowed, found.unequal_rows) == ((), (), 0)
        with trader.history() as history:
            key = documents.read_desk(known(history.store.load())).id_key
            first = next(history.rows(0))
            before = opened_by(command_of(first), first, key)
            other = OtherDesk(before, {"cooldown_seconds": 180})
            for step in decide_again(history.rows(0), None, key):
                other.follow(command_of(step.row), with_observed(before, step.row), step)
                before = step.desk
                assert other.desk == before
        replay = trader.replays()
        assert replay.is_equal, replay

    check()


TIGHTER = ["COOLDOWN_SECONDS=3600", "MAX_TRADES_PER_DAY=1", "DAILY_STOP_LIMIT_PCT=0.05", "CANDLE_SECONDS=3600"]
LOOSER = ["COOLDOWN_SECONDS=0", "CANDLE_SECONDS=1", "MAX_TRADES_PER_DAY=100"]


def test_the_first_difference_is_a_refusal_where_a_rule_is_tighter_and_an_entry_where_it_is_looser(
    tmp_path_factory: pytest.TempPathFactory, examples: settings
) -> None:
    @examples
    @given(steps=STEPS, pair=st.sampled_from([*TIGHTER, *LOOSER]))
    def check(steps: list[str], pair: str) -> None:
        trader = a_tape(tmp_path_factory.mktemp("tape"), steps)
        found = trader.under(pair)
        assert found.unequal_rows == 0
        different: list[Refused | Allowed] = [*found.refused, *found.allowed]
        first = min(different, key=lambda entry: entry.sequence, default=None)
        is_of_a_preorder = (
            first is not None and first.gate == "pre-order"
        )  # one that could be placed earlier ended earlier
        if first is not None and not is_of_a_preorder:
            assert (first in found.refused) is (pair in TIGHTER)
        accepted = {event.order_id for event in trader.told(EntryAccepted)}
        assert {entry.order_id for entry in found.refused} <= accepted
        assert found.entries == len(accepted)

    check()


def test_the_other_desk_holds_nothing_when_the_real_one_is_flat(
    tmp_path_factory: pytest.TempPathFactory, examples: settings
) -> None:
    @examples
    @given(
        steps=STEPS,
        pair=st.sampled_from([*TIGHTER, *LOOSER, "ENTRY_QTY_6PT=2", "POINTS_TP_TARGET=50", "STOP_POINTS=9"]),
    )
    def check(steps: list[str], pair: str) -> None:
        trader = a_tape(tmp_path_factory.mktemp("tape"), steps)
        with trader.history() as history:
            key = documents.read_desk(known(history.store.load())).id_key
            first = next(history.rows(0))
            before = opened_by(command_of(first), first, key)
            other = OtherDesk(before, rules_named([pair]))
            for step in decide_again(history.rows(0), None, key):
                other.follow(command_of(step.row), with_observed(before, step.row), step)
                before = step.desk
                for symbol, asset in step.desk.assets.items():
                    if asset.trade is None and step.desk.open_order(symbol) is None:
                        assert other.desk.assets[symbol].trade is None
                        assert other.desk.open_order(symbol) is None

    check()
