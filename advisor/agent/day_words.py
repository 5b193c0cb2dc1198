"""Explains a day: its trades and result, what was refused, overridden or forced, what the refusals cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.agent.block_words import gate_name
from advisor.agent.findings import Attempts, Day, DayNow, OtherDay
from advisor.agent.statements import env_of, finding_of, said
from advisor.agent.wording import (
    counted,
    day_words,
    facts_of,
    listed,
    points,
    signed_percent,
    usd,
)
from wire.explain import Statement, ToolResult

BEFORE_COSTS = "after known commissions"


def explain_trades(result: ToolResult) -> Iterator[Statement]:
    """Say what was traded and what came of it."""
    day = finding_of(result, Day)
    yield _result(day, env_of(result))
    if day.trades > 1 and day.best_usd is not None and day.worst_usd is not None:
        facts = facts_of(best_usd=day.best_usd, worst_usd=day.worst_usd)
        text = f"The best trade made {usd(day.best_usd)}, the worst {usd(day.worst_usd)}."
        yield said("best_and_worst", text, facts, "day_review", day.trades)
    if day.estimated:
        text = f"Of these {counted(day.estimated, 'trade has', 'trades have')} a price that is estimated."
        yield said("estimated", text, facts_of(estimated=day.estimated), "day_review", day.trades)
    yield from _broken_rules(day)
    if day.now is not None:
        yield from _what_is_left(day.now)


def _result(day: Day, env: str) -> Statement:
    facts = facts_of(
        day=day.day,
        env=env,
        trades=day.trades,
        wins=day.wins,
        losses=day.losses,
        result_usd=day.result_usd,
        result_points=day.result_points,
    )
    if day.trades == 0:
        text = f"On {day_words(day.day)} no trade closed in {env}."
        return said("no_trades", text, facts, "day_review", 0)
    in_points = f" ({points(day.result_points)})" if day.result_points is not None else ""
    text = (
        f"On {day_words(day.day)} you closed {counted(day.trades, 'trade')} in {env}: {day.wins} won, "
        f"{day.losses} lost, {usd(day.result_usd)}{in_points} {BEFORE_COSTS}."
    )
    return said("day_result", text, facts, "day_review", day.trades)


def _broken_rules(day: Day) -> Iterator[Statement]:
    if day.overrides or day.overrides_refused:
        facts = facts_of(overrides=day.overrides, overrides_refused=day.overrides_refused)
        tries = counted(day.overrides_refused, "try was", "tries were")
        refused = f", and {tries} refused" if day.overrides_refused else ""
        text = f"You overrode the zone {counted(day.overrides, 'time')}{refused}, in both environments together."
        yield said("overrides", text, facts, "day_review", day.overrides + day.overrides_refused)
    if day.forced_exits:
        text = f"You forced {counted(day.forced_exits, 'exit')} against the initial exit lock."
        yield said("forced_exits", text, facts_of(forced_exits=day.forced_exits), "day_review", day.trades)


def _what_is_left(now: DayNow) -> Iterator[Statement]:
    if now.stopped:
        facts = facts_of(stopped=True, stop_limit_pct=now.stop_limit_pct)
        text = f"The daily stop of {now.stop_limit_pct:f} % has ended the day."
        yield said("day_stopped", text, facts, "day_review")
    if now.trades_left is not None:
        yield _trades_left(now, now.trades_left)
    if now.result_usd is None or now.result_pct is None:
        text = "How the account stands since the day began is not known yet: no balance of the day was believed."
        yield said("balance_unknown", text, facts_of(balance="unknown"), "day_review")
        return
    facts = facts_of(result_usd=now.result_usd, result_pct=now.result_pct, stop_limit_pct=now.stop_limit_pct)
    text = (
        f"By the balance the day stands at {usd(now.result_usd)}, {signed_percent(now.result_pct)}; the daily stop is "
        f"at -{now.stop_limit_pct:f} %."
    )
    yield said("balance_now", text, {**facts, "stop_at_pct": -float(now.stop_limit_pct)}, "day_review")


def _trades_left(now: DayNow, left: int) -> Statement:
    facts = facts_of(trades_left=left, trades_limit=now.trades_limit, on_their_way=now.on_their_way)
    used = counted(now.on_their_way, "entry on its way counts", "entries on their way count")
    rest = f": {used} as used" if now.on_their_way else ""
    text = f"{counted(left, 'trade')} of {now.trades_limit} {_are(left)} left today{rest}."
    return said("trades_left", text, facts, "day_review")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def explain_attempts(result: ToolResult) -> Iterator[Statement]:
    """Say what the gates refused."""
    found = finding_of(result, Attempts)
    facts = facts_of(day=found.day, refused=found.refused, locked_exits=found.locked_exits)
    if found.refused == 0:
        text = f"No gate refused an entry on {day_words(found.day)}, in either environment."
        yield said("nothing_refused", text, facts, "blocked_attempts", 0)
    else:
        facts |= {f"by_{row.gate}": row.count for row in found.by_gate}
        gates = listed(f"{gate_name(row.gate)} {row.count}" for row in found.by_gate)
        what = counted(found.refused, "entry", "entries")
        text = f"The gates refused {what} that day, in both environments together: {gates}."
        yield said("refused", text, facts, "blocked_attempts", found.refused)
    if found.locked_exits:
        what = counted(found.locked_exits, "manual exit")
        text = f"The initial exit lock refused {what}."
        yield said("exits_locked", text, facts_of(locked_exits=found.locked_exits), "blocked_attempts")


def explain_other_day(result: ToolResult) -> Iterator[Statement]:
    """Say what the refused entries would have become, and of how many that cannot be said."""
    found = finding_of(result, OtherDay)
    if found.refused == 0:
        return
    facts = facts_of(
        day=found.day,
        refused=found.refused,
        judged=found.judged,
        unknown=found.unknown,
        targets=found.targets,
        stops=found.stops,
        day_ends=found.day_ends,
        would_have_made_usd=found.would_have_made_usd,
        simulated=found.simulated,
    )
    yield said("what_if", _what_if_text(found), facts, "what_if_day", found.judged)
    if found.truncated:
        text = "The list of the day's refused entries was cut: there were more than are counted here."
        yield said("what_if_cut", text, facts_of(truncated=True), "what_if_day")
    if not found.replay_equal:
        text = (
            f"This program decides {counted(found.unequal_rows, 'row')} of that day differently than the journal says, "
            "so what would have been is less certain."
        )
        yield said("replay_differs", text, facts_of(unequal_rows=found.unequal_rows), "what_if_day")


def _what_if_text(found: OtherDay) -> str:
    refused = counted(found.refused, "refused entry", "refused entries")
    if found.judged == 0:
        return f"What {refused} would have become cannot be said."
    ends = [
        counted(found.targets, "target") if found.targets else "",
        counted(found.stops, "stop") if found.stops else "",
        f"{counted(found.day_ends, 'entry', 'entries')} held to the end of the day" if found.day_ends else "",
    ]
    made = "" if found.would_have_made_usd is None else f", {usd(found.would_have_made_usd)} together"
    unknown = f" Of {found.unknown} it cannot be said." if found.unknown else ""
    simulated = f" {found.simulated} of the refused saw a simulated market." if found.simulated else ""
    return (
        f"Of {refused} {found.judged} can be judged: {listed(part for part in ends if part)}{made}, "
        f"without slippage and commission.{unknown}{simulated}"
    )
