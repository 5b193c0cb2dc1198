"""The coach: what many trades say, each with n and a 95 % interval, or nothing below 20 trades. Pure.

Only a group whose interval excludes the mean of all trades is said to differ, and only of what a trader chooses before
an entry advice is given. How many groups differ by chance alone is said with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from advisor.agent.block_words import gate_name
from advisor.agent.findings import GroupFound, Statistics
from advisor.agent.groups import CHOSEN
from advisor.agent.intervals import PCT
from advisor.agent.statements import env_of, finding_of, said
from advisor.agent.wording import counted, facts_of, listed, multiple, percent, price, usd
from wire.asset import Facts
from wire.explain import Statement, ToolName, ToolResult

TOOL: ToolName = "journal_statistics"
NO_PROOF = "the numbers prove no difference from"
MOST_REFUSING = 3


def coach(result: ToolResult) -> tuple[Statement, ...]:
    """Return the statements about many days: the whole, then what differs, then advice, then what does not differ."""
    found = finding_of(result, Statistics)
    if found.missing is not None:
        return (_too_few(found, env_of(result)),)
    speaking = [group for group in found.groups if group.mean_r is not None]
    differing = [group for group in speaking if group.differs is not None]
    alike = [group for group in speaking if group.differs is None]
    return (
        *_whole(found, env_of(result)),
        *(_group(group, found) for group in differing),
        *_by_chance(found),
        *(_advice(group, found) for group in differing if group.differs == "below" and group.by in CHOSEN),
        *_refused(found),
        *(_group(group, found) for group in alike),
    )


def told_silence(result: ToolResult) -> tuple[Statement, ...]:
    """Return the sentence that names the groups of which nothing is said."""
    found = finding_of(result, Statistics)
    quiet = [group.words for group in found.groups if group.missing == "under_20_trades"]
    if not quiet or found.missing is not None:
        return ()
    text = f"Nothing is said of trades {'; '.join(quiet)}: fewer than {found.least_trades} of each."
    facts = facts_of(groups="; ".join(quiet), least=found.least_trades)
    return (said("silent", text, facts, TOOL),)


def silent(result: ToolResult) -> tuple[str, ...]:
    """Return what is not said because fewer than 20 trades speak of it: ``hour:09``; ``all`` is everything."""
    found = finding_of(result, Statistics)
    whole = ("all",) if found.missing is not None else ()
    return (*whole, *(f"{group.by}:{group.name}" for group in found.groups if group.mean_r is None))


def _too_few(found: Statistics, env: str) -> Statement:
    trades = counted(found.trades, "trade")
    text = f"{trades} in {env}{_of(found)}: fewer than {found.least_trades}, so nothing is said about them."
    facts = facts_of(trades=found.trades, least=found.least_trades, env=env, asset=found.asset)
    return said("too_few_trades", text, facts, TOOL, found.trades)


def _whole(found: Statistics, env: str) -> Iterator[Statement]:
    if found.win_share is not None and found.win_low is not None and found.win_high is not None:
        newest = "your newest " if found.truncated else "your "
        text = (
            f"You won {percent(found.win_share)} of {newest}{counted(found.trades, 'trade')} in {env}{_of(found)} "
            f"({PCT} % interval {percent(found.win_low)} to {percent(found.win_high)})."
        )
        facts = _facts(env=env, asset=found.asset, wins=found.wins, trades=found.trades, share=found.win_share)
        ends = (found.win_low, found.win_high)
        yield said("win_share", text, facts | _ends(*ends), TOOL, found.trades, ends)
    if found.mean_usd is not None and found.mean_usd_low is not None and found.mean_usd_high is not None:
        text = (
            f"A trade made {usd(found.mean_usd)} in the mean, after known commissions "
            f"({PCT} % interval {usd(found.mean_usd_low)} to {usd(found.mean_usd_high)})."
        )
        ends = (found.mean_usd_low, found.mean_usd_high)
        yield said("mean_usd", text, _facts(mean_usd=found.mean_usd) | _ends(*ends), TOOL, found.trades, ends)
    if found.mean_r is not None and found.mean_r_low is not None and found.mean_r_high is not None:
        ends = (found.mean_r_low, found.mean_r_high)
        text = (
            f"The {counted(found.trades_with_r, 'trade')} with a known stop made {multiple(found.mean_r)} in the mean "
            f"({PCT} % interval {multiple(ends[0])} to {multiple(ends[1])}); R is the risk at the entry."
        )
        facts = _facts(trades_with_r=found.trades_with_r, mean_r=found.mean_r) | _ends(*ends)
        yield said("mean_r", text, facts, TOOL, found.trades_with_r, ends)


def _group(group: GroupFound, found: Statistics) -> Statement:
    """Say how the trades of one group did beside all of them."""
    low, high, mean, base = _numbers(group, found)
    count = group.trades_with_r or 0
    if group.differs is None:
        end = f"{NO_PROOF} the {multiple(base)} of all"
    else:
        end = f"that is {group.differs} the {multiple(base)} of all"
    text = (
        f"Your {counted(count, 'trade')} {group.words} made {multiple(mean)} in the mean "
        f"({PCT} % interval {multiple(low)} to {multiple(high)}): {end}."
    )
    code = {"above": "group_above", "below": "group_below"}.get(group.differs or "", "group_alike")
    facts = _facts(by=group.by, name=group.name, words=group.words, trades=count, mean_r=mean, base_r=base)
    return said(code, text, facts | _ends(low, high), TOOL, count, (low, high))


def _advice(group: GroupFound, found: Statistics) -> Statement:
    low, high, mean, base = _numbers(group, found)
    count = group.trades_with_r or 0
    text = (
        f"Think about leaving out trades {group.words}, or making them smaller, until their mean of {multiple(mean)} "
        f"is no longer below that of all trades: {counted(count, 'trade')} speak of it."
    )
    facts = _facts(by=group.by, name=group.name, words=group.words, trades=count, mean_r=mean, base_r=base)
    return said("consider", text, facts | _ends(low, high), TOOL, count, (low, high))


def _by_chance(found: Statistics) -> Iterator[Statement]:
    """Say how many of so many groups differ although nothing is different: an interval of 95 % errs one time in 20."""
    if found.differing_by_chance is None:
        return
    by_chance = found.differing_by_chance
    text = (
        f"{counted(found.compared, 'group')} were compared and {found.differing} differ; by chance alone about "
        f"{price(by_chance)} would."
    )
    facts = facts_of(compared=found.compared, differing=found.differing, by_chance=by_chance)
    yield said("by_chance", text, facts, TOOL, found.compared)


def _refused(found: Statistics) -> Iterator[Statement]:
    refused = found.refused_count
    if refused == 0:
        return
    most = found.refused[:MOST_REFUSING]
    facts = facts_of(refused=refused) | {f"by_{row.gate}": row.count for row in most}
    gates = listed(f"{gate_name(row.gate)} {row.count}" for row in most)
    text = f"The gates refused {counted(refused, 'entry', 'entries')} in these days, most often: {gates}."
    yield said("refused", text, facts, TOOL, refused)


def _numbers(group: GroupFound, found: Statistics) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return low, high and mean of a group, and the mean of all trades. A group that speaks has them."""
    low, high, mean, base = group.mean_low, group.mean_high, group.mean_r, found.mean_r
    if low is None or high is None or mean is None or base is None:
        raise ValueError(f"the group {group.by}:{group.name} has no figures")
    return low, high, mean, base


def _facts(**values: object) -> Facts:
    return facts_of(**values) | facts_of(interval_pct=PCT)


def _ends(low: Decimal, high: Decimal) -> Facts:
    return facts_of(low=low, high=high)


def _of(found: Statistics) -> str:
    return f" in {found.asset}" if found.asset else ""
