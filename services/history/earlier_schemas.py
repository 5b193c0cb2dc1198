"""Values that programs of earlier schemas did not record. A replay of their rows leaves out exactly these (SPEC 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import UNSET
from msgspec.structs import replace

from services.engine.decide import Decision
from services.engine.model.alert import Alert
from services.engine.model.events import AlertRaised, AnyEvent
from services.engine.model.state import Asset

Forget = Callable[[Decision], Decision]


def without_facts_of_alerts(decision: Decision) -> Decision:
    """Remove ``facts`` from the desk's alerts and from AlertRaised."""
    desk = decision.desk
    if any(alert.facts is not UNSET for alert in desk.alerts):
        desk = replace(desk, alerts=tuple(map(_without_facts, desk.alerts)))
    return replace(decision, desk=desk, events=tuple(map(_event_without_facts, decision.events)))


def _event_without_facts(event: AnyEvent) -> AnyEvent:
    return replace(event, alert=_without_facts(event.alert)) if isinstance(event, AlertRaised) else event


def _without_facts(alert: Alert) -> Alert:
    return replace(alert, facts=UNSET)


def without_refusals_of_preorders(decision: Decision) -> Decision:
    """Remove ``preorder.refusal`` from every asset."""
    assets = decision.desk.assets
    if all(asset.preorder is None or asset.preorder.refusal is UNSET for asset in assets.values()):
        return decision
    kept = {symbol: _without_refusal(asset) for symbol, asset in assets.items()}
    return replace(decision, desk=replace(decision.desk, assets=kept))


def _without_refusal(asset: Asset) -> Asset:
    return asset if asset.preorder is None else replace(asset, preorder=replace(asset.preorder, refusal=UNSET))


NEW_SINCE: Mapping[int, tuple[Forget, ...]] = MappingProxyType(  # schema -> values that are recorded from it on
    {3: (without_facts_of_alerts, without_refusals_of_preorders)}
)


def as_recorded(decision: Decision, schema: int) -> Decision:
    """Return the decision as a program of that schema would have recorded it."""
    for since, forgets in NEW_SINCE.items():
        for forget in forgets if schema < since else ():
            decision = forget(decision)
    return decision
