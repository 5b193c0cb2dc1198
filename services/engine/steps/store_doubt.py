"""Note that another store was opened today, and let the operator confirm this one (SPEC 5.9)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.store_doubts import ConfirmStore, NoteStore, StoreConfirmed, StoreDoubt, StoreDoubted
from services.engine.rules.refusals import refuse
from services.engine.rules.store_doubt import open_store_doubt
from services.engine.transition import Transition


def note_store(transition: Transition, command: NoteStore) -> Reply:
    """Record the doubt and raise an alert. What is known already, confirmed or not, changes nothing."""
    today = transition.desk.day.trading_day
    known = transition.desk.store_doubt
    if known is not None and (known.code, known.about, known.trading_day) == (command.code, command.about, today):
        return Done()
    doubt = StoreDoubt(command.code, command.about, command.detail, today, transition.now)
    transition.change_desk(store_doubt=doubt)
    transition.record(StoreDoubted(command.code, command.about, command.detail))
    facts = {"code": command.code, "about": command.about}
    transition.alert("store_doubtful", command.detail, facts=facts)
    return Done()


def confirm_store(transition: Transition, command: ConfirmStore) -> Reply | Refusal:
    """Go on with this store."""
    doubt = open_store_doubt(transition.desk)
    if doubt is None:
        return refuse("store_known", "nothing says that another store was opened today")
    transition.change_desk(store_doubt=replace(doubt, confirmed=True))
    transition.record(StoreConfirmed(doubt.about, command.reason))
    return Done()
