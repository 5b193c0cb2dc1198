"""What libraries log in feeds: faults are lines of ours, what any client can cause is none."""

from __future__ import annotations

import logging
import sys

from structlog.testing import capture_logs

from sidecar.logs import SERVER, LibraryLines


def record(name: str, text: str, *, is_fault: bool = False) -> logging.LogRecord:
    exception = sys.exc_info() if is_fault else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, text, None, exception)


def test_what_a_client_did_wrong_fills_no_log() -> None:
    with capture_logs() as lines:
        LibraryLines().emit(record(SERVER, "Invalid HTTP request received."))
    assert lines == []


def test_a_fault_in_the_server_and_a_warning_of_another_library_are_logged() -> None:
    with capture_logs() as lines:
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            LibraryLines().emit(record(SERVER, "Exception in ASGI application", is_fault=True))
        LibraryLines().emit(record("asyncio", "a task was slow"))
    assert [line["event"] for line in lines] == ["Exception in ASGI application", "a task was slow"]
