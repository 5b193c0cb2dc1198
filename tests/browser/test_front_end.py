"""A page of another origin, in a real browser: it reads what is for front ends, and is never the operator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Browser, Page

from services.access.keys import make_key, stored
from services.stores.sqlite.store import SqliteStore
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.support.advisor_stand_in import advisor, said
from tests.support.desk_process import eventually
from wire.ml_engine import ModelsAnswer

ASK = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return [answer.status, await answer.json()];
  } catch (failure) { return [0, String(failure)]; }
}"""
BLOCKED = (0, "TypeError: Failed to fetch")


class OwnPage(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>mine</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def own_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OwnPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def key_of(desk: LiveDesk) -> str:
    key, token = make_key("front end", ["signals:read"], datetime.now(UTC))
    with closing(SqliteStore(desk.database)) as store:
        store.put_api_key(stored(key))
    asks = desk.stranger()
    eventually(lambda: asks.get("/api/ml/models", headers={"X-API-Key": token}).status_code == 200)
    return token


def asks(page: Page, url: str, **options: Any) -> tuple[int, Any]:
    status, body = page.evaluate(ASK, [url, options])
    return status, body


def test_a_listed_page_reads_with_its_key_and_nothing_else_answers_it(browser: Browser, desk: LiveDesk) -> None:
    with own_server() as listed, own_server() as unlisted, advisor() as program:
        program.says["/models"] = said(ModelsAnswer(models=()))
        desk.restart(CORS_ORIGINS=listed, ADVISOR_URL=program.url, AGENT_URL=program.url)
        with_key = {"headers": {"X-API-Key": key_of(desk)}}
        context = browser.new_context()
        assert context.request.post(f"{desk.url}/api/login", data={"password": PASSWORD}).ok  # the operator's browser
        page = context.new_page()
        page.goto(listed)
        models = f"{desk.url}/api/ml/models"
        assert asks(page, models, **with_key) == (200, {"ok": True, "models": []})
        status, refusal = asks(page, models)
        assert (status, refusal["code"]) == (401, "denied")
        assert asks(page, models, credentials="include") == BLOCKED
        for path in ("/api/state", "/api/portfolio/positions", "/api/proposals"):
            assert asks(page, desk.url + path, **with_key) == BLOCKED
        order = {"method": "POST", "body": "{}"}
        for path in ("/api/orders", "/api/exit-all"):
            assert asks(page, desk.url + path, **order, credentials="include") == BLOCKED
        page.goto(unlisted)
        assert asks(page, models, **with_key) == BLOCKED
        context.close()
