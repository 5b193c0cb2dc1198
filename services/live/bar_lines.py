"""The line that a bar of TradingView's one alert leaves in the log, the same whether or not it was journaled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from services.engine.model.bar_commands import CloseBar
from services.engine.model.wording import Facts, facts_of
from wire.tradingview import STREAM_POINTS
from wire.types import Instant, Stream

TENTH = Decimal("0.1")


def bar_text(bar: CloseBar, differs: Sequence[Stream], *, is_mended: bool = False) -> str:
    """Write a bar as a trader reads it: ``5275.25, 3 bricks``, the sizes that stood elsewhere, or that all is whole."""
    parts = [f"{bar.close:f}"]
    if bar.bricks:
        parts.append(f"{len(bar.bricks)} {'brick' if len(bar.bricks) == 1 else 'bricks'}")
    if differs:
        sizes = ", ".join(f"{STREAM_POINTS[stream]:f}pt" for stream in differs)
        parts.append(f"the desk had other bricks of {sizes}")
    if is_mended:
        parts.append("stream whole again")
    return ", ".join(parts)


def bar_facts(bar: CloseBar, differs: Sequence[Stream], at: Instant) -> Facts:
    """Return how the chart and its script stand, for the live checklist of the set-up page."""
    behind = Decimal((at - bar.sent_at) / timedelta(seconds=1)).quantize(TENTH)
    sizes = ", ".join(f"{STREAM_POINTS[stream]:f}" for stream in differs) or None
    facts = {"tf": bar.base, "sizes": len(bar.last), "bricks": len(bar.bricks), "behind_s": behind, "differs": sizes}
    return facts_of(facts)
