"""The desk on a machine whose wall clock a test sets: by the seconds in the file that ``SET_BY_FILE`` names.

``gunicorn tests.support.set_clock_desk:app``. The time since boot is the real one.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from app import create_app
from services.desk.clock import DeskClock, seconds_since_boot, utc_now
from wire.types import Instant

SET_BY = Path(os.environ["SET_BY_FILE"])


def wall() -> Instant:
    """Return the machine's time as it is set."""
    return utc_now() + timedelta(seconds=float(SET_BY.read_text("utf-8")))


app = create_app(clock=DeskClock(wall, seconds_since_boot))
