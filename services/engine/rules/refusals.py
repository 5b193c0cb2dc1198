"""The table of all refusals: code, titles, and the HTTP status of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from services.engine.model.ladder import Rung
from services.engine.model.lock_names import INITIAL_EXIT_ANSWER
from services.engine.model.replies import Refusal
from services.engine.model.times import seconds_until
from services.engine.model.wording import Explanation, facts_of, sentence_of
from wire.types import Instant, RefusalCode


class RefusalRule(Struct, frozen=True):
    """One refusal. ``titles`` begin with the usual one. ``is_led`` is true when the sentence begins with the title."""

    code: RefusalCode
    titles: tuple[str, ...]
    status: int
    when: str
    is_led: bool = True


NO_POSITION = "NO POSITION"
TABLE = (
    RefusalRule("gate_closed", (), 409, "a gate of the ladder is closed; the title is the gate's"),
    RefusalRule("exit_locked", (INITIAL_EXIT_ANSWER,), 409, "the initial exit lock holds and the exit was not forced"),
    RefusalRule(
        "management_locked",
        ("MANAGEMENT LOCK ACTIVE",),
        423,
        "a protection was to be loosened while the 2.5pt brick does not oppose the trade",
    ),
    RefusalRule(
        "protection_kept",
        ("PROTECTION STAYS ON",),
        423,
        "the trade is losing or its points are unknown, or the trade began with this exit in a FREE zone",
    ),
    RefusalRule("stale_click", ("STALE CLICK",), 409, "the click was more than 5 s old when its turn came"),
    RefusalRule(
        "override_budget", ("OVERRIDES USED UP",), 409, "the day's overrides are used up (`OVERRIDES_PER_DAY`)"
    ),
    RefusalRule(
        "override_unexplained", ("OVERRIDE NEEDS A REASON",), 409, "a second override of the day without a reason"
    ),
    RefusalRule("no_trade_left", ("TRADE LIMIT REACHED",), 409, "the day's entries are used up"),
    RefusalRule("nothing_to_exit", (NO_POSITION,), 409, "the asset is flat"),
    RefusalRule("other_trade", ("ANOTHER TRADE",), 409, "the exit names a trade that is not the one held"),
    RefusalRule("nothing_to_manage", (NO_POSITION,), 409, "the asset is flat"),
    RefusalRule("nothing_waiting", ("NO PRE-ORDER", "NO INTENT"), 409, "there is nothing to take back"),
    RefusalRule(
        "already_waiting",
        ("A PRE-ORDER WAITS ALREADY", "AN INTENT WAITS ALREADY"),
        409,
        "an intent or a pre-order of the asset waits",
    ),
    RefusalRule(
        "scale_in_unavailable",
        ("SCALE-IN LOCKED", "SCALE-IN USED", "OPEN POINTS UNKNOWN", "SCALE-IN INTO A LOSS"),
        409,
        "no brick has unlocked it, it was used, or the trade loses or may lose",
    ),
    RefusalRule("not_flat", ("NOT FLAT",), 409, "the environment was to change while something is open"),
    RefusalRule(
        "bridge_down",
        ("BRIDGE OFFLINE", "BRIDGE WITHOUT LIVE"),
        503,
        "LIVE needs a connected bridge that executes LIVE",
    ),
    RefusalRule("owner_taken", ("OWNER TAKEN",), 409, "another bridge process claims orders and was heard within 60 s"),
    RefusalRule("report_conflict", ("CONFLICTING REPORT", "OVERFILL"), 409, "the report contradicts what is known"),
    RefusalRule("report_invalid", ("REPORT INVALID",), 400, "the report does not fit its order", is_led=False),
    RefusalRule("fate_known", ("FATE KNOWN",), 409, "the order's fate is not unknown, so nobody resolves it by hand"),
    RefusalRule("position_changed", ("POSITION CHANGED",), 409, "the broker does not hold the position that was named"),
    RefusalRule(
        "nothing_suspect", ("NOTHING SUSPECT",), 409, "a transfer was confirmed while every balance is explained"
    ),
    RefusalRule(
        "transfer_refused", ("TRANSFER REFUSED",), 409, "something was held or filled, or less than that is unexplained"
    ),
    RefusalRule(
        "store_known", ("NOTHING TO CONFIRM",), 409, "this store was confirmed while nothing speaks of another"
    ),
    RefusalRule("unknown_order", ("UNKNOWN ORDER",), 404, "no order has this id", is_led=False),
    RefusalRule("unknown_asset", ("UNKNOWN ASSET",), 400, "the desk does not trade the asset", is_led=False),
    RefusalRule("direction_required", ("DIRECTION REQUIRED",), 400, "nothing gives the direction", is_led=False),
    RefusalRule("proposal_open", ("A PROPOSAL IS OPEN",), 409, "the asset has an open proposal"),
    RefusalRule("proposal_over", ("PROPOSAL OVER",), 409, "the proposal has ended, or there is none with this id"),
    RefusalRule(
        "proposal_other",
        ("ANOTHER PROPOSAL",),
        409,
        "it proposes another asset or direction, or another program opened it",
    ),
    RefusalRule(
        "proposal_invalid", ("PROPOSAL INVALID",), 400, "a price or the time of a proposal cannot be", is_led=False
    ),
    RefusalRule(
        "too_many_proposals",
        ("TOO MANY PROPOSALS",),
        409,
        "the day, or this hour of one source, has seen as many as it may",
    ),
    RefusalRule("stop_too_wide", ("STOP TOO WIDE",), 409, "the proposed stop is further away than the desk's own"),
    RefusalRule(
        "confirm_needed",
        ("CONFIRMATION NEEDED",),
        409,
        "the change of a limit would flatten what is held within 60 s, and `confirm` was not sent",
    ),
    RefusalRule("setting_invalid", ("SETTING INVALID",), 400, "a value is outside its range", is_led=False),
)
REFUSALS: Mapping[RefusalCode, RefusalRule] = MappingProxyType({rule.code: rule for rule in TABLE})


def refuse(code: RefusalCode, detail: str, title: str | None = None, **facts: object) -> Refusal:
    """Return a refusal with the code's usual title unless ``title`` gives another of its titles."""
    rule = REFUSALS[code]
    title = title or rule.titles[0]
    sentence = sentence_of(title if rule.is_led else "", detail)
    return Refusal(code, sentence, title=title, detail=detail, facts=facts_of(facts))


def explanation_of(refusal: Refusal) -> Explanation:
    """Return the refusal's explanation, to be stored. A closed gate is named among the facts."""
    gate = {"gate": refusal.gate} if refusal.gate else {}
    return Explanation(refusal.code, refusal.title or "", refusal.detail or "", {**refusal.facts, **gate})


def refuse_closed(shut: Rung, rungs: tuple[Rung, ...], now: Instant) -> Refusal:
    """Return the refusal for the closed gate ``shut``, with the gate's own text; ``rungs`` is the whole ladder."""
    return Refusal(
        code="gate_closed",
        sentence=shut.sentence or shut.gate,
        gate=shut.gate,
        retry_after_s=seconds_until(shut.reopens_at, now) if shut.reopens_at else None,
        ladder=rungs,
        title=shut.title,
        detail=shut.detail,
        facts=shut.facts,
    )
