"""What the operator's word would settle of an asset: an order resolved once, the price of a fill (SPEC 8.1, 8.3)."""

from __future__ import annotations

from services.engine.model.evidence import Resolved, SuspectFill
from services.engine.model.state import Asset, Desk
from services.engine.steps.resolving import SAID_AGAIN_AFTER
from wire.asset import WordAwaited


def words_awaited(desk: Desk, asset: Asset) -> tuple[WordAwaited, ...]:
    """Return them, oldest first. In LIVE only the broker's snapshots confirm what was resolved by hand."""
    resolved = () if asset.doubt is None or desk.env == "LIVE" else asset.doubt.resolved
    words = [*map(_said_once, resolved), *_prices_of_fills(asset)]
    return tuple(sorted(words, key=lambda word: word.since))


def _said_once(word: Resolved) -> WordAwaited:
    again_at = word.at + SAID_AGAIN_AFTER
    return WordAwaited(word.order_id, "resolved", word.outcome, word.qty, word.price, None, word.at, again_at)


def _prices_of_fills(asset: Asset) -> list[WordAwaited]:
    """Return one word for the fills of an order at one price. A fill without an order waits for the broker."""
    together: dict[tuple[str, object], list[SuspectFill]] = {}
    for fill in asset.suspect_fills:
        if fill.order_id is not None:
            together.setdefault((fill.order_id, fill.price), []).append(fill)
    return [
        WordAwaited(
            order_id,
            "fill_price",
            "filled",
            sum(abs(fill.change) for fill in fills),
            fills[0].price,
            fills[0].stand_in,
            fills[0].at,
            None,
        )
        for (order_id, _), fills in together.items()
    ]
