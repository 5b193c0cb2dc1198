"""What the initial exit lock is called wherever somebody reads of it (SPEC 5.3)."""

from __future__ import annotations

INITIAL_EXIT = "initial_exit"
"""In the table of locks, and so in the state document's ``locks``."""

INITIAL_EXIT_GATE = f"{INITIAL_EXIT}_lock"
"""Among the gates that refused something: in the metrics and in the journal's statistics."""

INITIAL_EXIT_FIELD = f"{INITIAL_EXIT}_lock_active"
"""The asset's field in the state document."""

INITIAL_EXIT_ANSWER = INITIAL_EXIT_FIELD.upper()
"""How the answer to a refused exit begins, and the reason of an asset that ``exit-all`` left out."""
