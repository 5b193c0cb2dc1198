"""The meters of a trading firm's rules (SPEC 5.9). Pure."""

from __future__ import annotations

from decimal import Decimal

from services.engine.model.firm import Firm, FirmMark, TrailingDrawdown
from services.engine.model.state import Asset, Desk
from services.engine.model.trading_day import NEW_YORK
from services.engine.rules.beliefs import start_of
from services.engine.rules.contract_caps import as_full
from services.engine.rules.firm_floor import LossLimit, firm_in_force, firm_limits, floor_of, mark_of
from services.engine.rules.firm_limits import (
    allowed_lots,
    flat_after,
    left_of,
    opens_after,
    scaling_profit,
    worst_result,
)
from services.engine.rules.limits import pending_limits
from services.engine.steps.firm import equity_now
from wire.firm import FirmMeter, FirmState
from wire.types import Instant, Usd

ZERO = Decimal(0)
ASK = "unknown: ask the firm"
NO_BALANCE = "no balance of the account is believed yet"


def firm_view(desk: Desk, now: Instant) -> FirmState | None:
    """Return the meters, None while no firm's rules are kept."""
    firm = firm_in_force(desk)
    if firm is None:
        return None
    return FirmState(
        name=firm.title,
        buffer_pct=desk.rules.firm_buffer_pct,
        pending=pending_limits(desk).get("firm"),
        meters=(
            _daily_loss(desk, firm),
            _drawdown(desk, firm),
            _contracts(desk, firm),
            _flat_time(firm, now),
            _consistency(desk, firm),
        ),
    )


def _limit(desk: Desk, of: str) -> LossLimit | None:
    start = start_of(desk)
    return None if start is None else next((one for one in firm_limits(desk, start) if one.of == of), None)


def _daily_loss(desk: Desk, firm: Firm) -> FirmMeter:
    if firm.daily_loss is None:
        says_none = "daily_loss" in firm.unlimited
        detail = "the firm's pages say that there is none" if says_none else ASK
        return FirmMeter(rule="daily_loss", known=says_none, unit="usd", detail=detail)
    limit = _limit(desk, "daily_loss")
    if limit is None:
        return FirmMeter(rule="daily_loss", known=False, unit="usd", limit=firm.daily_loss, detail=NO_BALANCE)
    return FirmMeter(
        rule="daily_loss",
        known=True,
        unit="usd",
        limit=firm.daily_loss,
        used=max(-worst_result(desk), ZERO),
        left=left_of(desk, limit),
        detail=f"the desk ends the day at a loss of {_usd(limit.usd)}",
    )


def _drawdown(desk: Desk, firm: Firm) -> FirmMeter:
    drawdown, floor = firm.drawdown, floor_of(desk, firm)
    if drawdown is None or floor is None:
        return FirmMeter(rule="trailing_drawdown", known=False, unit="usd", detail=ASK)
    limit, equity, mark = _limit(desk, "trailing_drawdown"), equity_now(desk), mark_of(desk)
    known = limit is not None and equity is not None and mark is not None
    return FirmMeter(
        rule="trailing_drawdown",
        known=known,
        unit="usd",
        limit=drawdown.amount,
        used=max(drawdown.amount - (equity - floor), ZERO) if equity is not None and known else None,
        left=left_of(desk, limit) if limit is not None and known else None,
        floor=floor,
        detail=_of_the_floor(firm, drawdown, mark) if known else NO_BALANCE,
    )


def _of_the_floor(firm: Firm, drawdown: TrailingDrawdown, mark: FirmMark | None) -> str:
    begins = firm.start_balance or ZERO
    seen = begins if mark is None else (mark.day_ends if drawdown.follows == "end_of_day" else mark.highest)
    which = "at the end of a day" if drawdown.follows == "end_of_day" else "of all"
    since = "" if mark is None else f", as seen since {mark.since}"
    stops = f"where it stops is {ASK}"
    if drawdown.stops_at is not None:
        stops = f"it stops at {_usd(begins + drawdown.stops_at)}"
    return f"{_usd(drawdown.amount)} below the highest balance {which}, {_usd(max(begins, seen))}{since}; {stops}"


def _contracts(desk: Desk, firm: Firm) -> FirmMeter:
    allowed = allowed_lots(desk, firm)
    if allowed is None:
        return FirmMeter(rule="contracts", known=False, unit="contracts", detail=ASK)
    used = sum((_lots(desk, asset, firm) for asset in desk.assets.values()), ZERO)
    micros = "a micro counts as one" if firm.micros_count_full else "a micro counts as a tenth"
    profit = scaling_profit(desk, firm)
    plan = "" if len(firm.scaling) < 2 else f"; profit {'unknown' if profit is None else _usd(profit)}"
    return FirmMeter(
        rule="contracts",
        known=True,
        unit="contracts",
        limit=allowed,
        used=used,
        left=max(allowed - used, ZERO),
        detail=f"held and on the way; {micros}{plan}",
    )


def _lots(desk: Desk, asset: Asset, firm: Firm) -> Decimal:
    """Return the contracts held and on their way, as the firm counts them."""
    contract = asset.trade.contract if asset.trade else asset.contract
    entry = desk.open_entry(asset.symbol)
    contracts = abs(asset.position) + (0 if entry is None else entry.qty - entry.filled_qty)
    return Decimal(contracts) if firm.micros_count_full else as_full(contract, contracts)


def _flat_time(firm: Firm, now: Instant) -> FirmMeter:
    if firm.flat_by is None:
        return FirmMeter(rule="flat_time", known=False, unit="time", detail=ASK)
    opens = opens_after(firm, now)
    detail = f"flat by {firm.flat_by} New York; the desk exits nothing for it"
    if opens is not None:
        detail = f"flat since {firm.flat_by} New York; entries again from {opens.astimezone(NEW_YORK):%a %H:%M}"
    return FirmMeter(rule="flat_time", known=True, unit="time", at=flat_after(firm, now), detail=detail)


def _consistency(desk: Desk, firm: Firm) -> FirmMeter:
    limit, mark, equity = firm.consistency_pct, mark_of(desk), equity_now(desk)
    if limit is None:
        says_none = "consistency" in firm.unlimited
        detail = "the firm's pages say that there is none" if says_none else ASK
        return FirmMeter(rule="consistency", known=says_none, unit="percent", detail=detail)
    if mark is None or equity is None or firm.start_balance is None:
        return FirmMeter(rule="consistency", known=False, unit="percent", limit=limit, detail=NO_BALANCE)
    best, profit = max(mark.best_day, equity - mark.closed), equity - firm.start_balance
    seen = f"the best day since {mark.since} won {_usd(max(best, ZERO))} of {_usd(profit)}"
    known = profit > 0 and mark.first == firm.start_balance
    return FirmMeter(
        rule="consistency",
        known=known,
        unit="percent",
        limit=limit,
        used=round(max(best, ZERO) / profit * 100, 1) if known else None,
        detail=f"shown only; {seen}" + ("" if mark.first == firm.start_balance else "; earlier days were not seen"),
    )


def _usd(amount: Usd) -> str:
    return f"{amount:,.2f} USD"
