"""Random days of the paper account: fills as a second reading has them, money to the cent, restarts without a trace."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from sidecar.problems import ServiceRefused
from tests.advisor.mt4.floor import NOON, PaperFloor
from tests.advisor.mt4.second_reading import POINTS, Asked, Bar, follow
from tests.support.fakes.price_feeds import PriceFeeds
from wire.mt4 import ACTIONS

MINUTES = 60
CENT = Decimal("0.01")


def price(points: int | None) -> float | None:
    return None if points is None else points / POINTS


def text(points: int) -> str:
    return f"{points / POINTS:.5f}"


class Day:
    """One account, a random market, and every order with what it must have become."""

    def __init__(self, floor: PaperFloor, seed: int) -> None:
        self.floor = floor
        self.dice = random.Random(seed)
        self.market = 110_000
        self.bars: list[Bar] = []
        self.sent: dict[str, Asked] = {}
        self.refused = 0

    def minute(self) -> None:
        opened = self.market + self.dice.choice((0, 0, 0, self.dice.randrange(-150, 151)))
        high, low = opened + self.dice.randrange(80), opened - self.dice.randrange(80)
        self.market = self.dice.randint(low, high)
        t = int(self.floor.feeds.now) // 60 * 60
        self.bars.append(Bar(t, opened, high, low, self.market))
        self.floor.feeds.minute(*map(text, (opened, high, low, self.market)))
        self.floor.feeds.now += self.dice.randrange(50)
        self.floor.feeds.quotes(text(self.market), text(self.market), text(self.market))

    def order(self) -> None:
        action, volume = self.dice.choice(ACTIONS), self.dice.randrange(1, 20)
        at = self.market if action in ("BUY", "SELL") else self.market + self.dice.randrange(-200, 201)
        stop, target = (at + self.dice.randrange(-300, 301) if self.dice.random() < 0.8 else None for _ in range(2))
        try:
            answer = self.floor.trades(
                action,
                volume / 100,
                price=None if action in ("BUY", "SELL") else price(at),
                stop_loss=price(stop),
                take_profit=price(target),
            )
        except ServiceRefused:
            self.refused += 1
            return
        self.sent[answer.order_id or ""] = Asked(action, volume, int(self.floor.feeds.now), at, stop, target)


@pytest.mark.parametrize("seed", range(4))
def test_every_order_became_what_a_second_reading_says(tmp_path: Path, seed: int) -> None:
    with PriceFeeds(NOON) as feeds:
        floor = PaperFloor(tmp_path, feeds)
        day = Day(floor, seed)
        for number in range(MINUTES):
            day.minute()
            for _ in range(day.dice.choice((0, 0, 1, 2))):
                day.order()
            if number % 20 == 19:
                floor.restarts()
        told = floor.deals
        stops = 0
        for order_id, order in day.sent.items():
            became = follow(order, day.bars)
            fills = [
                (int(one.time.timestamp()), one.entry, int(one.price * POINTS))
                for one in told
                if one.position_id == order_id
            ]
            if order.action in ("BUY", "SELL"):
                assert fills[0][1:] == ("in", order.price)
                fills = fills[1:]
            assert fills == became.fills, (order, fills)
            won = sum((one.profit or Decimal(0) for one in told if one.position_id == order_id), Decimal(0))
            assert won == (Decimal(became.points * order.volume) * CENT).quantize(CENT)
            stops += any(what == "out" for _, what, _ in fills)
        assert floor.state.balance == 10_000 + sum((one.profit or Decimal(0) for one in told), Decimal(0))
        assert floor.restarts().deals == told
        assert len(day.sent) > 5
        assert stops > 0
        assert day.refused > 0
        floor.close()
