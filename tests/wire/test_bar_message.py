"""A gallery of messages for ``POST /tv``: what the script sends, what people send, and what must not count."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.generated_tapes import VOLATILE, ticks_of
from tests.support.paths import REPOSITORY
from tests.support.pine import Bar, PineScript, Symbol
from wire.bar_message import BarFault, BarRefusal, read_bar_message
from wire.encoding import encode
from wire.tradingview import BarMessage, LastBrick, NewBrick

T = 1_772_636_460_000
PRICES: dict[str, Any] = {
    "secret": "a-webhook-secret",
    "symbol": "CME_MINI:ES1!",
    "tf": "1",
    "t": T,
    "now": T + 60_213,
    "ohlc": [5000, 5002.5, 4999.75, 5002.25],
}
FULL: dict[str, Any] = {
    **PRICES,
    "v": 1234,
    "bricks": [
        {"size": 1, "k": 1, "color": "green", "lo": 5000, "hi": 5001},
        {"size": 1, "k": 2, "color": "green", "lo": 5001, "hi": 5002},
        {"size": 2.5, "k": 1, "color": "green", "lo": 5000, "hi": 5002.5},
    ],
    "last": {
        "1": {"color": "green", "lo": 5001, "hi": 5002},
        "2.5": {"color": "green", "lo": 5000, "hi": 5002.5},
        "12": {"color": "red", "lo": 4992, "hi": 5004},
    },
}
FULL["ohlc"] = [5000, 5002.5, 4999.75, 5002.5]

Change = Callable[[dict[str, Any]], object]


def changed(change: Change, message: dict[str, Any] = FULL) -> dict[str, Any]:
    copy = json.loads(json.dumps(message))
    change(copy)
    return cast(dict[str, Any], copy)


def sets(**fields: Any) -> Change:
    return lambda message: message.update(fields)


def sets_brick(place: int, **fields: Any) -> Change:
    return lambda message: message["bricks"][place].update(fields)


def sets_last(size: str, **fields: Any) -> Change:
    return lambda message: message["last"].setdefault(size, {}).update(fields)


def test_a_whole_message_is_read_exactly() -> None:
    read = read_bar_message(json.dumps(FULL).encode())
    assert isinstance(read, BarMessage)
    assert read.ohlc == (Decimal(5000), Decimal("5002.5"), Decimal("4999.75"), Decimal("5002.5"))
    assert read.bricks[2] == NewBrick(size=Decimal("2.5"), k=1, color="green", lo=Decimal(5000), hi=Decimal("5002.5"))
    assert read.last["12"] == LastBrick(color="red", lo=Decimal(4992), hi=Decimal(5004))
    assert read_bar_message(encode(read)) == read


def test_a_brick_has_the_same_id_in_each_delivery_and_no_other_brick_has_it() -> None:
    one = read_bar_message(json.dumps(FULL).encode())
    again = read_bar_message(json.dumps(changed(lambda message: message["bricks"].reverse())).encode())
    written_otherwise = read_bar_message(json.dumps(FULL).replace('"size": 1,', '"size": 1.0,').encode())
    assert one == again
    assert isinstance(one, BarMessage)
    assert isinstance(written_otherwise, BarMessage)
    ids = [one.brick_id(brick) for brick in one.bricks]
    assert ids == [written_otherwise.brick_id(brick) for brick in written_otherwise.bricks]
    assert ids[0] == f"CME_MINI:ES1!|1|1|{T}|1"
    assert len(set(ids)) == 3


GOOD: dict[str, Change] = {
    "as the script sends it": sets(),
    "prices alone": lambda message: [message.pop(name) for name in ("bricks", "last", "v")],
    "bars of 15 s": sets(tf="15S", t=T + 15_000),
    "no new bricks": lambda message: message.pop("bricks"),
    "bricks without the last ones": lambda message: message.pop("last"),
    "an empty list": lambda message: [message.pop("last"), message.update(bricks=[])],
    "no volume in the bar": sets(v=0),
    "a volume of a coin": sets(v=0.00012),
    "a simulated market": sets(source="simulated"),
    "a market below zero": lambda message: [
        message.pop("last"),
        message.pop("bricks"),
        message.update(ohlc=[-37.63, -30, -40.32, -37.63]),
    ],
    "a symbol with a quote in it": sets(symbol='TVC:A"B'),
    "a currency pair": lambda message: message.update(
        ohlc=[1.0854, 1.0856, 1.0853, 1.08555],
        bricks=[{"size": 1, "k": 1, "color": "green", "lo": 1.0854, "hi": 1.0855}],
        last={"1": {"color": "green", "lo": 1.0854, "hi": 1.0855}},
    ),
    "an alert half a second early": sets(now=T + 59_500),
    "an alert that fired much later": sets(now=T + 3_600_000),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_may_be_sent_is_read(name: str) -> None:
    assert isinstance(read_bar_message(json.dumps(changed(GOOD[name])).encode()), BarMessage)


BAD: dict[str, tuple[Change, BarFault, str]] = {
    "no secret": (lambda message: message.pop("secret"), "missing", "secret"),
    "an empty secret": (sets(secret=""), "invalid", "secret"),
    "a secret that is a number": (sets(secret=1), "invalid", "secret"),
    "half a character in the secret": (sets(secret="\ud800"), "invalid", "secret"),
    "no prices": (lambda message: message.pop("ohlc"), "missing", "ohlc"),
    "three prices": (sets(ohlc=[1, 2, 3]), "invalid", "ohlc"),
    "five prices": (sets(ohlc=[1, 2, 1, 2, 1]), "invalid", "ohlc"),
    "prices in another order": (sets(ohlc=[5000, 4999, 5002, 5001]), "contradictory", "ohlc"),
    "a close above the high": (sets(ohlc=[5000, 5002, 4999, 5003]), "contradictory", "ohlc"),
    "a price as a text": (sets(ohlc=["5000", 5002.5, 4999.75, 5002.25]), "invalid", "ohlc[0]"),
    "a price that is null": (sets(ohlc=[5000, 5002.5, None, 5002.25]), "invalid", "ohlc[2]"),
    "a price that is true": (sets(ohlc=[True, 1, 1, 1]), "invalid", "ohlc[0]"),
    "a price beyond all markets": (sets(ohlc=[1, 10**12, 1, 1]), "invalid", "ohlc[1]"),
    "a price with 20 decimals": (sets(ohlc=[1, 1e-20, 1, 1]), "invalid", "ohlc[1]"),
    "bars of 5 minutes": (sets(tf="5"), "invalid", "tf"),
    "bars of 10 seconds": (sets(tf="10S"), "invalid", "tf"),
    "a timeframe as a number": (sets(tf=1), "invalid", "tf"),
    "a time in seconds": (sets(t=T // 1000), "invalid", "t"),
    "a time as a text": (sets(t="2026-03-04T15:01:00Z"), "invalid", "t"),
    "a time with a fraction": (sets(t=T + 0.5), "invalid", "t"),
    "a start that no bar has": (sets(t=T + 15_000), "contradictory", "t"),
    "an alert before its bar was over": (sets(now=T + 58_000), "contradictory", "now"),
    "an alert before its bar": (sets(now=T - 1), "contradictory", "now"),
    "a negative volume": (sets(v=-1), "invalid", "v"),
    "a volume that is null": (sets(v=None), "invalid", "v"),
    "a misspelt field": (sets(brick=[]), "unknown", "brick"),
    "a symbol with a line break": (sets(symbol="ES1!\n"), "invalid", "symbol"),
    "an endless symbol": (sets(symbol="E" * 501), "invalid", "symbol"),
    "bricks that are no list": (sets(bricks={}), "invalid", "bricks"),
    "a brick that is none": (sets(bricks=[5]), "invalid", "bricks[0]"),
    "a brick without its number": (lambda message: message["bricks"][1].pop("k"), "missing", "bricks[1].k"),
    "a brick with a misspelt colour": (sets_brick(0, colour="green"), "unknown", "bricks[0].colour"),
    "a neutral brick": (sets_brick(0, color="neutral"), "invalid", "bricks[0].color"),
    "a brick of 3 points": (sets_brick(0, size=3), "invalid", "bricks[0].size"),
    "a size of zero": (sets_brick(0, size=0), "invalid", "bricks[0].size"),
    "a size as a text": (sets_brick(0, size="1"), "invalid", "bricks[0].size"),
    "numbers from 0": (sets_brick(0, k=0), "invalid", "bricks[0].k"),
    "a number twice": (sets_brick(1, k=1), "contradictory", "bricks"),
    "a number that is missing": (lambda message: message["bricks"].pop(0), "contradictory", "bricks"),
    "a brick upside down": (sets_brick(0, lo=5001, hi=5000), "contradictory", "bricks[0].lo"),
    "a brick without a width": (sets_brick(0, lo=5000, hi=5000), "contradictory", "bricks[0].lo"),
    "a brick of another unit": (sets_brick(2, lo=5000, hi=5005), "contradictory", "bricks[2]"),
    "a brick off the grid": (sets_brick(2, lo=5001, hi=5003.5), "contradictory", "bricks[2].lo"),
    "bricks with a hole": (sets_brick(1, lo=5002, hi=5003), "contradictory", "bricks"),
    "two colours by one close": (sets_brick(1, color="red"), "contradictory", "bricks"),
    "a colour that the close contradicts": (
        lambda message: message.update(
            bricks=[{"size": 6, "k": 1, "color": "red", "lo": 4992, "hi": 4998}],
            last={"6": {"color": "red", "lo": 4992, "hi": 4998}},
        ),
        "contradictory",
        "bricks",
    ),
    "a last brick of 3 points": (sets_last("3", color="red", lo=1, hi=2), "unknown", "last.3"),
    "a last brick of 2.50 points": (sets_last("2.50", color="red", lo=1, hi=2), "unknown", "last.2.50"),
    "last bricks that are a list": (sets(last=[]), "invalid", "last"),
    "a last brick without a colour": (lambda message: message["last"]["12"].pop("color"), "missing", "last.12.color"),
    "a last brick of another unit": (sets_last("12", lo=4992, hi=4996), "contradictory", "last.12"),
    "a last brick off the grid": (sets_last("12", lo=4993, hi=5005), "contradictory", "last.12.lo"),
    "a last brick that is not the newest": (sets_last("1", lo=5000, hi=5001), "contradictory", "last.1"),
    "a last brick far from the close": (sets_last("12", lo=4968, hi=4980), "contradictory", "last.12"),
    "new bricks without their last one": (lambda message: message["last"].pop("2.5"), "contradictory", "last"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_must_not_count_is_refused_with_its_place(name: str) -> None:
    change, fault, field = BAD[name]
    refused = read_bar_message(json.dumps(changed(change)).encode("utf-8", "surrogatepass"))
    assert isinstance(refused, BarRefusal)
    assert (refused.fault, refused.field) == (fault, field)
    assert refused.reason
    assert "a-webhook-secret" not in refused.reason


UNREADABLE: dict[str, tuple[bytes, BarFault]] = {
    "nothing": (b"", "unreadable"),
    "plain text": (b"ES crossed 5000", "unreadable"),
    "form fields": (b"secret=a&symbol=ES", "unreadable"),
    "curly quotes": ("{“secret”: “a”}".encode(), "unreadable"),
    "a list": (b"[]", "unreadable"),
    "a number": (b"1", "unreadable"),
    "null": (b"null", "unreadable"),
    "bytes that are no text": (b'{"secret": "\xff"}', "unreadable"),
    "a mark before the text": (b"\xef\xbb\xbf{}", "unreadable"),
    "half a message": (json.dumps(FULL).encode()[:-5], "unreadable"),
    "two messages": (json.dumps(FULL).encode() * 2, "unreadable"),
    "na of Pine": (json.dumps(FULL).replace("1234", "NaN").encode(), "unreadable"),
    "infinity": (json.dumps(FULL).replace("1234", "-Infinity").encode(), "unreadable"),
    "thousands separators": (json.dumps(FULL).replace("1234", "1,234").encode(), "unreadable"),
    "a placeholder that nobody replaced": (json.dumps(FULL).replace("1234", "{{volume}}").encode(), "unreadable"),
    "an endless body": (b" " * 70_000 + json.dumps(FULL).encode(), "unreadable"),
    "an abyss": (b"[" * 60_000, "unreadable"),
    "an endless number": (json.dumps(FULL).replace("1234", "1" * 5000).encode(), "unreadable"),
    "an exponent of twenty digits": (json.dumps(FULL).replace("1234", "1e" + "9" * 20).encode(), "unreadable"),
    "a giant exponent": (json.dumps(FULL).replace("1234", "1e999999").encode(), "invalid"),
    "a tiny exponent": (json.dumps(FULL).replace("1234", "1e-999999").encode(), "invalid"),
    "a secret twice": (json.dumps(FULL).replace("{", '{"secret": "b", ', 1).encode(), "repeated"),
    "a brick with two colours": (
        json.dumps(FULL).replace('"color"', '"color": "red", "color"', 1).encode(),
        "repeated",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_nobody_can_read_is_refused(name: str) -> None:
    body, fault = UNREADABLE[name]
    refused = read_bar_message(body)
    assert isinstance(refused, BarRefusal)
    assert refused.fault == fault


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FULL)), json_values)
def test_no_value_of_a_field_breaks_the_reader(field: str, value: Any) -> None:
    read = read_bar_message(json.dumps({**FULL, field: value}).encode("utf-8", "surrogatepass"))
    assert isinstance(read, BarMessage | BarRefusal)


@given(st.integers(0, 2), st.sampled_from(["size", "k", "color", "lo", "hi"]), json_values)
def test_no_value_of_a_brick_breaks_the_reader(place: int, field: str, value: Any) -> None:
    message = changed(sets_brick(place, **{field: value}))
    read = read_bar_message(json.dumps(message).encode("utf-8", "surrogatepass"))
    assert isinstance(read, BarMessage | BarRefusal)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    assert isinstance(read_bar_message(body), BarRefusal)


def test_what_the_script_sends_is_read() -> None:
    source = (REPOSITORY / "tradingview" / "lockstep.pine").read_text("utf-8")
    script = PineScript(
        source, Symbol(ticker="US30", prefix="OANDA", mintick=0.1), {"TV_WEBHOOK_SECRET": "s", "Unit": 8.0}
    )
    start, bricks = datetime(2026, 3, 3, 8, 0, tzinfo=UTC), 0
    for number, tick in enumerate(ticks_of(VOLATILE)[::4]):
        price, time_ms = float(tick.price), round((start + timedelta(minutes=number)).timestamp() * 1000)
        [alert] = script.run(
            Bar(time=time_ms, ohlc=(price, price, price, price), volume=float(number), now=time_ms + 60_004)
        )
        read = read_bar_message(alert.message.encode())
        assert isinstance(read, BarMessage), read
        bricks += len(read.bricks)
    assert bricks > 200
