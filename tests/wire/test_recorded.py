"""What travels is what travelled before: a day's answers and messages, compared with their recording."""

import json
from typing import Any

import pytest

from tests.support.wire_story import RECORDED, told

CHAPTERS = ("state", "webhooks", "bridge", "orders", "operator", "controls", "journal", "readers", "stream", "changes")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    return told(tmp_path_factory.mktemp("recorded"))


def test_every_chapter_is_recorded(story: dict[str, list[dict[str, Any]]]) -> None:
    assert (
        set(story) == set(CHAPTERS) == {path.stem for path in RECORDED.glob("*.json") if path.stem != "foreign_bridge"}
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_today_the_same_is_said(story: dict[str, list[dict[str, Any]]], chapter: str) -> None:
    recorded = json.loads((RECORDED / f"{chapter}.json").read_text("utf-8"))
    for now, then in zip(story[chapter], recorded, strict=True):
        assert now == then
