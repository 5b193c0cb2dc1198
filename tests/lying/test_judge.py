"""The judge of the lying worlds can condemn: a desk in which one rule is taken away breaks the invariant of that rule.

Each row takes something away from the engine, lets a fault happen, and names what the judge must then say.
The own entries of the desk fit into what is left of the day (SPEC 5.9): a day is lost with what is held by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from services.engine.model.price_readings import PriceWatch
from services.engine.rules.exit_rules import EXIT_RULES
from services.engine.rules.prices import Judgement
from tests.lying.invariants import Violation, plays

STEPS, RULES = "services.engine.steps", "services.engine.rules"


def does_nothing(*asked: object) -> None:
    """Stand in the place of a step, or of a rule that finds nothing."""


def is_always_so(*asked: object) -> bool:
    return True


def is_never_so(*asked: object) -> bool:
    return False


def is_good(asset: Any, price: Any, at: Any) -> Judgement:
    return Judgement("good", PriceWatch(price, at, price, price))


def is_open(desk: Any, order: Any, *claim: object) -> bool:
    return not order.status.is_final


WITHOUT_DAILY_STOP = tuple(rule for rule in EXIT_RULES if rule.name != "daily_stop")


class Broken(Struct, frozen=True):
    """A desk without one of its rules: what stands in which places, which faults happen, and the verdict."""

    without: str
    instead: dict[str, Callable[..., Any] | tuple[Any, ...]]
    seed: int
    faults: tuple[str, ...]
    verdict: str


BROKEN = (
    Broken(
        "following the broker",
        {f"{STEPS}.reconcile._follow_broker": does_nothing},
        0,
        ("traded_by_hand", "fill_dropped"),
        "the desk's position becomes the broker's",
    ),
    Broken(
        "the end of an order of unknown fate",
        {f"{STEPS}.fates._end": does_nothing},
        0,
        ("claim_answer_lost",),
        "every order is final within 120 s",
    ),
    Broken(
        "the gate of a disagreement",
        {f"{RULES}.broker_gates._contradicted_by": does_nothing},
        0,
        ("traded_by_hand",),
        "no gate is open while broker and desk differ",
    ),
    Broken(
        "the gate of a foreign position",
        {f"{RULES}.broker_gates._closes": is_never_so},
        0,
        ("foreign_position",),
        "no gate is open while the broker holds what the desk does not know",
    ),
    Broken(
        "the proof of a position",
        {f"{STEPS}.reconcile.is_proof": is_always_so},
        1,
        ("snapshot_empty_symbols",),
        "nothing is closed on one reading",
    ),
    Broken(
        "the daily stop",
        {f"{STEPS}.day._end_day": does_nothing},
        16,
        ("market_falls", "traded_by_hand"),
        "a real loss stops the day",
    ),
    Broken(
        "flattening after the daily stop",
        {"services.engine.decide.flatten_when_stopped": does_nothing, f"{STEPS}.exits.EXIT_RULES": WITHOUT_DAILY_STOP},
        77,
        ("market_falls", "traded_by_hand"),
        "a stopped day ends flat",
    ),
    Broken(
        "the proof of a loss",
        {f"{RULES}.beliefs._is_proven": is_always_so, f"{STEPS}.day.is_second": is_always_so},
        0,
        ("snapshot_balance_absurd",),
        "nothing else stops the day",
    ),
    Broken(
        "the suspicion of a balance",
        {f"{STEPS}.beliefs.suspicion_of": does_nothing},
        20,
        ("snapshot_balance_absurd",),
        "a day with a false start takes no entry",
    ),
    Broken(
        "the suspicion of a price",
        {f"{STEPS}.prices.judged": is_good, f"{STEPS}.account.judged": is_good},
        1,
        ("price_times_ten",),
        "no lie about the price takes a trade out",
    ),
    Broken(
        "the end of a doubt",
        {f"{STEPS}.reconcile.end_doubt": does_nothing},
        0,
        ("report_without_price",),
        "every doubt ends",
    ),
    Broken(
        "the single owner of an order",
        {f"{STEPS}.orders.is_claimable": is_open},
        9,
        ("report_dropped", "second_bridge"),
        "nothing is executed twice",
    ),
    Broken(
        "the order of snapshots",
        {f"{STEPS}.account._is_overtaken": is_never_so},
        1,
        ("snapshot_delayed",),
        "a stop that is told rests",
    ),
)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.without.replace(" ", "-"))
def test_a_desk_without_a_rule_is_found_out(broken: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, stand_in in broken.instead.items():
        monkeypatch.setattr(place, stand_in)
    with pytest.raises(Violation, match=f"seed {broken.seed}: {broken.verdict}"):
        plays(broken.seed, tmp_path, broken.faults)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.without.replace(" ", "-"))
def test_the_whole_desk_is_not(broken: Broken, tmp_path: Path) -> None:
    plays(broken.seed, tmp_path, broken.faults)
