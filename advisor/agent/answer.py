"""One answer while it is made: the tools that were asked, and the sentences that were told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from msgspec import Struct

from advisor.agent import rules
from advisor.agent.conversations import Turn
from advisor.agent.grounding import invented_numbers
from advisor.agent.number_tokens import tokens_of
from advisor.agent.own_words import copies_a_text, is_own
from advisor.agent.prompts import repeats_the_prompt
from advisor.agent.same_claim import claims_nothing, says_the_same
from advisor.agent.sentences import is_prose, without_list_mark
from advisor.agent.toolbox import Toolbox, ToolRefused
from advisor.agent.tools import BY_NAME
from wire.agent import ChatEvent, DoneEvent, TokenEvent, ToolCall, ToolCallEvent, ToolResultEvent, WhyReplaced
from wire.explain import Answerer, ToolResult

logger = structlog.get_logger(__name__)

TOOL_SECONDS = 12.0
LONGEST_ANSWER = 4_000
MOST_TOOL_CALLS = 12
BROKEN_OFF = "\n\nThe model's answer was broken off here; the facts follow.\n\n"
"""What a stream has between a model's sentences and the facts; the whole answer has neither."""

Tell = Callable[[ChatEvent], Awaitable[None]]


class Tools(Protocol):
    """What finds the facts of one question."""

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Ask a tool. Raises `ToolRefused` for an unknown one and for bad arguments."""


class OneQuestion:
    """The tools of one question: they see one state of the desk, so that their facts agree."""

    def __init__(self, toolbox: Toolbox) -> None:
        """Ask `toolbox`; nothing is read yet."""
        self._toolbox = toolbox
        self._sources = toolbox.sources()

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Ask a tool. Raises `ToolRefused`."""
        return await self._toolbox.call(name, arguments, self._sources)


class Question(Struct, frozen=True, kw_only=True):
    """What is asked, and what was said before."""

    message: str
    conversation_id: str
    turns: tuple[Turn, ...] = ()


class UnfitSentence(Exception):
    """A model's sentence must not be told; `why` is the code."""

    def __init__(self, why: WhyReplaced) -> None:
        """Say why."""
        super().__init__(why)
        self.why: WhyReplaced = why


