"""The question that the gates answer, and the form of their answers (SPEC 4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from services.engine.model.state import Asset
from services.engine.model.wording import Explanation, facts_of
from services.engine.rules.feed_words import FEED_TITLES
from wire.types import Instant, Side


class EntryRequest(Struct, frozen=True):
    """The entry that the gates check: an attempt, or the page's question whether one is possible.

    Only an attempt must name its direction in a FREE zone. ``quantity`` are the contracts that it asks for, None for
    the usual number. ``is_scale_in`` when it would add to the asset's trade.
    """

    asset: Asset
    direction: Side | None = None
    override: bool = False
    is_attempt: bool = False
    override_reason: str | None = None
    proposal: str | None = None
    quantity: int | None = None
    is_scale_in: bool = False


class Verdict(Struct, frozen=True):
    """A gate's answer: open, or closed with the reason. ``reopens_at`` is set when time alone opens the gate."""

    why: Explanation | None = None
    reopens_at: Instant | None = None

    @property
    def is_open(self) -> bool:
        return self.why is None


OPEN = Verdict()


TITLES: Mapping[str, str] = MappingProxyType(  # one title per code of a closed gate; a format of its facts
    {
        "daily_stop": "DAILY STOP ACTIVE",
        "trade_limit": "TRADE LIMIT REACHED",
        "cooldown": "POST-EXIT COOLDOWN ACTIVE",
        "candle_lock": "{lock} ACTIVE",
        "order_open": "ORDER OPEN",
        "position_open": "POSITION OPEN",
        "tradingview_silent": "TRADINGVIEW SILENT",
        "no_tempo_token": "NO TEMPO TOKEN",
        "tempo_token_spent": "TEMPO TOKEN SPENT",
        "no_zone": "NO ZONE",
        "against_structure": "AGAINST STRUCTURE",
        "direction_required": "FREE ZONE",
        "two_half_filter": "2.5PT FILTER",
        "position_mismatch": "POSITION MISMATCH",
        "fate_unknown": "ORDER OF UNKNOWN FATE",
        "foreign_position": "FOREIGN POSITION",
        "position_doubtful": "POSITION NOT CONFIRMED",
        "firm_limit": "FIRM'S LIMIT REACHED",
        "firm_flat_time": "FIRM'S FLAT TIME",
        "daily_stop_awaited": "SECOND READING AWAITED",
        "balance_suspect": "BALANCE SUSPECT",
        "other_account": "OTHER ACCOUNT",
        "store_doubtful": "STORE NOT CONFIRMED",
        "balance_unknown": "BALANCE UNKNOWN",
        "risk_unknown": "RISK UNKNOWN",
        "order_risk": "TOO LARGE FOR ONE ORDER",
        "day_risk": "TOO LARGE FOR WHAT IS LEFT",
        "contract_cap": "TOO MANY CONTRACTS",
        "bridge_silent": "BRIDGE SILENT",
        "bridge_offline": "BRIDGE OFFLINE",
        "bridge_without_live": "BRIDGE WITHOUT LIVE",
        "kill_switch": "KILL SWITCH ON",
        "stop_missing": "NO STOP RESTS",
        "contract_expired": "CONTRACT EXPIRED",
        "contract_ends": "CONTRACT'S LAST SESSION",
        "session_unknown": "SESSION UNKNOWN",
        "session_closed": "MARKET CLOSED",
        "lockout": "LOCKED OUT",
        "flat_time": "FLAT TIME",
        "outside_hours": "OUTSIDE YOUR HOURS",
        "after_open": "AFTER THE OPEN",
        "before_close": "BEFORE THE CLOSE",
        "news": "NEWS",
        "news_unknown": "NEWS FILE UNREADABLE",
        "loss_streak": "LOSING STREAK",
        "cooldown_after_loss": "COOLDOWN AFTER A LOSS",
        "weekly_loss": "WEEKLY LOSS REACHED",
        "weekly_trades": "WEEKLY TRADES USED UP",
        "give_back": "PROFIT GIVEN BACK",
        "profit_lock": "PROFIT LOCKED",
        **FEED_TITLES,
    }
)


def closed(code: str, detail: str, reopens_at: Instant | None = None, **facts: object) -> Verdict:
    """Return a closed verdict. ``code`` selects the title; ``facts`` hold the values that ``detail`` names."""
    return Verdict(Explanation(code, TITLES[code].format_map(facts), detail, facts_of(facts)), reopens_at)
