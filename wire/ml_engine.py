"""What the ML engine says (port 8002), and web's pages through it: ranges, signals, phases, model cards.

Contract: docs/reference/contracts/platform-services.md; every field is explained in docs/reference/ml-engine.md.
Fields that the contract does not have stand behind those that it has.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.answers import OkAnswer
from wire.candles import BarSource
from wire.types import AwareTime, Price, says

MlTimeframe = Literal["1m", "5m", "15m", "30m", "1h"]
RrConfig = Literal["rr_1_1", "rr_2_1", "rr_3_1"]
RangeMethod = Literal["flat", "hour", "model"]
AmdPhase = Literal["accumulation", "manipulation", "distribution", "unknown"]
VolatilityRegime = Literal["low", "medium", "high", "unknown"]
SignalDirection = Literal["long", "short"]
BiasDirection = Literal["long", "short", "neutral"]
ProbSource = Literal["base_rate", "model"]
Verdict = Literal["not_trained", "flat", "hour", "model"]
Share = Decimal
"""From 0 to 1."""


METHODS = "flat: one quantile of moves over ATR; hour: a table by hour and ATR; model: LightGBM on top of it"


# -- ranges --------------------------------------------------------------------------------------------------------


class RangePrediction(Struct, frozen=True, kw_only=True):
    """How far the price goes within the next bar, up and down from the last close (`POST /predict/range`)."""

    horizon: Annotated[MlTimeframe, says("the length of time that the forecast is for: one bar")]
    delta_high: Annotated[Decimal, says("how far up, in whole ticks; the quantile of what follows the last close")]
    delta_low: Annotated[Decimal, says("how far down, never below zero")]
    confidence_high: Annotated[Share | None, says("which share of `n` stayed within `delta_high`; null below 20")]
    confidence_low: Annotated[Share | None, says("which share of `n` stayed within `delta_low`")]
    method: Annotated[RangeMethod, says(METHODS)]
    quantile: Annotated[Share, says("the share of moves that should stay within")]
    n: Annotated[int, says("how many forecasts of this `method` `confidence_` counts, at most the last 500")]
    model: Annotated[str, says("the id of its card")]
    close: Annotated[Price, says("the last close: what the deltas count from")]
    as_of: Annotated[AwareTime, says("when that bar ended")]
    valid_until: Annotated[AwareTime, says("the end of the time that it is for")]


class RangeBand(Struct, frozen=True, kw_only=True):
    """The range of one quantile."""

    quantile: Share
    high: Annotated[Price, says("the price that the high should not pass")]
    low: Annotated[Price, says("the price that the low should not pass")]
    held_high: Annotated[
        Share | None, says("which share of `n` highs did not pass `high` as it is drawn; null below 20")
    ]
    held_low: Annotated[Share | None, says("the same for the lows")]
    n: Annotated[int, says("how many forecasts of this `method` that counts, at most the last 500")]


class RangeBands(OkAnswer, frozen=True, kw_only=True):
    """The usual range of the next bar: what half and what four fifths of such bars stayed within."""

    asset: str
    timeframe: MlTimeframe
    close: Annotated[Price, says("the close of the last bar: what the ranges count from")]
    as_of: Annotated[AwareTime, says("when that bar ended")]
    valid_until: AwareTime
    atr: Annotated[Decimal, says("mean true range of the last 14 bars, in price")]
    method: Annotated[RangeMethod, says(METHODS)]
    model: Annotated[str, says("the id of its card")]
    bands: Annotated[tuple[RangeBand, ...], says("quantiles .5 and .8, in this order")]


class MlRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /generate/signal` and `POST /predict/range`."""

    symbol: str
    timeframe: str = "15m"


# -- signals -------------------------------------------------------------------------------------------------------


class SignalResponse(Struct, frozen=True, kw_only=True):
    """What would be a trade by the numbers. It is information: nobody trades it."""

    signal_id: str
    symbol: str
    direction: SignalDirection
    entry_price: Price
    stop_loss: Price
    take_profit: Price
    risk_reward_ratio: Decimal
    prob_tp_first: Annotated[Share, says("how often the target came before the stop; see `prob_source`")]
    confidence_score: Annotated[Share, says("0 unless a model has proven skill")]
    amd_phase: AmdPhase
    volatility_regime: Annotated[VolatilityRegime, says("the ATR beside that of the last sessions, in thirds")]
    range_prediction: Annotated[RangePrediction | None, says("null while there is no forecast of the range")]
    timestamp: Annotated[AwareTime, says("when the bar ended that it follows")]
    valid_until: AwareTime
    actionable: Annotated[bool, says("false: `prob_tp_first` is a base rate, no forecast")]
    prob_source: Annotated[ProbSource, says("base_rate: the share of all bars of this market; model: a proven model")]
    base_rate: Annotated[Share, says("the share of all bars whose target came first")]
    n: Annotated[int, says("how many bars that counts")]
    model: Annotated[str, says("the id of its card")]


class SignalProblem(Struct, frozen=True, kw_only=True):
    """Why a symbol was left out, or has no active signal."""

    symbol: str
    error: Annotated[Literal["no_skill", "not_trained", "no_bars", "unknown_symbol", "stale"], says("a code")]
    detail: str


class ActiveSignals(Struct, frozen=True, kw_only=True):
    """The signals that a proven model stands behind. None is the usual answer, and `errors` says why."""

    signals: tuple[SignalResponse, ...]
    generated_at: AwareTime
    symbols_processed: tuple[str, ...]
    errors: tuple[SignalProblem, ...]


