"""The container's files say what is true of this repository. Docker itself is not needed here."""

import fnmatch
import re
import shlex
import tomllib
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from bridge.config import settings_from
from services.ops.settings_table import SETTINGS
from tests.support.desk_process import REPOSITORY

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text("utf-8")
INSTRUCTIONS = [
    line.partition(" ")[::2]
    for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))
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
    assert programs >= {"app", "bridge", "cli"}
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
    [volume] = service["volumes"]
    source, target = volume.split(":")
    assert source in COMPOSE["volumes"]
    written = [value for key, value in service["environment"].items() if key.endswith("_PATH")]
    assert written
    assert all(path.startswith(f"{target}/") for path in written)


def test_secrets_come_from_the_env_file_and_stand_nowhere_else() -> None:
    text = (REPOSITORY / "compose.yaml").read_text("utf-8") + DOCKERFILE
    written = re.findall(r"((?:\w*)(?:SECRET|PASSWORD|TOKEN|KEY)\w*)\s*[:=]\s*(\S+)", text)
    assert [(name, value) for name, value in written if not value.startswith(f"${{{name}:?")] == []


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


def test_web_is_reached_through_a_proxy_on_the_same_machine() -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["web"]["ports"])
    assert COMPOSE["services"]["bridge"]["environment"]["LOCKSTEP_URL"] == "http://web:8000"
    assert "ports" not in COMPOSE["services"]["bridge"]
