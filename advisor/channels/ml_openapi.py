"""``GET /openapi.json`` of the ML engine: its table of calls."""

from __future__ import annotations

from types import MappingProxyType

from advisor.channels.ml_requests import RR_CONFIGS, TIMEFRAMES, USUAL_RR, USUAL_TIMEFRAME
from advisor.models.engine import LONGEST_LOOKBACK, SHORTEST_LOOKBACK, USUAL_LOOKBACK
from sidecar.openapi import KEYED, READING, Call, Service, document_of
from wire.ml_engine import (
    ActiveSignals,
    AmdAnswer,
    AmdChangeMessage,
    MlHealth,
    MlRequest,
    ModelsAnswer,
    RangeBands,
    RangePrediction,
    SignalMessage,
    SignalResponse,
)
from wire.schemas import Json
from wire.service_problem import ServiceFault

TITLE = "Lockstep ML engine"
VERSION = "1"
DESCRIPTION = (
    "Usual ranges of the next bar, signals and phases as information, and the cards of the models behind them. "
    "Nothing here trades. Prices are plain numbers, times ISO 8601 in UTC. Every error is `{error, detail, "
    "timestamp}`: `error` is a code. The socket is `WS /ws/signals`; its messages are the schemas whose names end in "
    "`Message`. A key is needed where LOCAL_FEEDS_REQUIRE_KEY asks for it, and on any address but loopback."
)
MESSAGES = (SignalMessage, AmdChangeMessage)
TIMEFRAME: Json = {"type": "string", "enum": [*TIMEFRAMES, "60m"], "default": USUAL_TIMEFRAME}
RR: Json = {"type": "string", "enum": [*RR_CONFIGS], "default": USUAL_RR}
SYMBOLS: Json = {"type": "string", "description": "symbols, comma between; empty or `undefined`: all that have a card"}
LOOKBACK: Json = {
    "type": "integer",
    "minimum": SHORTEST_LOOKBACK,
    "maximum": LONGEST_LOOKBACK,
    "default": USUAL_LOOKBACK,
}
ASKED: tuple[ServiceFault, ...] = (*KEYED, "invalid_parameter")
OF_BARS: tuple[ServiceFault, ...] = ("unknown_symbol", "no_bars", "stale")
WITH_BODY: tuple[ServiceFault, ...] = ("invalid_body", "body_too_large")

CALLS = (
    Call(
        method="get",
        path="/health",
        name="health",
        says="How the ML engine is; 200 also without a model",
        answers=MappingProxyType({200: MlHealth}),
        errors=READING,
    ),
    Call(
        method="get",
        path="/api/signals/active",
        name="activeSignals",
        says="The signals that a proven model stands behind; none is the usual answer, and `errors` says why",
        answers=MappingProxyType({200: ActiveSignals}),
        errors=(*ASKED, "not_trained"),
        query=(("symbols", SYMBOLS, False), ("timeframe", TIMEFRAME, False), ("rr_config", RR, False)),
        is_keyed=True,
    ),
    Call(
        method="post",
        path="/generate/signal",
        name="generateSignal",
        says="The better side of a symbol by the numbers, proven or not (`actionable`)",
        answers=MappingProxyType({200: SignalResponse}),
        errors=(*ASKED, *WITH_BODY, *OF_BARS, "not_trained"),
        query=(("rr_config", RR, False),),
        body=MlRequest,
        is_keyed=True,
    ),
    Call(
        method="post",
        path="/api/amd/{symbol}",
        name="amd",
        says="The phase that a symbol is in, read from bars that are over",
        answers=MappingProxyType({200: AmdAnswer}),
        errors=(*ASKED, *OF_BARS),
        query=(("timeframe", TIMEFRAME, False), ("lookback_periods", LOOKBACK, False)),
        is_keyed=True,
    ),
    Call(
        method="post",
        path="/predict/range",
        name="predictRange",
        says="How far the next bar goes, as an array of one",
        answers=MappingProxyType({200: RangePrediction}),
        errors=(*ASKED, *WITH_BODY, *OF_BARS, "not_trained"),
        body=MlRequest,
        is_keyed=True,
        is_list=True,
    ),
    Call(
        method="get",
        path="/api/range/{symbol}",
        name="range",
        says="The usual range of the next bar, as prices of two quantiles",
        answers=MappingProxyType({200: RangeBands}),
        errors=(*ASKED, *OF_BARS, "not_trained"),
        query=(("timeframe", TIMEFRAME, False),),
        is_keyed=True,
    ),
    Call(
        method="get",
        path="/models",
        name="models",
        says="Every model card, newest first",
        answers=MappingProxyType({200: ModelsAnswer}),
        errors=ASKED,
        is_keyed=True,
    ),
)


def ml_document() -> bytes:
    """Return the document as JSON."""
    return document_of(Service(title=TITLE, version=VERSION, description=DESCRIPTION, calls=CALLS, messages=MESSAGES))
