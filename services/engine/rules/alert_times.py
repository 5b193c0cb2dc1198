"""When alerts ended, as far as this process has seen. All functions are pure.

An event that ends an alert gives the instant of the end. These instants are kept in memory only. When they are
missing, the state of the desk may still show that an alert is over, but not since when. An alert of a momentary fact
never ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from services.engine.model.alert import Alert
from services.engine.model.events import AlertRaised, AnyEvent
from services.engine.model.state import Desk
from services.engine.rules.alerts import ALERTS, TABLE
from wire.types import Instant

AlertKey = tuple[str, str | None, Instant]  # code, asset, raised at
Ends = Mapping[AlertKey, Instant]
NO_ENDS: Ends = MappingProxyType({})
ENDING = tuple({kind for rule in TABLE for kind in rule.ended_by})


def key_of(alert: Alert) -> AlertKey:
    return alert.code, alert.asset, alert.at


def still_listed(ends: Ends, desk: Desk) -> Ends:
    """Return the ends of the alerts that the desk still lists."""
    return {key: ends[key] for key in map(key_of, desk.alerts) if key in ends}


def ends_after(known: Ends, desk: Desk, events: Iterable[tuple[Instant, AnyEvent]]) -> Ends:
    """Return when the desk's alerts ended: the known ends, and those that ``events`` add, oldest first.

    The order of the events counts, not their instants: all events of one decision have the same instant.
    """
    events = list(events)
    ends = dict(still_listed(known, desk))
    to_come = {key_of(event.alert) for _, event in events if isinstance(event, AlertRaised)}
    for at, event in events:
        if isinstance(event, AlertRaised):
            to_come.discard(key_of(event.alert))
        for alert in desk.alerts if isinstance(event, ENDING) else ():
            if _ends(event, alert, desk) and (key_of(alert) not in to_come or _ended_first(alert, at)):
                ends.setdefault(key_of(alert), at)
    return ends


def _ends(event: AnyEvent, alert: Alert, desk: Desk) -> bool:
    rule = ALERTS.get(alert.code)
    ending = None if rule is None else rule.ended_by.get(type(event))
    return ending is not None and ending(alert, event, desk)


def _ended_first(alert: Alert, at: Instant) -> bool:
    """Return whether the alert ended in the decision that raised it, before it was raised.

    This is a disagreement that the desk settled by following the broker.
    """
    return ALERTS[alert.code].may_end_first and alert.at == at


def is_over(alert: Alert, desk: Desk, ends: Ends) -> bool | None:
    """Return whether the alert is over, None when it never ends or when this is unknown."""
    if key_of(alert) in ends:
        return True
    rule = ALERTS.get(alert.code)
    return None if rule is None else rule.is_over(alert, desk)
