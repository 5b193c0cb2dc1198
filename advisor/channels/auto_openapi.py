"""The calls of auto-trade in the agent's document."""

from __future__ import annotations

from types import MappingProxyType

from sidecar.openapi import KEYED, SYMBOL, Call
from wire.auto_trade import AutoStatus, AutoTradeBody, ConfiguredAnswer, DecisionRow, DecisionsAnswer

BASE = "/api/v1/auto-trade"
AUTO_CALLS = (
    Call(
        method="post",
        path=f"{BASE}/config",
        name="configure_auto_trade",
        says="Configure auto-trade: every field must be there",
        answers=MappingProxyType({200: ConfiguredAnswer}),
        errors=(
            *KEYED,
            "invalid_parameter",
            "invalid_body",
            "body_too_large",
            "not_live",
            "already_decided",
            "web_away",
            "not_available",
        ),
        body=AutoTradeBody,
        is_keyed=True,
    ),
    Call(
        method="get",
        path=f"{BASE}/status",
        name="auto_trade_status",
        says="How auto-trade is, and what its shadow trades became beside two baselines",
        answers=MappingProxyType({200: AutoStatus}),
        errors=(*KEYED, "invalid_parameter", "not_available"),
        is_keyed=True,
    ),
    Call(
        method="get",
        path=f"{BASE}/decisions",
        name="auto_trade_decisions",
        says="Every decision, newest first, HOLD and blocked ones too",
        answers=MappingProxyType({200: DecisionsAnswer}),
        errors=(*KEYED, "invalid_parameter", "unknown_symbol", "not_available"),
        query=(
            ("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, False),
            ("symbol", SYMBOL, False),
        ),
        is_keyed=True,
    ),
    *(
        Call(
            method="post",
            path=f"{BASE}/decisions/{{decision}}/{word}",
            name=f"{word}_decision",
            says=says,
            answers=MappingProxyType({200: DecisionRow}),
            errors=(
                *KEYED,
                "invalid_parameter",
                "unknown_decision",
                "already_decided",
                "expired",
                *more,
                "not_available",
            ),
            is_keyed=True,
        )
        for word, says, more in (
            (
                "confirm",
                "Say yes to a decision that waits: a shadow trade, in LIVE a proposal at the desk",
                ("blocked", "proposal_refused", "no_price", "web_away"),
            ),
            ("reject", "Say no to a decision that waits", ()),
        )
    ),
)
