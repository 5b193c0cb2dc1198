"""The stream's follower and the facts' against a web that is scripted, over real sockets: resume, silence, faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from feeds import follower as module
from feeds.desk import DeskPicture
from feeds.facts import FactFollower
from feeds.follower import Follower
from feeds.health import Checkup
from feeds.hub import Hub, Part
from feeds.store import FeedsStore
from sidecar.pauses import Pauses
from sidecar.web import WebClient
from wire.bridge import QuoteEvent
from wire.events import EventRow

STATE = {"version": 7, "now": "2026-11-20T17:00:00Z", "global": {"env": "DEMO"}, "assets": {"ES": {"symbol": "ES"}}}
QUOTE = {"symbol": "MESZ6", "asset": "ES", "price": 5000.25}


def message(event: str, body: Any, number: str = "7") -> bytes:
    return f"id: {number}\nevent: {event}\ndata: {json.dumps(body)}\n\n".encode()


def change(patch: Any, version: int = 8) -> bytes:
    body = {"version": version, "now": "2026-11-20T17:00:01Z", "patch": patch}
    return message("change", body, str(version))


class ScriptedWeb:
    """A web that sends one script for each connection to the stream, and answers events page by page."""

    def __init__(self, *scripts: bytes, holds: bool = True) -> None:
        self._scripts = list(scripts)
        self._holds = holds
        self.heads: list[str] = []
        self.pages: list[tuple[int, Any]] = []
        self.asked: list[str] = []

    async def __aenter__(self) -> ScriptedWeb:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("GET /api/events"):
            self.asked.append(head.split()[1])
            status, body = self.pages.pop(0) if self.pages else (200, {"ok": True, "events": [], "next": 5001})
            text = json.dumps(body).encode()
            length = f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {status} X\r\n{length}".encode() + text)
        else:
            self.heads.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1000\n\n")
            writer.write(self._scripts.pop(0) if self._scripts else b"")
            await writer.drain()
            if self._holds and not self._scripts:
                await asyncio.sleep(30)
        writer.close()


class Heard(Part):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failures = 0

    def on_desk(self, desk: DeskPicture) -> None:
        self.lines.append(f"desk {'up' if desk.is_up else desk.why}")

    def on_quote(self, quote: QuoteEvent) -> None:
        self.lines.append(f"quote {quote.price}")

    def on_gap(self, since: datetime | None, until: datetime) -> None:
        self.lines.append("gap")

    def on_fact(self, event: EventRow) -> None:
        self.lines.append(f"fact {event.id}")
        if self.failures and event.id == 5001:
            self.failures -= 1
            raise ValueError("this fact cannot be taken in")


async def until(is_true: Callable[[], Any]) -> None:
    for _ in range(500):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("this did not become true")


def follows(web: ScriptedWeb, story: Callable[[ScriptedWeb, DeskPicture, Heard], Awaitable[None]]) -> list[str]:
    """Follow a scripted web while a story is told; return what was heard."""
    heard = Heard()

    async def play() -> None:
        desk = DeskPicture()
        async with web:
            client = WebClient(web.url, "a-service-secret")
            task = asyncio.create_task(Follower(client, desk, Hub([heard])).run())
            await story(web, desk, heard)
            task.cancel()
            await client.close()

    asyncio.run(asyncio.wait_for(play(), 30))
    return heard.lines


def last_ids(web: ScriptedWeb) -> list[str | None]:
    """Return what each connection said of the last message it had."""
    lines = [[line for line in head.splitlines() if line.lower().startswith("last-event-id:")] for head in web.heads]
    return [found[0].split(": ")[1] if found else None for found in lines]


def test_after_a_break_the_stream_is_resumed_and_the_gap_is_told() -> None:
    async def story(web: ScriptedWeb, desk: DeskPicture, heard: Heard) -> None:
        await until(lambda: "quote 5001.25" in heard.lines)
        assert desk.document is not None
        assert desk.document["global"] == {"env": "LIVE"}
        assert desk.version == 8

    later = change({"global": {"env": "LIVE"}}) + message("quote", {**QUOTE, "price": 5001.25}, "8")
    web = ScriptedWeb(message("state", STATE) + message("quote", QUOTE), later)
    lines = follows(web, story)
    assert last_ids(web) == [None, "7"]
    assert lines == ["desk up", "quote 5000.25", "desk broke_off", "gap", "desk up", "quote 5001.25"]
    assert all("x-service-secret: a-service-secret" in head.lower() for head in web.heads)


def test_resync_begins_anew_without_an_id_and_web_is_not_away() -> None:
    async def story(web: ScriptedWeb, desk: DeskPicture, heard: Heard) -> None:
        await until(lambda: len(web.heads) == 2 and "gap" in heard.lines)
        assert desk.is_up

    web = ScriptedWeb(message("state", STATE) + b"id:\nevent: resync\ndata: {}\n\n", message("state", STATE))
    lines = follows(web, story)
    assert last_ids(web) == [None, None]
    assert lines == ["desk up", "gap", "desk up"]


@pytest.mark.parametrize("broken", [b"id: 8\nevent: change\ndata: {]\n\n", b"id: 8\nevent: state\ndata: []\n\n"])
def test_a_state_that_cannot_be_read_is_read_anew_and_what_is_unknown_is_passed_over(broken: bytes) -> None:
    async def story(web: ScriptedWeb, desk: DeskPicture, heard: Heard) -> None:
        await until(lambda: len(web.heads) == 2 and desk.is_up)

    harmless = message("quote", {"price": "?"}) + message("of-tomorrow", {}) + b": a comment\n\n"
    web = ScriptedWeb(message("state", STATE) + harmless + broken, message("state", STATE))
    lines = follows(web, story)
    assert lines[:2] == ["desk up", "desk failing"]


def test_a_change_before_any_state_asks_for_the_state() -> None:
    async def story(web: ScriptedWeb, desk: DeskPicture, heard: Heard) -> None:
        await until(lambda: desk.is_up)

    web = ScriptedWeb(change({"global": {"env": "LIVE"}}), message("state", STATE))
    follows(web, story)
    assert last_ids(web) == [None, None]


def test_a_stream_without_a_byte_is_dead_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 1.0)

    async def story(web: ScriptedWeb, desk: DeskPicture, heard: Heard) -> None:
        await until(lambda: desk.why == "silent")

    assert follows(ScriptedWeb(message("state", STATE)), story)[:2] == ["desk up", "desk silent"]


def test_a_message_without_an_end_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_MESSAGE_BYTES", 10_000)

    async def story(web: ScriptedWeb, desk: DeskPicture, heard: Heard) -> None:
        await until(lambda: desk.why == "failing")

    follows(ScriptedWeb(b"data: " + b"x" * 20_000), story)


def test_pauses_double_up_to_a_bound_and_success_shortens_them() -> None:
    pauses = Pauses(0.25, 5.0)
    waits = [pauses.next_seconds() for _ in range(8)]
    for wait, expected in zip(waits, (0.25, 0.5, 1, 2, 4, 5, 5, 5), strict=True):
        assert 0.75 * expected <= wait <= 1.25 * expected
    pauses.worked()
    assert pauses.next_seconds() <= 0.32


# -- facts -----------------------------------------------------------------------------------------------------------


def row(number: int) -> dict[str, Any]:
    return {"id": number, "ts": "2026-11-20T17:00:00Z", "type": "DayRolled", "asset": None, "data": {}}


def takes_in(folder: Path, web: ScriptedWeb, failures: int = 0) -> tuple[list[str], int | None]:
    """Take in the facts of a scripted web until it has no more; return what was heard, and the cursor."""
    heard = Heard()
    heard.failures = failures

    async def play() -> int | None:
        store = FeedsStore(folder / "feeds.sqlite")
        checkup = Checkup({}, DeskPicture())
        async with web:
            client = WebClient(web.url, "a-service-secret")
            facts = FactFollower(client, store, Hub([heard]), checkup, lambda: datetime(2026, 11, 20, 17, tzinfo=UTC))
            task = asyncio.create_task(facts.run())
            await until(lambda: not web.pages and len(web.asked) > 3)
            await asyncio.sleep(0.05)
            task.cancel()
            await client.close()
            cursor = store.cursor()
            store.close()
            return None if cursor is None else cursor.event_id

    return heard.lines, asyncio.run(asyncio.wait_for(play(), 30))


def test_a_new_file_begins_with_the_last_minutes(tmp_path: Path) -> None:
    web = ScriptedWeb()
    web.pages = [
        (200, {"ok": True, "events": [row(4000)], "next": 4000}),
        (200, {"ok": True, "events": [row(4000), row(5000), row(5001)], "next": 5001}),
    ]
    lines, cursor = takes_in(tmp_path, web)
    assert "since_ts=2026-11-20T16%3A55%3A00" in web.asked[0]
    assert "since_id=3999" in web.asked[1]
    assert lines == ["fact 4000", "fact 5000", "fact 5001"]
    assert cursor == 5001


def test_a_page_with_a_fact_that_fails_is_rolled_back_and_heard_again_one_by_one(tmp_path: Path) -> None:
    web = ScriptedWeb()
    first = (200, {"ok": True, "events": [row(5000)], "next": 5000})
    both = (200, {"ok": True, "events": [row(5000), row(5001)], "next": 5001})
    web.pages = [first, both, first, (200, {"ok": True, "events": [row(5001)], "next": 5001})]
    lines, cursor = takes_in(tmp_path, web, failures=1)
    assert "limit=500" in web.asked[1]
    assert "limit=1&" in web.asked[2]
    assert lines == ["fact 5000", "fact 5001", "fact 5000", "fact 5001"]  # the first two were rolled back
    assert cursor == 5001


def test_the_same_page_twice_is_taken_in_once(tmp_path: Path) -> None:
    web = ScriptedWeb()
    page = (200, {"ok": True, "events": [row(5000), row(5001)], "next": 5001})
    web.pages = [(200, {"ok": True, "events": [row(5000)], "next": 5000}), page, page]
    lines, _ = takes_in(tmp_path, web)
    assert lines == ["fact 5000", "fact 5001"]
