"""The past of the portfolio, read from stored facts: equity samples, fills, external positions (DESIGN 9).

Every one of them was stored with the decision that it belongs to, or by the writer beside it, in either store. So the
past is the same after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.model.trading_day import trading_day_of
from services.journal.trades import day_begin
from services.portfolio.course import Course
from services.portfolio.external import External, changed_external
from services.portfolio.mt4_course import mt4_days
from services.portfolio.naming import point_value_of
from services.projections.equity import account_day_before, account_days
from services.projections.trade_fills import TradeFill, fills_between
from services.projections.trades import trades_by_id
from services.stores.store import Store
from wire.portfolio import Absent, ExternalChange, PortfolioFill, PortfolioHistoryAnswer
from wire.types import Env, Instant

MOST_FILLS = 2_000
MOST_CHANGES = 500
DAYS_AT_ONCE = 5
A_DAY = timedelta(days=1)


class Span(Struct, frozen=True):
    """What is asked for: from ``first`` on and before ``last``, of one account or of all."""

    first: Instant
    last: Instant
    account: str | None = None

    def holds(self, at: Instant) -> bool:
        """Return whether an instant lies in it."""
        return self.first <= at < self.last

    def wants(self, account: str | None) -> bool:
        """Return whether something of an account is asked for."""
        return self.account in (None, account)


class OfTrade(Struct, frozen=True):
    """What a fill does not say itself: the market, the contract and the environment of its trade."""

    symbol: str
    contract: str
    env: Env


def history_of(
    store: Store,
    desk: Desk,
    span: Span,
    of_mt4: Sequence[PortfolioFill] = (),
    absent: tuple[Absent, ...] = (),
    rest: Callable[[], None] = lambda: None,
) -> PortfolioHistoryAnswer:
    """Return the past of a span, with the fills of MT4; ``absent`` says why they are not known.

    ``rest`` is called again and again between pieces of the work, so that it need not hold up others.

    Raises StoreDown, StoreUnreadable.
    """
    course = course_of(store, span, desk.rules.day_roll, rest)
    fills = fills_between(store, span.first, span.last, MOST_FILLS)
    trades = _trades_of(store, desk, [trade_id for trade_id, _ in fills])
    rows = [_fill_row(trade_id, fill, trades.get(trade_id), course) for trade_id, fill in reversed(fills)]
    rows = sorted((*rows, *of_mt4), key=lambda row: row.at)
    changed = changed_external(store, MOST_CHANGES, span.first)
    return PortfolioHistoryAnswer(
        first_ts=span.first,
        last_ts=span.last,
        every_s=course.every_seconds,
        points=course.points,
        fills=tuple(row for row in rows if span.wants(row.account)),
        external=tuple(changes_of(changed, span)),
        truncated=len(fills) == MOST_FILLS or len(changed) == MOST_CHANGES,
        missing=tuple(one.source for one in absent),
        missing_because=absent,
    )


def course_of(store: Store, span: Span, roll: str, rest: Callable[[], None] = lambda: None) -> Course:
    """Return the equity samples of a span, some days at a time: a day's record is long. After each piece ``rest``.

    The last day that was sampled before it names the account of the first fills, however long ago it was.
    """
    course = Course(span.account)
    day, last = trading_day_of(span.first, roll), trading_day_of(span.last, roll)
    before = account_day_before(store, day_begin(day, roll))
    if before is not None:
        course.add(before.samples, "desk", span.holds)
    while day <= last:
        through = min(day + (DAYS_AT_ONCE - 1) * A_DAY, last)
        for kept in account_days(store, day.isoformat(), through.isoformat()):
            course.add(kept.samples, "desk", span.holds)
        day = through + A_DAY
        rest()
    for told in mt4_days(store, span.first, span.last):
        course.add(told.samples, "mt4", span.holds)
    return course


def changes_of(positions: Iterable[External], span: Span) -> list[ExternalChange]:
    """Return what was noted and taken out in a span, oldest first."""
    found: list[ExternalChange] = []
    for position in positions:
        if span.wants(position.noted.account):
            found += [change for change in _changes(position) if span.holds(change.at)]
    return sorted(found, key=lambda change: (change.at, change.id))


def _changes(position: External) -> Iterable[ExternalChange]:
    noted = position.noted
    for at, change in ((position.added_at, "added"), (position.removed_at, "removed")):
        if at is not None:
            yield ExternalChange(
                at=at,
                change="added" if change == "added" else "removed",
                id=position.id,
                account=noted.account,
                symbol=noted.symbol,
                contract=noted.contract,
                side=noted.side,
                qty=noted.qty,
                avg_price=noted.avg_price,
                note=noted.note,
            )


# -- fills ----------------------------------------------------------------------------------------------------------


def _trades_of(store: Store, desk: Desk, ids: Sequence[str]) -> Mapping[str, OfTrade]:
    """Return the trades of these ids, closed or open. Ids sort by the time at which a trade began."""
    if not ids:
        return {}
    closed = [one.trade for one in trades_by_id(store, min(ids), max(ids))]
    found = {trade.id: OfTrade(trade.asset, trade.contract, trade.env) for trade in closed}
    for asset in desk.assets.values():
        if asset.trade is not None:
            found[asset.trade.id] = OfTrade(asset.symbol, asset.trade.contract.symbol, asset.trade.env)
    return found


def _fill_row(trade_id: str, told: TradeFill, trade: OfTrade | None, course: Course) -> PortfolioFill:
    fill = told.fill
    worth = None if trade is None else point_value_of(trade.contract, told.at.date())
    sign = 1 if fill.side == "SELL" else -1
    return PortfolioFill(
        at=told.at,
        account=None if trade is None else course.account_at(trade.env, told.at),
        env=None if trade is None else trade.env,
        source="desk",
        symbol=None if trade is None else trade.symbol,
        contract=None if trade is None else trade.contract,
        side=fill.side,
        qty=Decimal(fill.quantity),
        price=fill.price,
        kind=fill.kind,
        trade_id=trade_id,
        order_id=fill.order_id,
        amount_usd=None if worth is None else Decimal(sign * fill.quantity) * fill.price * worth,
        realized_usd=None,
    )