class Answer:
    """What has been found and told so far. `tell` is given each event; a slow reader makes it wait."""

    def __init__(self, question: Question, tools: Tools, tell: Tell) -> None:
        """Begin with nothing."""
        self.question = question
        self.calls: list[ToolCall] = []
        self.why: WhyReplaced | None = None
        self._tools = tools
        self._tell = tell
        self._told: list[str] = []
        self._waiting: list[str] = []
        self._source: Answerer = "rules"

    @property
    def results(self) -> list[ToolResult]:
        """Return what the tools found."""
        return [call.result for call in self.calls]

    @property
    def has_begun(self) -> bool:
        """Return whether a sentence was told."""
        return bool(self._told)

    async def ask(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Ask a tool, once for the same arguments. Raises `ToolRefused`, also for one tool too many."""
        for call in self.calls:
            if (call.tool, call.arguments) == (name, arguments):
                return call.result
        if len(self.calls) >= MOST_TOOL_CALLS:
            raise ToolRefused("invalid_arguments", f"one answer asks {MOST_TOOL_CALLS} tools at most")
        await self._tell_call(name, dict(arguments))
        result = await self._found(name, dict(arguments))
        await self._note(dict(arguments), result)
        return result

    async def ask_together(self, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Ask tools at the same time, and note what they found in this order. One that refuses is left out."""
        tasks = [asyncio.ensure_future(self._found(name, arguments)) for name, arguments in asked]
        try:
            for task, (name, arguments) in zip(tasks, asked, strict=True):
                await self._tell_call(name, arguments)
                try:
                    await self._note(arguments, await task)
                except ToolRefused as error:
                    logger.warning("a tool refuses what the rules ask", tool=name, reason=str(error))
        finally:
            for task in tasks:
                task.cancel()

    async def _tell_call(self, name: str, arguments: dict[str, Any]) -> None:
        """Tell that a tool is asked, before it has answered: it may take seconds."""
        tool = BY_NAME.get(name)
        if tool is not None:
            await self._tell(ToolCallEvent(tool=tool.name, arguments=arguments))

    async def _note(self, arguments: dict[str, Any], result: ToolResult) -> None:
        await self._tell(ToolResultEvent(result=result))
        self.calls.append(ToolCall(tool=result.tool, arguments=arguments, result=result))

    async def _found(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Ask the toolbox; a tool that is silent for `TOOL_SECONDS` found nothing."""
        try:
            async with asyncio.timeout(TOOL_SECONDS):
                return await self._tools.call(name, arguments)
        except TimeoutError:
            return ToolResult(
                tool=name,  # type: ignore[arg-type]  # the toolbox refuses at once what is no name of a tool
                arguments=arguments,
                env=None,
                as_of=datetime.now(UTC),
                result={},
                missing="too_slow" if name == "what_if_day" else "web_away",
            )

    async def say(self, sentence: str, source: Answerer) -> None:
        """Tell a model's sentence. Raises `UnfitSentence` when it must not be told.

        Where there are figures to tell, sentences wait for the first one that has a figure: small models talk of
        nothing, and who reads it takes it for a finding.
        """
        if all(call.result.missing is not None for call in self.calls):
            raise UnfitSentence("no_facts")
        before = "".join([*self._told, *self._waiting])
        fault = fault_of(sentence, self.results, before) or self._fault_in_a_row(sentence)
        if fault is not None:
            raise UnfitSentence(fault)
        self._waiting.append(sentence)
        if self.has_begun or tokens_of(without_list_mark(sentence)) or not tokens_of(self.facts()):
            self._source = source
            whole, self._waiting = "".join(self._waiting), []
            await self._write(whole)

    def _fault_in_a_row(self, sentence: str) -> WhyReplaced | None:
        """Return why a sentence does not fit behind the others: it was said already, or it is one too many."""
        said = [*self._told, *self._waiting]
        if sum(map(len, said)) + len(sentence) > LONGEST_ANSWER:
            return "too_long"
        return "repeated" if sentence.strip() in "".join(said) else None

    @property
    def lacks_facts(self) -> bool:
        """Return whether a model has talked without any of the figures that there are to tell."""
        return not self.has_begun and bool(self._waiting)

    def facts(self) -> str:
        """Return what the tools found, in the words of the rules."""
        return rules.word(self.question.message, tuple(self.results))

    async def say_facts(self) -> None:
        """Tell what the tools found in the words of the rules: with nothing told before, these are the whole answer."""
        await self._write(self.facts())

    async def replace(self, why: WhyReplaced) -> None:
        """Let the facts take the place of what a model said. A stream that has its sentences is told of it."""
        self.why = why
        if self._told:
            await self._tell(TokenEvent(text=BROKEN_OFF))
        self._told.clear()
        self._source = "rules"
        await self.say_facts()

    async def _write(self, text: str) -> None:
        self._told.append(text)
        await self._tell(TokenEvent(text=text))

    def done(self) -> DoneEvent:
        """Return the whole answer."""
        return DoneEvent(
            response="".join(self._told),
            tool_calls=tuple(self.calls),
            conversation_id=self.question.conversation_id,
            source=self._source,
            replaced=self.why is not None,
            why=self.why,
            facts=None if self._source == "rules" else self.facts(),
        )


def fault_of(sentence: str, results: list[ToolResult], before: str = "") -> WhyReplaced | None:
    """Return why a model's sentence must not be told behind what was told `before`, None when it may be.

    It may be the desk's own, say the same, or claim nothing. Which of the faults it has is told for who reads `why`.
    """
    sentence = " ".join(sentence.split())
    if not is_prose(sentence) or repeats_the_prompt(sentence):
        return "no_prose"
    if is_own(sentence, rules.word("", results), before) or claims_nothing(sentence):
        return None
    if says_the_same(sentence, results):
        return None
    if invented_numbers(sentence, results):
        return "number"
    return "copied" if copies_a_text(sentence, results) else "claim"
