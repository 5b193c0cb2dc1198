"""The desk in figures, for Prometheus."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.guards import guarded_by
from routes.http.replies import app_services, fresh
from routes.readers import reader_calls
from services.ops.metrics import CONTENT_TYPE

metrics = reader_calls("metrics", __name__)


@metrics.get("/metrics")
@guarded_by("metrics_reader")
@answers(None, media="text/plain")
def show_metrics() -> Response:
    """Return the desk in figures, for Prometheus; `docs/how-to/operations.md` explains each."""
    return fresh(Response(app_services().metrics.exposition(), content_type=CONTENT_TYPE))
