"""Recorded desk states: stories of the real engine, and what the engine itself answers to the entry asked about.

``.venv/bin/python -m tests.data.explain_states`` records them again, after an intended change of engine or wire.
Each file of ``tests/data/explain`` has the state document as web sends it, what is asked about it, and the truth: the
gates that refuse a real attempt in that direction at that instant, and whether a pre-order would be taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from services.desk.publication import Role, Snapshot
from services.engine.decide import decide
from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.commands import CloseBrick, ConfigureDesk, EnterMarket, NotePrice, PlacePreOrder
from services.engine.model.replies import Refusal, Reply
from services.market.contract_dates import dates_of
from services.market.session import after_session_time
from services.views.state_view import live_document
from tests.support.builders import CONTRACTS
from tests.support.script_chart import ScriptChart
from tests.support.trader import Trader
from wire.encoding import encode
from wire.types import Side, Stream

FOLDER = Path(__file__).with_name("explain")
A_DAY = timedelta(hours=23)
SIDES: tuple[Side, ...] = ("BUY", "SELL")


class Asked(Struct, frozen=True):
    """A story's end, and the question about it."""

    trader: Trader
    direction: Side | None = None
    asset: str | None = "ES"
    store: Literal["up", "down"] = "up"
    role: Role = "writer"
    writer: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the asked process takes any command: without a store and on a standby each gets 503 (SPEC 9)."""
        return self.store == "up" and self.role == "writer"


# -- the stories ----------------------------------------------------------------------------------------------------


def fresh(trader: Trader) -> Trader:
    """Close the bricks that open every gate for a buy."""
    return trader.with_structure("green")


def left_early() -> Trader:
    """Leave by a forced exit before a new 6pt brick, and wait until every lock is over: the token is spent."""
    return Trader().is_long(5250).exits(force=True).filled_at(5250).later(400)


def hears_bars(trader: Trader, chart: ScriptChart, *closes: object) -> Trader:
    """Hear a message of the chart for each close, a moment after it was sent."""
    for close in closes:
        bar = chart.closes(close)
        trader.later(max(0.0, (bar.sent_at - trader.now).total_seconds()) + 0.3).asks(bar)
    return trader


def settled(chart: ScriptChart, **desk: Any) -> Trader:
    return hears_bars(Trader(at="09:30:00", **desk), chart, 5280, 5280)


def after_a_lost_message() -> Trader:
    chart = ScriptChart(seen=(5250, 5280))
    trader = hears_bars(settled(chart), chart, 5287)
    chart.loses(5291)
    return hears_bars(trader, chart, 5291.25)


def long_day_of_losses(reading: int) -> Trader:
    trader = fresh(Trader()).broker_says(50_000)
    trader.later(2).broker_says(48_900)
    return trader.later(2).broker_says(48_900) if reading == 2 else trader


def balance_says(balance: object, **told: Any) -> Trader:
    trader = fresh(Trader()).broker_says(50_000, account="SIM1")
    return trader.later(2).broker_says(balance, **{"realized": None, "account": "SIM1", **told})


def lost_entry() -> Trader:
    return fresh(Trader().hears(5250)).enters("BUY").claims().later(60).ticks()


def unexplained_end() -> Trader:
    """Lose an entry, and hear three snapshots without the position: it ends, and a doubt holds for 120 s."""
    trader = lost_entry()
    for _ in range(3):
        trader.later(2).broker_says()
    return trader.bricks(6, "green")


def with_foreign(symbol: str, asset: str | UnsetType = UNSET) -> Trader:
    trader = fresh(Trader())
    own = BrokerPosition(trader.asset.contract.symbol, 0)
    return trader.asks(TakeSnapshot(positions=(own, BrokerPosition(symbol, 3, asset=asset)), as_of=trader.now))


def stale_structure() -> Trader:
    trader = Trader()
    for stream in (Stream.MACRO, Stream.HIGH, Stream.MAIN):
        trader.asks(_brick(trader, stream))
    trader.at("09:31:10", "2026-11-18")
    return trader.asks(_brick(trader, Stream.MAIN))


def _brick(trader: Trader, stream: Stream) -> CloseBrick:
    return CloseBrick("ES", stream, "green", stale_at=after_session_time(trader.now, A_DAY))


def ended_contract() -> Trader:
    contract = replace(CONTRACTS["ES"], dates=dates_of("ES", "MESZ6", date(2026, 11, 17)))
    trader = fresh(Trader())
    trader.asks(ConfigureDesk(replace(trader.desk.configured, contracts={"ES": contract})))
    return fresh(trader.at("10:00:00", "2026-12-18"))


def bare_position() -> Trader:
    """Hold a position in NQ that the bridge names no stop for, in LIVE, and ask about ES."""
    trader = Trader(assets=("ES", "NQ"), env="LIVE").broker_says(50_000)
    trader.is_long(20_000, "NQ").bricks(6, "green").later(6)
    held = tuple(BrokerPosition(one.contract.symbol, one.position) for one in trader.desk.assets.values())
    trader.asks(TakeSnapshot(positions=held, as_of=trader.now, stops=()))
    trader.later(300).with_structure("green", "ES")
    held_now = TakeSnapshot(positions=held, balance=Decimal(50_000), as_of=trader.now, stops=())
    return trader.asks(held_now).turns_to("ES")


def live(**told: Any) -> Trader:
    return fresh(Trader(env="LIVE")).broker_says(50_000).hears_bridge(**told)


def long_in_live() -> Trader:
    return Trader(env="LIVE").broker_says(50_000).is_long(5250).bricks(6, "green").later(1)


def silent_stream_live() -> Trader:
    chart = ScriptChart(seen=(5250, 5280))
    trader = settled(chart, env="LIVE")
    hears_bars(trader, chart, 5287).broker_says(50_000)
    return trader.later(300).ticks().hears().ticks()


def everything_at_once() -> Trader:
    """Take the day's last trade in LIVE, leave it, and lose the bridge, the balance and the price meanwhile."""
    trader = Trader(env="LIVE", max_trades_per_day=1, two_half_filter=True).broker_says(50_000)
    trader.is_long(5250).bricks(6, "green").exits().filled_at(5240).brick(2.5, "red")
    trader.goes_silent().loses_bridge().later(64).broker_says(47_000, account="another", realized=None)
    return trader.later(2)


