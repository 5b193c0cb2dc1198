"""Keys as feeds know them: asked once, believed for a second, good for a while when web is away, never guessed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from starlette.datastructures import Headers

from sidecar import keys as module
from sidecar.keys import ASKED_AT_ONCE, HOLDS_SECONDS, KNOWN_FOR_SECONDS, Hold, KeyDoor, key_in
from sidecar.web import DeskAway, WebClient
from tests.support.narrow import known
from wire.keys import KeyCheck


class Web:
    """Web as the door calls it: it knows some keys, counts questions, and may be away."""

    def __init__(self) -> None:
        self.scopes: dict[str, tuple[str, ...]] = {}
        self.asked: list[list[str]] = []
        self.is_away = False
        self.gate: asyncio.Event | None = None
        self.edition: str | None = None

    async def post(self, path: str, body: bytes, answer_seconds: float) -> bytes:
        asked = json.loads(body)
        assert path == "/api/keys/checks"
        tokens = asked["tokens"]
        self.asked.append(tokens)
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise DeskAway("unreachable", "web is away")
        found = [self._check(token) for token in tokens]
        return json.dumps({"ok": True, "keys": found, "edition": self.edition}).encode()

    def _check(self, token: str) -> dict[str, object]:
        if token not in self.scopes:
            return {"ok": True, "active": False, "id": None, "account": None, "scopes": []}
        return {"ok": True, "active": True, "id": token, "account": token, "scopes": list(self.scopes[token])}


class Watched:
    """What a holder of keys heard."""

    def __init__(self) -> None:
        self.heard: list[KeyCheck | None] = []
        self.unknown = 0

    def hold(self, token: str) -> Hold:
        return Hold(token, self.heard.append, self._is_unknown)

    def _is_unknown(self) -> None:
        self.unknown += 1


class Story:
    """A door with its web and its clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.web = Web()
        self.door = KeyDoor(cast("WebClient", self.web), lambda: self.now)

    async def turns(self) -> None:
        """Let the door ask again once, a while later."""
        self.now += HOLDS_SECONDS
        turn = asyncio.create_task(self.door.run())
        await asyncio.sleep(0.05)
        turn.cancel()


def told(act: Callable[[Story], Awaitable[None]]) -> None:
    """Play a story on a loop of its own."""
    asyncio.run(asyncio.wait_for(_played(act), 20))


async def _played(act: Callable[[Story], Awaitable[None]]) -> None:
    await act(Story())


def test_an_answer_holds_for_a_second_good_or_bad() -> None:
    async def act(story: Story) -> None:
        story.web.scopes["good"] = ("ws:connect",)
        for _ in range(3):
            assert (await story.door.check("good")) is not None
            assert (await story.door.check("bad")) is None
        assert story.web.asked == [["good"], ["bad"]]
        del story.web.scopes["good"]
        story.now += HOLDS_SECONDS
        assert (await story.door.check("good")) is None

    told(act)


def test_while_no_key_changes_web_is_asked_for_no_key_again_but_for_new_ones() -> None:
    async def act(story: Story) -> None:
        story.web.scopes |= {"one": ("ws:connect",), "two": ("ws:connect",)}
        story.web.edition = "first"
        one, two = Watched(), Watched()
        story.door.hold(one.hold("one"), known(await story.door.check("one")))
        story.web.asked.clear()
        await story.turns()
        await story.turns()
        story.door.hold(two.hold("two"), known(await story.door.check("two")))
        story.web.asked.clear()
        await story.turns()
        await story.turns()
        assert story.web.asked == [[], ["two"], []]
        del story.web.scopes["one"]
        story.web.edition = "second"
        await story.turns()
        assert (one.heard, two.heard) == ([None], [])

    told(act)


def test_a_key_revoked_between_the_two_questions_of_a_turn_is_heard_in_the_next_one() -> None:
    async def act(story: Story) -> None:
        story.web.scopes["one"] = ("ws:connect",)
        story.web.edition = "first"
        one = Watched()
        story.door.hold(one.hold("one"), known(await story.door.check("one")))
        await story.turns()
        story.web.edition = "second"
        await story.turns()
        assert one.heard == []
        del story.web.scopes["one"]
        story.web.edition = "third"
        await story.turns()
        assert one.heard == [None]

    told(act)


def test_a_key_that_web_confirms_by_its_edition_stays_good_for_longer_than_an_outage() -> None:
    async def act(story: Story) -> None:
        story.web.scopes["one"] = ("ws:connect",)
        story.web.edition = "first"
        one = Watched()
        story.door.hold(one.hold("one"), known(await story.door.check("one")))
        await story.turns()
        story.now += KNOWN_FOR_SECONDS
        await story.turns()
        story.web.is_away = True
        story.now += KNOWN_FOR_SECONDS / 2
        await story.turns()
        assert one.unknown == 0
        story.now += KNOWN_FOR_SECONDS
        await story.turns()
        assert one.unknown > 0

    told(act)


