"""The operator's news file (``NEWS_FILE``): times around which no entry passes (SPEC 5.9, docs/how-to/window.md).

One line a time: New York time or one with its own offset, minutes before, minutes after, title. Lines that begin with
``#`` and empty ones are skipped.

    2026-12-04 08:30, 5, 15, Employment report
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.engine.model.window import NewsTime
from services.market.calendars import NEW_YORK

FIELDS = 4
LINES_AT_MOST = 2_000
MINUTES_AT_MOST = 720
TITLE_AT_MOST = 80


class NewsUnreadable(ValueError):
    """The file is missing, or a line of it cannot be read. The sentence says which and why."""


def read_news(path: Path) -> tuple[NewsTime, ...]:
    """Return the news times of the file, oldest first. Raises NewsUnreadable."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NewsUnreadable(f"the news file {path} could not be read: {type(error).__name__}") from error
    if len(lines) > LINES_AT_MOST:
        raise NewsUnreadable(f"the news file {path} has {len(lines)} lines, at most {LINES_AT_MOST} are read")
    told = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    news = {_news_of(path, number, line) for number, line in told if line and not line.startswith("#")}
    return tuple(sorted(news, key=lambda one: (one.begins, one.ends, one.title)))


def _news_of(path: Path, number: int, line: str) -> NewsTime:
    fields = [field.strip() for field in next(csv.reader([line], skipinitialspace=True))]
    if len(fields) != FIELDS or not fields[-1]:
        raise NewsUnreadable(f"{path} line {number} must be: time, minutes before, minutes after, title")
    at = _time_of(fields[0])
    before, after = (_minutes_of(field) for field in fields[1:3])
    if at is None or before is None or after is None:
        what = "time such as 2026-12-04 08:30" if at is None else f"minutes from 0 to {MINUTES_AT_MOST}"
        raise NewsUnreadable(f"{path} line {number} has no {what}")
    if before + after == 0:
        raise NewsUnreadable(f"{path} line {number} has no minutes, neither before nor after")
    return NewsTime(at - timedelta(minutes=before), at + timedelta(minutes=after), fields[-1][:TITLE_AT_MOST])


def _time_of(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=NEW_YORK)).astimezone(UTC)


def _minutes_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= MINUTES_AT_MOST else None
