"""What the kept prices did after each refused entry: target, stop, or neither by the end of the day. All of it is pure.

Nobody knows how an entry would have filled. It is taken at the attempt's price, with the size, the stop and, for a
SCALP, the points target of that moment, without slippage or commission. While it would have been open, further
attempts of its asset are the same wish: they are not judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.commands import AnyCommand, EnterMarket, PlacePreOrder
from services.engine.model.events import EntryBlocked
from services.engine.model.state import Asset, Desk, PreOrder
from services.history.recomputing import Recomputed, command_of
from wire.types import Contract, Env, Instant, Price, Side, SizeMode, TradeMode, Usd
from wire.what_if import WhatIfOutcome, WhyUnjudged


class Terms(Struct, frozen=True):
    """What an entry would have had: mode, contracts, and stop and target as distances in price."""

    mode: TradeMode
    contracts: int
    stop: Price
    target: Price | None


class Path(Struct, frozen=True):
    """A refused entry and its course. ``why`` says why it is not judged, None while it is or may be."""

    row: int
    at: Instant
    env: Env
    event: EntryBlocked
    contract: Contract
    simulated: bool
    terms: Terms | None
    why: WhyUnjudged | None
    outcome: WhatIfOutcome | None = None
    ended_at: Instant | None = None
    points: Decimal | None = None
    prices: int = 0
    last: Price | None = None
    last_at: Instant | None = None

    @property
    def usd(self) -> Usd | None:
        """What it would have made."""
        if self.points is None or self.terms is None:
            return None
        return self.contract.usd(self.points * self.contract.point) * self.terms.contracts

    def hears(self, price: Price, at: Instant) -> Path:
        """Return the path after one more price."""
        if self.why is not None or self.outcome is not None or self.terms is None or self.event.price is None:
            return self
        heard = replace(self, prices=self.prices + 1, last=price, last_at=at)
        won = _signed(self.event.direction, price - self.event.price)
        if won <= -self.terms.stop:
            return heard.ends("stop", -self.terms.stop, at)
        if self.terms.target is not None and won >= self.terms.target:
            return heard.ends("target", self.terms.target, at)
        return heard

    def ends(self, outcome: WhatIfOutcome, won: Price, at: Instant) -> Path:
        """Return the path with its end, ``won`` in price."""
        return replace(self, outcome=outcome, points=self.contract.points(won), ended_at=at)

    def closes(self) -> Path:
        """Return the path at the end of the day, at the last price that was kept."""
        if self.why is not None or self.outcome is not None:
            return self
        if self.last is None or self.last_at is None or self.event.price is None:
            return replace(self, why="no_prices_after")
        return self.ends("day_end", _signed(self.event.direction, self.last - self.event.price), self.last_at)


class RefusedPaths:
    """Follows the refused entries of one trading day, row by row of the journal as it was really decided."""

    def __init__(self, day: str) -> None:
        """``day`` is like ``2026-11-20``."""
        self._day = day
        self._paths: list[Path] = []
        self._open: dict[str, int] = {}

    def watch(self, step: Recomputed) -> None:
        """Take one row: its prices first, then what it refused."""
        for asset, index in list(self._open.items()):
            self._hear(step.desk.assets.get(asset), index)
        if step.desk.day.trading_day.isoformat() != self._day:
            return
        command = command_of(step.row)
        for event in step.events:
            if isinstance(event, EntryBlocked) and event.asset in step.desk.assets:
                self._add(step, command, event)

    def paths(self) -> Iterable[Path]:
        """Return the paths at the end of the day, oldest first."""
        return [path.closes() for path in self._paths]

    def _hear(self, asset: Asset | None, index: int) -> None:
        path = self._paths[index]
        if asset is None or asset.live.last_price is None or asset.live.price_at is None:
            return
        if asset.contract.symbol != path.contract.symbol or asset.live.price_at <= (path.last_at or path.at):
            return  # of another contract, or known already
        heard = path.hears(asset.live.last_price, asset.live.price_at)
        self._paths[index] = heard
        if heard.outcome is not None:
            del self._open[asset.symbol]

    def _add(self, step: Recomputed, command: AnyCommand, event: EntryBlocked) -> None:
        desk, asset = step.desk, step.desk.assets[event.asset]
        terms = _terms(desk, asset, command)
        path = Path(
            row=step.row.sequence,
            at=step.row.at,
            env=desk.env,
            event=event,
            contract=asset.contract,
            simulated=asset.live.is_price_simulated,
            terms=terms,
            why=_why_not(asset, event, terms, is_open=event.asset in self._open),
        )
        self._paths.append(path)
        if path.why is None:
            self._open[event.asset] = len(self._paths) - 1


def _why_not(asset: Asset, event: EntryBlocked, terms: Terms | None, *, is_open: bool) -> WhyUnjudged | None:
    if event.direction is None:
        return "no_direction"
    if event.price is None:
        return "no_price"
    if terms is None:
        return "no_terms"
    if asset.position != 0:
        return "in_position"
    return "repeated" if is_open else None


def _terms(desk: Desk, asset: Asset, command: AnyCommand) -> Terms | None:
    """Return what the attempt asked for: the click itself, or the pre-order that waits."""
    asked: EnterMarket | PlacePreOrder | PreOrder | None = asset.preorder
    if isinstance(command, EnterMarket | PlacePreOrder) and command.asset == asset.symbol:
        asked = command
    if asked is None:
        return None
    mode: TradeMode = asked.trade_mode
    size: SizeMode = asked.size_mode
    rules, point = desk.rules, asset.contract.point
    target = rules.points_tp_target * point if mode == "SCALP" else None
    return Terms(mode, rules.entry_qty(size), rules.stop_points * point, target)


def _signed(side: Side | None, distance: Price) -> Price:
    return -distance if side == "SELL" else distance
