"""A model may say what the desk's own words say, in its own way; what is not found to be the same is not told."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.agent.answer import fault_of
from tests.advisor.agent.support import a_result
from tests.advisor.chat.test_own_words import results_of
from wire.explain import ToolResult

NOW: dict[str, Any] = {
    "stopped": False,
    "stop_limit_pct": Decimal("2.5"),
    "trades_left": 2,
    "trades_limit": 6,
    "on_their_way": 0,
    "result_usd": Decimal("-1312.75"),
    "result_pct": Decimal("-1.31"),
}
A_DAY: dict[str, Any] = {
    "day": "2026-11-17",
    "weekday": "Tuesday",
    "trades": 4,
    "wins": 1,
    "losses": 3,
    "result_usd": Decimal(-1250),
    "result_points": Decimal(-50),
    "points_missing": None,
    "best_usd": Decimal(330),
    "worst_usd": Decimal("-875.25"),
    "overrides": 0,
    "overrides_refused": 0,
    "forced_exits": 0,
    "estimated": 0,
    "shown": [],
    "made_overrides": [],
    "now": NOW,
}


def day(**more: Any) -> list[ToolResult]:
    """Return the review of a Tuesday in DEMO: 4 trades, -1,250 USD, -1,312.75 USD (-1.31 %) by the balance."""
    return [a_result("day_review", **{**A_DAY, **more})]


def balance(usd: str, pct: str) -> list[ToolResult]:
    return day(now={**NOW, "result_usd": Decimal(usd), "result_pct": Decimal(pct)})


RANGE = [
    a_result(
        "range_forecast",
        asset="ES", timeframe="15m", close=5250.25, as_of="2026-11-17T16:55:00Z", valid_until="2026-11-17T17:10:00Z",
        atr=7.123, method="hour", model="ES-15m-range-20261117T000000Z",
        bands=[{"quantile": 0.8, "high": 5262.5, "low": 5244.25, "held_high": 0.81, "held_low": 0.795, "n": 500}],
    )
]  # fmt: skip

TRUE_OF_THE_DAY = """You lost 1,250 USD today.
You lost 1 250 USD today.
You lost USD 1,250 today.
You lost $1,250.00 today.
You lost $1.25k today.
You lost twelve hundred and fifty dollars today.
The result was -1,250 USD.
The result was −1,250 USD.
The result was - 1,250 USD.
The result was minus 1,250 USD.
The day closed 50 points lower.
You are down 1,312.75 USD (1.31 %).
You are down 1.31 % (1,312.75 USD).
You are down 1,312.75 USD, or 1.31 %.
By the balance you are down 1,312.75 USD, or 1.31 %.
By the balance you are down 1.3 %.
You're down 1.31 %; the daily stop is at 2.5 %.
You lost 1,250 USD (50 points) today.
You lost 1,250 USD, which is 50 points.
You lost 3 trades and 1,250 USD.
Your net result is a loss of 1,250 USD (50 points).
Your best trade gained 330 USD; your worst lost 875.25 USD.
The best trade made 330 USD, but the day lost 1,250 USD.
Your biggest loss was 875.25 USD.
You won 1 and lost 3.
One trade won, three lost.
1 win, 3 losses.
You won 1 of 4 trades.
Of 4 trades, 1 won.
There were 1 wins and 3 losses.
2 of 6 trades are left today.
You have two trades left today.
On 2026-11-17 you closed 4 trades.
On Tuesday, you closed 4 trades.
On Tuesday, 17 November 2026, you closed 4 trades in DEMO.
Unfortunately, the day ended with a loss of 1,250 USD.
You lost 1,250 USD after known commissions.
The daily stop is at 2.5 %.
These figures are after known commissions.
Commissions are not included.
That is all.
The desk does not know.""".splitlines()

FALSE_OF_THE_DAY = """You are down 25 % today.
You made 1,250 USD today.
You made 1,250 today.
You won 1,250 today.
Your profit today is 1,250.
You earned 1,250 in total.
Your result is 1,250.
The result is 1,250 USD.
The result is 1,250 USD, not a loss.
The result is 1,250 USD without a loss.
You did not lose 1,250 USD.
You never lost 1,250 USD.
You are no longer down 1,250 USD.
You made back what you lost: 1,250 USD.
You recovered a loss of 1,250 USD.
You lost +1,250 USD.
You are up 1.31 %.
You are up 131 %.
Your account grew 1.31 %.
The best trade lost 330 USD.
The best trade made 330 USD and lost 875.25 USD.
The best trade made 330 USD, 1,250 USD.
The worst trade made 875.25 USD.
Your best trade was a loss: 330 USD.
You won 3 and lost 1.
You won three of four trades.
3 wins, 1 loss.
You have 4 trades left.
A quarter won.
One quarter lost.
You lost half.
The stop was hit at noon.
The stop was hit at midnight.
On Monday you lost 1,250 USD.
On Tuesday 16 November you lost 1,250 USD.
Yesterday you lost 1,250 USD.
In LIVE you lost 1,250 USD.
In ES you lost 1,250 USD.
You lost €1,250.
You lost 1,250 euros.
You lost 1,250 points.
You lost 50 USD.
You lost 50 R.
You lost 50 ticks.
You lost 1,250 R.
You lost 4 USD.
You lost 1 thousand USD.
You lost 1,312.75 USD after known commissions.
The daily stop was reached.
The daily stop has ended the day.
The daily stop is at 1.31 %.
You lost 1,250 USD?
If you had stopped, you lost 1,250 USD.
You lost 1,250 USD because you closed 4 trades.
You won 1 trade (1,250 USD).
You lost 1,250 USD, or 1.31 %.
The best trade made 330 USD (50 points).
A loss of 1,250 USD.
It lost 1,250 USD.
You closed 4 trades and 3 wins.
You lost 875.25 USD.
Nothing was lost.
The market is calm.
You may enter ES now.""".splitlines()


@pytest.mark.parametrize("sentence", TRUE_OF_THE_DAY)
def test_what_is_so_is_told(sentence: str) -> None:
    assert fault_of(sentence, day()) is None


@pytest.mark.parametrize("sentence", FALSE_OF_THE_DAY)
def test_what_is_not_so_is_not_told(sentence: str) -> None:
    assert fault_of(sentence, day()) is not None


@pytest.mark.parametrize(
    ("sentence", "results"),
    [
        ("You are down 0.25 % today.", balance("-125.50", "-0.25")),
        ("You are up 0.82 % today.", balance("412.50", "0.82")),
        ("You made 60 USD and 6 points.", day(result_usd=Decimal(60), result_points=Decimal(6))),
        ("The result is 60 USD.", day(result_usd=Decimal(60))),
        ("It won 60 dollars.", day(trades=1, wins=1, losses=0, result_usd=Decimal(60))),
        ("The daily stop of 2.5 % has ended the day.", day(now={**NOW, "stopped": True, "trades_left": None})),
        ("The daily stop was reached.", day(now={**NOW, "stopped": True, "trades_left": None})),
        ("You overrode the zone once and forced two exits.", day(overrides=1, forced_exits=2)),
    ],
)
def test_another_day_is_told_as_it_is(sentence: str, results: list[ToolResult]) -> None:
    assert fault_of(sentence, results) is None


@pytest.mark.parametrize(
    ("sentence", "results"),
    [
        ("You are down 25 % today.", balance("-125.50", "-0.25")),
        ("You lost 25 % of the account today.", balance("-125.50", "-0.25")),
        ("By the balance the day stands at -25 %.", balance("-125.50", "-0.25")),
        ("You are up 82 % today.", balance("412.50", "0.82")),
        ("You lost 60 USD.", day(result_usd=Decimal(60))),
        ("The result is a loss of 60 USD.", day(result_usd=Decimal(60))),
        ("It won 60 dollars.", day(trades=2, wins=2, losses=0, result_usd=Decimal(60))),
        ("You lost 0 USD.", day(result_usd=Decimal(0))),
        ("You lost 1,250 USD today.", day(now=None)),
        ("You overrode the zone once.", day(overrides=2)),
        ("You lost 1,250 USD.", [*day(), *day(day="2026-11-16", result_usd=Decimal(90))]),
        ("On Monday you lost 1,250 USD.", [*day(), *day(day="2026-11-16", result_usd=Decimal(90))]),
        ("In 81 % of cases ES goes up.", RANGE),
        ("With 80 % ES goes up.", RANGE),
        ("ES reaches 5262.5 with 80 %.", RANGE),
        ("ES rises to 5262.5.", RANGE),
        ("In 80 % of 15m bars ES stays above 5262.5.", RANGE),
        ("In 80 % of 15m bars NQ stays below 5262.5.", RANGE),
        ("The target is 5262.5 and the stop is 5244.25.", RANGE),
        ("Your profit is 5262.5 USD.", RANGE),
    ],
)
def test_another_day_and_a_range_are_not_told_falsely(sentence: str, results: list[ToolResult]) -> None:
    assert fault_of(sentence, results) is not None


def test_of_two_days_a_sentence_names_its_own() -> None:
    both = [*day(), *day(day="2026-11-16", result_usd=Decimal(90))]
    assert fault_of("On Tuesday you lost 1,250 USD.", both) is None
    assert fault_of("On 16 November you made 90 USD.", both) is None
    assert fault_of("In 80 % of 15m bars ES stays below 5262.5.", RANGE) is None


# -- the ladder and the position -------------------------------------------------------------------------------------

OF_STATES = {
    "just_left": (
        """You can't enter ES right now because the cooldown and the candle lock are closed.
