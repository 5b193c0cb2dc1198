"""The script that traders paste into TradingView counts the bricks that the desk counts, and sends valid JSON.

There is no Pine compiler here: its functions are read out of the file, translated and run (tests/support/pine).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby, islice
from typing import Any

import pytest

from services.market.base_bars import BaseBars, base_bar
from services.market.instruments import instrument_for
from services.market.renko import SIZES, ChainState, RenkoStack
from tests.data.generated_tapes import VOLATILE
from tests.support.paths import REPOSITORY
from tests.support.pine import NA, Bar, PineError, PineScript, Symbol
from tests.tradingview.tapes import BAR_LENGTHS, GENERATED, RECORDED, TAPES, UNITS, asset_of, bars_of, changes_of
from wire.bar_message import read_bar_message
from wire.tradingview import BarMessage

SOURCE = (REPOSITORY / "tradingview" / "lockstep.pine").read_text("utf-8")
SECRET = "a-webhook-secret"
INPUTS = {"TV_WEBHOOK_SECRET": SECRET}
LONGEST_MESSAGE = 40_960
BARS_OF_A_TAPE = 600  # of each tape's messages; its prices are all read by the test before
SEVERAL_UNITS = {*GENERATED, "fall", "us30_ticks_20230628_renkodf"}
CASES = [(name, unit) for name in TAPES for unit in UNITS[asset_of(name)][: 3 if name in SEVERAL_UNITS else 1]]


def script_on(asset: str = "ES", unit: str = "1", source: str = SOURCE, **symbol: Any) -> PineScript:
    """Return the script on a chart of an asset."""
    inputs = {**INPUTS, "Unit": float(unit)}
    return PineScript(source, Symbol(mintick=float(instrument_for(asset).tick_size), **symbol), inputs)


Found = tuple[int, str, str, int, int, int]


def bricks_of_the_script(source: str, asset: str, unit: str, prices: Sequence[Decimal]) -> list[Found]:
    """Return the bricks that the script's own functions make of prices: place, size, colour, ends in ticks, k."""
    script = script_on(asset, unit, source)
    tick = float(instrument_for(asset).tick_size)
    own = script.globals
    chains = [own["Chain"](f"{size:f}", own["width_of"](float(size), float(unit), tick)) for size in SIZES]
    found: list[Found] = []
    for place, price in enumerate(prices):
        formed: list[Any] = []
        for chain in chains:
            own["feed"](chain, int(float(price) / tick + 0.5), formed)
        found += [
            (place, brick.points, "green" if brick.trend > 0 else "red", brick.lo, brick.hi, brick.k)
            for brick in formed
        ]
    return found


def bricks_of_the_desk(asset: str, unit: str, prices: Sequence[Decimal]) -> list[Found]:
    instrument = instrument_for(asset)
    formed = RenkoStack(instrument, Decimal(unit)).feed_many([instrument.ticks(price) for price in prices])
    found: list[Found] = []
    for _, group in groupby(formed, key=lambda row: (row[0], row[1].points)):
        found += [
            (place, f"{brick.points:f}", brick.color, brick.lo, brick.hi, k)
            for k, (place, brick) in enumerate(group, 1)
        ]
    return found


@pytest.mark.parametrize(("name", "unit"), CASES)
def test_the_script_makes_the_desks_bricks_of_every_price_of_a_tape(name: str, unit: str) -> None:
    asset, ticks = asset_of(name), changes_of(name)
    prices = [tick.price for tick in ticks]
    expected = bricks_of_the_desk(asset, unit, prices)
    assert bricks_of_the_script(SOURCE, asset, unit, prices) == expected
    assert expected, "a tape without a brick proves nothing"


