"""Logging of the programs beside web: structured lines to stderr, readable on a terminal and JSON elsewhere.

A thread writes the lines, so that a paused terminal or a stuck log collector stops no socket; then lines are lost.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from typing import IO, Any

import structlog

MOST_LINES_WAITING = 10_000


class PatientStream:
    """A text stream whose ``write`` never blocks; lines beyond ``MOST_LINES_WAITING`` are lost and counted."""

    def __init__(self, target: IO[str]) -> None:
        """Write queued lines to `target`."""
        self._target = target
        self._waiting: queue.Queue[str] = queue.Queue(MOST_LINES_WAITING)
        self._lost = 0
        threading.Thread(target=self._pass_on, name="log", daemon=True).start()

    def write(self, line: str) -> None:
        """Queue a line."""
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._lost += 1

    def flush(self) -> None:
        """Return at once."""

    def drain(self, seconds: float) -> None:
        """Wait until all lines are written, or the time is up."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)

    def _pass_on(self) -> None:
        while True:
            line = self._waiting.get()
            self._target.write(line)
            self._target.flush()
            self._waiting.task_done()
            if self._lost:
                lost, self._lost = self._lost, 0
                self._target.write(f"{lost} log lines were lost: nobody read them.\n")


SERVER = "uvicorn.error"
"""The server's logger. Without an exception its lines say what a client did wrong: they would fill the log."""


class LibraryLines(logging.Handler):
    """Writes what libraries log as lines of ours; of the server only the exceptions."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        if record.name == SERVER and not record.exc_info:
            return
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def set_up_logging() -> PatientStream:
    """Send every log line to stderr through the returned stream."""
    on_terminal = sys.stderr.isatty()
    stream = PatientStream(sys.stderr)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(on_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[LibraryLines()], level=logging.WARNING, force=True)
    return stream


def _rendering(on_terminal: bool) -> list[Any]:
    if on_terminal:
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
