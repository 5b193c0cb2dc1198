"""What the agent says of auto-trade (port 8003): its configuration, its decisions, and what became of them.

Contract: docs/reference/contracts/platform-services.md; every field is explained in docs/reference/agent.md. Fields
that the contract does not have stand behind those that it has.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.ml_engine import MlTimeframe, RrConfig, Share, SignalResponse
from wire.types import AwareTime, Env, Price, Side, says

AutoMode = Literal["paper", "proposals"]
Action = Literal["BUY", "SELL", "HOLD"]
Result = Literal[
    "awaiting",
    "proposing",
    "pending",
    "tp",
    "sl",
    "timeout",
    "unknown",
    "blocked",
    "rejected",
    "expired",
    "proposed",
]
"""What became of a decision; a HOLD has none."""

ShadowResult = Literal["pending", "tp", "sl", "timeout", "unknown"]
WhyDecided = Literal[
    "signal",
    "low_confidence",
    "no_skill",
    "not_trained",
    "no_bars",
    "fault",
    "late_bar",
    "desk_away",
    "store_down",
    "standby",
]


class AutoTradeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/auto-trade/config`. Every field must be there: none has a default."""

    enabled: bool
    symbols: tuple[str, ...]
    max_risk_per_trade: Annotated[float, says("a share of the equity, above 0, at most 0.02")]
    max_daily_trades: Annotated[int, says("1 to 20, of all symbols together")]
    min_confidence: Annotated[float, says("0 to 1; compared with `confidence_score` of the signal")]
    paper_trading: Annotated[bool, says("false: proposals at the desk, in LIVE alone")]
    require_confirmation: Annotated[bool, says("every decision waits for `confirm`")]


class AutoTradeConfig(Struct, frozen=True, kw_only=True):
    """The configuration as it is in force."""

    enabled: bool
    symbols: tuple[str, ...]
    max_risk_per_trade: Annotated[Decimal, says("a share of the equity, above 0, at most 0.02")]
    max_daily_trades: Annotated[int, says("1 to 20, of all symbols together")]
    min_confidence: Annotated[Share, says("0 to 1; compared with `confidence_score` of the signal")]
    paper_trading: Annotated[bool, says("false: proposals at the desk, in LIVE alone")]
    require_confirmation: Annotated[bool, says("every decision waits for `confirm`")]


class ConfiguredAnswer(Struct, frozen=True, kw_only=True):
    """Auto-trade is configured."""

    status: Literal["configured"]
    config: AutoTradeConfig


class ShadowTrade(Struct, frozen=True, kw_only=True):
    """A trade of the shadow book. Nobody ordered it, and no broker knows it."""

    quantity: Annotated[int, says("contracts that the risk allows")]
    entry_from: Annotated[AwareTime, says("it is entered at the open of the first minute from then on")]
    until: Annotated[AwareTime, says("what met neither stop nor target by then is closed at the last price")]
    entry: Annotated[Price | None, says("null until that minute is over")]
    stop: Annotated[Price | None, says("null until it is entered")]
    target: Annotated[Price | None, says("null until it is entered")]
    exit: Annotated[Price | None, says("null while it is open, and when nobody knows")]
    exit_at: Annotated[AwareTime | None, says("the end of the minute that ended it")]
    r: Annotated[Decimal | None, says("the result in its risk: 2 is twice what the stop would have lost")]
    counted: Annotated[
        bool | None, says("whether it is among `results`: all of its bars were recorded; null until they are over")
    ]
    coin_side: Annotated[Side, says("the side that a coin, thrown by the decision's id, would have taken")]
    coin_result: ShadowResult
    coin_r: Annotated[Decimal | None, says("what that would have become, under the same barriers")]


class DecisionRow(Struct, frozen=True, kw_only=True):
    """One decision of one closed bar of one symbol. There is never a second one of that bar."""

    id: str
    symbol: str
    action: Action
    confidence: Annotated[Share | None, says("`confidence_score` of the signal; null without one")]
    reasoning: Annotated[str, says("a sentence for people; `reason` and `blocked_by` are its codes")]
    ml_signal: Annotated[SignalResponse | None, says("null while there was none")]
    executed: Annotated[bool, says("whether a shadow trade was opened")]
    result: Annotated[Result | None, says("null for HOLD")]
    timestamp: Annotated[AwareTime, says("when it was decided")]
    timeframe: MlTimeframe
    rr_config: RrConfig
    bar_start: Annotated[AwareTime, says("the bar that it is about")]
    reason: Annotated[WhyDecided, says("a code: why this action")]
    blocked_by: Annotated[str | None, says("a code: the gate of the desk, or the limit, that kept it from a trade")]
    mode: AutoMode
    env: Annotated[Env | None, says("the desk's at that moment; null while the desk did not answer")]
    confirm_until: Annotated[AwareTime | None, says("until when it may be confirmed; null when it need not be")]
    shadow: Annotated[ShadowTrade | None, says("null unless `executed`")]
    proposal_id: Annotated[str | None, says("the proposal at the desk; null without one")]


class DecisionsAnswer(Struct, frozen=True, kw_only=True):
    """Decisions, newest first."""

    decisions: tuple[DecisionRow, ...]


class LastDecision(Struct, frozen=True, kw_only=True):
    """The newest decision, in short."""

    symbol: str
    action: Action
    timestamp: AwareTime
    reasoning: str
    id: str
    result: Result | None
    blocked_by: str | None


class MeanR(Struct, frozen=True, kw_only=True):
    """A mean result in R with its 95 % interval. Below 20 trades all three are null: they would say nothing."""

    mean: Decimal | None
    low: Decimal | None
    high: Decimal | None


class Compared(Struct, frozen=True, kw_only=True):
    """A baseline: its own mean, and by how much the trades were better than it, trade by trade."""

    mean: Annotated[Decimal | None, says("of the baseline; 0 for always flat")]
    better_by: MeanR


class AutoResults(Struct, frozen=True, kw_only=True):
    """What the shadow trades became whose twelve bars are over and recorded. Without commission, spread, slippage."""

    n: Annotated[int, says("trades that count")]
    won: Annotated[int, says("of them at the target")]
    lost: Annotated[int, says("of them at the stop")]
    timed_out: Annotated[int, says("of them at neither")]
    not_counted: Annotated[int, says("trades with a bar that was not recorded, or not truly")]
    open: Annotated[int, says("trades whose twelve bars are not over")]
    r: MeanR
    always_flat: Compared
    coin_flip: Compared


class AutoStatus(Struct, frozen=True, kw_only=True):
    """How auto-trade is."""

    enabled: bool
    mode: AutoMode
    trades_today: Annotated[int, says("decisions of the trade date that take one of `max_daily_trades`")]
    last_decision: Annotated[LastDecision | None, says("null before the first")]
    timeframe: Annotated[MlTimeframe, says("of the bars that are decided upon")]
    rr_config: RrConfig
    config: Annotated[AutoTradeConfig | None, says("null until it was configured")]
    awaiting: Annotated[int, says("decisions that wait for `confirm`")]
    results: AutoResults


class ProposalBody(Struct, frozen=True, kw_only=True):
    """What is sent to the desk's `POST /api/proposals`."""

    asset: str
    direction: Side
    entry: Price
    stop: Price
    target: Price | None
    valid_until: AwareTime
    source: str
    reason: str
