"""The names of the initial exit lock in every place where it appears (SPEC 5.3)."""

from __future__ import annotations

INITIAL_EXIT = "initial_exit"
"""The name in the table of locks, and so in the state document's ``locks``."""

INITIAL_EXIT_GATE = f"{INITIAL_EXIT}_lock"
"""The name among the gates that refused something: in the metrics and in the journal's statistics."""

INITIAL_EXIT_FIELD = f"{INITIAL_EXIT}_lock_active"
"""The name of the asset's field in the state document."""

INITIAL_EXIT_ANSWER = INITIAL_EXIT_FIELD.upper()
"""The title of the answer to a refused exit, and the reason for an asset that ``exit-all`` skipped."""
