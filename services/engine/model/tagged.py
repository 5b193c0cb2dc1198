"""The stored name of a command, an event or an answer. It never changes, even when the class is renamed."""

from __future__ import annotations

from msgspec import Struct


class Tagged(Struct, frozen=True):
    """The base of every stored kind. Each subclass states its ``tag``, the value of ``type`` in stored JSON."""

    @classmethod
    def kind_name(cls) -> str:
        """Return the stored name of this kind."""
        return str(cls.__struct_config__.tag)
