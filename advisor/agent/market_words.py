"""Words for what is held, what the bricks say, and what the ML engine knows. Nothing of it is advice. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.agent.findings import Colour, Consensus, HeldPosition, Positions
from advisor.agent.foreign_names import symbol_words
from advisor.agent.statements import env_of, finding_of, said
from advisor.agent.wording import counted, facts_of, listed, moment, percent, points, price, usd
from wire.explain import Statement, ToolResult
from wire.ml_engine import AmdAnswer, RangeBand, RangeBands, SignalResponse

METHODS = {
    "flat": "one quantile of all moves over ATR",
    "hour": "a table by hour and ATR",
    "model": "a model that earned its place",
}


# -- positions ------------------------------------------------------------------------------------------------------


def say_positions(result: ToolResult) -> Iterator[Statement]:
    """Say what is held, what is on its way, and what the broker holds besides."""
    found = finding_of(result, Positions)
    env = env_of(result)
    if found.flat:
        where = env if found.asset is None else f"{found.asset} ({env})"
        facts = facts_of(flat=True, asset=found.asset, env=env)
        yield said("flat", f"The desk holds nothing in {where}.", facts, "positions")
    for held in found.held:
        yield _held(held, env)
    for order in found.orders:
        lost = ", and nobody knows what became of it" if order.fate_unknown else ""
        text = f"An order is open: {order.kind} {order.side} {order.quantity} {order.contract}, {order.status}{lost}."
        facts = facts_of(kind=order.kind, side=order.side, quantity=order.quantity, contract=order.contract)
        yield said("order_open", text, facts, "positions")
    for foreign in found.foreign:
        text = f"The broker holds {foreign.position} {symbol_words(foreign.symbol)}, which the desk does not trade."
        yield said("foreign_position", text, facts_of(position=foreign.position, symbol=foreign.symbol), "positions")
    for asset, position in found.disagreements.items():
        text = f"The broker reports {position} in {asset}, which is not what the desk holds."
        yield said("position_mismatch", text, facts_of(asset=asset, broker_position=position), "positions")


def _held(held: HeldPosition, env: str) -> Statement:
    side = "long" if held.side == "BUY" else "short"
    at = f" at {price(held.average_price)}" if held.average_price is not None else ""
    stands = "what it makes now is not known (no price)"
    if held.open_points is not None:
        stands = f"{points(held.open_points)} open"
        if held.open_usd is not None:
            stands += f", {usd(held.open_usd)}"
    stop = {
        True: "a stop rests at the broker",
        False: "no stop rests at the broker",
        None: "whether a stop rests at the broker is not known",
    }[held.stop_rests]
    planned = f", planned at {price(held.stop_price)}" if held.stop_price is not None else ""
    market = ", in a simulated market" if held.simulated else ""
    text = f"You are {side} {held.quantity} {held.contract}{at} in {env}{market}: {stands}; {stop}{planned}."
    facts = facts_of(
        asset=held.asset,
        contract=held.contract,
        side=held.side,
        quantity=held.quantity,
        average_price=held.average_price,
        open_points=held.open_points,
        open_usd=held.open_usd,
        stop_price=held.stop_price,
        stop_rests=held.stop_rests,
        env=env,
    )
    return said("held", text, facts, "positions")


# -- consensus ------------------------------------------------------------------------------------------------------


def say_consensus(result: ToolResult) -> Iterator[Statement]:
    """Say the colours and the zone."""
    found = finding_of(result, Consensus)
    env = env_of(result)
    known = [brick for brick in found.colours if brick.colour is not None]
    facts = facts_of(
        asset=found.asset,
        env=env,
        zone=found.zone,
        zone_direction=found.zone_direction,
        colours=", ".join(f"{brick.size} {brick.colour}" for brick in known) or None,
        unknown=", ".join(brick.size for brick in found.colours if brick.colour is None) or None,
    )
    said_colours = listed(f"{brick.size} {brick.colour}" for brick in known) if known else "no colour is known"
    unknown = [_unknown(brick) for brick in found.colours if brick.colour is None]
    rest = f" ({', '.join(unknown)})" if unknown and known else ""
    zone = f"the zone is {found.zone}" if found.zone else "the zone is not known"
    toward = f" to {found.zone_direction}" if found.zone_direction else ""
    text = f"The bricks of {found.asset}: {said_colours}{rest}; {zone}{toward}. Colours are no forecast."
    yield said("colours", text, facts, "consensus")


def _unknown(brick: Colour) -> str:
    return f"{brick.size} {'too old' if brick.missing == 'stale' else 'not seen'}"


# -- the ML engine --------------------------------------------------------------------------------------------------


def say_range(result: ToolResult) -> Iterator[Statement]:
    """Say the usual range of the next bar, with how often it held."""
    found = finding_of(result, RangeBands)
    for band in found.bands:
        facts = facts_of(
            asset=found.asset,
            timeframe=found.timeframe,
            quantile=band.quantile,
            quantile_pct=band.quantile * 100,
            high=band.high,
            low=band.low,
            held_high=band.held_high,
            held_low=band.held_low,
            n=band.n,
            valid_until=found.valid_until,
        )
        text = (
            f"In {percent(band.quantile)} of {found.timeframe} bars {found.asset} stays below {price(band.high)}, and "
            f"in as many above {price(band.low)}, up to {moment(found.valid_until, found.as_of)}{_held_words(band)}."
        )
        yield said("range", text, facts, "range_forecast", band.n)
    facts = facts_of(method=found.method, close=found.close, model=found.model)
    text = f"It counts from {price(found.close)}, by {METHODS[found.method]}. It says how far, not which way."
    yield said("range_method", text, facts, "range_forecast")


def _held_words(band: RangeBand) -> str:
    if band.held_high is None or band.held_low is None:
        return "; too few forecasts were judged yet to say how often that held"
    return (
        f"; of the last {counted(band.n, 'forecast')} {percent(band.held_high)} held above and "
        f"{percent(band.held_low)} below"
    )


def say_signal(result: ToolResult) -> Iterator[Statement]:
    """Say the signal as what it is: information, with the base rate beside it."""
    found = finding_of(result, SignalResponse)
    facts = facts_of(
        symbol=found.symbol,
        direction=found.direction,
        entry_price=found.entry_price,
        stop_loss=found.stop_loss,
        take_profit=found.take_profit,
        prob_tp_first=found.prob_tp_first,
        base_rate=found.base_rate,
        n=found.n,
        prob_source=found.prob_source,
    )
    what = f"{found.symbol} {found.direction} from {price(found.entry_price)}"
    levels = f"stop {price(found.stop_loss)}, target {price(found.take_profit)}"
    base = f"{percent(found.base_rate)} of {counted(found.n, 'bar')}"
    if found.actionable:
        text = (
            f"The model sees {what}, {levels}: it gives {percent(found.prob_tp_first)} that the target comes first, "
            f"beside {base} of this market. It is information, nobody trades it."
        )
    else:
        text = (
            f"There is no active signal of {found.symbol}. For {what}, {levels}, the target came first in {base}: that "
            "is the base rate, no forecast."
        )
    yield said("signal", text, facts, "signal", found.n)


def say_phase(result: ToolResult) -> Iterator[Statement]:
    """Say the phase, and that nothing is known of its worth unless it was measured."""
    found = finding_of(result, AmdAnswer)
    facts = facts_of(symbol=found.symbol, phase=found.phase, confidence=found.confidence, timeframe=found.timeframe)
    if found.phase == "unknown":
        text = f"No phase of {found.symbol} can be read from its {found.timeframe} bars."
        yield said("phase_unknown", text, facts, "amd_phase")
        return
    text = f"The {found.timeframe} bars of {found.symbol} look like {found.phase}."
    yield said("phase", text, facts, "amd_phase")
    if found.lift is None or found.lift_low is None or found.lift_high is None:
        text = "What that phase is worth was not measured: it gives no direction."
        yield said("lift_unknown", text, facts_of(phase=found.phase), "amd_phase")
        return
    lift, low, high = found.lift, found.lift_low, found.lift_high
    ends = f"{low * 100:+.1f} % to {high * 100:+.1f} %"
    text = (
        f"In {counted(found.n, 'entry', 'entries')} of that phase the target came first {lift * 100:+.1f} percentage "
        f"points more often than elsewhere (95 % interval {ends})"
    )
    text += ": it gives no direction." if found.trading_bias.direction == "neutral" else "."
    facts = facts_of(lift=lift, low=low, high=high, n=found.n, interval_pct=95)
    yield said("lift", text, facts, "amd_phase", found.n, (low, high))
