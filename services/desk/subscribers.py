"""What the writer tells of its commits to whoever counts them; by itself nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.engine.model.events import AnyEvent


class CommitObserver(Protocol):
    """Hears of every group commit, on the writer's thread. It must be quick and never raise."""

    def committed(self, seconds: float, commands: int, events: Sequence[AnyEvent]) -> None:
        """A group was made durable: how long the store took, how many commands it held, what happened in it."""

    def failed(self, kind: str) -> None:
        """A group was not made durable: ``kind`` is the name of the exception's class."""


class Several:
    """An observer that passes everything on to others, in their order."""

    def __init__(self, *observers: CommitObserver) -> None:
        self._observers = observers

    def committed(self, seconds: float, commands: int, events: Sequence[AnyEvent]) -> None:
        """Tell all of them."""
        for observer in self._observers:
            observer.committed(seconds, commands, events)

    def failed(self, kind: str) -> None:
        """Tell all of them."""
        for observer in self._observers:
            observer.failed(kind)


class Silent:
    """An observer that counts nothing."""

    def committed(self, seconds: float, commands: int, events: Sequence[AnyEvent]) -> None:
        """Forget it."""

    def failed(self, kind: str) -> None:
        """Forget it."""