Two gates are closed: the cooldown and the candle lock.
You can't buy ES, because the cooldown is not over.
At the moment you cannot buy ES in DEMO: 2 gates are closed.
The cooldown gate opens in 2 minutes and 4 seconds.
The cooldown opens at 09:34:10 New York time, and the candle lock at 09:35.
The cooldown ends in 2 min 4 s and the candle lock in 2 min 54 s.
The cooldown ends in about two minutes.
The cooldown opens at 14:34:10 UTC.
The earliest entry is at 09:35 New York time.
You cannot enter ES before 09:35 New York time.
If everything else stays, you may enter ES at 09:35.
ES is locked.
You are flat in DEMO.
The zone is NORMAL to BUY.
The 6pt, 8pt and 12pt bricks are green.""",
        """You may enter ES now.
You may enter ES at once.
You may enter ES.
You may buy ES now.
You may enter ES from 09:35 New York time.
If everything else stays, you may enter ES from 09:34.
No gate is closed.
All gates are open.
The cooldown has ended.
An entry is possible now.
Nothing stops you.
Three gates are closed.
The cooldown and the zone are closed.
The zone gate is closed.
The cooldown opens in 2 min 54 s.
The cooldown ends in 3 minutes.
The cooldown opens at 14:34:10.
It opens in 2 min 4 s.
You are long ES.
You hold nothing in LIVE.
The zone is FREE.
The 8pt bricks are red.
The bricks say SELL.
You cannot enter NQ.
You can't enter ES, because you are flat.""",
    ),
    "open_with_the_structure": (
        """No gate is closed, so you may buy ES.
You may buy ES now in DEMO.
A BUY entry in ES is allowed.
The zone points to BUY.
The 8pt and 12pt bricks say BUY.""",
        """You may buy NQ now.
You cannot buy ES now.
You can sell ES.
You may buy ES in LIVE.
You may buy ES, because you are flat.
The zone points to SELL.
You made 6 USD.
You are up 8 points.""",
    ),
    "against_the_structure": (
        "You cannot sell ES now.\nA SELL entry is refused: the zone is closed.",
        "You may sell ES now.\nYou cannot buy ES now.\nYou cannot enter ES now.\nYou may buy ES now.",
    ),
    "long_with_exit_lock": (
        """You are long 5 MESZ6 at 5250.
You are long 5 contracts of MESZ6, up 2.5 points or 62.50 USD.
You're long 5 MESZ6 with an open profit of 62.50 USD.
You hold a long position of 5 MESZ6.
Your stop is planned at 5235.
A manual exit must be forced.
No gate stops an exit.""",
        """You made 5 USD.
You are up 5 points.
You are up 5250 USD.
Your profit is 5,250 USD.
You are short 5 MESZ6.
You are long 3 MESZ6.
You are long 5 MESZ6 with an open profit of 5 USD.
Your position is down 62.50 USD.
Your stop is at 5250.
Your target is at 5235.
A stop rests at the broker.
No stop rests at the broker.
You can leave the position now.
You cannot sell ES.
The position is closed.""",
    ),
    "long_without_exit_lock": ("You are long in ES.", "A manual exit must be forced.\nYou are flat."),
    "short_by_override": ("You are short 5 MESZ6.", "You hold 5 MESZ6.\nYou are long ES."),
    "foreign_symbol": ("The desk holds nothing in DEMO.", "You are flat.\nYou have no position."),
    "day_used_up": (
        "The trade limit gate is closed: 2 of 2 trades taken today.",
        "You made 2 USD.\nYou made 2 points.\nYou won 2 R.\n2 of 2 trades won.\nYou have 2 trades left.",
    ),
    "standby": (
        "The process that answers here is a standby, which only reads.",
        "You made 4711 USD.\nYou may buy ES.\nNo gate is closed.",
    ),
    "store_down": ("The desk cannot store a decision, so it takes none.", "You may buy ES now.\nNo gate is closed."),
    "first_reading_at_the_stop": (
        "The daily stop gate is closed.",
        """You made 1,100 USD.
Your profit is 1100.00 USD.
You are up 1,100 USD.
The daily stop was reached.
The daily stop has ended the day.
The daily stop is active.""",
    ),
    "day_stopped": (
        "The daily stop is active.\nThe daily stop gate is closed: drawdown 2.20% reached the 2% limit.",
        """You are up 2.2 %.
You made 2.20 %.
You lost 2 %.
The daily stop is not active.""",
    ),
}
TOLD = [(state, said) for state, (told, _) in OF_STATES.items() for said in told.splitlines()]
REFUSED = [(state, said) for state, (_, refused) in OF_STATES.items() for said in refused.splitlines()]


