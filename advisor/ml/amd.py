"""Accumulation, manipulation, distribution: a phase of each bar, read only from bars that were over.

A market that moves little accumulates. A break of that quiet range that closes back inside it is a manipulation; a
close beyond the range is a distribution. Each ends after 12 bars, and where trading paused. What is neither is
``unknown``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from advisor.ml.amd_lift import MEASURED_LOOKBACK, NEUTRAL, PhaseLift, bias_of
from advisor.ml.bars import Series
from advisor.ml.numbers import decimal_of, share_of
from wire.ml_engine import AmdAnswer, AmdCharacteristics, AmdPhase, SignalDirection

BOX_BARS = 12
FEWEST_LOOKBACK = 50
COMPRESSED = 0.7
"""A range of 12 bars below so much of the usual one is quiet."""
LOW_VOLUME = 0.8
LONGEST_PHASE = 12
ANSWER_BARS = 100
"""An answer reads so many bars beside the lookback."""


class Box(Struct, frozen=True):
    """The quiet range."""

    high: float
    low: float

    def beyond(self, price: float) -> float:
        """Return how far a price lies outside, over the height of the box; at most 1."""
        height = self.high - self.low
        outside = max(price - self.high, self.low - price, 0.0)
        if not outside:
            return 0.0
        return min(outside / height, 1.0) if height else 1.0


class Phase(Struct, frozen=True):
    """The phase of one bar: ``since`` is the place of the bar that began it, ``direction`` where it points.

    ``compression`` is the range of the last 12 bars over the usual one, None where that is unknown.
    """

    phase: AmdPhase
    since: int
    direction: SignalDirection | None = None
    strength: float = 0.0
    compression: float | None = None


class _Stage(Struct, frozen=True):
    """Where the machine is: the phase, the box that it came from, and the bar at which its 12 bars began."""

    phase: AmdPhase
    since: int
    renewed: int
    box: Box
    direction: SignalDirection | None
    strength: float


def phases(series: Series, lookback: int = MEASURED_LOOKBACK) -> list[Phase]:
    """Return the phase of each bar. Later bars change none of them.

    ``lookback`` is how many ranges of 12 bars make the usual one.
    """
    compressions = _compressions(series, lookback)
    stage: _Stage | None = None
    found: list[Phase] = []
    unknown_since = 0
    for index, compression in enumerate(compressions):
        if stage is not None and _has_paused(series, index):
            stage = None
        before = stage
        stage = _next_stage(series, index, compression, stage)
        if stage is None:
            if before is not None or not found or found[-1].phase != "unknown":
                unknown_since = index
            found.append(Phase("unknown", unknown_since, compression=compression))
        else:
            found.append(Phase(stage.phase, stage.since, stage.direction, stage.strength, compression))
    return found


def amd_answer(series: Series, lookback: int, lifts: Sequence[PhaseLift] = ()) -> AmdAnswer | None:
    """Return the phase of the newest bar, None without any bar.

    ``lifts`` are what the phases were measured to be worth, with the usual lookback of 100 bars; with another one
    nothing was measured.
    """
    if not len(series):
        return None
    recent = series.newest(lookback + ANSWER_BARS)
    found = phases(recent, lookback)[-1]
    measured = next((lift for lift in lifts if lift.phase == found.phase and lookback == MEASURED_LOOKBACK), None)
    volume_ratio = _volume_ratio(recent, lookback)
    is_worth = measured is not None and measured.is_above_zero
    return AmdAnswer(
        phase=found.phase,
        confidence=share_of(measured.base_rate + measured.value) if measured and is_worth else Decimal(0),
        start_time=None if found.phase == "unknown" else recent.ends_at(found.since),
        characteristics=AmdCharacteristics(
            range_compression=None if found.compression is None else decimal_of(found.compression),
            volume_ratio=None if volume_ratio is None else decimal_of(volume_ratio),
        ),
        signals=_seen(found, volume_ratio),
        strength=share_of(found.strength),
        trading_bias=bias_of(found.direction, measured) if measured else NEUTRAL,
        symbol=series.symbol,
        timeframe=series.timeframe,
        as_of=series.ends_at(len(series) - 1),
        lift=decimal_of(measured.value) if measured else None,
        lift_low=decimal_of(measured.low) if measured else None,
        lift_high=decimal_of(measured.high) if measured else None,
        base_rate=share_of(measured.base_rate) if measured else None,
        n=measured.n if measured else 0,
    )


def _seen(found: Phase, volume_ratio: float | None) -> tuple[str, ...]:
    """Return the codes of what was seen."""
    seen = {
        "range_compression": found.compression is not None and found.compression < COMPRESSED,
        "low_volume": volume_ratio is not None and volume_ratio < LOW_VOLUME,
        "false_break": found.phase == "manipulation",
        "breakout": found.phase == "distribution",
    }
    return tuple(code for code, is_seen in seen.items() if is_seen)


def _has_paused(series: Series, index: int) -> bool:
    return not series.is_followed(index - 1) and series.session[index] != series.session[index - 1]


def _next_stage(series: Series, index: int, compression: float | None, stage: _Stage | None) -> _Stage | None:
    if stage is not None and stage.phase != "distribution":
        left = _left(series, index, stage)
        if left is not None:
            return left
    if compression is not None and compression < COMPRESSED and (stage is None or stage.phase != "manipulation"):
        strength = 1 - compression / COMPRESSED
        since = stage.since if stage is not None and stage.phase == "accumulation" else index
        return _Stage("accumulation", since, index, _box(series, index), None, strength)
    if stage is not None and index - stage.renewed >= LONGEST_PHASE:
        return None
    return stage


def _left(series: Series, index: int, stage: _Stage) -> _Stage | None:
    """Return the stage that begins where a bar leaves the box; None while it stays inside, or leaves on both sides."""
    high, low, close = series.high[index], series.low[index], series.close[index]
    box = stage.box
    if close > box.high:
        return _Stage("distribution", index, index, box, "long", box.beyond(close))
    if close < box.low:
        return _Stage("distribution", index, index, box, "short", box.beyond(close))
    if stage.phase == "manipulation" or (high > box.high) == (low < box.low):
        return None
    if high > box.high:
        return _Stage("manipulation", index, index, box, "short", box.beyond(high))
    return _Stage("manipulation", index, index, box, "long", box.beyond(low))


def _box(series: Series, index: int) -> Box:
    begin = index - BOX_BARS + 1
    return Box(max(series.high[begin : index + 1]), min(series.low[begin : index + 1]))


def _compressions(series: Series, lookback: int) -> list[float | None]:
    """Return the range of the last 12 bars over the mean of such ranges, by bar; None before there are enough."""
    widths: list[float] = []
    compressions: list[float | None] = []
    total = 0.0
    for index in range(len(series)):
        if index + 1 < BOX_BARS:
            compressions.append(None)
            continue
        box = _box(series, index)
        widths.append(box.high - box.low)
        total += widths[-1]
        if len(widths) > lookback:
            total -= widths[-1 - lookback]
        is_known = len(widths) >= lookback and total > 0
        compressions.append(widths[-1] * lookback / total if is_known else None)
    return compressions


def _volume_ratio(series: Series, lookback: int) -> float | None:
    volumes = series.volume[-lookback:]
    known = [volume for volume in volumes if volume is not None]
    if len(known) < len(volumes) or len(known) < max(BOX_BARS, FEWEST_LOOKBACK) or not sum(known):
        return None
    return (sum(known[-BOX_BARS:]) / BOX_BARS) / (sum(known) / len(known))
