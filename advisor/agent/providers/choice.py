"""The provider that the settings name. What it needs is imported here, and only where it is chosen."""

from __future__ import annotations

from advisor.agent.providers.provider import Provider
from advisor.agent.settings import AgentSettings


def provider_of(settings: AgentSettings) -> Provider | None:
    """Return the chosen model, None for the rules."""
    if settings.provider == "ollama":
        from advisor.agent.providers.ollama import OllamaProvider  # 12 MiB, for those who use it

        return OllamaProvider(settings.ollama_host, settings.model)
    if settings.provider == "openai":
        from advisor.agent.providers.openai import OpenAiProvider

        return OpenAiProvider(settings.openai_base_url, settings.model, settings.openai_api_key)
    return None
