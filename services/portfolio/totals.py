"""Sums over positions: all of them, and by account, environment, correlated group and market. Pure.

A sum is of amounts to the cent, so the sums of the accounts add up to the whole exactly. What is not known makes its
sum null: a part is never shown as the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from services.portfolio.groups import group_of
from wire.portfolio import (
    AccountSums,
    AssetSums,
    EnvSums,
    GroupSums,
    PortfolioPosition,
    PortfolioTotals,
    PositionSource,
)
from wire.types import Env, Instant, Usd

ZERO = Decimal(0)
Name = TypeVar("Name", bound=Hashable)


class AccountTold(Struct, frozen=True):
    """An account of which somebody tells the equity, whether or not it holds anything."""

    account: str | None
    env: Env | None
    source: PositionSource
    equity_usd: Usd | None = None
    equity_at: Instant | None = None


def totals_of(
    positions: Sequence[PortfolioPosition], accounts: Sequence[AccountTold], realized: Mapping[Env, Usd]
) -> PortfolioTotals:
    """Return the sums. ``realized`` is what the journal has of this trading day, by environment."""
    counted = [position for position in positions if position.uncounted is None]
    return PortfolioTotals(
        **sums_of(counted),
        realized_today_usd=sum(realized.values(), ZERO),
        accounts=tuple(_accounts(counted, accounts, realized)),
        envs=tuple(EnvSums(env=env, **sums_of(own)) for env, own in _by(counted, lambda one: one.env)),
        groups=tuple(
            GroupSums(group=group, symbols=tuple(sorted({one.symbol for one in own})), **sums_of(own))
            for group, own in _by(counted, lambda one: one.group)
        ),
        assets=tuple(
            AssetSums(symbol=symbol, group=group_of(symbol), **sums_of(own))
            for symbol, own in _by(counted, lambda one: one.symbol)
        ),
    )


def sums_of(positions: Sequence[PortfolioPosition]) -> dict[str, Any]:
    """Return the fields of the sums of some positions."""
    net = [_signed(one) for one in positions]
    return {
        "positions": len(positions),
        "value_usd": _sum(one.value_usd for one in positions),
        "net_usd": _sum(net),
        "open_pnl_usd": _sum(one.open_pnl_usd for one in positions),
        "risk_usd": _sum(one.risk_usd for one in positions),
        "unpriced": sum(one.value_usd is None or one.open_pnl_usd is None for one in positions),
        "unknown_risk": sum(one.risk_usd is None for one in positions),
    }


def _accounts(
    counted: Sequence[PortfolioPosition], told: Sequence[AccountTold], realized: Mapping[Env, Usd]
) -> Iterable[AccountSums]:
    """Yield the accounts: those that tell their equity first, then others in the order of their positions."""
    held = dict(_by(counted, lambda one: (one.account, one.env)))
    known: dict[tuple[str | None, Env | None], list[AccountTold]] = {}
    for one in told:
        known.setdefault((one.account, one.env), []).append(one)
    of_the_desk = {(one.account, one.env) for one in told if one.source == "desk"}
    booked = {env for _, env in of_the_desk}
    others: dict[tuple[str | None, Env | None], None] = {(None, env): None for env in realized if env not in booked}
    for account, env in {**known, **held, **others}:
        own = held.get((account, env), [])
        tellers = known.get((account, env), [])
        teller = tellers[0] if len(tellers) == 1 else None  # two of one name: nobody knows whose equity is meant
        sources = {one.source for one in own} | {one.source for one in tellers}
        yield AccountSums(
            account=account,
            env=env,
            sources=tuple(sorted(sources)),
            equity_usd=teller.equity_usd if teller else None,
            equity_ts=teller.equity_at if teller else None,
            realized_today_usd=_realized_of(account, env, of_the_desk, realized),
            **sums_of(own),
        )


def _realized_of(
    account: str | None,
    env: Env | None,
    of_the_desk: set[tuple[str | None, Env | None]],
    realized: Mapping[Env, Usd],
) -> Usd | None:
    """Return what the journal has of an account's day, None for an account of which the desk keeps no journal.

    What the desk traded today in the environment that it has left since is in an account without a name.
    """
    if env is None:
        return None
    if (account, env) in of_the_desk:
        return realized.get(env, ZERO)
    is_booked = env in {known for _, known in of_the_desk}
    return realized[env] if account is None and env in realized and not is_booked else None


def _signed(position: PortfolioPosition) -> Usd | None:
    if position.value_usd is None:
        return None
    return position.value_usd if position.side == "long" else -position.value_usd


def _sum(amounts: Iterable[Usd | None]) -> Usd | None:
    whole = ZERO
    for amount in amounts:
        if amount is None:
            return None
        whole += amount
    return whole


def _by(
    positions: Sequence[PortfolioPosition], name_of: Callable[[PortfolioPosition], Name]
) -> list[tuple[Name, list[PortfolioPosition]]]:
    """Return the positions by a name, in the order in which the names come first."""
    found: dict[Name, list[PortfolioPosition]] = defaultdict(list)
    for position in positions:
        found[name_of(position)].append(position)
    return list(found.items())
