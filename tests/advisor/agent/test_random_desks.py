"""Desks that nobody chose: after random days the explained gates are those that refuse a real attempt."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from advisor.agent.explanations import explained
from tests.advisor.agent.second_opinion import Json, faults
from tests.advisor.agent.support import as_json, run, toolbox
from tests.data.explain_states import Asked, recorded
from tests.support.trader import Trader
from wire.types import Color, Env, Side

COLORS: tuple[Color, ...] = ("green", "red")
SIDES: tuple[Side, ...] = ("BUY", "SELL")
ENVS: tuple[Env, ...] = ("DEMO", "LIVE")


def has_order(trader: Trader) -> bool:
    """Return whether an order is open that a bridge would still be given: one that waited too long ends first."""
    return trader.ticks().order is not None


ACTS: tuple[Callable[[Trader, random.Random], Any], ...] = (
    lambda trader, dice: trader.brick(dice.choice((1, 2.5, 4, 6, 8, 12)), dice.choice(COLORS)),
    lambda trader, dice: trader.with_zone(dice.choice(COLORS), dice.choice(COLORS)),
    lambda trader, dice: trader.bricks(6, dice.choice(COLORS)),
    lambda trader, dice: trader.enters(dice.choice(SIDES), override=dice.random() < 0.2),
    lambda trader, dice: trader.filled_at(5250 + dice.randrange(-40, 40) / 4) if has_order(trader) else trader,
    lambda trader, dice: trader.rejected() if has_order(trader) else trader,
    lambda trader, dice: trader.exits(force=True),
    lambda trader, dice: trader.preorders(dice.choice(SIDES)),
    lambda trader, dice: trader.intends(),
    lambda trader, dice: trader.hears(5250 + dice.randrange(-40, 40) / 4),
    lambda trader, dice: trader.later(dice.choice((1, 7, 61, 185, 301))),
    lambda trader, dice: trader.ticks(),
    lambda trader, dice: trader.broker_says(dice.choice((50_000, 49_900, 53_000, 48_000))),
    lambda trader, dice: trader.broker_says(position=dice.choice((0, 2, -3)), avg_price=5250),
    lambda trader, dice: trader.hears_bridge(dice.random() < 0.8, kill_switch=dice.random() < 0.2),
    lambda trader, dice: trader.consumes_trade(),
    lambda trader, dice: trader.loses_bridge() if dice.random() < 0.2 else trader,
    lambda trader, dice: trader.goes_silent() if dice.random() < 0.1 else trader,
)


def random_desk(seed: int) -> Asked:
    """Return a desk after some thirty acts, and a question about it."""
    dice = random.Random(seed)
    trader = Trader(
        at=dice.choice(("09:31:10", "11:04:59", "15:58:00")),
        env=dice.choice(ENVS),
        two_half_filter=dice.random() < 0.5,
        max_trades_per_day=dice.choice((1, 2, 6)),
    )
    for _ in range(dice.randrange(5, 40)):
        dice.choice(ACTS)(trader, dice)
    return Asked(trader, dice.choice((*SIDES, None)))


@pytest.mark.parametrize("seed", range(60))
def test_a_random_desk_is_explained_as_the_engine_judges_it(seed: int) -> None:
    record: Json = json.loads(json.dumps(recorded(random_desk(seed))))
    answer = as_json(run(explained(toolbox(state=record["state"]), "block", record["asset"], record["direction"])))
    (entry,), (truth,) = answer["tools"][0]["result"]["entries"], record["truth"]
    chooses = entry["direction"] is None and entry["zone"] == "FREE"  # an attempt must choose, which closes no gate
    named = [gate["gate"] for gate in entry["closed"]]
    assert named == [gate for gate in truth["closed"] if not (chooses and gate == "zone")]
    assert (entry["allowed"], entry["unexplained"]) == (truth["sides"], False)
    assert faults(record, answer) == []
