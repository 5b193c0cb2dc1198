"""An angry trader tries to lose more than a day may cost, and does not succeed (SPEC 1, 5.6, 5.9).

The bound: the day's limit, one tick of slippage for each contract held, and the commissions out of them. Measured on
the account of the simulated broker. A market that jumps over a resting stop without trading at it, and orders given on
the broker's own platform, are outside the promise. ``python -m tests.angry`` plays a seed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
import structlog

from services.engine.rules import gates
from services.engine.steps import day
from services.market.ticks import Tick, read_ticks
from tests.angry.market import Market, TapeMarket
from tests.angry.world import AngryWorld, TrueDay
from tests.data.generated_tapes import GENERATED_TAPES, ticks_of
from tests.data.recorded_tapes import FALL, recorded_tapes
from tests.lying.desk_app import silence

SEEDS = (1, 3, 4, 5)  # 3 trades LIVE
FURIOUS = 5  # finds more than its limit on a desk without the gate risk
ACTS_OF_A_SEED = 250
LONG_SEEDS, ACTS_OF_A_LONG_SEED = range(100, 110), 1000
GENERATED = {tape.name: tape for tape in GENERATED_TAPES}
RECORDED = {"es_fall": FALL, **recorded_tapes(("us30_ticks_20230628_renkodf", "es_1m_2013_lean"))}
MarketOf = Callable[[Random], Market]


@pytest.fixture(autouse=True)
def silent_worlds() -> Iterator[None]:
    silence()
    yield
    structlog.reset_defaults()


def played(seed: int, acts: int, folder: Path, market: MarketOf = Market) -> AngryWorld:
    """Let the trader of a seed play so many acts on a desk of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    world = AngryWorld(seed, folder, market)
    try:
        world.plays(acts)
    finally:
        world.desk.close()
    assert not world.faults
    assert world.account.entries >= acts // 100, "the trader hardly got to trade: the world proves nothing"
    return world


def on_tape(name: str) -> MarketOf:
    """Return a market that follows the tape. A price of the tape comes about every second."""
    ticks: tuple[Tick, ...] = ticks_of(GENERATED[name]) if name in GENERATED else tuple(read_ticks(RECORDED[name]))
    asset = "ES" if name.startswith("es") or (name in GENERATED and GENERATED[name].asset == "ES") else "YM"
    return partial(TapeMarket, asset=asset, ticks=ticks, speed=max(1, len(ticks) // 20_000))


def without_the_gate_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "ENTRY_GATES", tuple(gate for gate in gates.ENTRY_GATES if gate.name != "risk"))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_day_costs_more_than_its_limit(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = played(seed, ACTS_OF_A_SEED, tmp_path)
    with capsys.disabled():
        print(f"\n{world.day.worst}")
    assert world.day.worst.excess <= 0, f"seed {seed}: {world.day.worst}"


def test_without_the_gate_risk_the_trader_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can fail: what the trader does costs too much on a desk that limits no risk."""
    without_the_gate_risk(monkeypatch)
    worst = played(FURIOUS, ACTS_OF_A_SEED, tmp_path).day.worst
    assert worst.excess > worst.allowed / 4


def test_without_the_daily_stop_the_worst_day_is_worse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_gate_risk(monkeypatch)
    stopped = played(FURIOUS, ACTS_OF_A_SEED, tmp_path / "stopped").day
    monkeypatch.setattr(day, "_is_confirmed", lambda transition, reached: False)
    monkeypatch.setattr(day, "_await_second", lambda transition, reached: None)
    unstopped = played(FURIOUS, ACTS_OF_A_SEED, tmp_path / "unstopped").day
    assert unstopped.worst.excess > stopped.worst.excess


def test_a_seed_always_plays_the_same(tmp_path: Path) -> None:
    first, again = (played(SEEDS[0], 60, tmp_path / name) for name in ("first", "again"))
    assert first.done == again.done
    assert first.account.equity == again.account.equity


# -- at length -----------------------------------------------------------------------------------------------------


@pytest.mark.soak
def test_no_day_of_ten_thousand_acts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [played(seed, ACTS_OF_A_LONG_SEED, tmp_path / str(seed)).day.worst for seed in LONG_SEEDS]
    _judges(max(days, key=lambda day: day.excess), "the simulated market", capsys)


@pytest.mark.soak
@pytest.mark.parametrize("name", [*GENERATED, *RECORDED])
def test_no_day_on_a_tape(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = on_tape(name)
    days = [played(seed, ACTS_OF_A_LONG_SEED, tmp_path / str(seed), market).day.worst for seed in LONG_SEEDS]
    _judges(max(days, key=lambda day: day.excess), name, capsys)


def _judges(worst: TrueDay, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{where}: {worst}")
    assert worst.excess <= 0, f"{where}: {worst}"
