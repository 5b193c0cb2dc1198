"""The rows of ``GET :8082/api/journal``: closed trades of web's journal, and open ones of its state."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import asdict

from feeds.desk import DeskPicture
from feeds.levels import away_from, price_of, target_of
from wire.journal import JournalTradeRow
from wire.local_feeds import TradeSetup
from wire.types import Price

SIX_PLACES = Decimal("0.000001")
NOT_IN_SHEETS = ("gates",)
SHEET_COLUMNS = tuple(name for name in TradeSetup.__struct_fields__ if name not in NOT_IN_SHEETS)
STARTS_A_FORMULA = ("=", "+", "-", "@")
STARTS_A_CELL = ("\t", "\r", "\n")
BLANKS = re.compile("^[\\s\u200b-\u200f\u2060\ufeff]*")  # some spreadsheets skip them, those of no width too


def closed_setup(trade: JournalTradeRow) -> TradeSetup:
    """Return the row of a closed trade."""
    return TradeSetup(
        symbol=trade.asset,
        entry=trade.entry_price,
        target=_level(trade, trade.target_points),
        stop_loss=_level(trade, None if trade.stop_points is None else -trade.stop_points),
        side=trade.side,
        qty=trade.size,
        opened_at=trade.entry_ts,
        closed_at=trade.exit_ts,
        exit=trade.exit_price,
        exit_reason=trade.reason,
        pnl=trade.pnl_usd if trade.pnl_net_usd is None else trade.pnl_net_usd,
        pnl_points=trade.pnl_points,
        r_multiple=None if trade.r is None else _short(trade.r),
        mae=trade.mae_points,
        mfe=trade.mfe_points,
        env=trade.env,
        mode=trade.mode,
        zone=trade.zone,
        contract=trade.contract,
        gates=trade.gates_at_entry,
        override=trade.override,
        estimated=trade.estimated,
        tags=trade.tags,
        note=trade.note,
        trading_day=trade.trading_day.isoformat(),
        id=trade.id,
    )


def _short(average: Decimal) -> Decimal:
    """Round an average to six places."""
    rounded = average.quantize(SIX_PLACES)
    return average if average == rounded else rounded


def _level(trade: JournalTradeRow, points: Decimal | None) -> Price | None:
    return away_from(trade.entry_price, trade.side, points, trade.point_size)


def open_setups(desk: DeskPicture) -> list[TradeSetup]:
    """Return the rows of the trades that are open now, the newest first."""
    day = desk.trading_day
    env = desk.settings.get("env")
    rows = []
    for symbol in desk.assets():
        asset = desk.asset(symbol) or {}
        if asset.get("trade") is not None and day is not None and env is not None:
            rows.append(_open_setup(symbol, asset, env, day))
    return sorted(rows, key=lambda row: row.opened_at, reverse=True)


def _open_setup(symbol: str, asset: dict[str, Any], env: Any, day: date) -> TradeSetup:
    trade = asset["trade"]
    return TradeSetup(
        symbol=symbol,
        entry=Decimal(str(trade["entry_price"])),
        target=target_of(asset),
        stop_loss=price_of(trade.get("stop_price")),
        side=trade["side"],
        qty=trade["quantity"],
        opened_at=datetime.fromisoformat(trade["opened_at"]),
        closed_at=None,
        exit=None,
        exit_reason=None,
        pnl=price_of(asset.get("pnl")),
        pnl_points=price_of(trade.get("open_points")),
        r_multiple=None,
        mae=price_of(trade.get("mae_points")),
        mfe=price_of(trade.get("mfe_points")),
        env=env,
        mode=trade["mode"],
        zone=trade["zone"],
        contract=trade["contract"],
        gates=None,
        override=trade.get("override") is True,
        estimated=None,
        tags=(),
        note="",
        trading_day=day.isoformat(),
        id=trade["id"],
    )


def is_complete(row: TradeSetup) -> bool:
    """Return whether entry, target and stop are all known, as a program needs that reads none of them as null."""
    return row.target is not None and row.stop_loss is not None


def sheet_of(rows: Iterable[TradeSetup]) -> str:
    """Return the rows as CSV. A text that a spreadsheet would take for a formula gets an apostrophe."""
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow(SHEET_COLUMNS)
    for row in rows:
        told = asdict(row) | {"tags": " ".join(row.tags)}
        sheet.writerow([_cell(told[name]) for name in SHEET_COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"'{value}" if isinstance(value, str) and _looks_like_a_formula(value) else str(value)


def _looks_like_a_formula(text: str) -> bool:
    """Return whether a spreadsheet may calculate a text: behind blanks, and with signs of full width, too."""
    first = BLANKS.sub("", text, count=1)[:1]
    return text.startswith(STARTS_A_CELL) or unicodedata.normalize("NFKC", first).startswith(STARTS_A_FORMULA)
