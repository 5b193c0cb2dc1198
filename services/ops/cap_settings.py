"""Read ``MAX_CONTRACTS_<ASSET>``: how many contracts of an asset may be held at once (SPEC 5.9)."""

from __future__ import annotations

from services.engine.model.settings import RULE_SETTINGS
from services.market.instruments import TRADABLE
from services.ops.settings_reader import Settings

PREFIX = "MAX_CONTRACTS_"
MOST = 10_000
OTHERS = frozenset(row.variable for row in RULE_SETTINGS)


def caps_of(settings: Settings) -> dict[str, int]:
    """Return the caps by asset. A name that is no asset's is a fault."""
    caps: dict[str, int] = {}
    for name in settings.names_with(PREFIX):
        asset = name.removeprefix(PREFIX)
        if name in OTHERS:
            continue
        if asset not in TRADABLE:
            settings.faults.append(f"{name[:100]} names no asset that can be traded: {' '.join(TRADABLE)}")
        else:
            caps[asset] = settings.number(name, 0, 0, MOST)
    return caps
