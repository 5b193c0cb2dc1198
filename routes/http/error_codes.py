"""The table of errors that are no refusals of the desk: code, title, HTTP statuses (`docs/reference/api.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from services.engine.rules.refusals import REFUSALS
from wire.types import ErrorCode, RefusalCode

Code = Literal[RefusalCode, ErrorCode]


class ErrorKind(Struct, frozen=True):
    """One error. The sentence begins with the title where ``is_led`` is true."""

    code: ErrorCode
    title: str
    statuses: tuple[int, ...]
    when: str
    is_led: bool = False


TABLE = (
    ErrorKind("request_invalid", "REQUEST INVALID", (400, 417, 422), "the request cannot be read; `field` says where"),
    ErrorKind("webhook_unreadable", "WEBHOOK UNREADABLE", (400, 422), "kept as a dead letter"),
    ErrorKind("denied", "ACCESS DENIED", (401,), "no session, secret, key or right password"),
    ErrorKind("forbidden", "FORBIDDEN", (403,), "another origin, a key without the scope, or not with this desk"),
    ErrorKind("not_found", "NOT FOUND", (404,), "no such path, trade or dead letter"),
    ErrorKind("method_not_allowed", "METHOD NOT ALLOWED", (405,), "the path takes another method"),
    ErrorKind("not_replayable", "NOT REPLAYABLE", (409,), "the dead letter is no brick, or tells no time"),
    ErrorKind(
        "held_at_broker", "HELD AT THE BROKER", (409,), "the bridge reports a position there: it is no external one"
    ),
    ErrorKind("taken_out", "TAKEN OUT", (409,), "the position of this Idempotency-Key was taken out since"),
    ErrorKind("password_needed", "LIVE NEEDS A PASSWORD", (409,), "LIVE without DASHBOARD_PASSWORD", is_led=True),
    ErrorKind("events_gone", "EVENTS GONE", (410,), "the events were pruned, or the id is of another journal"),
    ErrorKind("too_large", "TOO LARGE", (413, 414, 431), "the body, the address or the headers are too long"),
    ErrorKind("too_slow", "TOO SLOW", (408,), "the request was not whole within 5 s"),
    ErrorKind("key_reused", "KEY REUSED", (422,), "the Idempotency-Key was used for another request"),
    ErrorKind("lock_is_automatic", "MANUAL LOCK DISABLED", (423,), "the 2.5pt lock takes no commands", is_led=True),
    ErrorKind("locked_out", "LOCKED OUT", (429,), "too many wrong passwords, from one address or from everywhere"),
    ErrorKind("logins_busy", "LOGINS BUSY", (503,), "other passwords are being checked; try again"),
    ErrorKind("fault", "FAULT", (500,), "a fault of the desk; `request_id` finds it in the log"),
    ErrorKind("store_down", "NOT STORED", (503,), "the store cannot be read or written", is_led=True),
    ErrorKind("outcome_unknown", "OUTCOME UNKNOWN", (503,), "the write may have taken effect", is_led=True),
    ErrorKind("standby", "STANDBY", (503,), "this process only reads; `writer` decides", is_led=True),
    ErrorKind("too_many_streams", "TOO MANY STREAMS", (503,), "as many streams are open as the process serves"),
    ErrorKind("feeds_away", "FEEDS AWAY", (503,), "feeds keeps the candles, and does not answer; try again"),
    ErrorKind("advisor_away", "ADVISOR AWAY", (503,), "the advisor is off, does not answer, or not as it should"),
    ErrorKind("invalid_parameter", "INVALID PARAMETER", (400,), "the advisor refuses a parameter; `detail` names it"),
    ErrorKind("invalid_body", "INVALID BODY", (400,), "the advisor refuses the body; `detail` says why"),
    ErrorKind("unknown_symbol", "UNKNOWN SYMBOL", (404,), "the advisor knows no such market"),
    ErrorKind("rate_limit_exceeded", "TOO MANY QUESTIONS", (429,), "the advisor was asked too often; try again"),
    ErrorKind("not_trained", "NOT TRAINED", (503,), "too few recorded sessions for a forecast; `detail` counts them"),
    ErrorKind("no_bars", "NO BARS", (503,), "no recorded bars: the simulated market is never learned from"),
    ErrorKind("stale", "STALE", (503,), "the bar that a forecast was for is over, or the market is closed"),
    ErrorKind("provider_away", "PROVIDER AWAY", (503,), "the language model of the agent does not answer"),
    ErrorKind("web_away", "DESK UNREACHED", (503,), "the advisor cannot read the desk; its log says why"),
    ErrorKind("not_available", "NOT AVAILABLE", (503,), "this desk has no such thing; `detail` says why"),
    ErrorKind("busy", "BUSY", (503,), "the advisor, or a day that is decided again, has enough to do; try again"),
    ErrorKind("not_decided", "NOT DECIDED", (503,), "the day could not be decided again; `detail` says why"),
    ErrorKind("frozen", "FROZEN", (503,), "the writer does not move: the process must be restarted"),
    ErrorKind("too_busy", "TOO BUSY", (503,), "too many requests of this kind of caller wait"),
    ErrorKind("stopping", "STOPPING", (503,), "the process is about to end"),
)
ERRORS: Mapping[ErrorCode, ErrorKind] = MappingProxyType({kind.code: kind for kind in TABLE})
TITLES: Mapping[str, str] = MappingProxyType(
    {
        **{rule.code: rule.titles[0] for rule in REFUSALS.values() if rule.titles},
        **{kind.code: kind.title for kind in TABLE},
    }
)
OF_STATUS: Mapping[int, ErrorCode] = MappingProxyType(
    {404: "not_found", 405: "method_not_allowed", 413: "too_large", 500: "fault"}
)


def title_of(code: Code) -> str:
    """Return the headline of an error. A refusal that a route makes itself has the desk's usual headline."""
    return TITLES[code]


def code_of_status(status: int) -> ErrorCode:
    """Return the code of an error of which only the status is known."""
    return OF_STATUS.get(status, "request_invalid" if status < 500 else "fault")
