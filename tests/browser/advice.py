"""What web's doors of the advisor answer, invented for the browser's stories and the pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

BAR = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
AWAY = {"ok": False, "code": "advisor_away", "error": "the advisor is away: nobody listens at its address"}
Json = dict[str, Any]


class Advisor:
    """Answers in place of web's doors; what a story changes are its fields."""

    def __init__(self, page: Page, close: float = 5250.0) -> None:
        self.close = close
        self.half_width = 9.0
        self.held: tuple[float | None, int] = (0.8, 500)
        self.ends_at: datetime | None = None  # until when ranges hold; else half a bar from when they are asked for
        self.not_trained = ""  # a sentence: then there is no range
        self.lacks_what_if = False  # the explanation of a day came before the day was decided again
        self.is_away = False
        self.hangs = False
        self.chat = sse(token("You are flat."), done("You are flat."))
        self.asked: list[str] = []
        self.sent: list[Json] = []
        self.held_back: list[Route] = []
        for pattern, answer in (
            ("**/api/ml/range?*", self._range),
            ("**/api/ml/signals/active?*", self._signals),
            ("**/api/ml/amd/*", self._phase),
            ("**/api/ml/models", self._models),
            ("**/api/explain?*", self._explained),
            ("**/api/what-if/day?*", self._what_if),
        ):
            page.route(pattern, partial(self._answer, answer))
        page.route("**/api/chat", self._chat)

    def asked_for(self, path: str) -> list[str]:
        return [url for url in self.asked if path in url]

    def _answer(self, answer: Callable[[dict[str, str]], tuple[int, Json]], route: Route) -> None:
        self.asked.append(route.request.url)
        if self.hangs:
            self.held_back.append(route)
        elif self.is_away:
            route.fulfill(status=503, json=AWAY)
        else:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
            status, body = answer(asked)
            route.fulfill(status=status, json=body)

    def _range(self, asked: dict[str, str]) -> tuple[int, Json]:
        if self.not_trained:
            return 503, {"ok": False, "code": "not_trained", "error": self.not_trained}
        share, n = self.held
        held: Json = {"held_high": share, "held_low": share, "n": n}
        length = timedelta(minutes=BAR[asked["timeframe"]])
        as_of = datetime.now(UTC).replace(microsecond=0) - length / 2
        bands = [
            {"quantile": q, "high": self.close + reach, "low": self.close - reach, **held}
            for q, reach in ((0.5, self.half_width / 2), (0.8, self.half_width))
        ]
        body = {"asset": asked["asset"], "timeframe": asked["timeframe"], "close": self.close, "atr": 6.1}
        ends = self.ends_at or as_of + length
        times = {"as_of": as_of.isoformat(), "valid_until": ends.isoformat()}
        return 200, {"ok": True, **body, **times, "method": "hour", "model": "ES-5m-range-20261129", "bands": bands}

    def _signals(self, asked: dict[str, str]) -> tuple[int, Json]:
        detail = "0.34 of 4120 bars reach the target first, whatever is known before"
        errors = [{"symbol": asked["symbols"], "error": "no_skill", "detail": detail}]
        now = datetime.now(UTC).isoformat()
        return 200, {
            "ok": True,
            "signals": [],
            "generated_at": now,
            "symbols_processed": [asked["symbols"]],
            "errors": errors,
        }

    def _phase(self, asked: dict[str, str]) -> tuple[int, Json]:
        now = datetime.now(UTC).replace(microsecond=0)
        return 200, {
            "ok": True,
            "phase": "accumulation",
            "confidence": 0.6,
            "strength": 0.4,
            "symbol": "ES",
            "start_time": (now - timedelta(minutes=40)).isoformat(),
            "timeframe": asked["timeframe"],
            "characteristics": {"range_compression": 0.6, "volume_ratio": None},
            "signals": ["range_compression"],
            "trading_bias": {"direction": "neutral", "position_size": 0},
            "as_of": now.isoformat(),
            "lift": 0.01,
            "lift_low": -0.03,
            "lift_high": 0.05,
            "base_rate": 0.34,
            "n": 212,
        }

    def _models(self, asked: dict[str, str]) -> tuple[int, Json]:
        return 200, {"ok": True, "models": [range_card(), target_card()]}

    def _explained(self, asked: dict[str, str]) -> tuple[int, Json]:
        missing = [{**result_of("what_if_day"), "missing": "not_decided"}] if self.lacks_what_if else []
        return 200, {**explained(asked), "tools": missing}

    def _what_if(self, asked: dict[str, str]) -> tuple[int, Json]:
        return 200, what_if(asked["day"])

    def _chat(self, route: Route) -> None:
        self.sent.append(json.loads(route.request.post_data or "{}"))
        if self.hangs:
            self.held_back.append(route)
        elif self.is_away:
            route.fulfill(status=503, json=AWAY)
        else:
            route.fulfill(status=200, content_type="text/event-stream", body=self.chat)


def sse(*events: Json) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


def token(text: str) -> Json:
    return {"type": "token", "text": text}


def result_of(tool: str, **result: Any) -> Json:
    now = datetime.now(UTC).isoformat()
    return {"tool": tool, "arguments": {}, "env": "DEMO", "as_of": now, "result": result, "missing": None}


