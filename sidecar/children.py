"""Child processes of the programs beside web: they end when the program that started them does."""

from __future__ import annotations

import os
import sys
import threading

LEFT_ALONE = 3


def end_with_parent() -> None:
    """End this process as soon as its standard input is closed, whatever it is doing then."""
    threading.Thread(target=_wait_for_the_end, name="end-with-parent", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 64):  # not by the buffer: its lock would outlive the thread
        continue
    os._exit(LEFT_ALONE)
