"""Every citation leads somewhere: a rule, a principle or the style, all of them pages of this repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec import Struct

PROJECT = Path(__file__).resolve().parent.parent
RULES = PROJECT / "docs" / "reference" / "rules.md"
PRINCIPLES = PROJECT / "docs" / "explanation" / "principles.md"
STYLE = PROJECT / "docs" / "explanation" / "style.md"
TEXTS = {".py", ".js", ".sql", ".css", ".html", ".md", ".json", ".yml", ".yaml", ".toml", ".txt", ".example", ""}
NOT_OURS = {
    ".git",
    "node_modules",
    "vendor",
    "var",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
}
NUMBERS = r"\d+(?:\.\d+)?(?:(?:, | to | and )\d+(?:\.\d+)?)*"
RULE = re.compile(rf"\bSPEC ({NUMBERS})")
PRINCIPLE = re.compile(rf"\bDESIGN\b(?: ({NUMBERS}))?")
HABIT = re.compile(r"\bSTYLE\b(?:, (\w+))?")
SECTION, ITEM = re.compile(r"^## (\d+)\. "), re.compile(r"^(\d+)\. ")
PAGE_NAME = re.compile(r"(?<![\w/])docs/[\w/.-]+\.(?:md|json|yml|png)\b")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


class Citation(Struct, frozen=True):
    """What a line of a file cites."""

    place: str
    cited: str


def texts() -> Iterator[Path]:
    """Yield every text of the repository except this one."""
    for folder, folders, names in os.walk(PROJECT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.startswith(".venv")]
        paths = (Path(folder, name) for name in names)
        yield from (path for path in paths if path.suffix in TEXTS and path != Path(__file__))


@cache
def lines() -> tuple[tuple[str, str], ...]:
    """Return every line of the repository's texts behind the name of its place."""
    return tuple(
        (f"{path.relative_to(PROJECT)}:{number}", line)
        for path in texts()
        for number, line in enumerate(path.read_text("utf-8", errors="ignore").splitlines(), 1)
    )


def citations(pattern: re.Pattern[str]) -> list[Citation]:
    """Return all that is cited in this way, number by number; an empty text where no number was given."""
    return [
        Citation(place, cited)
        for place, line in lines()
        for found in pattern.finditer(line)
        for cited in (re.split(r", | to | and ", found[1]) if found[1] else [""])
    ]


def rules_of_the_page() -> set[str]:
    """Return the numbers of the rules: of sections (``5``) and of their items (``5.3``)."""
    found: set[str] = set()
    section = ""
    for line in RULES.read_text("utf-8").splitlines():
        if heading := SECTION.match(line):
            section = heading[1]
            found.add(section)
        elif line.startswith("## "):
            section = ""
        elif section and (item := ITEM.match(line)):
            found.add(f"{section}.{item[1]}")
    return found


def unresolved(cited: Iterable[Citation], known: set[str]) -> list[Citation]:
    return [citation for citation in cited if citation.cited not in known]


def test_every_cited_rule_is_on_the_rules_page() -> None:
    cited = citations(RULE)
    assert len(cited) > 200, "the citations of the code were not found"
    assert unresolved(cited, rules_of_the_page()) == []


def test_the_rules_page_has_the_sections_and_items_that_code_relies_on() -> None:
    known = rules_of_the_page()
    assert {str(number) for number in range(1, 12)} <= known
    last_items = {"5": 10, "6": 8, "7": 5, "8": 6}
    assert {n for n in known if "." in n} == {f"{s}.{i}" for s, last in last_items.items() for i in range(1, last + 1)}


def test_every_cited_principle_is_on_its_page() -> None:
    known = {item[1] for line in PRINCIPLES.read_text("utf-8").splitlines() if (item := ITEM.match(line))}
    cited = citations(PRINCIPLE)
    assert cited
    assert unresolved(cited, known) == []


def test_every_cited_habit_is_a_heading_of_the_style() -> None:
    headings = {line.lstrip("# ").lower() for line in STYLE.read_text("utf-8").splitlines() if line.startswith("## ")}
    assert unresolved(citations(HABIT), {"", *headings}) == []


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("(SPEC 5.3)", ["5.3"]),
        ("SPEC 3, 6.6", ["3", "6.6"]),
        ("SPEC 8.1 to 8.3).", ["8.1", "8.3"]),
        ("SPEC 4, gate 7", ["4"]),
        ("SPEC 5.10: a reason", ["5.10"]),
    ],
)
def test_a_citation_is_read_number_by_number(text: str, cited: list[str]) -> None:
    [found] = RULE.finditer(text)
    assert re.split(r", | to | and ", found[1]) == cited


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings as GitHub makes them."""
    headings = (line.lstrip("# ") for line in page.read_text("utf-8").splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_the_documents_leads_somewhere() -> None:
    broken = []
    for page in [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]:
        for found in LINK.finditer(page.read_text("utf-8")):
            target = (page.parent / found[1]).resolve() if found[1] else page
            leads = target.exists() and (not found[2] or target.suffix != ".md" or found[2] in anchors_of(target))
            broken += [] if leads else [f"{page.relative_to(PROJECT)}: {found[0]}"]
    assert broken == []


def test_every_page_that_code_names_is_there() -> None:
    named = {(place, found[0]) for place, line in lines() for found in PAGE_NAME.finditer(line)}
    assert len(named) > 10
    assert sorted((place, page) for place, page in named if not (PROJECT / page).exists()) == []


def test_nothing_but_the_run_of_all_tests_names_what_lies_beside_the_repository() -> None:
    beside = "../" + "shared"
    assert {place.split(":")[0] for place, line in lines() if beside in line} <= {".ci/run"}


SOURCE_NAME = re.compile(
    r"`((?:services|routes|bridge|wire|tape|tests|static|templates)/[\w/-]*(?:\.(?:py|js|sql|html|css)|/))`"
)


def test_every_source_file_that_a_document_names_is_there() -> None:
    pages = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]
    named = {(page.name, found[1]) for page in pages for found in SOURCE_NAME.finditer(page.read_text("utf-8"))}
    assert len(named) > 60
    assert sorted((page, path) for page, path in named if not (PROJECT / path).exists()) == []