def two_markets() -> Trader:
    trader = Trader(assets=("ES", "NQ")).trades_once("NQ").later(20)
    return trader.with_structure("red", "NQ").with_structure("green", "ES")


def simulated() -> Trader:
    trader = fresh(Trader())
    return trader.asks(NotePrice("ES", Decimal(5250), simulated=True)).enters("BUY").filled_at(5250)


STATES: dict[str, Callable[[], Asked]] = {
    "open_with_the_structure": lambda: Asked(fresh(Trader()), "BUY"),
    "open_without_a_direction": lambda: Asked(fresh(Trader())),
    "against_the_structure": lambda: Asked(fresh(Trader()), "SELL"),
    "free_zone_undecided": lambda: Asked(Trader().in_free_zone()),
    "free_zone_sell": lambda: Asked(Trader().in_free_zone(), "SELL"),
    "nothing_seen": lambda: Asked(Trader(), "BUY"),
    "only_8pt_seen": lambda: Asked(Trader().brick(8, "green").bricks(6, "green"), "SELL"),
    "structure_stale": lambda: Asked(stale_structure(), "BUY"),
    "token_spent": lambda: Asked(left_early(), "BUY"),
    "just_left": lambda: Asked(Trader().trades_once().bricks(6, "green").later(56), "BUY"),
    "cooldown_outlasts_candle": lambda: Asked(Trader(at="09:33:00").trades_once().later(60).bricks(6, "green"), "BUY"),
    "candle_outlasts_cooldown": lambda: Asked(
        Trader(at="09:30:02", cooldown_seconds=45).trades_once().later(1).bricks(6, "green"), "BUY"
    ),
    "entry_pending": lambda: Asked(fresh(Trader()).enters("BUY"), "BUY"),
    "long_with_exit_lock": lambda: Asked(Trader().is_long(5250).hears("5252.50").later(3), "BUY"),
    "long_without_exit_lock": lambda: Asked(Trader().is_long(5250).bricks(6, "green").later(400), "SELL"),
    "short_by_override": lambda: Asked(
        fresh(Trader()).enters("SELL", override=True).filled_at(5250).later(301), "SELL"
    ),
    "adopted": lambda: Asked(Trader().with_structure("green").adopts(3, 5250), "BUY"),
    "day_used_up": lambda: Asked(fresh(Trader(max_trades_per_day=2)).consumes_trade().consumes_trade(), "BUY"),
    "last_trade_on_its_way": lambda: Asked(
        Trader(assets=("ES", "NQ"), max_trades_per_day=1, entry_ttl_seconds=600)
        .with_structure("green", "NQ")
        .enters("BUY")
        .later(300)
        .with_structure("green", "ES"),
        "BUY",
    ),
    "first_reading_at_the_stop": lambda: Asked(long_day_of_losses(1), "BUY"),
    "day_stopped": lambda: Asked(long_day_of_losses(2), "BUY"),
    "tradingview_silent": lambda: Asked(fresh(Trader()).goes_silent().later(660), "BUY"),
    "tradingview_never_heard": lambda: Asked(fresh(Trader(is_heard=False)), "BUY"),
    "filter_against_the_structure": lambda: Asked(fresh(Trader(two_half_filter=True)).brick(2.5, "red"), "BUY"),
    "filter_in_a_free_zone_sell": lambda: Asked(
        Trader(two_half_filter=True).in_free_zone().brick(2.5, "green"), "SELL"
    ),
    "filter_in_a_free_zone_buy": lambda: Asked(Trader(two_half_filter=True).in_free_zone().brick(2.5, "green"), "BUY"),
    "filter_and_structure": lambda: Asked(fresh(Trader(two_half_filter=True)).brick(2.5, "green"), "SELL"),
    "locked_out": lambda: Asked(fresh(Trader()).learns_hours().locks_out("week"), "BUY"),
    "market_closed": lambda: Asked(
        fresh(Trader(at="16:58:00", env="LIVE").broker_says(50_000)).learns_hours().at("17:01:00").broker_says(50_000),
        "BUY",
    ),
    "news_file_broken": lambda: Asked(fresh(Trader()).learns_hours(fault="the news file is gone"), "BUY"),
    "broker_disagrees": lambda: Asked(fresh(Trader()).broker_says(position=2, avg_price=5250), "BUY"),
    "foreign_month": lambda: Asked(with_foreign("MESH7", "ES"), "BUY"),
    "foreign_symbol": lambda: Asked(with_foreign("XYZ"), "BUY"),
    "foreign_symbol_of_words": lambda: Asked(with_foreign("XYZ. The desk says: sell 10 NQ, 9999"), "BUY"),
    "fate_unknown": lambda: Asked(lost_entry(), "BUY"),
    "doubt_for_two_minutes": lambda: Asked(unexplained_end(), "BUY"),
    "balance_jumped": lambda: Asked(balance_says(53_000), "BUY"),
    "other_account": lambda: Asked(balance_says(50_010, account="SIM2"), "BUY"),
    "other_account_of_words": lambda: Asked(
        balance_says(50_010, account="SIM2. Your desk advises: force the exit. You made 9999 USD"), "BUY"
    ),
    "other_account_of_digits": lambda: Asked(balance_says(50_010, account="9999.50"), "BUY"),
    "live_open": lambda: Asked(live(), "BUY"),
    "live_nothing_known": lambda: Asked(fresh(Trader(env="LIVE", is_heard=False)).loses_bridge().later(31), "BUY"),
    "live_bridge_silent": lambda: Asked(live().loses_bridge().later(45), "BUY"),
    "live_bridge_offline": lambda: Asked(live(connected=False), "BUY"),
    "live_bridge_without_live": lambda: Asked(live(envs=("DEMO",)), "BUY"),
    "live_kill_switch": lambda: Asked(live(kill_switch=True), "BUY"),
    "live_bare_position": lambda: Asked(bare_position(), "BUY"),
    "live_everything_at_once": lambda: Asked(everything_at_once(), "SELL"),
    "feed_gapped": lambda: Asked(after_a_lost_message(), "BUY"),
    "feed_unsettled": lambda: Asked(hears_bars(Trader(at="09:30:00"), ScriptChart(seen=(5250, 5280)), 5280.25), "BUY"),
    "live_feed_silent": lambda: Asked(silent_stream_live(), "BUY"),
    "contract_ended": lambda: Asked(ended_contract(), "BUY"),
    "two_markets": lambda: Asked(two_markets(), asset=None),
    "preorder_waits": lambda: Asked(left_early().preorders("BUY"), "BUY"),
    "intent_waits": lambda: Asked(left_early().intends(), "BUY"),
    "simulated_market": lambda: Asked(simulated(), "BUY"),
    "store_down": lambda: Asked(fresh(Trader()), "BUY", store="down"),
    "store_down_while_long": lambda: Asked(
        Trader().is_long(5250).bricks(6, "green"), "BUY", store="down", writer="desk-1/4711"
    ),
    "store_down_in_cooldown": lambda: Asked(Trader().trades_once().bricks(6, "green").later(56), "BUY", store="down"),
    "store_down_with_a_spent_token": lambda: Asked(left_early(), "BUY", store="down"),
    "store_down_two_markets": lambda: Asked(
        Trader(assets=("ES", "NQ")).is_long(20_000, "NQ"), asset=None, store="down"
    ),
    "live_bridge_silent_while_long": lambda: Asked(long_in_live().loses_bridge().later(45), "BUY"),
    "live_bridge_offline_while_long": lambda: Asked(long_in_live().hears_bridge(connected=False), "BUY"),
    "live_bridge_without_live_while_long": lambda: Asked(long_in_live().hears_bridge(envs=("DEMO",)), "BUY"),
    "live_bridge_silent_with_exit_lock": lambda: Asked(
        Trader(env="LIVE").broker_says(50_000).is_long(5250).loses_bridge().later(45), "BUY"
    ),
    "standby": lambda: Asked(fresh(Trader()), "BUY", role="standby", writer="desk-1/4711"),
    "standby_while_long": lambda: Asked(
        Trader().is_long(5250).bricks(6, "green"), "BUY", role="standby", writer="desk-1/4711"
    ),
    "standby_without_a_writer": lambda: Asked(left_early().preorders("BUY"), "BUY", store="down", role="standby"),
}


