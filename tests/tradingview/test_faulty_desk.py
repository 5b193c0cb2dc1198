"""The desk builds the bricks itself, on a line with faults: what it is certain of is what every bar would have made.

Bars are lost, doubled, late and out of order, with the script's last bricks in the messages and without; bundles of
ticks are lost and doubled. After each message the desk's chains are compared with those that missed nothing. What is
counted is printed (``pytest -s``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from random import Random

import pytest
from msgspec import Struct
from msgspec.structs import replace

from services.engine.decide import decide, open_desk
from services.engine.model.bar_commands import CloseBar
from services.engine.model.bridge_commands import HearBridge
from services.engine.model.commands import AnyCommand, ConfigureDesk
from services.engine.model.feed import BASE_LENGTH, BaseName, MarketHours, ToldLast
from services.engine.model.settings import Rules
from services.engine.model.state import GENERATION, Asset, Desk
from services.engine.model.ticks import HearTicks, ToldTick
from services.engine.model.zone import zone_of
from services.engine.rules.build_chains import chains_of
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from services.market.instruments import Instrument, instrument_for
from services.market.renko import ChainState, RenkoStack
from tests.data.generated_tapes import GAPPED, VOLATILE
from tests.tradingview.bad_line import delivered
from tests.tradingview.tapes import BAR_LENGTHS, TAPES, UNITS, asset_of, bars_of, changes_of
from wire.tradingview import STREAM_OF_SIZE

BUNDLES_DROPPED, BUNDLES_DOUBLED = 0.002, 0.03  # a line that loses one in thirty is never certain
BUNDLE_SECONDS = 5
FEW = (VOLATILE.name, GAPPED.name)


class Bar(Struct, frozen=True):
    """One bar of a tape, and the chains behind it when every bar is heard."""

    start: datetime
    prices: tuple[Decimal, Decimal, Decimal, Decimal]
    behind: tuple[ChainState, ...]


def bars_of_tape(name: str, base: BaseName) -> list[Bar]:
    instrument, unit = instrument_for(asset_of(name)), Decimal(UNITS[asset_of(name)][0])
    stack, bars = RenkoStack(instrument, unit), []
    for start, (opened, high, low, closed) in bars_of(changes_of(name), BAR_LENGTHS[base]):
        stack.feed(closed)
        bars.append(Bar(start, (opened, high, low, closed), stack.state.chains))
    return bars


class DeskOfTape:
    """A desk that trades one asset in DEMO, builds its bricks, and hears what the line delivers."""

    def __init__(self, asset: str, at: datetime) -> None:
        self.instrument: Instrument = instrument_for(asset)
        contract = replace(self.instrument.contract(at.date()), unit=Decimal(UNITS[asset][0]))
        rules = Rules(contracts={asset: contract}, bricks_by_desk=(asset,))
        self.symbol = asset
        self.now = at
        self.desk: Desk = replace(open_desk("5e" * 32, rules, at), last_stamp=0, generation=GENERATION)
        self.hears(ConfigureDesk(rules), at)

    def hears(self, command: AnyCommand, at: datetime) -> None:
        self.now = max(self.now, at)
        self.desk = decide(self.desk, command, self.now).desk

    @property
    def asset(self) -> Asset:
        return self.desk.assets[self.symbol]

    @property
    def is_open(self) -> bool:
        """Whether the gate ``feed`` lets an entry pass."""
        entry = EntryRequest(self.asset)
        return next(rung.is_open for rung in ladder(self.desk, entry, self.now) if rung.gate == "feed")

    def agrees_with(self, behind: Sequence[ChainState], counts: Counter[str]) -> None:
        """Check that every size that the desk is certain of stands where it stands for one who heard all."""
        wrong = []
        for chain, true in zip(chains_of(self.asset) or (), behind, strict=True):
            counts["chains certain" if not chain.to_settle else "chains not certain"] += 1
            color = true.color or "neutral"
            stands = (chain.lo, chain.hi, chain.color, self.asset.stream(chain.stream).color)
            is_same = stands == (true.lo, true.hi, color, color)
            if not is_same:
                wrong.append(chain.stream)
                counts["chains elsewhere"] += 1
            assert is_same or chain.to_settle, f"{chain.stream} is certain and elsewhere"
        counts["gate feed open" if self.is_open else "gate feed closed"] += 1
        assert not (wrong and self.is_open), f"an entry may pass although {wrong} are elsewhere"
        structure = {"high", "macro"} & {stream.value for stream in wrong}
        if structure and zone_of(self.asset, self.now).kind != "NONE":
            assert not self.is_open


def bar_of(desk: DeskOfTape, bar: Bar, base: BaseName, *, with_last: bool) -> CloseBar:
    tick, length = desk.instrument.tick_size, timedelta(seconds=BASE_LENGTH[base])
    last = [
        ToldLast(STREAM_OF_SIZE[f"{chain.points:f}"], chain.color, chain.lo * tick, chain.hi * tick)
        for chain in bar.behind
        if chain.color is not None and chain.lo is not None and chain.hi is not None
    ]
    return CloseBar(
        asset=desk.symbol,
        symbol=f"{desk.symbol}1!",
        base=base,
        started_at=bar.start,
        sent_at=bar.start + length,
        ohlc=bar.prices,
        last=tuple(last) if with_last else (),
        hours=MarketHours(),  # some tapes trade on Saturdays: every absent bar is a gap
    )


def run_of_bars(name: str, base: BaseName, *, with_last: bool, seed: int) -> Counter[str]:
    bars, counts = bars_of_tape(name, base), Counter[str]()
    desk = DeskOfTape(asset_of(name), bars[0].start)
    behind = {bar.start: bar.behind for bar in bars}
    length = timedelta(seconds=BASE_LENGTH[base])
    for bar in delivered(bars, Random(seed), counts):
        desk.hears(bar_of(desk, bar, base, with_last=with_last), bar.start + length)
        newest = desk.asset.live.feed.newest_bar
        assert newest is not None
        desk.agrees_with(behind[newest], counts)
    counts["faults found"] = len(desk.desk.alerts)
    return counts


@pytest.mark.parametrize("with_last", [False, True], ids=["prices alone", "with the last bricks"])
@pytest.mark.parametrize("name", FEW)
def test_what_the_desk_is_certain_of_is_what_every_bar_made(name: str, with_last: bool) -> None:
    counts = run_of_bars(name, "1", with_last=with_last, seed=1)
    print(name, "with the last bricks" if with_last else "prices alone", dict(counts))
    assert min(counts[fault] for fault in ("dropped", "doubled", "delayed", "chains not certain")) > 0
    assert counts["chains certain"] > 0
    if with_last:
        assert counts["gate feed open"] > counts["gate feed closed"]


@pytest.mark.soak
@pytest.mark.parametrize("with_last", [False, True], ids=["prices alone", "with the last bricks"])
@pytest.mark.parametrize("base", ["15S", "1"])
@pytest.mark.parametrize("name", TAPES)
def test_on_every_tape_the_same(name: str, base: BaseName, with_last: bool) -> None:
    for seed in (1, 2, 3):
        print(name, base, with_last, seed, dict(run_of_bars(name, base, with_last=with_last, seed=seed)))


# -- ticks ----------------------------------------------------------------------------------------------------


class Bundle(Struct, frozen=True):
    """Some ticks as a bridge sends them, and the chains behind them when every tick is heard."""

    ticks: tuple[ToldTick, ...]
    behind: tuple[ChainState, ...]


def bundles_of(name: str, most: int) -> list[Bundle]:
    instrument, unit = instrument_for(asset_of(name)), Decimal(UNITS[asset_of(name)][0])
    stack, bundles = RenkoStack(instrument, unit), []
    told = [ToldTick(tick.at, tick.price, number) for number, tick in enumerate(changes_of(name)[:most])]
    for _, group in groupby(told, key=lambda tick: tick.at.timestamp() // BUNDLE_SECONDS):
        some = tuple(group)
        for tick in some:
            stack.feed(tick.price)
        bundles.append(Bundle(some, stack.state.chains))
    return bundles


def run_of_ticks(name: str, seed: int, most: int) -> Counter[str]:
    """Lose and double bundles; the bridge says of the one behind a lost one that ticks are missing."""
    bundles, counts, dice = bundles_of(name, most), Counter[str](), Random(seed)
    desk = DeskOfTape(asset_of(name), bundles[0].ticks[0].at)
    contract = desk.asset.contract.symbol
    is_lost = False
    for bundle in bundles:
        at = bundle.ticks[-1].at
        fate = dice.random()
        if fate < BUNDLES_DROPPED:
            counts["dropped"] += 1
            is_lost = True
            continue
        command = HearTicks(desk.symbol, contract, bundle.ticks, instance="a bridge", gap=is_lost)
        is_lost = False
        desk.hears(HearBridge(ts_connected=True, md_connected=True), at)
        desk.hears(command, at)
        if fate > 1 - BUNDLES_DOUBLED:
            counts["doubled"] += 1
            desk.hears(command, at)
        doubted = desk.asset.live.ticks is not None and desk.asset.live.ticks.doubted is not None
        counts["suspect"] += doubted
        if not doubted:
            desk.agrees_with(bundle.behind, counts)
    return counts


def test_what_the_desk_is_certain_of_is_what_every_tick_made() -> None:
    name = GAPPED.name
    counts = run_of_ticks(name, 1, 5_000)
    print(name, "ticks", dict(counts))
    assert min(counts[fault] for fault in ("dropped", "doubled", "chains not certain", "gate feed open")) > 0


@pytest.mark.soak
@pytest.mark.parametrize("name", TAPES)
def test_on_the_ticks_of_every_tape_the_same(name: str) -> None:
    for seed in (1, 2):
        print(name, "ticks", seed, dict(run_of_ticks(name, seed, 200_000)))
