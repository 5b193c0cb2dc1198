"""Messages that are lost, doubled, late and out of order: a chain that says it is settled is the chain of every bar.

The messages of the script go through a channel with faults to the builder of the desk, with the last bricks that they
carry and without. What is counted is printed (``pytest -s``).
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from random import Random

import pytest

from services.market.base_bars import BaseBars, base_bar
from services.market.instruments import instrument_for
from services.market.renko import ChainState
from tests.data.generated_tapes import GAPPED, VOLATILE
from tests.support.paths import REPOSITORY
from tests.support.pine import Bar, PineScript, Symbol
from tests.tradingview.bad_line import delivered
from tests.tradingview.tapes import BAR_LENGTHS, RECORDED, UNITS, asset_of, bars_of, changes_of
from wire.bar_message import BarRefusal, read_bar_message
from wire.tradingview import BarMessage

SOURCE = (REPOSITORY / "tradingview" / "lockstep.pine").read_text("utf-8")
LENGTH = BAR_LENGTHS["1"]
TAPES = (VOLATILE.name, GAPPED.name, *(name for name in RECORDED if name.startswith("us30")))


@lru_cache(maxsize=2)
def messages_of(name: str) -> tuple[BarMessage, ...]:
    """Return what the script sends on a tape."""
    asset = asset_of(name)
    symbol = Symbol(ticker=asset, mintick=float(instrument_for(asset).tick_size))
    script = PineScript(SOURCE, symbol, {"TV_WEBHOOK_SECRET": "s", "Unit": float(UNITS[asset][0])})
    messages = []
    for at, (opened, high, low, closed) in bars_of(changes_of(name), LENGTH):
        time_ms = round(at.timestamp() * 1000)
        prices = (float(opened), float(high), float(low), float(closed))
        [alert] = script.run(Bar(time=time_ms, ohlc=prices, now=time_ms + 60_000))
        message = read_bar_message(alert.message.encode())
        assert not isinstance(message, BarRefusal), message
        messages.append(message)
    return tuple(messages)


def start_of(message: BarMessage) -> datetime:
    return datetime.fromtimestamp(message.t / 1000, UTC)


def builder_for(name: str) -> BaseBars:
    """Return a builder to which every absent bar is a gap."""
    asset = asset_of(name)
    return BaseBars(instrument_for(asset), LENGTH, Decimal(UNITS[asset][0]), is_open=lambda _moment: True)


def whole_chains(name: str) -> dict[int, tuple[ChainState, ...]]:
    """Return the chains behind each bar when every bar is heard."""
    whole, instrument, behind = builder_for(name), instrument_for(asset_of(name)), {}
    for message in messages_of(name):
        whole.feed(base_bar(instrument, start_of(message), message.ohlc))
        behind[message.t] = whole.stack.state.chains
    return behind


@pytest.mark.parametrize("with_last", [False, True], ids=["prices alone", "with the last bricks"])
@pytest.mark.parametrize("name", TAPES)
def test_a_settled_chain_is_the_chain_of_every_bar(name: str, with_last: bool) -> None:
    instrument, counts = instrument_for(asset_of(name)), Counter[str]()
    whole, built = whole_chains(name), builder_for(name)
    for message in delivered(messages_of(name), Random(1), counts):
        taken = built.feed(base_bar(instrument, start_of(message), message.ohlc))
        counts[taken.refused or "taken"] += 1
        counts["gaps"] += taken.is_gap
        if taken.refused:
            continue
        for size, last in message.last.items() if with_last else ():
            ends = instrument.ticks(last.lo), instrument.ticks(last.hi)
            counts["chains mended"] += not built.stack.adopt(Decimal(size), *ends, last.color)
        for chain, true in zip(built.stack.state.chains, whole[message.t], strict=True):
            counts["chains settled" if chain.to_settle == 0 else "chains unsettled"] += 1
            if chain.to_settle == 0:
                assert (chain.lo, chain.hi, chain.color) == (true.lo, true.hi, true.color)
            elif with_last:
                assert true.color is None, "the message told where this chain stands"
    print(name, "with the last bricks" if with_last else "prices alone", dict(counts))
    assert min(counts[fault] for fault in ("dropped", "doubled", "delayed", "late", "repeated", "gaps")) > 0
    assert counts["repeated"] <= counts["doubled"]
    assert counts["chains settled"] > 0
