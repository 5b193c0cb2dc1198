"""The API's description: as OpenAPI for programs, as a page for people.

Both are public: they hold no secret and nothing of the desk's state, and the author of a bridge or an alert needs them
without a session.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, make_response, render_template

from routes.http.describing import answers
from routes.http.guards import guarded_by
from routes.http.openapi import document
from routes.pages.api_sheet import groups, shapes

api_docs = Blueprint("api_docs", __name__)


@api_docs.get("/api/openapi.json")
@guarded_by("public")
@answers(None)
def show_document() -> Response:
    """Return this description as OpenAPI 3.1."""
    return jsonify(_document_of(_this_app()))


@api_docs.get("/api/docs")
@guarded_by("public")
@answers(None, media="text/html")
def show_page() -> Response:
    """Show this description as an HTML page."""
    described = _document_of(_this_app())
    page = render_template("pages/api_docs.html", api=described, groups=groups(described), shapes=shapes(described))
    return make_response(page)


@lru_cache(maxsize=4)
def _document_of(app: Flask) -> dict[str, Any]:
    return document(app)


def _this_app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app
