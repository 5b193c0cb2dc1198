"""The state as one document (SPEC 11)."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.replies import fresh, reply, whole_state
from routes.readers import reader_calls
from wire.state import StateDocument

state = reader_calls("state", __name__)


@state.get("/api/state")
@answers(StateDocument)
def show_state() -> Response:
    """Return the whole document as of now."""
    return fresh(reply(whole_state()))
