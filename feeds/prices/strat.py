"""TheStrat's definitions: the scenario of a candle, and the setups that two closed candles make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from feeds.prices.types import Candle, Direction, Scenario, Setup, SetupName

AFTER_AN_INSIDE: dict[Scenario | None, SetupName] = {"2U": "2-1-2", "2D": "2-1-2", "3": "3-1-2"}
BEFORE_A_REVERSAL: dict[Scenario | None, SetupName] = {"1": "1-2-2", "3": "3-2-2"}
REVERSAL_OF: dict[Scenario | None, Direction] = {"2U": "down", "2D": "up"}
WITH: dict[Direction, Scenario] = {"up": "2U", "down": "2D"}


def scenario_of(
    high: Decimal, low: Decimal, trigger_up: Decimal | None, trigger_down: Decimal | None, is_partial: bool
) -> Scenario | None:
    """Return what a candle has broken of the one before it; equality breaks nothing. None is unknown.

    A partial candle is only known once both sides are broken: what was not heard could not undo that.
    """
    if trigger_up is None or trigger_down is None:
        return None
    broke_up = high > trigger_up
    broke_down = low < trigger_down
    if broke_up and broke_down:
        return "3"
    if is_partial:
        return None
    if broke_up:
        return "2U"
    return "2D" if broke_down else "1"


def setups_of(closed: Sequence[Candle], forming: Candle | None) -> Iterator[Setup]:
    """Yield the setups that the last closed candles make and ``forming``, the current one, has not voided.

    An inside candle waits for either side; a directional one (2U, 2D) for its reversal. The trigger must be the first
    side that the current candle breaks: a 2 the other way, or a 3, is no third candle of the setup.
    """
    if not closed or closed[-1].is_partial:
        return
    signal = closed[-1]
    before = closed[-2].scenario if len(closed) > 1 else None
    is_followed = forming is not None
    if forming is not None and forming.trigger_up is None:
        return
    now = forming.scenario if forming is not None else "1"
    for name, direction in _waiting(before, signal.scenario):
        if now == "1" or now == WITH[direction]:
            yield _setup(signal, name, direction, is_in_force=is_followed and now == WITH[direction])


def _waiting(before: Scenario | None, signal: Scenario | None) -> Iterator[tuple[SetupName, Direction]]:
    """Yield name and direction of what the two scenarios wait for. Each pair has one name, the longest that fits."""
    if signal == "1":
        name = AFTER_AN_INSIDE.get(before)
        if name is not None:
            yield name, "up"
            yield name, "down"
    elif signal in REVERSAL_OF:
        yield BEFORE_A_REVERSAL.get(before, "2-2"), REVERSAL_OF[signal]


def _setup(signal: Candle, name: SetupName, direction: Direction, is_in_force: bool) -> Setup:
    is_up = direction == "up"
    return Setup(
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        name=name,
        direction=direction,
        trigger=signal.high if is_up else signal.low,
        stop=signal.low if is_up else signal.high,
        candle_start=signal.start,
        is_in_force=is_in_force,
    )
