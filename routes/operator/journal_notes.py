"""The operator's notes about closed trades."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import structs
from pydantic import AfterValidator, Field

from routes.http.describing import answers
from routes.http.errors import error_answer
from routes.http.parsing import OperatorBody, accepts
from routes.http.replies import answer, app_services
from routes.operator import operator_calls
from routes.readers.journal import TagWord, roll, tag_of
from services.engine.model.commands import NoteTrade
from services.engine.steps.notes import LONGEST_NOTE, MOST_TAGS
from services.journal.rows import journal_row
from services.journal.trades import trade_with_note
from services.projections.notes import Note
from wire.journal import NoteAnswer

journal_notes = operator_calls("journal_notes", __name__)

Tags = Annotated[list[TagWord], AfterValidator(lambda tags: [tag_of(tag) for tag in tags])]


class NoteBody(OperatorBody):
    """A note and tags; they replace the earlier ones."""

    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    tags: Annotated[Tags, Field(default_factory=list, max_length=MOST_TAGS)]


@journal_notes.post("/api/journal/trades/<trade_id>/note")
@answers(NoteAnswer, errors=(404,))
@accepts(NoteBody)
def note_trade(body: NoteBody, trade_id: str) -> Response:
    """Write note and tags of a closed trade; they replace the earlier ones."""
    manager = app_services().manager
    entry = trade_with_note(manager.store, trade_id[:64], roll())
    if entry is None:
        return error_answer(f"trade {trade_id[:64]} is not known, or has not closed yet", 404, "not_found")
    outcome = manager.submit(NoteTrade(entry.trade.id, body.note, tuple(body.tags)))
    note = Note(body.note, tuple(dict.fromkeys(body.tags)), manager.now)
    noted = journal_row(structs.replace(entry, note=note))
    return answer(outcome, NoteAnswer(version=outcome.version, trade=noted))
