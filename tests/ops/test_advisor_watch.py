"""Web asks the advisor how it is: both ports, each in its own words, and nobody waits for one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from services.ops.advisor_calls import Addresses
from services.ops.advisor_watch import AdvisorWatch, is_here, together
from services.ops.beside_watch import ASKED_EVERY_SECONDS, LOOK_WAITS_SECONDS
from services.ops.config import Config, ConfigError
from tests.support.advisor_stand_in import AGENT_HEALTH, AdvisorStandIn, advisor, said
from tests.support.desk_process import SETTINGS, eventually
from tests.support.feeds_stand_in import http
from tests.support.own_time import Stopwatch
from tests.support.ports import free_port
from wire.advisor_answer import AdvisorAnswer
from wire.feeds_answer import Found

SECRET = "the-secret-of-the-services"


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=self.seconds)


def watch_of(ml: str | None, agent: str | None, hands: Hands | None = None) -> AdvisorWatch:
    hands = hands or Hands()
    return AdvisorWatch(Addresses(ml, agent, SECRET), hands.now, hands)


def found(
    watch: AdvisorWatch, is_it: Callable[[AdvisorAnswer], bool] = lambda told: told.state != "unknown"
) -> AdvisorAnswer:
    """Look until the answer is there."""

    def look() -> AdvisorAnswer | None:
        told = watch.look()
        return told if is_it(told) else None

    answer: AdvisorAnswer = eventually(look)
    return answer


def of(program: AdvisorStandIn) -> AdvisorWatch:
    return watch_of(program.url, program.url)


def test_both_ports_are_shown_as_they_say_themselves() -> None:
    with advisor() as program:
        told = found(of(program))
        assert (told.state, told.ml.state, told.agent.state) == ("up", "up", "up")
        assert told.ml.health is not None
        assert told.agent.health == AGENT_HEALTH
        assert sorted(heard.path for heard in program.heard) == ["/api/v1/health", "/health"]


def test_on_this_machine_the_secret_is_not_shown_to_whoever_listens() -> None:
    with advisor() as program:
        found(of(program))
        assert [heard.headers.get("x-service-secret") for heard in program.heard] == [None, None]
    assert [is_here(url) for url in ("http://[::1]:8002", "http://advisor:8002", None)] == [True, False, False]


def test_one_whose_provider_is_away_is_degraded() -> None:
    ill = replace(AGENT_HEALTH, status="degraded", llm_provider="ollama", reason="provider_away")
    with advisor() as program:
        program.says["/api/v1/health"] = said(ill)
        told = found(of(program))
    assert (told.state, told.agent.state, told.agent.health) == ("degraded", "degraded", ill)


def test_a_port_that_is_off_is_no_absence() -> None:
    with advisor() as program:
        told = found(watch_of(program.url, None))
    assert (told.state, told.agent.state, told.agent.url) == ("up", "off", None)
    assert watch_of(None, None).look().state == "off"


def test_where_nobody_listens_it_is_away() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    told = found(watch_of(url, url))
    assert (told.state, told.ml.reason, told.agent.reason, told.ml.health) == ("away", "refused", "refused", None)


@pytest.mark.parametrize(
    "answer",
    [http(b"<html>It works!</html>"), said({"status": "healthy"}), http(b"x" * 70_000), b"SSH-2.0\r\n", b""],
    ids=["a page", "another health", "too long", "no http", "hangs up"],
)
def test_another_program_at_its_port_is_never_believed(answer: bytes) -> None:
    with advisor() as program:
        program.says["/health"] = answer
        told = found(of(program))
    assert (told.state, told.ml.state, told.ml.reason, told.agent.state) == ("degraded", "away", "unreadable", "up")


def test_nobody_waits_for_one_that_hangs() -> None:
    with advisor() as program:
        program.says.clear()
        watch = of(program)
        look = Stopwatch()
        assert watch.look().state == "unknown"
        assert look.seconds < LOOK_WAITS_SECONDS + 0.5
        told = found(watch)
    assert (told.state, told.ml.reason, told.agent.reason) == ("away", "silent", "silent")


def test_a_look_for_which_no_thread_starts_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands()
    with advisor() as program:
        watch = watch_of(program.url, program.url, hands)
        with monkeypatch.context() as full:
            full.setattr("threading.Thread.start", no_more_threads)
            assert watch.look().state == "unknown"
        hands.seconds += ASKED_EVERY_SECONDS
        assert found(watch).state == "up"


def no_more_threads(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_one_that_would_be_asked_readably_across_the_internet_is_not() -> None:
    told = found(watch_of("http://advisor.example.com:8002", None))
    assert (told.state, told.ml.reason) == ("away", "read_on_the_way")


def test_since_counts_from_the_change() -> None:
    hands = Hands()
    with advisor() as program:
        watch = watch_of(program.url, None, hands)
        began_at = found(watch).ml.since
        hands.seconds += ASKED_EVERY_SECONDS
        again = found(watch, lambda told: told.ml.asked_at == hands.now())
        assert again.ml.since == began_at
    hands.seconds += 60
    gone = found(watch, lambda told: told.ml.asked_at == hands.now())
    assert (gone.state, gone.ml.since) == ("away", hands.now())


@pytest.mark.parametrize(
    ("ml", "agent", "both"),
    [
        ("up", "up", "up"),
        ("up", "off", "up"),
        ("off", "off", "off"),
        ("up", "away", "degraded"),
        ("away", "away", "away"),
        ("off", "away", "away"),
        ("degraded", "up", "degraded"),
        ("unknown", "up", "unknown"),
    ],
)
def test_two_ports_are_one_advisor(ml: Found, agent: Found, both: Found) -> None:
    assert together(ml, agent) == together(agent, ml) == both


# -- the settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "urls"),
    [
        ({}, ("http://127.0.0.1:8002", "http://127.0.0.1:8003")),
        ({"ML_PORT": "0", "AGENT_PORT": "9003"}, (None, "http://127.0.0.1:9003")),
        ({"ADVISOR_URL": "off", "AGENT_URL": "https://advisor.example.com/"}, (None, "https://advisor.example.com")),
    ],
    ids=str,
)
def test_where_the_advisor_is_asked(settings: dict[str, str], urls: tuple[str | None, str | None]) -> None:
    config = Config.from_env({**SETTINGS, "ADVISOR_URL": "", "AGENT_URL": "", **settings, "SQLITE_PATH": "/nowhere"})
    assert (config.advisor_url, config.agent_url) == urls


@pytest.mark.parametrize("name", ["ADVISOR_URL", "AGENT_URL"])
def test_a_wrong_address_of_the_advisor_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({**SETTINGS, name: "advisor:8002/health"})
