"""``python -m advisor models train ETHUSD`` that hangs while it writes a model: a test kills it there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from advisor.models import files
from advisor.models.commands import run_models


def hang(path: Path, content: bytes) -> None:
    """Write half of a file and never come back."""
    path.write_bytes(content[: len(content) // 2])
    time.sleep(3_600)


if __name__ == "__main__":
    files.__dict__["_write"] = hang
    sys.exit(run_models(["train", "ETHUSD", "--timeframe", "1h"]))
