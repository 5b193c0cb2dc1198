"""A fortnight of trading for pictures of the journal: a market that walks, and an operator who keeps most rules.

Every command is decided by the real desk and lies in its file, only the clock is the story's. The dice fall the same
way each time; the days end yesterday.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from services.engine.model.commands import EnterMarket, NoteTrade
from services.engine.model.replies import Refusal
from services.engine.model.trade_events import TradeClosed
from tests.browser.market import SIZES
from tests.support.stored_trader import StoredTrader
from wire.types import Color, Side, TradeMode

TICK = 0.25
STEPS_A_DAY = 260
SECONDS_A_STEP = 40
LEG = 30  # steps between changes of mind
SWING = 2.4  # points a step
TRADES_A_DAY = 4
PATIENCE = 0.35  # chance of a click at an open gate, a step
IMPATIENCE = 0.04  # at a closed one
SIDES: tuple[Side, ...] = ("BUY", "SELL")
MODES: tuple[TradeMode, ...] = ("SCALP", "SCALP", "RUNNER")  # the likelier one twice
WHY = ("the open gap closes", "third failure at yesterday's high", "I was sure")
NOTES = (
    ("Waited for the token, took what the rules gave. Again.", ("plan", "patient")),
    ("Late: the leg was four bricks old when I came in.", ("late",)),
    ("Forced the exit out of fear. It went on for six points.", ("fear", "forced")),
    ("Clean. Structure, token, pullback.", ("plan",)),
    ("Two refusals before it. The cooldown saved me a loss.", ("angry", "saved")),
)


class Walk:
    """A price that walks, and the bricks it closes: a turn takes two heights."""

    def __init__(self, start: float, dice: random.Random) -> None:
        self.price = start
        self._dice, self._drift = dice, 0.0
        self._ends = dict.fromkeys(SIZES, (start, 0))

    def steps(self, number: int) -> list[tuple[str, Color, float]]:
        """Take one step; return the bricks that it closes as (size, colour, close)."""
        if number % LEG == 0:
            self._drift = self._dice.choice((-0.5, 0.6, 0.35, -0.3, 0.0))
        self.price = round((self.price + self._dice.gauss(self._drift, SWING)) / TICK) * TICK
        return [brick for size in SIZES[1:] for brick in self._closes(size)]

    def _closes(self, size: str) -> Iterator[tuple[str, Color, float]]:
        height = float(size)
        while True:
            end, way = self._ends[size]
            if self.price >= end + height * (1 if way >= 0 else 2):
                turned = 1
            elif self.price <= end - height * (1 if way <= 0 else 2):
                turned = -1
            else:
                return
            end += turned * height * (1 if turned * way >= 0 else 2)
            self._ends[size] = end, turned
            yield size, "green" if turned > 0 else "red", end


class Operator:
    """Trades one day after the other, and sometimes does what the desk exists for."""

    def __init__(self, trader: StoredTrader, walk: Walk, dice: random.Random) -> None:
        self._trader, self._walk, self._dice = trader, walk, dice
        self._equity = 50_000.0

    def trades(self, day: date) -> None:
        trader, walk = self._trader, self._walk
        trader.at("09:32", day.isoformat())
        taken = 0
        for step in range(STEPS_A_DAY):
            trader.later(seconds=SECONDS_A_STEP)
            bricks = walk.steps(step)
            trader.hears(walk.price)
            for size, color, close in bricks:
                trader.brick(float(size), color, close=close)
            self._fill()
            if trader.position:
                self._manage()
            elif taken < TRADES_A_DAY:
                taken += self._enter()
            if step % 10 == 0:
                self._report()
        self._go_home()

    def _enter(self) -> int:
        """Click: at an open gate more often than at a closed one."""
        trader, dice = self._trader, self._dice
        open_sides = [side for side in SIDES if trader.gate_for(side) is None]
        if dice.random() > (PATIENCE if open_sides else IMPATIENCE):
            return 0
        override = not open_sides and dice.random() < 0.12
        side = dice.choice(open_sides or SIDES)
        mode = dice.choice(MODES)
        why = dice.choice(WHY) if override else None
        command = EnterMarket(trader.asset_in_hand, mode, "6pt", side, override, why)
        trader.asks(command)
        if isinstance(trader.answer, Refusal):
            return 0
        self._fill()
        return 1

    def _manage(self) -> None:
        """Hold on; add to what goes well now and then, leave now and then, once in a while by force."""
        trader, dice = self._trader, self._dice
        chance, trade = dice.random(), trader.asset.trade
        if trade is None or trader.order is not None:
            return
        points = (1 if trade.side == "BUY" else -1) * (self._walk.price - float(trade.entry_price))
        if trade.scale_in_available and chance > 0.7:
            trader.scales_in()
            self._fill()
            return
        if chance < 0.01:
            trader.exits(force=True)
        elif chance < 0.12 and not -5 < points < 6:
            trader.exits()
        self._fill()

    def _fill(self) -> None:
        """Let the broker fill what is open, a tick against the operator."""
        trader = self._trader
        while trader.order is not None:
            order = trader.order
            side = 1 if order.side == "BUY" else -1
            trader.later(seconds=0.4).filled_at(self._walk.price + side * TICK)
            self._equity += sum(float(event.pnl_usd) for event in trader.events if isinstance(event, TradeClosed))

    def _report(self) -> None:
        trade = self._trader.asset.trade
        open_usd = 0.0
        if trade is not None:
            sign = 1 if trade.side == "BUY" else -1
            open_usd = sign * (self._walk.price - float(trade.entry_price)) * 5 * trade.quantity
        self._trader.broker_says(round(self._equity + open_usd, 2), open_pnl=round(open_usd, 2))

    def _go_home(self) -> None:
        if self._trader.position:
            self._trader.exits(force=True)
            self._fill()
        self._report()


def live_through(file: Path, until: date, days: int = 11) -> None:
    """Fill a store's file with so many trading days, the last one the weekday before ``until``."""
    dice = random.Random(5)
    weekdays = [until - timedelta(days=back) for back in range(1, 2 * days)]
    trading_days = sorted([day for day in weekdays if day.weekday() < 5][:days])
    trader = StoredTrader(file, on=trading_days[0].isoformat())
    operator = Operator(trader, Walk(6_689.25, dice), dice)
    for day in trading_days:
        operator.trades(day)
    for trade in trader.trades_closed:
        if dice.random() < 0.4:
            note, tags = dice.choice(NOTES)
            trader.asks(NoteTrade(trade.id, note, tags))
    trader.stops()