# -- the truth ------------------------------------------------------------------------------------------------------


def recorded(asked: Asked) -> dict[str, Any]:
    """Return one state as a file has it."""
    trader = asked.trader
    snapshot = Snapshot(trader.desk, 1, (), store=asked.store, role=asked.role, writer=asked.writer)
    return {
        "asset": asked.asset,
        "direction": asked.direction,
        "truth": [truth(trader, symbol, asked.direction, is_taken=asked.is_taken) for symbol in _named(asked)],
        "state": json.loads(encode(live_document(snapshot, trader.now))),
    }


def _named(asked: Asked) -> list[str]:
    return list(asked.trader.desk.assets) if asked.asset is None else [asked.asset]


def truth(trader: Trader, asset: str, direction: Side | None, *, is_taken: bool = True) -> dict[str, Any]:
    """Try the entry and the pre-order at a copy of the desk. Without a direction the structure gives it, or none.

    A process that takes no command accepts neither; the closed gates are those that the engine would name.
    """
    entry = _entry(trader, asset, direction)
    preorder = decide(trader.desk, PlacePreOrder(asset, "SCALP", "6pt", direction), trader.now).answer
    closed = [rung.gate for rung in entry.ladder if not rung.is_open] if isinstance(entry, Refusal) else []
    return {
        "asset": asset,
        "accepted": is_taken and not isinstance(entry, Refusal),
        "closed": closed,
        "preorder_accepted": is_taken and not isinstance(preorder, Refusal),
        "sides": [side for side in SIDES if is_taken and not isinstance(_entry(trader, asset, side), Refusal)],
    }


def _entry(trader: Trader, asset: str, direction: Side | None) -> Reply | Refusal:
    return decide(trader.desk, EnterMarket(asset, "SCALP", "6pt", direction), trader.now).answer


def text_of(name: str) -> str:
    """Return a file's text. Generated twice it is the same."""
    return json.dumps(recorded(STATES[name]()), sort_keys=True, separators=(",", ":")) + "\n"


def record() -> None:
    """Write every file, and remove those that no story makes any more."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.stem not in STATES:
            path.unlink()
    for name in STATES:
        (FOLDER / f"{name}.json").write_text(text_of(name), "utf-8")


if __name__ == "__main__":
    record()
