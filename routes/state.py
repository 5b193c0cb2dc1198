"""The state as one document (SPEC 11)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from routes.describing import answers
from routes.guards import guarded_by
from routes.replies import whole_state
from routes.state_answers import StateDocument

state = Blueprint("state", __name__)


@state.get("/api/state")
@guarded_by("state_reader")
@answers(StateDocument)
def show_state() -> Response:
    """Return the whole document as of now."""
    response = jsonify(whole_state())
    response.headers["Cache-Control"] = "no-store"
    return response
