"""The container's files say what is true of this repository. Docker itself is not needed here."""

import fnmatch
import re
import shlex
import tomllib
from pathlib import PurePosixPath
from typing import Any, get_args

import pytest
import yaml

from advisor.config import AdvisorConfig
from bridge.config import settings_from
from feeds.config import FeedsConfig
from services.ops.settings_table import SETTINGS
from tests.support.desk_process import REPOSITORY
from wire.program import ProgramName

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text("utf-8")
INSTRUCTIONS = [
    line.partition(" ")[::2]
    for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))
ENVIRONMENT_OF_FEEDS: dict[str, str] = COMPOSE["services"]["feeds"]["environment"]
ENVIRONMENT_OF_THE_ADVISOR: dict[str, str] = COMPOSE["services"]["advisor"]["environment"]
ENVIRONMENT_OF_THE_BRIDGE: dict[str, str] = COMPOSE["services"]["bridge"]["environment"]


def of(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def copied() -> list[str]:
    """Return what the image takes from the repository; what an earlier stage made is not there."""
    return [source for line in of("COPY") if "--from=" not in line for source in shlex.split(line)[:-1]]


@pytest.mark.parametrize("source", copied())
def test_what_the_image_copies_exists(source: str) -> None:
    assert (REPOSITORY / source).exists()


def is_ignored(path: str) -> bool:
    """Tell what a .dockerignore does to a path at the top: the last line that matches decides."""
    ignored = False
    for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.lstrip("!")
        if line and not line.startswith("#") and fnmatch.fnmatch(path, pattern):
            ignored = not line.startswith("!")
    return ignored


def test_the_build_sees_what_is_copied_and_no_secret() -> None:
    assert [source for source in copied() if is_ignored(source)] == []
    for path in (".env", ".git", "var", "tests", "docs", "requirements-dev.txt", ".venv"):
        assert is_ignored(path), path


def test_every_program_the_procfile_starts_is_in_the_image() -> None:
    started = re.findall(r"gunicorn (\w+):|-m (\w+)", (REPOSITORY / "Procfile").read_text("utf-8"))
    programs = {"cli" if "flask" in pair else "".join(pair) for pair in started}
    assert programs >= {"app", "bridge", "cli", "feeds", "advisor"}
    layers = {"serving", "services", "routes", "templates", "static", ".flaskenv", "gunicorn.conf.py"}
    assert programs | layers <= {PurePosixPath(source).name.removesuffix(".py") for source in copied()} | set(copied())


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    *stages, base = of("FROM")
    digest = "(@sha256:[0-9a-f]{64})?"  # `make pin` writes it, where a registry can be asked
    assert [re.sub(rf":\d+(\.\d+)*-\w+-slim{digest}", "", stage) for stage in stages] == ["node AS vendor"]
    assert re.fullmatch(rf"python:3\.\d+(\.\d+)?-slim-\w+{digest}", base)
    oldest = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]["python_version"]
    assert base.startswith(f"python:{oldest}")
    names = [name for name, _ in INSTRUCTIONS]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in ("COPY", "RUN"))
    assert of("USER") == ["lockstep"]
    assert of("CMD") == ['["gunicorn", "app:app"]']
    assert "/healthz" in of("HEALTHCHECK")[0]
    assert "-dev" not in "".join(of("RUN"))


