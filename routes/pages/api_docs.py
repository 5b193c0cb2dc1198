"""The API's description: as OpenAPI for programs, as a page for people.

Both are public: they hold no secret and nothing of the desk's state, and the author of a bridge or an alert needs them
without a session.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Any, NamedTuple

from flask import Blueprint, Flask, Response, current_app, render_template, request

from routes.http.describing import answers
from routes.http.guards import guarded_by
from routes.http.openapi import document
from routes.pages.api_sheet import groups, shapes
from routes.pages.assets import asset_folder
from wire.encoding import encode

api_docs = Blueprint("api_docs", __name__)


@api_docs.get("/api/openapi.json")
@guarded_by("public")
@answers(None)
def show_document() -> Response:
    """Return this description as OpenAPI 3.1."""
    return _answer(_json_of(_this_app()), "application/json")


@api_docs.get("/api/docs")
@guarded_by("public")
@answers(None, media="text/html")
def show_page() -> Response:
    """Show this description as an HTML page."""
    return _answer(_page_of(_this_app(), asset_folder.edition(), request.script_root), "text/html")


class Kept(NamedTuple):
    """A text that is made once, plain and compressed: anybody may ask for it, as often as they like."""

    plain: bytes
    packed: bytes


def _kept(text: bytes) -> Kept:
    return Kept(text, gzip.compress(text, mtime=0))


def _answer(kept: Kept, mimetype: str) -> Response:
    is_packed = request.accept_encodings.best_match(["gzip"]) is not None
    response = current_app.response_class(kept.packed if is_packed else kept.plain, mimetype=mimetype)
    response.vary.add("Accept-Encoding")
    if is_packed:
        response.content_encoding = "gzip"
    return response


@lru_cache(maxsize=4)
def _json_of(app: Flask) -> Kept:
    return _kept(encode(_document_of(app)))


@lru_cache(maxsize=4)
def _page_of(app: Flask, edition: str, root: str) -> Kept:
    """Return the page; its links hold the edition of the assets and the root."""
    described = _document_of(app)
    page = render_template("pages/api_docs.html", api=described, groups=groups(described), shapes=shapes(described))
    return _kept(page.encode())


@lru_cache(maxsize=4)
def _document_of(app: Flask) -> dict[str, Any]:
    return document(app)


def _this_app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app
