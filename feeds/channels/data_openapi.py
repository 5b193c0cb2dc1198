"""``GET /openapi.json`` of the data service: its table of calls."""

from __future__ import annotations

from types import MappingProxyType
from typing import get_args

from sidecar.mt4_openapi import DATA_CALLS
from sidecar.openapi import FLAG, KEYED, READING, SYMBOL, TIME, Call, Service, document_of
from wire.data_service import (
    CandleMessage,
    DataHealth,
    DataTimeframe,
    OhlcvAnswer,
    OrderbookMessage,
    SnapshotAnswer,
    StreamErrorMessage,
    SubscribedMessage,
    SymbolsAnswer,
    SyncAnswer,
    SyncRequest,
    TickerMessage,
)

TITLE = "Lockstep data service"
VERSION = "1"
DESCRIPTION = (
    "Bars that feeds store, the newest prices, and syncs from providers. Prices are plain numbers, times ISO 8601 in "
    "UTC. Every error is `{error, detail, timestamp}`: `error` is a code. The stream is `WS /ws/stream`; its messages "
    "are the schemas whose names end in `Message`."
)
MESSAGES = (TickerMessage, CandleMessage, OrderbookMessage, SubscribedMessage, StreamErrorMessage)
CALLS = (
    Call(
        method="get",
        path="/health",
        name="health",
        says="How the data service and its providers are; 200 also when degraded",
        answers=MappingProxyType({200: DataHealth}),
        errors=READING,
    ),
    Call(
        method="get",
        path="/api/ohlcv",
        name="ohlcv",
        says="Stored candles: the first from `start` on, without it the newest; only those that have closed",
        answers=MappingProxyType({200: OhlcvAnswer}),
        errors=(*READING, "unknown_symbol", "busy", "not_available"),
        query=(
            ("symbol", SYMBOL, True),
            ("timeframe", {"type": "string", "enum": [*get_args(DataTimeframe), "60m"]}, True),
            ("start", TIME, False),
            ("end", TIME, False),
            ("limit", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000}, False),
            ("simulated", FLAG, False),
        ),
    ),
    Call(
        method="get",
        path="/api/snapshot/{symbol}",
        name="snapshot",
        says="The newest price of a symbol",
        answers=MappingProxyType({200: SnapshotAnswer}),
        errors=(*READING, "unknown_symbol", "no_price", "busy", "not_available"),
        query=(("simulated", FLAG, False),),
    ),
    Call(
        method="get",
        path="/api/symbols",
        name="symbols",
        says="The symbols of the desk, and those of which bars are stored",
        answers=MappingProxyType({200: SymbolsAnswer}),
        errors=(*READING, "busy", "not_available"),
    ),
    Call(
        method="post",
        path="/api/sync/{symbol}",
        name="sync",
        says="Fetch bars from the providers: 200 when it has ended, 202 while it goes on after 20 s",
        answers=MappingProxyType({200: SyncAnswer, 202: SyncAnswer}),
        errors=(
            *KEYED,
            *("invalid_parameter", "invalid_body", "unknown_symbol", "sync_running", "body_too_large", "busy"),
            *("no_provider", "sync_failed"),
        ),
        body=SyncRequest,
        is_keyed=True,
    ),
    Call(
        method="get",
        path="/api/sync/jobs/{job}",
        name="syncJob",
        says="How far a sync is",
        answers=MappingProxyType({200: SyncAnswer, 202: SyncAnswer}),
        errors=(*KEYED, "invalid_parameter", "unknown_job", "no_provider", "sync_failed"),
        is_keyed=True,
    ),
)


def openapi_document() -> bytes:
    """Return the document as JSON: the service's own calls, and those of MT4 that are passed on."""
    calls = (*CALLS, *DATA_CALLS)
    return document_of(Service(title=TITLE, version=VERSION, description=DESCRIPTION, calls=calls, messages=MESSAGES))
