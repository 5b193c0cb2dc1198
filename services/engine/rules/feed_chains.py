"""Whether the bricks of a message continue the chains that the desk knows (SPEC 3). All functions are pure.

The next brick of a chain begins at an end of the last one; whatever does not shows that something is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from msgspec.structs import replace

from services.engine.model.bar_commands import CloseBar
from services.engine.model.feed import Chain, ToldBrick, ToldLast
from services.engine.model.state import Asset
from wire.tradingview import STREAM_POINTS
from wire.types import Color, Contract, Price, Stream

MOST_HOLES = 50

Finding = Literal["continued", "first", "gapped", "untold"]
"""What a message says of a size.

``continued``: its chain goes on where it stood. ``first``: the desk knew nothing of it. ``gapped``: it stands
elsewhere, or the sender does not know it any more. ``untold``: the message says nothing of it.
"""


class SizeTold:
    """What one message says of one size: its new bricks in their order, and its last one."""

    __slots__ = ("bricks", "last", "stream")

    def __init__(self, stream: Stream, bar: CloseBar) -> None:
        self.stream = stream
        self.bricks: Sequence[ToldBrick] = [brick for brick in bar.bricks if brick.stream is stream]
        self.last: ToldLast | None = next((last for last in bar.last if last.stream is stream), None)

    @property
    def newest(self) -> ToldBrick | ToldLast | None:
        """The brick at which the size stands behind the message; None when it is not told."""
        return self.last or (self.bricks[-1] if self.bricks else None)


def chain_of(asset: Asset, stream: Stream) -> Chain | None:
    """Return the chain of a size, None while it is unknown: never told, or counted in other units than today."""
    chain = asset.live.feed.one if stream is Stream.ONE else asset.feed.chain(stream)
    return chain if chain is not None and chain.hi - chain.lo == width_of(asset.contract, stream) else None


def width_of(contract: Contract, stream: Stream) -> int:
    """Return the width of a size's bricks in ticks."""
    return round(STREAM_POINTS[stream] * contract.point / contract.tick_size)


def in_ticks(contract: Contract, price: Price) -> int:
    return round(price / contract.tick_size)


def chain_at(contract: Contract, brick: ToldBrick | ToldLast, bar: CloseBar) -> Chain:
    """Return the chain that stands at a told brick."""
    lo, hi = in_ticks(contract, brick.lo), in_ticks(contract, brick.hi)
    return Chain(brick.stream, brick.color, lo, hi, bar.started_at)


def finding_of(asset: Asset, told: SizeTold, tells_last: bool) -> Finding:
    """Return what a message says of one size; ``tells_last``: it names the last brick of each size that has one."""
    chain, contract, newest = chain_of(asset, told.stream), asset.contract, told.newest
    if newest is None:
        return "gapped" if tells_last and chain is not None else "untold"
    if chain is None:
        return "first"
    if told.bricks and not _were_applied(asset, told):
        return "continued" if _continues(chain, told.bricks[0], contract) else "gapped"
    stands_there = chain.stands_at(newest.color, in_ticks(contract, newest.lo), in_ticks(contract, newest.hi))
    return "continued" if stands_there else "gapped"


def _were_applied(asset: Asset, told: SizeTold) -> bool:
    """Return whether the bricks of this very bar were applied last: a message may be sent again after a failure."""
    newest = asset.stream(told.stream).bar
    return newest is not None and newest.name == told.bricks[-1].bar_id.rpartition("|")[0]


def _continues(chain: Chain, brick: ToldBrick, contract: Contract) -> bool:
    return chain.continues(brick.color, in_ticks(contract, brick.lo), in_ticks(contract, brick.hi))


def told_unit(bar: CloseBar) -> Price | None:
    """Return the price of one unit by the bricks of a message, None for a message without bricks."""
    bricks: Sequence[ToldBrick | ToldLast] = bar.bricks or bar.last
    return (bricks[0].hi - bricks[0].lo) / STREAM_POINTS[bricks[0].stream] if bricks else None


# -- alerts of single sizes, which tell their close only ------------------------------------------------------------


def single_chain(contract: Contract, stream: Stream, color: Color, close: Price) -> Chain:
    """Return the chain that stands at a brick of which only colour and close were told."""
    width, end = width_of(contract, stream), in_ticks(contract, close)
    return Chain(stream, color, end - width, end) if color == "green" else Chain(stream, color, end, end + width)


def holes_between(known: Chain, brick: Chain) -> tuple[int, ...]:
    """Return the closes that must lie between a chain and a later brick of its size if it only ran one way.

    Empty when the brick continues the chain, or when no such run leads there.
    """
    width = known.hi - known.lo
    first = known.hi + width if brick.color == "green" else known.lo - width
    step = width if brick.color == "green" else -width
    missing = (brick.close - first) // step if step else 0
    is_on_the_way = (brick.close - first) % width == 0 and 0 < missing <= MOST_HOLES
    return tuple(range(first, brick.close, step)) if is_on_the_way else ()


def with_hole_filled(chain: Chain, close: int) -> Chain:
    return replace(chain, holes=tuple([hole for hole in chain.holes if hole != close]))


def is_beyond(chain: Chain, contract: Contract, price: Price) -> bool:
    """Return whether a price should have closed the next brick of a chain."""
    width, at = Decimal(chain.hi - chain.lo), price / contract.tick_size
    return at >= chain.hi + width or at <= chain.lo - width
