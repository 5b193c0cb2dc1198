"""The table of tools: what rules, language models and desktop assistants may ask. Every one of them only reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from advisor.agent.find_blocks import AskedBlocks, find_blocks
from advisor.agent.find_day import AskedAttempts, AskedDay, find_attempts, find_day, find_other_day
from advisor.agent.find_market import (
    AskedConsensus,
    AskedPhase,
    AskedPositions,
    AskedRange,
    AskedSignal,
    find_consensus,
    find_phase,
    find_positions,
    find_range,
    find_signal,
)
from advisor.agent.find_statistics import AskedStatistics, find_statistics
from advisor.agent.tool import Tool

TOOLS: tuple[Tool, ...] = (
    Tool(
        name="explain_blocks",
        description=(
            "Which gates refuse an entry now, for an asset and a direction, and when or by what each opens again. "
            "Seconds are whole seconds at as_of."
        ),
        wording="why you cannot buy or sell an asset now, and when you can",
        parameters=AskedBlocks,
        find=find_blocks,
    ),
    Tool(
        name="day_review",
        description=(
            "The trades, result, overrides and forced exits of one trading day of one environment; for the running day "
            "also what is left of it. Results are after known commissions."
        ),
        wording="how your day was, or any other day",
        parameters=AskedDay,
        find=find_day,
    ),
    Tool(
        name="blocked_attempts",
        description="How many entries each gate refused on a trading day, and the last of them, of both environments.",
        wording="what the gates refused on a day",
        parameters=AskedAttempts,
        find=find_attempts,
    ),
    Tool(
        name="what_if_day",
        description=(
            "What would have become of the entries that gates refused on a trading day, without slippage or "
            "commission. Those that nobody can judge are counted as unknown."
        ),
        wording="what the refused entries would have become",
        parameters=AskedDay,
        find=find_other_day,
    ),
    Tool(
        name="journal_statistics",
        description=(
            "Win share and mean result of many days, and of the trades by hour, part of the day, weekday, trade of the "
            "day, discipline and more, each with n and a 95 % interval. Groups below 20 trades have no figures. "
            "`differs` says whether the interval of a group excludes the mean of all trades."
        ),
        wording="where you are better or worse, by hour, weekday, trade of the day, override",
        parameters=AskedStatistics,
        find=find_statistics,
    ),
    Tool(
        name="range_forecast",
        description="The usual range of the next bar of an asset: what half and what four fifths of bars stay within.",
        wording="the usual range of an asset in the next minutes or hour",
        parameters=AskedRange,
        find=find_range,
    ),
    Tool(
        name="signal",
        description=(
            "The side that would be a trade by the numbers, with base rate and n. Information: with prob_source "
            "base_rate it is no forecast."
        ),
        wording="the signal of an asset, with its base rate",
        parameters=AskedSignal,
        find=find_signal,
    ),
    Tool(
        name="amd_phase",
        description="The phase of accumulation, manipulation, distribution of an asset, and its measured lift if any.",
        wording="the AMD phase of an asset",
        parameters=AskedPhase,
        find=find_phase,
    ),
    Tool(
        name="positions",
        description="The open trades and orders of the desk, and what the broker holds besides.",
        wording="what you hold",
        parameters=AskedPositions,
        find=find_positions,
    ),
    Tool(
        name="consensus",
        description="The brick colours of an asset by size, and its zone, as the desk has them.",
        wording="what the bricks of an asset say",
        parameters=AskedConsensus,
        find=find_consensus,
    ),
)
BY_NAME: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in TOOLS})
