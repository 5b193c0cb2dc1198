"""Whether a configuration may be: its numbers, its symbols, and whether it may say ``paper_trading: false``. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from advisor.auto.policy import frozen_by
from services.market.instruments import INSTRUMENTS, resolve_asset
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from wire.auto_trade import AutoTradeBody, AutoTradeConfig
from wire.state import LiveDocument

MOST_RISK = Decimal("0.02")
MOST_TRADES = 20
MOST_SYMBOLS = 50


def checked(body: AutoTradeBody) -> AutoTradeConfig:
    """Return what a body names, its symbols as the desk spells them. Raises `ServiceRefused` (400)."""
    config = AutoTradeConfig(
        enabled=body.enabled,
        symbols=body.symbols,
        max_risk_per_trade=Decimal(repr(body.max_risk_per_trade)),
        max_daily_trades=body.max_daily_trades,
        min_confidence=Decimal(repr(body.min_confidence)),
        paper_trading=body.paper_trading,
        require_confirmation=body.require_confirmation,
    )
    if not 0 < config.max_risk_per_trade <= MOST_RISK:
        raise _wrong("max_risk_per_trade", f"must be above 0 and at most {MOST_RISK}")
    if not 1 <= config.max_daily_trades <= MOST_TRADES:
        raise _wrong("max_daily_trades", f"must be from 1 to {MOST_TRADES}")
    if not 0 <= config.min_confidence <= 1:
        raise _wrong("min_confidence", "must be from 0 to 1")
    if not config.paper_trading and not config.require_confirmation:
        raise _wrong("require_confirmation", "must be true where paper_trading is false: in LIVE no machine clicks")
    if len(config.symbols) > MOST_SYMBOLS:
        raise _wrong("symbols", f"may have {MOST_SYMBOLS} names")
    if config.enabled and not config.symbols:
        raise _wrong("symbols", "names no symbol")
    return replace(config, symbols=tuple(dict.fromkeys(_symbol(name) for name in config.symbols)))


def on_the_desk(config: AutoTradeConfig, desk: LiveDocument) -> None:
    """Check a configuration against the desk of this moment. Raises `ServiceRefused`: 400, 409, 503."""
    for symbol in config.symbols:
        if symbol not in desk.assets:
            raise _wrong("symbols", f"{symbol} is not on the desk: there are {', '.join(desk.assets)}")
    if frozen_by(desk) is not None:
        raise ServiceRefused("web_away", "the desk takes no decision now, so nobody knows its env", RETRY_SECONDS)
    if not config.paper_trading and desk.desk.env != "LIVE":
        raise ServiceRefused("not_live", f"paper_trading: may be false in LIVE alone, and the desk is {desk.desk.env}")


def _symbol(name: str) -> str:
    found = resolve_asset(name.strip(), INSTRUMENTS)
    if found is None:
        raise _wrong("symbols", f"{name.strip()[:40]!r} is no symbol: there are {', '.join(INSTRUMENTS)}")
    return found


def _wrong(field: str, needs: str) -> ServiceRefused:
    return ServiceRefused("invalid_body", f"{field}: {needs}")
