"""The whole portfolio: the desk's positions, external ones, and those of MT4, with their sums."""

from __future__ import annotations

from services.engine.model.state import Desk
from services.portfolio.external import held_external
from services.portfolio.mt4 import Mt4Book
from services.portfolio.positions import external_position, positions_of
from services.portfolio.realized import realized_on
from services.portfolio.totals import AccountTold, totals_of
from services.projections.equity import account_of
from services.stores.store import Store
from wire.portfolio import Absent, PortfolioAnswer
from wire.types import Instant

NO_MT4 = Mt4Book()


def portfolio_of(
    store: Store, desk: Desk, now: Instant, book: Mt4Book = NO_MT4, absent: tuple[Absent, ...] = ()
) -> PortfolioAnswer:
    """Return what is held as of ``now``; ``absent`` says whose positions are unknown.

    Raises StoreDown, StoreUnreadable.
    """
    own = AccountTold(account_of(desk), desk.env, "desk", desk.live.equity, desk.live.snapshot_at)
    external = (external_position(desk, held) for held in held_external(store))
    positions = (*positions_of(desk), *external, *book.positions)
    accounts = [own] if book.account is None else [own, book.account]
    realized = realized_on(store, desk.day.trading_day, desk.rules.day_roll)
    return PortfolioAnswer(
        as_of=now,
        positions=positions,
        totals=totals_of(positions, accounts, realized),
        missing=tuple(one.source for one in absent),
        missing_because=absent,
    )
