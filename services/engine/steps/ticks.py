"""Apply the ticks of a bridge: prices of the contract itself, which outrank TradingView's (SPEC 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from services.engine.model.events import ObservationsKept
from services.engine.model.price_readings import OwnPrice, PriceWatch
from services.engine.model.replies import Reply, TicksTaken
from services.engine.model.state import Asset
from services.engine.model.ticks import HeardTicks, HearTicks
from services.engine.rules.build_chains import Formed
from services.engine.rules.environment import marked
from services.engine.rules.exit_rules import Trigger
from services.engine.rules.ticks import (
    Believed,
    GoodTick,
    believed,
    heard_after,
    places_of_news,
    reason_against,
    turning_points,
)
from services.engine.steps.build_bricks import end_settled, hear_no_ticks
from services.engine.steps.build_of_ticks import close_by_tick, formed_of_ticks, hole_before
from services.engine.steps.exits import check_exits
from services.engine.steps.prices import move_price
from services.engine.steps.suspect_fills import prove_by_price
from services.engine.transition import Transition
from wire.types import Instant


def hear_ticks(transition: Transition, command: HearTicks) -> Reply:
    """Take the ticks that were not heard before, in their order; each is judged like any price.

    The price comes first: what the bricks of a tick then decide is decided by it. What only the order between the
    extremes shows is not looked at: no rule of prices sees more in it.
    """
    before = transition.asset(command.asset)
    reason = reason_against(transition.desk, before, command, transition.now)
    if reason is not None:
        return TicksTaken(ignored=reason)
    heard = heard_after(before, command, transition.now)
    if heard.sender is None or not heard.fresh:
        if heard.is_lossy:
            hear_no_ticks(transition, command.asset, "missed_bar")
        return TicksTaken()
    hole = hole_before(transition.desk, before.live.ticks, command, transition.now, is_lossy=heard.is_lossy)
    told = believed(before, heard.fresh)
    news = places_of_news(before, told.good, transition.now)
    watch = _watch_after(before, told, news, transition.now)
    _remember(transition, command, replace(heard.sender, hole=None if told.good else hole), told, news, watch)
    if told.good:
        formed: Mapping[int, Sequence[Formed]] = {}
        if command.asset in transition.desk.rules.bricks_by_desk:
            formed = formed_of_ticks(transition, command, told.good, hole)
        _move_along(transition, command, told.good, news, formed)
        end_settled(transition, command.asset)
    if transition.asset(command.asset).feed != before.feed and not transition.events:
        transition.record(ObservationsKept())
    return TicksTaken(taken=len(told.good))


def _watch_after(before: Asset, told: Believed, news: Sequence[int], now: Instant) -> PriceWatch:
    """Return what the next prices are judged by. A tick that is no news says where the price was, not where it is."""
    if told.good:
        is_news = len(told.good) - 1 in news
    else:
        is_news = told.doubted is not None and bool(places_of_news(before, [told.doubted], now))
    return told.watch if is_news else replace(before.live.watch, low=told.watch.low, high=told.watch.high)


def _remember(
    transition: Transition,
    command: HearTicks,
    heard: HeardTicks,
    told: Believed,
    news: Sequence[int],
    watch: PriceWatch,
) -> None:
    asset = transition.asset(command.asset)
    doubted = told.doubted
    heard = replace(heard, doubted=doubted and doubted.price, doubted_at=doubted and doubted.at)
    live = replace(asset.live, ticks=heard, watch=watch)
    if news:
        newest = told.good[news[-1]]
        at = max(newest.at, heard.at or newest.at)  # the sender's clock may have been set back
        heard = replace(heard, price=newest.price, at=at)
        own = OwnPrice(command.contract, newest.price, at)
        live = replace(marked(transition.desk, live, simulated=command.simulated), ticks=heard, own=own)
    transition.put_asset(replace(asset, live=live))


def _move_along(
    transition: Transition,
    command: HearTicks,
    good: Sequence[GoodTick],
    news: Sequence[int],
    formed: Mapping[int, Sequence[Formed]],
) -> None:
    """Let the prices decide that can: each of the extremes, each that closed bricks, and the last one."""
    for place in sorted(turning_points(good, news) | set(formed)):
        tick = good[place]
        if place in news:
            at = max(tick.at, transition.asset(command.asset).live.price_at or tick.at)
            prove_by_price(transition, command.asset, tick.price, None)
            move_price(transition, command.asset, tick.price, at, simulated=command.simulated)
            check_exits(transition, command.asset, Trigger("price"))
        close_by_tick(transition, command, tick, formed.get(place, ()))
