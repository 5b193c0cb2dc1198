"""What a program on the data stream asks for, and what it hears then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feeds.channels.data_requests import Heard, RequestWrong, read_request
from services.market.instruments import INSTRUMENTS


def after(heard: Heard, **request: Any) -> Heard:
    return heard.after(read_request(json.dumps(request), INSTRUMENTS))


def subscribed(**request: Any) -> Heard:
    return after(Heard(), action="subscribe", **request)


def test_the_contracts_own_request_subscribes_prices_and_minutes() -> None:
    heard = subscribed(channels=["ticker", "candles"], symbols=["XAUUSD", "BTCUSD"])
    assert heard.ticker == {"XAUUSD", "BTCUSD"}
    assert heard.candles == {("XAUUSD", "1m"), ("BTCUSD", "1m")}
    told = heard.as_told()
    assert (told.channels, told.symbols, told.timeframes) == (("ticker", "candles"), ("BTCUSD", "XAUUSD"), ("1m",))


def test_requests_add_up_and_symbols_have_many_spellings() -> None:
    heard = subscribed(channels=["candles"], symbols=["ES1!"], timeframes=["60m", "5m"])
    heard = after(heard, action="subscribe", channels=["orderbook"], symbols=["nq"])
    assert heard == Heard(orderbook=frozenset({"NQ"}), candles=frozenset({("ES", "1h"), ("ES", "5m")}))


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ({}, ((), ())),
        ({"channels": ["ticker"]}, ((), ("ES 1m", "ES 5m", "NQ 1m", "NQ 5m"))),
        ({"symbols": ["ES"]}, (("NQ",), ("NQ 1m", "NQ 5m"))),
        ({"channels": ["candles"], "timeframes": ["5m"]}, (("ES", "NQ"), ("ES 1m", "NQ 1m"))),
        (
            {"channels": ["candles"], "symbols": ["ES"], "timeframes": ["5m"]},
            (("ES", "NQ"), ("ES 1m", "NQ 1m", "NQ 5m")),
        ),
        ({"channels": ["orderbook"]}, (("ES", "NQ"), ("ES 1m", "ES 5m", "NQ 1m", "NQ 5m"))),
    ],
    ids=str,
)
def test_unsubscribe_ends_what_it_names(request_: dict[str, Any], left: tuple[tuple[str, ...], ...]) -> None:
    heard = subscribed(channels=["ticker", "candles"], symbols=["ES", "NQ"], timeframes=["1m", "5m"])
    heard = after(heard, action="unsubscribe", **request_)
    assert (tuple(sorted(heard.ticker)), tuple(sorted(" ".join(pair) for pair in heard.candles))) == left


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "binary_frame"),
        ("", "not_json"),
        ("subscribe", "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "unknown_action"),
        ('{"op": "subscribe"}', "unknown_action"),
        ('{"action": ["subscribe"]}', "unknown_action"),
        ('{"action": "subscribe"}', "invalid_request"),
        ('{"action": "subscribe", "channels": ["ticker"]}', "invalid_request"),
        ('{"action": "subscribe", "channels": ["ticker"], "symbols": "ES"}', "invalid_request"),
        ('{"action": "subscribe", "channels": ["ticker"], "symbols": [5]}', "invalid_request"),
        ('{"action": "subscribe", "channels": ["ticker"], "symbols": ["ES"], "timeframe": "1m"}', "invalid_request"),
        (
            '{"action": "subscribe", "channels": ["candles"], "symbols": ["ES"], "timeframes": ["3m"]}',
            "invalid_request",
        ),
        ('{"action": "subscribe", "channels": ["trades"], "symbols": ["ES"]}', "unknown_channel"),
        ('{"action": "subscribe", "channels": ["ticker"], "symbols": ["ES", "AAPL"]}', "unknown_symbol"),
        (json.dumps({"action": "unsubscribe", "symbols": ["ES"] * 101}), "too_many"),
    ],
)
def test_a_request_that_is_wrong_in_one_thing_is_not_obeyed_at_all(text: str | None, code: str) -> None:
    with pytest.raises(RequestWrong) as wrong:
        read_request(text, INSTRUMENTS)
    assert wrong.value.code == code