@pytest.mark.parametrize(("state", "sentence"), TOLD)
def test_what_the_ladder_says_may_be_said_in_other_words(state: str, sentence: str) -> None:
    assert fault_of(sentence, results_of(state)) is None


@pytest.mark.parametrize(("state", "sentence"), REFUSED)
def test_what_the_ladder_does_not_say_is_not_told(state: str, sentence: str) -> None:
    assert fault_of(sentence, results_of(state)) is not None


# -- every side, unit and rounding -----------------------------------------------------------------------------------

SIDES = {"loss": ("You lost {}.", "You are down {}.", "The day made a loss of {}."), "gain": ("You made {}.",)}
amounts = st.decimals(min_value=-9_000, max_value=9_000, places=2).filter(lambda amount: abs(amount) >= 1)


@settings(max_examples=40, deadline=None)
@given(amounts, amounts)
def test_an_amount_is_told_on_its_own_side_and_as_large_as_it_is(made: Decimal, other: Decimal) -> None:
    results = day(result_usd=made, result_points=None, now=None, best_usd=None, worst_usd=None)
    own, turned = ("loss", "gain") if made < 0 else ("gain", "loss")
    right, wrong = f"{abs(made):,.2f} USD", f"{abs(other):,.2f} USD"
    assert [fault_of(said.format(right), results) for said in SIDES[own]] == [None] * len(SIDES[own])
    assert None not in [fault_of(said.format(right), results) for said in SIDES[turned]]
    if abs(other) != abs(made):
        every = itertools.chain.from_iterable(SIDES.values())
        assert None not in [fault_of(said.format(wrong), results) for said in every]


@pytest.mark.parametrize("pieces", [" , or 8pt" * 66, "and " * 150, "\t" * 590, "the cooldown and " * 35, "#0# " * 100])
def test_a_hostile_sentence_is_refused(pieces: str) -> None:
    assert fault_of(f"You lost 8pt{pieces}x", results_of("just_left")) is not None
