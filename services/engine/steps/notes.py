"""The operator's notes on closed trades. They are journaled and do not change the desk."""

from __future__ import annotations

import re

from services.engine.model.commands import NoteTrade
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.trade_events import TradeNoted
from services.engine.rules.refusals import refuse
from services.engine.transition import Transition

LONGEST_NOTE = 2_000
MOST_TAGS = 8
TAG = re.compile(r"[a-z0-9-]{1,24}")


def note_trade(transition: Transition, command: NoteTrade) -> Reply | Refusal:
    """Record a note of at most 2,000 characters and up to 8 tags. It replaces the earlier note."""
    if len(command.note) > LONGEST_NOTE:
        detail = f"note was {len(command.note)} characters, {LONGEST_NOTE} are the most"
        return refuse("setting_invalid", detail, field="note", was=len(command.note), highest=LONGEST_NOTE)
    if len(command.tags) > MOST_TAGS:
        detail = f"tags were {len(command.tags)}, {MOST_TAGS} are the most"
        return refuse("setting_invalid", detail, field="tags", was=len(command.tags), highest=MOST_TAGS)
    for tag in command.tags:
        if not TAG.fullmatch(tag):
            detail = f"tag was {tag[:40]!r}, it must be 1 to 24 of a to z, 0 to 9 and -"
            return refuse("setting_invalid", detail, field="tags", was=tag[:40])
    transition.record(TradeNoted(command.trade_id, command.note, tuple(dict.fromkeys(command.tags))))
    return Done()
