"""Apply a price of TradingView's heartbeat: freshness, last price, and the exits that a price can trigger (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.commands import NotePrice
from services.engine.model.price_readings import OwnPrice
from services.engine.model.replies import PriceNoted
from services.engine.model.state import Asset, Desk
from services.engine.model.times import AHEAD_TOLERANCE, is_younger
from services.engine.rules.environment import SIMULATED, is_of_no_market, marked, priced
from services.engine.rules.exit_rules import Trigger
from services.engine.rules.prices import judged
from services.engine.rules.roll_week import delivery_of, difference_after, is_rolling, through, watched
from services.engine.rules.suspect_fills import entry_is_suspect
from services.engine.rules.ticks import outranks
from services.engine.steps.exits import check_exits
from services.engine.steps.feed_silence import watch_sizes
from services.engine.steps.suspect_fills import prove_by_price
from services.engine.steps.trades import track_excursion
from services.engine.transition import Transition
from wire.types import Instant, Price

SAMPLE_AGE = timedelta(hours=24)  # SPEC 3: in DEMO an older time is a sample or a wrong unit


class Heard(Struct, frozen=True):
    """When a heartbeat counts as sent; ``flagged`` when its own time is not believed."""

    at: Instant
    flagged: bool = False


def note_price(transition: Transition, command: NotePrice) -> PriceNoted:
    """Apply a heartbeat. A suspect price freshens and fires nothing; one that cannot be does nothing (SPEC 3)."""
    asset = transition.asset(command.asset)
    if is_of_no_market(transition.desk, simulated=command.simulated):
        return PriceNoted(flagged=True, ignored=SIMULATED)
    if command.delivery not in (None, delivery_of(watched(asset).symbol)):
        return PriceNoted(flagged=True, ignored="other_contract")
    heard = _time_of(transition.desk, command, transition.now)
    if command.price is not None and judged(asset, command.price, heard.at).verdict == "refused":
        return PriceNoted(flagged=True, ignored="impossible_price")
    too_old = not is_younger(heard.at, transition.desk.rules.heartbeat_max_age_seconds, transition.now)
    asset, price = _own_price(_freshened(transition.desk, asset, command, heard), command, heard.at)
    transition.put_asset(asset)
    if command.price is not None and price is None:
        return PriceNoted(flagged=True, too_old=too_old, ignored="roll_week")
    is_newest = asset.live.price_at is None or heard.at >= asset.live.price_at
    if price is None or not is_newest:
        return PriceNoted(heard.flagged, too_old=too_old)
    if outranks(transition.desk, asset, transition.now):
        return PriceNoted(heard.flagged, too_old=too_old, outranked=True)
    if not _take_price(transition, asset, command, price, heard.at):
        return PriceNoted(flagged=True, too_old=too_old, suspect=True)
    check_exits(transition, command.asset, Trigger("price"))
    return PriceNoted(heard.flagged, too_old=too_old)


def _own_price(asset: Asset, command: NotePrice, at: Instant) -> tuple[Asset, Price | None]:
    """Return what the price means for the contract that counts, None in a roll week without a steady difference."""
    if command.price is None or command.continuous is None or not is_rolling(asset, command.continuous):
        return asset, command.price
    difference = difference_after(asset, command.continuous, command.price, at)
    asset = replace(asset, live=replace(asset.live, difference=difference))
    return asset, through(difference, command.continuous, asset, command.price, at)


def _take_price(transition: Transition, asset: Asset, command: NotePrice, price: Price, at: Instant) -> bool:
    """Judge a price, store it when it is good, and return whether it is."""
    judgement = judged(asset, price, at)
    live = replace(asset.live, watch=judgement.watch)
    if judgement.is_good and command.delivery is not None:
        live = replace(live, own=OwnPrice(watched(asset).symbol, price, at))
    transition.put_asset(replace(asset, live=live))
    prove_by_price(transition, command.asset, price, None if judgement.is_good else asset.live.price_at)
    if judgement.is_good:
        move_price(transition, command.asset, price, at, simulated=command.simulated)
    return judgement.is_good


def _time_of(desk: Desk, command: NotePrice, now: Instant) -> Heard:
    if command.sent_at is None:
        return Heard(now)
    is_ahead = command.sent_at > now + AHEAD_TOLERANCE
    is_sample = desk.env == "DEMO" and command.sent_at < now - SAMPLE_AGE
    return Heard(now, flagged=True) if is_ahead or is_sample else Heard(command.sent_at)


def _freshened(desk: Desk, asset: Asset, command: NotePrice, heard: Heard) -> Asset:
    live = asset.live
    if live.last_heartbeat_at is not None and heard.at < live.last_heartbeat_at:
        return asset
    live = replace(live, last_heartbeat_at=heard.at, heartbeat_flagged=heard.flagged)
    return replace(asset, live=marked(desk, live, simulated=command.simulated))


def move_price(transition: Transition, symbol: str, price: Price, at: Instant, *, simulated: bool) -> None:
    """Store the newest believed price, and compute open points from it unless the broker's are newer."""
    asset = transition.asset(symbol)
    live = priced(transition.desk, asset.live, price, at, simulated=simulated)
    asset = replace(asset, live=live)
    is_newer = live.open_points_at is None or at >= live.open_points_at
    is_known = asset.trade is not None and not entry_is_suspect(asset)
    if asset.trade is not None and is_known and is_newer and at >= asset.trade.opened_at:
        points = asset.trade.open_points(price)
        asset = replace(asset, live=replace(live, open_points=points, open_points_at=at))
        asset = track_excursion(asset, points)
    transition.put_asset(asset)
    if transition.desk.generation > 3:
        watch_sizes(transition, symbol, price, at)
