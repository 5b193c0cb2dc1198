"""The agent's settings: rules by default, and a wrong one is named."""

from __future__ import annotations

import pytest

from advisor.agent.settings import AgentSettings
from sidecar.settings import SettingsInvalid


def test_without_settings_the_rules_answer() -> None:
    assert AgentSettings.from_env({"AGENT_MODEL": "llama3:8b", "OLLAMA_HOST": "nonsense://"}) == AgentSettings()


def test_ollama_needs_a_model_and_takes_the_host_as_its_own_programs_do() -> None:
    for text, url in (
        ("", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("ollama:11434", "http://ollama:11434"),
        ("https://models.example.com/", "https://models.example.com"),
    ):
        read = AgentSettings.from_env({"AGENT_PROVIDER": "Ollama", "AGENT_MODEL": "llama3:8b", "OLLAMA_HOST": text})
        assert (read.provider, read.model, read.ollama_host, read.fallback) == ("ollama", "llama3:8b", url, True)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"AGENT_PROVIDER": "gpt"}, "AGENT_PROVIDER"),
        ({"AGENT_PROVIDER": "ollama"}, "AGENT_MODEL"),
        ({"AGENT_PROVIDER": "ollama", "AGENT_MODEL": "a", "OLLAMA_HOST": "http://models.example.com"}, "OLLAMA_HOST"),
        ({"AGENT_PROVIDER": "openai", "AGENT_MODEL": "a"}, "OPENAI_BASE_URL"),
        ({"AGENT_PROVIDER": "openai", "AGENT_MODEL": "a", "OPENAI_BASE_URL": "ftp://here"}, "OPENAI_BASE_URL"),
        ({"AGENT_FALLBACK": "perhaps"}, "AGENT_FALLBACK"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"^{named} "):
        AgentSettings.from_env(environ)


def test_the_key_of_a_server_is_shown_nowhere() -> None:
    settings = AgentSettings.from_env(
        {
            "AGENT_PROVIDER": "openai",
            "AGENT_MODEL": "a",
            "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1",
            "OPENAI_API_KEY": "sk-1",
        }
    )
    assert settings.openai_api_key == "sk-1"
    assert "sk-1" not in repr(settings)
