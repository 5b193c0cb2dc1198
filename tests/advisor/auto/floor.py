"""Auto-trade on a market that a test knows: minutes, a clock, a desk that answers, and signals of a planted rule."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from advisor.agent.desk_reader import DeskReader
from advisor.auto.control import AutoControl
from advisor.auto.proposing import Proposer
from advisor.auto.store import AutoStore
from advisor.auto.trader import AutoTrader
from advisor.bars import BarBook, FeedsBars, Window
from advisor.ml.atr import atr14
from advisor.ml.bars import Minute, Series
from advisor.ml.labels import drawn
from advisor.ml.numbers import price_at
from advisor.models.history import History
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway
from tests.data.explain_states import Asked, recorded
from tests.support.trader import Trader
from wire.auto_trade import AutoTradeBody, AutoTradeConfig, DecisionRow
from wire.encoding import encode
from wire.ml_engine import RrConfig, SignalDirection, SignalResponse

Json = dict[str, Any]
Answered = TypeVar("Answered")
QUARTER = 900
HELD = 330
"""Minutes that the market remembers: a trade of twelve bars and what its range is measured by."""

USUAL: Json = {
    "enabled": True,
    "symbols": ["ES"],
    "max_risk_per_trade": 0.02,
    "max_daily_trades": 20,
    "min_confidence": 0.5,
    "paper_trading": True,
    "require_confirmation": False,
}


class Market(BarBook):
    """Minutes of ES, of which those are known that are over. ``now`` is the clock of everything."""

    def __init__(self, minutes: Sequence[Minute], now: int, held: int = HELD) -> None:
        super().__init__(FeedsBars(None))
        self.held = held
        self.minutes = list(minutes)
        self.now = float(now)
        self.is_away = False
        self.unheard_since: float | None = None
        """Since when feeds does not answer: what was heard before is all that is known."""

        self._over = 0

    def clock(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self.now, UTC)

    async def window(self, symbol: str) -> Window:
        """Return the newest minutes that are over."""
        if self.is_away:
            return await super().window(symbol)
        heard = self.now if self.unheard_since is None else self.unheard_since
        while self._over < len(self.minutes) and self.minutes[self._over].t + 60 <= heard:
            self._over += 1
        rows = self.minutes[max(0, self._over - self.held) : self._over] if symbol == "ES" else []
        return Window(rows, 1, len(rows), 0.0, heard)

    def changes(self, t: int, **prices: Any) -> None:
        """Correct a minute."""
        place = next(place for place, minute in enumerate(self.minutes) if minute.t == t)
        self.minutes[place] = msgspec.structs.replace(self.minutes[place], **prices)

    def loses(self, begins: int, ends: int) -> None:
        """Take the minutes of a time out of the record."""
        self.minutes = [minute for minute in self.minutes if not begins <= minute.t < ends]
        self._over = 0


class AnsweringDesk:
    """Web as far as auto-trade calls it; remembers every call. ``document`` is what ``GET /api/state`` answers."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.is_away = False
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens while an answer is on its way."""

        self.calls: list[tuple[str, str]] = []
        self.proposals: list[tuple[Json, dict[str, str]]] = []
        self.listed: list[Json] | DeskAway = []
        """What `GET /api/proposals` answers."""

        self.proposal: tuple[int, Json] | DeskAway = (201, {"ok": True, "proposal": {"id": "p-1", "status": "OPEN"}})

    async def get(self, path: str, answer_seconds: float = 1.0, **query: str | int) -> bytes:
        """Answer the state, or the list of proposals."""
        self.calls.append(("GET", path))
        if self.is_away or path not in ("/api/state", "/api/proposals"):
            raise DeskAway("unreachable", "nobody answers")
        if path == "/api/proposals":
            if isinstance(self.listed, DeskAway):
                raise self.listed
            return json.dumps({"ok": True, "proposals": self.listed}).encode()
        self.meanwhile()
        return json.dumps(self.document).encode()

    def has(self, **changes: Any) -> None:
        """Have the newest proposal that was asked for, although nobody was told."""
        body, _ = self.proposals[-1]
        about = {"id": "p-1", "status": "OPEN", "proposer": "service", "created_at": self.document["now"]}
        self.listed = [{**body, **about, **changes}]

    async def exchange(
        self, method: str, path: str, body: bytes | None = None, answer_seconds: float = 1.0, **headers: str
    ) -> tuple[int, bytes]:
        """Answer a proposal."""
        self.calls.append((method, path))
        self.proposals.append((json.loads(body or b"{}"), headers))
        self.meanwhile()
        if isinstance(self.proposal, DeskAway):
            raise self.proposal
        status, answer = self.proposal
        return status, encode(answer)


class PlantedRule:
    """A signal of each bar by a rule of the market's hours: long before noon, short from then on."""

    def __init__(self) -> None:
        self.confidence = Decimal("0.62")
        self.silent: ServiceRefused | None = None
        self.actionable = True
        self.side: Callable[[Series], SignalDirection] = by_hour

    def signal_after(self, series: Series, rr: RrConfig) -> SignalResponse:
        """Return the signal of the newest bar."""
        if self.silent is not None:
            raise self.silent
        unit = atr14(series)[-1]
        if unit is None:
            raise ServiceRefused("no_bars", "no ATR yet")
        side = self.side(series)
        trade = drawn(series.symbol, series.close[-1], unit)
        away = trade.risk if side == "long" else -trade.risk
        as_of = series.ends_at(len(series) - 1)
        return SignalResponse(
            signal_id="SIG-PLANTED",
            symbol=series.symbol,
            direction=side,
            entry_price=price_at(series.symbol, trade.entry),
            stop_loss=price_at(series.symbol, trade.entry - away),
            take_profit=price_at(series.symbol, trade.entry + 2 * away),
            risk_reward_ratio=Decimal(2),
            prob_tp_first=self.confidence,
            confidence_score=self.confidence,
            amd_phase="unknown",
            volatility_regime="unknown",
            range_prediction=None,
            timestamp=as_of,
            valid_until=as_of + timedelta(seconds=QUARTER),
            actionable=self.actionable,
            prob_source="model" if self.actionable else "base_rate",
            base_rate=Decimal("0.33"),
            n=5_000,
            model="planted",
        )