def done(response: str, *results: Json, source: str = "rules", why: str | None = None) -> Json:
    calls = [{"tool": result["tool"], "arguments": {}, "result": result} for result in results]
    said = {"response": response, "tool_calls": calls, "conversation_id": "talk-1"}
    return {"type": "done", **said, "source": source, "replaced": why is not None, "why": why}


def statement(code: str, text: str, tool: str, facts: Json, **more: Any) -> Json:
    return {"code": code, "text": text, "facts": facts, "tool": tool, "n": None, "low": None, "high": None, **more}


def explained(asked: dict[str, str]) -> Json:
    told = {
        "block": [
            statement(
                "first_gate",
                "The cooldown refuses an entry in ES.",
                "explain_blocks",
                {"gate": "cooldown", "asset": "ES"},
            ),
            statement(
                "cost",
                "After the cooldown your trades made 1.25 points a trade.",
                "journal_statistics",
                {"points": 1.25, "trades": 34},
                n=34,
                low=-0.4,
                high=2.9,
            ),
        ],
        "day": [
            statement("trades", "3 trades made 4.5 points.", "day_review", {"trades": 3, "points": 4.5}),
            statement("refused", "The gates refused 7 entries.", "blocked_attempts", {"refused": 7}),
        ],
        "coach": [
            statement(
                "hour",
                "Between 10 and 11 you made 2.1 points a trade.",
                "journal_statistics",
                {"points": 2.1},
                n=41,
                low=0.3,
                high=3.9,
            )
        ],
    }[asked["about"]]
    now = datetime.now(UTC).isoformat()
    body = {"ok": True, "about": asked["about"], "source": "rules", "env": "DEMO", "as_of": now}
    which = {"asset": asked.get("asset"), "direction": asked.get("direction"), "day": asked.get("day")}
    return {**body, **which, "statements": told, "silent": ["weekday"], "tools": []}


def what_if(day: str) -> Json:
    row = {
        "row": 812,
        "at": f"{day}T15:04:05+00:00",
        "env": "DEMO",
        "asset": "ES",
        "direction": "BUY",
        "price": 5250.25,
    }
    judged = {"outcome": "stop", "ended_at": f"{day}T15:09:00+00:00", "points": -12, "usd": -300, "prices": 37}
    other = {"outcome": None, "ended_at": None, "points": None, "usd": None, "prices": 0, "why": "in_position"}
    more = {"simulated": False, "gate": "cooldown", "sentence": "POST-EXIT COOLDOWN ACTIVE", "limits_only": True}
    sums = {"refused": 2, "judged": 1, "targets": 0, "stops": 1, "day_ends": 0, "points": -12, "usd": -300}
    return {
        "ok": True,
        "day": day,
        "head": 900,
        "rows": 640,
        "replay_equal": True,
        "unequal_rows": 0,
        "refused": [{**row, **more, **judged, "why": None}, {**row, **more, **other, "row": 815}],
        "truncated": False,
        "sums": {**sums, "limits_only": 2, "limits_only_usd": -300},
        "taken": {"entries": 3, "trades": 3, "usd": 112.5},
    }


def range_card() -> Json:
    return {
        "id": "ES-5m-range-20261129",
        "symbol": "ES",
        "timeframe": "5m",
        "target": "range",
        "rr": None,
        "made_at": "2026-11-29T22:10:00+00:00",
        "program": "lockstep 0.15",
        "libraries": {},
        "features": "3",
        "horizon": 1,
        "protocol": "walk forward by session, purge 1 bar, embargo 1 session",
        "n": 4120,
        "data": {
            "sources": {"heartbeat": 31000, "bridge": 8200},
            "first": "2026-10-12T22:00:00+00:00",
            "last": "2026-11-27T21:59:00+00:00",
            "sessions": 34,
            "rows": 7840,
            "sha256": "9f2c4e77aa10b0d3f5e1c6a8d2b94e60718293a4b5c6d7e8f90a1b2c3d4e5f60",
        },
        "base_rate": None,
        "losses": {"flat": 1.912, "hour": 1.734, "model": 1.729},
        "skills": [
            {"against": "flat", "value": 0.093, "low": 0.061, "high": 0.124},
            {"against": "hour", "value": 0.003, "low": -0.011, "high": 0.016},
        ],
        "coverage": {"high_0.5": 0.507, "low_0.5": 0.495, "high_0.8": 0.803, "low_0.8": 0.796},
        "reliability": [],
        "verdict": "hour",
        "probe": [],
        "files": {},
        "serving": True,
        "why": "The table beats one width by 9.3 %; the trained model does not beat the table.",
    }


def target_card() -> Json:
    return {
        **range_card(),
        "id": "ES-5m-tp-20261129",
        "target": "tp_first",
        "rr": "rr_2_1",
        "verdict": "flat",
        "base_rate": 0.34,
        "losses": {"base_rate": 0.2244, "model": 0.2251},
        "coverage": {},
        "serving": False,
        "skills": [{"against": "base_rate", "value": -0.003, "low": -0.012, "high": 0.004}],
        "reliability": [
            {"forecast": 0.3, "happened": 0.33, "n": 2110},
            {"forecast": 0.4, "happened": 0.35, "n": 1804},
        ],
        "why": "The model does not beat the base rate of 0.34.",
    }
