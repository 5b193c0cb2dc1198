"""How the data service (8001), the ML engine (8002) and the agent (8003) say that something went wrong.

Contract: docs/reference/contracts/platform-services.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType

from wire.types import AwareTime, says

ServiceFault = Literal[
    "invalid_parameter",
    "invalid_body",
    "missing_api_key",
    "invalid_api_key",
    "token_refused",
    "missing_scope",
    "foreign_page",
    "unknown_symbol",
    "unknown_job",
    "unknown_model",
    "unknown_account",
    "unknown_position",
    "unknown_order",
    "unknown_decision",
    "not_found",
    "method_not_allowed",
    "sync_running",
    "not_connected",
    "real_account",
    "trade_refused",
    "not_live",
    "already_decided",
    "expired",
    "blocked",
    "proposal_refused",
    "body_too_large",
    "rate_limit_exceeded",
    "internal_error",
    "no_price",
    "no_provider",
    "sync_failed",
    "busy",
    "keys_unknown",
    "not_available",
    "not_trained",
    "no_bars",
    "stale",
    "provider_away",
    "web_away",
    "mt4_away",
    "unknown_outcome",
]


class ServiceProblem(Struct, frozen=True, kw_only=True):
    """Every error. `error` is a code for programs, `detail` one sentence for people."""

    error: ServiceFault
    detail: str
    timestamp: AwareTime
    job_id: Annotated[str | UnsetType, says("of sync_running: the sync that runs")] = UNSET
    reason: Annotated[str | UnsetType, says("of trade_refused and unknown_outcome: the code of who refused")] = UNSET
