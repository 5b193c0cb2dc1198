"""The two kinds of model servers over real sockets: what they say, and every way in which they do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from advisor.agent.providers import bounded, ollama, openai
from advisor.agent.providers.ollama import OllamaProvider
from advisor.agent.providers.openai import OpenAiProvider
from advisor.agent.providers.provider import Provider, ProviderAway, Said, ToolAsked, ToolOffered, ToolsRefused
from tests.support.model_server import MODEL, Ending, ModelServer, Reply, asks, says
from tests.support.ports import free_port

KINDS = ("ollama", "openai")
TALK = (Said(role="system", content="Put facts into words."), Said(role="user", content="How is my day?"))
TOOLS = (ToolOffered("day_review", "a day", {"type": "object", "properties": {"day": {"type": "string"}}}),)


def provider(kind: str, url: str, model: str = MODEL) -> Provider:
    return OllamaProvider(url, model) if kind == "ollama" else OpenAiProvider(f"{url}/v1", model, "sk-of-the-test")


@asynccontextmanager
async def opened(kind: str, url: str, model: str = MODEL) -> AsyncIterator[Provider]:
    one = provider(kind, url, model)
    try:
        yield one
    finally:
        await one.close()


def using(kind: str, server: ModelServer, act: Callable[[Provider], Coroutine[Any, Any, Any]], **more: str) -> Any:
    async def run() -> Any:
        async with opened(kind, server.url, **more) as one:
            return await act(one)

    return asyncio.run(run())


async def heard(one: Provider, talk: tuple[Said, ...] = TALK, tools: tuple[ToolOffered, ...] = ()) -> list[Any]:
    return [piece async for piece in one.reply(talk, tools)]


@pytest.mark.parametrize("kind", KINDS)
def test_text_comes_piece_by_piece(kind: str) -> None:
    with ModelServer(says("Two trades, ", "both won.")) as server:
        assert using(kind, server, heard) == ["Two trades, ", "both won."]
    [asked] = server.asked
    assert [(one["role"], one["content"]) for one in asked["messages"]] == [(one.role, one.content) for one in TALK]
    assert asked["stream"] is True
    limit = asked["options"]["num_predict"] if kind == "ollama" else asked["max_tokens"]
    assert 0 < limit <= 1_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_is_asked_for_and_its_result_is_shown_to_the_model(kind: str) -> None:
    with ModelServer(asks("day_review", {"day": "2026-06-24"}), says("Done.")) as server:

        async def act(one: Provider) -> list[Any]:
            [asked] = await heard(one, TALK, TOOLS)
            assert (asked.name, asked.arguments) == ("day_review", {"day": "2026-06-24"})
            result = Said(role="tool", content='{"trades": 2}', tool=asked.name, asked_id=asked.id)
            return await heard(one, (*TALK, Said(role="assistant", content="", asked=(asked,)), result), TOOLS)

        assert using(kind, server, act) == ["Done."]
    first, second = server.asked
    [offered] = first["tools"]
    assert offered["function"]["name"] == "day_review"
    assert offered["function"]["parameters"]["properties"] == {"day": {"type": "string"}}
    assistant, result = second["messages"][2:]
    assert assistant["tool_calls"][0]["function"]["name"] == "day_review"
    assert (result["role"], result["content"]) == ("tool", '{"trades": 2}')


def test_arguments_that_are_no_object_are_told_as_none() -> None:
    with ModelServer(asks("day_review", '{"day": ')) as server:
        assert using("openai", server, heard) == [ToolAsked("call-0", "day_review", None)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["drop", "early", "garbage", "deep", "endless", "endless_line"])
def test_an_answer_that_does_not_end_well_is_no_answer(
    kind: str, ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "LONGEST_STREAM_BYTES", 200_000)
    with ModelServer(says("Two trades.", ends=ending)) as server, pytest.raises(ProviderAway):
        using(kind, server, heard)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_ends_by_itself(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    monkeypatch.setattr({"ollama": ollama, "openai": openai}[kind], "TIMEOUT", httpx.Timeout(0.3))
    with ModelServer(says("Two trades.", ends="silence")) as server:
        with pytest.raises(ProviderAway):
            using(kind, server, heard)
        assert server.was_left.wait(20)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_error_is_no_answer(kind: str, status: int) -> None:
    with ModelServer(Reply(status=status)) as server, pytest.raises(ProviderAway) as away:
        using(kind, server, heard)
    assert not isinstance(away.value, ToolsRefused)
    assert "it does not go" not in str(away.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_knows_no_tools_is_not_offered_any(kind: str) -> None:
    with ModelServer(says("Two trades."), knows_tools=False) as server:

        async def act(one: Provider) -> tuple[bool, list[Any], bool]:
            before = await one.takes_tools()
            with pytest.raises(ToolsRefused):
                await heard(one, TALK, TOOLS)
            return before, await heard(one), await one.takes_tools()

        before, text, after = using(kind, server, act)
    assert (before, text, after) == (kind == "openai", ["Two trades."], False)


@pytest.mark.parametrize(("vram", "has_gpu"), [(0, False), (4_000_000, True)])
def test_ollama_says_whether_a_gpu_holds_the_model(vram: int, has_gpu: bool) -> None:
    with ModelServer(vram=vram) as server:
        status = using("ollama", server, lambda one: one.status())
        assert (status.gpu_available, status.reason) == (has_gpu, None)
        assert using("ollama", server, lambda one: one.takes_tools()) is True


def test_a_model_that_ollama_does_not_have_is_named_missing() -> None:
    with ModelServer() as server:
        assert using("ollama", server, lambda one: one.status(), model="qwen3:8b").reason == "model_missing"
        with pytest.raises(ProviderAway):
            using("ollama", server, lambda one: one.takes_tools(), model="qwen3:8b")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_not_there_is_away(kind: str) -> None:
    async def act() -> None:
        async with opened(kind, f"http://127.0.0.1:{free_port()}") as one:
            assert (await one.status()).reason == "provider_away"
            with pytest.raises(ProviderAway):
                await heard(one)

    asyncio.run(act())


@pytest.mark.parametrize("kind", KINDS)
def test_who_stops_listening_hangs_up(kind: str) -> None:
    with ModelServer(says("One. ", ends="silence")) as server:

        async def act(one: Provider) -> None:
            reply = one.reply(TALK, ())
            assert await anext(reply) == "One. "
            await reply.aclose()
            await asyncio.to_thread(server.was_left.wait, 20)

        using(kind, server, act)
        assert server.was_left.is_set()