# -- phases --------------------------------------------------------------------------------------------------------


class AmdCharacteristics(Struct, frozen=True, kw_only=True):
    """What the phase was read from. Null where it cannot be reckoned."""

    range_compression: Annotated[Decimal | None, says("the range of the last bars over the usual one")]
    volume_ratio: Annotated[Decimal | None, says("volume over the usual one; null without volumes")]


class TradingBias(Struct, frozen=True, kw_only=True):
    """Neutral and 0 unless the phase was measured to be worth something."""

    direction: BiasDirection
    position_size: Share


class AmdAnswer(Struct, frozen=True, kw_only=True):
    """The phase of accumulation, manipulation, distribution, read from bars that are over."""

    phase: AmdPhase
    confidence: Share
    start_time: Annotated[AwareTime | None, says("the end of the bar that began the phase; null while it is unknown")]
    characteristics: AmdCharacteristics
    signals: Annotated[tuple[str, ...], says("codes of what was seen: range_compression, low_volume, false_break, …")]
    strength: Share
    trading_bias: TradingBias
    symbol: str
    timeframe: MlTimeframe
    as_of: AwareTime
    lift: Annotated[Decimal | None, says("how much more often the target came first in this phase; null: unmeasured")]
    lift_low: Annotated[Decimal | None, says("the lower end of its 95 % interval")]
    lift_high: Annotated[Decimal | None, says("the upper end")]
    base_rate: Annotated[Share | None, says("how often the target came first in all bars; null: unmeasured")]
    n: Annotated[int, says("how many entries of this phase were measured")]


class AmdChange(Struct, frozen=True, kw_only=True):
    """A symbol came into another phase."""

    symbol: str
    old_phase: AmdPhase
    new_phase: AmdPhase
    timeframe: MlTimeframe
    timestamp: AwareTime


class SignalMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="signal"):
    """A signal became active (`WS /ws/signals`)."""

    data: SignalResponse


class AmdChangeMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="amd_change"):
    """A phase changed (`WS /ws/signals`)."""

    data: AmdChange


# -- models --------------------------------------------------------------------------------------------------------


class Skill(Struct, frozen=True, kw_only=True):
    """How much smaller a loss is than another one, as a share, with its 95 % interval of blocks of sessions."""

    against: Literal["flat", "hour", "base_rate"]
    value: Decimal
    low: Decimal
    high: Decimal


class CardData(Struct, frozen=True, kw_only=True):
    """The bars that a model was made of."""

    sources: Annotated[dict[BarSource, int], says("how many minutes came from which source")]
    first: AwareTime
    last: AwareTime
    sessions: int
    rows: Annotated[int, says("bars of the timeframe")]
    sha256: Annotated[str, says("of the bars as they were read")]


class Reliability(Struct, frozen=True, kw_only=True):
    """Forecasts of one bin beside what happened."""

    forecast: Share
    happened: Share
    n: int


class ModelCard(Struct, frozen=True, kw_only=True):
    """What a model is, what it was measured against, and whether it earned its place."""

    id: str
    symbol: str
    timeframe: MlTimeframe
    target: Literal["range", "tp_first"]
    made_at: AwareTime
    program: str
    libraries: dict[str, str]
    features: Annotated[str, says("the version of the features that it reads")]
    horizon: Annotated[int, says("bars")]
    rr: RrConfig | None
    data: CardData
    protocol: str
    n: Annotated[int, says("bars that were forecast out of sample")]
    base_rate: Annotated[Share | None, says("of tp_first")]
    losses: Annotated[dict[str, Decimal], says("mean loss of flat, hour and model: pinball, or Brier of tp_first")]
    skills: tuple[Skill, ...]
    coverage: Annotated[dict[str, Decimal], says("`high_0.5`, `low_0.8`, …: which share held out of sample")]
    reliability: tuple[Reliability, ...]
    verdict: Verdict
    why: Annotated[str, says("one sentence: why this is served")]
    probe: Annotated[tuple[tuple[Decimal, ...], ...], says("three rows of inputs and what they must give")]
    files: Annotated[dict[str, str], says("the sha256 of each file")]
    inside: Annotated[
        dict[str, Decimal],
        says("as `coverage`, without those that ended on the edge: each quantile should lie between the two"),
    ] = {}
    serving: Annotated[bool, says("whether it answers now")] = False


class ModelsAnswer(OkAnswer, frozen=True, kw_only=True):
    """Every card that there is, newest first."""

    models: tuple[ModelCard, ...]


TROUBLES = "a code: hash_differs, features_differ, foreign, unreadable, probe_failed, missing"


class ModelTrouble(Struct, frozen=True, kw_only=True):
    """A model that could not be taken into use; the one before it goes on."""

    symbol: str
    timeframe: MlTimeframe
    target: str
    reason: Annotated[str, says(TROUBLES)]
    since: AwareTime


class MlHealth(Struct, frozen=True, kw_only=True):
    """How the ML engine is; 200 also without a model."""

    status: Literal["healthy", "degraded"]
    version: str
    models_loaded: bool
    timestamp: AwareTime
    models: Annotated[tuple[str, ...], says("the ids that answer now")]
    trouble: tuple[ModelTrouble, ...]
    feeds: Annotated[bool, says("whether bars can be read")]
