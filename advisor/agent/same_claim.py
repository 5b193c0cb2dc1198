"""Whether a model's sentence says what the desk's own words say. What is not found to be the same is not told.

English cannot be checked by listing what is wrong: there is always another way to say it. So a sentence is taken apart
into clauses, and each clause must fit, from its first to its last letter, a form of one of the desk's own statements of
this answer (`forms`). What else is around a clause, such as a day or an environment, must be that of its statement.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from advisor.agent import frames, rules
from advisor.agent.forms import FORMS
from advisor.agent.number_tokens import Token, seen, tokens_of
from advisor.agent.own_words import plain
from advisor.agent.sentences import without_list_mark
from advisor.agent.slots import Source, fills
from wire.explain import ToolResult

LONGEST_SENTENCE = 400
MOST_JOINTS = 12
"""Places where a sentence may be parted. A longer one is not tried: it is refused."""

JOINT = re.compile(
    r"\s*[,;:]\s*(?:(?P<word>and|but|while|whereas|because|since|as|so|or|that is|which is|with)\s+)?"
    r"|\s+(?P<bare>and|but|while|whereas|because|since|as|so|or|that is|which is|with)\s+"
    r"|\s*(?P<bracket>\()\s*|\)\s*(?:[,;:]\s*)?(?:(?:and|but|while)\s+)?"
)
REASONS = frozenset({"because", "since", "as", "so"})
"""Words that make one clause the reason of another: told only of a refusal and its gates."""

SAME_THING = frozenset({"or", "that is", "which is", "with"})
"""Words behind which the same is said again, in another unit."""

SPELLINGS = (
    (r"\b(?:can't|can not)\b", "cannot"),
    (r"\b(it|that|there)'s\b", r"\1 is"),
    (r"\byou're\b", "you are"),
    (r"\byou(?: have|'ve)(?= (?:closed|lost|made|won|taken|forced)\b)", "you"),
    (r"\btaken\b", "took"),
    (r"[*`]+", ""),
    (r"# (?=[,;:.)!])", "#"),
    (r"\s+", " "),
)
SIGN_APART = re.compile(r"\b(was|is|at|of) - (?=[\d$])")
FILLER_WORDS = """
    a after all and answer answers are as asked at been before beginning besides but commissions day days desk desk's
    does
    everything fact facts figure figures found from has have here in included is it its know known listed not of on
    only other others result's said say says seen so sum summary that that's the their them then there these they this
    those told tool tools together understand was were what which with words you your
"""
FILLERS = frozenset(FILLER_WORDS.split())
"""Words of sentences that claim nothing: no number, no side, no gate, nothing to do can be said with them."""


class Clause(Struct, frozen=True):
    """A clause that says what a statement says. ``has_amount``: a result is told in it, in one of its units."""

    kind: str
    source: Source
    has_amount: bool = False


def says_the_same(sentence: str, results: Sequence[ToolResult]) -> bool:
    """Return whether every clause of a sentence is what the desk's own words say of these results."""
    text, tokens = _prepared(sentence)
    if not text or "?" in text or len(text) > LONGEST_SENTENCE:
        return False
    joints = list(JOINT.finditer(text))
    if len(joints) > MOST_JOINTS:
        return False
    return _Reading(text, tokens, joints, results).is_said(0, 0, "", None)


def claims_nothing(sentence: str) -> bool:
    """Return whether a sentence is made of words alone that can claim nothing of the desk."""
    words = re.findall(r"\w+(?:'\w+)?", plain(without_list_mark(sentence)))
    return bool(words) and all(word in FILLERS for word in words) and not sentence.rstrip().endswith("?")