MUTATIONS = {
    "a reversal after one size": (
        "or price <= chain.lo - chain.width\n",
        "or price <= chain.lo\n",
    ),
    "a brick at more than its size": ("while price >= chain.hi + chain.width", "while price > chain.hi + chain.width"),
    "a grid that begins at the first price": (
        "chain.lo := math.floor(price / chain.width) * chain.width\n"
        "        chain.hi := math.ceil(price / chain.width) * chain.width",
        "chain.lo := price\n        chain.hi := price",
    ),
    "one brick for a jump": ("        while price >=", "        if price >="),
    "a brick that is numbered from 0": ("            k := k + 1\n", ""),
    "the wrong colour": ("chain.trend := up ? 1 : -1", "chain.trend := up ? -1 : 1"),
    "a brick twice as wide": ("chain.hi := chain.lo + chain.width", "chain.hi := chain.lo + chain.width + chain.width"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_script_that_counts_otherwise_would_be_found(mutation: str) -> None:
    before, after = MUTATIONS[mutation]
    assert SOURCE.count(before) == 1
    asset, ticks = asset_of(VOLATILE.name), changes_of(VOLATILE.name)
    prices = [tick.price for tick in ticks[:2000]]
    expected = bricks_of_the_desk(asset, "1", prices)
    assert bricks_of_the_script(SOURCE, asset, "1", prices) == expected
    assert bricks_of_the_script(SOURCE.replace(before, after), asset, "1", prices) != expected


# -- the whole script, bar by bar ------------------------------------------------------------------------------


def bar(at: datetime, prices: Sequence[Decimal], **more: Any) -> Bar:
    opened, high, low, closed = (float(price) for price in prices)
    time_ms = round(at.timestamp() * 1000)
    return Bar(time=time_ms, ohlc=(opened, high, low, closed), now=time_ms + 60_213, **more)


def flat(price: float, minute: int = 0, **more: Any) -> Bar:
    return bar(datetime(2026, 3, 4, 15, minute, tzinfo=UTC), [Decimal(str(price))] * 4, **more)


def refuse_constant(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def read(script: PineScript, on: Bar, is_taken: bool = True) -> dict[str, Any]:
    """Run the script on a bar and return its one message, numbers exactly; the desk's own reader takes it, too."""
    [alert] = script.run(on)
    assert len(alert.message) <= LONGEST_MESSAGE
    assert isinstance(read_bar_message(alert.message.encode()), BarMessage) == is_taken
    message = json.loads(alert.message, parse_float=Decimal, parse_constant=refuse_constant)
    assert isinstance(message, dict)
    return message


def last_of(chains: Sequence[ChainState], tick: Decimal) -> dict[str, Any]:
    """Return what a message must say of the desk's chains."""
    return {
        f"{chain.points:f}": {"color": chain.color, "lo": (chain.lo or 0) * tick, "hi": (chain.hi or 0) * tick}
        for chain in chains
        if chain.color
    }


@pytest.mark.parametrize(
    ("name", "timeframe"),
    [(name, "1" if "_1m_" in name else "15S") for name in RECORDED] + [(VOLATILE.name, "1"), ("fall", "15S")],
)
def test_the_messages_of_a_tape_carry_the_desks_bricks(name: str, timeframe: str) -> None:
    asset, ticks = asset_of(name), changes_of(name)
    instrument, unit = instrument_for(asset), UNITS[asset][0]
    script = script_on(asset, unit, ticker=asset, timeframe=timeframe)
    desk = BaseBars(instrument, BAR_LENGTHS[timeframe], Decimal(unit), is_open=lambda _: False)
    heard = 0
    for at, prices in islice(bars_of(ticks, BAR_LENGTHS[timeframe]), BARS_OF_A_TAPE):
        message = read(script, bar(at, prices))
        taken = desk.feed(base_bar(instrument, at, (prices[0], prices[1], prices[2], prices[3])))
        assert message["ohlc"] == prices
        made = [(str(brick["size"]), brick["color"], brick["lo"], brick["hi"]) for brick in message.get("bricks", ())]
        tick = instrument.tick_size
        assert made == [(f"{brick.points:f}", brick.color, brick.lo * tick, brick.hi * tick) for brick in taken.bricks]
        assert message.get("last", {}) == last_of(desk.stack.state.chains, tick)
        heard += len(made)
    assert heard > 0


def test_a_message_has_the_stated_shape() -> None:
    script = script_on()
    script.run(flat(5000))
    assert read(script, flat(5001, 1, volume=12.5)) == {
        "secret": SECRET,
        "symbol": "CME_MINI:ES1!",
        "tf": "1",
        "t": 1772636460000,
        "now": 1772636520213,
        "ohlc": [5001] * 4,
        "v": Decimal("12.5"),
        "bricks": [{"size": 1, "k": 1, "color": "green", "lo": 5000, "hi": 5001}],
        "last": {"1": {"color": "green", "lo": 5000, "hi": 5001}},
    }


def test_what_there_is_not_is_left_out() -> None:
    message = read(script_on(), flat(5000))
    assert message.keys() == {"secret", "symbol", "tf", "t", "now", "ohlc"}
    assert script_on().run(Bar(time=0, ohlc=(NA, NA, NA, NA))) == []


@pytest.mark.parametrize(
    ("prefix", "ticker", "symbol"),
    [
        ("CME_MINI", "ES1!", "CME_MINI:ES1!"),
        ("CME_MINI_DL", "ES1!", "CME_MINI_DL:ES1!"),
        ("NYSE", "BRK.B", "NYSE:BRK.B"),
        ("NSE", "M&M", "NSE:M&M"),
        ("TVC", 'A"B', 'TVC:A"B'),
        ("X", "back\\slash", "X:back\\slash"),
        ("X", '\\"', 'X:\\"'),
        ("", "ES1!/NQ1!", "ES1!/NQ1!"),
        (NA, "CME_MINI:ES1!-2*CME_MINI:NQ1!", "CME_MINI:ES1!-2*CME_MINI:NQ1!"),
        ("TSE", "日経225", "TSE:日経225"),
        ("OANDA", "{{ticker}}", "OANDA:{{ticker}}"),
    ],
)
def test_the_message_is_json_for_every_symbol(prefix: str, ticker: str, symbol: str) -> None:
    script = script_on(prefix=prefix, ticker=ticker)
    script.run(flat(5000))
    message = read(script, flat(5024, 1))
    assert message["symbol"] == symbol
    assert len(message["last"]) == 6


@pytest.mark.parametrize("secret", ['a"b', "a\\", "ä€", "{{close}}", "x" * 200])
def test_the_message_is_json_for_every_secret(secret: str) -> None:
    script = PineScript(SOURCE, Symbol(), {"TV_WEBHOOK_SECRET": secret})
    assert read(script, flat(5000))["secret"] == secret


@pytest.mark.parametrize("price", [0.00001, 1.08543, 0.5, -37.63, 5250.2, 104_999.99, 1_234_567.89])
def test_a_price_is_written_as_it_is(price: float) -> None:
    assert read(script_on("EURUSD", "0.0001"), flat(price))["ohlc"] == [Decimal(str(price))] * 4


def test_an_ordinary_burst_fits_into_a_message() -> None:
    script = script_on()
    script.run(flat(5000, volume=1e12))
    message = read(script, flat(5150, 1, volume=1e12))
    assert len(message["bricks"]) == 150 + 60 + 37 + 24 + 18 + 12


def test_more_bricks_than_fit_are_left_out_and_the_last_ones_still_say_where_it_stands() -> None:
    script = script_on()
    script.run(flat(5000))
    message = read(script, flat(5900, 1))
    assert "bricks" not in message
    assert message["last"]["12"] == {"color": "green", "lo": 5880, "hi": 5892}


def test_a_price_that_is_no_move_of_a_market_is_passed_over_as_the_desk_does() -> None:
    script = script_on()
    script.run(flat(5000))
    script.run(flat(5001, 1))
    assert read(script, flat(500_000, 2), is_taken=False)["last"]["1"] == {"color": "green", "lo": 5000, "hi": 5001}
    assert [brick["hi"] for brick in read(script, flat(5002, 3))["bricks"]] == [5002]


def test_only_the_close_of_a_bar_counts_and_is_told() -> None:
    script = script_on()
    script.run(flat(5000, is_realtime=False))
    for price in (5010, 4990, 5012):
        assert script.run(flat(price, 1, is_confirmed=False)) == []
    assert "bricks" not in read(script, flat(5000.75, 1))


def test_history_is_counted_and_not_told() -> None:
    script = script_on()
    assert script.run(flat(5000, 0, is_realtime=False)) == []
    assert script.run(flat(5012, 1, is_realtime=False)) == []
    message = read(script, flat(5012, 2))
    assert "bricks" not in message
    assert message["last"]["6"] == {"color": "green", "lo": 5004, "hi": 5010}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"timeframe": "5"}, "15 seconds or 1 minute"),
        ({"timeframe": "10S"}, "15 seconds or 1 minute"),
        ({"is_standard": False}, "normal candles"),
        ({"unit": "0.3"}, "whole number of ticks"),
        ({"unit": "0"}, "whole number of ticks"),
        ({"unit": "-1"}, "whole number of ticks"),
    ],
    ids=str,
)
def test_a_wrong_chart_or_unit_stops_the_script_at_once(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(PineError, match=why):
        script_on(**wrong).run(flat(5000))


def test_a_script_without_a_secret_stops_at_once() -> None:
    with pytest.raises(PineError, match="TV_WEBHOOK_SECRET"):
        PineScript(SOURCE, Symbol()).run(flat(5000))


def test_the_script_is_small() -> None:
    assert len(SOURCE.splitlines()) <= 120