def by_hour(series: Series) -> SignalDirection:
    return "long" if series.next_hour[-1] < 12 else "short"


def open_desk(**changes: Any) -> Json:
    """Return a state in which no gate refuses an entry of ES in either direction."""
    document: Json = json.loads(json.dumps(recorded(Asked(Trader().with_structure("green")))["state"]))
    asset = document["assets"]["ES"]
    asset.update(may_enter=["BUY", "SELL"], zone_type="FREE", zone_direction=None, two_half_renko_color="neutral")
    asset.update(last_price=5_000.0, price_ts=document["now"])
    for rung in asset["ladder"]:
        rung["state"] = "open"
    document["global"].update({"equity": 50_000, "store": "up", "role": "writer", "env": "DEMO", **changes})
    return document


class Floor:
    """All of auto-trade but its sockets. It can be restarted: a new program on the same file."""

    def __init__(
        self, folder: Path, market: Market, document: Json | None = None, rule: PlantedRule | None = None
    ) -> None:
        self.path = folder / "advisor.sqlite"
        self.market = market
        self.web = AnsweringDesk(document or open_desk())
        self.rule = PlantedRule() if rule is None else rule
        self._loop = asyncio.new_event_loop()
        self.start()

    def start(self) -> None:
        """Build the program anew."""
        self.store = AutoStore(self.path)
        desk = DeskReader(self.web)
        history = History(self.market, self.market.clock)
        proposer = Proposer(self.web)
        self.trader = AutoTrader(self.store, history, self.rule, desk, proposer, self.market.clock)
        self.control = AutoControl(self.store, self.trader, desk, proposer, self.market.clock)

    def restarts(self) -> None:
        """End the program and start it again on its file."""
        self.store.close()
        self.start()

    def close(self) -> None:
        """Close the file."""
        self.store.close()
        self._loop.close()

    def configures(self, **changes: Any) -> AutoTradeConfig:
        """Configure as a body of these fields would."""
        return self.waits_for(self.configuring(**changes))

    def configuring(self, **changes: Any) -> Coroutine[Any, Any, AutoTradeConfig]:
        """Return such a call as it arrives."""
        body = json.dumps({**USUAL, **changes}).encode()
        return self.control.configure(msgspec.json.decode(body, type=AutoTradeBody), self.control.arrival())

    def waits_for(self, call: Coroutine[Any, Any, Answered]) -> Answered:
        """Return the answer of a call."""
        return self._loop.run_until_complete(call)

    def at_once(self, call: Coroutine[Any, Any, Answered]) -> Answered:
        """Return the answer of a call that waits for nobody, also from within another call."""
        try:
            call.send(None)
        except StopIteration as answered:
            answer: Answered = answered.value
            return answer
        call.close()
        raise AssertionError("it waits for somebody")

    def looks(self, at: float | None = None) -> None:
        """Look once."""
        self.market.now = self.market.now if at is None else at
        self._loop.run_until_complete(self.trader.look())

    def runs(self, until: int) -> None:
        """Look some seconds and more than a minute after the end of each bar."""
        end = int(self.market.now) // QUARTER * QUARTER + QUARTER
        while end <= until:
            self.looks(end + 4)
            self.looks(end + 64)
            end += QUARTER

    def confirms(self, name: str) -> DecisionRow:
        """Say yes."""
        return self._loop.run_until_complete(self.control.confirm(name))

    def decisions(self) -> list[Json]:
        """Return every decision as a reader has it, oldest first."""
        rows = self.control.decisions(100_000, None)
        found: list[Json] = json.loads(encode(rows))
        return found[::-1]

    def status(self) -> Json:
        """Return the status as a reader has it."""
        found: Json = json.loads(encode(self.control.status()))
        return found