def test_many_who_show_one_key_at_once_ask_once() -> None:
    async def act(story: Story) -> None:
        story.web.scopes["good"] = ("ws:connect",)
        story.web.gate = asyncio.Event()
        waiting = [asyncio.create_task(story.door.check("good")) for _ in range(50)]
        waiting[0].cancel()  # who leaves takes nobody's answer along
        await asyncio.sleep(0.02)
        story.web.gate.set()
        found = await asyncio.gather(*waiting[1:])
        assert all(check is not None and check.account == "good" for check in found)
        assert story.web.asked == [["good"]]

    told(act)


@pytest.mark.parametrize("token", ["", "x" * 201, "lk_ü", "lk_\n", "lk_\x00"])
def test_what_is_no_key_is_not_asked_about(token: str) -> None:
    async def act(story: Story) -> None:
        assert await story.door.check(token) is None
        assert story.web.asked == []

    told(act)


def test_a_flood_of_strangers_asks_a_bounded_number_of_questions() -> None:
    async def act(story: Story) -> None:
        story.web.gate = asyncio.Event()
        waiting = [asyncio.create_task(story.door.check(f"stranger-{n}")) for n in range(module.STRANGERS_AT_ONCE + 30)]
        await asyncio.sleep(0.02)
        story.web.gate.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(one, DeskAway) for one in found) == 30
        assert sum(len(tokens) for tokens in story.web.asked) == module.STRANGERS_AT_ONCE
        assert len(story.web.asked) <= module.STRANGERS_AT_ONCE / ASKED_AT_ONCE + 1

    told(act)


def test_while_web_is_away_a_known_key_is_good_for_a_while_and_a_new_one_is_unknown() -> None:
    async def act(story: Story) -> None:
        story.web.scopes["good"] = ("ws:connect",)
        await story.door.check("good")
        await story.door.check("bad")
        story.web.is_away = True
        story.now += KNOWN_FOR_SECONDS - 1
        assert await story.door.check("good") is not None
        for token in ("bad", "unseen"):
            with pytest.raises(DeskAway):
                await story.door.check(token)
        story.now += 1
        with pytest.raises(DeskAway):
            await story.door.check("good")

    told(act)


def test_who_holds_a_key_hears_each_change_once() -> None:
    async def act(story: Story) -> None:
        watched = Watched()
        story.web.scopes["good"] = ("ws:connect", "prices:read")
        hold = watched.hold("good")
        check = await story.door.check("good")
        assert check is not None
        story.door.hold(hold, check)
        await story.turns()
        assert watched.heard == []
        story.web.scopes["good"] = ("ws:connect",)
        await story.turns()
        del story.web.scopes["good"]
        await story.turns()
        await story.turns()
        assert [one and one.scopes for one in watched.heard] == [("ws:connect",), None]
        story.door.release(hold)
        asked = len(story.web.asked)
        await story.turns()
        assert len(story.web.asked) == asked

    told(act)


def test_a_thousand_keys_are_asked_about_in_few_calls_each_once() -> None:
    async def act(story: Story) -> None:
        watched = Watched()
        for number in range(1_000):
            story.web.scopes[f"key-{number}"] = ("ws:connect",)
            check = KeyCheck(active=True, id=f"key-{number}", account=f"key-{number}", scopes=("ws:connect",))
            story.door.hold(watched.hold(f"key-{number}"), check)
        for _ in range(3):  # several sockets of one key are one question
            story.door.hold(watched.hold("key-7"), KeyCheck(active=True, id="key-7", account="key-7"))
        del story.web.scopes["key-999"]
        await story.turns()
        assert [len(tokens) for tokens in story.web.asked] == [ASKED_AT_ONCE] * (1_000 // ASKED_AT_ONCE)
        assert len({token for tokens in story.web.asked for token in tokens}) == 1_000
        assert watched.heard.count(None) == 1

    told(act)


def test_when_nobody_could_say_for_too_long_the_holder_is_told() -> None:
    async def act(story: Story) -> None:
        watched = Watched()
        story.web.scopes["good"] = ("ws:connect",)
        check = await story.door.check("good")
        assert check is not None
        story.door.hold(watched.hold("good"), check)
        story.web.is_away = True
        await story.turns()
        assert (watched.heard, watched.unknown) == ([], 0)
        story.now += KNOWN_FOR_SECONDS
        await story.turns()
        assert (watched.heard, watched.unknown) == ([], 1)

    told(act)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer   abc "}, "abc"),
        ({"X-API-Key": " abc "}, "abc"),
        ({"X-API-Key": "abc", "Authorization": "Bearer abc"}, "abc"),
        ({"X-API-Key": "abc", "Authorization": "Bearer other"}, None),
        ({"X-API-Key": "abc", "Authorization": "Basic other"}, "abc"),
        ({"Authorization": "Bearer"}, None),
        ({"Authorization": "abc"}, None),
        ({"X-API-Key": ""}, None),
        ({}, None),
    ],
)
def test_a_key_is_read_from_either_header(headers: dict[str, str], key: str | None) -> None:
    assert key_in(Headers(headers)) == key
