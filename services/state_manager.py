"""The state manager, under the name that the API reference gives it.

The class is defined in ``services/desk/manager.py``. ``services/views/state_view.py`` makes the document of
``GET /api/state``.
"""

from __future__ import annotations

from services.desk.manager import StateManager

__all__ = ["StateManager"]
