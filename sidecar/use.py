"""How much one port is used."""

from __future__ import annotations

from datetime import UTC, datetime

from wire.feeds_health import PortState


class Use:
    """How much one feed is used. Its channel counts; everybody may read."""

    def __init__(self, name: str, port: int) -> None:
        """Count nothing yet. `port` is 0 for a feed that is switched off."""
        self.name = name
        self.port = port
        self.state: PortState = "off"
        self.clients = 0
        self.sent = 0
        self.last_sent_at: datetime | None = None

    def note_sent(self, messages: int = 1) -> None:
        """Count messages that were sent just now."""
        self.sent += messages
        self.last_sent_at = datetime.now(UTC)
