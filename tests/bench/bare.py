"""A Flask route that does nothing, served as the desk is: what is left of its rate is what a webhook's work costs."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

app = Flask(__name__)


@app.post("/tv_renko_main")
def take_brick() -> Response:
    """Parse the body and answer."""
    return jsonify(ok=True, asset=request.get_json(force=True)["asset"])


@app.get("/api/auth/status")
def show_status() -> Response:
    """Answer whoever waits for the start."""
    return jsonify(ok=True)
