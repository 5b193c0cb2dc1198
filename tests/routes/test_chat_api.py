"""The chat through web: events pass one by one as they come, and every end of the agent is an end for the page."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from services.ops.advisor_chat import LONGEST_EVENT
from tests.support.advisor_stand_in import (
    CHUNKED,
    DONE,
    STREAM_HEAD,
    TOKEN,
    WHOLE,
    WORDS,
    AdvisorStandIn,
    advisor,
    chunk,
    event,
    events_of,
    refusal,
    said,
    until_gone,
)
from tests.support.api_document import documented
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, DeskProcess, OperatorCaller, error_of, eventually
from tests.support.feeds_stand_in import http
from wire.agent import ErrorEvent, ToolCallEvent

pytestmark = pytest.mark.processes

AT_THE_AGENT = "/api/v1/chat"
QUESTION = {"message": "Why can I not enter?"}
ASKS_TOOL = ToolCallEvent(tool="explain_blocks", arguments={"asset": "ES"})


@pytest.fixture(scope="module")
def program() -> Iterator[AdvisorStandIn]:
    with advisor() as running:
        yield running


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, program: AdvisorStandIn) -> Iterator[DeskProcess]:
    folder = tmp_path_factory.mktemp("chat")
    with DeskProcess(folder, **QUICK, AGENT_URL=program.url) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def streamed(operator: OperatorCaller, **more: Any) -> requests.Response:
    """Ask for a stream; return when its head is there."""
    return operator.post("/api/chat", json={**QUESTION, "stream": True}, stream=True, **more)


def told(program: AdvisorStandIn, operator: OperatorCaller, *pieces: bytes) -> list[dict[str, Any]]:
    """Return what the page hears of an agent that says these pieces and hangs up."""

    def says(line: socket.socket) -> None:
        for piece in pieces:
            line.sendall(piece)

    program.says[AT_THE_AGENT] = says
    answer = documented(streamed(operator))
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    return events_of(answer.content)


def types_of(events: list[dict[str, Any]]) -> list[str]:
    return [one["type"] for one in events]


# -- one answer ------------------------------------------------------------------------------------------------------


def test_without_a_stream_the_answer_comes_whole(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    program.says[AT_THE_AGENT] = said(WHOLE)
    answer = documented(operator.post("/api/chat", json={**QUESTION, "conversation_id": "conv-1"}))
    assert (answer.status_code, answer.json()["response"], answer.json()["source"]) == (200, WORDS, "rules")
    sent = program.asked[-1]
    assert (sent.method, sent.headers["accept"]) == ("POST", "application/json")
    assert b'"conversation_id":"conv-1"' in sent.body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": "x" * 4_001},
        {**QUESTION, "model": "gpt"},
        {**QUESTION, "conversation_id": "a b"},
    ],
    ids=["nothing", "empty", "too long", "unknown field", "odd name"],
)
def test_a_message_that_cannot_be_asked_is_refused_by_web(
    program: AdvisorStandIn, operator: OperatorCaller, body: dict[str, Any]
) -> None:
    before = len(program.heard)
    error_of(documented(operator.post("/api/chat", json=body)), 400)
    assert len(program.heard) == before


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (
            refusal("provider_away", "the language model does not answer", "503 Service Unavailable"),
            503,
            "provider_away",
        ),
        (refusal("busy", "as many questions as may be", "503 Service Unavailable"), 503, "busy"),
        (refusal("invalid_body", "the message is empty", "400 Bad Request"), 400, "invalid_body"),
        (refusal("missing_scope", "not yours", "403 Forbidden"), 503, "advisor_away"),
        (http(b"<html>It works!</html>", "HTTP/1.1 200 OK\r\nContent-Type: text/html"), 503, "advisor_away"),
        (http(b'{"response": 5}'), 503, "advisor_away"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 503, "advisor_away"),
    ],
    ids=["no model", "busy", "empty", "another secret", "html", "no answer", "no http"],
)
def test_an_agent_that_refuses_or_is_none_has_a_status(
    program: AdvisorStandIn, operator: OperatorCaller, answer: bytes, status: int, code: str, stream: bool
) -> None:
    program.says[AT_THE_AGENT] = answer
    said_by_web = documented(operator.post("/api/chat", json={**QUESTION, "stream": stream}))
    error_of(said_by_web, status)
    assert said_by_web.json()["code"] == code


# -- a stream --------------------------------------------------------------------------------------------------------


def test_each_event_is_there_before_the_next_one_is_said(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    may_go_on = [threading.Event(), threading.Event()]

    def says(line: socket.socket) -> None:
        line.sendall(CHUNKED)
        for piece, pause in zip((event(ASKS_TOOL), event(TOKEN)), may_go_on, strict=True):
            line.sendall(chunk(piece))
            pause.wait(PATIENCE_SECONDS)
        line.sendall(chunk(event(DONE)) + chunk(b""))

    program.says[AT_THE_AGENT] = says
    answer = streamed(operator)
    assert (answer.headers["X-Accel-Buffering"], answer.headers["Cache-Control"]) == ("no", "no-store")
    pieces = (line for line in answer.iter_lines(chunk_size=1) if line)
    assert b'"tool_call"' in next(pieces)
    may_go_on[0].set()
    assert b'"token"' in next(pieces)
    may_go_on[1].set()
    assert b'"done"' in next(pieces)
    assert list(pieces) == []
    assert b'"stream":true' in program.asked[-1].body


def test_a_slow_drip_is_whole_events_for_the_page(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    heard = told(program, operator, STREAM_HEAD + b"\r\n", *(bytes([byte]) for byte in b": on it\n\n" + event(DONE)))
    assert types_of(heard) == ["done"]


def test_what_another_kind_of_line_says_is_left_out(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    body = b"retry: 1\r\nid: 7\r\nevent: token\r\n" + event(TOKEN).replace(b"\n", b"\r\n") + event(DONE)

    def says(line: socket.socket) -> None:
        line.sendall(STREAM_HEAD + b"\r\n" + body)

    program.says[AT_THE_AGENT] = says
    lines = [line for line in streamed(operator).content.splitlines() if line]
    assert [line[:5] for line in lines] == [b"data:", b"data:"]


def test_the_agents_own_error_is_the_end(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    fault = ErrorEvent(error="provider_away", detail="the model broke off", conversation_id="conv-1")
    heard = told(program, operator, STREAM_HEAD + b"\r\n", event(TOKEN), event(fault))
    assert [one.get("error") for one in heard] == [None, "provider_away"]


@pytest.mark.parametrize(
    "pieces",
    [
        (STREAM_HEAD + b"\r\n", event(TOKEN)),
        (CHUNKED, chunk(event(TOKEN))),
        (CHUNKED, chunk(event(TOKEN)), b"400\r\ndata: half a chu"),
        (STREAM_HEAD + b"Content-Length: 9999\r\n\r\n", event(TOKEN)),
        (STREAM_HEAD + b"\r\n", event(TOKEN), b'data: {"type":"done"}\n\n'),
        (STREAM_HEAD + b"\r\n", event(TOKEN), b"data: nonsense\n\n"),
        (STREAM_HEAD + b"\r\n", event(TOKEN), b'data: {"type":"order","asset":"ES"}\n\n'),
        (STREAM_HEAD + b"\r\n", event(TOKEN), b'data: {"type":"token","text":"' + b"x" * LONGEST_EVENT + b'"}\n\n'),
        (STREAM_HEAD + b"\r\n", event(TOKEN), b"data: " + b"x" * 100 * LONGEST_EVENT),
    ],
    ids=[
        *("hangs up", "hangs up between chunks", "hangs up in a chunk", "shorter than it said", "half an end"),
        *("nonsense", "an unknown event", "too long", "without end"),
    ],
)
def test_an_agent_that_breaks_off_is_an_error_and_the_end(
    program: AdvisorStandIn, operator: OperatorCaller, pieces: tuple[bytes, ...]
) -> None:
    heard = told(program, operator, *pieces)
    assert types_of(heard) == ["token", "error"]
    assert heard[1]["error"] == "advisor_away"


def test_a_page_that_hangs_up_ends_the_question_at_the_agent(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    gone = threading.Event()

    def says(line: socket.socket) -> None:
        line.sendall(STREAM_HEAD + b"\r\n" + event(TOKEN))
        until_gone(line)
        gone.set()

    program.says[AT_THE_AGENT] = says
    answer = streamed(operator)
    assert b"token" in next(answer.iter_lines(chunk_size=1))
    answer.close()
    assert gone.wait(PATIENCE_SECONDS)


def test_a_page_that_hangs_up_before_the_first_word_ends_it_too(
    desk: DeskProcess, program: AdvisorStandIn, operator: OperatorCaller
) -> None:
    program.says.pop(AT_THE_AGENT, None)
    before = program.given_up
    body = b'{"message": "why?", "stream": true}'
    head = (
        f"POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1:{desk.port}\r\nCookie: {operator.session_cookie}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", desk.port)) as page:
        page.sendall(head.encode() + body)
        eventually(lambda: program.open == 1)
    eventually(lambda: program.given_up == before + 1)


def test_a_desk_that_ends_ends_its_chats(tmp_path_factory: pytest.TempPathFactory, program: AdvisorStandIn) -> None:
    def says(line: socket.socket) -> None:
        line.sendall(STREAM_HEAD + b"\r\n" + event(TOKEN))
        until_gone(line)

    program.says[AT_THE_AGENT] = says
    with DeskProcess(tmp_path_factory.mktemp("ends"), **QUICK, AGENT_URL=program.url) as ending:
        answer = streamed(ending.operator())
        lines = answer.iter_lines(chunk_size=1)
        assert b"token" in next(lines)
        assert ending.process is not None
        ending.process.terminate()
        assert "advisor_away" in str(b"".join(lines))
        ending.process.wait(PATIENCE_SECONDS)
