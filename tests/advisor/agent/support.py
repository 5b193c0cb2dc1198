"""A web that answers what was recorded, for the tools: it stands where `sidecar.web.WebClient` does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from advisor.agent.desk_reader import DeskReader
from advisor.agent.grounding import invented_numbers
from advisor.agent.toolbox import Toolbox
from services.engine.model.trade_events import TradeClosed
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway
from wire.encoding import encode
from wire.explain import Statement, ToolName, ToolResult
from wire.ml_engine import AmdAnswer, MlTimeframe, RangeBands, RrConfig, SignalResponse

Json = dict[str, Any]
Result = TypeVar("Result")
NOON = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class RecordedWeb:
    """Answers each path with its recording; a path without one is away. ``asked`` remembers the calls."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        """Take the answers by path."""
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str | int]]] = []

    async def get(self, path: str, answer_seconds: float = 1.0, **query: str | int) -> bytes:
        """Return the recorded body."""
        self.asked.append((path, query))
        answer = self.answers.get(path)
        if answer is None:
            raise DeskAway("unreachable", f"nothing answers {path}")
        return answer if isinstance(answer, bytes) else encode(answer)


class NoModels:
    """An ML engine that has learned nothing yet."""

    async def bands(self, symbol: str, timeframe: MlTimeframe) -> RangeBands:
        """Refuse."""
        raise ServiceRefused("not_trained", f"{symbol} {timeframe}: 3 of 10 sessions")

    async def signal(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> SignalResponse:
        """Refuse."""
        raise ServiceRefused("not_trained", f"{symbol} {timeframe}: 3 of 10 sessions")

    async def amd(self, symbol: str, timeframe: MlTimeframe, lookback: int) -> AmdAnswer:
        """Refuse."""
        raise ServiceRefused("no_bars", f"no recorded bars of {symbol}")


def toolbox(**answers: object) -> Toolbox:
    """Return tools that read these answers: state, statistics, day, trades, what_if."""
    return Toolbox(DeskReader(RecordedWeb(by_path(answers))), NoModels(), clock=lambda: NOON)


def by_path(answers: Mapping[str, object]) -> dict[str, object]:
    """Return answers by the path of web that gives them."""
    paths = {"state": "/api/state", "what_if": "/api/what-if/day"}
    return {paths.get(name, f"/api/journal/{name}"): answer for name, answer in answers.items()}


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end on a loop of its own."""
    return asyncio.run(coroutine)


def as_json(answer: object) -> Json:
    """Return an answer as a reader of the wire has it."""
    found: Json = json.loads(encode(answer))
    return found


def numbers_without_a_fact(statement: Statement) -> tuple[str, ...]:
    """Return the numbers of a statement's sentence that are not among its own facts."""
    facts = ToolResult(tool=statement.tool, arguments={}, env=None, as_of=NEVER, result=dict(statement.facts))
    return invented_numbers(statement.text, [facts])


def a_result(tool: ToolName = "positions", /, **result: Any) -> ToolResult:
    """Return a tool's result with these values, of 12:00 New York time on Tuesday 17 November 2026."""
    return ToolResult(tool=tool, arguments={}, env="DEMO", as_of=NOON, result=result)


def closed_long(number: int, made: Decimal, at: datetime, **more: Any) -> TradeClosed:
    """Return a closed trade of 5 long contracts that made so many points, held for 4 minutes from that moment."""
    usual: dict[str, Any] = {"asset": "ES", "zone": "NORMAL"}
    return TradeClosed(
        id=f"t{number}",
        contract="MESZ6",
        side="BUY",
        size=5,
        entry_price=Decimal(5250),
        exit_price=5250 + made,
        entry_ts=at,
        exit_ts=at + timedelta(minutes=4),
        pnl_points=made,
        pnl_usd=made * 25,
        mae_points=Decimal(0),
        mfe_points=max(made, Decimal(0)),
        mode="SCALP",
        reason="POINTS_TP",
        env="DEMO",
        **{**usual, **more},
    )
