"""Decide a trading day again in a process of its own: ``python -m services.ops.what_if_child DAY DATABASE``.

Web starts it (``services/ops/what_if_days.py``), because a replay is much work: it is as nice as can be, and bounded in
processor time and memory. It only reads, prints one JSON document, and ends when web does: then its standard input
ends.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Sequence
from datetime import date
from typing import cast

from services.history.source import History
from services.history.what_if_day import NoSuchDay, what_if_day
from services.ops.what_if_days import FAILED, NO_SUCH_DAY, OK, Failure
from services.stores.sqlite.reader import SqliteReader
from services.stores.store import Store, StoreError
from wire.encoding import encode

NICE = 19
PROCESSOR_SECONDS = 60
MOST_MEMORY = 1024 * 2**20
"""Of addresses, of which it uses a part."""


def main(arguments: Sequence[str]) -> int:
    """Print the answer, or a `Failure`. Return the exit code."""
    day, database = date.fromisoformat(arguments[0]), arguments[1]
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1))
    if sys.platform == "linux":  # elsewhere addresses are not counted so
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    threading.Thread(target=_end_with_web, daemon=True).start()
    try:
        reader = SqliteReader(database)
        try:
            answer = encode(what_if_day(History(cast(Store, reader)), day))
        finally:
            reader.close()
    except NoSuchDay as error:
        return _say(encode(Failure(str(error))), NO_SUCH_DAY)
    except StoreError as error:
        return _say(encode(Failure(str(error))), FAILED)
    except MemoryError:
        return _say(encode(Failure(f"the day needs more than {MOST_MEMORY // 2**20} MiB")), FAILED)
    except Exception as error:  # noqa: BLE001 - a fault of the program is an answer, too: web logs it
        return _say(encode(Failure(f"this program fails on the day: {type(error).__name__}: {error}")), FAILED)
    return _say(answer, OK)


def _say(text: bytes, code: int) -> int:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
    return code


def _end_with_web() -> None:
    """Wait until web ends or closes our input; nobody wants the answer then."""
    while os.read(sys.stdin.fileno(), 4096):  # not of its buffer, whose lock would be held when this process ends
        continue
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