def _prepared(sentence: str) -> tuple[str, tuple[Token, ...]]:
    """Return the sentence in one spelling, with ``#0#`` for its first number, and its numbers."""
    text = seen(without_list_mark(sentence)).replace("–", ",").replace("—", ",")
    text = SIGN_APART.sub(r"\1 -", text)
    tokens = tuple(token for token in tokens_of(text) if token.kind != "name")
    for number, token in reversed(list(enumerate(tokens))):
        text = f"{text[: token.begin]}#{number}# {text[token.end :]}"
    text = plain(text)
    for spelled, told in SPELLINGS:
        text = re.sub(spelled, told, text)
    return text.strip().rstrip(".!").strip(), tokens


class _Reading:
    """One sentence, read against the desk's own statements."""

    def __init__(
        self, text: str, tokens: Sequence[Token], joints: Sequence[re.Match[str]], results: Sequence[ToolResult]
    ) -> None:
        self._text = text
        self._tokens = tokens
        self._joints = joints
        self._results = results
        said = ((statement, result) for result in results for statement in rules.sentences_of(result))
        self._sources = [Source(statement, result) for statement, result in said if statement.code != "not_known"]
        self._dead: set[tuple[int, str, str, int]] = set()

    def is_said(self, begin: int, first: int, word: str, before: Clause | None) -> bool:
        """Return whether the desk says the rest of the sentence, from `begin` and the joint `first` behind it."""
        if begin >= len(self._text):
            return before is not None
        state = (begin, word, before.kind if before else "", id(before.source) if before else 0)
        if state in self._dead:
            return False
        for at in range(first, len(self._joints) + 1):
            joint = self._joints[at] if at < len(self._joints) else None
            end = joint.start() if joint else len(self._text)
            for clause in self._clauses(self._text[begin:end].strip(), before):
                if not _fits_behind(word, before, clause):
                    continue
                if joint is None or self.is_said(joint.end(), at + 1, joint["word"] or joint["bare"] or "", clause):
                    return True
        self._dead.add(state)
        return False

    def _clauses(self, text: str, before: Clause | None) -> Iterator[Clause]:
        """Give what a clause may be: nothing for what the desk does not say."""
        for core, around in frames.without(text):
            if not core and before and frames.fit(around, before.source, self._results, self._tokens):
                yield before
            for source in self._sources if core else ():
                if frames.fit(around, source, self._results, self._tokens) and frames.is_named(
                    source, text, self._results
                ):
                    yield from self._told(core, source, before)

    def _told(self, core: str, source: Source, before: Clause | None) -> Iterator[Clause]:
        for form in FORMS.get(source.form_key, ()):
            found = form.pattern.fullmatch(core)
            if found is None or not fills(found, source, self._tokens):
                continue
            behind = before if before is not None and before.kind == form.kind else None
            if form.after and (behind is None or behind.source.result is not source.result):
                continue
            modes = {group.split("__")[1] for group, value in found.groupdict().items() if value and "__" in group}
            if "alike" in modes and not (behind and behind.has_amount and behind.source is source):
                continue
            if _has_its_subject(found, source, before, behind):
                yield Clause(form.kind, source, bool(modes & AMOUNTS))


AMOUNTS = frozenset({"loss", "gain", "signed", "alike"})


def _has_its_subject(found: re.Match[str], source: Source, before: Clause | None, behind: Clause | None) -> bool:
    """Return whether a clause says what it speaks of, or the clause before does."""
    groups = found.groupdict()
    if groups.get("it"):
        names_it = before is not None and before.kind in ("gate", "opens") and before.source is source
        return names_it or (before is None and frames.is_only_gate(source))
    if "subject" not in groups or groups["subject"] not in (None, "it"):
        return True
    return behind is not None or (before is None and groups["subject"] == "it" and frames.is_only_one(source))


def _fits_behind(word: str, before: Clause | None, clause: Clause) -> bool:
    """Return whether a clause may follow the one before, joined by that word."""
    if before is None:
        return True
    if word in REASONS:
        return {before.source.statement.tool, clause.source.statement.tool} == {"explain_blocks"}
    return word not in SAME_THING or (clause.has_amount and clause.kind == before.kind)
