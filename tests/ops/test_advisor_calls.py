"""Questions to the advisor: four at once, three of them chats, none of them for ever, and the secret stays private."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from services.ops import advisor_calls, advisor_chat
from services.ops.advisor_calls import (
    MOST_AT_ONCE,
    MOST_CHATS,
    MOST_OF_KEYS,
    Addresses,
    AdvisorAway,
    AdvisorCalls,
    TooManyAsk,
)
from services.ops.advisor_chat import ChatCall
from services.ops.beside_call import Bounds, Question
from tests.support.advisor_stand_in import DONE, TOKEN, AdvisorStandIn, advisor, event, events_of, said, until_gone
from tests.support.desk_process import eventually
from tests.support.own_time import Stopwatch
from tests.support.ports import free_port

SECRET = "the-secret-of-the-services"
HANGS = Question("/hangs")
CHAT = Question("/api/v1/chat", method="POST", body=b'{"message":"why?","stream":true}', accepts="text/event-stream")


class Woken:
    """Counts how often whoever waits is woken."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def calls_of(program: AdvisorStandIn, wake: Woken | None = None) -> AdvisorCalls:
    return AdvisorCalls(Addresses(program.url, program.url, SECRET), wake or Woken())


def chat(calls: AdvisorCalls, *, streams: bool = True) -> ChatCall:
    return calls.begin("agent", CHAT, lambda url, asked: ChatCall(url, asked, streams=streams))


def whole_stream(call: ChatCall) -> bytes:
    """Return everything that a stream says, to its end."""
    woken = threading.Event()
    call.start(woken.set)
    taken = b""
    while woken.wait(30):
        woken.clear()
        piece, goes_on = call.take()
        taken += piece
        if not goes_on:
            return taken
    raise AssertionError("the stream did not end")


def test_an_answer_wakes_who_waits_and_the_secret_is_shown() -> None:
    with advisor() as program:
        program.says["/models"] = said({"models": []})
        wake = Woken()
        call = calls_of(program, wake).ask("ml", Question("/models"))
        eventually(lambda: call.is_over and wake.times)
        assert call.result().body == b'{"models":[]}'
        assert [heard.headers["x-service-secret"] for heard in program.heard] == [SECRET]


def test_the_fifth_question_is_refused_at_once_and_places_come_free() -> None:
    with advisor() as program:
        calls = calls_of(program)
        hanging = [calls.ask("ml", HANGS) for _ in range(MOST_AT_ONCE)]
        with pytest.raises(TooManyAsk):
            calls.ask("ml", HANGS)
        eventually(lambda: program.open == MOST_AT_ONCE)
        hanging[0].give_up()
        eventually(lambda: hanging[0].is_over)
        program.says["/models"] = said({})
        answered = eventually(lambda: _begun(calls))
        eventually(lambda: answered.is_over)
        assert answered.result().status == 200
        calls.stop()


def _begun(calls: AdvisorCalls) -> Any:
    try:
        return calls.ask("ml", Question("/models"))
    except TooManyAsk:
        return None


def test_chats_leave_a_place_for_what_is_answered_at_once() -> None:
    with advisor() as program:
        calls = calls_of(program)
        for _ in range(MOST_CHATS):
            chat(calls)
        with pytest.raises(TooManyAsk):
            chat(calls)
        program.says["/models"] = said({})
        call = calls.ask("ml", Question("/models"))
        eventually(lambda: call.is_over)
        assert call.result().status == 200
        calls.stop()


def test_programs_with_a_key_leave_places_for_the_operator() -> None:
    with advisor() as program:
        calls = calls_of(program)
        for _ in range(MOST_OF_KEYS):
            calls.ask("ml", HANGS, is_of_key=True)
        with pytest.raises(TooManyAsk):
            calls.ask("ml", HANGS, is_of_key=True)
        program.says["/models"] = said({})
        call = calls.ask("ml", Question("/models"))
        eventually(lambda: call.is_over)
        assert call.result().status == 200
        calls.stop()


def test_an_advisor_that_hangs_is_away_after_two_seconds() -> None:
    with advisor() as program:
        watch = Stopwatch()
        call = calls_of(program).ask("ml", HANGS)
        eventually(lambda: call.is_over)
        assert watch.seconds < advisor_calls.ANSWER.seconds + 0.5
        with pytest.raises(AdvisorAway, match="no answer in time"):
            call.result()


@pytest.mark.parametrize("is_chat", [True, False])
def test_a_question_that_is_given_up_ends_at_the_advisor(is_chat: bool) -> None:
    with advisor() as program:
        calls = calls_of(program)
        call = chat(calls) if is_chat else calls.ask("ml", HANGS)
        eventually(lambda: program.open == 1)
        call.give_up()
        eventually(lambda: program.given_up == 1 and call.is_over)


def test_when_web_ends_every_question_ends() -> None:
    with advisor() as program:
        calls = calls_of(program)
        for _ in range(MOST_CHATS):
            chat(calls)
        eventually(lambda: program.open == MOST_CHATS)
        calls.stop()
        eventually(lambda: program.given_up == MOST_CHATS)
        with pytest.raises(TooManyAsk):
            calls.ask("ml", HANGS)


def test_an_agent_that_does_not_say_that_it_lives_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor_chat, "ALIVE", Bounds(seconds=0.2, longest=1_000))
    with advisor() as program:
        del program.says["/api/v1/health"]
        call = chat(calls_of(program))
        eventually(lambda: call.is_over)
        with pytest.raises(AdvisorAway, match="no answer in time"):
            call.result()
        assert program.asked == []


def test_a_stream_that_falls_silent_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor_chat, "CHAT", Bounds(seconds=3.0, longest=10_000))

    def falls_silent(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event(TOKEN))
        until_gone(line)

    with advisor() as program:
        program.says["/api/v1/chat"] = falls_silent
        told = events_of(whole_stream(chat(calls_of(program))))
    assert [one["type"] for one in told] == ["token", "error"]
    assert (told[1]["error"], "no answer in time" in told[1]["detail"]) == ("advisor_away", True)


def test_a_stream_ends_with_its_last_event_whatever_follows() -> None:
    def goes_on(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event(DONE) + event(TOKEN))
        until_gone(line)

    with advisor() as program:
        program.says["/api/v1/chat"] = goes_on
        told = events_of(whole_stream(chat(calls_of(program))))
    assert [one["type"] for one in told] == ["done"]


# -- where it is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        (Addresses(None, None, SECRET), "the advisor is off: AGENT_URL names no address"),
        (Addresses("http://127.0.0.1:1", "http://127.0.0.1:1", None), "SERVICE_SECRET is not set"),
        (Addresses(None, "http://advisor.example.com:8003", SECRET), "everybody on the way reads the secret"),
    ],
    ids=["off", "no secret", "read on the way"],
)
def test_where_nobody_may_be_asked_the_sentence_says_so(addresses: Addresses, sentence: str) -> None:
    with pytest.raises(AdvisorAway, match=sentence):
        AdvisorCalls(addresses, Woken()).ask("agent", HANGS)


def test_where_nobody_listens_it_is_away() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    call = AdvisorCalls(Addresses(url, url, SECRET), Woken()).ask("ml", HANGS)
    eventually(lambda: call.is_over)
    with pytest.raises(AdvisorAway, match="nobody listens"):
        call.result()
