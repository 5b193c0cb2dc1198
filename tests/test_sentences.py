"""Sentences are for people: no program splits or matches one. What programs read is code, title, detail and facts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.engine.model.wording import DASH
from tests.support.files import name_of
from tests.support.paths import REPOSITORY

COMPOSES = "services/engine/model/wording.py"
PARTS = r"(?:sentence|error|reason|detail|title|told)"
IN_JAVASCRIPT = (
    rf"\b{PARTS}\??\.(?:split|includes|startsWith|endsWith|match|matchAll|replace|search|slice|substring|indexOf)\(",
    rf"\b{PARTS}(?:Of)?\([^()]*\)\s*\.(?:split|includes|startsWith|endsWith|match|replace|search|slice|indexOf)\(",
    rf"\.(?:test|exec)\([^()]*\b{PARTS}\)",
    rf"\b(?:split|includes|startsWith|indexOf)\([\"'`]{DASH}",
)
IN_PYTHON = (
    rf"\b{PARTS}\.(?:r?partition|r?split|startswith|endswith|r?find|r?index|removeprefix|removesuffix|replace)\(",
    rf"\[[\"']{PARTS}[\"']\]\.(?:r?partition|r?split|startswith|endswith|r?find|removeprefix|removesuffix|replace)\(",
    rf"\b(?:match|fullmatch|search|findall|sub)\(.*[ .(]{PARTS}\)",
    rf"[\"'] (?:not )?in [\w.]*\b{PARTS}\b(?!\w)",
    rf"[\"'] (?:not )?in [\w.()]*\[[\"']{PARTS}[\"']\]",
    rf"[\"'] (?:not )?in [\w.]*\.get\([\"'](?:{PARTS}|description)[\"']",
    rf"\b(?:r?partition|r?split|startswith)\([rbf]?[\"']{DASH}",
)
SPOKEN = ("services", "routes", "bridge", "tape", "wire", "tests/crash", "tests/support", "tests/bench")
NOT_YET = {"static/js/panels/trade/reconciled.js"}  # goes once the page reads the journal's events


def programs() -> list[Path]:
    scripts = sorted((REPOSITORY / "static/js").rglob("*.js"))
    modules = [path for part in SPOKEN for path in sorted((REPOSITORY / part).rglob("*.py"))]
    return [path for path in (*scripts, *modules) if name_of(path) not in {COMPOSES, *NOT_YET}]


def taken_apart(text: str, suffix: str) -> list[str]:
    """Return what looks like a sentence that a program takes apart."""
    patterns = IN_JAVASCRIPT if suffix == ".js" else IN_PYTHON
    return [found.group() for pattern in patterns for found in re.finditer(pattern, text)]


def test_no_program_takes_a_sentence_apart() -> None:
    found = {name_of(path): taken_apart(path.read_text("utf-8"), path.suffix) for path in programs()}
    assert found, "there is no program to read"
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("suffix", "line"),
    [
        (".js", 'sentenceOf(rung)\n    .split(" — ")[0]'),
        (".js", 'return sentence.startsWith("INITIAL_EXIT_LOCK_ACTIVE");'),
        (".js", 'firstClosed(asset)?.sentence?.startsWith("BRIDGE SILENT")'),
        (".js", "!alert.sentence.includes(alert.asset)"),
        (".js", "FOLLOWED.test(told)"),
        (".js", "RUNNING_TIME.test(body.error)"),
        (".js", 'text.split(" — ")'),
        (".py", 'lead, _, rest = alert.sentence.partition(" — ")'),
        (".py", "400 if reason.startswith('color: ') else 422"),
        (".py", 'if "LOCK" in refusal.sentence:'),
        (".py", 'if "LOCK" not in answer.json()["error"]:'),
        (".py", "re.search(r'(\\d+) of', refusal.sentence)"),
        (".py", 'body["error"].split(" ")'),
        (".py", 'if "SECRET" in operation.get("description", ""):'),
        (".py", 'text.partition(" — ")'),
    ],
)
def test_taking_one_apart_is_noticed(suffix: str, line: str) -> None:
    assert taken_apart(line, suffix) != []
