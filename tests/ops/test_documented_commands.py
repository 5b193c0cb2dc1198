"""Every command in the documents works as printed, in a shell in which no virtual environment is active."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli import create_cli
from tests.support.paths import REPOSITORY

PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
MAKEFILE = (REPOSITORY / "Makefile").read_text("utf-8")
COMMAND = re.compile(r"`([^`\n]+)`")
DESK = re.compile(r"bin/flask desk ([a-z][^#]*)")
TOOLS = "honcho |gunicorn |pre-commit |ruff |mypy |biome "
ONLY_INSIDE = re.compile(rf"(?:^|[\s=])(?:python3? -m |flask desk [a-z]|{TOOLS})")
IN_THE_CONTAINER = "docker compose exec"
NOT_TYPED = {"gunicorn app:app"}  # named as what runs, not as a command to type


def blocks_of(page: Path) -> Iterator[str]:
    """Yield every line of the page's code blocks, and every piece of code within a sentence."""
    is_block = False
    for line in page.read_text("utf-8").splitlines():
        if line.lstrip().startswith("```"):
            is_block = not is_block
        elif is_block:
            yield line.split("#")[0].strip()
        else:
            yield from COMMAND.findall(line)


def codes() -> list[tuple[str, str]]:
    return [(page.name, code) for page in PAGES for code in blocks_of(page)]


def desk_commands() -> list[tuple[str, list[str]]]:
    """Return every ``flask desk`` command that a page prints, as words."""
    return [(page, found[1].split()) for page, code in codes() if (found := DESK.search(code))]


def test_no_command_needs_an_active_virtual_environment() -> None:
    plain = [(page, code) for page, code in codes() if IN_THE_CONTAINER not in code and code not in NOT_TYPED]
    assert [(page, code) for page, code in plain if ONLY_INSIDE.search(code)] == []


def test_every_make_target_that_a_page_names_is_there() -> None:
    named = {found for _, code in codes() for found in re.findall(r"^(?:sudo )?make ([a-z-]+)\b", code)}
    assert len(named) > 5
    assert {target for target in named if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)} == set()


@pytest.mark.parametrize(("page", "words"), desk_commands(), ids=str)
def test_every_desk_command_and_option_of_a_page_is_there(page: str, words: list[str]) -> None:
    command: click.Command = create_cli().cli.commands["desk"]
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.strip("[]") for word in words if word.lstrip("[").startswith("--")} <= known


def test_no_page_lets_an_api_key_change_anything() -> None:
    keyed = [code for _, code in codes() if "Bearer $LOCKSTEP_KEY" in code]
    assert keyed
    assert [code for code in keyed if re.search(r" (?:-X|--request|-d|--data|--json) ", code)] == []


def test_the_documents_show_the_desks_commands() -> None:
    assert {words[0] for _, words in desk_commands()} >= {"init", "replay", "export", "prune", "keys", "notify-test"}


@pytest.mark.parametrize(
    "code", ["python -m flask desk replay", "LOCKSTEP_URL=x python -m bridge", "flask desk init", "pre-commit install"]
)
def test_a_command_of_an_active_environment_is_noticed(code: str) -> None:
    assert ONLY_INSIDE.search(code)
