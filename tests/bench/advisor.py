"""What the advisor costs: memory without a model, with tables and with LightGBM, and how fast it answers."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from tests.bench.measure import Row, quantile
from tests.bench.wire import Wire
from tests.support.advisor_floor import AdvisorFloor, AdvisorProcess, quiet_after_noise, the_hour, tides
from tests.support.desk_process import SERVICE_SECRET, DeskProcess
from wire.keys import SERVICE_HEADER

SETTLE_SECONDS = 3.0
ASKED = 1_000
EXPLAINED = 100
FRAME = "1h"


def advisor_alone(folder: Path) -> list[Row]:
    """Weigh the advisor, then train it on a quiet market and on one with an edge, and ask for ranges."""
    with AdvisorFloor(folder) as floor:
        time.sleep(SETTLE_SECONDS)
        rows = [_memory(floor.advisor, "idle memory, no model", 70)]
        ends = the_hour()
        floor.stores([*tides("BTCUSD", ends, 66), *quiet_after_noise("ETHUSD", ends, 14)])
        _train(floor.advisor, "ETHUSD")
        rows += [_memory(floor.advisor, "memory, a table answers", 70), _ranges(floor.advisor, "ETHUSD", "a table")]
        _train(floor.advisor, "BTCUSD")
        rows.append(_ranges(floor.advisor, "BTCUSD", "LightGBM"))
        rows.append(_memory(floor.advisor, "memory, LightGBM answers", 100))
    return rows


def advisor_explains(folder: Path) -> list[Row]:
    """Ask the advisor why a desk is blocked; it reads the state over web's door each time."""
    with DeskProcess(folder / "desk") as desk, AdvisorProcess(folder / "advisor", "off", desk.url) as advisor:
        wire = Wire(advisor.agent_port, {SERVICE_HEADER: SERVICE_SECRET})
        took = []
        for _ in range(EXPLAINED):
            took.append(wire.timed("GET", "/api/v1/explain?about=block&asset=ES&direction=BUY"))
            time.sleep(0.51)  # two a second: more are refused
    p50 = quantile(took, 0.5)
    return [Row("advisor: why is ES blocked, over web's door", f"p50 {p50:.1f} ms", "p50 ≤ 30 ms", p50 <= 30)]


def _train(advisor: AdvisorProcess, symbol: str) -> None:
    trained = advisor.runs("train", symbol, "--timeframe", FRAME)
    if trained.returncode != 0:
        raise RuntimeError(f"the training of {symbol} failed: {trained.stdout}")
    advisor.serves(advisor.card(symbol, FRAME)["id"])
    time.sleep(SETTLE_SECONDS)


def _memory(advisor: AdvisorProcess, what: str, most: int) -> Row:
    memory = psutil.Process(advisor.spawned.pid).memory_info().rss / 2**20
    return Row(f"advisor: {what}", f"{memory:.0f} MiB", f"≤ {most} MiB", memory <= most)


def _ranges(advisor: AdvisorProcess, symbol: str, who: str) -> Row:
    wire = Wire(advisor.ml_port)
    took = [wire.timed("GET", f"/api/range/{symbol}?timeframe={FRAME}") for _ in range(ASKED)]
    p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
    return Row(f"advisor: GET /api/range, {who}", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "p50 ≤ 20 ms", p50 <= 20)