def test_the_health_check_is_a_program_that_runs() -> None:
    [line] = of("HEALTHCHECK")
    python, _, module, address = shlex.split(line.partition("CMD ")[2])
    assert (python, address) == ("python", "http://127.0.0.1:$PORT/healthz")
    assert (REPOSITORY / module.replace(".", "/")).with_suffix(".py").exists()


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_may_write_to_its_volume_only(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == "unless-stopped"
    assert any(line.startswith("/tmp") for line in service["tmpfs"])  # noqa: S108 - where the container writes
    if name == "tape":
        assert "volumes" not in service, "it keeps nothing"
        return
    [volume] = service["volumes"]
    source, target = volume.split(":")
    assert source in COMPOSE["volumes"]
    written = [value for key, value in service["environment"].items() if key.endswith(("_PATH", "OLLAMA_MODELS"))]
    assert written
    assert all(path.startswith(f"{target}/") for path in written)


def test_secrets_come_from_the_env_file_and_stand_nowhere_else() -> None:
    text = (REPOSITORY / "compose.yaml").read_text("utf-8") + DOCKERFILE
    written = re.findall(r"((?:\w*)(?:SECRET|PASSWORD|TOKEN|KEY)\w*)\s*[:=]\s*(\S+)", text)
    assert [(name, value) for name, value in written if not value.startswith((f"${{{name}:?", f"${{{name}:-}}"))] == []


def test_the_bridge_is_given_its_own_secret_and_its_own_settings_only() -> None:
    assert COMPOSE["services"]["web"]["env_file"] == ".env"
    bridge = COMPOSE["services"]["bridge"]
    assert "env_file" not in bridge
    own = {row.name for row in SETTINGS if row.group == "bridge"}
    assert set(bridge["environment"]) == own | {"BRIDGE_HEARTBEAT_SECRET"}


def test_the_bridge_starts_on_what_compose_gives_it_when_only_the_secret_is_set() -> None:
    """Compose writes an empty text for a variable that is not in the .env."""
    given = {name: re.sub(r"\$\{\w+:-\}", "", value) for name, value in ENVIRONMENT_OF_THE_BRIDGE.items()}
    given["BRIDGE_HEARTBEAT_SECRET"] = "a-secret-of-the-desk"
    plain = {name: value for name, value in given.items() if value}
    assert settings_from([], given) == settings_from([], plain)


def test_feeds_is_given_what_opens_web_to_it_and_no_secret_of_web_or_bridge() -> None:
    feeds = COMPOSE["services"]["feeds"]
    assert "env_file" not in feeds
    own = {row.name for row in SETTINGS if row.group == "feeds"}
    own |= {"LOCKSTEP_URL", "SERVICE_SECRET", "METRICS_TOKEN", "CORS_ORIGINS"}
    assert set(feeds["environment"]) <= own
    assert feeds["environment"]["LOCKSTEP_URL"] == "http://web:8000"
    assert feeds["ports"] == ["127.0.0.1:8765:8765"]
    assert COMPOSE["services"]["web"]["environment"]["FEEDS_URL"] == "http://feeds:8765"


def test_feeds_starts_on_what_compose_gives_it_and_serves_the_market_feed_alone() -> None:
    given = {name: re.sub(r"\$\{\w+:-\}", "", value) for name, value in ENVIRONMENT_OF_FEEDS.items()}
    config = FeedsConfig.from_env(given)
    assert (config.host, config.market_port, config.service_secret) == ("0.0.0.0", 8765, None)  # noqa: S104 - inside
    assert not any((config.consensus_port, config.telemetry_port, config.journal_port, config.engine_port))


def test_the_advisor_is_given_what_opens_web_and_feeds_to_it_and_no_other_secret_of_the_desk() -> None:
    advisor = COMPOSE["services"]["advisor"]
    assert "env_file" not in advisor
    own = {row.name for row in SETTINGS if row.group == "advisor"} - {"ADVISOR_URL", "AGENT_URL"}
    assert set(advisor["environment"]) == own | {"LOCKSTEP_URL", "FEEDS_URL", "SERVICE_SECRET", "CORS_ORIGINS"}
    web = COMPOSE["services"]["web"]["environment"]
    assert (web["ADVISOR_URL"], web["AGENT_URL"]) == ("http://advisor:8002", "http://advisor:8003")
    assert all(port.startswith("127.0.0.1:") for port in advisor["ports"])


def test_the_advisor_starts_on_what_compose_gives_it_and_asks_for_keys() -> None:
    given = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in ENVIRONMENT_OF_THE_ADVISOR.items()}
    config = AdvisorConfig.from_env(given)
    assert (config.ml_port, config.agent_port, config.feeds_url) == (8002, 8003, "http://feeds:8765")
    assert (config.is_local, config.nightly, config.agent.provider) == (False, True, "rules")
    with_ollama = AdvisorConfig.from_env({**given, "AGENT_PROVIDER": "ollama", "AGENT_MODEL": "llama3.2:3b"})
    assert with_ollama.agent.ollama_host == "http://ollama:11434"


def test_a_market_and_a_language_model_are_started_only_when_they_are_asked_for() -> None:
    asked_for = {name: service["profiles"] for name, service in COMPOSE["services"].items() if "profiles" in service}
    assert asked_for == {"tape": ["tape"], "ollama": ["ollama"]}
    assert "ports" not in COMPOSE["services"]["ollama"]


def test_the_tape_is_given_the_two_secrets_under_which_a_market_speaks() -> None:
    tape = COMPOSE["services"]["tape"]
    assert "env_file" not in tape
    assert "ports" not in tape
    assert set(tape["environment"]) == {"LOCKSTEP_URL", "TV_WEBHOOK_SECRET", "BRIDGE_HEARTBEAT_SECRET"}


def test_the_five_programs_are_in_the_procfile_and_in_compose() -> None:
    lines = (REPOSITORY / "Procfile").read_text("utf-8").splitlines()
    five = set(get_args(ProgramName))
    assert {line.partition(":")[0] for line in lines} == five
    assert set(COMPOSE["services"]) == five | {"ollama"}


def test_web_is_reached_through_a_proxy_on_the_same_machine() -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["web"]["ports"])
    assert COMPOSE["services"]["bridge"]["environment"]["LOCKSTEP_URL"] == "http://web:8000"
    assert "ports" not in COMPOSE["services"]["bridge"]
