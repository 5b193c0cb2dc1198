"""Which language model words the agent's answers. The rules need none, and are the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec import Struct

from sidecar.settings import SettingsInvalid, flag_in, url_in
from wire.explain import Answerer

PROVIDERS: tuple[Answerer, ...] = get_args(Answerer)
OLLAMA = "http://127.0.0.1:11434"
OLLAMA_PORT = ":11434"
LONGEST_NAME = 200


class AgentSettings(Struct, frozen=True, kw_only=True):
    """The agent's settings. With `fallback` the rules answer while the provider is away."""

    provider: Answerer = "rules"
    model: str = "none"
    ollama_host: str = OLLAMA
    openai_base_url: str = ""
    openai_api_key: str | None = None
    fallback: bool = True

    def __repr__(self) -> str:
        """Leave out the key, so that no log shows it."""
        return f"AgentSettings({self.provider}, {self.model})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> AgentSettings:
        """Read the settings. Raises `SettingsInvalid`, which names the wrong one."""
        provider = provider_in(environ)
        if provider == "rules":
            return cls(fallback=fallback_in(environ))
        return cls(
            provider=provider,
            model=model_in(environ, provider),
            ollama_host=ollama_in(environ) if provider == "ollama" else OLLAMA,
            openai_base_url=openai_in(environ) if provider == "openai" else "",
            openai_api_key=key_in(environ) if provider == "openai" else None,
            fallback=fallback_in(environ),
        )


def provider_in(environ: Mapping[str, str]) -> Answerer:
    """Return who words the answers."""
    text = (environ.get("AGENT_PROVIDER") or "rules").strip().lower()
    for provider in PROVIDERS:
        if text == provider:
            return provider
    raise SettingsInvalid(f"AGENT_PROVIDER must be one of {', '.join(PROVIDERS)}, was {text[:40]!r}.")


def model_in(environ: Mapping[str, str], provider: Answerer) -> str:
    """Return the name of the model, as its server knows it."""
    text = (environ.get("AGENT_MODEL") or "").strip()
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise SettingsInvalid(f"AGENT_MODEL must name the model of AGENT_PROVIDER={provider}, was {text[:40]!r}.")
    return text


def ollama_in(environ: Mapping[str, str]) -> str:
    """Return the address of Ollama, which it also lets one write without a scheme and a port."""
    text = (environ.get("OLLAMA_HOST") or OLLAMA).strip().rstrip("/")
    if "://" not in text:
        text = f"http://{text}"
        if ":" not in text.removeprefix("http://"):
            text += OLLAMA_PORT
    return url_in({"OLLAMA_HOST": text}, "OLLAMA_HOST", OLLAMA)


def openai_in(environ: Mapping[str, str]) -> str:
    """Return the address that ``/chat/completions`` follows."""
    if not (environ.get("OPENAI_BASE_URL") or "").strip():
        raise SettingsInvalid(
            "OPENAI_BASE_URL must be the server's address for AGENT_PROVIDER=openai, such as http://127.0.0.1:8080/v1."
        )
    return url_in(environ, "OPENAI_BASE_URL", "")


def key_in(environ: Mapping[str, str]) -> str | None:
    """Return the key of the OpenAI-compatible server, None for one that needs none."""
    text = (environ.get("OPENAI_API_KEY") or "").strip()
    if not text.isascii() or not text.isprintable():
        raise SettingsInvalid("OPENAI_API_KEY must be printable ASCII characters.")
    return text or None


def fallback_in(environ: Mapping[str, str]) -> bool:
    """Return whether the rules answer while the provider is away; unset they do."""
    return flag_in({"AGENT_FALLBACK": environ.get("AGENT_FALLBACK") or "1"}, "AGENT_FALLBACK")
