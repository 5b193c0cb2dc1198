"""Programs beside web ask about many keys in one call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.desk_process import SERVICE_SECRET, eventually
from tests.support.market_floor import MarketFloor
from wire.keys import SERVICE_HEADER

pytestmark = pytest.mark.processes


def test_many_keys_are_answered_in_their_order(tmp_path: Path) -> None:
    floor = MarketFloor(tmp_path)
    with floor.desk as desk:
        one, other = floor.keys(2, "ws:connect", "prices:read")
        caller = desk.stranger()
        caller.headers[SERVICE_HEADER] = SERVICE_SECRET

        def asks(*tokens: str, path: str = "/api/keys/checks") -> tuple[int, list[bool]]:
            answer = caller.post(path, json={"tokens": tokens})
            return answer.status_code, [key["active"] for key in answer.json().get("keys", ())]

        assert asks(one, "nonsense", other, one) == (200, [True, False, True, True])
        assert asks() == (200, [])
        assert asks(*[one] * 200) == (200, [True] * 200)
        assert asks(*[one] * 201)[0] == 400
        assert asks(one, "x" * 201)[0] == 400
        single = caller.post("/api/keys/check", json={"token": other}).json()
        assert caller.post("/api/keys/checks", json={"tokens": [other]}).json()["keys"] == [single]
        before = caller.post("/api/keys/checks", json={"tokens": []}).json()["edition"]
        assert caller.post("/api/keys/checks", json={"tokens": [one]}).json()["edition"] == before
        floor.revoke(one)
        eventually(lambda: caller.post("/api/keys/checks", json={"tokens": []}).json()["edition"] != before)
        assert asks(one, other) == (200, [False, True])
        assert desk.stranger().post("/api/keys/checks", json={"tokens": [one]}).status_code == 401
        assert desk.operator().post("/api/keys/checks", json={"tokens": [one]}).status_code == 401
