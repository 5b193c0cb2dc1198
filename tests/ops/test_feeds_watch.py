"""Web asks feeds how it is: it believes feeds and nothing else, and nobody waits for a feeds that hangs."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from services.ops.beside_watch import ASKED_EVERY_SECONDS, LOOK_WAITS_SECONDS
from services.ops.config import Config, ConfigError
from services.ops.feeds_watch import FeedsWatch
from tests.support.desk_process import SETTINGS, DeskProcess, eventually
from tests.support.feeds_stand_in import HEALTH, WRITER, http, program
from tests.support.own_time import Stopwatch
from tests.support.ports import free_port
from wire.feeds_answer import FeedsAnswer


class Hands:
    """Clocks that are moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


def found(watch: FeedsWatch) -> FeedsAnswer:
    """Look until the first answer is there."""

    def look() -> FeedsAnswer | None:
        answer = watch.look()
        return None if answer.state == "unknown" else answer

    answer: FeedsAnswer = eventually(look)
    return answer


def watch_of(url: str) -> FeedsWatch:
    return FeedsWatch(url, lambda: datetime.now(UTC), lambda: WRITER)


def test_feeds_is_shown_as_it_says_itself() -> None:
    with program(http(msgspec.json.encode(HEALTH))) as feeds:
        answer = found(watch_of(feeds.url))
    assert (answer.state, answer.reason, answer.url) == ("up", None, feeds.url)
    assert answer.health == HEALTH


def test_a_feeds_that_misses_web_or_a_port_is_degraded() -> None:
    missing = msgspec.structs.replace(HEALTH, status="degraded")
    with program(http(msgspec.json.encode(missing), "HTTP/1.1 503 Service Unavailable")) as feeds:
        assert found(watch_of(feeds.url)).state == "degraded"


def test_where_nobody_listens_it_is_away() -> None:
    answer = found(watch_of(f"http://127.0.0.1:{free_port()}"))
    assert (answer.state, answer.reason, answer.health) == ("away", "refused", None)
    assert answer.since is not None


@pytest.mark.parametrize(
    "said",
    [
        http(b"<html>It works!</html>", "HTTP/1.1 200 OK"),
        http(b'{"ok": true, "status": "ok"}'),
        http(msgspec.json.encode(HEALTH).replace(b"lockstep.feeds", b"somebody.else")),
        http(b'{"program": "lockstep.feeds", "a": "' + b"x" * 70_000 + b'"}'),
        http(b"", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"\x00\xff\x00\xff" * 100,
    ],
    ids=["a page", "another health", "another name", "too long", "leads away", "no http", "hangs up", "noise"],
)
def test_another_program_at_its_port_is_never_believed(said: bytes) -> None:
    with program(said) as stranger:
        answer = found(watch_of(stranger.url))
    assert (answer.state, answer.reason, answer.health) == ("away", "unreadable", None)


def test_the_feeds_of_another_desk_is_not_shown_as_ours() -> None:
    """Two desks on one machine: the second one's feeds finds every port taken. A takeover looks so for a moment."""
    hands = Hands()
    with program(http(msgspec.json.encode(HEALTH))) as feeds:
        other = FeedsWatch(feeds.url, hands.now, lambda: "machine/9999", hands)
        eventually(lambda: other.look() and feeds.asked == 1)
        assert other.look().state == "unknown"
        hands.seconds += ASKED_EVERY_SECONDS
        assert (found(other).reason, found(other).health) == ("other_desk", None)
        assert found(watch_of(feeds.url)).state == "up"


@pytest.mark.parametrize("pause_seconds", [30, 0.2], ids=["silent", "a byte now and then"])
def test_nobody_waits_for_one_that_hangs(pause_seconds: float) -> None:
    with program(http(msgspec.json.encode(HEALTH)), pause_seconds) as hanging:
        watch = watch_of(hanging.url)
        look = Stopwatch()
        assert watch.look().state == "unknown"
        assert look.seconds < LOOK_WAITS_SECONDS + 0.5
        answer = found(watch)
    assert (answer.state, answer.reason) == ("away", "silent")


def test_many_looks_are_one_question() -> None:
    hands = Hands()
    with program(http(msgspec.json.encode(HEALTH))) as feeds:
        watch = FeedsWatch(feeds.url, hands.now, lambda: WRITER, hands)
        assert [found(watch).state for _ in range(20)] == ["up"] * 20
        assert feeds.asked == 1
        hands.seconds += ASKED_EVERY_SECONDS
        watch.look()
        eventually(lambda: feeds.asked == 2)


def test_since_counts_from_the_change_and_not_from_the_question() -> None:
    hands = Hands()
    with program(http(msgspec.json.encode(HEALTH))) as feeds:
        watch = FeedsWatch(feeds.url, hands.now, lambda: WRITER, hands)
        began_at = found(watch).since
        hands.seconds += 60
        answer = asked_again(watch, hands)
        assert answer.since == began_at
        assert answer.asked_at != began_at
    hands.seconds += 60
    gone = asked_again(watch, hands)
    assert (gone.state, gone.since) == ("away", gone.asked_at)


def asked_again(watch: FeedsWatch, hands: Hands) -> FeedsAnswer:
    now = hands.now()

    def look() -> FeedsAnswer | None:
        answer = watch.look()
        return answer if answer.asked_at == now else None

    answer: FeedsAnswer = eventually(look)
    return answer


def test_off_is_no_absence() -> None:
    answer = FeedsWatch(None, lambda: datetime.now(UTC), lambda: WRITER).look()
    assert (answer.state, answer.reason, answer.url) == ("off", None, None)


# -- the setting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:8765"),
        ({"FEEDS_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"FEEDS_PORT": "0"}, None),
        ({"FEEDS_URL": "off"}, None),
        ({"FEEDS_URL": "http://[::1]:8765"}, "http://[::1]:8765"),
        ({"FEEDS_URL": "http://feeds:8765/", "FEEDS_PORT": "0"}, "http://feeds:8765"),
        ({"FEEDS_URL": "https://feeds.example.com"}, "https://feeds.example.com"),
    ],
    ids=str,
)
def test_where_feeds_is_asked(settings: dict[str, str], url: str | None) -> None:
    assert Config.from_env({**SETTINGS, "FEEDS_URL": "", **settings, "SQLITE_PATH": "/nowhere"}).feeds_url == url


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8765",
        "ftp://feeds",
        "http://feeds/health",
        "http://user:word@feeds",
        "http://",
        "yes",
        "http://feeds:99999",
    ],
)
def test_a_wrong_address_of_feeds_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match="FEEDS_URL"):
        Config.from_env({**SETTINGS, "FEEDS_URL": url})


# -- at a desk -------------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_the_operator_alone_sees_it(tmp_path: Path) -> None:
    with program(b"") as feeds, DeskProcess(tmp_path, FEEDS_URL=feeds.url) as desk:
        feeds.says_of(desk)
        assert desk.stranger().get("/api/feeds").status_code == 401
        assert desk.bridge().get("/api/feeds").status_code == 401
        operator = desk.operator()
        answer = eventually(lambda: _up(operator.get("/api/feeds").json))
    assert answer["health"]["ports"][0]["clients"] == 2


def _up(body: Callable[[], dict[str, object]]) -> dict[str, object] | None:
    answer = body()
    return answer if answer["state"] == "up" else None
