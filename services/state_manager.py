"""The state manager, under the name that the API reference gives it.

The class is defined in ``services/desk/manager.py``. ``wire/state.py`` has every field of the document of
``GET /api/state``, and ``services/views/state_view.py`` builds it.
"""

from __future__ import annotations

from services.desk.manager import StateManager

__all__ = ["StateManager"]
