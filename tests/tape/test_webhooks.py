"""The line to the desk against a real HTTP server that can refuse, fail and hang up: nothing is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tape.controls import Controls, TapeStopped
from tape.messages import Message
from tape.webhooks import DeskLine, DeskRefused
from tests.support.own_time import Stopwatch

DROP, TAKE_AND_DROP = "drop", "take and drop"


class Desk:
    """A desk that takes every message, unless ``answers`` says otherwise for the next ones."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.tries: list[tuple[str, dict[str, Any]]] = []
        self.content_types: set[str] = set()
        self.connections = 0
        self.answers: list[int | str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), webhooks_of(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def bricks(self) -> list[dict[str, Any]]:
        return [body for webhook, body in self.taken if webhook != "/tv_heartbeat"]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def webhooks_of(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Webhooks(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            desk.connections += 1
            super().setup()

        def do_GET(self) -> None:
            self.answer(302)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            desk.content_types.add(self.headers["Content-Type"])
            desk.tries.append((self.path, body))
            answer = desk.answers.pop(0) if desk.answers else 200
            if answer in (200, TAKE_AND_DROP):
                desk.taken.append((self.path, body))
            if isinstance(answer, int):
                self.answer(answer)
            else:
                self.close_connection = True

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None:
            pass

    return Webhooks


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def message(number: int = 1) -> Message:
    return Message("/tv_renko", json.dumps({"bar_id": number}).encode())


def test_a_message_that_is_taken_is_sent_once(desk: Desk) -> None:
    assert DeskLine(desk.url + "/", Controls()).deliver(message()) == 0
    assert desk.tries == desk.taken == [("/tv_renko", {"bar_id": 1})]
    assert desk.content_types == {"application/json"}


@pytest.mark.parametrize("trouble", [500, 502, 503, 504, 429, DROP])
def test_trouble_is_met_with_the_same_message_again(desk: Desk, trouble: int | str) -> None:
    desk.answers = [200, trouble, trouble, 200]
    line = DeskLine(desk.url, Controls())
    assert [line.deliver(message(number)) for number in (1, 2, 3)] == [0, 2, 0]
    assert [body["bar_id"] for _, body in desk.taken] == [1, 2, 3]
    assert [body["bar_id"] for _, body in desk.tries] == [1, 2, 2, 2, 3]


def test_an_answer_that_got_lost_makes_a_duplicate(desk: Desk) -> None:
    desk.answers = [TAKE_AND_DROP]
    assert DeskLine(desk.url, Controls()).deliver(message()) == 1
    assert [body["bar_id"] for _, body in desk.taken] == [1, 1]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "/tv_renko answered 401: the desk refused TV_WEBHOOK_SECRET"),
        (400, "/tv_renko answered 400: {}"),
        (404, "is this the desk's address"),
        (302, "answered 302"),
    ],
)
def test_a_refusal_is_not_repeated(desk: Desk, status: int, sentence: str) -> None:
    desk.answers = [status]
    with pytest.raises(DeskRefused, match=sentence) as caught:
        DeskLine(desk.url, Controls()).deliver(message())
    assert caught.value.status == status
    assert len(desk.tries) == 1


def test_stopping_while_the_desk_is_down_ends_at_once(desk: Desk) -> None:
    desk.answers = [503] * 1000
    controls = Controls()
    threading.Timer(0.3, controls.stop).start()
    watch = Stopwatch()
    with pytest.raises(TapeStopped):
        DeskLine(desk.url, controls).deliver(message())
    assert desk.taken == []
    assert watch.seconds < 2


def test_an_outage_is_told_once_in_one_sentence(desk: Desk) -> None:
    desk.answers = [503] * 4
    told: list[str] = []
    assert DeskLine(desk.url, Controls(say=told.append)).deliver(message()) == 4
    assert told == ["The desk answers 503 and takes no message: the tape waits and sends again."]


def test_a_desk_that_redirects_to_its_login_is_up(desk: Desk) -> None:
    assert DeskLine(desk.url, Controls()).wait_until_up(1.0)


def test_waiting_for_a_desk_that_never_comes_has_an_end(desk: Desk) -> None:
    desk.close()
    watch = Stopwatch()
    assert not DeskLine(desk.url, Controls()).wait_until_up(0.5)
    assert watch.seconds < 1.5
