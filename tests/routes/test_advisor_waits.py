"""Whoever asks the advisor waits without a thread: the view leaves a pause and returns meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from msgspec import structs
from werkzeug.test import EnvironBuilder

from app import create_app
from services.ops.config import Config
from services.ops.what_if_days import WhatIfDays
from serving.later import Later
from serving.wsgi import call
from tests.support.advisor_stand_in import AdvisorStandIn, advisor
from tests.support.desk_process import SETTINGS, eventually

ASKED = [
    ("GET", "/api/ml/range?asset=ES"),
    ("GET", "/api/ml/signals/active"),
    ("POST", "/api/ml/amd/ES"),
    ("GET", "/api/ml/models"),
    ("GET", "/api/explain?about=coach"),
    ("POST", "/api/chat"),
]


@pytest.fixture(scope="module")
def program() -> Iterator[AdvisorStandIn]:
    with advisor() as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, program: AdvisorStandIn) -> Iterator[Flask]:
    """A desk without a password: everybody is its operator."""
    place = {"SQLITE_PATH": str(tmp_path_factory.mktemp("waits") / "desk.sqlite"), "DASHBOARD_PASSWORD": ""}
    app = create_app(Config.from_env({**SETTINGS, **place, "ADVISOR_URL": program.url, "AGENT_URL": program.url}))
    yield app
    app.extensions["lockstep.close"]()


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_a_view_leaves_a_pause_and_its_caller_who_goes_ends_the_question(
    app: Flask, program: AdvisorStandIn, method: str, path: str
) -> None:
    body = {"message": "why?"} if path == "/api/chat" else None
    given_up, later = program.given_up, Later()
    call(app.wsgi_app, EnvironBuilder(path, "http://127.0.0.1", method=method, json=body).get_environ(), later)
    pause = later.pause
    assert pause is not None
    eventually(lambda: program.open == 1)
    assert not pause.is_over()
    assert pause.on_gone is not None
    pause.on_gone()
    eventually(lambda: program.given_up == given_up + 1)


def test_the_answer_wakes_whoever_waits(app: Flask, program: AdvisorStandIn) -> None:
    woken: list[bool] = []
    manager = app.extensions["lockstep"].manager
    manager.on_change(lambda: woken.append(True))
    later = Later()
    program.says["/models"] = b"nonsense"
    call(app.wsgi_app, EnvironBuilder("/api/ml/models", "http://127.0.0.1").get_environ(), later)
    pause = later.pause
    assert pause is not None
    eventually(lambda: woken and pause.is_over())
    again = Later(pause.deadline, pause.remembered)
    answer = call(app.wsgi_app, EnvironBuilder("/api/ml/models", "http://127.0.0.1").get_environ(), again)
    assert (answer.status[:3], b"advisor_away" in answer.body) == ("503", True)
    del program.says["/models"]
    manager.on_change(lambda: None)


def test_a_desk_without_a_file_decides_no_day_again(app: Flask) -> None:
    """On Firestore each row that is read costs: the command does it by hand."""
    services = app.extensions["lockstep"]
    app.extensions["lockstep"] = structs.replace(services, what_if=WhatIfDays(None, lambda: None))
    try:
        path = "/api/what-if/day?day=2026-11-20"
        answer = call(app.wsgi_app, EnvironBuilder(path, "http://127.0.0.1").get_environ(), Later())
    finally:
        app.extensions["lockstep"] = services
    assert (answer.status[:3], b'"code":"not_available"' in answer.body) == ("503", True)
