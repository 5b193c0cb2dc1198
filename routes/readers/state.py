"""The state as one document (SPEC 11)."""

from __future__ import annotations

from flask import Response, jsonify

from routes.http.describing import answers
from routes.http.replies import whole_state
from routes.http.state_answers import StateDocument
from routes.readers import reader_calls

state = reader_calls("state", __name__)


@state.get("/api/state")
@answers(StateDocument)
def show_state() -> Response:
    """Return the whole document as of now."""
    response = jsonify(whole_state())
    response.headers["Cache-Control"] = "no-store"
    return response
