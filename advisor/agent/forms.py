"""What a model may say: for each of the desk's own statements the forms of words that make the same claim. Pure.

A form is a pattern. ``<fact>`` in it is a number that must be that fact of the statement, as `slots` compares it; other
names in ``<>`` are words of the statement: its asset, its gate, its side. What fits no form is not told. So a form must
say no more than its statement does, and must have its condition: a clock, a side, an asset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from advisor.agent.slots import pattern_of


class Form(Struct, frozen=True):
    """One form. ``kind`` is what it speaks of, so that a clause without a subject may go on with the clause before.

    With ``after`` it is told only behind a clause of that kind, about the same thing.
    """

    kind: str
    pattern: re.Pattern[str]
    after: str = ""


YOU_OR_DAY = r"(?:(?P<subject>you|you have|the day|your day|it) )?"
OF_BALANCE = r"(?:(?P<subject>you|you have|the day|your day|your account|the account|it) )?"
BEST = r"(?:(?P<subject>(?:the|your) best(?: trade)?) )?"
WORST = r"(?:(?P<subject>(?:the|your) worst(?: trade)?) )?"
POSITION = r"(?:(?P<subject>(?:the|your) (?:open )?position|it) )?"
BE = r"(?:(?:are|is|were|was|ended|closed|ended the day|closed the day) )"
OPENS = r"(?:in <retry_after_s>(?:,? at <reopens_at>)?|at <reopens_at>(?:,? in <retry_after_s>)?)"


def _amounts(kind: str, subject: str, fact: str) -> Iterator[Form]:
    """Yield how a result is told: what is below zero as a loss, what is above as a gain, with its sign otherwise."""
    for side, verbs, way, noun, where in (
        ("loss", "lost", "down", "loss", "down|lower|in the red"),
        ("gain", "(?:made|won|earned|gained)", "up", "(?:gain|profit)", "up|higher|in the black"),
    ):
        amount = f"<{fact}:{side}>"
        for pattern in (
            f"{subject}{verbs} {amount}",
            f"{subject}{BE}?{way}(?: by)? {amount}",
            f"{subject}{BE}?{amount} (?:{where})",
            f"{subject}(?:{BE}|ended )?(?:with )?a(?: net)? {noun} of {amount}",
            f"{subject}made a(?: net)? {noun} of {amount}",
        ):
            yield _form(kind, pattern)
    yield Form(kind, pattern_of(f"<{fact}:alike>"), after=kind)


def _results(kind: str, fact: str) -> Iterator[Form]:
    """Yield how the result of the day is told by a noun."""
    result = r"(?:the|your|the day's|your day's)(?: net)? result(?: of the day)?"
    for pattern in (
        rf"(?:{result}|the day|your day) (?:is|was|stands at|stood at|ended at|closed at) <{fact}:signed>",
        rf"{result} (?:is|was) a(?: net)? loss of <{fact}:loss>",
        rf"{result} (?:is|was) a(?: net)? (?:gain|profit) of <{fact}:gain>",
        rf"your(?: net)? loss (?:is|was) <{fact}:loss>",
        rf"your(?: net)? (?:gain|profit) (?:is|was) <{fact}:gain>",
        rf"<{fact}:loss> (?:was|were) lost",
    ):
        yield _form(kind, pattern)


def _form(kind: str, pattern: str) -> Form:
    return Form(kind, pattern_of(pattern))


def _forms(kind: str, *patterns: str) -> tuple[Form, ...]:
    return tuple(_form(kind, pattern) for pattern in patterns)


_REFUSED = _forms(
    "entry",
    "you (?:cannot|may not) <refused_verb> <asset>",
    "<asset> cannot be entered<nothing_allowed>",
    "<asset> is (?:blocked|locked)<nothing_allowed>",
    "an? <refused_verb> entry(?: (?:of|in|for) <asset>)? is (?:refused|blocked|not possible)",
    "(?:no entry|no entries) (?:is|are) possible(?: in <asset>)?<nothing_allowed>",
    "(?:new )?entries(?: (?:of|in|for) <asset>)? are (?:refused|blocked|not possible)<nothing_allowed>",
)
_DAY_COUNTS = _forms(
    "day",
    f"{YOU_OR_DAY}(?:closed|took|made) <trades> trades?",
    "<trades> trades? (?:was|were) closed",
    "there (?:was|were) <trades> (?:closed )?trades?",
    "<wins> (?:trades? |of them )?(?:won|was a winner|were winners|wins?|winners?|winning trades?)",
    "<losses> (?:trades? |of them )?(?:lost|was a loser|were losers|loss(?:es)?|losers?|losing trades?)",
    f"{YOU_OR_DAY}won <wins> trades?",
    f"{YOU_OR_DAY}lost <losses> trades?",
    f"{YOU_OR_DAY}won <wins>(?: trades?)? and lost <losses>(?: trades?)?",
    f"{YOU_OR_DAY}won <wins> (?:of|out of) (?:your )?<trades> trades?",
    f"{YOU_OR_DAY}lost <losses> (?:of|out of) (?:your )?<trades> trades?",
    "of (?:the |your )?<trades> trades,? <wins> (?:won|was a winner|were winners)",
    "of (?:the |your )?<trades> trades,? <losses> (?:lost|was a loser|were losers)",
    "there (?:was|were) <wins> wins? and <losses> loss(?:es)?",
    "<wins> (?:of|out of) (?:the |your )?<trades> trades (?:won|was a winner|were winners)",
    "<losses> (?:of|out of) (?:the |your )?<trades> trades (?:lost|was a loser|were losers)",
)
FORMS: Mapping[str, tuple[Form, ...]] = MappingProxyType(
    {
        "explain_blocks.blocked": (
            *_REFUSED,
            *_forms(
                "closed",
                "<closed> gates? (?:is|are) closed",
                "<gates>(?: gates)? are(?: both)? closed",
                "<asset> is (?:blocked|locked) by <closed> gates?<nothing_allowed>",
            ),
            Form("closed", pattern_of("<gates>"), after="closed"),
        ),
        "explain_blocks.standby": (
            *_REFUSED,
            *_forms("standby", "(?:this process|the process that answers here) is a standby(?:,? which only reads)?"),
        ),
        "explain_blocks.store_down": (
            *_REFUSED,
            *_forms("store", "the desk cannot store a decision(?:,? so it takes none)?"),
        ),
        "explain_blocks.unexplained": _REFUSED,
        "explain_blocks.open": (
            *_forms(
                "entry",
                "you (?:may|can) <allowed_verb>(?: or <allowed_verb>)? <asset>",
                "an? <allowed_verb> entry (?:of|in|for) <asset> is (?:allowed|possible)",
            ),
            *_forms("closed", "no gate is closed", "no gates are closed", "all gates are open"),
        ),
        "explain_blocks.gate_closed": (
            *_forms(
                "gate",
                "(?:the )?<gate> gate is closed",
                "(?:the )?<lock> is (?:closed|active|not over)",
                "(?:the )?<zone_gate> is closed",
                "<detail>",
            ),
            *_forms(
                "opens",
                rf"(?:the )?<gate> gate (?:opens|reopens|will open)(?: again)? {OPENS}",
                rf"(?:the )?<lock> (?:ends|opens|will end|will open|is over) {OPENS}",
            ),
            Form("opens", pattern_of(rf"(?P<it>it) (?:opens|ends|will open|will end)(?: again)? {OPENS}")),
            Form("opens", pattern_of(rf"(?:the )?<gate>(?: gate)? {OPENS}"), after="opens"),
        ),
        "explain_blocks.entry_from": _forms(
            "entry",
            "if everything else stays,? you (?:may|can) enter <asset>(?: again)? (?:from|at) <entry_from>"
            "(?:,? in <entry_in_s>)?",
            "(?:the )?earliest entry(?: (?:of|in|for) <asset>)? is (?:at|from) <entry_from>",
            "you cannot enter <asset> before <entry_from>(?:,? in <entry_in_s>)?",
        ),
        "explain_blocks.entry_not_before": _forms(
            "entry", "you cannot enter <asset> before <entry_from>(?:,? in <entry_in_s>)?"
        ),
        "explain_blocks.exits_pass": _forms("exit", "no gate stops an exit", "<exit_forced>"),
        "positions.flat": _forms(
            "flat",
            "you hold (?:nothing|no position)",
            "the desk holds (?:nothing|no position)",
            "you are flat",
            "you have no (?:open )?position",
            "nothing is held",
        ),
        "positions.held": (
            *_forms(
                "position",
                r"you are <held_side> <quantity>(?: contracts?(?: of)?)? <contract>(?: (?:at|from) <average_price>)?",
                "you are <held_side>(?: in)? <asset>",
                "(?:you hold|the desk holds) <quantity>(?: contracts? of)? <contract> <held_side>",
                "you hold a <held_side> position of <quantity>(?: contracts? of)? <contract>",
                "(?:the|your) stop is planned at <stop_price>",
                "(?:the|your) planned stop is at <stop_price>",
                "<stop_rests>",
            ),
            *(form for fact in ("open_usd", "open_points") for form in _amounts("position", POSITION, fact)),
            *_forms(
                "position",
                "(?:an|the|your) open (?:profit|gain) (?:of|is) <open_usd:gain>",
                "(?:an|the|your) open loss (?:of|is) <open_usd:loss>",
            ),
        ),
        "consensus.colours": _forms(
            "bricks",
            "(?:the )?<bricks_coloured>",
            "all known bricks are <all_colour>",
            "(?:the )?<bricks_say>",
            "the zone is <zone>(?: to <zone_direction>)?",
            "the zone (?:says|points to) <zone_direction>",
        ),
        "day_review.day_result": (
            *_DAY_COUNTS,
            *(form for fact in ("result_usd", "result_points") for form in _amounts("day", YOU_OR_DAY, fact)),
            *(form for fact in ("result_usd", "result_points") for form in _results("day", fact)),
            *_forms("day", f"{YOU_OR_DAY}lost <losses> trades? and <result_usd:loss>"),
        ),
        "day_review.no_trades": _forms(
            "day", "no trade (?:was )?closed", "you closed no trades?", "there (?:was no trade|were no trades)"
        ),
        "day_review.best_and_worst": (
            *_amounts("best", BEST, "best_usd"),
            *_amounts("worst", WORST, "worst_usd"),
            *_forms("best", f"{BEST}(?:is|was) <best_usd:signed>"),
            *_forms("worst", f"{WORST}(?:is|was) <worst_usd:signed>", f"{WORST}cost(?: you)? <worst_usd:loss>"),
            *_forms("best", "your (?:biggest|largest) (?:win|gain) (?:is|was) <best_usd:gain>"),
            *_forms("worst", "your (?:biggest|largest) loss (?:is|was) <worst_usd:loss>"),
        ),
        "day_review.overrides": _forms(
            "day",
            "you overrode the zone (?:<overrides> times?|<one_override>)",
            "the zone was overridden (?:<overrides> times?|<one_override>)",
        ),
        "day_review.forced_exits": _forms(
            "day",
            "(?:(?P<subject>you) )?forced <forced_exits> exits?(?: against the initial exit lock)?",
            "<forced_exits> exits? (?:was|were) forced",
        ),
        "day_review.day_stopped": _forms(
            "stop",
            "the daily stop(?: of <stop_limit_pct>)? has ended the day",
            "the daily stop(?: of <stop_limit_pct>)? (?:was|has been) reached",
        ),
        "day_review.trades_left": _forms(
            "left",
            "<trades_left>(?: (?:of|out of) <trades_limit>)? trades? (?:is|are) left",
            "you have <trades_left>(?: (?:of|out of) <trades_limit>)? trades? left",
        ),
        "day_review.balance_now": (
            *(form for fact in ("result_usd", "result_pct") for form in _amounts("day", OF_BALANCE, fact)),
            *(form for fact in ("result_usd", "result_pct") for form in _results("day", fact)),
            *_forms("stop", "the daily stop is at <stop_limit_pct>", "the daily stop is at <stop_at_pct:signed>"),
        ),
        "blocked_attempts.refused": _forms(
            "refused",
            "the gates refused <refused> (?:entry|entries)",
            "<refused> (?:entry was|entries were) refused",
        ),
        "blocked_attempts.nothing_refused": _forms("refused", "no gate refused an entry", "no entry was refused"),
        "range_forecast.range": _forms(
            "range",
            "in <quantile_pct> of <timeframe> bars <asset> stays below <high>",
            "in <quantile_pct> of <timeframe> bars <asset> stays above <low>",
        ),
    }
)
"""By tool and code of a statement. What is not here, as means with their intervals and signals, is told verbatim."""
