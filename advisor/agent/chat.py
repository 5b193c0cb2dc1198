"""Answers a question: the tools find the facts, a model or the rules put them into words.

A model is asked for at most `MOST_ROUNDS` rounds of tools. It says nothing before a tool has found something: where it
asks for none, the rules choose the tools. Each of its sentences is checked before it is told; where one does not fit,
the model is stopped, and the facts take the place of its answer in the words of the rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

import structlog

from advisor.agent import rules
from advisor.agent.answer import Answer, Question, Tell, Tools, UnfitSentence
from advisor.agent.prompts import TASK, WITH_TOOLS, as_answer, opening, refused, with_results
from advisor.agent.providers.provider import (
    MOST_CALLS,
    Provider,
    ProviderAway,
    Said,
    ToolAsked,
    ToolOffered,
    ToolsRefused,
)
from advisor.agent.sentences import SentenceReader
from advisor.agent.toolbox import ToolRefused
from sidecar.problems import ServiceRefused
from wire.agent import DoneEvent

logger = structlog.get_logger(__name__)

MOST_ROUNDS = 4
MODEL_SECONDS = 24.0
"""What a model may take; the rest of `ANSWER_SECONDS` is for the rules."""

ANSWER_SECONDS = 30.0
LONGEST_PREAMBLE = 800
"""Characters of a model that asks for no tool and has no result: nobody sees them."""

RETRY_SECONDS = 5


class Chat:
    """Answers questions. Without a `provider` the rules word every answer."""

    def __init__(
        self, tools: Callable[[], Tools], offered: Sequence[ToolOffered], provider: Provider | None, *, fallback: bool
    ) -> None:
        """Get the `tools` of each question anew. With `fallback` the rules answer while the provider is away."""
        self._tools = tools
        self._offered = tuple(offered)
        self._provider = provider
        self._fallback = fallback

    async def answer(self, question: Question, tell: Tell) -> DoneEvent:
        """Answer, and give `tell` what happens meanwhile. Raises `ServiceRefused` (503)."""
        answer = Answer(question, self._tools(), tell)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._answer(answer)
        except TimeoutError:
            raise ServiceRefused("provider_away", "there was no answer in time", RETRY_SECONDS) from None
        return answer.done()

    async def _answer(self, answer: Answer) -> None:
        if self._provider is None:
            await answer_by_rules(answer)
            return
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                await ModelAnswer(answer, self._provider, self._offered).run()
        except (ProviderAway, TimeoutError) as error:
            logger.warning("the model gives no answer", provider=self._provider.name, reason=str(error) or "silent")
            if not self._fallback:
                raise ServiceRefused("provider_away", "the language model does not answer", RETRY_SECONDS) from error
            if answer.has_begun:
                await answer.replace("provider")
            else:
                await answer_by_rules(answer)


async def answer_by_rules(answer: Answer) -> None:
    """Answer in the words of the rules, with what the tools found already or else with what the rules ask."""
    if not answer.calls:
        await ask_by_rules(answer)
    await answer.say_facts()


async def ask_by_rules(answer: Answer) -> None:
    """Ask the tools that the rules choose for the question; there may be none."""
    await answer.ask_together(rules.route(answer.question.message))


class ModelAnswer:
    """One answer of a model. Everything of it raises `ProviderAway`."""

    def __init__(self, answer: Answer, provider: Provider, offered: Sequence[ToolOffered]) -> None:
        """Answer by `provider`, which may ask for the tools that are offered."""
        self._answer = answer
        self._provider = provider
        self._offered = offered

    async def run(self) -> None:
        """Find facts, let the model word them, and replace what does not fit."""
        try:
            if await self._provider.takes_tools():
                await self._by_its_own_tools()
            else:
                await self._by_chosen_tools()
        except UnfitSentence as fault:
            logger.info("a model's answer was replaced", provider=self._provider.name, fault=fault.why)
            await self._answer.replace(fault.why)
            return
        if self._answer.lacks_facts:
            await self._answer.replace("no_figure")
        elif not self._answer.has_begun:
            await self._answer.say_facts()

    async def _by_its_own_tools(self) -> None:
        """Let the model ask for tools, round by round."""
        question = self._answer.question
        talk = opening(WITH_TOOLS, question.turns, question.message)
        for _ in range(MOST_ROUNDS):
            try:
                asked = await self._listen(talk, self._offered)
            except ToolsRefused:
                asked = []
            if not asked:
                break
            await self._ask(talk, asked)
        else:
            if self._answer.calls:
                await self._listen(talk, ())
        if not self._answer.calls:
            await self._by_chosen_tools()

    async def _by_chosen_tools(self) -> None:
        """Let the rules choose the tools, and the model only word what they found; without facts it says nothing."""
        question = self._answer.question
        await ask_by_rules(self._answer)
        if self._answer.calls:
            words = with_results(question.message, self._answer.facts(), self._answer.results)
            await self._listen(opening(TASK, question.turns, words), ())

    async def _ask(self, talk: list[Said], asked: Sequence[ToolAsked]) -> None:
        """Ask the tools of one round; a tool that is unknown or asked wrongly has that as its result."""
        talk.append(Said(role="assistant", content="", asked=tuple(asked)))
        for one in asked:
            result = await self._result_of(one)
            talk.append(Said(role="tool", content=result, tool=one.name, asked_id=one.id))

    async def _result_of(self, asked: ToolAsked) -> str:
        if asked.arguments is None:
            return refused("bad_arguments", "the arguments must be a JSON object")
        try:
            result = await self._answer.ask(asked.name, asked.arguments)
        except ToolRefused as error:
            return refused(error.code, str(error)[:300])
        return as_answer(result, rules.word("", [result]))

    async def _listen(self, talk: Sequence[Said], tools: Sequence[ToolOffered]) -> list[ToolAsked]:
        """Tell what the model says, once a tool has found something. Return the tools that it asks for."""
        asked: list[ToolAsked] = []
        sentences = SentenceReader()
        unheard = 0
        async with aclosing(self._provider.reply(talk, tools)) as reply:
            async for piece in reply:
                if isinstance(piece, ToolAsked):
                    asked.append(piece)
                    if len(asked) >= MOST_CALLS:
                        break
                elif self._answer.calls:
                    for sentence in sentences.read(piece):
                        await self._answer.say(sentence, self._provider.name)
                else:
                    unheard += len(piece)
                    if unheard > LONGEST_PREAMBLE:
                        break
        rest = sentences.rest()
        if rest and not asked:
            await self._answer.say(rest, self._provider.name)
        return asked
