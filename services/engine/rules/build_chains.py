"""Build the bricks of all sizes from prices, on the absolute grid (docs/explanation/bricks.md). All functions are pure.

The method is that of ``services/market/renko.py``, which imports build with many prices at once; tests prove that both
make the same bricks. Prices are whole ticks. A chain that has not closed a brick yet is neutral and stands between the
grid's prices around the first price.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.feed import Chain
from services.engine.model.state import Asset
from wire.tradingview import STREAMS
from wire.types import Color, Contract, Price, Stream

TO_SETTLE_A_NEW_CHAIN = 2
TO_SETTLE_AFTER_A_GAP = 3
MOST_OF_A_PRICE = 2_000  # bricks of one size that one price may close; a larger jump begins the chains anew

Chains = tuple[Chain, ...]  # of all sizes, the small ones first


class Formed(Struct, frozen=True):
    """A brick that has just closed by the price at ``place``. ``k`` is its number among those of its size there."""

    place: int
    stream: Stream
    color: Color
    lo: int
    hi: int
    k: int

    @property
    def close(self) -> int:
        """The price in ticks at which it closed."""
        return self.hi if self.color == "green" else self.lo


class Built(Struct, frozen=True):
    """The chains behind the prices, and the bricks that these closed: by price, then by size, the oldest first."""

    chains: Chains
    formed: tuple[Formed, ...] = ()


def chains_of(asset: Asset) -> Chains | None:
    """Return the asset's own chains, None when there are none of today's unit: begin anew then."""
    kept = {chain.stream: chain for chain in asset.feed.chains}
    if asset.live.feed.one is not None:
        kept[Stream.ONE] = asset.live.feed.one
    chains = tuple([kept[row.stream] for row in STREAMS if row.stream in kept])
    if len(chains) < len(STREAMS):
        return None
    are_ours = all(_is_on_grid(*pair) for pair in zip(chains, widths_of(asset.contract), strict=True))
    return chains if are_ours else None


def widths_of(contract: Contract) -> tuple[int, ...]:
    """Return the widths of all sizes in ticks, the small ones first."""
    return _widths(contract.tick_size, contract.point)


@lru_cache(maxsize=64)
def _widths(tick_size: Price, unit: Price) -> tuple[int, ...]:
    return tuple([round(row.points * unit / tick_size) for row in STREAMS])


def _is_on_grid(chain: Chain, width: int) -> bool:
    may_be_empty = chain.color == "neutral" and chain.lo == chain.hi
    return chain.lo % width == 0 and (may_be_empty or chain.hi - chain.lo == width)


def begun_at(contract: Contract, price: int) -> Chains:
    """Return new chains of all sizes, between the grid's prices around their first price."""
    chains = []
    for row, width in zip(STREAMS, widths_of(contract), strict=True):
        lo, hi = price // width * width, -(-price // width) * width
        chains.append(Chain(row.stream, "neutral", lo, hi, to_settle=TO_SETTLE_A_NEW_CHAIN))
    return tuple(chains)


def built(contract: Contract, chains: Chains | None, prices: Sequence[int], *, after_gap: bool = False) -> Built:
    """Feed prices, oldest first, to the chains; None begins new ones. Most prices close no brick.

    ``after_gap``: prices before the first of these may have been missed, so nothing that it closes proves a chain.
    """
    if not prices:
        return Built(tuple([unsettled(chain) for chain in chains or ()]) if after_gap else chains or ())
    if chains is None or _is_too_far(contract, chains, prices):
        chains, after_gap = begun_at(contract, prices[-1] if chains else prices[0]), False
    widths = widths_of(contract)
    standing = [unsettled(chain) for chain in chains] if after_gap else list(chains)
    formed: list[Formed] = []
    reds_at, greens_at = _next_bricks(standing, widths)
    for place, price in enumerate(prices):
        if reds_at < price < greens_at:
            continue
        for number, width in enumerate(widths):
            standing[number] = _advanced(standing[number], width, price, place, formed)
        reds_at, greens_at = _next_bricks(standing, widths)
        if place == 0 and after_gap:
            standing = [unsettled(chain) for chain in standing]
    return Built(tuple(standing), tuple(formed))


def unsettled(chain: Chain) -> Chain:
    """Return a chain that may have missed prices: its third brick from here on is certainly the true one."""
    return replace(chain, to_settle=TO_SETTLE_AFTER_A_GAP)


def _is_too_far(contract: Contract, chains: Chains, prices: Sequence[int]) -> bool:
    smallest = chains[0]
    furthest = MOST_OF_A_PRICE * widths_of(contract)[0]
    lowest, highest = min(prices), max(prices)
    return highest - smallest.hi > furthest or smallest.lo - lowest > furthest


def _next_bricks(chains: Sequence[Chain], widths: Sequence[int]) -> tuple[int, int]:
    """Return the two prices strictly between which no size closes a brick."""
    reds = [chain.lo - width for chain, width in zip(chains, widths, strict=True)]
    greens = [chain.hi + width for chain, width in zip(chains, widths, strict=True)]
    return max(reds), min(greens)


def _advanced(chain: Chain, width: int, price: int, place: int, formed: list[Formed]) -> Chain:
    """Return the chain behind a price, and add the bricks that it closed."""
    lo, hi, color, k = chain.lo, chain.hi, chain.color, 0
    while price >= hi + width:
        lo, hi, color, k = hi, hi + width, "green", k + 1
        formed.append(Formed(place, chain.stream, color, lo, hi, k))
    while price <= lo - width:
        lo, hi, color, k = lo - width, lo, "red", k + 1
        formed.append(Formed(place, chain.stream, color, lo, hi, k))
    if not k:
        return chain
    return replace(chain, lo=lo, hi=hi, color=color, to_settle=max(0, chain.to_settle - k))
