"""What a trade at MetaApi came to, by its result code (pure).

Source: MetaApi's documented model of a trade response
(https://metaapi.cloud/docs/client/models/metatraderTradeResponse/) and the trade codes of MQL4 and MQL5 that it passes
on. It names the success codes; all others are errors there. Some of those errors leave open what the broker did:
traders report "trade timed out" of trades that were executed. They are unknown here, and so is every code that is not
listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Outcome = Literal["done", "refused", "unknown"]

DONE: Mapping[int, str] = MappingProxyType(
    {
        0: "ERR_NO_ERROR",
        10008: "TRADE_RETCODE_PLACED",
        10009: "TRADE_RETCODE_DONE",
        10010: "TRADE_RETCODE_DONE_PARTIAL",
        10025: "TRADE_RETCODE_NO_CHANGES",
    }
)
UNKNOWN: Mapping[int, str] = MappingProxyType(
    {
        -1: "TRADE_RETCODE_UNKNOWN",
        -7: "ERR_TRADE_TIMED_OUT",
        -11: "TRADE_RETCODE_DISCONNECTED_DURING_TRADE",
        1: "ERR_NO_RESULT",
        128: "ERR_TRADE_TIMEOUT",
        10011: "TRADE_RETCODE_ERROR",
        10012: "TRADE_RETCODE_TIMEOUT",
        10031: "TRADE_RETCODE_CONNECTION",
    }
)
REFUSED: Mapping[int, str] = MappingProxyType(
    {
        -4: "TRADE_RETCODE_ORDER_TYPE_NOT_SUPPORTED",
        -5: "ERR_NOT_SYNCHRONIZED",
        -6: "ERR_NO_QUOTES",
        -8: "ERR_INVESTOR",
        -9: "ERR_PIP_SIZE_NOT_DEFINED",
        -10: "TRADE_RETCODE_DISCONNECTED_BEFORE_TRADE",
        2: "ERR_COMMON_ERROR",
        3: "ERR_INVALID_TRADE_PARAMETERS",
        4: "ERR_SERVER_BUSY",
        5: "ERR_OLD_VERSION",
        6: "ERR_NO_CONNECTION",
        7: "ERR_NOT_ENOUGH_RIGHTS",
        8: "ERR_TOO_FREQUENT_REQUESTS",
        9: "ERR_MALFUNCTIONAL_TRADE",
        64: "ERR_ACCOUNT_DISABLED",
        65: "ERR_INVALID_ACCOUNT",
        129: "ERR_INVALID_PRICE",
        130: "ERR_INVALID_STOPS",
        131: "ERR_INVALID_TRADE_VOLUME",
        132: "ERR_MARKET_CLOSED",
        133: "ERR_TRADE_DISABLED",
        134: "ERR_NOT_ENOUGH_MONEY",
        135: "ERR_PRICE_CHANGED",
        136: "ERR_OFF_QUOTES",
        137: "ERR_BROKER_BUSY",
        138: "ERR_REQUOTE",
        139: "ERR_ORDER_LOCKED",
        140: "ERR_LONG_POSITIONS_ONLY_ALLOWED",
        141: "ERR_TOO_MANY_REQUESTS",
        145: "ERR_TRADE_MODIFY_DENIED",
        146: "ERR_TRADE_CONTEXT_BUSY",
        147: "ERR_TRADE_EXPIRATION_DENIED",
        148: "ERR_TRADE_TOO_MANY_ORDERS",
        149: "ERR_TRADE_HEDGE_PROHIBITED",
        150: "ERR_TRADE_PROHIBITED_BY_FIFO",
        4108: "ERR_INVALID_TICKET",
        4753: "ERR_TRADE_POSITION_NOT_FOUND",
        4754: "ERR_TRADE_ORDER_NOT_FOUND",
        10004: "TRADE_RETCODE_REQUOTE",
        10006: "TRADE_RETCODE_REJECT",
        10007: "TRADE_RETCODE_CANCEL",
        10013: "TRADE_RETCODE_INVALID",
        10014: "TRADE_RETCODE_INVALID_VOLUME",
        10015: "TRADE_RETCODE_INVALID_PRICE",
        10016: "TRADE_RETCODE_INVALID_STOPS",
        10017: "TRADE_RETCODE_TRADE_DISABLED",
        10018: "TRADE_RETCODE_MARKET_CLOSED",
        10019: "TRADE_RETCODE_NO_MONEY",
        10020: "TRADE_RETCODE_PRICE_CHANGED",
        10021: "TRADE_RETCODE_PRICE_OFF",
        10022: "TRADE_RETCODE_INVALID_EXPIRATION",
        10023: "TRADE_RETCODE_ORDER_CHANGED",
        10024: "TRADE_RETCODE_TOO_MANY_REQUESTS",
        10026: "TRADE_RETCODE_SERVER_DISABLES_AT",
        10027: "TRADE_RETCODE_CLIENT_DISABLES_AT",
        10028: "TRADE_RETCODE_LOCKED",
        10029: "TRADE_RETCODE_FROZEN",
        10030: "TRADE_RETCODE_INVALID_FILL",
        10032: "TRADE_RETCODE_ONLY_REAL",
        10033: "TRADE_RETCODE_LIMIT_ORDERS",
        10034: "TRADE_RETCODE_LIMIT_VOLUME",
        10035: "TRADE_RETCODE_INVALID_ORDER",
        10036: "TRADE_RETCODE_POSITION_CLOSED",
        10038: "TRADE_RETCODE_INVALID_CLOSE_VOLUME",
        10039: "TRADE_RETCODE_CLOSE_ORDER_EXIST",
        10040: "TRADE_RETCODE_LIMIT_POSITIONS",
    }
)


def outcome_of(number: int, text: str) -> Outcome:
    """Return what a trade came to. Where number and text contradict each other nobody knows."""
    if DONE.get(number) == text:
        return "done"
    says_done = number in DONE or text in DONE.values()
    if says_done or number not in REFUSED or text in UNKNOWN.values():
        return "unknown"
    return "refused"
