"""The calls of the MT4 account in two documents: those of the agent's view, and those of the data service's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from sidecar.openapi import KEYED, Call
from wire.mt4 import (
    TIMEFRAMES,
    CancelAnswer,
    CancelBody,
    CloseAnswer,
    CloseBody,
    ConnectBody,
    ConnectedAnswer,
    DataConnectedAnswer,
    DealsAnswer,
    DisconnectedAnswer,
    Mt4Candle,
    Mt4Tick,
    OrdersAnswer,
    PositionsAnswer,
    StatusAnswer,
    TradeAnswer,
    TradeBody,
)
from wire.service_problem import ServiceFault

AGENT_BASE = "/api/v1/auto-trade/mt4"
DATA_BASE = "/api/mt4"
AWAY: tuple[ServiceFault, ...] = ("web_away", "mt4_away", "not_available")
READING: tuple[ServiceFault, ...] = (
    *(*KEYED, "invalid_parameter", "not_connected", "token_refused", "unknown_account"),
    *AWAY,
)
CONNECTING: tuple[ServiceFault, ...] = (
    *(*KEYED, "invalid_parameter", "invalid_body", "body_too_large", "not_connected", "real_account"),
    *("token_refused", "unknown_account", *AWAY),
)
ACTING: tuple[ServiceFault, ...] = (
    *(*READING, "invalid_body", "body_too_large", "trade_refused", "real_account", "no_price", "unknown_outcome"),
)


def _get(path: str, name: str, says: str, answer: type[Struct], *more: ServiceFault) -> Call:
    return Call(
        method="get",
        path=path,
        name=name,
        says=says,
        answers=MappingProxyType({200: answer}),
        errors=(*READING, *more),
        is_keyed=True,
    )


def _post(
    path: str,
    name: str,
    says: str,
    answers: Mapping[int, type[Struct]],
    errors: tuple[ServiceFault, ...],
    body: type[Struct] | None = None,
) -> Call:
    return Call(
        method="post",
        path=path,
        name=name,
        says=says,
        answers=MappingProxyType(dict(answers)),
        errors=errors,
        body=body,
        is_keyed=True,
    )


def _limited(call: Call) -> Call:
    limit = {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}
    return _with_query(call, (("limit", limit, False),))


def _with_query(call: Call, query: tuple[tuple[str, dict[str, object], bool], ...], *, is_list: bool = False) -> Call:
    return Call(
        method=call.method,
        path=call.path,
        name=call.name,
        says=call.says,
        answers=call.answers,
        errors=call.errors,
        query=query,
        is_keyed=True,
        is_list=is_list,
    )


def _shared(base: str, named: str) -> tuple[Call, ...]:
    return (
        _get(f"{base}/status", f"{named}Status", "Whether an MT4 account is connected, and how it is", StatusAnswer),
        _get(f"{base}/positions", f"{named}Positions", "The open positions", PositionsAnswer),
        _get(f"{base}/orders", f"{named}Orders", "The resting orders", OrdersAnswer),
        _limited(_get(f"{base}/deals", f"{named}Deals", "The newest fills, oldest of them first", DealsAnswer)),
        _post(
            f"{base}/disconnect",
            f"{named}Disconnect",
            "Let the account go; what rests there goes on to rest",
            {200: DisconnectedAnswer},
            (*KEYED, "invalid_parameter", "not_available"),
        ),
    )


AGENT_CALLS = (
    _post(
        f"{AGENT_BASE}/connect",
        "mt4Connect",
        "Connect an account: without an id that of the route",
        {200: ConnectedAnswer},
        CONNECTING,
        ConnectBody,
    ),
    *_shared(AGENT_BASE, "mt4"),
    _post(
        f"{AGENT_BASE}/positions/close",
        "mt4Close",
        "Close a position, or some of it",
        {200: CloseAnswer},
        (*ACTING, "unknown_position"),
        CloseBody,
    ),
    _post(
        f"{AGENT_BASE}/orders/cancel",
        "mt4Cancel",
        "Take out a resting order",
        {200: CancelAnswer},
        (*ACTING, "unknown_order"),
        CancelBody,
    ),
)
DATA_CALLS = (
    _post(
        f"{DATA_BASE}/connect",
        "mt4DataConnect",
        "Connect an MT4 account: without an id that of the route",
        {200: DataConnectedAnswer},
        CONNECTING,
        ConnectBody,
    ),
    *_shared(DATA_BASE, "mt4Data"),
    _get(f"{DATA_BASE}/tick/{{symbol}}", "mt4Tick", "The newest price", Mt4Tick, "unknown_symbol", "no_price"),
    _with_query(
        _get(
            f"{DATA_BASE}/candles/{{symbol}}",
            "mt4Candles",
            "The newest closed candles, oldest first",
            Mt4Candle,
            "unknown_symbol",
            "no_price",
        ),
        (
            ("timeframe", {"type": "string", "enum": list(TIMEFRAMES), "default": "1h"}, False),
            ("limit", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}, False),
        ),
        is_list=True,
    ),
    _post(
        f"{DATA_BASE}/trade",
        "mt4Trade",
        "Send an order: on the desk's route it becomes a proposal, 202",
        {200: TradeAnswer, 202: TradeAnswer},
        (*ACTING, "unknown_symbol"),
        TradeBody,
    ),
    _with_query(
        _post(
            f"{DATA_BASE}/positions/{{position_id}}/close",
            "mt4DataClose",
            "Close a position, or some of it",
            {200: CloseAnswer},
            (*ACTING, "unknown_position"),
        ),
        (("volume", {"type": "number", "exclusiveMinimum": 0, "description": "lots; all without it"}, False),),
    ),
    _post(
        f"{DATA_BASE}/orders/{{order_id}}/cancel",
        "mt4DataCancel",
        "Take out a resting order",
        {200: CancelAnswer},
        (*ACTING, "unknown_order"),
    ),
)
