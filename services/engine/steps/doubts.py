"""Doubt: broker and desk may disagree although no snapshot has said so yet (SPEC 4 ``reconcile``, 8.1)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.evidence import Doubt, Resolved
from services.engine.model.proof_events import DoubtBegan, DoubtEnded
from services.engine.transition import Transition
from wire.types import DoubtCode, Instant, Usd


def begin_doubt(transition: Transition, symbol: str, code: DoubtCode, until: Instant | None = None) -> None:
    """Close the asset's gate ``reconcile`` until a snapshot agrees, or until ``until``. A doubt that lasts stays."""
    asset = transition.asset(symbol)
    known = asset.doubt
    if known is not None and known.until is None and until is not None:
        return
    doubt = Doubt(code, transition.now, until)
    if known is not None:  # what only the operator has said stays unproven
        doubt = replace(doubt, resolved=known.resolved, withheld=known.withheld)
    transition.put_asset(replace(asset, doubt=doubt))
    if known is None or known.code != code:
        transition.record(DoubtBegan(symbol, code))


def doubt_resolved(transition: Transition, symbol: str, resolved: Resolved, gained: Usd) -> None:
    """Begin the doubt of an order that the operator has resolved; ``gained`` USD is what that added to the books."""
    begin_doubt(transition, symbol, "resolved")
    asset = transition.asset(symbol)
    if asset.doubt is not None:
        withheld = asset.doubt.withheld + max(gained, Usd(0))
        doubt = replace(asset.doubt, resolved=(*asset.doubt.resolved, resolved), withheld=withheld)
        transition.put_asset(replace(asset, doubt=doubt))


def end_resolved(transition: Transition, symbol: str, resolved: Resolved) -> None:
    """Take the operator's word as proven. The doubt ends with the last one, unless it has another cause by now."""
    asset = transition.asset(symbol)
    doubt = asset.doubt
    if doubt is None:
        return
    left = tuple(other for other in doubt.resolved if other != resolved)
    if not left and doubt.code == "resolved":
        end_doubt(transition, symbol)
    else:
        kept = replace(doubt, resolved=left, withheld=doubt.withheld if left else Usd(0))
        transition.put_asset(replace(asset, doubt=kept))


def end_doubt(transition: Transition, symbol: str) -> None:
    """End a doubt that waits for a snapshot that agrees."""
    asset = transition.asset(symbol)
    if asset.doubt is not None and asset.doubt.until is None:
        transition.put_asset(replace(asset, doubt=None))
        transition.record(DoubtEnded(symbol))


def end_doubts_in_time(transition: Transition) -> None:
    """End the doubts whose time is over."""
    for symbol, asset in transition.desk.assets.items():
        if asset.doubt is not None and asset.doubt.until is not None and transition.now >= asset.doubt.until:
            transition.put_asset(replace(asset, doubt=None))
            transition.record(DoubtEnded(symbol))
