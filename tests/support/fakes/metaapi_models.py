"""Bodies as MetaApi documents them (https://metaapi.cloud/docs/client/models/), with more fields than are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from advisor.mt4.result_codes import DONE, REFUSED, UNKNOWN

OPENED = "2026-11-20T08:00:00.000Z"


def account_information(**more: Any) -> dict[str, Any]:
    return {
        "platform": "mt4",
        "broker": "True ECN Trading Ltd",
        "currency": "USD",
        "server": "ICMarketsSC-Demo",
        "balance": 7319.9,
        "equity": 7306.649913,
        "margin": 184.1,
        "freeMargin": 7120.22,
        "leverage": 100,
        "marginLevel": 3967.58,
        "tradeAllowed": True,
        "marginMode": "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING",
        "name": "Test account",
        "login": 15194881,
        "credit": 0,
        "type": "ACCOUNT_TRADE_MODE_DEMO",
        **more,
    }


def position(**more: Any) -> dict[str, Any]:
    return {
        "id": "46214692",
        "type": "POSITION_TYPE_BUY",
        "symbol": "EURUSD",
        "magic": 1000,
        "time": OPENED,
        "brokerTime": "2026-11-20 10:00:00.000",
        "updateTime": OPENED,
        "openPrice": 1.10221,
        "currentPrice": 1.10241,
        "currentTickValue": 1,
        "volume": 0.1,
        "swap": -0.5,
        "profit": 2.1,
        "realizedProfit": 0.1,
        "unrealizedProfit": 2.0,
        "commission": -0.25,
        "stopLoss": 1.1,
        "takeProfit": 0,
        "reason": "POSITION_REASON_EXPERT",
        **{name: value for name, value in more.items() if value is not None},
    }


def order(ticket: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": ticket,
        "type": action,
        "state": "ORDER_STATE_PLACED",
        "magic": 0,
        "time": _now(),
        "brokerTime": "2026-11-20 10:00:00.000",
        "symbol": body["symbol"],
        "volume": body["volume"],
        "currentVolume": body["volume"],
        "openPrice": body["openPrice"],
        "clientId": body.get("clientId"),
    }


def history_order(ticket: str, state: str) -> dict[str, Any]:
    return {"id": ticket, "type": "ORDER_TYPE_BUY_LIMIT", "state": state, "time": _now(), "symbol": "EURUSD"}


def deal(ticket: str, kind: str, entry: str, body: dict[str, Any], position_id: str) -> dict[str, Any]:
    return {
        "id": ticket,
        "type": kind,
        "entryType": entry,
        "symbol": body.get("symbol", "EURUSD"),
        "time": _now(),
        "volume": body["volume"],
        "price": 1.10241,
        "profit": 2.0,
        "commission": -0.25,
        "swap": 0,
        "positionId": position_id,
        "orderId": ticket,
        "clientId": body.get("clientId"),
        "platform": "mt4",
    }


def price(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "bid": 1.10239,
        "ask": 1.10243,
        "profitTickValue": 1,
        "lossTickValue": 1,
        "time": _now(),
        "brokerTime": "2026-11-20 10:00:00.000",
    }


def candle(symbol: str, timeframe: str, begins: datetime) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "time": begins.isoformat().replace("+00:00", "Z"),
        "brokerTime": "2026-11-20 10:00:00.000",
        "open": 1.1,
        "high": 1.101,
        "low": 1.099,
        "close": 1.1005,
        "tickVolume": 1435,
        "spread": 17,
        "volume": 0,
    }


def trade_response(code: int, text: str | None, order_id: str, position_id: str) -> dict[str, Any]:
    named = {**DONE, **REFUSED, **UNKNOWN}
    body: dict[str, Any] = {
        "numericCode": code,
        "stringCode": text or named.get(code, "ERR_OF_TOMORROW"),
        "message": ".",
    }
    if code in DONE:
        body |= {"orderId": int(order_id), "positionId": int(position_id)}  # numbers, as the documented example
    return body


def error(name: str, message: str, **more: Any) -> dict[str, Any]:
    return {"id": 1, "error": name, "message": message, **more}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
