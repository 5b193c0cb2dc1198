"""Which of the desk's symbols a client means, however it spells it (``services/market/spelling.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from services.market.instruments import contract_named, delivery_named, resolve_asset


def desk_symbol(symbol: str, known: Mapping[str, str | None], on: date) -> str | None:
    """Return the desk's symbol that a text names, None when it names none for certain.

    ``known`` gives each symbol's contract. ``ES``, ``/ES``, ``ES=F`` and ``ES1!`` name the asset; a symbol with a month
    names it only when the desk trades that month, because prices of another contract are not there.
    """
    text = symbol.strip()
    if text.upper() in known:
        return text.upper()
    asset = resolve_asset(text, known)
    if asset is None or delivery_named(text, asset, on) is None:
        return asset
    named = contract_named(text, on)
    own = contract_named(known[asset] or "", on)
    return asset if named is not None and own is not None and named.delivery == own.delivery else None
