"""Where web and bridge keep their files when no setting says so: outside the checkout, which ``git clean`` empties.

Each checkout has a folder of its own, so that two of them on one machine never share a desk.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path


class NoPlace(Exception):
    """No file can be chosen; the message is one sentence that says why."""


def state_folder(checkout: Path, state_home: str) -> Path:
    """Return the folder of this checkout below ``XDG_STATE_HOME``, else below ``~/.local/state``. Raises NoPlace."""
    try:
        base = Path(state_home) if Path(state_home).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise NoPlace(f"there is no folder to keep files in ({error})") from error
    digest = blake2b(str(checkout).encode(), digest_size=4).hexdigest()
    return base / "lockstep" / f"{checkout.name}-{digest}"


def place_of(name: str, earlier: Path, checkout: Path, state_home: str) -> Path:
    """Return the file to use: the one at the ``earlier`` default place when it exists, else ``name`` in the folder.

    Raises NoPlace when both exist, because nobody but the operator knows which one counts.
    """
    place = state_folder(checkout, state_home) / name
    if not earlier.exists():
        return place
    if place.exists():
        raise NoPlace(f"there are two files, {earlier} and {place}: name the one to use, or move the other away")
    return earlier
