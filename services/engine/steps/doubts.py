"""Doubt: broker and desk may disagree although no snapshot has said so yet (SPEC 4 ``reconcile``, 8.1)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.evidence import Doubt
from services.engine.model.proof_events import DoubtBegan, DoubtEnded
from services.engine.transition import Transition
from wire.types import DoubtCode, Instant


def begin_doubt(transition: Transition, symbol: str, code: DoubtCode, until: Instant | None = None) -> None:
    """Close the asset's gate ``reconcile`` until a snapshot agrees, or until ``until``. A doubt that lasts stays."""
    asset = transition.asset(symbol)
    known = asset.doubt
    if known is not None and known.until is None and until is not None:
        return
    transition.put_asset(replace(asset, doubt=Doubt(code, transition.now, until)))
    if known is None or known.code != code:
        transition.record(DoubtBegan(symbol, code))


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
