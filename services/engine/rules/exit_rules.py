"""The ordered table of exit rules: when a position must be exited (SPEC 7.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from services.engine.rules.flat_time import must_be_flat
from wire.types import Color, Instant, Stream, color_against


class Trigger(Struct, frozen=True):
    """Why the rules are checked now: a brick, a touched level, or a new price (also from a snapshot).

    ``at`` is the instant of the check.
    """

    kind: Literal["brick", "level", "price"]
    stream: Stream | None = None
    color: Color = "neutral"
    at: Instant | None = None

    def opposes(self, trade: Trade, stream: Stream) -> bool:
        """Return whether this is a brick of that size against the trade."""
        return self.kind == "brick" and self.stream is stream and self.color == color_against(trade.side)


class ExitRule(Struct, frozen=True):
    """One rule that exits a trade. Its name is the order's ``source`` and the closed trade's ``reason``."""

    name: str
    is_due: Callable[[Desk, Asset, Trade, Trigger], bool]
    why: str


def day_is_stopped(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """After the daily stop nothing is held (SPEC 5.6)."""
    return desk.day.is_stopped


def flat_time_has_come(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """From FLAT_BY until the session's end nothing is held (SPEC 5.9)."""
    return trigger.at is not None and must_be_flat(desk, asset.symbol, trigger.at)


def level_was_touched(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """The level the operator drew in TradingView was touched (SPEC 3)."""
    return trigger.kind == "level"


def points_target_is_reached(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """Open points are at or above the target (SPEC 6.1)."""
    open_points = asset.live.open_points
    protections = trade.protections
    return protections.points_tp_enabled and open_points is not None and open_points >= protections.points_tp_target


def protect_gave_way(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """Open points are at or below the protect threshold (SPEC 6.3)."""
    open_points = asset.live.open_points
    threshold = trade.protections.protect_threshold_points
    return trade.protections.protect_enabled and open_points is not None and open_points <= threshold


def four_pt_invalidated(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """A 4pt brick closed against the trade while the 4pt invalidation is on (SPEC 6.5)."""
    return trade.protections.four_pt_invalidation_enabled and trigger.opposes(trade, Stream.FOUR)


def signals_are_counted(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """As many opposite 6pt bricks as targeted have closed since arming; not before the initial exit lock is off."""
    protections = trade.protections
    counted = protections.tp_armed and protections.tp_count >= protections.tp_target
    return counted and not trade.initial_exit_locked


def main_brick_flipped(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """A 6pt brick closed against the trade while the 6pt flip exit is on (SPEC 6.5)."""
    return trade.protections.main_flip_exit_enabled and trigger.opposes(trade, Stream.MAIN)


def next_high_bar_closed(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """The first 8pt brick after arming has closed, whatever its colour (SPEC 6.5)."""
    return trade.protections.high_next_bar_exit_enabled and trigger.kind == "brick" and trigger.stream is Stream.HIGH


def structure_broke(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """An 8pt brick closed against the trade; this rule cannot be switched off (SPEC 7.1)."""
    return trigger.opposes(trade, Stream.HIGH)


EXIT_RULES = (  # order = precedence; the name travels to order, journal and page
    ExitRule("daily_stop", day_is_stopped, "A lost day ends flat."),
    ExitRule("flat_by", flat_time_has_come, "The day ends when the trader said it would."),
    ExitRule("level", level_was_touched, "The trader drew this line before the trade, with a cool head."),
    ExitRule("points_tp", points_target_is_reached, "The planned profit is taken, not hoped beyond."),
    ExitRule("protect", protect_gave_way, "A trade that was good is not allowed to become a bad one."),
    ExitRule("four_pt_invalidation", four_pt_invalidated, "The pullback went deeper than the plan."),
    ExitRule("signal_tp", signals_are_counted, "Enough bricks against the trade are an answer."),
    ExitRule("main_flip", main_brick_flipped, "Without structure behind it, a trade ends when tempo turns."),
    ExitRule("high_next_bar", next_high_bar_closed, "The trader decided beforehand how long to stay."),
    ExitRule("structure", structure_broke, "The reason for the trade is gone."),
)
PRECEDENCE = {name: rank for rank, name in enumerate(["exit_all", *(rule.name for rule in EXIT_RULES)])}
